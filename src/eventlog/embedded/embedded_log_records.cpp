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
    case AppendStatus::NotInTransaction:
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
    case AppendStatus::NotInTransaction:
      return "not in a transaction";
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

// Takes the batch, or says why not.
void take_batch(const LogContext& context, std::string batch, AppendItem& item) {
  auto header = read_batch_header(batch);
  auto limit = std::min<std::uint64_t>(item.stream->info.settings.batch_bytes_max,
                                       context.options.wal_file_bytes / 2);
  if (!header || header->bytes() != batch.size() || batch.size() > limit) {
    item.outcome.status = AppendStatus::TooLarge;
    return;
  }
  item.header = *header;
  item.batch = std::move(batch);
}

void resolve(const LogContext& context, BatchToAppend& batch, AppendItem& item) {
  item.stream = context.streams.find(batch.partition.stream);
  if (item.stream) item.partition = item.stream->partition(batch.partition.partition);
  if (item.partition == nullptr) {
    item.outcome.status = AppendStatus::UnknownPartition;
    return;
  }
  take_batch(context, std::move(batch.batch), item);
}

std::vector<AppendedBatch> all_refused(std::size_t count, AppendStatus status) {
  std::vector<AppendedBatch> outcomes(count);
  for (auto& outcome : outcomes) outcome.status = status;
  return outcomes;
}

std::int32_t partition_for(std::int32_t wanted, std::optional<std::string_view> key,
                           std::int32_t partitions, std::uint32_t turn) {
  if (wanted >= 0) return wanted;
  if (key) return partition_of_key(*key, partitions);
  return static_cast<std::int32_t>(turn % static_cast<std::uint32_t>(partitions));
}

void add_to(BatchBuilder& builder, std::int64_t unix_ms, const NewRecord& record) {
  builder.add(unix_ms, record.key, record.value, record.headers);
}
void add_to(BatchBuilder& builder, std::int64_t unix_ms, const BorrowedRecord& record) {
  builder.add_borrowed(unix_ms, record.key, record.value, record.headers);
}

Failure refusal(AppendStatus status) {
  return fail(code_of(status), "cannot append: {}", text_of(status));
}

// What became of an entry whose batches stand or fall together.
Result<> verdict_on(const AppendItems& items) {
  // When one is refused, the others say Stopped: the interesting status is another one.
  auto worst = AppendStatus::Appended;
  for (const auto& item : items) {
    auto status = item.outcome.status;
    if (status == AppendStatus::Appended) continue;
    if (worst == AppendStatus::Appended || worst == AppendStatus::Stopped) worst = status;
  }
  if (worst == AppendStatus::Appended) return {};
  return refusal(worst);
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
    work.items[i].with_previous = batches[i].with_previous;
    work.bytes += work.items[i].batch.size();
  }
  // One work is one write, whether its batches stand or fall together or not.
  if (work.bytes > context.options.wal_file_bytes / 2) {
    co_return all_refused(count, AppendStatus::TooLarge);
  }
  if (!state_->writer.submit(work)) co_return all_refused(count, AppendStatus::Overloaded);
  co_await work.done.suspended();
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

template <class Records>
Result<AppendItems> EmbeddedLog::build(std::span<const Records> entry, WallTime now) const {
  auto& context = state_->context;
  AppendItems items(entry.size());
  auto item = items.begin();
  for (const auto& records : entry) {
    if (records.records.empty()) return fail(ErrorCode::InvalidArgument, "no records to append");
    item->stream = context.streams.find(records.stream);
    if (!item->stream) {
      return fail(ErrorCode::NotFound, "no stream {}", static_cast<unsigned>(records.stream));
    }
    auto turn = state_->next_partition.fetch_add(1, std::memory_order_relaxed);
    auto index = partition_for(records.partition, records.records.front().key,
                               item->stream->info.settings.partitions, turn);
    item->partition = item->stream->partition(index);
    if (item->partition == nullptr) return refusal(AppendStatus::UnknownPartition);
    BatchBuilder builder;
    for (const auto& record : records.records) {
      auto time = record.timestamp == WallTime{} ? now : record.timestamp;
      add_to(builder, to_unix_ms(time), record);
    }
    TRY(auto batch, builder.finish());
    take_batch(context, std::move(batch), *item);
    if (item->outcome.status != AppendStatus::Appended) return refusal(item->outcome.status);
    ++item;
  }
  return items;
}

Task<Result<std::vector<Appended>>> EmbeddedLog::append_built(Result<AppendItems> items,
                                                              WallTime now,
                                                              TransactionEnding* ending) {
  if (!items) co_return std::unexpected(std::move(items).error());
  auto& context = state_->context;
  std::vector<Appended> appended;
  if (items->empty() && ending == nullptr) co_return appended;
  if (context.closing || context.stopped) co_return refusal(AppendStatus::Stopped);
  AppendWork work(co_await boost::asio::this_coro::executor);
  work.together = true;
  work.items = std::move(*items);
  work.ending = ending;
  const auto asked = work.items.size();
  for (const auto& item : work.items) work.bytes += item.batch.size();
  if (work.bytes > context.options.wal_file_bytes / 2) co_return refusal(AppendStatus::TooLarge);
  if (!state_->writer.submit(work)) co_return refusal(AppendStatus::Overloaded);
  co_await work.done.suspended();
  if (ending != nullptr && ending->outcome != AppendStatus::Appended) {
    co_return refusal(ending->outcome);
  }
  CO_CHECK(verdict_on(work.items));
  appended.reserve(asked);
  for (const auto& item : std::span(work.items).first(asked)) {
    appended.push_back({item.partition->id, item.outcome.base_offset, now});
  }
  co_return appended;
}

Task<Result<std::vector<Appended>>> EmbeddedLog::append(std::vector<NewRecords> entry) {
  auto now = state_->context.clock.now();
  return append_built(build(std::span<const NewRecords>(entry), now), now);
}

Task<Result<std::vector<Appended>>> EmbeddedLog::append_borrowed(
    std::span<const BorrowedRecords> entry) {
  auto now = state_->context.clock.now();
  return append_built(build(entry, now), now);
}

Task<Result<std::vector<Appended>>> EmbeddedLog::end_transaction(TransactionEnd end) {
  auto now = state_->context.clock.now();
  TransactionEnding ending{end.producer, end.commits};
  co_return co_await append_built(build(std::span<const NewRecords>(end.with), now), now, &ending);
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
                      const std::vector<AbortedTransaction>& aborted,
                      std::vector<Record>& records) {
  TRY(auto header, read_batch_header(batch));
  if (header.is_control()) return header.next_offset();
  if (!aborted.empty() && header.is_transactional() &&
      is_aborted(aborted, header.producer_id, header.base_offset)) {
    return header.next_offset();
  }
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
    auto from = result.next;
    LogReader::ReadOptions options;
    options.committed_only = request.committed_only;
    auto batches = co_await reader.read(request.partition, from, request.bytes_max, options);
    result.partition = batches.fetched.info;
    if (auto error = batches.fetched.error) {
      co_return fail(*error, "partition {} of stream {} at offset {} (it has {} to {})",
                     request.partition.partition, static_cast<unsigned>(request.partition.stream),
                     request.from, result.partition.start, result.partition.end);
    }
    auto partition = context.streams.find(request.partition);
    if (!partition) co_return fail(ErrorCode::NotFound, "the stream was deleted");
    for (const auto& batch : batches.fetched.batches) {
      CO_TRY(result.next, decode(*batch, request, batches.fetched.aborted, result.records));
      if (result.records.size() >= request.records_max) co_return result;
    }
    result.next = std::max(result.next, batches.next);
    auto now = context.clock.mono();
    if (!result.records.empty() || now >= deadline || context.closing) co_return result;
    // What was read may all have been aborted: go on before waiting.
    const auto& info = result.partition;
    auto end = request.committed_only ? info.stable_end : info.end;
    if (result.next > from && result.next < end) continue;
    std::vector<std::pair<std::shared_ptr<Partition>, Offset>> ends;
    ends.emplace_back(std::move(partition), end);
    co_await reader.wait_for_more(std::move(ends), 1, deadline - now, request.committed_only);
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
  request.committed_only = false;
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
