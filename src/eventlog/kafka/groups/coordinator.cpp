#include "eventlog/kafka/groups/coordinator.h"

#include "eventlog/kafka/at_home.h"
#include "eventlog/kafka/groups/coordinator_state.h"

namespace weft::kafka {
namespace {

MemberRef ref(const MemberIdentity& member) {
  MemberRef as_view;
  as_view.member_id = member.member_id;
  if (member.instance_id) as_view.instance_id = *member.instance_id;
  as_view.generation = member.generation;
  return as_view;
}

}  // namespace

GroupCoordinator::GroupCoordinator(CoordinatorOptions options, eventlog::EventLog& log,
                                   Clock& clock, Random& random, Executor home)
    : state_(std::make_unique<State>(options, log, clock, random, home)) {}
GroupCoordinator::~GroupCoordinator() = default;

Task<Result<>> GroupCoordinator::start() {
  return at_home(state_->home, state_->start());
}

Task<void> GroupCoordinator::stop() {
  co_await at_home(state_->home, completed(state_->stop()));
}

Task<JoinReply> GroupCoordinator::join(GroupKey key, JoinInput input) {
  return at_home(state_->home, state_->join(std::move(key), std::move(input)));
}
Task<SyncReply> GroupCoordinator::sync(GroupKey key, SyncRequest request) {
  return at_home(state_->home, state_->sync(std::move(key), std::move(request)));
}
Task<KafkaError> GroupCoordinator::heartbeat(GroupKey key, MemberIdentity member) {
  return at_home(state_->home, state_->heartbeat(std::move(key), std::move(member)));
}
Task<std::vector<KafkaError>> GroupCoordinator::leave(GroupKey key,
                                                      std::vector<MemberIdentity> members) {
  return at_home(state_->home, state_->leave(std::move(key), std::move(members)));
}
Task<KafkaError> GroupCoordinator::commit(GroupKey key, CommitRequest request) {
  return at_home(state_->home, state_->commit(std::move(key), std::move(request)));
}
Task<GroupOffsets> GroupCoordinator::offsets(GroupKey key) {
  return at_home(state_->home, state_->offsets(std::move(key)));
}
Task<KafkaError> GroupCoordinator::delete_group(GroupKey key) {
  return at_home(state_->home, state_->delete_group(std::move(key)));
}
Task<KafkaError> GroupCoordinator::delete_offsets(GroupKey key, std::vector<OffsetKey> offsets) {
  return at_home(state_->home, state_->delete_offsets(std::move(key), std::move(offsets)));
}
Task<std::vector<GroupSummary>> GroupCoordinator::list(std::string tenant) {
  return at_home(state_->home, state_->list(std::move(tenant)));
}
Task<GroupDescription> GroupCoordinator::describe(GroupKey key) {
  return at_home(state_->home, state_->describe(std::move(key)));
}

// ---- on the home loop

using State = GroupCoordinator::State;

State::Entry* State::find(const GroupKey& key) {
  const auto found = groups.find(key);
  return found == groups.end() ? nullptr : &found->second;
}

State::Entry* State::find_or_make(const GroupKey& key) {
  if (auto* entry = find(key)) return entry;
  if (groups.size() >= options.groups_max) return nullptr;
  return &groups.try_emplace(key, key, options.groups).first->second;
}

void State::deliver(GroupReplies replies) {
  const auto hand_over = [](auto& waiters, auto& reply) {
    const auto waiter = waiters.find(reply.token);
    if (waiter == waiters.end()) return;
    waiter->second->reply.emplace(std::move(reply));
    waiter->second->done.wake();
  };
  for (auto& reply : replies.joins) hand_over(joins, reply);
  for (auto& reply : replies.syncs) hand_over(syncs, reply);
  stirred.wake();
}

void State::settle(const GroupKey& key) {
  const auto found = groups.find(key);
  if (found == groups.end()) return;
  auto& entry = found->second;
  if (!entry.group.is_vacant() || entry.group.state() != GroupState::Empty) {
    entry.empty_since.reset();
  } else if (entry.offsets.empty() && entry.pending.empty()) {
    groups.erase(found);
  } else if (!entry.empty_since) {
    entry.empty_since = clock.now();
  }
}

Task<JoinReply> State::join(GroupKey key, JoinInput input) {
  JoinReply refused;
  refused.error = KafkaError::CoordinatorNotAvailable;
  refused.member_id = input.member_id;
  if (!is_open) co_return refused;

  auto* entry = input.member_id.empty() ? find_or_make(key) : find(key);
  if (entry == nullptr) {
    refused.error =
        input.member_id.empty() ? KafkaError::CoordinatorNotAvailable : KafkaError::UnknownMemberId;
    co_return refused;
  }
  const auto& prefix = input.instance_id ? *input.instance_id : input.client_id;
  input.new_member_id = fmt::format("{}-{}", prefix, random.uuid_v7(clock.now()).text());
  input.token = ++last_token;
  const auto token = input.token;
  Waiter<JoinReply> waiter;
  joins.emplace(token, &waiter);
  GroupReplies out;
  entry->group.join(clock.mono(), std::move(input), out);
  deliver(std::move(out));
  settle(key);
  while (!waiter.reply) co_await waiter.done.wait_regardless();
  joins.erase(token);
  co_return std::move(*waiter.reply);
}

Task<SyncReply> State::sync(GroupKey key, SyncRequest request) {
  SyncReply refused;
  auto* entry = find(key);
  if (!is_open || entry == nullptr) {
    refused.error = is_open ? KafkaError::UnknownMemberId : KafkaError::CoordinatorNotAvailable;
    co_return refused;
  }
  SyncInput input;
  input.token = ++last_token;
  input.member = ref(request.member);
  if (request.protocol_type) input.protocol_type = *request.protocol_type;
  if (request.protocol_name) input.protocol_name = *request.protocol_name;
  input.assignments.assign(request.assignments.begin(), request.assignments.end());
  Waiter<SyncReply> waiter;
  syncs.emplace(input.token, &waiter);
  GroupReplies out;
  entry->group.sync(clock.mono(), input, out);
  deliver(std::move(out));
  while (!waiter.reply) co_await waiter.done.wait_regardless();
  syncs.erase(input.token);
  co_return std::move(*waiter.reply);
}

Task<KafkaError> State::heartbeat(GroupKey key, MemberIdentity member) {
  if (!is_open) co_return KafkaError::CoordinatorNotAvailable;
  auto* entry = find(key);
  if (entry == nullptr) co_return KafkaError::UnknownMemberId;
  co_return entry->group.heartbeat(clock.mono(), ref(member));
}

Task<std::vector<KafkaError>> State::leave(GroupKey key, std::vector<MemberIdentity> members) {
  std::vector<KafkaError> errors;
  for (const auto& member : members) {
    auto* entry = find(key);
    if (!is_open || entry == nullptr) {
      errors.push_back(is_open ? KafkaError::UnknownMemberId : KafkaError::CoordinatorNotAvailable);
      continue;
    }
    GroupReplies out;
    errors.push_back(entry->group.leave(clock.mono(), ref(member), out));
    deliver(std::move(out));
  }
  settle(key);
  co_return errors;
}

Task<std::vector<GroupSummary>> State::list(std::string tenant) {
  std::vector<GroupSummary> found;
  for (const auto& [key, entry] : groups) {
    if (key.tenant != tenant) continue;
    found.push_back({key.group, entry.group.protocol_type(), entry.group.state()});
  }
  co_return found;
}

Task<GroupDescription> State::describe(GroupKey key) {
  GroupDescription description;
  const auto* entry = find(key);
  if (entry == nullptr) co_return description;
  const auto& group = entry->group;
  description.state = group.state();
  description.protocol_type = group.protocol_type();
  if (group.state() == GroupState::Stable) description.protocol_name = group.protocol_name();
  for (const auto& [member_id, member] : group.members()) {
    GroupDescription::Member shown;
    shown.id = member_id;
    shown.instance_id = member.instance_id;
    shown.client_id = member.client_id;
    shown.client_host = member.client_host;
    if (group.state() == GroupState::Stable) {
      if (const auto* metadata = member.metadata(group.protocol_name())) shown.metadata = *metadata;
      shown.assignment = member.assignment;
    }
    description.members.push_back(std::move(shown));
  }
  co_return description;
}

Task<KafkaError> State::commit(GroupKey key, CommitRequest request) {
  if (!is_open) co_return KafkaError::CoordinatorNotAvailable;
  // A member that we do not know is one from before our restart: it is told to join again.
  auto* entry = request.member.generation < 0 ? find_or_make(key) : find(key);
  if (entry == nullptr) {
    co_return request.member.generation < 0 ? KafkaError::CoordinatorNotAvailable
                                            : KafkaError::UnknownMemberId;
  }
  const auto error = entry->group.check_commit(clock.mono(), ref(request.member));
  if (error != KafkaError::None || request.offsets.empty()) {
    settle(key);
    co_return error;
  }
  if (live_bytes >= options.snapshot_bytes) co_return KafkaError::ThrottlingQuotaExceeded;

  const auto written = co_await append(stage(key, *entry, request.offsets));
  std::optional<eventlog::Offset> where;
  if (written) where = *written;
  settle_commit(key, request.offsets, where);
  co_return written ? KafkaError::None : KafkaError::CoordinatorNotAvailable;
}

std::vector<eventlog::NewRecord> State::stage(const GroupKey& key, Entry& entry, Offsets& offsets) {
  std::vector<eventlog::NewRecord> records;
  for (auto& [place, offset] : offsets) {
    offset.time = clock.now();
    records.push_back(record_of(key, place, &offset));
    auto& stored = entry.offsets[place];
    live_bytes -= stored.bytes;
    stored.bytes = records.back().key->size() + records.back().value->size();
    live_bytes += stored.bytes;
    stored.latest = offset;
    stored.removal = 0;
    ++stored.under_way;
  }
  return records;
}

void State::settle_commit(const GroupKey& key, const Offsets& offsets,
                          std::optional<eventlog::Offset> written) {
  // The group may be gone by now, or a later commit may have overtaken this one.
  auto* entry = find(key);
  if (entry == nullptr) return;
  for (const auto& [place, offset] : offsets) {
    const auto found = entry->offsets.find(place);
    if (found == entry->offsets.end()) continue;
    auto& stored = found->second;
    if (stored.under_way > 0) --stored.under_way;
    if (!written) {
      // What was written since has an outcome of its own, and so has what was written before.
      if (stored.latest == offset) stored.latest = stored.durable;
      if (stored.written_at >= 0 || stored.under_way > 0) continue;
      live_bytes -= stored.bytes;
      entry->offsets.erase(found);
      continue;
    }
    if (stored.written_at > *written) continue;
    const bool is_last = stored.latest == stored.durable;
    stored.durable = offset;
    stored.written_at = *written;
    if (is_last) stored.latest = offset;
  }
  settle(key);
}

Task<GroupOffsets> State::offsets(GroupKey key) {
  GroupOffsets found;
  if (const auto* entry = find(key)) {
    for (const auto& [place, offset] : entry->offsets) {
      if (offset.written_at >= 0) found.committed.emplace(place, offset.durable);
    }
    for (const auto& [place, count] : entry->pending) found.unstable.insert(place);
  }
  co_return found;
}

Executor GroupCoordinator::home() const {
  return state_->home;
}

KafkaError GroupCoordinator::check_pending(const GroupKey& key, const MemberIdentity& member) {
  if (!state_->is_open) return KafkaError::CoordinatorNotAvailable;
  if (state_->live_bytes >= state_->options.snapshot_bytes) {
    return KafkaError::ThrottlingQuotaExceeded;
  }
  // Producers of before KIP-447 do not say for which member they speak.
  const bool speaks_for_none =
      member.generation < 0 && member.member_id.empty() && !member.instance_id;
  if (speaks_for_none) {
    return state_->find_or_make(key) != nullptr ? KafkaError::None
                                                : KafkaError::CoordinatorNotAvailable;
  }
  auto* entry = state_->find(key);
  if (entry == nullptr) {
    return member.generation < 0 ? KafkaError::UnknownMemberId : KafkaError::IllegalGeneration;
  }
  return entry->group.check_commit(state_->clock.mono(), ref(member));
}

void GroupCoordinator::add_pending(const GroupKey& key, const Offsets& offsets) {
  auto* entry = state_->find_or_make(key);
  if (entry == nullptr) return;
  for (const auto& [place, offset] : offsets) ++entry->pending[place];
}

void GroupCoordinator::remove_pending(const GroupKey& key, const Offsets& offsets) {
  auto* entry = state_->find(key);
  if (entry == nullptr) return;
  for (const auto& [place, offset] : offsets) {
    const auto found = entry->pending.find(place);
    if (found != entry->pending.end() && --found->second == 0) entry->pending.erase(found);
  }
  state_->settle(key);
}

eventlog::NewRecords GroupCoordinator::stage(const GroupKey& key, Offsets& offsets) {
  auto& entry = state_->groups.try_emplace(key, key, state_->options.groups).first->second;
  return state_->stream.entry(state_->stage(key, entry, offsets));
}

void GroupCoordinator::settle(const GroupKey& key, const Offsets& offsets,
                              std::optional<eventlog::Offset> written) {
  state_->settle_commit(key, offsets, written);
  if (state_->stream.wants_snapshot()) state_->stirred.wake();
}

Task<KafkaError> State::delete_group(GroupKey key) {
  if (!is_open) co_return KafkaError::CoordinatorNotAvailable;
  auto* entry = find(key);
  if (entry == nullptr) co_return KafkaError::GroupIdNotFound;
  if (!entry->group.is_vacant()) co_return KafkaError::NonEmptyGroup;
  std::vector<OffsetKey> all;
  for (const auto& [place, offset] : entry->offsets) all.push_back(place);
  co_return co_await remove_offsets(std::move(key), std::move(all));
}

Task<KafkaError> State::delete_offsets(GroupKey key, std::vector<OffsetKey> which) {
  if (!is_open) co_return KafkaError::CoordinatorNotAvailable;
  if (find(key) == nullptr) co_return KafkaError::GroupIdNotFound;
  co_return co_await remove_offsets(std::move(key), std::move(which));
}

}  // namespace weft::kafka
