// Appending and the record face of EmbeddedLog.
#include <algorithm>

#include "eventlog/embedded/log_state.h"

namespace weft::eventlog {

namespace {

ErrorCode code_of(AppendStatus status) {
  switch (status) {
    case AppendStatus::Appended:
    case AppendStatus::Duplicate:
      return ErrorCode::Internal;
    case AppendStatus::OutOfOrderSequence:
    case AppendStatus::StaleProducerEpoch:
      return ErrorCode::Conflict;
    case AppendStatus::UnknownPartition:
      return ErrorCode::NotFound;
    case AppendStatus::TooLarge:
      return ErrorCode::InvalidArgument;
    case AppendStatus::DiskFull:
    case AppendStatus::Overloaded:
      return ErrorCode::ResourceExhausted;
    case AppendStatus::Stopped:
      return ErrorCode::Unavailable;
  }
  return ErrorCode::Internal;
}

std::string_view text_of(AppendStatus status) {
  switch (status) {
    case AppendStatus::Appended:
      return "appended";
    case AppendStatus::Duplicate:
      return "duplicate";
    case AppendStatus::OutOfOrderSequence:
      return "out of order sequence";
    case AppendStatus::StaleProducerEpoch:
      return "fenced by a newer producer epoch";
    case AppendStatus::UnknownPartition:
      return "no such stream or partition";
    case AppendStatus::TooLarge:
      return "larger than the stream or the log allows";
    case AppendStatus::DiskFull:
      return "the disk is full";
    case AppendStatus::Overloaded:
      return "the log's queue is full";
    case AppendStatus::Stopped:
      return "the log has stopped";
  }
  return "refused";
}

void resolve(const LogContext& context, BatchToAppend& batch, AppendItem& item) {
  item.stream = context.streams.find(batch.partition.stream);
  if (item.stream) item.partition = item.stream->partition(batch.partition.partition);
  if (item.partition == nullptr) {
    item.outcome.status = AppendStatus::UnknownPartition;
    return;
  }
  auto header = read_batch_header(batch.batch);
  auto limit = std::min<std::uint64_t>(item.stream->info.settings.batch_bytes_max,
                                       context.options.wal_file_bytes / 2);
  if (!header || header->bytes() != batch.batch.size() || batch.batch.size() > limit) {
    item.outcome.status = AppendStatus::TooLarge;
    return;
  }
  item.header = *header;
  item.batch = std::move(batch.batch);
}

std::vector<AppendedBatch> all_refused(std::size_t count, AppendStatus status) {
  std::vector<AppendedBatch> outcomes(count);
  for (auto& outcome : outcomes) outcome.status = status;
  return outcomes;
}

struct BuiltBatch {
  BatchToAppend batch;
  WallTime time;
};

Result<BuiltBatch> build(const NewRecords& records, const LogStream& stream, std::uint32_t turn,
                         WallTime now) {
  if (records.records.empty()) return fail(ErrorCode::InvalidArgument, "no records to append");
  auto partitions = stream.info.settings.partitions;
  auto index = records.partition;
  const auto& key = records.records.front().key;
  if (index < 0 && key) index = partition_of_key(*key, partitions);
  if (index < 0) index = static_cast<std::int32_t>(turn % static_cast<std::uint32_t>(partitions));
  BatchBuilder builder;
  for (const auto& record : records.records) {
    auto time = record.timestamp == WallTime{} ? now : record.timestamp;
    builder.add(to_unix_ms(time), record.key, record.value, record.headers);
  }
  BuiltBatch built;
  TRY(built.batch.batch, builder.finish());
  built.batch.partition = {stream.info.id, index};
  built.time = now;
  return built;
}

}  // namespace

Task<std::vector<AppendedBatch>> EmbeddedLog::submit(std::vector<BatchToAppend> batches,
                                                     bool together) {
  auto& context = state_->context;
  auto count = batches.size();
  if (context.closing || context.stopped) co_return all_refused(count, AppendStatus::Stopped);
  if (batches.empty()) co_return std::vector<AppendedBatch>();
  AppendWork work(co_await boost::asio::this_coro::executor);  // hot: no frame for a helper
  work.together = together;
  work.items.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    resolve(context, batches[i], work.items[i]);
    work.bytes += work.items[i].batch.size();
  }
  if (together && work.bytes > context.options.wal_file_bytes / 2) {
    co_return all_refused(count, AppendStatus::TooLarge);
  }
  if (!state_->writer.submit(work)) co_return all_refused(count, AppendStatus::Overloaded);
  co_await work.done.wait_regardless();
  std::vector<AppendedBatch> outcomes;
  outcomes.reserve(count);
  for (const auto& item : work.items) outcomes.push_back(item.outcome);
  co_return outcomes;
}

Task<std::vector<AppendedBatch>> EmbeddedLog::append(std::vector<BatchToAppend> batches) {
  return submit(std::move(batches), false);
}

Task<std::vector<AppendedBatch>> EmbeddedLog::append_together(std::vector<BatchToAppend> batches) {
  return submit(std::move(batches), true);
}

Task<Result<std::vector<Appended>>> EmbeddedLog::append(std::vector<NewRecords> entry) {
  auto& context = state_->context;
  auto now = context.clock.now();
  std::vector<BatchToAppend> batches;
  for (const auto& records : entry) {
    auto stream = context.streams.find(records.stream);
    if (!stream) {
      co_return fail(ErrorCode::NotFound, "no stream {}", static_cast<unsigned>(records.stream));
    }
    auto turn = state_->next_partition.fetch_add(1, std::memory_order_relaxed);
    CO_TRY(auto built, build(records, *stream, turn, now));
    batches.push_back(std::move(built.batch));
  }
  std::vector<Appended> appended;
  for (const auto& batch : batches) appended.push_back({batch.partition, 0, now});
  auto outcomes = co_await submit(std::move(batches), true);
  // When one is refused, the others say Stopped: the interesting status is another one.
  for (const auto& outcome : outcomes) {
    auto status = outcome.status;
    if (status == AppendStatus::Appended || status == AppendStatus::Stopped) continue;
    co_return fail(code_of(status), "cannot append: {}", text_of(status));
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].status != AppendStatus::Appended) {
      co_return fail(ErrorCode::Unavailable, "cannot append: {}", text_of(outcomes[i].status));
    }
    appended[i].first_offset = outcomes[i].base_offset;
  }
  co_return appended;
}

namespace {

Record record_of(RecordView& view) {
  Record record;
  record.offset = view.offset;
  record.timestamp = from_unix_ms(view.timestamp);
  if (view.key) record.key = *view.key;
  if (view.value) record.value = *view.value;
  record.headers.reserve(static_cast<std::size_t>(view.headers.size()));
  while (auto header = view.headers.next()) {
    record.headers.emplace_back(header->name, header->value.value_or(std::string_view()));
  }
  return record;
}

// Appends the batch's records from `from` on; where to go on.
Result<Offset> decode(std::string_view batch, const ReadRequest& request,
                      std::vector<Record>& records) {
  TRY(auto header, read_batch_header(batch));
  if (header.is_control()) return header.next_offset();
  std::string scratch;
  TRY(auto bytes, batch_records(batch, scratch));
  RecordReader reader(header, bytes);
  RecordView view;
  for (;;) {
    TRY(bool more, reader.next(view));
    if (!more) return header.next_offset();
    if (view.offset < request.from) continue;
    if (records.size() >= request.records_max) return view.offset;
    records.push_back(record_of(view));
  }
}

}  // namespace

Task<Result<ReadResult>> EmbeddedLog::read(ReadRequest request) {
  auto& context = state_->context;
  auto& reader = state_->reader;
  auto deadline = context.clock.mono() + request.wait;
  ReadResult result;
  result.next = request.from;
  for (;;) {
    auto batches = co_await reader.read(request.partition, result.next, request.bytes_max);
    result.partition = batches.fetched.info;
    if (auto error = batches.fetched.error) {
      co_return fail(*error, "partition {} of stream {} at offset {} (it has {} to {})",
                     request.partition.partition, static_cast<unsigned>(request.partition.stream),
                     request.from, result.partition.start, result.partition.end);
    }
    for (const auto& batch : batches.fetched.batches) {
      CO_TRY(result.next, decode(*batch, request, result.records));
      if (result.records.size() >= request.records_max) co_return result;
    }
    result.next = std::max(result.next, batches.next);
    auto now = context.clock.mono();
    if (!result.records.empty() || now >= deadline || context.closing) co_return result;
    auto partition = context.streams.find(request.partition);
    if (!partition) co_return fail(ErrorCode::NotFound, "the stream was deleted");
    std::vector<std::pair<std::shared_ptr<Partition>, Offset>> ends;
    ends.emplace_back(std::move(partition), result.partition.end);
    co_await reader.wait_for_more(std::move(ends), 1, deadline - now);
    if (co_await is_cancelled()) co_return result;
  }
}

Task<Result<Offset>> EmbeddedLog::offset_at(PartitionId id, WallTime time) {
  auto partition = state_->context.streams.find(id);
  if (!partition) co_return fail(ErrorCode::NotFound, "no such partition");
  auto wanted = to_unix_ms(time);
  if (from_unix_ms(wanted) < time) ++wanted;
  ReadRequest request;
  request.partition = id;
  request.from = partition->seek_time(wanted);
  for (;;) {
    CO_TRY(auto result, co_await read(request));
    for (const auto& record : result.records) {
      if (to_unix_ms(record.timestamp) >= wanted) co_return record.offset;
    }
    if (result.next >= result.partition.end) co_return result.partition.end;
    request.from = result.next;
  }
}

}  // namespace weft::eventlog
