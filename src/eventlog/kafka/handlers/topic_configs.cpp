// DescribeConfigs and IncrementalAlterConfigs. Only what is in force is shown: settings that Kafka
// has and this log does not are left out, not invented.
#include <algorithm>

#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/outcome.h"

namespace weft::kafka {
namespace {

using Described = DescribeConfigsResponse::DescribeConfigsResult;
using Config = Described::DescribeConfigsResourceResult;

constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kBrokerResource = 4;

enum class Source : std::int8_t { DynamicTopic = 1, StaticBroker = 4, Default = 5 };
enum class Type : std::int8_t { String = 2, Int = 3, Long = 5, List = 7 };

struct Setting {
  std::string_view name;
  std::string value;
  Type type = Type::String;
  bool read_only = false;
};

std::string milliseconds(Duration duration) {
  if (duration == Duration::zero()) return "-1";
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::vector<Setting> topic_settings(const eventlog::StreamSettings& stream) {
  const bool compacts = stream.cleanup == eventlog::Cleanup::Compact;
  const auto bytes = stream.retention_bytes;
  return {
      {"cleanup.policy", compacts ? "compact" : "delete", Type::List, false},
      {"compression.type", "producer", Type::String, true},
      {"max.message.bytes", std::to_string(stream.batch_bytes_max), Type::Int, false},
      {"message.timestamp.type", "CreateTime", Type::String, true},
      {"min.insync.replicas", "1", Type::Int, true},
      {"retention.bytes", bytes == 0 ? "-1" : std::to_string(bytes), Type::Long, false},
      {"retention.ms", milliseconds(stream.retention), Type::Long, false},
  };
}

std::vector<Setting> broker_settings(const Broker& broker) {
  const auto& limits = broker.options.limits;
  return {
      {"auto.create.topics.enable", "false", Type::String, true},
      {"connections.max.idle.ms", milliseconds(limits.idle_timeout), Type::Long, true},
      {"default.replication.factor", "1", Type::Int, true},
      {"max.connections", std::to_string(limits.connections_max), Type::Int, true},
      {"num.partitions", "1", Type::Int, true},
      {"socket.request.max.bytes", std::to_string(limits.request_bytes_max), Type::Int, true},
  };
}

void add(Call& call, const std::optional<std::vector<std::string_view>>& wanted,
         std::vector<Setting> settings, Source source, Described& into) {
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
    default:
      return KafkaError::PolicyViolation;
  }
}

// Operations of KIP-339.
constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;

using Alter = IncrementalAlterConfigsRequest::AlterConfigsResource;

Task<Outcome> alter(Call& call, const Alter& resource, bool validate_only) {
  if (resource.resource_type != kTopicResource) {
    co_return Outcome(KafkaError::InvalidRequest,
                      "only the configuration of topics can be changed");
  }
  const auto stream =
      find_topic(call.session, resource.resource_name, identity::action::kStreamWrite);
  if (!stream) co_return Outcome(stream.error(), {});
  const auto known = topic_settings((*stream)->info.settings);
  std::map<std::string, std::optional<std::string>> configs;
  for (const auto& config : resource.configs) {
    const auto setting = std::ranges::find(known, config.name, &Setting::name);
    if (setting == known.end() || setting->read_only) {
      co_return Outcome(KafkaError::InvalidConfig,
                        fmt::format("{} cannot be set on a topic", config.name));
    }
    if (config.config_operation == kDelete) {
      configs[std::string(config.name)] = std::nullopt;
    } else if (config.config_operation == kSet && config.value) {
      configs[std::string(config.name)] = std::string(*config.value);
    } else {
      co_return Outcome(KafkaError::InvalidConfig,
                        fmt::format("{} is no list to add to or take from", config.name));
    }
  }
  auto* admin = call.broker.parts.admin;
  if (admin == nullptr) {
    co_return Outcome(KafkaError::PolicyViolation,
                      "topics are declared in the estate and cannot be changed through this "
                      "listener");
  }
  auto by = call.session.principal;
  std::string topic(resource.resource_name);
  const auto changed =
      co_await admin->configure(std::move(by), std::move(topic), std::move(configs), validate_only);
  if (!changed) co_return Outcome(config_error(changed.error().code), changed.error().message);
  co_return Outcome();
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
      add(call, resource.configuration_keys, broker_settings(call.broker), Source::StaticBroker,
          answer);
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
    add(call, resource.configuration_keys, topic_settings((*stream)->info.settings),
        Source::DynamicTopic, answer);
  }
  co_return response;
}

Task<IncrementalAlterConfigsResponse> handle(Call& call,
                                             const IncrementalAlterConfigsRequest& request) {
  IncrementalAlterConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto outcome = co_await alter(call, resource, request.validate_only);
    auto& answer = response.responses.emplace_back();
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    answer.error_code = code(outcome.error);
    answer.error_message.reset();
    if (!outcome.message.empty()) answer.error_message = call.keep(std::move(outcome.message));
  }
  co_return response;
}

}  // namespace weft::kafka
