// One consumer group of the classic protocol as a state machine: inputs in, replies out, no I/O and
// no clock of its own. States and answers are those of Apache Kafka's group coordinator (KIP-394
// known members, KIP-345 static members, KIP-814 skipped assignment); assignments and subscriptions
// are opaque bytes, so eager and cooperative assignors (KIP-429) work alike.
//
// A join or sync may be parked: its reply comes later out of another input, under the token that it
// was given. The driver calls tick() when next_deadline() has passed. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "eventlog/kafka/protocol/error_code.h"

namespace weft::kafka {

struct GroupLimits {
  // How long the first rebalance of an empty group waits for further members.
  Duration initial_rebalance_delay = 3s;
  Duration session_timeout_min = 6s;
  Duration session_timeout_max = 30min;
  std::uint32_t members_max = 1000;
};

enum class GroupState : std::uint8_t {
  Empty,
  PreparingRebalance,
  CompletingRebalance,
  Stable,
  Dead
};
std::string_view name(GroupState state);  // as Kafka's tools show it

using ReplyToken = std::uint64_t;

struct JoinInput {
  ReplyToken token = 0;
  std::string member_id;      // empty for a new member
  std::string new_member_id;  // to be used for a new member
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<std::pair<std::string, std::string>> protocols;  // name and metadata, preferred first
  Duration session_timeout{};
  Duration rebalance_timeout{};
  bool requires_known_member = false;     // since version 4
  bool supports_skip_assignment = false;  // since version 9
};

struct JoinReply {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string metadata;
  };
  ReplyToken token = 0;
  KafkaError error = KafkaError::None;
  std::int32_t generation = -1;
  std::string protocol_type;
  std::string protocol_name;
  std::string leader;
  std::string member_id;
  bool skip_assignment = false;
  std::vector<Member> members;  // for the leader alone
};

// Who speaks, as every request but the first join says it.
struct MemberRef {
  std::string_view member_id;
  std::optional<std::string_view> instance_id;
  std::int32_t generation = -1;
};

struct SyncInput {
  ReplyToken token = 0;
  MemberRef member;
  std::optional<std::string_view> protocol_type;  // since version 5
  std::optional<std::string_view> protocol_name;
  std::vector<std::pair<std::string_view, std::string_view>> assignments;  // from the leader
};

struct SyncReply {
  ReplyToken token = 0;
  KafkaError error = KafkaError::None;
  std::string protocol_type;
  std::string protocol_name;
  std::string assignment;
};

struct GroupReplies {
  std::vector<JoinReply> joins;
  std::vector<SyncReply> syncs;
};

struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  Duration session_timeout{};
  Duration rebalance_timeout{};
  std::vector<std::pair<std::string, std::string>> protocols;
  std::string assignment;
  MonoTime session_deadline{};
  std::optional<ReplyToken> parked_join;
  std::optional<ReplyToken> parked_sync;
  std::uint64_t joined = 0;  // order of arrival

  const std::string* metadata(std::string_view protocol) const;
};

class Group {
 public:
  Group(std::string id, const GroupLimits& limits) : id_(std::move(id)), limits_(limits) {}

  void join(MonoTime now, JoinInput input, GroupReplies& out);
  void sync(MonoTime now, const SyncInput& input, GroupReplies& out);
  KafkaError heartbeat(MonoTime now, const MemberRef& member);
  // By member id, or by instance id with an empty member id (an administrator removes a static
  // member).
  KafkaError leave(MonoTime now, const MemberRef& member, GroupReplies& out);
  // Whether a commit from there is accepted; refreshes the session.
  KafkaError check_commit(MonoTime now, const MemberRef& member);

  // Ends sessions and rebalances whose time has come.
  void tick(MonoTime now, GroupReplies& out);
  std::optional<MonoTime> next_deadline() const;
  // The group is deleted: requires Empty.
  void die() { state_ = GroupState::Dead; }

  const std::string& id() const { return id_; }
  GroupState state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  const std::string& protocol_type() const { return protocol_type_; }
  const std::string& protocol_name() const { return protocol_name_; }
  const std::string& leader() const { return leader_; }
  const std::map<std::string, GroupMember, std::less<>>& members() const { return members_; }
  // Whether nobody is in it or on the way in.
  bool is_vacant() const { return members_.empty() && pending_.empty(); }

 private:
  using Members = std::map<std::string, GroupMember, std::less<>>;

  std::optional<KafkaError> refuse_join(const JoinInput& input) const;
  void join_new(MonoTime now, JoinInput input, GroupReplies& out);
  void join_known(MonoTime now, JoinInput input, GroupReplies& out);
  void add_member(MonoTime now, JoinInput input, const std::string& id, GroupReplies& out);
  void update_member(MonoTime now, GroupMember& member, JoinInput input, GroupReplies& out);
  void replace_static_member(MonoTime now, const std::string& old_id, JoinInput input,
                             GroupReplies& out);
  void reply_current(const GroupMember& member, ReplyToken token, GroupReplies& out) const;
  std::vector<JoinReply::Member> joined_members() const;

  KafkaError check_member(const MemberRef& member) const;
  bool supports(const JoinInput& input) const;
  bool has_room_for(std::string_view member_id) const;
  std::string select_protocol() const;
  void elect_leader();

  void prepare_rebalance(MonoTime now, GroupReplies& out);
  void complete_if_all_joined(MonoTime now, GroupReplies& out);
  void complete_join(MonoTime now, GroupReplies& out);
  void expire_syncs(MonoTime now, GroupReplies& out);
  void remove_member(MonoTime now, Members::iterator member, GroupReplies& out);
  void after_removal(MonoTime now, GroupReplies& out);
  Duration longest_rebalance_timeout() const;

  std::string id_;
  GroupLimits limits_;
  GroupState state_ = GroupState::Empty;
  std::int32_t generation_ = 0;
  std::string protocol_type_;
  std::string protocol_name_;
  std::string leader_;
  Members members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id to member id
  std::map<std::string, MonoTime, std::less<>> pending_;            // given ids, not joined yet
  std::uint64_t joins_ = 0;

  std::optional<MonoTime> rebalance_deadline_;
  // While the first rebalance of an empty group waits for company.
  std::optional<Duration> initial_delay_left_;
  bool joined_in_delay_ = false;
  std::optional<MonoTime> sync_deadline_;
};

}  // namespace weft::kafka
