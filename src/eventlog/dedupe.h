// Events that a producer sends twice under one CloudEvents id: a stream that declares a window
// (`dedupe: 10m`) stores the first of those with one source and id, and drops the others (EV-18).
// Records without ce_id and ce_source, and those of transactions, are not looked at.
//
// A door claims an event before it appends; settled with its end, the claim is remembered for the
// window, dropped without, it is as if nothing had come. While somebody else's append of the event
// is under way, nobody knows whether it will be there: the door says so, and the producer repeats.
//
//   auto claim = index.claim(stream, source, id);   // Outcome::Mine
//   … append …
//   claim.settle();
//
// Thread-safe. Kept in memory, 16 bytes of hash per event; restore() reads it back from the log.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "eventlog/event_log.h"
#include "eventlog/streams.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"

namespace weft::eventlog {

class DedupeIndex {
  struct State;

 public:
  // More events than this are remembered for less than their window; that is counted and logged.
  static constexpr std::size_t kEventsMaxByDefault = 1'000'000;

  DedupeIndex(Clock& clock, Metrics& metrics, std::size_t events_max = kEventsMaxByDefault);
  ~DedupeIndex();

  enum class Outcome : std::uint8_t { Mine, Duplicate, UnderWay };

  // The events of one append. Releases what was not settled.
  class Claims {
   public:
    Claims() = default;
    Claims(Claims&& other) noexcept = default;
    Claims& operator=(Claims&& other) noexcept;
    ~Claims();
    // They are durable.
    void settle();
    bool empty() const { return keys_.empty(); }

   private:
    friend DedupeIndex;
    void release();
    struct Key {
      StreamId stream{};
      std::array<std::uint64_t, 2> hash{};
      bool operator==(const Key&) const = default;
    };
    std::shared_ptr<State> state_;
    std::vector<Key> keys_;
    Duration window_{};
  };

  // Mine: added to `claims`, also when they hold it already: then it is a Duplicate.
  Outcome claim(const Stream& stream, std::string_view source, std::string_view id, Claims& claims);

  // Reads back what streams with a window hold. Once, before the doors open.
  Task<Result<>> restore(EventLog& log, std::vector<StreamRef> streams);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace weft::eventlog
