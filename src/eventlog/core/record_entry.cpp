#include "eventlog/core/record_entry.h"

#include <algorithm>
#include <iterator>

namespace weft::eventlog {
namespace {

template <class AnyRecord>
std::size_t size_in_batch(const AnyRecord& record) {
  constexpr std::size_t kOverhead = 64;
  auto size = kOverhead;
  if (record.key) size += record.key->size();
  if (record.value) size += record.value->size();
  for (const auto& [name, value] : record.headers) size += name.size() + value.size() + 4;
  return size;
}

}  // namespace

std::size_t size_of(const NewRecord& record) {
  return size_in_batch(record);
}
std::size_t size_of(const Record& record) {
  return size_in_batch(record);
}

NewRecord copy_of(const Record& record) {
  NewRecord copy;
  copy.key = record.key;
  copy.value = record.value;
  copy.headers = record.headers;
  copy.timestamp = record.timestamp;
  return copy;
}

void set_header(NewRecord& record, std::string_view name, std::string value) {
  std::erase_if(record.headers, [name](const auto& header) { return header.first == name; });
  record.headers.emplace_back(name, std::move(value));
}

void RecordEntry::add(const StreamInfo& stream, std::int32_t partition, NewRecord record) {
  const auto size = size_of(record);
  auto& open = open_[{stream.id, partition}];
  const auto most = stream.settings.batch_bytes_max / 2;
  if (open.list == nullptr || open.bytes + size > most) {
    auto& list = lists_.emplace_back();
    list.stream = stream.id;
    list.partition = partition;
    open = {&list, 0};
  }
  open.list->records.push_back(std::move(record));
  open.bytes += size;
}

std::vector<NewRecords> RecordEntry::take() {
  open_.clear();
  std::vector<NewRecords> lists(std::make_move_iterator(lists_.begin()),
                                std::make_move_iterator(lists_.end()));
  lists_.clear();
  return lists;
}

}  // namespace weft::eventlog
