// CreateTopics, DeleteTopics, CreatePartitions: asked of the TopicAdmin port, which makes them
// changes of the estate or says why not.
#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/outcome.h"
#include "eventlog/kafka/handlers/topic_settings.h"

namespace weft::kafka {
namespace {

constexpr std::int16_t kDeleteTopicIdFrom = 6;  // of DeleteTopics

KafkaError admin_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::InvalidArgument:
      return KafkaError::InvalidConfig;
    case ErrorCode::NotFound:
      return KafkaError::UnknownTopicOrPartition;
    case ErrorCode::AlreadyExists:
      return KafkaError::TopicAlreadyExists;
    case ErrorCode::FailedPrecondition:
    case ErrorCode::Unsupported:
    case ErrorCode::Conflict:
      return KafkaError::PolicyViolation;
    case ErrorCode::Unauthenticated:
    case ErrorCode::PermissionDenied:
      return KafkaError::TopicAuthorizationFailed;
    default:
      return KafkaError::UnknownServerError;
  }
}

Outcome outcome(const Result<>& result) {
  if (result) return {};
  return {admin_error(result.error().code), result.error().message};
}

Outcome no_admin() {
  return {KafkaError::PolicyViolation,
          "topics are declared in the estate and cannot be changed through this listener"};
}

using NewTopic = CreateTopicsRequest::CreatableTopic;

Outcome check_new(const Call& call, const NewTopic& topic) {
  if (!is_topic_name(topic.name) || is_internal(topic.name)) {
    return {KafkaError::InvalidTopic, "not a legal name for a topic"};
  }
  if (!topic.assignments.empty()) {
    return {KafkaError::InvalidReplicaAssignment, "there is one broker: leave the assignment out"};
  }
  // -1 asks for the default of the broker (KIP-464).
  const bool is_one = topic.replication_factor == -1 || topic.replication_factor == 1;
  if (!is_one && (topic.replication_factor < 1 || !call.broker.options.clamps_replication)) {
    return {KafkaError::InvalidReplicationFactor,
            "there is one broker: the factor is 1 or -1 (kafka.replicationClamp takes others)"};
  }
  if (topic.num_partitions == 0 || topic.num_partitions < -1) {
    return {KafkaError::InvalidPartitions, "a topic has at least one partition"};
  }
  if (call.broker.parts.topics.find(call.session.tenant(), topic.name)) {
    return {KafkaError::TopicAlreadyExists, "the topic exists"};
  }
  return {};
}

Task<Outcome> create(Call& call, const NewTopic& topic, bool validate_only) {
  auto checked = check_new(call, topic);
  if (checked.error != KafkaError::None) co_return checked;
  auto* admin = call.broker.parts.admin;
  if (admin == nullptr) co_return no_admin();
  TopicRequest request;
  request.name = topic.name;
  request.partitions = topic.num_partitions;
  request.validate_only = validate_only;
  for (const auto& config : topic.configs) {
    if (!config.value) continue;
    const auto changes = changes_topic(config.name, *config.value);
    if (!changes) co_return Outcome(KafkaError::InvalidConfig, changes.error().message);
    if (*changes) request.configs.emplace(config.name, *config.value);
  }
  auto by = call.session.principal;
  const auto created = co_await admin->create(std::move(by), std::move(request));
  co_return outcome(created);
}

Task<Outcome> remove(Call& call, std::string name) {
  if (!find_visible_topic(call.session, name)) {
    co_return Outcome(KafkaError::UnknownTopicOrPartition, "there is no such topic");
  }
  auto* admin = call.broker.parts.admin;
  if (admin == nullptr) co_return no_admin();
  auto by = call.session.principal;
  const auto removed = co_await admin->remove(std::move(by), std::move(name));
  co_return outcome(removed);
}

}  // namespace

Task<CreateTopicsResponse> handle(Call& call, const CreateTopicsRequest& request) {
  CreateTopicsResponse response;
  for (const auto& topic : request.topics) {
    auto outcome = co_await create(call, topic, request.validate_only);
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    answer.error_code = code(outcome.error);
    answer.error_message.reset();
    answer.configs.reset();
    if (outcome.error != KafkaError::None) {
      answer.error_message = call.keep(std::move(outcome.message));
      continue;
    }
    answer.replication_factor = 1;
    const auto made = call.broker.parts.topics.find(call.session.tenant(), topic.name);
    answer.num_partitions =
        made ? made->info.settings.partitions : std::max(topic.num_partitions, 1);
    auto& configs = answer.configs.emplace();
    if (!made) continue;
    answer.topic_id = made->info.topic_id;
    for (auto& config : topic_configs(made->info.settings)) {
      auto& shown = configs.emplace_back();
      shown.name = config.name;
      shown.value = call.keep(std::move(config.value));
      shown.read_only = config.read_only;
      shown.config_source = static_cast<std::int8_t>(ConfigSource::DynamicTopic);
    }
  }
  co_return response;
}

Task<DeleteTopicsResponse> handle(Call& call, const DeleteTopicsRequest& request) {
  DeleteTopicsResponse response;
  std::vector<DeleteTopicsRequest::DeleteTopicState> topics = request.topics;
  if (call.version < kDeleteTopicIdFrom) {
    for (const auto name : request.topic_names) topics.emplace_back().name = name;
  }
  for (const auto& topic : topics) {
    auto& answer = response.responses.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    std::string name(topic.name.value_or(""));
    if (!topic.name) {
      const auto stream = find_visible_topic(call.session, topic.topic_id);
      if (!stream) {
        answer.error_code = code(stream.error());
        continue;
      }
      name = (*stream)->info.settings.name;
      answer.name = call.keep(name);
    }
    auto outcome = co_await remove(call, std::move(name));
    answer.error_code = code(outcome.error);
    if (!outcome.message.empty()) answer.error_message = call.keep(std::move(outcome.message));
  }
  co_return response;
}

Task<CreatePartitionsResponse> handle(Call& call, const CreatePartitionsRequest& request) {
  CreatePartitionsResponse response;
  for (const auto& topic : request.topics) {
    auto& answer = response.results.emplace_back();
    answer.name = topic.name;
    const auto stream = find_visible_topic(call.session, topic.name);
    Outcome result;
    if (!stream) {
      result = {stream.error(), "there is no such topic"};
    } else if (topic.count <= (*stream)->info.settings.partitions) {
      result = {KafkaError::InvalidPartitions,
                fmt::format("the topic has {} partitions; they can only grow",
                            (*stream)->info.settings.partitions)};
    } else if (auto* admin = call.broker.parts.admin; admin == nullptr) {
      result = no_admin();
    } else {
      auto by = call.session.principal;
      std::string name(topic.name);
      const auto grown =
          co_await admin->grow(std::move(by), std::move(name), topic.count, request.validate_only);
      result = outcome(grown);
    }
    answer.error_code = code(result.error);
    if (!result.message.empty()) answer.error_message = call.keep(std::move(result.message));
  }
  co_return response;
}

}  // namespace weft::kafka
