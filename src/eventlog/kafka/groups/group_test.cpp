#include "eventlog/kafka/groups/group.h"

#include <gmock/gmock.h>

namespace weft::kafka {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

GroupLimits no_delay() {
  GroupLimits limits;
  limits.initial_rebalance_delay = Duration::zero();
  return limits;
}

// A group with a clock and everything that it has answered, by token.
struct GroupWorld {
  explicit GroupWorld(GroupLimits limits = no_delay()) : group("g", limits) {}

  Group group;
  MonoTime now{};
  ReplyToken last_token = 0;
  std::map<ReplyToken, JoinReply> joins;
  std::map<ReplyToken, SyncReply> syncs;

  void keep(GroupReplies out) {
    for (auto& reply : out.joins) {
      EXPECT_TRUE(joins.emplace(reply.token, reply).second) << "answered twice";
    }
    for (auto& reply : out.syncs) {
      EXPECT_TRUE(syncs.emplace(reply.token, reply).second) << "answered twice";
    }
  }
  JoinInput input(std::string member_id = {}) {
    JoinInput join;
    join.token = ++last_token;
    join.member_id = std::move(member_id);
    join.new_member_id = "m" + std::to_string(last_token);
    join.protocol_type = "consumer";
    join.protocols = {{"range", "subscription"}};
    join.session_timeout = 10s;
    join.rebalance_timeout = 60s;
    return join;
  }
  ReplyToken join(JoinInput join) {
    const auto token = join.token;
    GroupReplies out;
    group.join(now, std::move(join), out);
    keep(std::move(out));
    return token;
  }
  ReplyToken join(std::string member_id = {}) { return join(input(std::move(member_id))); }
  ReplyToken sync(const JoinReply& as,
                  std::vector<std::pair<std::string_view, std::string_view>> plan = {}) {
    SyncInput sync;
    sync.token = ++last_token;
    sync.member = {as.member_id, std::nullopt, as.generation};
    sync.assignments = std::move(plan);
    GroupReplies out;
    group.sync(now, sync, out);
    keep(std::move(out));
    return sync.token;
  }
  KafkaError beat(const JoinReply& as) {
    return group.heartbeat(now, {as.member_id, std::nullopt, as.generation});
  }
  KafkaError leave(std::string_view member_id, std::optional<std::string_view> instance = {}) {
    GroupReplies out;
    const auto error = group.leave(now, {member_id, instance, -1}, out);
    keep(std::move(out));
    return error;
  }
  // Time passes; the group is called at each of its deadlines, as a driver does.
  void pass(Duration duration) {
    const auto end = now + duration;
    for (auto next = group.next_deadline(); next && *next <= end; next = group.next_deadline()) {
      now = std::max(now, *next);
      GroupReplies out;
      group.tick(now, out);
      keep(std::move(out));
    }
    now = end;
  }
  // One member in a stable group.
  JoinReply stable_alone() {
    const auto reply = joins.at(join());
    sync(reply, {{reply.member_id, "all"}});
    return reply;
  }
};

TEST(Group, AFirstMemberLeadsAndGetsItsAssignment) {
  GroupWorld world;

  const auto reply = world.joins.at(world.join());
  EXPECT_EQ(reply.error, KafkaError::None);
  EXPECT_EQ(reply.generation, 1);
  EXPECT_EQ(reply.leader, reply.member_id);
  EXPECT_EQ(reply.protocol_name, "range");
  ASSERT_EQ(reply.members.size(), 1U);
  EXPECT_EQ(reply.members[0].metadata, "subscription");

  const auto token = world.sync(reply, {{reply.member_id, "partitions 0-3"}});
  EXPECT_EQ(world.syncs.at(token).assignment, "partitions 0-3");
  EXPECT_EQ(world.group.state(), GroupState::Stable);
  EXPECT_EQ(world.beat(reply), KafkaError::None);
}

TEST(Group, ASecondMemberMakesBothJoinAgainUnderOneGeneration) {
  GroupWorld world;
  const auto first = world.stable_alone();

  const auto second_token = world.join();
  EXPECT_FALSE(world.joins.contains(second_token));  // parked until the first has rejoined
  EXPECT_EQ(world.beat(first), KafkaError::RebalanceInProgress);
  const auto first_again = world.joins.at(world.join(first.member_id));

  const auto second = world.joins.at(second_token);
  EXPECT_EQ(first_again.generation, 2);
  EXPECT_EQ(second.generation, 2);
  EXPECT_EQ(second.leader, first.member_id);
  EXPECT_THAT(second.members, testing::IsEmpty());
  EXPECT_EQ(first_again.members.size(), 2U);

  const auto waiting = world.sync(second);
  EXPECT_FALSE(world.syncs.contains(waiting));  // parked until the leader has decided
  world.sync(first_again, {{first.member_id, "0"}, {second.member_id, "1"}});
  EXPECT_EQ(world.syncs.at(waiting).assignment, "1");
}

TEST(Group, AMemberThatLeavesCausesARebalanceOfTheOthers) {
  GroupWorld world;
  const auto first = world.stable_alone();
  const auto token = world.join();
  world.join(first.member_id);
  const auto second = world.joins.at(token);

  EXPECT_EQ(world.leave(first.member_id), KafkaError::None);

  EXPECT_EQ(world.group.heartbeat(world.now, {second.member_id, std::nullopt, 2}),
            KafkaError::RebalanceInProgress);
  const auto alone = world.joins.at(world.join(second.member_id));
  EXPECT_EQ(alone.generation, 3);
  EXPECT_EQ(alone.leader, second.member_id);
}

TEST(Group, TheLastMemberLeavesAnEmptyGroupThatAcceptsSimpleCommits) {
  GroupWorld world;
  const auto reply = world.stable_alone();
  EXPECT_EQ(world.group.check_commit(world.now, {"", std::nullopt, -1}),
            KafkaError::UnknownMemberId);

  world.leave(reply.member_id);

  EXPECT_EQ(world.group.state(), GroupState::Empty);
  EXPECT_TRUE(world.group.is_vacant());
  EXPECT_EQ(world.group.check_commit(world.now, {"", std::nullopt, -1}), KafkaError::None);
}

TEST(Group, AMemberWithoutHeartbeatsIsDroppedAfterItsSession) {
  GroupWorld world;
  const auto reply = world.stable_alone();

  world.pass(9s);
  EXPECT_EQ(world.beat(reply), KafkaError::None);
  world.pass(9s);
  EXPECT_EQ(world.group.state(), GroupState::Stable);
  world.pass(1s);

  EXPECT_EQ(world.group.state(), GroupState::Empty);
  EXPECT_EQ(world.beat(reply), KafkaError::UnknownMemberId);
}

TEST(Group, MembersThatDoNotRejoinInTimeAreDroppedFromTheNextGeneration) {
  GroupWorld world;
  const auto slow = world.stable_alone();
  const auto token = world.join();

  for (int i = 0; i < 7; ++i) {  // it keeps its session, but does not rejoin
    world.pass(8s);
    world.beat(slow);
  }
  EXPECT_FALSE(world.joins.contains(token));
  world.pass(5s);

  const auto reply = world.joins.at(token);
  EXPECT_EQ(reply.generation, 2);
  EXPECT_EQ(reply.leader, reply.member_id);
  EXPECT_EQ(world.beat(slow), KafkaError::UnknownMemberId);
}

TEST(Group, AMemberThatNeverSyncsIsRemoved) {
  GroupWorld world;
  const auto reply = world.joins.at(world.join());
  for (int i = 0; i < 7; ++i) {
    world.pass(8s);
    world.beat(reply);
  }
  EXPECT_EQ(world.group.state(), GroupState::CompletingRebalance);
  world.pass(5s);
  EXPECT_EQ(world.group.state(), GroupState::Empty);
}

TEST(Group, TheFirstRebalanceWaitsForCompanyAndEveryNewcomerExtendsIt) {
  GroupLimits limits;
  limits.initial_rebalance_delay = 3s;
  GroupWorld world(limits);

  const auto first = world.join();
  world.pass(2s);
  const auto second = world.join();
  world.pass(1s);
  EXPECT_THAT(world.joins, testing::IsEmpty());  // the second one bought another three seconds
  world.pass(3s);

  ASSERT_EQ(world.joins.size(), 2U);
  EXPECT_EQ(world.joins.at(first).generation, 1);
  EXPECT_EQ(world.joins.at(second).generation, 1);
}

TEST(Group, NewcomersCannotExtendTheFirstRebalanceBeyondItsTimeout) {
  GroupLimits limits;
  limits.initial_rebalance_delay = 3s;
  GroupWorld world(limits);
  auto patient = world.input();
  patient.rebalance_timeout = 7s;
  const auto first = world.join(std::move(patient));
  for (int i = 0; i < 3; ++i) {
    world.pass(2s);
    auto next = world.input();
    next.rebalance_timeout = 7s;
    world.join(std::move(next));
  }
  EXPECT_FALSE(world.joins.contains(first));
  world.pass(1s);
  EXPECT_TRUE(world.joins.contains(first));
}

TEST(Group, ANewMemberIsToldItsIdFirstAndIsWaitedFor) {
  GroupWorld world;
  auto input = world.input();
  input.requires_known_member = true;
  const auto told = world.joins.at(world.join(std::move(input)));
  EXPECT_EQ(told.error, KafkaError::MemberIdRequired);
  EXPECT_FALSE(told.member_id.empty());

  // Another member joins meanwhile: the rebalance waits for the pending one.
  const auto other = world.join();
  EXPECT_FALSE(world.joins.contains(other));
  const auto joined = world.join(told.member_id);
  EXPECT_EQ(world.joins.at(joined).generation, 1);
  EXPECT_EQ(world.joins.at(other).generation, 1);
}

TEST(Group, AnIdThatIsNeverUsedIsForgottenAfterOneSession) {
  GroupWorld world;
  auto input = world.input();
  input.requires_known_member = true;
  const auto told = world.joins.at(world.join(std::move(input)));
  const auto other = world.join();

  world.pass(10s);

  EXPECT_EQ(world.joins.at(other).error, KafkaError::None);
  EXPECT_EQ(world.joins.at(world.join(told.member_id)).error, KafkaError::UnknownMemberId);
}

TEST(Group, ARepeatedJoinGetsTheSameAnswerWhileTheLeaderHasNotDecided) {
  GroupWorld world;
  const auto first = world.joins.at(world.join());
  const auto again = world.joins.at(world.join(first.member_id));
  EXPECT_EQ(again.generation, first.generation);
  EXPECT_EQ(again.members.size(), 1U);
}

TEST(Group, AFollowerThatRejoinsUnchangedDoesNotDisturbAStableGroup) {
  GroupWorld world;
  const auto first = world.stable_alone();
  const auto token = world.join();
  const auto leader = world.joins.at(world.join(first.member_id));
  const auto follower = world.joins.at(token);
  world.sync(leader, {{follower.member_id, "x"}});

  const auto again = world.joins.at(world.join(follower.member_id));
  EXPECT_EQ(again.generation, 2);
  EXPECT_EQ(world.group.state(), GroupState::Stable);

  auto changed = world.input(follower.member_id);
  changed.protocols = {{"range", "other topics"}};
  world.join(std::move(changed));
  EXPECT_EQ(world.group.state(), GroupState::PreparingRebalance);
}

TEST(Group, ALeaderThatRejoinsAlwaysRebalances) {
  GroupWorld world;
  const auto first = world.stable_alone();
  EXPECT_EQ(world.joins.at(world.join(first.member_id)).generation, 2);
}

TEST(Group, TheProtocolThatMostMembersPreferWinsAmongThoseThatAllKnow) {
  GroupLimits limits;
  limits.initial_rebalance_delay = 3s;
  GroupWorld world(limits);
  const auto prefer = [&](std::vector<std::string> names) {
    auto input = world.input();
    input.protocols.clear();
    for (auto& protocol : names) input.protocols.emplace_back(protocol, "");
    return world.join(std::move(input));
  };
  const auto first = prefer({"range", "sticky", "robin"});
  prefer({"only-mine", "sticky", "range"});
  prefer({"sticky", "range"});
  world.pass(10s);
  EXPECT_EQ(world.joins.at(first).protocol_name, "sticky");
}

TEST(Group, RefusesWhatDoesNotFitTheGroup) {
  auto limits = no_delay();
  limits.members_max = 1;
  GroupWorld world(limits);
  const auto refused = [&world](JoinInput input) {
    return world.joins.at(world.join(std::move(input))).error;
  };
  auto input = world.input();
  input.session_timeout = 5s;
  EXPECT_EQ(refused(input), KafkaError::InvalidSessionTimeout);
  input = world.input();
  input.protocols.clear();
  EXPECT_EQ(refused(input), KafkaError::InconsistentGroupProtocol);
  EXPECT_EQ(refused(world.input("unknown")), KafkaError::UnknownMemberId);

  const auto member = world.stable_alone();
  EXPECT_EQ(refused(world.input()), KafkaError::GroupMaxSizeReached);
  input = world.input(member.member_id);
  input.protocol_type = "connect";
  EXPECT_EQ(refused(input), KafkaError::InconsistentGroupProtocol);
}

TEST(Group, AWrongGenerationIsRefusedEverywhere) {
  GroupWorld world;
  auto old = world.stable_alone();
  old.generation = 0;
  EXPECT_EQ(world.beat(old), KafkaError::IllegalGeneration);
  EXPECT_EQ(world.syncs.at(world.sync(old)).error, KafkaError::IllegalGeneration);
  EXPECT_EQ(world.group.check_commit(world.now, {old.member_id, std::nullopt, 0}),
            KafkaError::IllegalGeneration);
}

TEST(Group, CommitsAreAcceptedWhileMembersRejoinButNotBeforeTheNewAssignment) {
  GroupWorld world;
  const auto first = world.stable_alone();
  const auto commit = [&](const JoinReply& as) {
    return world.group.check_commit(world.now, {as.member_id, std::nullopt, as.generation});
  };
  EXPECT_EQ(commit(first), KafkaError::None);
  world.join();
  EXPECT_EQ(world.group.state(), GroupState::PreparingRebalance);
  EXPECT_EQ(commit(first), KafkaError::None);
  const auto again = world.joins.at(world.join(first.member_id));
  EXPECT_EQ(world.group.state(), GroupState::CompletingRebalance);
  EXPECT_EQ(commit(again), KafkaError::RebalanceInProgress);
}

// ---- static members (KIP-345)

JoinInput as_instance(JoinInput input, std::string instance) {
  input.instance_id = std::move(instance);
  return input;
}

TEST(StaticMember, ARestartTakesTheOldPlaceWithoutARebalance) {
  GroupWorld world;
  const auto before = world.joins.at(world.join(as_instance(world.input(), "pod-1")));
  SyncInput sync;
  sync.token = ++world.last_token;
  sync.member = {before.member_id, "pod-1", before.generation};
  sync.assignments = {{before.member_id, "mine"}};
  GroupReplies out;
  world.group.sync(world.now, sync, out);

  const auto after = world.joins.at(world.join(as_instance(world.input(), "pod-1")));

  EXPECT_EQ(after.error, KafkaError::None);
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_NE(after.member_id, before.member_id);
  EXPECT_EQ(after.leader, before.member_id);  // an old client must not start to assign
  EXPECT_EQ(world.group.state(), GroupState::Stable);
  EXPECT_EQ(world.group.members().at(after.member_id).assignment, "mine");
  EXPECT_EQ(world.group.heartbeat(world.now, {before.member_id, "pod-1", before.generation}),
            KafkaError::FencedInstanceId);
}

TEST(StaticMember, ARestartedLeaderThatCanSkipTheAssignmentIsToldTo) {
  GroupWorld world;
  const auto before = world.joins.at(world.join(as_instance(world.input(), "pod-1")));
  SyncInput sync;
  sync.token = ++world.last_token;
  sync.member = {before.member_id, "pod-1", before.generation};
  GroupReplies out;
  world.group.sync(world.now, sync, out);

  auto input = as_instance(world.input(), "pod-1");
  input.supports_skip_assignment = true;
  const auto after = world.joins.at(world.join(std::move(input)));

  EXPECT_TRUE(after.skip_assignment);
  EXPECT_EQ(after.leader, after.member_id);
  EXPECT_EQ(after.members.size(), 1U);
}

TEST(StaticMember, ATwinFencesTheFirstOneWhileItWaits) {
  GroupLimits limits;
  limits.initial_rebalance_delay = 3s;
  GroupWorld world(limits);
  const auto first = world.join(as_instance(world.input(), "pod-1"));
  const auto second = world.join(as_instance(world.input(), "pod-1"));
  EXPECT_EQ(world.joins.at(first).error, KafkaError::FencedInstanceId);
  world.pass(7s);
  EXPECT_EQ(world.joins.at(second).error, KafkaError::None);
  EXPECT_EQ(world.group.members().size(), 1U);
}

TEST(StaticMember, IsKeptThroughARebalanceThatItMisses) {
  GroupWorld world;
  const auto fixed = world.joins.at(world.join(as_instance(world.input(), "pod-1")));
  auto input = world.input();
  input.rebalance_timeout = 5s;
  const auto token = world.join(std::move(input));
  for (int i = 0; i < 8; ++i) {
    world.pass(8s);
    world.group.heartbeat(world.now, {fixed.member_id, "pod-1", fixed.generation});
  }
  const auto reply = world.joins.at(token);
  EXPECT_EQ(reply.members.size(), 2U);
  EXPECT_EQ(reply.leader, reply.member_id);
}

TEST(StaticMember, IsRemovedByItsInstanceIdAlone) {
  GroupWorld world;
  world.join(as_instance(world.input(), "pod-1"));
  EXPECT_EQ(world.leave("", "pod-2"), KafkaError::UnknownMemberId);
  EXPECT_EQ(world.leave("", "pod-1"), KafkaError::None);
  EXPECT_EQ(world.group.state(), GroupState::Empty);
}

TEST(Group, ADeadGroupSendsItsMembersElsewhere) {
  GroupWorld world;
  world.group.die();
  EXPECT_EQ(world.joins.at(world.join()).error, KafkaError::CoordinatorNotAvailable);
  EXPECT_EQ(world.beat(JoinReply()), KafkaError::CoordinatorNotAvailable);
}

}  // namespace
}  // namespace weft::kafka
