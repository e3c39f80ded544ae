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

}  // namespace

Task<Result<>> State::start() {
  std::function<Result<>(const eventlog::Record&)> take = [this](const eventlog::Record& record) {
    return replay_record(record);
  };
  CO_CHECK(co_await stream.open(std::move(take)));
  const auto now = clock.now();
  for (auto& [key, entry] : groups) entry.empty_since = now;
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

Result<> State::replay_record(const eventlog::Record& record) {
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
  auto written = co_await stream.append(std::move(records));
  if (stream.wants_snapshot()) stirred.wake();
  co_return written;
}

Task<KafkaError> State::remove_offsets(GroupKey key, std::vector<OffsetKey> which) {
  const auto removal = ++last_removal;
  std::vector<NewRecord> records;
  auto* entry = find(key);
  for (const auto& place : which) {
    records.push_back(record_of(key, place, nullptr));
    if (entry == nullptr) continue;
    const auto stored = entry->offsets.find(place);
    if (stored == entry->offsets.end()) continue;
    stored->second.removal = removal;
    ++stored->second.under_way;
  }
  std::optional<eventlog::Offset> where;
  if (!records.empty()) {
    const auto written = co_await append(std::move(records));
    if (written) where = *written;
    settle_removal(key, removal, which, where);
    if (!written) co_return KafkaError::CoordinatorNotAvailable;
  }
  settle(key);
  co_return KafkaError::None;
}

void State::settle_removal(const GroupKey& key, std::uint64_t removal,
                           const std::vector<OffsetKey>& which,
                           std::optional<eventlog::Offset> written) {
  auto* entry = find(key);
  if (entry == nullptr) return;
  for (const auto& place : which) {
    const auto found = entry->offsets.find(place);
    if (found == entry->offsets.end()) continue;
    auto& stored = found->second;
    if (stored.under_way > 0) --stored.under_way;
    if (!written) {
      if (stored.removal == removal) stored.removal = 0;
      continue;
    }
    if (stored.written_at > *written) continue;
    // A commit that was written since stays, and is seen when it is durable.
    const bool is_renewed =
        stored.removal == 0 && (stored.under_way > 0 || stored.latest != stored.durable);
    if (is_renewed) {
      if (stored.latest == stored.durable) stored.latest = {};
      stored.durable = {};
      stored.written_at = -1;
      continue;
    }
    live_bytes -= stored.bytes;
    entry->offsets.erase(found);
  }
}

Task<void> State::watch() {
  while (is_open) {
    if (stream.wants_snapshot()) co_await write_snapshot();
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
// be older. For the same reason one is left out whose removal was written, or
// whose latest is not known.
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
      if (offset != entry->offsets.end() && offset->second.is_latest_known()) {
        records.push_back(record_of(key, place, &offset->second.latest));
      }
    }
    if (records.size() < kSnapshotRecords && i + 1 < places.size()) continue;
    if (records.empty()) continue;
    written = (co_await append(std::exchange(records, {}))).has_value();
  }
  stream.snapshot_written();
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
      if (entry.pending.contains(place)) continue;
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
