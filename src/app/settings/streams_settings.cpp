#include "app/settings/streams_settings.h"

namespace weft::app {

Result<StreamsBackend> streams_backend(const Settings& settings) {
  const auto name = settings.text("streams.backend");
  if (name == "embedded") return StreamsBackend::Embedded;
  if (name != "kafka") {
    return fail(ErrorCode::InvalidArgument, "streams.backend: must be embedded or kafka, not '{}'",
                name);
  }
  if (settings.text("streams.brokers").empty()) {
    return fail(ErrorCode::InvalidArgument,
                "streams.brokers: name the cluster's brokers, such as kafka-1:9092,kafka-2:9092");
  }
  return StreamsBackend::Kafka;
}

Result<eventlog::KafkaClusterOptions> cluster_options(const Settings& settings) {
  constexpr std::int64_t kReplicasMax = 32'767;  // of the protocol
  eventlog::KafkaClusterOptions options;
  if (const auto file = settings.text("streams.clientProperties"); !file.empty()) {
    auto properties = eventlog::read_kafka_properties(file);
    if (!properties)
      return std::unexpected(std::move(properties).error().within("streams.clientProperties"));
    options.client = *std::move(properties);
  }
  options.client.emplace_back("bootstrap.servers", settings.text("streams.brokers"));
  const auto replicas = settings.number("streams.replicas");
  if (replicas < 0 || replicas > kReplicasMax) {
    return fail(ErrorCode::InvalidArgument, "streams.replicas: must be from 0 to {}, not {}",
                kReplicasMax, replicas);
  }
  if (replicas > 0) options.replicas = static_cast<std::int32_t>(replicas);
  return options;
}

Result<std::int32_t> streams_shares(const Settings& settings) {
  constexpr std::int64_t kMost = 1024;
  const auto shares = settings.number("streams.shares");
  if (shares >= 1 && shares <= kMost) return static_cast<std::int32_t>(shares);
  return fail(ErrorCode::InvalidArgument, "streams.shares: must be from 1 to {}, not {}", kMost,
              shares);
}

}  // namespace weft::app
