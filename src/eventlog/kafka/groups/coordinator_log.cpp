// The coordinator's stream: opening, replay, snapshots, expiry; and the task that watches the time.
#include <set>

#include "eventlog/kafka/groups/coordinator_state.h"
#include "eventlog/kafka/groups/offset_records.h"
#include "eventlog/kafka/log_module.h"
#include "runtime/log.h"

namespace weft::kafka {

using State = GroupCoordinator::State;
using eventlog::NewRecord;

namespace {

constexpr Duration kTick = 100ms;
constexpr Duration kExpiryInterval = 10min;
constexpr std::size_t kSnapshotRecords = 500;  // per append

eventlog::StreamSettings stream_settings(const CoordinatorOptions& options) {
  eventlog::StreamSettings settings;
  settings.name = kGroupsStream;
  settings.partitions = 1;
  settings.retention = Duration::zero();
  settings.retention_bytes = options.snapshot_bytes * 4;
  settings.durability = eventlog::Durability::Disk;
  return settings;
}

}  // namespace

Task<Result<>> State::start() {
  CO_CHECK(co_await open_stream());
  CO_CHECK(co_await replay());
  is_open = true;
  tasks.spawn(watch());
  tasks.spawn(expire());
  co_return Result<>();
}

Task<void> State::stop() {
  is_open = false;
  for (auto& [token, waiter] : joins) {
    if (waiter->reply) continue;
    waiter->reply.emplace().error = KafkaError::CoordinatorNotAvailable;
    waiter->done.wake();
  }
  for (auto& [token, waiter] : syncs) {
    if (waiter->reply) continue;
    waiter->reply.emplace().error = KafkaError::CoordinatorNotAvailable;
    waiter->done.wake();
  }
  tasks.cancel();
  co_await tasks.join();
}

Task<Result<>> State::open_stream() {
  const auto settings = stream_settings(options);
  if (const auto known = log.find_stream(settings.tenant, settings.name)) {
    stream = known->id;
    if (known->settings == settings) co_return Result<>();
    CO_TRY(const auto altered, co_await log.alter_stream(known->id, settings));
    stream = altered.id;
    co_return Result<>();
  }
  CO_TRY(const auto made, co_await log.create_stream(settings));
  stream = made.id;
  co_return Result<>();
}

Task<Result<>> State::replay() {
  const eventlog::PartitionId place{stream, 0};
  const auto info = log.partition(place);
  if (!info) co_return fail(ErrorCode::NotFound, "the stream {} has no partition", kGroupsStream);
  auto next = info->start;
  while (next < info->end) {
    eventlog::ReadRequest request;
    request.partition = place;
    request.from = next;
    CO_TRY(const auto read, co_await log.read(request));
    for (const auto& record : read.records) CO_CHECK(replay_record(record));
    bytes_since_snapshot +=
        read.records.size() * 64;  // about; so that a long tail is shortened soon
    if (read.next <= next) break;
    next = read.next;
  }
  const auto now = clock.now();
  for (auto& [key, entry] : groups) entry.empty_since = now;
  log_info(kLogModule, "replayed group offsets", {{"groups", groups.size()}, {"records", next}});
  co_return Result<>();
}

Result<> State::replay_record(const eventlog::Record& record) {
  if (!record.key) return fail(ErrorCode::DataLoss, "{} has a record without key", kGroupsStream);
  TRY(const auto place, decode_offset_key(*record.key));
  GroupKey key{std::string(place.tenant), std::string(place.group)};
  const OffsetKey offset_key{place.topic, place.partition};
  auto found = groups.find(key);
  if (!record.value) {
    if (found == groups.end()) return {};
    if (const auto gone = found->second.offsets.extract(offset_key)) {
      live_bytes -= gone.mapped().bytes;
    }
    if (found->second.offsets.empty()) groups.erase(found);
    return {};
  }
  TRY(const auto value, decode_offset_value(*record.value));
  if (found == groups.end()) found = groups.try_emplace(key, key, options.groups).first;
  auto& stored = found->second.offsets[offset_key];
  live_bytes -= stored.bytes;
  stored.bytes = record.key->size() + record.value->size();
  live_bytes += stored.bytes;
  stored.durable = {value.offset, value.leader_epoch, std::string(value.metadata),
                    from_unix_ms(value.committed_ms)};
  stored.latest = stored.durable;
  stored.written_at = record.offset;
  return {};
}

NewRecord State::record_of(const GroupKey& key, const OffsetKey& place,
                           const CommittedOffset* offset) const {
  OffsetRecordKey record_key;
  record_key.tenant = key.tenant;
  record_key.group = key.group;
  record_key.topic = place.topic;
  record_key.partition = place.partition;
  NewRecord record;
  record.key = encode(record_key);
  if (offset == nullptr) return record;
  OffsetRecordValue value;
  value.offset = offset->offset;
  value.leader_epoch = offset->leader_epoch;
  value.metadata = offset->metadata;
  value.committed_ms = to_unix_ms(offset->time);
  record.value = encode(value);
  return record;
}

Task<Result<eventlog::Offset>> State::append(std::vector<NewRecord> records) {
  std::uint64_t bytes = 0;
  for (const auto& record : records) {
    bytes += record.key->size() + (record.value ? record.value->size() : 0) + 16;
  }
  eventlog::NewRecords batch;
  batch.stream = stream;
  batch.partition = 0;
  batch.records = std::move(records);
  std::vector<eventlog::NewRecords> entry;
  entry.push_back(std::move(batch));
  auto appended = co_await log.append(std::move(entry));
  if (!appended) {
    log_warn(kLogModule, "cannot store group offsets", {{"error", appended.error().message}});
    co_return std::unexpected(std::move(appended).error());
  }
  bytes_since_snapshot += bytes;
  if (bytes_since_snapshot >= options.snapshot_bytes) stirred.wake();
  co_return appended->front().first_offset;
}

Task<KafkaError> State::remove_offsets(GroupKey key, std::vector<OffsetKey> which) {
  std::vector<NewRecord> records;
  for (const auto& place : which) records.push_back(record_of(key, place, nullptr));
  if (!records.empty()) {
    const auto written = co_await append(std::move(records));
    if (!written) co_return KafkaError::CoordinatorNotAvailable;
  }
  if (auto* entry = find(key)) {
    for (const auto& place : which) {
      if (const auto gone = entry->offsets.extract(place)) live_bytes -= gone.mapped().bytes;
    }
  }
  settle(key);
  co_return KafkaError::None;
}

Task<void> State::watch() {
  while (is_open) {
    if (bytes_since_snapshot >= options.snapshot_bytes) co_await write_snapshot();
    const auto now = clock.mono();
    bool any_deadline = false;
    std::vector<GroupKey> due;
    for (const auto& [key, entry] : groups) {
      const auto deadline = entry.group.next_deadline();
      any_deadline = any_deadline || deadline.has_value();
      if (deadline && *deadline <= now) due.push_back(key);
    }
    for (const auto& key : due) {
      auto* entry = find(key);
      if (entry == nullptr) continue;
      GroupReplies out;
      entry->group.tick(now, out);
      deliver(std::move(out));
      settle(key);
    }
    // Without members nothing runs out, so an idle process sleeps until something happens.
    auto waited = Result<>();
    if (any_deadline) {
      waited = co_await clock.sleep_for(kTick);
    } else {
      waited = co_await stirred.wait();
    }
    if (!waited) co_return;
  }
}

Task<void> State::expire() {
  while (is_open) {
    const auto slept = co_await clock.sleep_for(kExpiryInterval);
    if (!slept) co_return;
    co_await expire_offsets();
  }
}

// Writes all live offsets anew, so that what is older may fall to the stream's retention. Each is
// taken as last written, not as last made durable: this record comes later in the log and must not
// be older.
// What it writes itself is not counted: live offsets near the limit would call for the next at
// once.
Task<void> State::write_snapshot() {
  std::vector<std::pair<GroupKey, OffsetKey>> places;
  for (const auto& [key, entry] : groups) {
    for (const auto& [place, offset] : entry.offsets) places.emplace_back(key, place);
  }
  bool written = true;
  std::vector<NewRecord> records;
  for (std::size_t i = 0; written && i < places.size(); ++i) {
    const auto& [key, place] = places[i];
    if (auto* entry = find(key)) {
      const auto offset = entry->offsets.find(place);
      if (offset != entry->offsets.end()) {
        records.push_back(record_of(key, place, &offset->second.latest));
      }
    }
    if (records.size() < kSnapshotRecords && i + 1 < places.size()) continue;
    if (records.empty()) continue;
    written = (co_await append(std::exchange(records, {}))).has_value();
  }
  bytes_since_snapshot = 0;
  if (!written) co_return;
  log_info(kLogModule, "wrote all group offsets anew", {{"offsets", places.size()}});
}

Task<void> State::expire_offsets() {
  std::set<Uuid> topics;
  for (const auto& known : log.streams()) topics.insert(known.topic_id);
  const auto oldest = clock.now() - options.offsets_retention;
  std::vector<std::pair<GroupKey, std::vector<OffsetKey>>> expired;
  for (const auto& [key, entry] : groups) {
    std::vector<OffsetKey> places;
    const bool idle = entry.empty_since && *entry.empty_since < oldest;
    for (const auto& [place, offset] : entry.offsets) {
      const bool old = idle && offset.latest.time < oldest;
      if (old || !topics.contains(place.topic)) places.push_back(place);
    }
    if (!places.empty()) expired.emplace_back(key, std::move(places));
  }
  for (auto& [key, places] : expired) {
    co_await remove_offsets(std::move(key), std::move(places));
  }
}

}  // namespace weft::kafka
