// Who may use which groups and transactional ids, at each API; and the ACL requests.
#include "eventlog/kafka/handlers/acl_mapping.h"
#include "eventlog/kafka/kafka_server.h"
#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

using identity::Effect;
using identity::Grant;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr auto kGroupRefused = code(KafkaError::GroupAuthorizationFailed);
constexpr auto kTransactionRefused = code(KafkaError::TransactionalIdAuthorizationFailed);

// May do everything to streams, and what these say to groups and transactional ids.
identity::PrincipalRef with(std::vector<Grant> grants) {
  grants.push_back({"stream.*", "*", "test"});
  return std::make_shared<const identity::Principal>(identity::make_principal(
      identity::PrincipalType::Client, "shop", "default", std::move(grants)));
}

class KafkaGroupAccess : public testing::Test {
 protected:
  KafkaGroupAccess() {
    broker.create(std::string(kOrders));
    broker.options.anonymous = with({{"group.*", "mine*", "test"},
                                     {"group.describe", "seen", "test"},
                                     {"transaction.*", "mine*", "test"},
                                     {"transaction.describe", "seen", "test"}});
  }
  TestBroker broker;
};

TEST_F(KafkaGroupAccess, TheCoordinatorIsFoundForWhatMayBeDescribed) {
  auto client = broker.connect();
  FindCoordinatorRequest groups;
  groups.coordinator_keys = {"mine", "seen", "other"};
  const auto found = client.call<FindCoordinatorResponse>(4, groups);
  FindCoordinatorRequest ids;
  ids.key_type = 1;
  ids.key = "other";

  EXPECT_EQ(found->coordinators.at(0).error_code, 0);
  EXPECT_EQ(found->coordinators.at(1).error_code, 0);
  EXPECT_EQ(found->coordinators.at(2).error_code, kGroupRefused);
  EXPECT_EQ(client.call<FindCoordinatorResponse>(2, ids)->error_code, kTransactionRefused);
}

TEST_F(KafkaGroupAccess, MembershipNeedsUse) {
  auto client = broker.connect();
  for (const auto* group : {"seen", "other"}) {
    JoinGroupRequest join;
    join.group_id = group;
    SyncGroupRequest sync;
    sync.group_id = group;
    HeartbeatRequest heartbeat;
    heartbeat.group_id = group;
    LeaveGroupRequest leave;
    leave.group_id = group;

    EXPECT_EQ(client.call<JoinGroupResponse>(5, join)->error_code, kGroupRefused);
    EXPECT_EQ(client.call<SyncGroupResponse>(3, sync)->error_code, kGroupRefused);
    EXPECT_EQ(client.call<HeartbeatResponse>(3, heartbeat)->error_code, kGroupRefused);
    EXPECT_EQ(client.call<LeaveGroupResponse>(3, leave)->error_code, kGroupRefused);
  }
  EXPECT_THAT(broker.denials.noted, testing::Contains("group.use Group other"));
}

OffsetCommitRequest commit_of(std::string_view group) {
  OffsetCommitRequest commit;
  commit.group_id = group;
  commit.generation_id_or_member_epoch = -1;
  auto& topic = commit.topics.emplace_back();
  topic.name = kOrders;
  topic.partitions.emplace_back().committed_offset = 0;
  return commit;
}

TEST_F(KafkaGroupAccess, OffsetsAreCommittedByUseReadByDescriptionAndDeletedByAlteration) {
  auto client = broker.connect();
  const auto error_of_commit = [&](std::string_view group) {
    const auto answer = client.call<OffsetCommitResponse>(5, commit_of(group));
    return answer->topics.at(0).partitions.at(0).error_code;
  };
  const auto error_of_fetch = [&](std::string_view group) {
    OffsetFetchRequest fetch;
    fetch.groups.emplace_back().group_id = group;
    return client.call<OffsetFetchResponse>(8, fetch)->groups.at(0).error_code;
  };
  const auto error_of_deletion = [&](std::string_view group) {
    OffsetDeleteRequest deletion;
    deletion.group_id = group;
    return client.call<OffsetDeleteResponse>(0, deletion)->error_code;
  };

  EXPECT_EQ(error_of_commit("mine"), 0);
  EXPECT_EQ(error_of_commit("seen"), kGroupRefused);
  EXPECT_EQ(error_of_fetch("mine"), 0);
  EXPECT_EQ(error_of_fetch("seen"), 0);
  EXPECT_EQ(error_of_fetch("other"), kGroupRefused);
  EXPECT_EQ(error_of_deletion("mine"), 0);
  EXPECT_EQ(error_of_deletion("seen"), kGroupRefused);
}

TEST_F(KafkaGroupAccess, OldOffsetFetchesAreToldInTheFieldThatTheyHave) {
  auto client = broker.connect();
  OffsetFetchRequest fetch;
  fetch.group_id = "other";
  fetch.topics.emplace();
  auto& topic = fetch.topics->emplace_back();
  topic.name = kOrders;
  topic.partition_indexes = {0};

  const auto first = client.call<OffsetFetchResponse>(1, fetch);

  EXPECT_EQ(first->topics.at(0).partitions.at(0).error_code, kGroupRefused);
  EXPECT_EQ(client.call<OffsetFetchResponse>(5, fetch)->error_code, kGroupRefused);
}

TEST_F(KafkaGroupAccess, ListsShowWhatMayBeDescribedAndDeletionNeedsAlteration) {
  broker.options.anonymous = with({{"group.*", "*", "test"}});
  auto operations = broker.connect();
  for (const auto* group : {"mine", "seen", "other"}) {
    operations.call<OffsetCommitResponse>(5, commit_of(group));
  }
  broker.options.anonymous =
      with({{"group.*", "mine*", "test"}, {"group.describe", "seen", "test"}});
  auto client = broker.connect();

  std::vector<std::string> listed;
  const auto list = client.call<ListGroupsResponse>(4, ListGroupsRequest());
  for (const auto& group : list->groups) listed.emplace_back(group.group_id);
  EXPECT_THAT(listed, UnorderedElementsAre("mine", "seen"));

  DescribeGroupsRequest describe;
  describe.groups = {"seen", "other"};
  const auto described = client.call<DescribeGroupsResponse>(5, describe);
  EXPECT_EQ(described->groups.at(0).error_code, 0);
  EXPECT_EQ(described->groups.at(1).error_code, kGroupRefused);

  DeleteGroupsRequest deletion;
  deletion.groups_names = {"seen", "mine"};
  const auto deleted = client.call<DeleteGroupsResponse>(2, deletion);
  EXPECT_EQ(deleted->results.at(0).error_code, kGroupRefused);
  EXPECT_EQ(deleted->results.at(1).error_code, 0);
}

TEST_F(KafkaGroupAccess, TransactionsNeedTheirIdAndTheGroupOfTheirOffsets) {
  auto client = broker.connect();
  InitProducerIdRequest init;
  init.transactional_id = "other";
  init.transaction_timeout_ms = 10'000;
  EXPECT_EQ(client.call<InitProducerIdResponse>(4, init)->error_code, kTransactionRefused);

  AddPartitionsToTxnRequest partitions;
  partitions.transactional_id = "other";
  auto& topic = partitions.topics.emplace_back();
  topic.name = kOrders;
  topic.partitions = {0};
  const auto added = client.call<AddPartitionsToTxnResponse>(3, partitions);
  EXPECT_EQ(added->results_by_topic.at(0).results_by_partition.at(0).partition_error_code,
            kTransactionRefused);

  AddOffsetsToTxnRequest offsets;
  offsets.transactional_id = "other";
  offsets.group_id = "mine";
  EXPECT_EQ(client.call<AddOffsetsToTxnResponse>(3, offsets)->error_code, kTransactionRefused);
  offsets.transactional_id = "mine";
  offsets.group_id = "other";
  EXPECT_EQ(client.call<AddOffsetsToTxnResponse>(3, offsets)->error_code, kGroupRefused);

  TxnOffsetCommitRequest commit;
  commit.transactional_id = "mine";
  commit.group_id = "other";
  auto& committed = commit.topics.emplace_back();
  committed.name = kOrders;
  committed.partitions.emplace_back();
  const auto answer = client.call<TxnOffsetCommitResponse>(3, commit);
  EXPECT_EQ(answer->topics.at(0).partitions.at(0).error_code, kGroupRefused);

  EndTxnRequest end;
  end.transactional_id = "other";
  EXPECT_EQ(client.call<EndTxnResponse>(3, end)->error_code, kTransactionRefused);
}

TEST_F(KafkaGroupAccess, TransactionsAreListedAndDescribedForWhoMaySeeThem) {
  broker.options.anonymous = with({{"transaction.*", "*", "test"}});
  auto operations = broker.connect();
  for (const auto* id : {"mine", "seen", "other"}) {
    InitProducerIdRequest init;
    init.transactional_id = id;
    init.transaction_timeout_ms = 10'000;
    ASSERT_EQ(operations.call<InitProducerIdResponse>(4, init)->error_code, 0);
  }
  broker.options.anonymous =
      with({{"transaction.use", "mine", "test"}, {"transaction.describe", "seen", "test"}});
  auto client = broker.connect();

  std::vector<std::string> listed;
  const auto list = client.call<ListTransactionsResponse>(0, ListTransactionsRequest());
  for (const auto& each : list->transaction_states) listed.emplace_back(each.transactional_id);
  EXPECT_THAT(listed, UnorderedElementsAre("mine", "seen"));
  DescribeTransactionsRequest describe;
  describe.transactional_ids = {"seen", "other"};
  const auto described = client.call<DescribeTransactionsResponse>(0, describe);
  EXPECT_EQ(described->transaction_states.at(0).error_code, 0);
  EXPECT_EQ(described->transaction_states.at(1).error_code, kTransactionRefused);
}

TEST_F(KafkaGroupAccess, ADenialOfDescriptionHidesATopicThatMayBeRead) {
  broker.options.anonymous = with({{"stream.describe", "orders.*", "test", Effect::Deny}});
  auto client = broker.connect();
  MetadataRequest all;
  all.topics.reset();

  EXPECT_TRUE(client.call<MetadataResponse>(9, all)->topics.empty());
}

Acl acl(std::int8_t type, std::string name, std::int8_t operation, std::int8_t pattern = 3) {
  return {type, std::move(name), pattern, "User:shop", "*", operation, 3};
}

TEST(AclMapping, IsOneToOne) {
  const Acl acls[] = {acl(2, "orders", 2), acl(2, "orders", 3), acl(2, "orders", 4),
                      acl(2, "orders", 5), acl(2, "orders", 6), acl(2, "orders", 7),
                      acl(2, "orders", 8), acl(3, "g", 2),      acl(3, "g", 3),
                      acl(3, "g", 6),      acl(3, "g", 8),      acl(5, "t", 2),
                      acl(5, "t", 4),      acl(5, "t", 8),      acl(4, "kafka-cluster", 7),
                      acl(2, "*", 3),      acl(2, "or", 3, 4)};
  for (const auto& each : acls) {
    const auto rule = rule_of(each);
    ASSERT_TRUE(rule) << rule.error().message;
    EXPECT_THAT(acls_of(*rule), ElementsAre(each)) << rule->action << " " << rule->resource;
  }
  EXPECT_EQ(rule_of(acl(2, "or", 3, 4))->resource, "or*");
}

TEST(AclMapping, SaysWhyAnAclHasNoMeaning) {
  auto of_host = acl(2, "orders", 3);
  of_host.host = "10.0.0.1";
  auto of_group = acl(2, "orders", 3);
  of_group.principal = "Group:shop";
  auto of_anybody = acl(2, "orders", 3);
  of_anybody.principal = "User:CN=shop,O=Acme";
  const std::pair<Acl, std::string_view> cases[] = {
      {acl(2, "orders", 10), "use DESCRIBE"},
      {acl(2, "orders", 11), "use ALTER"},
      {acl(4, "kafka-cluster", 12), "no ACL is needed"},
      {acl(4, "kafka-cluster", 5), "use CREATE on topics"},
      {acl(4, "other", 7), "the cluster's name is kafka-cluster"},
      {acl(3, "g", 7), "no such operation on such a resource"},
      {acl(6, "token", 8), "no such operation on such a resource"},
      {acl(3, "a*b", 3), "has a *"},
      {acl(2, "", 3), "is empty"},
      {acl(2, "*", 3, 4), "has a *"},
      {acl(2, "orders", 3, 2), "literal or prefixed"},
      {of_host, "all hosts"},
      {of_group, "the principal is User:"},
      {of_anybody, "the principal is User:"}};
  for (const auto& [each, reason] : cases) {
    const auto rule = rule_of(each);
    ASSERT_FALSE(rule) << reason;
    EXPECT_THAT(rule.error().message, HasSubstr(std::string(reason)));
  }
}

TEST(AclMapping, TellsGrantsOfAllActionsByTheirKinds) {
  EXPECT_EQ(acls_of({"shop", "*", "*"}).size(), 4U);
  EXPECT_EQ(acls_of({"shop", "admin.*", "*"}).size(), 1U);
  EXPECT_TRUE(acls_of({"shop", "route.call", "*"}).empty());
  EXPECT_TRUE(acls_of({"shop", "stream.read", "a*b"}).empty());
}

TEST(AclFilter, FindsByNameAndPatternAsKafkaDoes) {
  const auto literal = acl(2, "orders.a", 3);
  const auto prefixed = acl(2, "orders", 3, 4);
  const auto all = acl(2, "*", 3);
  AclFilter filter;
  EXPECT_TRUE(matches(filter, literal));
  filter.name = "orders.a";
  EXPECT_TRUE(matches(filter, literal));
  EXPECT_FALSE(matches(filter, prefixed));
  filter.pattern = 2;  // what holds for the name
  EXPECT_TRUE(matches(filter, literal));
  EXPECT_TRUE(matches(filter, prefixed));
  EXPECT_TRUE(matches(filter, all));
  filter.pattern = 4;
  EXPECT_FALSE(matches(filter, literal));
  filter = AclFilter();
  filter.operation = 4;
  EXPECT_FALSE(matches(filter, literal));
}

TEST(KafkaAcls, AreMadeShownAndDeleted) {
  TestBroker broker;
  broker.rules.grants = {{"crm", "stream.read", "*"}};
  auto client = broker.connect();
  CreateAclsRequest create;
  create.creations.push_back({2, "orders", 3, "User:shop", "*", 3, 2});
  create.creations.push_back({2, "orders", 3, "User:shop", "10.0.0.1", 3, 2});
  const auto created = client.call<CreateAclsResponse>(3, create);
  EXPECT_EQ(created->results.at(0).error_code, 0);
  EXPECT_EQ(created->results.at(1).error_code, code(KafkaError::InvalidRequest));
  ASSERT_EQ(broker.rules.made.size(), 1U);
  EXPECT_EQ(broker.rules.made[0].effect, Effect::Deny);

  DescribeAclsRequest describe;
  describe.resource_type_filter = describe.pattern_type_filter = 1;
  describe.operation = describe.permission_type = 1;
  const auto shown = client.call<DescribeAclsResponse>(1, describe);
  ASSERT_EQ(shown->resources.size(), 2U);
  EXPECT_EQ(shown->resources[0].resource_name, "*");
  EXPECT_EQ(shown->resources[0].acls.at(0).principal, "User:crm");
  EXPECT_EQ(shown->resources[1].resource_name, "orders");
  EXPECT_EQ(shown->resources[1].acls.at(0).permission_type, 2);

  DeleteAclsRequest deletion;
  deletion.filters.push_back({2, "orders", 3, std::nullopt, std::nullopt, 1, 1});
  deletion.filters.push_back({2, "*", 3, std::nullopt, std::nullopt, 1, 1});
  const auto deleted = client.call<DeleteAclsResponse>(2, deletion);
  EXPECT_EQ(deleted->filter_results.at(0).matching_acls.size(), 1U);
  EXPECT_TRUE(broker.rules.made.empty());
  EXPECT_EQ(deleted->filter_results.at(1).error_code, code(KafkaError::PolicyViolation));
  EXPECT_THAT(std::string(*deleted->filter_results.at(1).error_message),
              HasSubstr("change them in their documents"));
}

}  // namespace
}  // namespace weft::kafka
