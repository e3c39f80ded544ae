// The `streams.*` settings that say where streams are.
#pragma once

#include "app/settings/settings.h"
#include "eventlog/kafka_cluster/kafka_cluster_log.h"

namespace weft::app {

enum class StreamsBackend : unsigned char { Embedded, Kafka };

// InvalidArgument names the setting that is wrong.
Result<StreamsBackend> streams_backend(const Settings& settings);
Result<eventlog::KafkaClusterOptions> cluster_options(const Settings& settings);
// In how many parts the nodes share deliveries.
Result<std::int32_t> streams_shares(const Settings& settings);

}  // namespace weft::app
