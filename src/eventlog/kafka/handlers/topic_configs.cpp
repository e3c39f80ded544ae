// DescribeConfigs, AlterConfigs and IncrementalAlterConfigs. Only what is in force is shown:
// settings that Kafka has and this log does not are left out, not invented.
#include <algorithm>

#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/outcome.h"
#include "eventlog/kafka/handlers/topic_settings.h"

namespace weft::kafka {
namespace {

using Described = DescribeConfigsResponse::DescribeConfigsResult;
using Config = Described::DescribeConfigsResourceResult;

constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kBrokerResource = 4;

std::vector<ConfigEntry> broker_settings(const Broker& broker) {
  const auto& limits = broker.options.limits;
  return {
      {"auto.create.topics.enable", "false", ConfigType::String, true},
      {"connections.max.idle.ms", config_milliseconds(limits.idle_timeout), ConfigType::Long, true},
      {"default.replication.factor", "1", ConfigType::Int, true},
      {"max.connections", std::to_string(limits.connections_max), ConfigType::Int, true},
      {"num.partitions", "1", ConfigType::Int, true},
      {"socket.request.max.bytes", std::to_string(limits.request_bytes_max), ConfigType::Int, true},
  };
}

void add(Call& call, const std::optional<std::vector<std::string_view>>& wanted,
         std::vector<ConfigEntry> settings, ConfigSource source, Described& into) {
  for (auto& setting : settings) {
    if (wanted && !wanted->empty() && std::ranges::find(*wanted, setting.name) == wanted->end()) {
      continue;
    }
    Config config;
    config.name = setting.name;
    config.value = call.keep(std::move(setting.value));
    config.read_only = setting.read_only;
    config.config_source = static_cast<std::int8_t>(source);
    config.config_type = static_cast<std::int8_t>(setting.type);
    config.documentation.reset();
    into.configs.push_back(config);
  }
}

KafkaError config_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::InvalidArgument:
      return KafkaError::InvalidConfig;
    case ErrorCode::NotFound:
      return KafkaError::UnknownTopicOrPartition;
    case ErrorCode::PermissionDenied:
      return KafkaError::TopicAuthorizationFailed;
    default:
      return KafkaError::PolicyViolation;
  }
}

// Operations of KIP-339.
constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;

using TopicConfigs = std::map<std::string, std::optional<std::string>>;

Task<Outcome> configure(Call& call, std::string_view topic, TopicConfigs configs,
                        bool validate_only) {
  for (auto config = configs.begin(); config != configs.end();) {
    const auto changes = changes_topic(config->first, config->second.value_or(""));
    if (!changes && config->second) {
      co_return Outcome(KafkaError::InvalidConfig, changes.error().message);
    }
    config = changes.value_or(false) ? std::next(config) : configs.erase(config);
  }
  if (configs.empty()) co_return Outcome();
  auto* admin = call.broker.parts.admin;
  if (admin == nullptr) {
    co_return Outcome(KafkaError::PolicyViolation,
                      "topics are declared in the estate and cannot be changed through this "
                      "listener");
  }
  auto by = call.session.principal;
  std::string name(topic);
  const auto changed =
      co_await admin->configure(std::move(by), std::move(name), std::move(configs), validate_only);
  if (!changed) co_return Outcome(config_error(changed.error().code), changed.error().message);
  co_return Outcome();
}

// The topic that a resource names, or why it cannot be configured.
Outcome check_resource(Call& call, std::int8_t type, std::string_view name) {
  if (type != kTopicResource) {
    return {KafkaError::InvalidRequest, "only the configuration of topics can be changed"};
  }
  const auto stream = find_visible_topic(call.session, name);
  return stream ? Outcome() : Outcome(stream.error(), {});
}

Task<Outcome> alter(Call& call,
                    const IncrementalAlterConfigsRequest::AlterConfigsResource& resource,
                    bool validate_only) {
  auto checked = check_resource(call, resource.resource_type, resource.resource_name);
  if (checked.error != KafkaError::None) co_return checked;
  TopicConfigs configs;
  for (const auto& config : resource.configs) {
    if (config.config_operation == kDelete) {
      configs[std::string(config.name)] = std::nullopt;
    } else if (config.config_operation == kSet && config.value) {
      configs[std::string(config.name)] = std::string(*config.value);
    } else {
      co_return Outcome(KafkaError::InvalidConfig,
                        fmt::format("{} is no list to add to or take from", config.name));
    }
  }
  co_return co_await configure(call, resource.resource_name, std::move(configs), validate_only);
}

// The older request names all configs that are to differ from the default.
Task<Outcome> replace(Call& call, const AlterConfigsRequest::AlterConfigsResource& resource,
                      bool validate_only) {
  auto checked = check_resource(call, resource.resource_type, resource.resource_name);
  if (checked.error != KafkaError::None) co_return checked;
  TopicConfigs configs;
  const auto stream = find_visible_topic(call.session, resource.resource_name);
  for (const auto& known : topic_configs((*stream)->info.settings)) {
    if (!known.read_only) configs[std::string(known.name)] = std::nullopt;
  }
  for (const auto& config : resource.configs) {
    if (config.value) configs[std::string(config.name)] = std::string(*config.value);
  }
  co_return co_await configure(call, resource.resource_name, std::move(configs), validate_only);
}

}  // namespace

Task<DescribeConfigsResponse> handle(Call& call, const DescribeConfigsRequest& request) {
  DescribeConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto& answer = response.results.emplace_back();
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    answer.error_message.reset();
    if (resource.resource_type == kBrokerResource) {
      add(call, resource.configuration_keys, broker_settings(call.broker),
          ConfigSource::StaticBroker, answer);
      continue;
    }
    if (resource.resource_type != kTopicResource) {
      answer.error_code = code(KafkaError::InvalidRequest);
      answer.error_message = "only topics and the broker have a configuration";
      continue;
    }
    const auto stream = find_visible_topic(call.session, resource.resource_name);
    if (!stream) {
      answer.error_code = code(stream.error());
      continue;
    }
    add(call, resource.configuration_keys, topic_configs((*stream)->info.settings),
        ConfigSource::DynamicTopic, answer);
  }
  co_return response;
}

namespace {

template <class Response, class Resource>
void answer_alter(Call& call, const Resource& resource, Outcome outcome, Response& response) {
  auto& answer = response.responses.emplace_back();
  answer.resource_type = resource.resource_type;
  answer.resource_name = resource.resource_name;
  answer.error_code = code(outcome.error);
  answer.error_message.reset();
  if (!outcome.message.empty()) answer.error_message = call.keep(std::move(outcome.message));
}

}  // namespace

Task<IncrementalAlterConfigsResponse> handle(Call& call,
                                             const IncrementalAlterConfigsRequest& request) {
  IncrementalAlterConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto outcome = co_await alter(call, resource, request.validate_only);
    answer_alter(call, resource, std::move(outcome), response);
  }
  co_return response;
}

Task<AlterConfigsResponse> handle(Call& call, const AlterConfigsRequest& request) {
  AlterConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto outcome = co_await replace(call, resource, request.validate_only);
    answer_alter(call, resource, std::move(outcome), response);
  }
  co_return response;
}

}  // namespace weft::kafka
