// Offsets that a client commits, alone or in a transaction: read, checked and answered alike.
#pragma once

#include "eventlog/kafka/edge/broker.h"

namespace weft::kafka {

// A partition that may not be committed has its error in the answer and is left out.
template <class RequestTopics, class ResponseTopics>
Offsets read_offsets(Call& call, const RequestTopics& topics, ResponseTopics& answers) {
  constexpr std::size_t kMetadataBytesMax = 4096;
  Offsets offsets;
  for (const auto& topic : topics) {
    auto& answer = answers.emplace_back();
    answer.name = topic.name;
    const auto stream = find_topic(call.session, topic.name, identity::action::kStreamRead);
    for (const auto& partition : topic.partitions) {
      const auto index = partition.partition_index;
      const auto metadata = partition.committed_metadata.value_or("");
      auto error = partition_error(stream, index);
      if (error == KafkaError::None && metadata.size() > kMetadataBytesMax) {
        error = KafkaError::OffsetMetadataTooLarge;
      }
      answer.partitions.push_back({index, code(error)});
      if (error != KafkaError::None) continue;
      CommittedOffset offset;
      offset.offset = partition.committed_offset;
      offset.leader_epoch = partition.committed_leader_epoch;
      offset.metadata = metadata;
      offsets.emplace_back(OffsetKey{(*stream)->info.topic_id, index}, std::move(offset));
    }
  }
  return offsets;
}

// What became of the offsets that were read.
template <class ResponseTopics>
void answer_offsets(KafkaError error, ResponseTopics& answers) {
  for (auto& topic : answers) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == 0) partition.error_code = code(error);
    }
  }
}

}  // namespace weft::kafka
