// One function per API: from its request to its response. Each runs on the connection's loop; the
// request is a view of the connection's frame, which stays until the task has ended.
#pragma once

#include "eventlog/kafka/edge/broker.h"
#include "eventlog/kafka/messages/all.h"

namespace weft::kafka {

// ---- connection.cpp
Task<ApiVersionsResponse> handle(Call& call, const ApiVersionsRequest& request);

// ---- sasl.cpp
Task<SaslHandshakeResponse> handle(Call& call, const SaslHandshakeRequest& request);
Task<SaslAuthenticateResponse> handle(Call& call, const SaslAuthenticateRequest& request);
struct SaslStep {
  std::string token;                                  // for the client
  bool is_complete = false;                           // the session has its principal
  std::optional<WallTime> expires_at = std::nullopt;  // when the session ends, if that is known
};
// One token of the handshake's mechanism. The error's message is for the client.
Task<Result<SaslStep>> sasl_step(Session& session, std::string_view token);
// The session gets the principal of its stream's client certificate, if it has one; it may still
// log in by SASL. Unauthenticated when the certificate is nobody's.
Result<> log_in_by_certificate(Session& session, const net::Stream& stream);
// Whether the session's credential still holds; asks no more than once a second. Takes over what
// the principal may do now.
Result<> authenticate_again(Session& session);

// ---- metadata.cpp
Task<MetadataResponse> handle(Call& call, const MetadataRequest& request);
Task<DescribeClusterResponse> handle(Call& call, const DescribeClusterRequest& request);

// ---- fetch.cpp, list_offsets.cpp
Task<FetchResponse> handle(Call& call, const FetchRequest& request);
Task<ListOffsetsResponse> handle(Call& call, const ListOffsetsRequest& request);
Task<OffsetForLeaderEpochResponse> handle(Call& call, const OffsetForLeaderEpochRequest& request);
Task<DeleteRecordsResponse> handle(Call& call, const DeleteRecordsRequest& request);

// ---- transactions.cpp; Produce itself is prepared and appended in two steps, see produce.h
Task<InitProducerIdResponse> handle(Call& call, const InitProducerIdRequest& request);
Task<AddPartitionsToTxnResponse> handle(Call& call, const AddPartitionsToTxnRequest& request);
Task<AddOffsetsToTxnResponse> handle(Call& call, const AddOffsetsToTxnRequest& request);
Task<EndTxnResponse> handle(Call& call, const EndTxnRequest& request);
Task<WriteTxnMarkersResponse> handle(Call& call, const WriteTxnMarkersRequest& request);
Task<TxnOffsetCommitResponse> handle(Call& call, const TxnOffsetCommitRequest& request);
Task<DescribeProducersResponse> handle(Call& call, const DescribeProducersRequest& request);
Task<DescribeTransactionsResponse> handle(Call& call, const DescribeTransactionsRequest& request);
Task<ListTransactionsResponse> handle(Call& call, const ListTransactionsRequest& request);

// ---- client_quotas.cpp
Task<DescribeClientQuotasResponse> handle(Call& call, const DescribeClientQuotasRequest& request);
Task<AlterClientQuotasResponse> handle(Call& call, const AlterClientQuotasRequest& request);

// ---- groups.cpp
Task<FindCoordinatorResponse> handle(Call& call, const FindCoordinatorRequest& request);
Task<JoinGroupResponse> handle(Call& call, const JoinGroupRequest& request);
Task<SyncGroupResponse> handle(Call& call, const SyncGroupRequest& request);
Task<HeartbeatResponse> handle(Call& call, const HeartbeatRequest& request);
Task<LeaveGroupResponse> handle(Call& call, const LeaveGroupRequest& request);

// ---- group_admin.cpp
Task<ListGroupsResponse> handle(Call& call, const ListGroupsRequest& request);
Task<DescribeGroupsResponse> handle(Call& call, const DescribeGroupsRequest& request);
Task<DeleteGroupsResponse> handle(Call& call, const DeleteGroupsRequest& request);

// ---- group_offsets.cpp
Task<OffsetCommitResponse> handle(Call& call, const OffsetCommitRequest& request);
Task<OffsetFetchResponse> handle(Call& call, const OffsetFetchRequest& request);
Task<OffsetDeleteResponse> handle(Call& call, const OffsetDeleteRequest& request);

// ---- replicas.cpp
Task<DescribeLogDirsResponse> handle(Call& call, const DescribeLogDirsRequest& request);
Task<ElectLeadersResponse> handle(Call& call, const ElectLeadersRequest& request);
Task<ListPartitionReassignmentsResponse> handle(Call& call,
                                                const ListPartitionReassignmentsRequest& request);

// ---- acls.cpp, scram_admin.cpp
Task<DescribeAclsResponse> handle(Call& call, const DescribeAclsRequest& request);
Task<CreateAclsResponse> handle(Call& call, const CreateAclsRequest& request);
Task<DeleteAclsResponse> handle(Call& call, const DeleteAclsRequest& request);
Task<DescribeUserScramCredentialsResponse> handle(
    Call& call, const DescribeUserScramCredentialsRequest& request);
Task<AlterUserScramCredentialsResponse> handle(Call& call,
                                               const AlterUserScramCredentialsRequest& request);

// ---- topic_admin.cpp
Task<CreateTopicsResponse> handle(Call& call, const CreateTopicsRequest& request);
Task<DeleteTopicsResponse> handle(Call& call, const DeleteTopicsRequest& request);
Task<CreatePartitionsResponse> handle(Call& call, const CreatePartitionsRequest& request);

// ---- topic_configs.cpp
Task<DescribeConfigsResponse> handle(Call& call, const DescribeConfigsRequest& request);
Task<AlterConfigsResponse> handle(Call& call, const AlterConfigsRequest& request);
Task<IncrementalAlterConfigsResponse> handle(Call& call,
                                             const IncrementalAlterConfigsRequest& request);

}  // namespace weft::kafka
