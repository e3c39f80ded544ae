// The group coordinator: all groups with their committed offsets, on one loop; others call in from
// any loop. Decisions are Group's; here are timers, parked replies, and the offsets' durability.
//
// Offsets are records of the internal stream `__weft.groups`, durable before a commit is answered,
// and replayed by start(). Membership is not stored: after a restart clients join again, as they do
// when a coordinator moves. So that the stream stays small, all live offsets are written anew after
// `snapshot_bytes` of commits, and the stream's retention keeps four times as much: live offsets
// may take up to `snapshot_bytes`, beyond which commits are refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/event_log.h"
#include "eventlog/kafka/groups/group.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/task.h"

namespace weft::kafka {

inline constexpr std::string_view kGroupsStream = "__weft.groups";

struct CoordinatorOptions {
  GroupLimits groups;
  std::uint32_t groups_max = 10'000;
  std::uint32_t metadata_bytes_max = 4096;                  // of one committed offset
  Duration offsets_retention = std::chrono::hours(24 * 7);  // after a group became empty
  std::uint64_t snapshot_bytes = 16 * 1024 * 1024;
};

// Groups are per tenant.
struct GroupKey {
  std::string tenant;
  std::string group;
  auto operator<=>(const GroupKey&) const = default;
};

// By topic id, so that a topic that was deleted and made again starts without offsets.
struct OffsetKey {
  Uuid topic;
  std::int32_t partition = 0;
  auto operator<=>(const OffsetKey&) const = default;
};

struct CommittedOffset {
  eventlog::Offset offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  WallTime time{};
  bool operator==(const CommittedOffset&) const = default;
};
using Offsets = std::vector<std::pair<OffsetKey, CommittedOffset>>;

struct GroupOffsets {
  std::map<OffsetKey, CommittedOffset> committed;
  std::set<OffsetKey> unstable;  // which a transaction may change when it ends
};

// A member that speaks: owned texts, since they cross loops.
struct MemberIdentity {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::int32_t generation = -1;
};

struct SyncRequest {
  MemberIdentity member;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<std::pair<std::string, std::string>> assignments;
};

struct CommitRequest {
  MemberIdentity member;
  Offsets offsets;
};

struct GroupSummary {
  std::string group;
  std::string protocol_type;
  GroupState state = GroupState::Empty;
};

struct GroupDescription {
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::string metadata;
    std::string assignment;
  };
  GroupState state = GroupState::Dead;
  std::string protocol_type;
  std::string protocol_name;
  std::vector<Member> members;
};

class GroupCoordinator {
 public:
  // `home` is the loop that owns all groups. All parts outlive the coordinator.
  GroupCoordinator(CoordinatorOptions options, eventlog::EventLog& log, Clock& clock,
                   Random& random, Executor home);
  ~GroupCoordinator();

  // Makes the stream if there is none and replays it, then watches sessions. Call once, first.
  Task<Result<>> start();
  // Parked requests are answered, later ones refused with CoordinatorNotAvailable.
  Task<void> stop();

  // All of these from any loop.
  Task<JoinReply> join(GroupKey key, JoinInput input);
  Task<SyncReply> sync(GroupKey key, SyncRequest request);
  Task<KafkaError> heartbeat(GroupKey key, MemberIdentity member);
  Task<std::vector<KafkaError>> leave(GroupKey key, std::vector<MemberIdentity> members);
  // One outcome for all of them; durable when it is None.
  Task<KafkaError> commit(GroupKey key, CommitRequest request);
  Task<GroupOffsets> offsets(GroupKey key);
  Task<KafkaError> delete_group(GroupKey key);
  Task<KafkaError> delete_offsets(GroupKey key, std::vector<OffsetKey> offsets);
  Task<std::vector<GroupSummary>> list(std::string tenant);
  Task<GroupDescription> describe(GroupKey key);  // Dead when there is none

  // For the transaction coordinator, on the home loop. Offsets of a transaction are checked when
  // they are given, pending until it ends, and then staged (the records go into the entry that ends
  // it) and settled; `written`: where they went, absent if they were not stored.
  Executor home() const;
  KafkaError check_pending(const GroupKey& key, const MemberIdentity& member);
  void add_pending(const GroupKey& key, const Offsets& offsets);
  void remove_pending(const GroupKey& key, const Offsets& offsets);
  eventlog::NewRecords stage(const GroupKey& key, Offsets& offsets);
  void settle(const GroupKey& key, const Offsets& offsets, std::optional<eventlog::Offset> written);

  struct State;  // of the implementation

 private:
  std::unique_ptr<State> state_;
};

}  // namespace weft::kafka
