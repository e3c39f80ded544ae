// An EventLog that hands everything on to another. For tests that change one thing of a log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eventlog/event_log.h"

namespace weft::eventlog {

class ForwardingLog : public EventLog {
 public:
  // `log` outlives it.
  explicit ForwardingLog(EventLog& log) : log_(log) {}

  Task<Result<std::vector<Appended>>> append(std::vector<NewRecords> entry) override {
    return log_.append(std::move(entry));
  }
  Task<Result<ReadResult>> read(ReadRequest request) override {
    return log_.read(std::move(request));
  }
  Task<Result<Offset>> offset_at(PartitionId partition, WallTime time) override {
    return log_.offset_at(partition, time);
  }
  std::optional<StreamInfo> find_stream(std::string_view tenant,
                                        std::string_view name) const override {
    return log_.find_stream(tenant, name);
  }
  std::optional<StreamInfo> stream(StreamId id) const override { return log_.stream(id); }
  std::vector<StreamInfo> streams() const override { return log_.streams(); }
  std::optional<PartitionInfo> partition(PartitionId id) const override {
    return log_.partition(id);
  }
  Task<Result<StreamInfo>> create_stream(StreamSettings settings) override {
    return log_.create_stream(std::move(settings));
  }
  Task<Result<StreamInfo>> alter_stream(StreamId id, StreamSettings settings) override {
    return log_.alter_stream(id, std::move(settings));
  }
  Task<Result<>> retire_stream(StreamId id, std::optional<WallTime> since) override {
    return log_.retire_stream(id, since);
  }
  Task<Result<>> delete_stream(StreamId id) override { return log_.delete_stream(id); }

 protected:
  EventLog& log_;
};

}  // namespace weft::eventlog
