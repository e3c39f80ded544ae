#include "eventlog/embedded/log_maintenance.h"

#include <algorithm>

#include "eventlog/embedded/wal_scan.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"
#include "runtime/with_timeout.h"

namespace weft::eventlog {

namespace {

CrashPoint before_manifest("log.before-manifest");
CrashPoint after_manifest("log.after-manifest");
CrashPoint after_wal_recycled("log.after-wal-recycled");
CrashPoint after_spare_created("log.after-spare-created");
CrashPoint after_compaction("log.after-compaction");

constexpr std::size_t kSignalsMax = 64;
constexpr std::size_t kFilesPerRound = 4;

Failure queue_refused() {
  return fail(ErrorCode::Unavailable, "the log's queue takes nothing at the moment");
}

void report(std::string_view what, const Result<>& outcome) {
  if (outcome) return;
  log_warn("eventlog", "background work failed; it is tried again",
           {{"what", what}, {"error", outcome.error().message}});
}

}  // namespace

LogMaintenance::LogMaintenance(LogContext& context, LogWriter& writer, LogReader& reader,
                               Executor loop)
    : context_(context),
      writer_(writer),
      reader_(reader),
      archiver_(context, loop),
      compaction_(context, reader),
      mailbox_(loop, kSignalsMax) {
  archiver_.set_signal([this] { signal(); });
}

std::vector<std::uint64_t> LogMaintenance::segments() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, bytes] : segments_) numbers.push_back(number);
  return numbers;
}

void LogMaintenance::signal() {
  Request* nobody = nullptr;
  [[maybe_unused]] bool full_means_signalled = mailbox_.push(nobody);
}

Task<Result<>> LogMaintenance::ask(Request& request) {
  auto* pointer = &request;
  if (!mailbox_.push(pointer)) co_return queue_refused();
  co_await request.done.wait_regardless();
  co_return request.outcome;
}

Task<Result<>> LogMaintenance::round() {
  auto loop = co_await current_loop();
  Request request(loop, Wish::Round);
  co_return co_await ask(request);
}

Task<Result<LogCopy>> LogMaintenance::begin_copy() {
  auto loop = co_await current_loop();
  Request request(loop, Wish::BeginCopy);
  CO_CHECK(co_await ask(request));
  co_return std::move(request.copy);
}

Task<Result<>> LogMaintenance::end_copy() {
  auto loop = co_await current_loop();
  Request request(loop, Wish::EndCopy);
  co_return co_await ask(request);
}

Task<void> LogMaintenance::run() {
  auto& clock = context_.clock;
  next_round_ = clock.mono() + context_.options.maintenance_interval;
  for (;;) {
    auto wait = std::max(Duration::zero(), Duration(next_round_ - clock.mono()));
    auto taken = co_await with_timeout(clock, wait, mailbox_.take());
    if (taken && taken->empty()) break;
    if (!taken && taken.error().code != ErrorCode::DeadlineExceeded) break;
    std::vector<Request*> requests;
    if (taken) requests = *std::move(taken);
    std::erase(requests, nullptr);
    auto is_round = [](const Request* request) { return request->wish == Wish::Round; };
    bool whole = std::ranges::any_of(requests, is_round) || clock.mono() >= next_round_;
    if (whole) next_round_ = clock.mono() + context_.options.maintenance_interval;
    auto outcome = co_await work(whole);
    for (auto* request : requests) {
      request->outcome = outcome;
      if (!is_round(request)) request->outcome = co_await serve(*request);
      post_to(request->caller, [request] { request->done.wake(); });
    }
  }
}

Task<Result<>> LogMaintenance::serve(Request& request) {
  if (request.wish == Wish::EndCopy) {
    is_copied_ = false;
    manifest_due_ = true;  // what was kept for the copy goes with the next one
    co_return Result<>();
  }
  if (context_.stopped) co_return fail(ErrorCode::Unavailable, "the log has stopped");
  if (is_copied_) co_return fail(ErrorCode::Conflict, "another backup of the log is being made");
  CO_CHECK(co_await list_copy(request.copy));
  is_copied_ = true;
  co_return Result<>();
}

Task<Result<>> LogMaintenance::list_copy(LogCopy& copy) {
  auto& writer = writer_;
  std::vector<WalExtent> wal;
  std::function<Task<Result<Manifest>>()> job = [&writer, &wal] {
    wal = writer.wal_extents();
    return writer.snapshot();
  };
  auto taken = co_await writer_.execute<Result<Manifest>>(std::move(job));
  if (!taken) co_return queue_refused();
  CO_TRY(auto manifest, *std::move(taken));
  manifest.next_segment = next_segment_;
  for (auto segment : manifest.segments) {
    CO_TRY(auto file, co_await context_.files.open(context_.segment_path(segment), OpenMode::Read));
    CO_TRY(auto bytes, co_await file->size());
    copy.pieces.push_back({LogContext::segment_name(segment), bytes});
  }
  for (const auto& extent : wal) {
    copy.pieces.push_back({LogContext::wal_name(extent.sequence), extent.bytes});
  }
  copy.position = manifest.state_position;
  copy.manifest = encode_manifest(manifest);
  copy.taken = context_.clock.now();
  co_return Result<>();
}

Task<Result<>> LogMaintenance::work(bool whole) {
  if (context_.stopped) co_return fail(ErrorCode::Unavailable, "the log has stopped");
  Result<> first;
  auto keep = [&first](std::string_view what, Result<> outcome) {
    report(what, outcome);
    if (first && !outcome) first = std::move(outcome);
  };
  if (whole) {
    keep("free space", co_await check_space());
    keep("sealing", co_await seal_when_old());
    keep("retention", co_await apply_retention());
  }
  keep("placement", co_await place_sealed());
  keep("unneeded files", co_await remove_unneeded());
  keep("next write-ahead file", co_await prepare_spare());
  if (whole) {
    keep("compaction", co_await compact_all());
    keep("merging", co_await merge_small());
    if (writer_.dead_bytes.exchange(0) > 0) manifest_due_ = true;
    if (manifest_due_) keep("manifest", co_await write_manifest());
  }
  co_return first;
}

Task<Result<>> LogMaintenance::check_space() {
  CO_TRY(auto free, co_await context_.files.free_bytes(context_.options.folder));
  bool full = free < context_.options.disk_reserve_bytes;
  if (context_.options.mutant == LogMutant::FullForEver) full = full || context_.disk_full;
  if (context_.disk_full.exchange(full) == full) co_return Result<>();
  context_.metrics.disk_full.set(full ? 1 : 0);
  if (full) {
    log_error("eventlog", "the disk is nearly full: appends are refused",
              {{"free_bytes", free}, {"reserve_bytes", context_.options.disk_reserve_bytes}});
  } else {
    log_info("eventlog", "there is space again: appends are taken", {{"free_bytes", free}});
  }
  co_return Result<>();
}

Task<Result<>> LogMaintenance::seal_when_old() {
  auto& writer = writer_;
  auto& context = context_;
  std::function<Task<Result<>>()> job = [&writer, &context]() -> decltype(writer.seal()) {
    writer.expire_producers();
    auto age = context.clock.mono() - writer.wal().begun();
    if (age >= context.options.wal_age_max) return writer.seal();
    return writer.write_marker();
  };
  auto outcome = co_await writer_.execute<Result<>>(std::move(job));
  if (!outcome) co_return queue_refused();
  co_return *outcome;
}

Task<Result<>> LogMaintenance::apply_retention() {
  std::vector<StartMoved> moves;
  auto now = context_.clock.now();
  const int hurry = context_.options.mutant == LogMutant::RetentionTooEager ? 4 : 1;
  for (const auto& stream : context_.streams.all()) {
    const auto& settings = stream->info.settings;
    bool forever = settings.retention == Duration::zero();
    auto oldest = forever ? std::numeric_limits<std::int64_t>::min()
                          : to_unix_ms(now - settings.retention / hurry);
    for (const auto& partition : stream->partitions) {
      if (settings.durability == Durability::Memory) {
        partition->limit_memory(context_.options.memory_partition_bytes_max, oldest);
        continue;
      }
      if (settings.cleanup == Cleanup::Compact) continue;
      auto bytes_max = settings.retention_bytes / static_cast<std::uint64_t>(hurry);
      auto start = partition->retained_start(oldest, bytes_max);
      if (start > partition->info().start) moves.push_back({partition->id, start});
    }
  }
  if (moves.empty()) co_return Result<>();
  manifest_due_ = true;
  auto& writer = writer_;
  std::function<Task<Result<>>()> job = [&] { return writer.move_starts(std::move(moves)); };
  auto outcome = co_await writer_.execute<Result<>>(std::move(job));
  if (!outcome) co_return queue_refused();
  co_return *outcome;
}

Task<Result<std::vector<SealedWal>>> LogMaintenance::sealed() {
  auto& writer = writer_;
  std::function<Task<std::vector<SealedWal>>()> job = [&writer] { return writer.list_sealed(); };
  auto files = co_await writer_.execute<std::vector<SealedWal>>(std::move(job));
  if (!files) co_return queue_refused();
  context_.metrics.wal_files.set(static_cast<std::int64_t>(files->size() + 1));
  if (files->size() > kFilesPerRound) files->resize(kFilesPerRound);
  co_return *std::move(files);
}

Task<Result<>> LogMaintenance::place_sealed() {
  for (;;) {
    CO_TRY(auto files, co_await sealed());
    if (files.empty()) co_return Result<>();
    LogPlacement placement(context_, reader_, next_segment_);
    auto placed = co_await placement.place(files);
    if (!placed) {
      co_await discard(placement.segments());
      co_return placed;
    }
    for (const auto& [partition, extents] : placement.extents()) {
      for (const auto& extent : extents) segments_[extent->segment] += extent->bytes;
    }
    auto& writer = writer_;
    const auto& extents = placement.extents();
    auto last = files.back().sequence;
    std::function<Task<bool>()> job = [&] { return writer.install(last, extents); };
    if (!co_await writer_.execute<bool>(std::move(job))) co_return queue_refused();
    to_retire_.insert(to_retire_.end(), files.begin(), files.end());
    if (context_.options.mutant == LogMutant::PlacedFilesGoEarly) {
      retire_placed();
      CO_CHECK(co_await remove_unneeded());
    }
    CO_CHECK(co_await write_manifest());
    CO_CHECK(co_await check_space());  // more files may wait, for long
  }
}

Task<Result<>> LogMaintenance::write_manifest() {
  auto& writer = writer_;
  std::function<Task<Result<Manifest>>()> job = [&writer] { return writer.snapshot(); };
  auto taken = co_await writer_.execute<Result<Manifest>>(std::move(job));
  if (!taken) co_return queue_refused();
  CO_TRY(auto manifest, *std::move(taken));
  manifest.next_segment = next_segment_;
  auto live = manifest.segments;
  auto& named = manifest.segments;
  named.insert(named.end(), unreadable_.begin(), unreadable_.end());
  manifest_due_ = true;
  before_manifest.reached();
  CO_CHECK(co_await write_file_durably(context_.files, context_.manifest_path(),
                                       encode_manifest(manifest)));
  after_manifest.reached();
  manifest_due_ = false;
  co_await remove_dead_segments(live);
  context_.metrics.segments.set(static_cast<std::int64_t>(segments_.size()));
  retire_placed();
  co_return co_await remove_unneeded();
}

Task<void> LogMaintenance::remove_dead_segments(const std::vector<std::uint64_t>& live) {
  if (is_copied_) co_return;
  std::vector<std::uint64_t> dead;
  for (const auto& [segment, bytes] : segments_) {
    if (!std::ranges::binary_search(live, segment)) dead.push_back(segment);
  }
  co_await discard(dead);
  for (auto segment : dead) segments_.erase(segment);
}

// Files that no manifest names; one that cannot be removed now is removed at the next start.
Task<void> LogMaintenance::discard(std::vector<std::uint64_t> segments) {
  for (auto segment : segments) {
    context_.cache.drop(context_.segment_path(segment));
    [[maybe_unused]] auto removed = co_await context_.files.remove(context_.segment_path(segment));
  }
}

// Placed files, which the manifest needs no more; with an archive they go when it has them.
void LogMaintenance::retire_placed() {
  if (is_copied_) return;
  auto placed = std::exchange(to_retire_, {});
  if (!archiver_.is_on()) {
    to_recycle_.insert(to_recycle_.end(), placed.begin(), placed.end());
    return;
  }
  for (const auto& file : placed) archiver_.offer(file);
}

// What cannot be removed now stays listed, for the next time.
Task<Result<>> LogMaintenance::remove_unneeded() {
  if (is_copied_) co_return Result<>();
  auto released = archiver_.take_released();
  to_recycle_.insert(to_recycle_.end(), released.archived.begin(), released.archived.end());
  to_remove_.insert(to_remove_.end(), released.given_up.begin(), released.given_up.end());
  if (to_recycle_.empty() && to_remove_.empty()) co_return Result<>();
  while (!to_remove_.empty()) {
    CO_CHECK(co_await remove_wal(to_remove_.front()));
    to_remove_.erase(to_remove_.begin());
  }
  while (!to_recycle_.empty()) {
    CO_CHECK(co_await recycle(to_recycle_.front()));
    to_recycle_.erase(to_recycle_.begin());
  }
  co_return co_await context_.files.sync_directory(context_.wal_folder());
}

Task<Result<>> LogMaintenance::remove_wal(const SealedWal& file) {
  auto path = context_.wal_path(file.sequence);
  context_.cache.drop(path);
  auto removed = co_await context_.files.remove(path);
  if (!removed && removed.error().code == ErrorCode::NotFound) co_return Result<>();
  co_return removed;
}

// It becomes the next spare if there is none and no reader holds it; else it goes.
Task<Result<>> LogMaintenance::recycle(const SealedWal& file) {
  auto path = context_.wal_path(file.sequence);
  bool unused = context_.cache.drop(path);
  if (unused && !spare_ready_) {
    CO_TRY(auto opened, co_await context_.files.open(path, OpenMode::Read));
    CO_TRY(auto size, co_await opened->size());
    if (size == context_.options.wal_file_bytes) {
      CO_CHECK(co_await context_.files.rename(path, context_.wal_spare_path()));
      spare_ready_ = true;
      after_wal_recycled.reached();
      co_return Result<>();
    }
  }
  co_return co_await remove_wal(file);
}

Task<Result<>> LogMaintenance::prepare_spare() {
  auto& writer = writer_;
  std::function<Task<bool>()> ask = [&writer] { return writer.lacks_spare(); };
  auto lacks = co_await writer_.execute<bool>(std::move(ask));
  if (!lacks) co_return queue_refused();
  if (!*lacks) co_return Result<>();
  if (!spare_ready_) {
    CO_TRY(auto file,
           co_await context_.files.open(context_.wal_spare_path(), OpenMode::CreateOrOpen));
    CO_CHECK(co_await fill_with_zeros(*file, context_.options.wal_file_bytes));
    CO_CHECK(co_await context_.files.sync_directory(context_.wal_folder()));
    after_spare_created.reached();
  }
  spare_ready_ = false;
  std::function<Task<Result<>>()> adopt = [&writer] { return writer.wal().adopt_spare(); };
  auto adopted = co_await writer_.execute<Result<>>(std::move(adopt));
  if (!adopted) co_return queue_refused();
  co_return *adopted;
}

std::map<std::uint64_t, std::uint64_t> LogMaintenance::live_bytes() const {
  std::map<std::uint64_t, std::uint64_t> live;
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      for (const auto& extent : partition->extents()) live[extent->segment] += extent->bytes;
    }
  }
  return live;
}

Task<Result<>> LogMaintenance::merge_small() {
  std::vector<std::uint64_t> small;
  for (const auto& [segment, live] : live_bytes()) {
    auto known = segments_.find(segment);
    bool half_dead = known != segments_.end() && live * 2 < known->second;
    if (live < context_.options.small_segment_bytes || half_dead) small.push_back(segment);
  }
  if (small.size() <= context_.options.small_segments_max) co_return Result<>();
  LogPlacement placement(context_, reader_, next_segment_);
  auto merged = co_await placement.merge(small);
  if (!merged) {
    co_await discard(placement.segments());
    co_return merged;
  }
  for (const auto& [partition, extents] : placement.extents()) {
    for (const auto& extent : extents) segments_[extent->segment] += extent->bytes;
  }
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      auto found = placement.extents().find(partition->id);
      std::vector<std::shared_ptr<const Extent>> extents;
      if (found != placement.extents().end()) extents = found->second;
      partition->merge(small, std::move(extents));
    }
  }
  co_return co_await write_manifest();
}

// One that fails holds up no other.
Task<Result<>> LogMaintenance::compact_all() {
  Result<> first;
  for (const auto& stream : context_.streams.all()) {
    const auto& settings = stream->info.settings;
    if (!compacts(settings.cleanup) || settings.durability == Durability::Memory) continue;
    for (const auto& partition : stream->partitions) {
      LogPlacement placement(context_, reader_, next_segment_);
      auto done = co_await compaction_.run(*partition, placement);
      if (!done) {
        co_await discard(placement.segments());
        if (first) first = std::unexpected(std::move(done).error());
        continue;
      }
      if (!*done) continue;
      for (auto segment : placement.segments()) segments_.try_emplace(segment);
      for (const auto& [id, extents] : placement.extents()) {
        for (const auto& extent : extents) segments_[extent->segment] += extent->bytes;
      }
      CO_CHECK(co_await write_manifest());
      after_compaction.reached();
    }
  }
  co_return first;
}

Task<Result<>> LogMaintenance::start(std::uint64_t next_segment,
                                     std::vector<std::uint64_t> segments,
                                     std::vector<std::uint64_t> unreadable) {
  next_segment_ = next_segment;
  unreadable_ = std::move(unreadable);
  std::ranges::sort(unreadable_);
  auto live = live_bytes();
  for (auto segment : segments) segments_[segment] = live[segment];
  std::set<std::string> wanted;
  for (auto segment : segments) wanted.insert(context_.segment_path(segment));
  for (auto segment : unreadable_) wanted.insert(context_.segment_path(segment));
  for (const auto& file : writer_.sealed()) wanted.insert(context_.wal_path(file.sequence));
  wanted.insert(context_.wal_path(writer_.wal().sequence()));
  CO_TRY(auto unarchived, co_await find_unarchived());
  for (const auto& file : unarchived) {
    wanted.insert(context_.wal_path(file.sequence));
    archiver_.offer(file);
  }
  for (const auto& folder : {context_.segment_folder(), context_.wal_folder()}) {
    CO_TRY(auto names, co_await context_.files.list(folder));
    for (const auto& name : names) {
      auto path = folder + "/" + name;
      if (path == context_.wal_spare_path()) spare_ready_ = true;
      if (wanted.contains(path) || path == context_.wal_spare_path()) continue;
      CO_CHECK(co_await context_.files.remove(path));
    }
  }
  if (!writer_.sealed().empty()) signal();
  co_return co_await check_space();
}

// Files that a former process placed, but did not archive, oldest first: each ends where the next
// one says. One whose removal was not durable yet may be among them; the archive knows it.
Task<Result<std::vector<SealedWal>>> LogMaintenance::find_unarchived() {
  std::vector<SealedWal> found;
  if (!archiver_.is_on() || context_.options.mutant == LogMutant::UnarchivedForgotten)
    co_return found;
  auto present = writer_.sealed();
  auto first = present.empty() ? writer_.wal().sequence() : present.front().sequence;
  auto end = writer_.wal().previous_end();
  if (!present.empty()) end = std::min(end, present.front().first_position);
  CO_TRY(auto names, co_await context_.files.list(context_.wal_folder()));
  std::map<std::uint64_t, WalFileHeader> headers;
  for (const auto& name : names) {
    auto sequence = wal_sequence_of(name);
    if (!sequence || *sequence > first) continue;
    CO_TRY(auto file, co_await context_.files.open(context_.wal_path(*sequence), OpenMode::Read));
    auto header = co_await read_wal_header(*file);
    if (header && header->sequence == *sequence) headers.emplace(*sequence, *header);
  }
  if (auto live = headers.find(first); live != headers.end()) end = live->second.previous_end;
  for (auto at = headers.rbegin(); at != headers.rend(); ++at) {
    if (at->first == first) continue;
    if (at->second.first_position <= end)
      found.insert(found.begin(), {at->first, at->second.first_position, end});
    end = at->second.previous_end;
  }
  co_return found;
}

}  // namespace weft::eventlog
