#include "eventlog/replay.h"

#include <algorithm>
#include <utility>

#include "eventlog/core/record_entry.h"
#include "eventlog/core/record_fault.h"
#include "eventlog/origin.h"
#include "runtime/on_loop.h"

namespace weft::eventlog {
namespace {

constexpr std::uint32_t kRecordsAtOnce = 1'000;
constexpr std::size_t kEntryBytes = 1024 * 1024;
constexpr Offset kScannedMax = 100'000;

std::int32_t partition_for(const Record& record, std::int32_t from, std::int32_t from_partitions,
                           std::int32_t partitions) {
  if (from_partitions == partitions) return from;
  return record.key ? partition_of_key(*record.key, partitions) : from % partitions;
}

// Whether nobody would get to see a record of that time in the stream, or not for long.
bool is_too_old(const Stream& stream, WallTime time, WallTime now) {
  const auto& settings = stream.info.settings;
  const auto age = now - time;
  if (stream.declared->ttl > Duration::zero() && age >= stream.declared->ttl) return true;
  return settings.cleanup != Cleanup::Compact && settings.retention > Duration::zero() &&
         age >= settings.retention;
}

NewRecord replayed(const Record& record, const StreamInfo& from, std::int32_t partition,
                   const Stream& into, WallTime now) {
  auto copy = copy_of(record);
  set_header(copy, kOriginStream, from.settings.name);
  set_header(copy, kOriginPartition, std::to_string(partition));
  set_header(copy, kOriginOffset, std::to_string(record.offset));
  if (is_too_old(into, record.timestamp, now)) copy.timestamp = now;
  return copy;
}

// Why the stream cannot take a copy; absent when it can.
std::optional<std::string> refusal_of(const NewRecord& copy, const Stream& into) {
  if (const auto bytes = size_of(copy); bytes > into.info.settings.batch_bytes_max) {
    return fmt::format("has {} bytes, which is more than {} takes", bytes, into.info.settings.name);
  }
  // As at the other doors, a stream without contract takes whatever there is.
  if (!compacts(into.info.settings.cleanup) && !into.declared->validates()) return std::nullopt;
  const auto fault = record_fault(*into.declared, copy.key, copy.value);
  if (!fault) return std::nullopt;
  return fmt::format("breaks the contract of {}: {}", into.info.settings.name, *fault);
}

Task<Result<ReadResult>> read_range(EventLog& log, const ReplayRange& range) {
  ReadRequest request;
  request.partition = range.from;
  request.from = range.first;
  request.records_max = kRecordsAtOnce;
  if (!range.key) co_return co_await log.read(request);
  co_return co_await read_of_key(log, request, *range.key, range.until);
}

}  // namespace

Task<Result<ReadResult>> read_of_key(EventLog& log, ReadRequest request, std::string key,
                                     Offset until) {
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
      bytes += size_of(record);
      found.records.push_back(std::move(record));
    }
    if (read.next <= request.from) break;
    request.from = read.next;
    // What is in memory is read without a wait: others of this loop have their turn.
    co_await next_turn();
  } while (found.next < std::min(until, found.partition.stable_end) &&
           found.next - first < kScannedMax);
  co_return found;
}

Task<Result<Replayed>> replay_some(EventLog& log, ReplayRange range, StreamRef into, WallTime now,
                                   bool is_preview) {
  const auto from = log.stream(range.from.stream);
  if (!from) co_return fail(ErrorCode::NotFound, "the stream is gone");
  CO_TRY(const auto read, co_await read_range(log, range));
  if (read.next <= range.first) {
    co_return fail(ErrorCode::Unavailable, "nothing behind offset {} can be read now", range.first);
  }
  const auto number = range.from.partition;
  Replayed result;
  result.next = std::min(read.next, range.until);
  RecordEntry entry;
  std::size_t bytes = 0;
  for (const auto& record : read.records) {
    if (record.offset >= range.until) break;
    auto copy = replayed(record, *from, number, *into, now);
    bytes += size_of(copy);
    if (!entry.empty() && bytes > kEntryBytes) {
      result.next = record.offset;
      break;
    }
    if (const auto refusal = refusal_of(copy, *into)) {
      co_return fail(ErrorCode::FailedPrecondition, "the record at offset {} of partition {} {}",
                     record.offset, number, *refusal);
    }
    const auto partition =
        partition_for(record, number, from->settings.partitions, into->info.settings.partitions);
    entry.add(into->info, partition, std::move(copy));
    ++result.records;
  }
  if (is_preview || entry.empty()) co_return result;
  auto lists = entry.take();
  CO_CHECK(co_await log.append(std::move(lists)));
  co_return result;
}

}  // namespace weft::eventlog
