// What a coordinator keeps in an internal stream of the log: records by key, the latest counts, one
// without a value says that it is gone. After `snapshot_bytes` of records all that is live is to be
// written anew; the stream's retention keeps four times as much. One loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eventlog/event_log.h"
#include "runtime/task.h"

namespace weft::kafka {

class StateStream {
 public:
  StateStream(eventlog::EventLog& log, std::string_view name, std::uint64_t snapshot_bytes)
      : log_(log), name_(name), snapshot_bytes_(snapshot_bytes) {}

  // Makes the stream if there is none, and hands all records over, each with a key, oldest first.
  Task<Result<>> open(std::function<Result<>(const eventlog::Record&)> replay);
  // Durable when it returns: the offset of the first one.
  Task<Result<eventlog::Offset>> append(std::vector<eventlog::NewRecord> records);
  // For an entry that holds more than this: what append() would append. Counts as written.
  eventlog::NewRecords entry(std::vector<eventlog::NewRecord> records);

  bool wants_snapshot() const { return since_snapshot_ >= snapshot_bytes_; }
  // What the snapshot itself wrote is not counted: live records near the limit would call for the
  // next at once.
  void snapshot_written() { since_snapshot_ = 0; }

 private:
  Task<Result<>> make_stream();

  eventlog::EventLog& log_;
  std::string_view name_;
  std::uint64_t snapshot_bytes_;
  std::uint64_t since_snapshot_ = 0;
  eventlog::StreamId stream_{};
};

}  // namespace weft::kafka
