// DescribeLogDirs, ElectLeaders, ListPartitionReassignments: one broker, one copy of each
// partition.
#include <set>

#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

using LogDir = DescribeLogDirsResponse::Result;

// The folder's path is no business of clients.
constexpr std::string_view kLogDir = "log";

void add_sizes(Call& call, const eventlog::Stream& stream, const std::vector<std::int32_t>* wanted,
               LogDir& into) {
  auto& topic = into.topics.emplace_back();
  topic.name = call.keep(stream.info.settings.name);
  const std::set<std::int32_t> asked =
      wanted == nullptr ? std::set<std::int32_t>() : std::set(wanted->begin(), wanted->end());
  for (std::int32_t i = 0; i < stream.info.settings.partitions; ++i) {
    if (wanted != nullptr && !asked.contains(i)) continue;
    const auto info = call.broker.parts.log.partition({stream.info.id, i});
    if (!info) continue;
    topic.partitions.push_back({i, static_cast<std::int64_t>(info->bytes), 0, false});
  }
}

}  // namespace

Task<DescribeLogDirsResponse> handle(Call& call, const DescribeLogDirsRequest& request) {
  DescribeLogDirsResponse response;
  auto& log_dir = response.results.emplace_back();
  log_dir.log_dir = kLogDir;
  if (!request.topics) {
    for (const auto& stream : call.broker.parts.topics.of_tenant(call.session.tenant())) {
      const auto& name = stream->info.settings.name;
      if (!is_internal(name) && may_see(call.session, name)) {
        add_sizes(call, *stream, nullptr, log_dir);
      }
    }
    co_return response;
  }
  for (const auto& topic : *request.topics) {
    const auto stream = find_visible_topic(call.session, topic.topic);
    if (stream) add_sizes(call, **stream, &topic.partitions, log_dir);
  }
  co_return response;
}

Task<ElectLeadersResponse> handle(Call& call, const ElectLeadersRequest& request) {
  ElectLeadersResponse response;
  // Null asks for all partitions that need one: none does.
  if (!request.topic_partitions) co_return response;
  for (const auto& asked : *request.topic_partitions) {
    auto& topic = response.replica_election_results.emplace_back();
    topic.topic = asked.topic;
    const auto stream = find_visible_topic(call.session, asked.topic);
    for (const auto index : asked.partitions) {
      auto& partition = topic.partition_result.emplace_back();
      partition.partition_id = index;
      const bool exists = stream && index >= 0 && index < (*stream)->info.settings.partitions;
      partition.error_code =
          code(exists ? KafkaError::ElectionNotNeeded : KafkaError::UnknownTopicOrPartition);
    }
  }
  co_return response;
}

Task<ListPartitionReassignmentsResponse> handle(Call&, const ListPartitionReassignmentsRequest&) {
  co_return ListPartitionReassignmentsResponse();
}

}  // namespace weft::kafka
