#include "eventlog/quarantine.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace weft::eventlog {
namespace {

bool is_ours(std::string_view header) {
  return header == kQuarantineReason || header == kQuarantineStream ||
         header == kQuarantinePartition || header == kQuarantinePrincipal;
}

// Where a record was sent.
std::int32_t partition_of(const Record& record, std::int32_t partitions) {
  const auto text = record.header(kQuarantinePartition).value_or("");
  std::int32_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number >= 0 && number < partitions) return number;
  return record.key ? partition_of_key(*record.key, partitions) : 0;
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
  const auto found =
      std::ranges::find(record.headers, name, [](const auto& header) { return header.first; });
  if (found == record.headers.end()) {
    record.headers.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

// One read's records, sorted by where they go; in each list in the order of the quarantine.
std::vector<NewRecords> sorted(const std::vector<Record>& records, const Stream& stream,
                               const Stream& quarantine, RedriveResult& result) {
  std::map<std::pair<StreamId, std::int32_t>, NewRecords> targets;
  const auto target = [&](StreamId id, std::int32_t partition) -> std::vector<NewRecord>& {
    auto& records_there = targets[{id, partition}];
    records_there.stream = id;
    records_there.partition = partition;
    return records_there.records;
  };
  for (const auto& record : records) {
    auto copy = copy_of(record);
    const auto violations = stream.declared->violations_of_text(record.value.value_or(""), 1);
    if (violations.empty()) {
      std::erase_if(copy.headers, [](const auto& header) { return is_ours(header.first); });
      const auto partition = partition_of(record, stream.info.settings.partitions);
      target(stream.info.id, partition).push_back(std::move(copy));
      ++result.stored;
    } else {
      set_header(copy, kQuarantineReason,
                 violations.front().instance + " " + violations.front().message);
      target(quarantine.info.id, 0).push_back(std::move(copy));
      ++result.kept;
    }
  }
  std::vector<NewRecords> entry;
  for (auto& [place, records_there] : targets) entry.push_back(std::move(records_there));
  return entry;
}

}  // namespace

std::string quarantine_name(std::string_view stream) {
  return std::string(stream) + ".dlq";
}

Task<Result<RedriveResult>> redrive(EventLog& log, BatchLog& batches, StreamRef stream,
                                    StreamRef quarantine) {
  RedriveResult result;
  const PartitionId id{quarantine->info.id, 0};
  const auto info = log.partition(id);
  if (!info) co_return fail(ErrorCode::NotFound, "the quarantine does not exist yet");
  ReadRequest request;
  request.partition = id;
  request.from = info->start;
  // What is put back lies behind, and is not looked at twice.
  const auto end = info->end;
  while (request.from < end) {
    request.records_max = static_cast<std::uint32_t>(std::min<Offset>(end - request.from, 500));
    CO_TRY(const auto read, co_await log.read(request));
    if (read.next <= request.from) break;
    request.from = read.next;
    if (!read.records.empty()) {
      auto entry = sorted(read.records, *stream, *quarantine, result);
      CO_CHECK(co_await log.append(std::move(entry)));
    }
    CO_CHECK(co_await batches.delete_records(id, std::min(read.next, end)));
  }
  co_return result;
}

}  // namespace weft::eventlog
