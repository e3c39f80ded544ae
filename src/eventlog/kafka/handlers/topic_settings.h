// A topic's configuration under Kafka's names: what is shown, and what a client may ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eventlog/types.h"

namespace weft::kafka {

enum class ConfigSource : std::int8_t { DynamicTopic = 1, StaticBroker = 4, Default = 5 };
enum class ConfigType : std::int8_t { String = 2, Int = 3, Long = 5, List = 7 };

struct ConfigEntry {
  std::string_view name;
  std::string value;
  ConfigType type = ConfigType::String;
  bool read_only = false;
};

// What is in force, and nothing else.
std::vector<ConfigEntry> topic_configs(const eventlog::StreamSettings& stream);
std::string config_milliseconds(Duration duration);  // "-1" for none

// Whether a client's config changes the topic. False for what has the value it always has here, and
// for hints about segments and replicas, which this log needs not. InvalidArgument: what it cannot
// promise, or does not know.
Result<bool> changes_topic(std::string_view name, std::string_view value);

}  // namespace weft::kafka
