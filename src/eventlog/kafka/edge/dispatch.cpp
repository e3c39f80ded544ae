#include "eventlog/kafka/edge/dispatch.h"

#include <algorithm>
#include <array>

#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/produce.h"

namespace weft::kafka {
namespace {

template <class Request>
Task<Result<>> run(Call& call, Reader& body) {
  CO_TRY(const auto request, body.message<Request>());
  const auto response = co_await handle(call, request);
  call.respond(response);
  co_return Result<>();
}

Task<Result<>> run_produce(Call& call, Reader& body) {
  CO_TRY(const auto request, body.message<ProduceRequest>());
  auto prepared = prepare_produce(call, request);
  co_await append_produce(call, std::move(prepared));
  co_return Result<>();
}

template <class Request>
constexpr Api entry(std::string_view remark = {}, Access access = Access::Authenticated) {
  return {Request::kApi, Request::kApi.first, access, &run<Request>, remark};
}

constexpr std::string_view kProduceRemark =
    "0-2 are advertised because librdkafka up to 2.11.0 compresses only then; they are answered "
    "with "
    "UNSUPPORTED_VERSION, as Kafka 4 does. One batch per partition";
constexpr std::string_view kGovernedRemark =
    "becomes a change of the estate; what its rules refuse is POLICY_VIOLATION with the reason";

constexpr std::array kApis{
    Api{ProduceRequest::kApi, 0, Access::Authenticated, &run_produce, kProduceRemark},
    entry<FetchRequest>("without fetch sessions: every answer has session id 0, which means none"),
    entry<ListOffsetsRequest>("latest, earliest, by time, and of the greatest timestamp"),
    entry<MetadataRequest>("topics are made by asking for them only where a Namespace says so"),
    entry<OffsetCommitRequest>("durable before the answer"),
    entry<OffsetFetchRequest>(),
    entry<FindCoordinatorRequest>("groups and transactions; this broker for all"),
    entry<JoinGroupRequest>("dynamic and static members, skipped assignments"),
    entry<HeartbeatRequest>(),
    entry<LeaveGroupRequest>(),
    entry<SyncGroupRequest>(),
    entry<DescribeGroupsRequest>(),
    entry<ListGroupsRequest>("all groups are of the classic type"),
    entry<SaslHandshakeRequest>(
        "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER; version 0 with raw tokens too",
        Access::Anybody),
    entry<ApiVersionsRequest>("an unknown version gets the answer of version 0", Access::Anybody),
    entry<CreateTopicsRequest>(kGovernedRemark),
    entry<DeleteTopicsRequest>(kGovernedRemark),
    entry<DeleteRecordsRequest>("moves the start of a partition, durably"),
    entry<InitProducerIdRequest>("what an earlier producer of the transactional id left open is "
                                 "aborted before the answer"),
    entry<OffsetForLeaderEpochRequest>(),
    entry<AddPartitionsToTxnRequest>("a batch outside of its transaction is refused (KIP-890)"),
    entry<AddOffsetsToTxnRequest>(),
    entry<EndTxnRequest>("all markers and offsets in one durable entry: nothing is ever half done"),
    entry<WriteTxnMarkersRequest>("aborts: the whole transaction that has the partition"),
    entry<TxnOffsetCommitRequest>("durable before the answer"),
    entry<DescribeAclsRequest>("access rules, and the grants of Clients and Roles as ACLs"),
    entry<CreateAclsRequest>("each becomes an AccessRule of the estate, or is refused with why"),
    entry<DeleteAclsRequest>("those that clients made"),
    entry<DescribeConfigsRequest>("what is in force, nothing else"),
    entry<AlterConfigsRequest>(kGovernedRemark),
    entry<DescribeLogDirsRequest>("one folder, without its path; sizes of the topics one may see"),
    entry<SaslAuthenticateRequest>("PLAIN: the password is an API key", Access::Anybody),
    entry<CreatePartitionsRequest>(kGovernedRemark),
    entry<DeleteGroupsRequest>(),
    entry<ElectLeadersRequest>("one broker: no election is needed"),
    entry<IncrementalAlterConfigsRequest>(kGovernedRemark),
    entry<ListPartitionReassignmentsRequest>("there are none"),
    entry<OffsetDeleteRequest>(),
    entry<DescribeClientQuotasRequest>("users and client ids, with the grant admin.read"),
    entry<AlterClientQuotasRequest>(
        "producer_byte_rate and consumer_byte_rate; becomes a change of the estate"),
    entry<DescribeUserScramCredentialsRequest>(),
    entry<AlterUserScramCredentialsRequest>("users are Clients of the estate"),
    entry<DescribeClusterRequest>("one broker"),
    entry<DescribeProducersRequest>(),
    entry<DescribeTransactionsRequest>(),
    entry<ListTransactionsRequest>(),
};

static_assert(std::ranges::is_sorted(kApis, {}, [](const Api& api) { return api.id.key; }));

}  // namespace

std::span<const Api> apis() {
  return kApis;
}

const Api* find_api(std::int16_t key) {
  const auto found =
      std::ranges::lower_bound(kApis, key, {}, [](const Api& api) { return api.id.key; });
  return found != kApis.end() && found->id.key == key ? &*found : nullptr;
}

std::string api_table_markdown() {
  std::string table = "| Key | API | Versions | Remarks |\n|---|---|---|---|\n";
  for (const auto& api : kApis) {
    table += fmt::format("| {} | {} | {}-{} | {} |\n", api.id.key, api.id.name, api.id.first,
                         api.id.last, api.remark);
  }
  return table;
}

}  // namespace weft::kafka
