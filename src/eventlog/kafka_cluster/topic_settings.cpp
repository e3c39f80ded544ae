#include "eventlog/kafka_cluster/topic_settings.h"

#include <charconv>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace weft::eventlog {
namespace {

constexpr std::int64_t kNoLimit = -1;

std::int64_t number_of(const std::string& text, std::int64_t fallback) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : fallback;
}

}  // namespace

std::string topic_name(const StreamSettings& settings) {
  return fmt::format("{}.{}", settings.tenant, settings.name);
}

Uuid topic_id(std::string_view topic) {
  const auto digest = crypto::sha256(topic);
  return Uuid::v4(load_be<std::uint64_t>(digest.bytes.data()),
                  load_be<std::uint64_t>(digest.bytes.data() + 8));
}

KafkaProperties configs_of(const StreamSettings& settings) {
  const auto retention = settings.retention / std::chrono::milliseconds(1);
  const auto bytes = settings.retention_bytes;
  return {{"cleanup.policy", std::string(cleanup_name(settings.cleanup))},
          {"retention.ms", std::to_string(retention == 0 ? kNoLimit : retention)},
          {"retention.bytes", bytes == 0 ? std::to_string(kNoLimit) : std::to_string(bytes)},
          {"max.message.bytes", std::to_string(settings.batch_bytes_max)}};
}

KafkaNewTopic new_topic(const StreamSettings& settings, std::int32_t replicas) {
  return {.name = topic_name(settings),
          .partitions = settings.partitions,
          .replicas = replicas,
          .configs = configs_of(settings)};
}

std::optional<StreamSettings> settings_of(const KafkaTopicView& topic,
                                          const KafkaProperties& configs) {
  const auto dot = topic.name.find('.');
  if (dot == 0 || dot == std::string::npos || dot + 1 == topic.name.size()) return std::nullopt;
  StreamSettings settings;
  settings.tenant = topic.name.substr(0, dot);
  settings.name = topic.name.substr(dot + 1);
  settings.partitions = topic.partitions;
  for (const auto& [name, value] : configs) {
    if (name == "retention.ms") {
      settings.retention =
          std::chrono::milliseconds(std::max<std::int64_t>(number_of(value, 0), 0));
    } else if (name == "retention.bytes") {
      settings.retention_bytes =
          static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(value, 0), 0));
    } else if (name == "max.message.bytes") {
      settings.batch_bytes_max =
          static_cast<std::uint32_t>(number_of(value, settings.batch_bytes_max));
    } else if (name == "cleanup.policy") {
      const bool deletes = value.contains("delete");
      settings.cleanup = !value.contains("compact") ? Cleanup::Delete
                         : deletes                  ? Cleanup::CompactAndDelete
                                                    : Cleanup::Compact;
    }
  }
  return settings;
}

Result<> may_become(const StreamSettings& now, const StreamSettings& wanted) {
  if (now.tenant != wanted.tenant || now.name != wanted.name)
    return fail(ErrorCode::InvalidArgument, "a stream keeps its tenant and its name");
  if (wanted.partitions < now.partitions)
    return fail(ErrorCode::InvalidArgument, "{} has {} partitions and cannot have {}", now.name,
                now.partitions, wanted.partitions);
  if (wanted.durability == Durability::Memory)
    return fail(ErrorCode::Unsupported, "a cluster has no streams in memory");
  return {};
}

}  // namespace weft::eventlog
