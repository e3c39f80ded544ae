#include "eventlog/embedded/log_recovery.h"

#include <algorithm>

#include "eventlog/embedded/segment_footer.h"
#include "eventlog/embedded/wal_scan.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::eventlog {

namespace {

CrashPoint after_recovery_header("log.after-recovery-header");
CrashPoint during_recovery("log.during-recovery");

// More than one group ever has; a multiple of the alignment.
constexpr WalPosition kTornBytesMax = std::uint64_t{1} << 32;

}  // namespace

Task<Result<Manifest>> LogRecovery::read_manifest() {
  auto path = context_.manifest_path();
  auto bytes = co_await read_file(context_.files, path, kManifestBytesMax);
  if (bytes) {
    auto manifest = decode_manifest(*bytes);
    if (!manifest) co_return std::unexpected(std::move(manifest).error().within(path));
    co_return manifest;
  }
  if (bytes.error().code != ErrorCode::NotFound) co_return std::unexpected(bytes.error());
  CO_TRY(auto names, co_await context_.files.list(context_.wal_folder()));
  if (!names.empty()) {
    co_return fail(ErrorCode::DataLoss,
                   "{} is missing, but {} holds a log: restore it from a backup", path,
                   context_.wal_folder());
  }
  Manifest manifest;
  // Not 0: in a file of zeros nothing may look like an entry that is at its place.
  manifest.wal_position = manifest.state_position = kWalHeaderBytes;
  manifest.cluster = Uuid::v4(context_.random.next(), context_.random.next());
  CO_CHECK(co_await write_file_durably(context_.files, path, encode_manifest(manifest)));
  co_return manifest;
}

void LogRecovery::restore(const Manifest& manifest) {
  context_.cluster = manifest.cluster;
  state_position_ = manifest.state_position;
  position_ = confirmed_ = manifest.wal_position;
  epochs_used_ = manifest.epoch;
  leader_epoch_ = manifest.leader_epoch;
  for (const auto& stream : manifest.streams) context_.streams.create(stream);
  context_.streams.reserve_ids(manifest.next_stream);
  writer_.restore_producer_ids(manifest.producer_ids_reserved);
  for (const auto& state : manifest.partitions) {
    auto partition = context_.streams.find(state.id);
    if (!partition) continue;
    partition->restore(state);
    partition->skip_to(state.next);
  }
  for (const auto& producer : manifest.producers) {
    auto partition = context_.streams.find(producer.partition);
    if (!partition) continue;
    partition->producers.restore(producer.id, producer.state);
    writer_.count_producer(true);
  }
}

Task<Result<>> LogRecovery::load_segment(std::uint64_t segment) {
  auto path = context_.segment_path(segment);
  CO_TRY(auto file, co_await context_.files.open(path, OpenMode::Read));
  CO_TRY(auto footer, co_await read_segment_footer(*file, segment));
  for (auto& extent : footer.extents) {
    auto partition = context_.streams.find(extent.partition);
    if (!partition || extent.end <= partition->info().start) continue;
    if (segment < partition->first_segment()) continue;
    partition->add_extent(std::make_shared<const Extent>(std::move(extent)));
  }
  co_return Result<>();
}

Task<Result<>> LogRecovery::load_segments(const Manifest& manifest) {
  for (auto segment : manifest.segments) {
    auto loaded = co_await load_segment(segment);
    if (loaded) {
      segments_.push_back(segment);
      continue;
    }
    unreadable_.push_back(segment);
    const auto& error = loaded.error();
    if (error.code == ErrorCode::FailedPrecondition) co_return loaded;
    // Its batches are a hole now; everything else works.
    ++report_.damaged_ranges;
    log_error("eventlog", "a segment cannot be read: its records are missing until it is restored",
              {{"file", context_.segment_path(segment)}, {"error", error.message}});
  }
  co_return Result<>();
}

Task<Result<LogRecovery::WalFile>> LogRecovery::open_wal_file(std::uint64_t sequence) {
  WalFile wal;
  wal.sequence = sequence;
  auto opened = co_await context_.files.open(context_.wal_path(sequence), OpenMode::Read);
  if (!opened && opened.error().code == ErrorCode::NotFound) co_return wal;
  if (!opened) co_return std::unexpected(std::move(opened).error());
  wal.file = *std::move(opened);
  CO_TRY(wal.bytes, co_await wal.file->size());
  std::string bytes(kWalHeaderBytes, '\0');
  CO_TRY(auto got, co_await wal.file->read_at(bytes, 0));
  auto header = decode_wal_header(std::string_view(bytes).substr(0, got));
  if (!header && header.error().code == ErrorCode::FailedPrecondition) {
    co_return std::unexpected(std::move(header).error().within(context_.wal_path(sequence)));
  }
  wal.has_header = header && header->sequence == sequence;
  if (!wal.has_header) co_return wal;
  wal.header = *header;
  if (header->state == WalFileState::Prepared) {
    // A start that did not come to its end; only its epoch is used up.
    wal.has_header = false;
    wal.is_prepared = true;
    epochs_used_ = std::max(epochs_used_, header->epoch);
    positions_used_ = std::max(positions_used_, header->first_position + wal.bytes);
  }
  if (header->cluster != context_.cluster) {
    co_return fail(ErrorCode::FailedPrecondition, "{} belongs to another log",
                   context_.wal_path(sequence));
  }
  if (header->key_id != 0) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "{} is encrypted, which only a newer version can read",
                   context_.wal_path(sequence));
  }
  co_return wal;
}

// The files from the manifest's on, up to the last one that was surely used, and one more that may
// have been: its first group, with its header, may have been torn.
Task<Result<std::vector<LogRecovery::WalFile>>> LogRecovery::find_wal_files(
    const Manifest& manifest) {
  CO_TRY(auto names, co_await context_.files.list(context_.wal_folder()));
  std::vector<WalFile> files;
  std::uint64_t last = manifest.wal_sequence;
  for (const auto& name : names) last = std::max(last, wal_sequence_of(name).value_or(0));
  for (auto sequence = manifest.wal_sequence; sequence <= last; ++sequence) {
    CO_TRY(auto file, co_await open_wal_file(sequence));
    files.push_back(std::move(file));
  }
  while (files.size() > 1 && !files.back().has_header && !files[files.size() - 2].has_header) {
    files.pop_back();
  }
  co_return files;
}

Task<Result<>> LogRecovery::set_aside(WalFile& file, std::uint64_t at, std::uint64_t bytes) {
  ++report_.damaged_ranges;
  report_.damaged_bytes += bytes;
  remember_ends(bytes);
  auto copy =
      fmt::format("{}/{:016x}-{:x}.damaged", context_.quarantine_folder(), file.sequence, at);
  log_error(
      "eventlog", "damaged bytes in the write-ahead log: set aside, their offsets are a hole",
      {{"file", context_.wal_path(file.sequence)}, {"at", at}, {"bytes", bytes}, {"copy", copy}});
  if (!file.file || at >= file.bytes) co_return Result<>();
  std::string damaged(std::min(bytes, file.bytes - at), '\0');
  CO_TRY(auto got, co_await file.file->read_at(damaged, at));
  damaged.resize(got);
  co_return co_await write_file_durably(context_.files, copy, std::move(damaged));
}

// A partition that no later entry mentions may have lost its last records: their offsets must not
// be given again.
void LogRecovery::remember_ends(std::uint64_t damaged_bytes) {
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      auto& known = ends_at_damage_[partition->id];
      if (known.first != partition->next) known = {partition->next, 0};
      known.second += damaged_bytes;
    }
  }
}

std::vector<LogCommand> LogRecovery::skips() const {
  std::vector<LogCommand> commands;
  for (const auto& [id, end] : ends_at_damage_) {
    auto partition = context_.streams.find(id);
    if (!partition || partition->next != end.first) continue;
    OffsetsSkipped skip{id, end.first + static_cast<Offset>(end.second)};
    commands.emplace_back(std::in_place_type<OffsetsSkipped>, skip);
  }
  return commands;
}

void LogRecovery::keep_pending(const WalEntry& entry, const WalFile& file, std::uint64_t at) {
  confirm(entry.durable);
  epoch_ = entry_epoch_ = entry.epoch;
  epochs_used_ = std::max(epochs_used_, entry.epoch);
  ++report_.entries;
  report_.bytes += entry.bytes;
  PendingEntry pending{entry.kind,
                       entry.position,
                       file.sequence,
                       static_cast<std::uint32_t>(at),
                       entry.position >= state_position_,
                       std::string(entry.payload)};
  pending_.push_back(std::move(pending));
}

void LogRecovery::confirm(WalPosition durable) {
  confirmed_ = std::max(confirmed_, durable);
  while (!pending_.empty() && pending_.front().position < confirmed_) {
    apply(pending_.front());
    pending_.pop_front();
  }
}

void LogRecovery::apply(const PendingEntry& entry) {
  if (entry.kind == WalKind::Batches) apply_batches(entry);
  if (entry.kind != WalKind::Command || !entry.is_change) return;
  auto command = decode_command(entry.payload);
  ENSURE(command.has_value(), "commands of known formats can be read");
  writer_.apply(*command);
}

namespace {

TransactionStep step_of(const BatchHeader& header, std::string_view batch) {
  if (!header.is_transactional()) return TransactionStep::None;
  if (!header.is_control()) return TransactionStep::Data;
  auto type = control_type(batch);
  if (!type) return TransactionStep::None;
  return *type == ControlType::Commit ? TransactionStep::Commit : TransactionStep::Abort;
}

}  // namespace

void LogRecovery::apply_batches(const PendingEntry& entry) {
  WalEntry view;
  view.position = entry.position;
  view.payload = entry.payload;
  auto items = read_wal_items(view);
  if (!items) return;
  FetchWaiters nobody;
  auto now = to_unix_ms(context_.clock.now());
  for (const auto& item : *items) {
    auto header = read_batch_header(item.batch);
    auto partition = context_.streams.find(item.partition);
    if (!header || !partition) continue;
    partition->next = std::max(partition->next, header->next_offset());
    PublishedBatch batch;
    batch.ref.base = header->base_offset;
    batch.ref.max_timestamp = header->max_timestamp;
    batch.ref.last_delta = static_cast<std::uint32_t>(header->last_offset_delta);
    batch.ref.at = entry.at + static_cast<std::uint32_t>(item.position - entry.position);
    batch.ref.bytes = static_cast<std::uint32_t>(item.batch.size());
    batch.wal_sequence = entry.sequence;
    batch.leader_epoch = header->leader_epoch;
    bool forgets = context_.options.mutant == LogMutant::OpenTransactionsForgotten;
    if (entry.is_change && !forgets) {
      batch.step = step_of(*header, item.batch);
      batch.producer_id = header->producer_id;
      batch.producer_epoch = header->producer_epoch;
    }
    partition->publish(batch, nobody);
    bool remembers = context_.options.mutant != LogMutant::ProducersForgotten;
    if (!entry.is_change || !remembers) continue;
    writer_.count_producer(partition->producers.record(*header, now));
  }
}

Task<Result<>> LogRecovery::rewrite_pending() {
  WalGroup group;
  auto& wal = writer_.wal();
  group.start(wal.position(), wal.epoch());
  std::deque<PendingEntry> moved;
  for (auto& entry : pending_) {
    if (entry.says_nothing()) continue;
    entry.position = group.position();
    entry.sequence = wal.sequence();
    entry.at = wal.file_offset(entry.position);
    group.begin_entry(entry.kind);
    group.add_payload(entry.payload);
    group.end_entry();
    moved.push_back(std::move(entry));
  }
  pending_.clear();
  if (group.empty()) co_return Result<>();
  if (group.bytes() > wal.room()) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "the last group of {} bytes does not fit into a write-ahead file of {} bytes",
                   group.bytes(), context_.options.wal_file_bytes);
  }
  CO_CHECK(co_await wal.write(group));
  CO_CHECK(co_await wal.sync());
  for (const auto& entry : moved) apply(entry);
  co_return Result<>();
}

// Gives the number of the last file that was used.
Task<Result<std::uint64_t>> LogRecovery::replay_all(const Manifest& manifest) {
  CO_TRY(auto files, co_await find_wal_files(manifest));
  std::uint64_t last_used = manifest.wal_sequence - 1;
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto* next = i + 1 < files.size() ? &files[i + 1] : nullptr;
    CO_TRY(bool used, co_await was_used(files[i], position_));
    if (!used && next == nullptr) break;
    SealedWal sealed{files[i].sequence,
                     files[i].has_header ? files[i].header.first_position : position_};
    CO_CHECK(co_await replay(files[i], next));
    if (files[i].has_header) end_sealed_at(files[i].header.previous_end);
    sealed.end = next != nullptr && next->has_header ? next->header.previous_end : position_;
    last_used = sealed.sequence;
    writer_.sealed().push_back(sealed);
  }
  co_return last_used;
}

// What a header says of the end of what is before it: in the file before, or, when that one's own
// header was torn, in one before that.
void LogRecovery::end_sealed_at(WalPosition position) {
  for (auto& file : writer_.sealed()) file.end = std::min(file.end, position);
}

// The unconfirmed entries move to the new file, so the log goes on where they began.
Task<Result<>> LogRecovery::go_on_after(std::uint64_t last_used) {
  WalStart start;
  start.sequence = last_used + 1;
  start.previous_end = pending_.empty() ? position_ : pending_.front().position;
  if (copies_ && start.previous_end == copies_->first) start.previous_end = copies_->original;
  // Beyond all that was ever written, torn bytes too: a position means one entry for ever.
  auto beyond = std::max({position_, state_position_, positions_used_});
  start.position = (beyond + kWalAlignment - 1) / kWalAlignment * kWalAlignment;
  start.epoch = epochs_used_ + 1;
  bool lost = report_.cut_bytes > 0 || report_.damaged_bytes > 0;
  if (report_.cut_bytes > 0) start.position += kTornBytesMax;
  start.leader_epoch = lost ? leader_epoch_ + 1 : leader_epoch_;
  if (!pending_.empty()) start.state = WalFileState::Prepared;
  CO_CHECK(co_await writer_.wal().start(start));
  after_recovery_header.reached();
  CO_CHECK(co_await rewrite_pending());
  CO_CHECK(co_await writer_.wal().activate());
  end_sealed_at(start.previous_end);
  auto commands = skips();
  if (!commands.empty()) CO_CHECK(co_await writer_.write_recovered(std::move(commands)));
  co_return Result<>();
}

Task<Result<std::uint64_t>> LogRecovery::run() {
  CO_TRY(auto manifest, co_await read_manifest());
  restore(manifest);
  CO_CHECK(co_await load_segments(manifest));
  CO_TRY(auto last_used, co_await replay_all(manifest));
  during_recovery.reached();
  CO_CHECK(co_await go_on_after(last_used));
  writer_.recover_transactions();
  context_.metrics.cut_bytes.add(report_.cut_bytes);
  context_.metrics.damaged_bytes.add(report_.damaged_bytes);
  co_return manifest.next_segment;
}

}  // namespace weft::eventlog
