#include <algorithm>

#include "eventlog/core/record_batch.h"
#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/leader_epoch.h"

namespace weft::kafka {
namespace {

using eventlog::FetchedPartition;
using FetchTopic = FetchRequest::FetchTopic;
using TopicResponse = FetchResponse::FetchableTopicResponse;
using PartitionData = TopicResponse::PartitionData;

// The first version in which a consumer is given zstd (KIP-110), and topic ids replace names.
constexpr std::int16_t kFetchZstdFrom = 10;
constexpr std::int16_t kFetchTopicIdFrom = 13;
KafkaError fetch_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::NotFound:
      return KafkaError::UnknownTopicOrPartition;
    case ErrorCode::OutOfRange:
      return KafkaError::OffsetOutOfRange;
    case ErrorCode::DataLoss:
      return KafkaError::CorruptMessage;
    default:
      return KafkaError::KafkaStorageError;
  }
}

std::uint32_t bytes(std::int32_t limit) {
  return static_cast<std::uint32_t>(std::max(limit, 0));
}

PartitionData refused(std::int32_t index, KafkaError error) {
  PartitionData partition;
  partition.partition_index = index;
  partition.error_code = code(error);
  partition.high_watermark = -1;
  partition.aborted_transactions.reset();
  return partition;
}

// Where the answer to an item of the log belongs in the response.
struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

struct Plan {
  FetchResponse response;
  std::vector<eventlog::FetchItem> items;
  std::vector<Duration> ttls;  // of the items' streams
  std::vector<Place> places;
  bool any_error = false;
};

void plan_topic(Call& call, const FetchTopic& topic, Plan& plan) {
  auto& answer = plan.response.responses.emplace_back();
  answer.topic = topic.topic;
  answer.topic_id = topic.topic_id;
  constexpr auto kRead = identity::action::kStreamRead;
  const auto stream = call.version >= kFetchTopicIdFrom
                          ? find_topic(call.session, topic.topic_id, kRead)
                          : find_topic(call.session, topic.topic, kRead);
  answer.partitions.reserve(topic.partitions.size());
  for (const auto& asked : topic.partitions) {
    auto error = stream ? KafkaError::None : stream.error();
    if (stream) {
      const auto info = call.broker.parts.log.partition({(*stream)->info.id, asked.partition});
      error = info ? check_epoch(asked.current_leader_epoch, info->leader_epoch)
                   : KafkaError::UnknownTopicOrPartition;
    }
    answer.partitions.push_back(refused(asked.partition, error));
    if (error != KafkaError::None) {
      plan.any_error = true;
      continue;
    }
    plan.places.push_back({plan.response.responses.size() - 1, answer.partitions.size() - 1});
    plan.items.push_back({{(*stream)->info.id, asked.partition},
                          asked.fetch_offset,
                          bytes(asked.partition_max_bytes)});
    plan.ttls.push_back((*stream)->declared->ttl);
  }
}

// Gives how many bytes of records it put in.
std::size_t fill(Call& call, FetchedPartition fetched, PartitionData& into) {
  if (fetched.error) {
    into.error_code = code(fetch_error(*fetched.error));
    if (*fetched.error == ErrorCode::NotFound) return 0;
  }
  into.high_watermark = fetched.info.end;
  into.last_stable_offset = fetched.info.stable_end;
  into.log_start_offset = fetched.info.start;
  if (fetched.error) return 0;
  if (call.version < kFetchZstdFrom) {
    for (const auto& batch : fetched.batches) {
      const auto header = eventlog::read_batch_header(*batch);
      if (!header || header->codec() != eventlog::Codec::Zstd) continue;
      into.error_code = code(KafkaError::UnsupportedCompressionType);
      return 0;
    }
  }
  into.records->buffers = std::move(fetched.batches);
  into.records->files = std::move(fetched.files);
  const auto size = into.records->size();
  call.broker.metrics.fetched_bytes.add(size);
  return size;
}

// Where nothing is left between the offset asked for and where to go on, the client would ask for
// ever: an empty batch takes it there.
void bridge_hole(eventlog::Offset from, FetchedPartition& fetched) {
  if (fetched.error || !fetched.is_empty() || from < fetched.info.start || from >= fetched.next)
    return;
  fetched.batches.push_back(std::make_shared<const std::string>(
      eventlog::empty_batch(from, fetched.next, fetched.info.leader_epoch)));
}

// Records that are too old are passed over: the client goes on behind them.
Task<void> pass_expired(Call& call, Plan& plan) {
  auto& parts = call.broker.parts;
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    if (plan.ttls[i] == Duration::zero()) continue;
    auto& item = plan.items[i];
    // Outside of the partition the client is told so.
    const auto info = parts.log.partition(item.partition);
    if (!info || item.from < info->start || item.from > info->end) continue;
    const auto live =
        co_await parts.log.offset_at(item.partition, parts.clock.now() - plan.ttls[i]);
    if (!live || *live <= item.from) continue;
    call.broker.metrics.records_expired.add(static_cast<std::uint64_t>(*live - item.from));
    item.from = *live;
  }
}

}  // namespace

Task<FetchResponse> handle(Call& call, const FetchRequest& request) {
  // A session id of 0 in the answer says that there is no session (KIP-227), so every request names
  // all of its partitions.
  Plan plan;
  plan.response.responses.reserve(request.topics.size());
  for (const auto& topic : request.topics) plan_topic(call, topic, plan);

  eventlog::FetchOptions options;
  const auto& limits = call.broker.options.limits;
  options.bytes_max = std::min(bytes(request.max_bytes), limits.fetch_bytes_max);
  options.bytes_min = bytes(request.min_bytes);
  options.committed_only = request.isolation_level == kReadCommitted;
  // What goes over TLS passes through this process anyway, and what an old client may not be given
  // has to be looked at.
  options.from_files = call.session.is_plain && call.version >= kFetchZstdFrom;
  const Duration wanted = std::chrono::milliseconds(std::max(request.max_wait_ms, 0));
  const bool waits = !plan.any_error && !plan.items.empty();
  options.wait = waits ? std::min(wanted, limits.fetch_wait_max) : Duration{};

  std::vector<eventlog::Offset> asked_from;
  for (const auto& item : plan.items) asked_from.push_back(item.from);
  co_await pass_expired(call, plan);
  auto fetched = co_await call.broker.parts.batches.fetch(std::move(plan.items), options);
  std::size_t given = 0;
  for (std::size_t i = 0; i < fetched.size() && i < plan.places.size(); ++i) {
    const auto [topic, partition] = plan.places[i];
    auto& into = plan.response.responses[topic].partitions[partition];
    bridge_hole(asked_from[i], fetched[i]);
    if (options.committed_only) {
      auto& aborted = into.aborted_transactions.emplace();
      for (const auto& each : fetched[i].aborted) aborted.push_back({each.producer_id, each.first});
    }
    given += fill(call, std::move(fetched[i]), into);
  }
  plan.response.throttle_time_ms = call.take(eventlog::QuotaRate::FetchBytes, given);
  co_return std::move(plan.response);
}

}  // namespace weft::kafka
