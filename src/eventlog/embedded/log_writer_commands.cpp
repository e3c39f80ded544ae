#include <algorithm>
#include <set>

#include "eventlog/embedded/log_writer.h"
#include "runtime/log.h"

namespace weft::eventlog {

namespace {

constexpr std::int64_t kProducerIdBlock = 1000;
constexpr std::int32_t kPartitionsMax = 10'000;
constexpr std::size_t kNameBytesMax = 249;  // Kafka's limit for a topic's name

Result<> check_settings(const StreamSettings& settings) {
  if (settings.name.empty() || settings.name.size() > kNameBytesMax) {
    return fail(ErrorCode::InvalidArgument, "a stream's name has 1 to {} bytes", kNameBytesMax);
  }
  if (settings.partitions < 1 || settings.partitions > kPartitionsMax) {
    return fail(ErrorCode::InvalidArgument, "stream {}: 1 to {} partitions", settings.name,
                kPartitionsMax);
  }
  if (settings.retention < Duration::zero()) {
    return fail(ErrorCode::InvalidArgument, "stream {}: negative retention", settings.name);
  }
  return {};
}

template <class Command>
std::vector<LogCommand> just(Command command) {
  std::vector<LogCommand> commands;
  commands.emplace_back(std::in_place_type<Command>, std::move(command));
  return commands;
}

struct Applier {
  StreamTable& streams;

  void operator()(const StreamCreated& command) const { streams.create(command.stream); }
  void operator()(const StreamAltered& command) const {
    streams.alter(command.id, command.settings);
  }
  void operator()(const StreamRetired& command) const { streams.retire(command.id, command.since); }
  void operator()(const StreamDeleted& command) const { streams.remove(command.id); }
  void operator()(const ProducerIdsReserved&) const {}
  void operator()(const StartMoved& command) const {
    if (auto partition = streams.find(command.partition)) {
      partition->move_start(command.start);
      partition->skip_to(command.start);
    }
  }
  void operator()(const OffsetsSkipped& command) const {
    if (auto partition = streams.find(command.partition)) partition->skip_to(command.next);
  }
};

}  // namespace

void LogWriter::apply(const LogCommand& command) {
  if (const auto* ids = std::get_if<ProducerIdsReserved>(&command)) restore_producer_ids(ids->next);
  std::visit(Applier{context_.streams}, command);
}

void LogWriter::restore_producer_ids(std::int64_t reserved) {
  producer_ids_reserved_ = std::max(producer_ids_reserved_, reserved);
  next_producer_id_ = producer_ids_reserved_;
}

Task<Result<>> LogWriter::write_commands(std::vector<LogCommand> commands) {
  if (context_.stopped) co_return fail(ErrorCode::Unavailable, "the log has stopped");
  std::vector<std::string> payloads;
  std::size_t bytes = 0;
  for (const auto& command : commands) {
    payloads.push_back(encode_command(command));
    bytes += payloads.back().size() + kWalEntryHeaderBytes + kWalAlignment;
  }
  CO_CHECK(co_await make_room(bytes));
  for (const auto& payload : payloads) {
    group_.begin_entry(WalKind::Command);
    group_.add_payload(payload);
    group_.end_entry();
  }
  stamp();
  auto written = co_await write_group();
  start_group();
  if (!written) {
    stop(written.error());
    co_return written;
  }
  for (const auto& command : commands) apply(command);
  co_return Result<>();
}

Task<Result<StreamInfo>> LogWriter::create_stream(StreamSettings settings) {
  CO_CHECK(check_settings(settings));
  if (context_.streams.find(settings.tenant, settings.name)) {
    co_return fail(ErrorCode::AlreadyExists, "stream {} exists", settings.name);
  }
  StreamInfo stream;
  stream.id = context_.streams.next_id();
  stream.topic_id = Uuid::v4(context_.random.next(), context_.random.next());
  stream.created = from_unix_ms(to_unix_ms(context_.clock.now()));
  stream.settings = std::move(settings);
  auto commands = just(StreamCreated{stream});
  CO_CHECK(co_await write_commands(std::move(commands)));
  co_return stream;
}

Task<Result<StreamInfo>> LogWriter::alter_stream(StreamId id, StreamSettings settings) {
  CO_CHECK(check_settings(settings));
  auto stream = context_.streams.find(id);
  if (!stream) co_return fail(ErrorCode::NotFound, "no stream {}", static_cast<unsigned>(id));
  const auto& old = stream->info.settings;
  if (settings.partitions < old.partitions) {
    co_return fail(ErrorCode::InvalidArgument, "stream {}: partitions can only grow", old.name);
  }
  if (settings.durability != old.durability) {
    co_return fail(ErrorCode::InvalidArgument, "stream {}: durability cannot change", old.name);
  }
  auto taken = context_.streams.find(settings.tenant, settings.name);
  if (taken && taken->info.id != id) {
    co_return fail(ErrorCode::AlreadyExists, "stream {} exists", settings.name);
  }
  auto commands = just(StreamAltered{id, std::move(settings)});
  CO_CHECK(co_await write_commands(std::move(commands)));
  co_return context_.streams.find(id)->info;
}

Task<Result<>> LogWriter::retire_stream(StreamId id, std::optional<WallTime> since) {
  auto stream = context_.streams.find(id);
  if (!stream) co_return fail(ErrorCode::NotFound, "no stream {}", static_cast<unsigned>(id));
  auto commands = just(StreamRetired{id, since});
  co_return co_await write_commands(std::move(commands));
}

Task<Result<>> LogWriter::delete_stream(StreamId id) {
  auto stream = context_.streams.find(id);
  if (!stream) co_return fail(ErrorCode::NotFound, "no stream {}", static_cast<unsigned>(id));
  auto commands = just(StreamDeleted{id});
  CO_CHECK(co_await write_commands(std::move(commands)));
  FetchWaiters woken;
  for (const auto& partition : stream->partitions) {
    transactions_.forget(partition->id);
    partition->wake_all(woken);
    dead_bytes += partition->info().bytes;
    producers_ -= std::min(producers_, partition->producers.all().size());
  }
  wakeups_.add(woken);
  wakeups_.send();
  co_return Result<>();
}

Task<Result<std::int64_t>> LogWriter::new_producer_id() {
  if (next_producer_id_ == producer_ids_reserved_) {
    auto id = next_producer_id_;
    auto commands = just(ProducerIdsReserved{id + kProducerIdBlock});
    CO_CHECK(co_await write_commands(std::move(commands)));
    next_producer_id_ = id;
  }
  co_return next_producer_id_++;
}

Task<Result<Offset>> LogWriter::move_start(PartitionId id, Offset start) {
  auto partition = context_.streams.find(id);
  if (!partition) co_return fail(ErrorCode::NotFound, "no such partition");
  auto info = partition->info();
  if (start > info.end) {
    co_return fail(ErrorCode::OutOfRange, "offset {} is beyond the end {}", start, info.end);
  }
  if (start <= info.start) co_return info.start;
  std::vector<StartMoved> moves{StartMoved{id, start}};
  CO_CHECK(co_await move_starts(std::move(moves)));
  co_return start;
}

Task<Result<>> LogWriter::move_starts(std::vector<StartMoved> moves) {
  std::vector<LogCommand> commands;
  std::uint64_t before = 0;
  std::vector<std::shared_ptr<Partition>> partitions;
  for (const auto& move : moves) {
    auto partition = context_.streams.find(move.partition);
    if (!partition) continue;
    before += partition->info().bytes;
    partitions.push_back(std::move(partition));
    commands.emplace_back(std::in_place_type<StartMoved>, move);
  }
  if (commands.empty()) co_return Result<>();
  if (context_.options.mutant == LogMutant::RetentionUnsynced) {
    for (const auto& command : commands) apply(command);
  } else {
    CO_CHECK(co_await write_commands(std::move(commands)));
  }
  std::uint64_t after = 0;
  for (const auto& partition : partitions) after += partition->info().bytes;
  dead_bytes += before - after;
  context_.metrics.retired_bytes.add(before - after);
  co_return Result<>();
}

Task<Result<>> LogWriter::write_marker() {
  if (marked_ == wal_.position() || context_.stopped) co_return Result<>();
  if (wal_.room() < mark_bytes()) co_return Result<>();
  add_marker();
  auto written = co_await write_group();
  start_group();
  if (!written) stop(written.error());
  marked_ = wal_.position();
  co_return written;
}

Task<Result<>> LogWriter::seal() {
  if (wal_.empty() || context_.stopped) co_return Result<>();
  co_return co_await roll();
}

void LogWriter::expire_producers() {
  auto limit = context_.clock.now() - context_.options.producer_expiry;
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      producers_ -= std::min(producers_, partition->producers.expire(to_unix_ms(limit)));
    }
  }
}

std::vector<WalExtent> LogWriter::wal_extents() const {
  std::vector<WalExtent> extents;
  for (const auto& file : sealed_) extents.push_back({file.sequence, file.bytes()});
  if (!wal_.empty()) extents.push_back({wal_.sequence(), wal_.file_offset(wal_.position())});
  return extents;
}

Task<Result<Manifest>> LogWriter::snapshot() {
  if (context_.stopped) co_return fail(ErrorCode::Unavailable, "the log has stopped");
  Manifest manifest;
  manifest.cluster = context_.cluster;
  manifest.wal_sequence = sealed_.empty() ? wal_.sequence() : sealed_.front().sequence;
  manifest.wal_position = sealed_.empty() ? wal_.first_position() : sealed_.front().first_position;
  manifest.state_position = wal_.position();
  manifest.epoch = wal_.epoch();
  manifest.leader_epoch = wal_.leader_epoch();
  manifest.next_stream = static_cast<std::uint32_t>(context_.streams.next_id());
  manifest.producer_ids_reserved = producer_ids_reserved_;
  std::set<std::uint64_t> segments;
  for (const auto& stream : context_.streams.all()) {
    manifest.streams.push_back(stream->info);
    if (stream->info.settings.durability == Durability::Memory) continue;
    for (const auto& partition : stream->partitions) {
      auto info = partition->info();
      if (info.end > 0) {
        manifest.partitions.push_back({partition->id, info.start, partition->next,
                                       partition->epochs(), partition->transactions(),
                                       partition->cleaned(), partition->first_segment()});
      }
      for (const auto& [id, state] : partition->producers.all()) {
        manifest.producers.push_back({partition->id, id, state});
      }
      for (const auto& extent : partition->extents()) segments.insert(extent->segment);
    }
  }
  manifest.segments.assign(segments.begin(), segments.end());
  co_return manifest;
}

Task<bool> LogWriter::install(std::uint64_t sequence, const ExtentsByPartition& extents) {
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      auto found = extents.find(partition->id);
      std::vector<std::shared_ptr<const Extent>> placed;
      if (found != extents.end()) placed = found->second;
      partition->place(sequence, std::move(placed));
    }
  }
  std::erase_if(sealed_, [&](const SealedWal& wal) { return wal.sequence <= sequence; });
  context_.sealed_files = sealed_.size();
  co_return true;
}

}  // namespace weft::eventlog
