#include "eventlog/kafka/handlers/topic_settings.h"

#include <algorithm>
#include <array>

namespace weft::kafka {
namespace {

constexpr std::array<std::string_view, 4> kChangeable = {"cleanup.policy", "max.message.bytes",
                                                         "retention.bytes", "retention.ms"};

// They have one value here.
struct FixedConfig {
  std::string_view name;
  std::string_view value;
};
constexpr std::array kFixed = {FixedConfig{"compression.type", "producer"},
                               FixedConfig{"message.timestamp.type", "CreateTime"}};

// How Kafka lays out its files, when it syncs them, and how many replicas answer: here each
// acknowledged record is on the medium, and there is one copy.
constexpr std::array<std::string_view, 18> kHints = {"delete.retention.ms",
                                                     "file.delete.delay.ms",
                                                     "flush.messages",
                                                     "flush.ms",
                                                     "index.interval.bytes",
                                                     "max.compaction.lag.ms",
                                                     "message.downconversion.enable",
                                                     "message.timestamp.after.max.ms",
                                                     "message.timestamp.before.max.ms",
                                                     "message.timestamp.difference.max.ms",
                                                     "min.cleanable.dirty.ratio",
                                                     "min.compaction.lag.ms",
                                                     "min.insync.replicas",
                                                     "preallocate",
                                                     "segment.bytes",
                                                     "segment.index.bytes",
                                                     "segment.ms",
                                                     "unclean.leader.election.enable"};

}  // namespace

std::string config_milliseconds(Duration duration) {
  if (duration == Duration::zero()) return "-1";
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::vector<ConfigEntry> topic_configs(const eventlog::StreamSettings& stream) {
  const auto bytes = stream.retention_bytes;
  return {
      {"cleanup.policy", std::string(eventlog::cleanup_name(stream.cleanup)), ConfigType::List,
       false},
      {"compression.type", "producer", ConfigType::String, true},
      {"max.message.bytes", std::to_string(stream.batch_bytes_max), ConfigType::Int, false},
      {"message.timestamp.type", "CreateTime", ConfigType::String, true},
      {"min.insync.replicas", "1", ConfigType::Int, true},
      {"retention.bytes", bytes == 0 ? "-1" : std::to_string(bytes), ConfigType::Long, false},
      {"retention.ms", config_milliseconds(stream.retention), ConfigType::Long, false},
  };
}

Result<bool> changes_topic(std::string_view name, std::string_view value) {
  if (std::ranges::find(kChangeable, name) != kChangeable.end()) return true;
  if (std::ranges::find(kHints, name) != kHints.end()) return false;
  const auto fixed = std::ranges::find(kFixed, name, &FixedConfig::name);
  if (fixed == kFixed.end()) {
    return fail(ErrorCode::InvalidArgument, "{} cannot be set on a topic", name);
  }
  if (value == fixed->value) return false;
  return fail(ErrorCode::InvalidArgument, "{} is always {} here, not {}", name, fixed->value,
              value);
}

}  // namespace weft::kafka
