#include "eventlog/replay.h"

#include <utility>

#include "eventlog/core/record_entry.h"
#include "eventlog/core/record_fault.h"
#include "eventlog/origin.h"

namespace weft::eventlog {
namespace {

constexpr std::uint32_t kRecordsAtOnce = 1'000;
constexpr Offset kScannedMax = 100'000;

std::int32_t partition_for(const Record& record, std::int32_t from, std::int32_t from_partitions,
                           std::int32_t partitions) {
  if (from_partitions == partitions) return from;
  return record.key ? partition_of_key(*record.key, partitions) : from % partitions;
}

NewRecord replayed(const Record& record, const StreamInfo& from, std::int32_t partition,
                   const StreamDeclaration& into) {
  auto copy = copy_of(record);
  set_header(copy, kOriginStream, from.settings.name);
  set_header(copy, kOriginPartition, std::to_string(partition));
  set_header(copy, kOriginOffset, std::to_string(record.offset));
  // Its age would hide it from everybody.
  if (into.ttl > Duration::zero()) copy.timestamp = {};
  return copy;
}

}  // namespace

Task<Result<ReadResult>> read_of_key(EventLog& log, ReadRequest request, std::string key) {
  const auto wanted = std::exchange(request.records_max, kRecordsAtOnce);
  ReadResult found;
  std::size_t bytes = 0;
  const auto first = request.from;
  do {
    CO_TRY(auto read, co_await log.read(request));
    found.partition = read.partition;
    found.next = read.next;
    for (auto& record : read.records) {
      if (record.key != key) continue;
      if (found.records.size() == wanted || bytes >= request.bytes_max) {
        found.next = record.offset;
        co_return found;
      }
      bytes += record.value.value_or("").size();
      found.records.push_back(std::move(record));
    }
    if (read.next <= request.from) break;
    request.from = read.next;
  } while (found.next < found.partition.stable_end && found.next - first < kScannedMax);
  co_return found;
}

Task<Result<Replayed>> replay_some(EventLog& log, ReplayRange range, StreamRef into,
                                   bool is_preview) {
  const auto from = log.stream(range.from.stream);
  if (!from) co_return fail(ErrorCode::NotFound, "the stream is gone");
  const auto number = range.from.partition;
  ReadRequest request;
  request.partition = range.from;
  request.from = range.first;
  request.records_max = kRecordsAtOnce;
  ReadResult read;
  if (range.key) {
    CO_TRY(read, co_await read_of_key(log, request, *range.key));
  } else {
    CO_TRY(read, co_await log.read(request));
  }
  Replayed result;
  result.next = std::min(read.next, range.until);
  RecordEntry entry;
  for (const auto& record : read.records) {
    if (record.offset >= range.until) break;
    if (const auto fault = record_fault(*into->declared, record.key, record.value)) {
      co_return fail(ErrorCode::FailedPrecondition,
                     "the record at offset {} of partition {} breaks the contract of {}: {}; the "
                     "range is replayed up to offset {}, nothing behind it",
                     record.offset, number, into->info.settings.name, *fault, range.first);
    }
    const auto partition =
        partition_for(record, number, from->settings.partitions, into->info.settings.partitions);
    entry.add(into->info, partition, replayed(record, *from, number, *into->declared));
    ++result.records;
  }
  if (!is_preview && !entry.empty()) {
    auto lists = entry.take();
    CO_CHECK(co_await log.append(std::move(lists)));
  }
  co_return result;
}

}  // namespace weft::eventlog
