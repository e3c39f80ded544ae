#include "eventlog/embedded/embedded_log.h"

#include <algorithm>

#include "eventlog/embedded/log_state.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::eventlog {

namespace {

CrashPoint during_close("log.during-close");

Task<void> spawn_on(TaskGroup& group, Task<void> task) {
  group.spawn(std::move(task));
  co_return;
}

Task<Result<>> prepare_folders(LogContext& context) {
  CO_CHECK(co_await context.files.create_directories(context.options.folder));
  CO_CHECK(co_await context.files.create_directories(context.wal_folder()));
  CO_CHECK(co_await context.files.create_directories(context.segment_folder()));
  co_return co_await context.files.create_directories(context.quarantine_folder());
}

Failure refused(const LogContext& context) {
  if (context.stopped) return fail(ErrorCode::Unavailable, "the log stopped after a failed write");
  if (context.closing) return fail(ErrorCode::Unavailable, "the log is shutting down");
  return fail(ErrorCode::ResourceExhausted, "the log's queue is full");
}

template <class T>
Result<T> outcome_of(std::optional<Result<T>> outcome, const LogContext& context) {
  if (!outcome) return refused(context);
  return *std::move(outcome);
}

}  // namespace

EmbeddedLog::EmbeddedLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

EmbeddedLog::~EmbeddedLog() {
  ENSURE(!state_->running, "the log is closed before it is destroyed");
}

Task<Result<std::unique_ptr<EmbeddedLog>>> EmbeddedLog::open(FileSystem& files, Clock& clock,
                                                             Random& random, Metrics& metrics,
                                                             LogOptions options) {
  auto state = std::make_unique<State>(files, clock, random, metrics, std::move(options));
  auto begun = clock.mono();
  auto& context = state->context;
  CO_CHECK(co_await prepare_folders(context));
  CO_TRY(state->lock, co_await files.lock(context.options.folder + "/LOCK"));
  LogRecovery recovery(context, state->writer);
  CO_TRY(auto next_segment, co_await recovery.run());
  state->recovery = recovery.report();
  state->recovery_time = clock.mono() - begun;
  auto& maintenance = state->maintenance;
  CO_CHECK(co_await maintenance.start(next_segment, recovery.segments(),
                                      recovery.unreadable_segments()));
  state->writer.set_background_signal([&maintenance] { maintenance.signal(); });
  co_await on_loop(state->executors.log, spawn_on(state->log_tasks, state->writer.run()));
  co_await on_loop(state->executors.background,
                   spawn_on(state->background_tasks, maintenance.run()));
  if (context.options.scrub_bytes_per_second > 0) {
    co_await on_loop(state->executors.background, spawn_on(state->scrub_tasks, state->scrub.run()));
  }
  if (maintenance.archiver().is_on()) {
    auto archiving = maintenance.archiver().run();
    co_await on_loop(state->executors.background,
                     spawn_on(state->background_tasks, std::move(archiving)));
  }
  state->running = true;
  log_info("eventlog", "log opened",
           {{"folder", context.options.folder},
            {"entries", state->recovery.entries},
            {"milliseconds",
             std::chrono::duration_cast<std::chrono::milliseconds>(state->recovery_time).count()}});
  co_return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::move(state)));
}

Task<void> EmbeddedLog::close() {
  auto& context = state_->context;
  if (context.closing.exchange(true)) co_return;
  FetchWaiters woken;
  for (const auto& stream : context.streams.all()) {
    for (const auto& partition : stream->partitions) partition->wake_all(woken);
  }
  Wakeups wakeups;
  wakeups.add(woken);
  wakeups.send();
  state_->maintenance.close();
  state_->maintenance.archiver().close();
  co_await on_loop(state_->executors.background, state_->end_scrub());
  co_await on_loop(state_->executors.background, state_->background_tasks.join());
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> last = [&writer] { return writer.write_marker(); };
  [[maybe_unused]] auto marked = co_await writer.execute<Result<>>(std::move(last));
  during_close.reached();
  writer.close_queue();
  co_await on_loop(state_->executors.log, state_->log_tasks.join());
  state_->lock.reset();
  state_->running = false;
}

LogStatus EmbeddedLog::status() const {
  LogStatus status;
  const auto& context = state_->context;
  status.stopped = context.stopped;
  status.disk_full = context.disk_full;
  status.wal_files = static_cast<std::uint64_t>(context.metrics.wal_files.value());
  status.segments = static_cast<std::uint64_t>(context.metrics.segments.value());
  status.damaged_ranges = state_->recovery.damaged_ranges;
  status.cut_bytes = state_->recovery.cut_bytes;
  status.scrub_damaged = state_->scrub.damaged();
  const auto& archiver = state_->maintenance.archiver();
  if (archiver.is_on()) status.archive = archiver.status();
  status.recovery_time = state_->recovery_time;
  return status;
}

Task<Result<>> EmbeddedLog::tidy() {
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> seal = [&writer] { return writer.seal(); };
  auto sealed = co_await writer.execute<Result<>>(std::move(seal));
  CO_CHECK(outcome_of(std::move(sealed), state_->context));
  co_return co_await state_->maintenance.round();
}

Task<Result<>> EmbeddedLog::scrub() {
  co_return co_await on_loop(state_->executors.background, state_->scrub.pass());
}

Task<Result<LogCopy>> EmbeddedLog::begin_copy() {
  co_return co_await state_->maintenance.begin_copy();
}

Task<Result<>> EmbeddedLog::end_copy() {
  co_return co_await state_->maintenance.end_copy();
}

std::optional<StreamInfo> EmbeddedLog::find_stream(std::string_view tenant,
                                                   std::string_view name) const {
  auto stream = state_->context.streams.find(tenant, name);
  if (!stream) return std::nullopt;
  return stream->info;
}

std::optional<StreamInfo> EmbeddedLog::stream(StreamId id) const {
  auto stream = state_->context.streams.find(id);
  if (!stream) return std::nullopt;
  return stream->info;
}

std::vector<StreamInfo> EmbeddedLog::streams() const {
  std::vector<StreamInfo> infos;
  for (const auto& stream : state_->context.streams.all()) infos.push_back(stream->info);
  return infos;
}

std::optional<PartitionInfo> EmbeddedLog::partition(PartitionId id) const {
  auto partition = state_->context.streams.find(id);
  if (!partition) return std::nullopt;
  return partition->info();
}

std::optional<EpochEnd> EmbeddedLog::epoch_end(PartitionId id, std::int32_t epoch) const {
  auto partition = state_->context.streams.find(id);
  if (!partition) return std::nullopt;
  return partition->epoch_end(epoch);
}

Task<Result<StreamInfo>> EmbeddedLog::create_stream(StreamSettings settings) {
  auto& writer = state_->writer;
  std::function<Task<Result<StreamInfo>>()> job = [&] {
    return writer.create_stream(std::move(settings));
  };
  co_return outcome_of(co_await writer.execute<Result<StreamInfo>>(std::move(job)),
                       state_->context);
}

Task<Result<StreamInfo>> EmbeddedLog::alter_stream(StreamId id, StreamSettings settings) {
  auto& writer = state_->writer;
  std::function<Task<Result<StreamInfo>>()> job = [&] {
    return writer.alter_stream(id, std::move(settings));
  };
  co_return outcome_of(co_await writer.execute<Result<StreamInfo>>(std::move(job)),
                       state_->context);
}

Task<Result<>> EmbeddedLog::retire_stream(StreamId id, std::optional<WallTime> since) {
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> job = [&] { return writer.retire_stream(id, since); };
  co_return outcome_of(co_await writer.execute<Result<>>(std::move(job)), state_->context);
}

Task<Result<>> EmbeddedLog::delete_stream(StreamId id) {
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> job = [&] { return writer.delete_stream(id); };
  co_return outcome_of(co_await writer.execute<Result<>>(std::move(job)), state_->context);
}

Task<Result<std::int64_t>> EmbeddedLog::new_producer_id() {
  auto& writer = state_->writer;
  std::function<Task<Result<std::int64_t>>()> job = [&] { return writer.new_producer_id(); };
  co_return outcome_of(co_await writer.execute<Result<std::int64_t>>(std::move(job)),
                       state_->context);
}

Task<Result<>> EmbeddedLog::enlist(TransactionalProducer producer,
                                   std::vector<PartitionId> partitions) {
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> job = [&] {
    return writer.enlist(producer, std::move(partitions));
  };
  co_return outcome_of(co_await writer.execute<Result<>>(std::move(job)), state_->context);
}

Task<Result<>> EmbeddedLog::admit_producers(std::vector<AdmittedProducer> producers) {
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> job = [&] {
    return writer.admit_producers(std::move(producers));
  };
  co_return outcome_of(co_await writer.execute<Result<>>(std::move(job)), state_->context);
}

Task<Result<>> EmbeddedLog::forget_producers(std::vector<std::int64_t> ids) {
  auto& writer = state_->writer;
  std::function<Task<Result<>>()> job = [&] { return writer.forget_producers(std::move(ids)); };
  co_return outcome_of(co_await writer.execute<Result<>>(std::move(job)), state_->context);
}

Task<Result<std::vector<OpenTransactionView>>> EmbeddedLog::open_transactions() {
  using Views = Result<std::vector<OpenTransactionView>>;
  auto& writer = state_->writer;
  std::function<Task<Views>()> job = [&] { return writer.open_transactions(); };
  co_return outcome_of(co_await writer.execute<Views>(std::move(job)), state_->context);
}

Task<Result<std::vector<ProducerView>>> EmbeddedLog::producers(PartitionId id) {
  using Views = Result<std::vector<ProducerView>>;
  auto& writer = state_->writer;
  std::function<Task<Views>()> job = [&] { return writer.producers(id); };
  co_return outcome_of(co_await writer.execute<Views>(std::move(job)), state_->context);
}

Task<Result<Offset>> EmbeddedLog::delete_records(PartitionId id, Offset before) {
  auto& writer = state_->writer;
  std::function<Task<Result<Offset>>()> job = [&] { return writer.move_start(id, before); };
  co_return outcome_of(co_await writer.execute<Result<Offset>>(std::move(job)), state_->context);
}

Task<std::vector<FetchedPartition>> EmbeddedLog::fetch(std::vector<FetchItem> items,
                                                       FetchOptions options) {
  co_return co_await state_->reader.fetch(std::move(items), options);
}

}  // namespace weft::eventlog
