#include "eventlog/quarantine.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>
#include <utility>

#include "eventlog/core/record_entry.h"
#include "eventlog/core/record_fault.h"
#include "eventlog/origin.h"

namespace weft::eventlog {
namespace {

bool is_ours(std::string_view header) {
  return header == kQuarantineReason || header == kOriginStream || header == kOriginPartition ||
         header == kQuarantinePrincipal;
}

// Where a record was sent.
std::int32_t partition_of(const Record& record, std::int32_t partitions) {
  const auto text = record.header(kOriginPartition).value_or("");
  std::int32_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number >= 0 && number < partitions) return number;
  return record.key ? partition_of_key(*record.key, partitions) : 0;
}

// One read's records, sorted by where they go; in each list in the order of the quarantine.
std::vector<NewRecords> sorted(const std::vector<Record>& records, const Stream& stream,
                               const Stream& quarantine, RedriveResult& result) {
  RecordEntry entry;
  for (const auto& record : records) {
    auto copy = copy_of(record);
    if (auto fault = record_fault(*stream.declared, record.key, record.value)) {
      set_header(copy, kQuarantineReason, std::move(*fault));
      entry.add(quarantine.info, 0, std::move(copy));
      ++result.kept;
      continue;
    }
    std::erase_if(copy.headers, [](const auto& header) { return is_ours(header.first); });
    // Its age would hide it from everybody.
    if (stream.declared->ttl > Duration::zero()) copy.timestamp = {};
    const auto partition = partition_of(record, stream.info.settings.partitions);
    entry.add(stream.info, partition, std::move(copy));
    ++result.stored;
  }
  return entry.take();
}

// Which quarantines are looked at now.
class UnderWay {
 public:
  static Result<UnderWay> begin(StreamId quarantine) {
    const std::lock_guard lock(mutex_);
    if (ids_.insert(quarantine).second) return UnderWay(quarantine);
    return fail(ErrorCode::Conflict, "this quarantine is being redriven already");
  }
  UnderWay(UnderWay&& other) noexcept : id_(std::exchange(other.id_, std::nullopt)) {}
  ~UnderWay() {
    if (!id_) return;
    const std::lock_guard lock(mutex_);
    ids_.erase(*id_);
  }

 private:
  explicit UnderWay(StreamId id) : id_(id) {}
  std::optional<StreamId> id_;
  static inline std::mutex mutex_;
  static inline std::set<StreamId> ids_;
};

}  // namespace

std::string quarantine_name(std::string_view stream) {
  return std::string(stream) + ".dlq";
}

Result<> check_open_to_writers(const Stream& stream) {
  const auto& source = stream.declared->quarantine_of;
  if (source.empty()) return {};
  return fail(ErrorCode::FailedPrecondition, "{} takes what {} refuses, and nothing else",
              stream.info.settings.name, source);
}

Task<Result<RedriveResult>> redrive(EventLog& log, BatchLog& batches, StreamRef stream,
                                    StreamRef quarantine) {
  CO_TRY(const auto alone, UnderWay::begin(quarantine->info.id));
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
