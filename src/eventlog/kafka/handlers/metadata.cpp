// Metadata and DescribeCluster.
#include "eventlog/kafka/handlers/handlers.h"
#include "runtime/log.h"

namespace weft::kafka {
namespace {

using Topic = MetadataResponse::MetadataResponseTopic;
using eventlog::Stream;

// KIP-430 bit fields: READ 3, WRITE 4, CREATE 5, DELETE 6, ALTER 7, DESCRIBE 8, DESCRIBE_CONFIGS
// 10, ALTER_CONFIGS 11.
constexpr std::int32_t kMayDescribe = (1 << 8) | (1 << 10);
constexpr std::int32_t kMayRead = 1 << 3;
constexpr std::int32_t kMayWrite = 1 << 4;

Topic unknown(std::optional<std::string_view> name, const Uuid& id, KafkaError error) {
  Topic topic;
  topic.error_code = code(error);
  topic.name = name;
  topic.topic_id = id;
  return topic;
}

Topic known(Call& call, const Stream& stream, bool with_operations) {
  Topic topic;
  topic.name = call.keep(stream.info.settings.name);
  topic.topic_id = stream.info.topic_id;
  topic.partitions.resize(static_cast<std::size_t>(stream.info.settings.partitions));
  for (std::int32_t i = 0; i < stream.info.settings.partitions; ++i) {
    auto& partition = topic.partitions[static_cast<std::size_t>(i)];
    partition.partition_index = i;
    partition.leader_id = kNodeId;
    partition.replica_nodes = {kNodeId};
    partition.isr_nodes = {kNodeId};
    const auto info = call.broker.parts.log.partition({stream.info.id, i});
    if (info) partition.leader_epoch = info->leader_epoch;
  }
  if (with_operations) {
    const auto& name = stream.info.settings.name;
    topic.topic_authorized_operations =
        kMayDescribe | (call.session.may(identity::action::kStreamRead, name) ? kMayRead : 0) |
        (call.session.may(identity::action::kStreamWrite, name) ? kMayWrite : 0);
  }
  return topic;
}

Topic by_name(Call& call, std::string_view name, bool with_operations) {
  if (!is_topic_name(name)) return unknown(name, Uuid(), KafkaError::InvalidTopic);
  const auto stream = find_visible_topic(call.session, name);
  if (!stream) return unknown(name, Uuid(), stream.error());
  return known(call, **stream, with_operations);
}

// A topic that nobody made, where such topics are made by asking for them.
Task<void> create_unasked(Call& call, std::string_view name) {
  auto* admin = call.broker.parts.admin;
  if (admin == nullptr || !is_topic_name(name) || is_internal(name)) co_return;
  if (call.broker.parts.topics.find(call.session.tenant(), name)) co_return;
  if (!admin->creates_unasked(*call.session.principal, name)) co_return;
  TopicRequest request;
  request.name = name;
  auto by = call.session.principal;
  const auto created = co_await admin->create(std::move(by), std::move(request));
  if (created || created.error().code == ErrorCode::AlreadyExists) co_return;
  log_warn("kafka", "a topic that a client asked for could not be made",
           {{"topic", name}, {"error", created.error().message}});
}

void add_all(Call& call, bool with_operations, std::vector<Topic>& topics) {
  for (const auto& stream : call.broker.parts.topics.of_tenant(call.session.tenant())) {
    const auto& name = stream->info.settings.name;
    if (is_internal(name) || !may_see(call.session, name)) continue;
    topics.push_back(known(call, *stream, with_operations));
  }
}

}  // namespace

Task<MetadataResponse> handle(Call& call, const MetadataRequest& request) {
  MetadataResponse response;
  auto& broker = response.brokers.emplace_back();
  broker.node_id = kNodeId;
  broker.host = call.broker.host();
  broker.port = call.broker.port();
  response.cluster_id = call.broker.options.cluster_id;
  response.controller_id = kNodeId;

  const bool with_operations = request.include_topic_authorized_operations;
  // All topics: null, or in version 0, which has no null, empty.
  if (!request.topics || (call.version == 0 && request.topics->empty())) {
    add_all(call, with_operations, response.topics);
    co_return response;
  }
  for (const auto& topic : *request.topics) {
    if (topic.name) {
      if (request.allow_auto_topic_creation) co_await create_unasked(call, *topic.name);
      response.topics.push_back(by_name(call, *topic.name, with_operations));
      continue;
    }
    const auto stream = find_visible_topic(call.session, topic.topic_id);
    response.topics.push_back(stream ? known(call, **stream, with_operations)
                                     : unknown(std::nullopt, topic.topic_id, stream.error()));
  }
  co_return response;
}

Task<DescribeClusterResponse> handle(Call& call, const DescribeClusterRequest& request) {
  DescribeClusterResponse response;
  response.error_message.reset();
  response.endpoint_type = request.endpoint_type;
  response.cluster_id = call.broker.options.cluster_id;
  response.controller_id = kNodeId;
  constexpr std::int8_t kBrokers = 1;
  if (request.endpoint_type != kBrokers) {
    response.error_code = code(KafkaError::InvalidRequest);
    response.error_message = "this listener describes brokers, not controllers";
    co_return response;
  }
  auto& broker = response.brokers.emplace_back();
  broker.broker_id = kNodeId;
  broker.host = call.broker.host();
  broker.port = call.broker.port();
  co_return response;
}

}  // namespace weft::kafka
