// One subscription's way through one partition: what it has read ahead, and its acknowledgement
// set. Lives on the subscription's loop.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "delivery/core/retry.h"
#include "eventlog/ack_set.h"
#include "eventlog/event_log.h"
#include "runtime/suspension.h"

namespace weft::delivery {

struct Lane {
  std::string stream;
  eventlog::PartitionId partition;
  Uuid topic_id;
  std::string prefix;      // of its deliveries' ids
  std::string cursor_key;  // of its records in the stream of cursors

  eventlog::AckSet acks;
  std::uint64_t delivered = 0;         // over the life of the subscription
  eventlog::Offset read_next = 0;      // where reading goes on
  std::deque<eventlog::Record> ready;  // read, wanted, not yet taken
  Suspension room;                     // the reader waits here
  bool is_dirty = false;               // its cursor moved since it was recorded
  bool closed = false;

  std::string id_of(eventlog::Offset offset) const;
  // For the next log entry; continues the one that was made last, which must be in the log.
  eventlog::NewRecord cursor_record();
  // Stands for itself.
  eventlog::NewRecord whole_cursor_record();
  // As if what is in flight were settled: the mutant of DeliveryMutant.
  eventlog::NewRecord hasty_cursor_record() const;
  // Applies a verdict, right before cursor_record() is appended together with the attempt.
  void settle(eventlog::Offset offset, const Decision& decision);
  // Nothing that was read is waiting: what was filtered out is settled.
  void pass_filtered();

 private:
  eventlog::NewRecord cursor_record_of(std::string_view piece) const;
};

}  // namespace weft::delivery
