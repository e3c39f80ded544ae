#include "eventlog/kafka/handlers/produce.h"

#include "eventlog/core/record_batch.h"
#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/record_checks.h"
#include "eventlog/record_trace.h"
#include "runtime/log.h"

namespace weft::kafka {
namespace {

using eventlog::AppendStatus;
using eventlog::BatchHeader;
using Partition = PreparedProduce::Partition;

// The first version in which a producer may send zstd (KIP-110).
constexpr std::int16_t kProduceZstdFrom = 7;

struct Refusal {
  KafkaError error = KafkaError::None;
  std::string_view message;
};

// KafkaStorageError makes every producer try again, and know that nothing was stored.
Refusal refusal(AppendStatus status) {
  switch (status) {
    case AppendStatus::Appended:
    case AppendStatus::Duplicate:
      return {};
    case AppendStatus::OutOfOrderSequence:
      return {KafkaError::OutOfOrderSequenceNumber, {}};
    case AppendStatus::StaleProducerEpoch:
      return {KafkaError::InvalidProducerEpoch, {}};
    case AppendStatus::NotInTransaction:
      return {KafkaError::InvalidTxnState,
              "the partition is not part of an open transaction of this producer"};
    case AppendStatus::UnknownPartition:
      return {KafkaError::UnknownTopicOrPartition, {}};
    case AppendStatus::TooLarge:
      return {KafkaError::MessageTooLarge, {}};
    case AppendStatus::DiskFull:
      return {KafkaError::KafkaStorageError, "the disk is full"};
    case AppendStatus::Stopped:
      return {KafkaError::KafkaStorageError, "the log has stopped"};
    case AppendStatus::Overloaded:
      return {KafkaError::KafkaStorageError, "the log's queue is full"};
  }
  return {KafkaError::UnknownServerError, {}};
}

CheckedBatch check_batch(Call& call, const eventlog::Stream& stream, std::string_view batch,
                         Partition& partition, PreparedProduce& produce) {
  const auto bytes_max = stream.info.settings.batch_bytes_max;
  const auto no = [&](KafkaError error, std::string message) {
    refuse(partition, error, std::move(message));
    return CheckedBatch();
  };
  if (batch.size() > bytes_max) {
    return no(KafkaError::MessageTooLarge,
              fmt::format("a batch of {} bytes, the topic takes {}", batch.size(), bytes_max));
  }
  const auto header = eventlog::check_batch(batch);
  if (!header) return no(batch_error(header.error()), header.error().message);
  produce.records_sent += static_cast<std::uint64_t>(header->record_count);
  // Whether it is in one, the log knows.
  if (header->is_transactional() && header->producer_id < 0) {
    return no(KafkaError::InvalidRecord, "a transactional batch without producer");
  }
  if (header->is_transactional() && !produce.may_be_transactional) {
    return no(KafkaError::TransactionalIdAuthorizationFailed,
              "a transactional batch without a transactional id, or with one that is not granted");
  }
  if (header->codec() == eventlog::Codec::Zstd && call.version < kProduceZstdFrom) {
    return no(KafkaError::UnsupportedCompressionType, "zstd needs version 7 of Produce");
  }
  const bool compacts = eventlog::compacts(stream.info.settings.cleanup);
  const bool dedupes = stream.declared->dedupe > Duration::zero();
  if (!compacts && !dedupes && !stream.declared->validates()) return {};
  return check_records(call, *header, batch, stream, partition);
}

void add_batch(eventlog::StreamId stream, std::int32_t partition, std::string batch,
               PreparedProduce& into) {
  into.bytes += batch.size();
  into.batches.push_back({{stream, partition}, std::move(batch)});
}

void prepare_topic(Call& call, const ProduceRequest::TopicProduceData& from,
                   PreparedProduce& into) {
  auto& topic = into.topics.emplace_back();
  topic.name = from.name;
  const auto stream = find_topic(call.session, from.name, identity::action::kStreamWrite);
  for (const auto& sent : from.partition_data) {
    auto& partition = topic.partitions.emplace_back();
    partition.index = sent.index;
    if (!stream) {
      refuse(partition, stream.error(), {});
      continue;
    }
    topic.stream = *stream;
    if (const auto& source = (*stream)->declared->quarantine_of; !source.empty()) {
      refuse(partition, KafkaError::PolicyViolation,
             fmt::format("it takes what {} refuses, and nothing else", source));
      continue;
    }
    if (sent.index < 0 || sent.index >= (*stream)->info.settings.partitions) {
      refuse(partition, KafkaError::UnknownTopicOrPartition, "no such partition");
      continue;
    }
    const auto batch = sent.records ? sent.records->view : std::string_view();
    into.bytes_sent += batch.size();
    if (auto has_room = call.check_storage(); !has_room) {
      refuse(partition, KafkaError::PolicyViolation, std::move(has_room).error().message);
      continue;
    }
    auto checked = check_batch(call, **stream, batch, partition, into);
    if (partition.error != KafkaError::None) {
      call.broker.metrics.batches_refused.add();
      continue;
    }
    call.broker.metrics.produced_bytes.add(batch.size());
    partition.batch = static_cast<std::int32_t>(into.batches.size());
    if (checked.batch.empty()) checked.batch = batch;
    add_batch((*stream)->info.id, sent.index, std::move(checked.batch), into);
    if (checked.quarantined.empty()) continue;
    add_batch(partition.quarantine, 0, std::move(checked.quarantined), into);
    into.batches.back().with_previous = true;
  }
}

void refuse_all(const ProduceRequest& request, KafkaError error, const char* message,
                PreparedProduce& into) {
  for (const auto& from : request.topic_data) {
    auto& topic = into.topics.emplace_back();
    topic.name = from.name;
    for (const auto& sent : from.partition_data) {
      auto& partition = topic.partitions.emplace_back();
      partition.index = sent.index;
      refuse(partition, error, message);
    }
  }
}

using PartitionResponse = ProduceResponse::TopicProduceResponse::PartitionProduceResponse;

PartitionResponse answer(const Partition& partition,
                         const std::vector<eventlog::AppendedBatch>& appended) {
  PartitionResponse answer;
  answer.index = partition.index;
  answer.base_offset = -1;
  auto error = partition.error;
  if (partition.batch >= 0) {
    const auto& batch = appended[static_cast<std::size_t>(partition.batch)];
    const auto refused = refusal(batch.status);
    error = refused.error;
    if (!refused.message.empty()) answer.error_message = refused.message;
    if (error == KafkaError::None) {
      answer.base_offset = batch.base_offset;
      answer.log_append_time_ms = batch.append_time_ms;
    }
    answer.log_start_offset = batch.log_start;
  }
  answer.error_code = code(error);
  for (const auto& [index, reason] : partition.record_errors) {
    answer.record_errors.push_back({index, std::string_view(reason)});
  }
  if (!partition.message.empty()) answer.error_message = partition.message;
  return answer;
}

void record_span(Call& call, const PreparedProduce::Topic& topic, const Partition& partition,
                 const PreparedProduce::KeyedRecord& keyed, eventlog::Offset offset,
                 WallTime received) {
  auto& parts = call.broker.parts;
  constexpr std::size_t kAlways = 7;
  const auto partition_text = std::to_string(partition.index);
  const auto offset_text = std::to_string(offset);
  std::array<std::pair<std::string_view, std::string_view>, kAlways + contracts::kBusinessKeysMax>
      attributes = {{{"service.name", "eventlog"},
                     {"messaging.system", "weft"},
                     {"messaging.operation.name", "produce"},
                     {"messaging.destination.name", topic.name},
                     {"messaging.destination.partition.id", partition_text},
                     {"messaging.kafka.offset", offset_text},
                     {"messaging.client.id", call.session.client_id}}};
  auto count = kAlways;
  for (const auto& key : keyed.keys) attributes[count++] = {key.attribute, key.value};
  const auto name = "produce " + topic.name;
  SpanView span;
  span.context = keyed.parent ? keyed.parent->child(parts.random)
                              : eventlog::trace_of_record(topic.stream->info.topic_id,
                                                          partition.index, offset);
  if (keyed.parent) span.parent_id = keyed.parent->span_id;
  span.name = name;
  span.kind = SpanKind::Producer;
  span.start = received;
  span.end = parts.clock.now();
  span.attributes = std::span(attributes).first(count);
  parts.spans->record_view(span);
}

void record_spans(Call& call, const PreparedProduce& produce,
                  const std::vector<eventlog::AppendedBatch>& appended) {
  for (const auto& topic : produce.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.batch < 0) continue;
      const auto& batch = appended[static_cast<std::size_t>(partition.batch)];
      if (batch.status != AppendStatus::Appended) continue;
      for (const auto& keyed : partition.keyed) {
        record_span(call, topic, partition, keyed, batch.base_offset + keyed.index,
                    produce.received);
      }
    }
  }
}

// Events that are in the log now are known; the claims of the others end with the request.
void settle_claims(PreparedProduce& produce, const std::vector<eventlog::AppendedBatch>& appended) {
  for (auto& topic : produce.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.batch < 0 || partition.claims.empty()) continue;
      const auto status = appended[static_cast<std::size_t>(partition.batch)].status;
      if (status == AppendStatus::Appended || status == AppendStatus::Duplicate) {
        partition.claims.settle();
      }
    }
  }
}

}  // namespace

PreparedProduce prepare_produce(Call& call, const ProduceRequest& request) {
  PreparedProduce prepared;
  prepared.wants_response = request.acks != 0;
  prepared.received = call.broker.parts.clock.now();
  if (request.acks < -1 || request.acks > 1) {
    refuse_all(request, KafkaError::InvalidRequiredAcks, "acks is -1, 0 or 1", prepared);
    return prepared;
  }
  // As in Kafka, who writes into a transaction names it, and may.
  prepared.may_be_transactional =
      request.transactional_id && permits_transaction(call.session, *request.transactional_id);
  prepared.topics.reserve(request.topic_data.size());
  for (const auto& topic : request.topic_data) prepare_topic(call, topic, prepared);
  call.take(eventlog::QuotaRate::ProduceBytes, prepared.bytes_sent);
  call.take(eventlog::QuotaRate::ProduceRecords, prepared.records_sent);
  return prepared;
}

Task<void> append_produce(Call& call, PreparedProduce produce) {
  std::vector<eventlog::AppendedBatch> appended;
  if (!produce.batches.empty()) {
    appended = co_await call.broker.parts.batches.append(std::move(produce.batches));
    record_spans(call, produce, appended);
    settle_claims(produce, appended);
  }
  ProduceResponse response;
  response.throttle_time_ms = call.throttle_ms();
  bool failed = false;
  response.responses.reserve(produce.topics.size());
  for (const auto& topic : produce.topics) {
    auto& answers = response.responses.emplace_back();
    answers.name = topic.name;
    answers.partition_responses.reserve(topic.partitions.size());
    for (const auto& partition : topic.partitions) {
      answers.partition_responses.push_back(answer(partition, appended));
      failed = failed || answers.partition_responses.back().error_code != 0;
    }
  }
  if (produce.wants_response) {
    call.respond(response);
  } else if (failed) {
    log_warn("kafka", "a produce request without acknowledgement failed",
             {{"peer", call.session.peer}, {"client", call.session.client_id}});
    call.closes = true;
  }
}

}  // namespace weft::kafka
