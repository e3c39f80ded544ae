// The streams of one log and their partitions. Reading: any thread. Changing: recovery, then the
// log's thread alone. A LogStream is immutable; altering puts another in its place that shares the
// partitions.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventlog/core/log_commands.h"
#include "eventlog/embedded/log_partition.h"
#include "eventlog/types.h"

namespace weft::eventlog {

struct LogStream {
  StreamInfo info;
  std::vector<std::shared_ptr<Partition>> partitions;

  Partition* partition(std::int32_t index) const {
    bool exists = index >= 0 && static_cast<std::size_t>(index) < partitions.size();
    return exists ? partitions[static_cast<std::size_t>(index)].get() : nullptr;
  }
};
using LogStreamRef = std::shared_ptr<const LogStream>;

class StreamTable {
 public:
  LogStreamRef find(StreamId id) const;
  LogStreamRef find(std::string_view tenant, std::string_view name) const;
  std::shared_ptr<Partition> find(PartitionId id) const;
  std::vector<LogStreamRef> all() const;  // by id

  StreamId next_id() const { return static_cast<StreamId>(next_id_); }
  void reserve_ids(std::uint32_t next) { next_id_ = std::max(next_id_, next); }

  // Each is harmless when repeated, as replay may do.
  void create(const StreamInfo& stream);
  void alter(StreamId id, const StreamSettings& settings);
  void retire(StreamId id, std::optional<WallTime> since);
  void remove(StreamId id);

 private:
  using Name = std::pair<std::string, std::string>;  // tenant, name
  using NameView = std::pair<std::string_view, std::string_view>;
  struct NameLess {
    using is_transparent = void;
    bool operator()(const NameView& a, const NameView& b) const { return a < b; }
  };
  LogStreamRef find_locked(StreamId id) const;

  mutable std::shared_mutex mutex_;
  std::map<StreamId, LogStreamRef> streams_;
  std::map<Name, StreamId, NameLess> names_;
  std::uint32_t next_id_ = 1;  // log thread
};

}  // namespace weft::eventlog
