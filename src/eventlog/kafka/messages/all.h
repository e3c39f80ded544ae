// Every request and its response, for what treats all of them alike: tests, fuzzer, documentation.
#pragma once

#include "eventlog/kafka/messages/acls.h"
#include "eventlog/kafka/messages/client_quotas.h"
#include "eventlog/kafka/messages/cluster.h"
#include "eventlog/kafka/messages/connection.h"
#include "eventlog/kafka/messages/fetch.h"
#include "eventlog/kafka/messages/group_admin.h"
#include "eventlog/kafka/messages/membership.h"
#include "eventlog/kafka/messages/offsets.h"
#include "eventlog/kafka/messages/produce.h"
#include "eventlog/kafka/messages/replicas.h"
#include "eventlog/kafka/messages/topic_admin.h"
#include "eventlog/kafka/messages/topic_configs.h"
#include "eventlog/kafka/messages/transactions.h"

namespace weft::kafka {

// Calls visit.operator()<Request, Response>() for each API.
template <class Visitor>
void for_each_api(Visitor&& visit) {
  visit.template operator()<ProduceRequest, ProduceResponse>();
  visit.template operator()<FetchRequest, FetchResponse>();
  visit.template operator()<ListOffsetsRequest, ListOffsetsResponse>();
  visit.template operator()<MetadataRequest, MetadataResponse>();
  visit.template operator()<OffsetCommitRequest, OffsetCommitResponse>();
  visit.template operator()<OffsetFetchRequest, OffsetFetchResponse>();
  visit.template operator()<FindCoordinatorRequest, FindCoordinatorResponse>();
  visit.template operator()<JoinGroupRequest, JoinGroupResponse>();
  visit.template operator()<HeartbeatRequest, HeartbeatResponse>();
  visit.template operator()<LeaveGroupRequest, LeaveGroupResponse>();
  visit.template operator()<SyncGroupRequest, SyncGroupResponse>();
  visit.template operator()<DescribeGroupsRequest, DescribeGroupsResponse>();
  visit.template operator()<ListGroupsRequest, ListGroupsResponse>();
  visit.template operator()<SaslHandshakeRequest, SaslHandshakeResponse>();
  visit.template operator()<ApiVersionsRequest, ApiVersionsResponse>();
  visit.template operator()<CreateTopicsRequest, CreateTopicsResponse>();
  visit.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>();
  visit.template operator()<DeleteRecordsRequest, DeleteRecordsResponse>();
  visit.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
  visit.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
  visit.template operator()<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>();
  visit.template operator()<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>();
  visit.template operator()<EndTxnRequest, EndTxnResponse>();
  visit.template operator()<WriteTxnMarkersRequest, WriteTxnMarkersResponse>();
  visit.template operator()<TxnOffsetCommitRequest, TxnOffsetCommitResponse>();
  visit.template operator()<DescribeAclsRequest, DescribeAclsResponse>();
  visit.template operator()<CreateAclsRequest, CreateAclsResponse>();
  visit.template operator()<DeleteAclsRequest, DeleteAclsResponse>();
  visit.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
  visit.template operator()<AlterConfigsRequest, AlterConfigsResponse>();
  visit.template operator()<DescribeLogDirsRequest, DescribeLogDirsResponse>();
  visit.template operator()<SaslAuthenticateRequest, SaslAuthenticateResponse>();
  visit.template operator()<CreatePartitionsRequest, CreatePartitionsResponse>();
  visit.template operator()<DeleteGroupsRequest, DeleteGroupsResponse>();
  visit.template operator()<ElectLeadersRequest, ElectLeadersResponse>();
  visit.template operator()<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>();
  visit
      .template operator()<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>();
  visit.template operator()<OffsetDeleteRequest, OffsetDeleteResponse>();
  visit.template
  operator()<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>();
  visit.template operator()<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>();
  visit.template operator()<DescribeClientQuotasRequest, DescribeClientQuotasResponse>();
  visit.template operator()<AlterClientQuotasRequest, AlterClientQuotasResponse>();
  visit.template operator()<DescribeClusterRequest, DescribeClusterResponse>();
  visit.template operator()<DescribeProducersRequest, DescribeProducersResponse>();
  visit.template operator()<DescribeTransactionsRequest, DescribeTransactionsResponse>();
  visit.template operator()<ListTransactionsRequest, ListTransactionsResponse>();
}

}  // namespace weft::kafka
