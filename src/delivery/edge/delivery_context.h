// What the parts of the delivery service share. Immutable after start(), but for `index` and
// `saved`, which lock for themselves.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "delivery/core/dead_letter.h"
#include "delivery/core/delivery_index.h"
#include "delivery/delivery_service.h"

namespace weft::delivery {

// A dead letter on its way to its subscription again.
struct Redrive {
  DeliverySummary delivery;
  eventlog::Offset dead_letter = 0;   // its record
  std::uint32_t attempts_before = 0;  // of earlier lives
  std::uint32_t attempts = 0;         // since it was redriven
  WallTime since;
  WallTime due;
};

// What an earlier life left behind, until the subscription that it belongs to asks for it.
class SavedState {
 public:
  // Replaces what is under the key, unless the value only continues a cursor; a continuation of
  // nothing is dropped, since a later record of that cursor stands for itself.
  void put(std::string key, std::string value);
  void erase(std::string_view key);
  // Oldest first; empty when there is nothing. Of a key that is no cursor at most one.
  std::vector<std::string> take(std::string_view key);
  bool contains(std::string_view key) const;
  std::vector<std::pair<std::string, std::string>> all() const;

  void add_redrive(Redrive redrive);
  std::vector<Redrive> take_redrives(std::string_view tenant, std::string_view subscription);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>, std::less<>> records_;
  std::vector<Redrive> redrives_;
};

struct InternalStreams {
  eventlog::StreamId attempts{};
  eventlog::StreamId cursors{};
  eventlog::StreamId dead{};
};

struct DeliveryContext {
  explicit DeliveryContext(DeliveryParts given)
      : parts(std::move(given)),
        index(parts.index != nullptr ? *parts.index : own_index_),
        own_index_(IndexLimits{.delivered_max = parts.limits.delivered_shown_max}) {}

  // The share's part of an internal stream.
  eventlog::PartitionId part_of(eventlog::StreamId stream) const {
    return {stream, parts.share.number};
  }

  DeliveryParts parts;
  InternalStreams streams;
  DeliveryIndex& index;
  SavedState saved;
  std::unique_ptr<eventlog::EventWriter> writer;  // of the three streams
  std::atomic<bool> is_fenced{false};             // another process has the share now
  std::function<void()> on_fenced;
  std::atomic<std::uint64_t> cursor_bytes{0};  // appended to the stream of cursors by all loops

 private:
  DeliveryIndex own_index_;
};

// Keys of the stream of cursors.
std::string cursor_key(std::string_view tenant, std::string_view subscription, const Uuid& topic_id,
                       std::int32_t partition);
std::string state_key(std::string_view tenant, std::string_view subscription);

// Makes the internal streams where they are missing, with a partition for each share.
Task<Result<InternalStreams>> ensure_streams(eventlog::EventLog& log, DeliveryLimits limits,
                                             std::int32_t shares);
// The same, fences whoever wrote the share's part of them
// before, and reads what they say.
Task<Result<>> restore_state(DeliveryContext& context);

// Calls `visit` for each record, from `from` to the end as it is now.
Task<Result<>> read_whole(eventlog::EventLog& log, eventlog::PartitionId partition,
                          eventlog::Offset from, std::function<void(eventlog::Record)> visit);
// The record at this offset; NotFound when it is gone.
Task<Result<eventlog::Record>> read_one(eventlog::EventLog& log, eventlog::PartitionId partition,
                                        eventlog::Offset offset);

}  // namespace weft::delivery
