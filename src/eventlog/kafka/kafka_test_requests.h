// What the Kafka edge's own tests send, and how they look at the answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eventlog/core/record_batch.h"
#include "eventlog/kafka/messages/all.h"

namespace weft::kafka {

// An answer with the frame that its texts are views of.
template <class Response>
struct Answer {
  std::string frame;
  std::int32_t correlation_id = 0;
  Response body;
  const Response* operator->() const { return &body; }
};

inline std::string batch_of(const std::vector<std::string>& values,
                            eventlog::Codec codec = eventlog::Codec::None,
                            std::int64_t unix_ms = 1'700'000'000'000) {
  eventlog::BatchOptions options;
  options.codec = codec;
  eventlog::BatchBuilder builder(options);
  for (const auto& value : values) builder.add(unix_ms++, std::nullopt, value);
  return builder.finish().value();
}

inline ProduceRequest produce_request(std::string_view topic, std::string_view batch,
                                      std::int32_t partition = 0) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 1000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& sent = data.partition_data.emplace_back();
  sent.index = partition;
  sent.records->view = batch;
  return request;
}

// Of one topic with one partition.
inline const auto& only_partition(const Answer<ProduceResponse>& answer) {
  return answer->responses.at(0).partition_responses.at(0);
}
inline const auto& only_partition(const Answer<FetchResponse>& answer) {
  return answer->responses.at(0).partitions.at(0);
}

inline FetchRequest fetch_request(const eventlog::StreamInfo& stream, eventlog::Offset from,
                                  Duration wait = Duration::zero()) {
  FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(wait).count());
  request.min_bytes = 1;
  request.max_bytes = 1 << 20;
  auto& topic = request.topics.emplace_back();
  topic.topic = stream.settings.name;
  topic.topic_id = stream.topic_id;
  auto& partition = topic.partitions.emplace_back();
  partition.fetch_offset = from;
  partition.partition_max_bytes = 1 << 20;
  return request;
}

}  // namespace weft::kafka
