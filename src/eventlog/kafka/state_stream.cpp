#include "eventlog/kafka/state_stream.h"

#include "eventlog/ensure_stream.h"
#include "eventlog/kafka/log_module.h"
#include "runtime/log.h"

namespace weft::kafka {

using eventlog::NewRecord;

Task<Result<>> StateStream::make_stream() {
  eventlog::StreamSettings settings;
  settings.name = name_;
  settings.partitions = 1;
  settings.retention = Duration::zero();
  settings.retention_bytes = snapshot_bytes_ * 4;
  settings.durability = eventlog::Durability::Disk;
  CO_TRY(const auto made, co_await eventlog::ensure_stream(log_, std::move(settings)));
  stream_ = made.id;
  co_return Result<>();
}

Task<Result<>> StateStream::open(std::function<Result<>(const eventlog::Record&)> replay) {
  constexpr std::uint64_t kBytesAbout = 64;  // of a record; so that a long tail is shortened soon
  CO_CHECK(co_await make_stream());
  const eventlog::PartitionId place{stream_, 0};
  const auto info = log_.partition(place);
  if (!info) co_return fail(ErrorCode::NotFound, "the stream {} has no partition", name_);
  auto next = info->start;
  while (next < info->end) {
    eventlog::ReadRequest request;
    request.partition = place;
    request.from = next;
    CO_TRY(const auto read, co_await log_.read(request));
    for (const auto& record : read.records) {
      if (!record.key) {
        co_return fail(ErrorCode::DataLoss, "{} has a record without key", name_);
      }
      CO_CHECK(replay(record));
    }
    since_snapshot_ += read.records.size() * kBytesAbout;
    if (read.next <= next) break;
    next = read.next;
  }
  log_info(kLogModule, "replayed a coordinator's state", {{"stream", name_}, {"records", next}});
  co_return Result<>();
}

eventlog::NewRecords StateStream::entry(std::vector<NewRecord> records) {
  constexpr std::uint64_t kOverhead = 16;
  for (const auto& record : records) {
    since_snapshot_ += record.key->size() + (record.value ? record.value->size() : 0) + kOverhead;
  }
  eventlog::NewRecords entry;
  entry.stream = stream_;
  entry.partition = 0;
  entry.records = std::move(records);
  return entry;
}

Task<Result<eventlog::Offset>> StateStream::append(std::vector<NewRecord> records) {
  std::vector<eventlog::NewRecords> entries;
  entries.push_back(entry(std::move(records)));
  auto appended = co_await log_.append(std::move(entries));
  if (!appended) {
    log_warn(kLogModule, "cannot store a coordinator's state",
             {{"stream", name_}, {"error", appended.error().message}});
    co_return std::unexpected(std::move(appended).error());
  }
  co_return appended->front().first_offset;
}

}  // namespace weft::kafka
