// Records that are copied from one stream to others, in one entry of the log. Pure; any thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventlog/event_log.h"

namespace weft::eventlog {

NewRecord copy_of(const Record& record);
// About what it takes in a batch without compression, rather more than less.
std::size_t size_of(const NewRecord& record);
std::size_t size_of(const Record& record);
// Instead of all headers of that name.
void set_header(NewRecord& record, std::string_view name, std::string value);

// Each list becomes one batch of the log, which has a limit: a list is half of it at most, unless
// one record alone is longer. Those of one partition keep their order.
class RecordEntry {
 public:
  void add(const StreamInfo& stream, std::int32_t partition, NewRecord record);
  bool empty() const { return lists_.empty(); }
  std::vector<NewRecords> take();

 private:
  struct Open {
    NewRecords* list = nullptr;
    std::size_t bytes = 0;
  };
  std::deque<NewRecords> lists_;
  std::map<std::pair<StreamId, std::int32_t>, Open> open_;
};

}  // namespace weft::eventlog
