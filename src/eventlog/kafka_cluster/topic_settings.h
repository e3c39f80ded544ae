// A stream's settings as a topic's name and configuration, and back. Pure.
#pragma once

#include <optional>
#include <string>

#include "eventlog/kafka_cluster/kafka_client.h"
#include "eventlog/types.h"

namespace weft::eventlog {

// `<tenant>.<name>`.
std::string topic_name(const StreamSettings& settings);
// Of the name: a topic that is deleted and made again has the same. (The client library tells no
// ids of topics.)
Uuid topic_id(std::string_view topic);
KafkaProperties configs_of(const StreamSettings& settings);
KafkaNewTopic new_topic(const StreamSettings& settings, std::int32_t replicas);
// Absent: the topic's name has no tenant, so it is no stream.
std::optional<StreamSettings> settings_of(const KafkaTopicView& topic,
                                          const KafkaProperties& configs);
// InvalidArgument, Unsupported: what a topic cannot become.
Result<> may_become(const StreamSettings& now, const StreamSettings& wanted);

}  // namespace weft::eventlog
