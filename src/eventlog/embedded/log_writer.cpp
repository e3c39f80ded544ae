#include "eventlog/embedded/log_writer.h"

#include <algorithm>

#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::eventlog {

LogWriter::LogWriter(LogContext& context, Executor loop)
    : context_(context), mailbox_(loop, context.options.queue_requests_max), wal_(context) {}

bool LogWriter::push(Work& work) {
  auto* pointer = &work;
  return mailbox_.push(pointer);
}

bool LogWriter::submit(AppendWork& work) {
  auto queued = queued_bytes_.fetch_add(work.bytes, std::memory_order_relaxed);
  bool fits = queued == 0 || queued + work.bytes <= context_.options.queue_bytes_max;
  if (fits && push(work)) return true;
  queued_bytes_.fetch_sub(work.bytes, std::memory_order_relaxed);
  return false;
}

Task<void> LogWriter::run() {
  std::vector<Work*> works;
  start_group();
  marked_ = wal_.empty() ? wal_.position() : 0;
  for (;;) {
    auto taken = co_await mailbox_.take(std::move(works));
    if (!taken || taken->empty()) break;
    works = *std::move(taken);
    context_.metrics.queue_requests.set(static_cast<std::int64_t>(works.size()));
    co_await process(works);
  }
}

Task<void> LogWriter::process(const std::vector<Work*>& works) {
  for (auto* work : works) {
    if (work->kind == Work::Kind::Append) {
      co_await take_append(static_cast<AppendWork&>(*work));
      continue;
    }
    co_await commit();
    co_await static_cast<ControlWork&>(*work).run();
    wakeups_.add(*work);
    wakeups_.send();
  }
  co_await commit();
}

namespace {

CrashPoint before_write("log.before-write");
CrashPoint after_write_before_sync("log.after-write-before-sync");
CrashPoint after_sync_before_ack("log.after-sync-before-ack");
CrashPoint after_ack("log.after-ack");

std::size_t cost_of(const AppendWork& work) {
  auto entries = work.together ? 1 : work.items.size();
  return work.bytes + work.items.size() * kWalItemHeaderBytes +
         entries * (kWalEntryHeaderBytes + kWalAlignment);
}

}  // namespace

Task<void> LogWriter::take_append(AppendWork& work) {
  auto queued = queued_bytes_.fetch_sub(work.bytes, std::memory_order_relaxed) - work.bytes;
  context_.metrics.queue_bytes.set(static_cast<std::int64_t>(queued));
  if (work.ending != nullptr) add_markers(work);
  auto cost = cost_of(work);
  auto limit = std::min(context_.options.group_bytes_max, room());
  if (!group_.empty() && group_.bytes() + cost > limit) co_await commit();
  // Decided once for the whole entry: the background may clear disk_full at any time, which makes
  // no room in this file.
  auto durable = context_.disk_full ? AppendStatus::DiskFull : AppendStatus::Appended;
  if (durable == AppendStatus::Appended && cost > room() && !context_.stopped) {
    auto made = co_await make_room(cost);
    if (!made) durable = AppendStatus::TooLarge;
    if (!made && made.error().code == ErrorCode::ResourceExhausted) {
      durable = AppendStatus::DiskFull;
      context_.disk_full = true;
    }
  }
  if (work.together) {
    admit_together(work, durable);
  } else {
    admit(work, durable);
  }
  waiting_.push_back(&work);
}

Task<Result<>> LogWriter::make_room(std::size_t bytes) {
  if (bytes <= room()) co_return Result<>();
  if (bytes > context_.options.wal_file_bytes - kWalHeaderBytes - mark_bytes()) {
    co_return fail(ErrorCode::InvalidArgument, "an entry of {} bytes is larger than a file", bytes);
  }
  co_return co_await roll();
}

Task<Result<>> LogWriter::roll() {
  SealedWal full{wal_.sequence(), wal_.first_position(), wal_.position()};
  auto rolled = co_await wal_.roll();
  if (!rolled) {
    if (rolled.error().code != ErrorCode::ResourceExhausted) stop(rolled.error());
    co_return rolled;
  }
  sealed_.push_back(full);
  context_.sealed_files = sealed_.size();
  start_group();
  signalled_ = false;
  signal_background();
  co_return Result<>();
}

void LogWriter::signal_background() {
  if (signal_ && !std::exchange(signalled_, true)) signal_();
}

std::size_t LogWriter::mark_bytes() const {
  return context_.options.archive != nullptr ? kWalTimeMarkBytes : kWalEntryHeaderBytes;
}

// One mark always fits: it ends the group that fills the file.
std::size_t LogWriter::room() const {
  auto room = wal_.room();
  if (context_.options.archive == nullptr) return room;
  return room > mark_bytes() ? room - mark_bytes() : 0;
}

void LogWriter::add_marker() {
  group_.begin_entry(WalKind::Marker);
  if (context_.options.archive != nullptr) {
    group_.add_payload(encode_time_mark(to_unix_ms(context_.clock.now())));
  }
  group_.end_entry();
}

void LogWriter::start_group() {
  placed_.clear();
  group_.start(wal_.position(), wal_.epoch());
}

AppendedBatch LogWriter::judge(const AppendItem& item, AppendStatus durable) const {
  AppendedBatch outcome = item.outcome;
  if (outcome.status != AppendStatus::Appended) return outcome;
  if (context_.stopped) {
    outcome.status = AppendStatus::Stopped;
  } else if (item.partition->deleted) {
    outcome.status = AppendStatus::UnknownPartition;
  } else if (item.is_durable()) {
    outcome.status = durable;
  }
  if (outcome.status != AppendStatus::Appended) return outcome;
  if (item.header.is_control()) return outcome;
  auto verdict = item.partition->producers.check(item.header);
  switch (verdict.kind) {
    case SequenceVerdict::Accept:
      break;
    case SequenceVerdict::Duplicate:
      outcome.status = AppendStatus::Duplicate;
      break;
    case SequenceVerdict::OutOfOrder:
      outcome.status = AppendStatus::OutOfOrderSequence;
      break;
    case SequenceVerdict::StaleEpoch:
      outcome.status = AppendStatus::StaleProducerEpoch;
      break;
  }
  outcome.base_offset = verdict.original;
  // A repetition is one also where nothing may be written any more.
  if (outcome.status != AppendStatus::Appended) return outcome;
  using Verdict = TransactionalProducers::Verdict;
  auto allowed =
      transactions_.check(item.header, item.partition->id, item.stream->info.settings.tenant);
  if (allowed == Verdict::NotInTransaction) outcome.status = AppendStatus::NotInTransaction;
  if (allowed == Verdict::StaleEpoch) outcome.status = AppendStatus::StaleProducerEpoch;
  bool has_room = !item.header.is_transactional() ||
                  item.partition->aborted_count() < context_.options.aborted_transactions_max;
  if (outcome.status == AppendStatus::Appended && !has_room) {
    outcome.status = AppendStatus::Overloaded;
  }
  return outcome;
}

void LogWriter::admit(AppendWork& work, AppendStatus durable) {
  std::span<AppendItem> left = work.items;
  while (!left.empty()) {
    std::size_t count = 1;
    while (count < left.size() && left[count].with_previous) ++count;
    if (count == 1) {
      admit_one(work, left.front(), durable);
    } else {
      admit_all_or_none(work, left.first(count), durable);
    }
    left = left.subspan(count);
  }
}

void LogWriter::admit_one(AppendWork& work, AppendItem& item, AppendStatus durable) {
  item.outcome = judge(item, durable);
  if (item.outcome.status == AppendStatus::Duplicate) {
    // Its original may be in this very group.
    work.waits = work.waits || item.is_durable();
    item.outcome.log_start = item.partition->info().start;
  }
  if (item.outcome.status != AppendStatus::Appended) return;
  if (!item.is_durable()) {
    place_in_memory(item);
    return;
  }
  work.waits = true;
  group_.begin_entry(WalKind::Batches);
  place(item);
  group_.end_entry();
}

bool LogWriter::admit_all_or_none(AppendWork& work, std::span<AppendItem> items,
                                  AppendStatus durable) {
  bool all = work.ending == nullptr || work.ending->outcome == AppendStatus::Appended;
  for (auto& item : items) {
    item.outcome = judge(item, durable);
    all = all && item.outcome.status == AppendStatus::Appended;
  }
  if (!all) {
    for (auto& item : items) {
      if (item.outcome.status == AppendStatus::Appended) {
        item.outcome.status = AppendStatus::Stopped;
      } else if (item.outcome.status == AppendStatus::Duplicate) {
        work.waits = true;
        item.outcome.log_start = item.partition->info().start;
      }
    }
    return false;
  }
  bool any_durable = std::ranges::any_of(items, &AppendItem::is_durable);
  if (any_durable) group_.begin_entry(WalKind::Batches);
  for (auto& item : items) {
    if (item.is_durable()) {
      place(item);
    } else {
      place_in_memory(item);
    }
  }
  if (any_durable) group_.end_entry();
  work.waits = work.waits || any_durable;
  return true;
}

void LogWriter::admit_together(AppendWork& work, AppendStatus durable) {
  if (admit_all_or_none(work, work.items, durable) && work.ending != nullptr) finish(work);
}

void LogWriter::remember_producer(AppendItem& item) {
  if (item.header.producer_id < 0) return;
  auto& producers = item.partition->producers;
  auto now = to_unix_ms(context_.clock.now());
  if (item.header.is_transactional() && !item.header.is_control()) {
    item.step = TransactionStep::Data;
    transactions_.record(item.header, item.partition->id, now);
  }
  count_producer(producers.record(item.header, now));
  if (producers_ > context_.options.producers_max &&
      producers.evict_oldest(item.header.producer_id)) {
    --producers_;
  }
}

std::shared_ptr<const std::string> LogWriter::number(AppendItem& item) {
  auto& partition = *item.partition;
  item.header.base_offset = partition.next;
  item.header.leader_epoch = wal_.leader_epoch();
  partition.next = item.header.next_offset();
  set_base_offset(item.batch, item.header.base_offset);
  set_leader_epoch(item.batch, item.header.leader_epoch);
  remember_producer(item);
  return std::make_shared<const std::string>(std::move(item.batch));
}

void LogWriter::place(AppendItem& item) {
  auto bytes = number(item);
  auto position = group_.add_batch(item.partition->id, *bytes);
  item.outcome.base_offset = item.header.base_offset;
  placed_.push_back({&item, std::move(bytes), position});
}

namespace {

PublishedBatch published(const AppendItem& item, std::shared_ptr<const std::string> bytes) {
  PublishedBatch batch;
  batch.ref.base = item.header.base_offset;
  batch.ref.max_timestamp = item.header.max_timestamp;
  batch.ref.last_delta = static_cast<std::uint32_t>(item.header.last_offset_delta);
  batch.ref.bytes = static_cast<std::uint32_t>(bytes->size());
  batch.leader_epoch = item.header.leader_epoch;
  batch.bytes = std::move(bytes);
  batch.step = item.step;
  batch.producer_id = item.header.producer_id;
  batch.producer_epoch = item.header.producer_epoch;
  return batch;
}

}  // namespace

void LogWriter::place_in_memory(AppendItem& item) {
  auto& partition = *item.partition;
  auto bytes = number(item);
  context_.metrics.appended_bytes.add(bytes->size());
  context_.metrics.appended_records.add(static_cast<std::uint64_t>(item.header.record_count));
  partition.publish(published(item, std::move(bytes)), woken_);
  partition.limit_memory(context_.options.memory_partition_bytes_max,
                         std::numeric_limits<std::int64_t>::min());
  item.outcome.base_offset = item.header.base_offset;
  item.outcome.log_start = partition.info().start;
}

Task<void> LogWriter::commit() {
  if (waiting_.empty()) co_return;
  // Answers that need no sync do not wait for one.
  std::erase_if(waiting_, [&](AppendWork* work) {
    if (!work->waits) wakeups_.add(*work);
    return !work->waits;
  });
  wakeups_.add(woken_);
  wakeups_.send();
  if (!group_.empty()) {
    stamp();
    auto written = co_await write_group();
    if (written) {
      publish_group();
    } else {
      stop(written.error());
      refuse_group();
    }
    start_group();
  }
  for (auto* work : waiting_) wakeups_.add(*work);
  waiting_.clear();
  wakeups_.add(woken_);
  wakeups_.send();
  after_ack.reached();
  if (wal_.wants_spare()) signal_background();
}

Task<Result<>> LogWriter::write_group() {
  if (context_.stopped) co_return fail(ErrorCode::Unavailable, "the log has stopped");
  before_write.reached();
  CO_CHECK(co_await wal_.write(group_));
  after_write_before_sync.reached();
  auto begun = context_.clock.mono();
  const auto mutant = context_.options.mutant;
  if (mutant != LogMutant::AcknowledgeBeforeSync) {
    auto synced = co_await wal_.sync();
    if (!synced && mutant != LogMutant::FailedSyncAcknowledged) co_return synced;
  }
  context_.metrics.sync_seconds.observe(context_.clock.mono() - begun);
  context_.metrics.fsyncs.add();
  context_.metrics.groups.add();
  after_sync_before_ack.reached();
  co_return Result<>();
}

void LogWriter::publish_group() {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  for (auto& placed : placed_) {
    auto& item = *placed.item;
    auto cost = tail_cost(placed.bytes->size());
    bool keep = cost <= context_.options.tail_bytes_max / 2;
    bytes += placed.bytes->size();
    records += static_cast<std::uint64_t>(item.header.record_count);
    auto batch = published(item, std::move(placed.bytes));
    batch.ref.at = wal_.file_offset(placed.position);
    batch.wal_sequence = wal_.sequence();
    if (!keep) batch.bytes.reset();
    item.outcome.log_start = item.partition->publish(batch, woken_);
    if (keep) keep_in_tail(item, cost);
  }
  context_.metrics.appended_bytes.add(bytes);
  context_.metrics.appended_records.add(records);
  context_.metrics.appended_batches.add(placed_.size());
  context_.metrics.tail_bytes.set(static_cast<std::int64_t>(tail_bytes_));
}

void LogWriter::keep_in_tail(const AppendItem& item, std::size_t cost) {
  auto index = static_cast<std::size_t>(item.partition->id.partition);
  tail_.push_back({item.stream->partitions[index], cost});
  tail_bytes_ += cost;
  while (tail_bytes_ > context_.options.tail_bytes_max) {
    auto& oldest = tail_.front();
    oldest.partition->evict_tail();
    tail_bytes_ -= oldest.cost;
    tail_.pop_front();
  }
}

void LogWriter::refuse_group() {
  for (auto* work : waiting_) {
    for (auto& item : work->items) {
      auto status = item.outcome.status;
      bool promised = status == AppendStatus::Appended || status == AppendStatus::Duplicate;
      if (promised && item.is_durable()) item.outcome.status = AppendStatus::Stopped;
    }
  }
}

void LogWriter::stop(const Error& error) {
  if (context_.stopped.exchange(true)) return;
  context_.metrics.stopped.set(1);
  log_error("eventlog", "the log stopped after a failed write; it can be read, restart to go on",
            {{"error", error.message}});
}

}  // namespace weft::eventlog
