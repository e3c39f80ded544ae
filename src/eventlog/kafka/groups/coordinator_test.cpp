#include "eventlog/kafka/groups/coordinator.h"

#include "eventlog/kafka/groups/offset_records.h"
#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

JoinGroupRequest join_request(std::string_view group) {
  JoinGroupRequest request;
  request.group_id = group;
  request.session_timeout_ms = 10'000;
  request.rebalance_timeout_ms = 60'000;
  request.protocol_type = "consumer";
  auto& protocol = request.protocols.emplace_back();
  protocol.name = "range";
  protocol.metadata.view = "subscription";
  return request;
}

// One member that leads a stable group; the texts live as long as the answer.
Answer<JoinGroupResponse> stable_member(TestClient& client, std::string_view group) {
  auto joined = client.call<JoinGroupResponse>(3, join_request(group));
  SyncGroupRequest sync;
  sync.group_id = group;
  sync.generation_id = joined->generation_id;
  sync.member_id = joined->member_id;
  auto& assignment = sync.assignments.emplace_back();
  assignment.member_id = joined->member_id;
  assignment.assignment.view = "everything";
  EXPECT_EQ(client.call<SyncGroupResponse>(3, sync)->assignment.view, "everything");
  return joined;
}

OffsetCommitRequest commit_request(std::string_view group, std::int64_t offset,
                                   const JoinGroupResponse* member = nullptr) {
  OffsetCommitRequest request;
  request.group_id = group;
  if (member != nullptr) {
    request.generation_id_or_member_epoch = member->generation_id;
    request.member_id = member->member_id;
  }
  auto& topic = request.topics.emplace_back();
  topic.name = kOrders;
  auto& partition = topic.partitions.emplace_back();
  partition.committed_offset = offset;
  partition.committed_metadata = "note";
  return request;
}

std::int16_t commit(TestClient& client, const OffsetCommitRequest& request,
                    std::int16_t version = 7) {
  return client.call<OffsetCommitResponse>(version, request)
      ->topics.at(0)
      .partitions.at(0)
      .error_code;
}

std::int64_t committed(TestClient& client, std::string_view group, std::int16_t version = 7) {
  OffsetFetchRequest request;
  request.group_id = group;
  request.topics.emplace();
  auto& topic = request.topics->emplace_back();
  topic.name = kOrders;
  topic.partition_indexes = {0};
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics.emplace();
  auto& asked_topic = asked.topics->emplace_back();
  asked_topic.name = kOrders;
  asked_topic.partition_indexes = {0};
  const auto answer = client.call<OffsetFetchResponse>(version, request);
  if (version >= 8) return answer->groups.at(0).topics.at(0).partitions.at(0).committed_offset;
  return answer->topics.at(0).partitions.at(0).committed_offset;
}

TEST(GroupCoordinator, EveryVersionOfJoinLeadsToAMembership) {
  TestBroker broker;
  auto client = broker.connect();
  for (std::int16_t version = 0; version <= 9; ++version) {
    const auto group = fmt::format("g{}", version);
    auto request = join_request(group);
    auto answer = client.call<JoinGroupResponse>(version, request);
    if (version >= 4) {
      EXPECT_EQ(answer->error_code, code(KafkaError::MemberIdRequired)) << version;
      const std::string id(answer->member_id);
      request.member_id = id;
      answer = client.call<JoinGroupResponse>(version, request);
    }
    EXPECT_EQ(answer->error_code, 0) << version;
    EXPECT_EQ(answer->generation_id, 1) << version;
    EXPECT_EQ(answer->leader, answer->member_id) << version;
    EXPECT_TRUE(answer->member_id.starts_with("test-")) << version;
  }
}

TEST(GroupCoordinator, ASecondConnectionsJoinRebalancesTheFirst) {
  TestBroker broker;
  auto first = broker.connect();
  auto second = broker.connect();
  const auto leader = stable_member(first, "g");

  second.send(second.request_bytes(3, join_request("g")));
  broker.world.run_for(1s);
  HeartbeatRequest beat;
  beat.group_id = "g";
  beat.generation_id = leader->generation_id;
  beat.member_id = leader->member_id;
  EXPECT_EQ(first.call<HeartbeatResponse>(3, beat)->error_code,
            code(KafkaError::RebalanceInProgress));
  auto rejoin = join_request("g");
  rejoin.member_id = leader->member_id;
  EXPECT_EQ(first.call<JoinGroupResponse>(3, rejoin)->generation_id, 2);
  const auto joined =
      second.read_answer<JoinGroupResponse>(JoinGroupRequest::kApi, 3, second.receive().value());
  EXPECT_EQ(joined->generation_id, 2);
}

TEST(GroupCoordinator, AMemberWhoseConnectionIsLostIsDroppedAfterItsSession) {
  TestBroker broker;
  auto watcher = broker.connect();
  {
    auto client = broker.connect();
    stable_member(client, "g");
    client.stream().close();
  }
  DescribeGroupsRequest describe;
  describe.groups = {"g"};
  EXPECT_EQ(watcher.call<DescribeGroupsResponse>(5, describe)->groups.at(0).group_state, "Stable");
  broker.world.run_for(11s);
  EXPECT_EQ(watcher.call<DescribeGroupsResponse>(5, describe)->groups.at(0).group_state, "Dead");
}

TEST(GroupCoordinator, CommitsOfEveryVersionAreFetchedInEveryVersion) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto member = stable_member(client, "g");
  EXPECT_EQ(committed(client, "g"), -1);
  for (std::int16_t version = 2; version <= 9; ++version) {
    EXPECT_EQ(commit(client, commit_request("g", version, &member.body), version), 0) << version;
    for (std::int16_t fetch = 1; fetch <= 9; ++fetch) {
      EXPECT_EQ(committed(client, "g", fetch), version) << fetch;
    }
  }
}

TEST(GroupCoordinator, ACommitThatWasAnsweredSurvivesACrash) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    TestBroker broker(seed);
    broker.create(std::string(kOrders));
    {
      auto client = broker.connect();
      EXPECT_EQ(commit(client, commit_request("g", 41)), 0);
      EXPECT_EQ(commit(client, commit_request("g", 42)), 0);
      broker.crash();
    }
    broker.start();

    auto client = broker.connect();
    EXPECT_EQ(committed(client, "g"), 42) << "seed " << seed;
    // The membership is gone; who was a member is told to join again.
    JoinGroupResponse old;
    old.generation_id = 1;
    old.member_id = "test-1";
    EXPECT_EQ(commit(client, commit_request("g", 43, &old)), code(KafkaError::UnknownMemberId));
  }
}

void start_with_small_snapshots(TestBroker& broker) {
  broker.group_options.snapshot_bytes = 20'000;
  broker.stop();
  broker.start();
  broker.create(std::string(kOrders));
}

TEST(GroupCoordinator, SnapshotsKeepTheStreamSmallAndLoseNothing) {
  TestBroker broker;
  start_with_small_snapshots(broker);
  {
    auto client = broker.connect();
    EXPECT_EQ(commit(client, commit_request("once", 7)), 0);
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(commit(client, commit_request("often", i)), 0);
  }
  broker.world.run_for(1min);
  broker.stop();
  broker.start();
  auto client = broker.connect();
  EXPECT_EQ(committed(client, "once"), 7);
  EXPECT_EQ(committed(client, "often"), 1999);
}

// A member keeps the group's watch awake.
TEST(GroupCoordinator, LiveOffsetsNearTheLimitAreNotWrittenAnewForEver) {
  TestBroker broker;
  start_with_small_snapshots(broker);
  auto client = broker.connect();
  stable_member(client, "members");
  std::int16_t refused = 0;
  for (int i = 0; refused == 0 && i < 1000; ++i) {
    refused = commit(client, commit_request(fmt::format("g-{}", i), i));
  }
  ASSERT_EQ(refused, code(KafkaError::ThrottlingQuotaExceeded));
  broker.world.run_for(1s);
  const auto groups = broker.log->find_stream("default", kGroupsStream).value().id;
  const auto before = broker.log->partition({groups, 0})->end;

  broker.world.run_for(5s);

  EXPECT_EQ(broker.log->partition({groups, 0})->end, before);
}

TEST(GroupCoordinator, LongMetadataAndUnknownTopicsAreRefusedPerPartition) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  const std::string large(4097, 'm');
  auto request = commit_request("g", 1);
  request.topics[0].partitions[0].committed_metadata = large;
  EXPECT_EQ(commit(client, request), code(KafkaError::OffsetMetadataTooLarge));
  request = commit_request("g", 1);
  request.topics[0].name = "no.such.topic.v1";
  EXPECT_EQ(commit(client, request), code(KafkaError::UnknownTopicOrPartition));
}

TEST(GroupCoordinator, ARecreatedTopicStartsWithoutOffsets) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  EXPECT_EQ(commit(client, commit_request("g", 5)), 0);
  ASSERT_TRUE(broker.world.run(broker.log->delete_stream(stream.id)));
  broker.create(std::string(kOrders));
  EXPECT_EQ(committed(client, "g"), -1);
}

TEST(GroupCoordinator, OnlyEmptyGroupsAreDeletedAndTheirOffsetsWithThem) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto member = stable_member(client, "g");
  EXPECT_EQ(commit(client, commit_request("g", 5, &member.body)), 0);
  DeleteGroupsRequest request;
  request.groups_names = {"g", "unknown"};
  auto answer = client.call<DeleteGroupsResponse>(2, request);
  EXPECT_EQ(answer->results.at(0).error_code, code(KafkaError::NonEmptyGroup));
  EXPECT_EQ(answer->results.at(1).error_code, code(KafkaError::GroupIdNotFound));

  LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.member_id = member->member_id;
  EXPECT_EQ(client.call<LeaveGroupResponse>(1, leave)->error_code, 0);
  answer = client.call<DeleteGroupsResponse>(2, request);
  EXPECT_EQ(answer->results.at(0).error_code, 0);
  EXPECT_EQ(committed(client, "g"), -1);
  ListGroupsRequest list;
  EXPECT_EQ(client.call<ListGroupsResponse>(4, list)->groups.size(), 0U);
}

TEST(GroupCoordinator, OffsetsExpireATimeAfterTheGroupBecameEmpty) {
  TestBroker broker;
  broker.group_options.offsets_retention = std::chrono::hours(3);
  broker.stop();
  broker.start();
  broker.create(std::string(kOrders));
  {
    auto client = broker.connect();
    EXPECT_EQ(commit(client, commit_request("g", 5)), 0);
  }
  broker.world.run_for(std::chrono::minutes(170));
  {
    auto client = broker.connect();
    EXPECT_EQ(committed(client, "g"), 5);
  }
  broker.world.run_for(std::chrono::minutes(30));
  auto client = broker.connect();
  EXPECT_EQ(committed(client, "g"), -1);
}

TEST(GroupCoordinator, TenantsDoNotSeeOneAnothersGroups) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  broker.create(std::string(kOrders), 1, "acme");
  auto ours = broker.connect();
  EXPECT_EQ(commit(ours, commit_request("g", 5)), 0);
  broker.options.anonymous = principal("theirs", "acme");
  auto theirs = broker.connect();
  EXPECT_EQ(committed(theirs, "g"), -1);
  EXPECT_EQ(theirs.call<ListGroupsResponse>(4, ListGroupsRequest())->groups.size(), 0U);
}

TEST(GroupCoordinator, StoppingAnswersWhoIsParked) {
  TestBroker broker;
  auto first = broker.connect();
  auto second = broker.connect();
  stable_member(first, "g");
  second.send(second.request_bytes(3, join_request("g")));
  broker.world.run_for(1s);
  auto* groups = &*broker.groups;
  const auto stopped = [groups]() { return groups->stop(); };
  bool done = false;
  const auto stop = [](Task<void> task, bool& flag) -> Task<void> {
    co_await std::move(task);
    flag = true;
  };
  broker.world.spawn(stop(stopped(), done));
  broker.world.run_until([&] { return done; });
  const auto answer =
      second.read_answer<JoinGroupResponse>(JoinGroupRequest::kApi, 3, second.receive().value());
  EXPECT_EQ(answer->error_code, code(KafkaError::CoordinatorNotAvailable));
}

TEST(OffsetRecords, ReadBackAndKnowTheirVersion) {
  OffsetRecordKey key;
  key.tenant = "t";
  key.group = "g";
  key.partition = 3;
  auto bytes = encode(key);
  EXPECT_EQ(decode_offset_key(bytes)->group, "g");
  bytes[1] = 9;
  EXPECT_EQ(decode_offset_key(bytes).error().code, ErrorCode::Unsupported);
  EXPECT_FALSE(decode_offset_value("x"));
}

}  // namespace
}  // namespace weft::kafka
