// Idempotency-Key: the answer of the first request is kept, and repeated to every later one with
// the same key and payload. (draft-ietf-httpapi-idempotency-key-header; architecture, "Conventions
// that users meet".)
//
// The answer is a record of the internal stream __weft.idempotency, appended in the same
// write-ahead entry as the event that the request produced: after a crash there are both or
// neither. Record format: docs/formats/idempotency.md.
//
// Any loop; a task resumes on its caller's loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/event_log.h"
#include "gateway/core/idempotency_index.h"
#include "runtime/clock.h"
#include "runtime/task.h"

namespace weft::gateway {

inline constexpr std::string_view kIdempotencyStream = "__weft.idempotency";

struct IdempotencyOptions {
  Duration keep = std::chrono::hours(24);
  std::size_t keys_max = 1'000'000;
  Duration wait = std::chrono::seconds(10);  // of a concurrent second request
};

struct StoredAnswer {
  Digest payload{};
  int status = 0;
  std::string content_type;
  std::string body;
};

// The value of an answer's record, whose key is the digest's bytes; pure.
std::string answer_value(const StoredAnswer& answer);
Result<StoredAnswer> parse_answer(const eventlog::Record& record);

class IdempotencyStore {
 public:
  enum class Outcome : std::uint8_t {
    Mine,          // go on; settle the claim with the answer's offset
    Repeat,        // `answer` is the first request's
    OtherPayload,  // the key was used with another payload: 422
    StillRunning,  // the first request did not end within the wait: 409
    Full,          // the limit of keys: 503
  };

  // The right to answer for a key; without settle() it is given back.
  class ClaimGuard {
   public:
    ClaimGuard() = default;
    ClaimGuard(IdempotencyIndex& index, const Digest& key) : index_(&index), key_(key) {}
    ClaimGuard(ClaimGuard&& other) noexcept
        : index_(std::exchange(other.index_, nullptr)), key_(other.key_) {}
    ClaimGuard& operator=(ClaimGuard&& other) noexcept {
      std::swap(index_, other.index_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~ClaimGuard() {
      if (index_ != nullptr) index_->abandon(key_);
    }
    void settle(eventlog::Offset answer) {
      if (index_ != nullptr) std::exchange(index_, nullptr)->settle(key_, answer);
    }

   private:
    IdempotencyIndex* index_ = nullptr;
    Digest key_{};
  };

  struct Begun {
    Outcome outcome = Outcome::Mine;
    ClaimGuard claim;
    StoredAnswer answer;
  };

  IdempotencyStore(eventlog::EventLog& log, Clock& clock, const IdempotencyOptions& options);

  // Creates the stream at first start, gives it the time that the options say, and rebuilds the
  // index from it.
  Task<Result<>> start();
  // Where several nodes write to the log: learns the keys that the others have answered, until it
  // is cancelled. A key that two nodes are asked at once may still give two events, of one id.
  Task<void> follow();

  Task<Result<Begun>> begin(Digest key, Digest payload);
  // The same for the usual case, a key that nobody has used: without a wait. Absent when begin()
  // would have to read an answer or to wait for one.
  std::optional<Begun> try_begin(const Digest& key, const Digest& payload);

  // Where the record of an answer goes: appended together with the event.
  eventlog::StreamId stream() const { return stream_; }

  // Forgets keys whose answers the stream's retention has dropped; call it now and then, from one
  // task.
  void forget_expired();
  std::size_t size() const { return index_.size(); }

 private:
  Task<Result<>> read_answers(Duration wait);
  Task<Result<StoredAnswer>> read_answer(eventlog::Offset offset);
  Task<Result<Begun>> repeat(Digest payload, eventlog::Offset offset);
  bool has_expired(eventlog::Offset answer) const;

  eventlog::EventLog& log_;
  Clock& clock_;
  IdempotencyOptions options_;
  IdempotencyIndex index_;
  eventlog::StreamId stream_{};
  eventlog::Offset forgotten_below_ = 0;
  eventlog::Offset read_next_ = 0;  // of start() and follow()
};

}  // namespace weft::gateway
