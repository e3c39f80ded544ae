// ListOffsets, OffsetForLeaderEpoch, DeleteRecords.
#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/leader_epoch.h"

namespace weft::kafka {
namespace {

using eventlog::Offset;
using eventlog::PartitionId;
using eventlog::PartitionInfo;

// Offsets that are asked for by a negative "timestamp".
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kOfMaxTimestamp = -3;  // KIP-734
constexpr std::int64_t kEarliestLocal = -4;   // KIP-405; everything is local here
constexpr std::int64_t kLatestTiered = -5;    // nothing is tiered here

struct Found {
  KafkaError error = KafkaError::None;
  Offset offset = -1;
  std::int64_t timestamp = -1;
};

Found from_error(const Error& error) {
  Found found;
  found.error = error.code == ErrorCode::NotFound ? KafkaError::UnknownTopicOrPartition
                                                  : KafkaError::KafkaStorageError;
  return found;
}

// The first record at or after the time, if there is one.
Task<Found> find_by_time(eventlog::EventLog& log, PartitionId partition, Offset end,
                         std::int64_t unix_ms) {
  const auto offset = co_await log.offset_at(partition, from_unix_ms(unix_ms));
  if (!offset) co_return from_error(offset.error());
  Found found;
  if (*offset >= end) co_return found;
  eventlog::ReadRequest request;
  request.partition = partition;
  request.from = *offset;
  request.bytes_max = 1;
  request.records_max = 1;
  request.committed_only = false;
  const auto read = co_await log.read(request);
  if (!read) co_return from_error(read.error());
  if (read->records.empty()) co_return found;
  found.offset = read->records.front().offset;
  found.timestamp = to_unix_ms(read->records.front().timestamp);
  co_return found;
}

// Halves the time until the last moment for which there is a record at or after it.
Task<Found> find_max_timestamp(eventlog::EventLog& log, PartitionId partition, Offset end) {
  constexpr std::int64_t kTimeEnd = std::int64_t{1} << 43;  // the year 2248
  std::int64_t low = 0;  // there is a record at or after `low`, none at or after `high`
  std::int64_t high = kTimeEnd;
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    const auto offset = co_await log.offset_at(partition, from_unix_ms(middle));
    if (!offset) co_return from_error(offset.error());
    if (*offset < end) {
      low = middle;
    } else {
      high = middle;
    }
  }
  co_return co_await find_by_time(log, partition, end, low);
}

// `end`: up to where the reader sees records.
Task<Found> find_offset(eventlog::EventLog& log, PartitionId partition, PartitionInfo info,
                        Offset end, std::int64_t timestamp) {
  Found found;
  switch (timestamp) {
    case kLatest:
      found.offset = end;
      co_return found;
    case kEarliest:
    case kEarliestLocal:
      found.offset = info.start;
      co_return found;
    case kLatestTiered:
      co_return found;
    case kOfMaxTimestamp:
      break;
    default:
      break;
  }
  if (timestamp == kOfMaxTimestamp) co_return co_await find_max_timestamp(log, partition, end);
  if (timestamp < 0) {
    found.error = KafkaError::InvalidRequest;
    co_return found;
  }
  co_return co_await find_by_time(log, partition, end, timestamp);
}

}  // namespace

Task<ListOffsetsResponse> handle(Call& call, const ListOffsetsRequest& request) {
  auto& log = call.broker.parts.log;
  const bool committed_only = request.isolation_level == kReadCommitted;
  ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const auto stream = find_topic(call.session, topic.name, identity::action::kStreamRead);
    for (const auto& asked : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = asked.partition_index;
      if (!stream) {
        answer.error_code = code(stream.error());
        continue;
      }
      const PartitionId partition{(*stream)->info.id, asked.partition_index};
      const auto info = log.partition(partition);
      const auto error = info ? check_epoch(asked.current_leader_epoch, info->leader_epoch)
                              : KafkaError::UnknownTopicOrPartition;
      if (error != KafkaError::None) {
        answer.error_code = code(error);
        continue;
      }
      const auto end = committed_only ? info->stable_end : info->end;
      const auto found = co_await find_offset(log, partition, *info, end, asked.timestamp);
      answer.error_code = code(found.error);
      answer.offset = found.offset;
      answer.timestamp = found.timestamp;
      if (found.offset >= 0) answer.leader_epoch = info->leader_epoch;
    }
  }
  co_return response;
}

Task<OffsetForLeaderEpochResponse> handle(Call& call, const OffsetForLeaderEpochRequest& request) {
  auto& parts = call.broker.parts;
  OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.topic = topic.topic;
    const auto stream = find_topic(call.session, topic.topic, identity::action::kStreamRead);
    for (const auto& asked : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition = asked.partition;
      const auto id = stream ? (*stream)->info.id : eventlog::StreamId{};
      const PartitionId partition{id, asked.partition};
      const auto info = stream ? parts.log.partition(partition) : std::nullopt;
      auto error = stream ? KafkaError::UnknownTopicOrPartition : stream.error();
      if (info) error = check_epoch(asked.current_leader_epoch, info->leader_epoch);
      answer.error_code = code(error);
      if (error != KafkaError::None) continue;
      // An epoch that is not known yet has no end, which is no error (KIP-320).
      if (asked.leader_epoch > info->leader_epoch) continue;
      const auto ended = parts.batches.epoch_end(partition, asked.leader_epoch);
      if (!ended) continue;
      answer.leader_epoch = ended->epoch;
      answer.end_offset = ended->end;
    }
  }
  co_return response;
}

Task<DeleteRecordsResponse> handle(Call& call, const DeleteRecordsRequest& request) {
  constexpr Offset kToTheEnd = -1;
  auto& parts = call.broker.parts;
  DeleteRecordsResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const auto stream = find_topic(call.session, topic.name, identity::action::kStreamDelete);
    for (const auto& asked : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = asked.partition_index;
      answer.low_watermark = -1;
      if (!stream) {
        answer.error_code = code(stream.error());
        continue;
      }
      const PartitionId partition{(*stream)->info.id, asked.partition_index};
      const auto info = parts.log.partition(partition);
      if (!info) {
        answer.error_code = code(KafkaError::UnknownTopicOrPartition);
        continue;
      }
      const auto before = asked.offset == kToTheEnd ? info->end : asked.offset;
      const auto start = co_await parts.batches.delete_records(partition, before);
      if (start) {
        answer.low_watermark = *start;
      } else {
        const bool beyond = start.error().code == ErrorCode::OutOfRange;
        answer.error_code =
            code(beyond ? KafkaError::OffsetOutOfRange : KafkaError::KafkaStorageError);
      }
    }
  }
  co_return response;
}

}  // namespace weft::kafka
