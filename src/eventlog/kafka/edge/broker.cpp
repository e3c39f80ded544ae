#include "eventlog/kafka/edge/broker.h"

#include <algorithm>
#include <array>
#include <span>

namespace weft::kafka {

BrokerMetrics::BrokerMetrics(Metrics& metrics)
    : connections(metrics.gauge("weft_eventlog_kafka_connections", "Open Kafka connections")),
      connections_refused(metrics.counter("weft_eventlog_kafka_connections_refused_total",
                                          "Kafka connections beyond the limit")),
      frames_refused(metrics.counter("weft_eventlog_kafka_frames_refused_total",
                                     "Kafka requests that could not be read or are not served")),
      authentications_failed(metrics.counter("weft_eventlog_kafka_authentications_failed_total",
                                             "Failed SASL authentications")),
      produced_bytes(metrics.counter("weft_eventlog_kafka_produced_bytes_total",
                                     "Batch bytes that Kafka producers sent")),
      fetched_bytes(metrics.counter("weft_eventlog_kafka_fetched_bytes_total",
                                    "Batch bytes given to Kafka consumers")),
      file_bytes(metrics.counter("weft_eventlog_kafka_file_bytes_total",
                                 "Of these, bytes that went from their file to the socket")),
      records_refused(metrics.counter("weft_eventlog_kafka_records_refused_total",
                                      "Records that violate their stream's contract")),
      records_quarantined(
          metrics.counter("weft_eventlog_kafka_records_quarantined_total",
                          "Records that violate their stream's contract and were put aside")),
      records_expired(metrics.counter("weft_eventlog_kafka_records_expired_total",
                                      "Records that consumers were not given because they are "
                                      "older than the ttl of their stream")),
      batches_refused(metrics.counter("weft_eventlog_kafka_batches_refused_total",
                                      "Batches refused before they reached the log")),
      keys_not_recorded(
          metrics.counter("weft_eventlog_kafka_keys_not_recorded_total",
                          "Records of large batches that are not found by their business keys")),
      denials(metrics.counter("weft_eventlog_kafka_denials_total",
                              "What Kafka clients were refused for want of a grant")) {}

std::int32_t Call::take(eventlog::QuotaRate rate, std::uint64_t amount) {
  if (broker.parts.quotas == nullptr) return 0;
  auto& quotas = *broker.parts.quotas;
  const auto& by = *session.principal;
  quotas.refresh(session.quota, by.tenant, by.name, session.client_id);
  throttle = std::max(throttle, quotas.take(session.quota, rate, amount));
  return throttle_ms();
}

Result<> Call::check_storage() {
  if (broker.parts.quotas == nullptr) return {};
  auto& quotas = *broker.parts.quotas;
  const auto& by = *session.principal;
  quotas.refresh(session.quota, by.tenant, by.name, session.client_id);
  return quotas.check_storage(session.quota);
}

std::int32_t Call::throttle_ms() const {
  return static_cast<std::int32_t>(std::chrono::ceil<std::chrono::milliseconds>(throttle).count());
}

bool is_internal(std::string_view stream) {
  return stream.starts_with("__");
}

bool is_topic_name(std::string_view name) {
  constexpr std::size_t kBytesMax = 249;
  if (name.empty() || name.size() > kBytesMax || name == "." || name == "..") return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

namespace {

eventlog::StreamRef lookup(const Session& session, std::string_view name) {
  return is_internal(name) ? nullptr : session.broker.parts.topics.find(session.tenant(), name);
}

eventlog::StreamRef lookup(Session& session, const Uuid& id) {
  if (const auto seen = session.topics_seen.find(id); seen != session.topics_seen.end()) {
    auto stream = lookup(session, seen->second);
    if (stream && stream->info.topic_id == id) return stream;
    session.topics_seen.erase(seen);
  }
  for (auto& stream : session.broker.parts.topics.of_tenant(session.tenant())) {
    const auto& name = stream->info.settings.name;
    if (stream->info.topic_id != id || is_internal(name)) continue;
    session.topics_seen.emplace(id, name);
    return stream;
  }
  return nullptr;
}

FoundTopic visible(const Session& session, eventlog::StreamRef stream, KafkaError unknown) {
  if (!stream) return std::unexpected(unknown);
  if (!permits_describing(session, Asked::Stream, stream->info.settings.name)) {
    return std::unexpected(KafkaError::TopicAuthorizationFailed);
  }
  return stream;
}

FoundTopic permitted(const Session& session, eventlog::StreamRef stream, std::string_view action,
                     KafkaError unknown) {
  if (!stream) return std::unexpected(unknown);
  if (!permits(session, action, Asked::Stream, stream->info.settings.name)) {
    return std::unexpected(KafkaError::TopicAuthorizationFailed);
  }
  return stream;
}

}  // namespace

namespace {

namespace action = identity::action;

// The action of describing first; each of the others implies it, as in Kafka.
std::span<const std::string_view> implying_description(Asked kind) {
  static constexpr std::array kStream = {action::kStreamDescribe, action::kStreamRead,
                                         action::kStreamWrite};
  static constexpr std::array kGroup = {action::kGroupDescribe, action::kGroupUse,
                                        action::kGroupAlter};
  static constexpr std::array kTransaction = {action::kTransactionDescribe,
                                              action::kTransactionUse};
  switch (kind) {
    case Asked::Stream:
      return kStream;
    case Asked::Group:
      return kGroup;
    case Asked::TransactionalId:
      return kTransaction;
  }
  return kStream;
}

std::string_view kind_name(Asked kind) {
  switch (kind) {
    case Asked::Stream:
      return "Stream";
    case Asked::Group:
      return "Group";
    case Asked::TransactionalId:
      return "TransactionalId";
  }
  return "Stream";
}

identity::Decision decision(const Session& session, std::string_view asked, Asked kind,
                            std::string_view name) {
  const identity::ResourceRef resource{session.tenant(), kind_name(kind), name};
  return identity::Decisions().decide(*session.principal, asked, resource);
}

void tell(const Session& session, const identity::Decision& decided, std::string_view asked,
          Asked kind, std::string_view name) {
  session.broker.metrics.denials.add();
  auto* journal = session.broker.parts.denials;
  if (journal == nullptr) return;
  const identity::ResourceRef resource{session.tenant(), kind_name(kind), name};
  const auto why = identity::Decisions().explain(decided, *session.principal, asked, resource);
  journal->note(*session.principal, asked, resource, why);
}

}  // namespace

bool permits(const Session& session, std::string_view asked, Asked kind, std::string_view name) {
  const auto decided = decision(session, asked, kind, name);
  if (!decided) tell(session, decided, asked, kind, name);
  return decided.allowed();
}

bool permits_group(const Session& session, std::string_view group) {
  return permits(session, action::kGroupUse, Asked::Group, group);
}

bool permits_transaction(const Session& session, std::string_view id) {
  return permits(session, action::kTransactionUse, Asked::TransactionalId, id);
}

bool may_describe(const Session& session, Asked kind, std::string_view name) {
  for (const auto each : implying_description(kind)) {
    const auto decided = decision(session, each, kind, name);
    if (decided) return true;
    const bool is_description = each == implying_description(kind).front();
    if (is_description && decided.reason == identity::DecisionReason::Denied) return false;
  }
  return false;
}

bool permits_describing(const Session& session, Asked kind, std::string_view name) {
  if (may_describe(session, kind, name)) return true;
  const auto asked = implying_description(kind).front();
  tell(session, decision(session, asked, kind, name), asked, kind, name);
  return false;
}

bool may_see(const Session& session, std::string_view topic) {
  return may_describe(session, Asked::Stream, topic);
}

FoundTopic find_topic(const Session& session, std::string_view name, std::string_view action) {
  return permitted(session, lookup(session, name), action, KafkaError::UnknownTopicOrPartition);
}

FoundTopic find_topic(Session& session, const Uuid& id, std::string_view action) {
  return permitted(session, lookup(session, id), action, KafkaError::UnknownTopicId);
}

KafkaError partition_error(const FoundTopic& topic, std::int32_t partition) {
  if (!topic) return topic.error();
  const bool is_known = partition >= 0 && partition < (*topic)->info.settings.partitions;
  return is_known ? KafkaError::None : KafkaError::UnknownTopicOrPartition;
}

FoundTopic find_visible_topic(const Session& session, std::string_view name) {
  return visible(session, lookup(session, name), KafkaError::UnknownTopicOrPartition);
}

FoundTopic find_visible_topic(Session& session, const Uuid& id) {
  return visible(session, lookup(session, id), KafkaError::UnknownTopicId);
}

}  // namespace weft::kafka
