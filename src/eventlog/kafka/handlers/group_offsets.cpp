// OffsetCommit, OffsetFetch, OffsetDelete. Clients name topics; the coordinator keeps topic ids.
#include <map>

#include "eventlog/kafka/handlers/committed_offsets.h"
#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

constexpr std::int16_t kGroupsFrom = 8;  // of OffsetFetch (KIP-709)

struct Fetched {
  GroupOffsets offsets;
  bool requires_stable = false;  // KIP-447
};

// One partition of an OffsetFetch answer: the same in both of its forms.
template <class Partition>
void fill(Call& call, const Fetched& fetched, const OffsetKey& key, Partition& into) {
  into.partition_index = key.partition;
  into.committed_offset = -1;
  into.metadata = "";
  if (fetched.requires_stable && fetched.offsets.unstable.contains(key)) {
    into.error_code = code(KafkaError::UnstableOffsetCommit);
    return;
  }
  const auto found = fetched.offsets.committed.find(key);
  if (found == fetched.offsets.committed.end()) return;
  into.committed_offset = found->second.offset;
  into.committed_leader_epoch = found->second.leader_epoch;
  into.metadata = call.keep(found->second.metadata);
}

template <class Topic>
void fill_asked(Call& call, const Fetched& fetched, std::string_view name,
                const std::vector<std::int32_t>& partitions, std::vector<Topic>& into) {
  auto& topic = into.emplace_back();
  topic.name = name;
  const auto stream = find_topic(call.session, name, identity::action::kStreamRead);
  for (const auto index : partitions) {
    auto& partition = topic.partitions.emplace_back();
    // A topic that does not exist has no offsets, which is no error here.
    const auto id = stream ? (*stream)->info.topic_id : Uuid();
    fill(call, fetched, {id, index}, partition);
    if (!stream && stream.error() == KafkaError::TopicAuthorizationFailed) {
      partition.error_code = code(stream.error());
    }
  }
}

template <class Topic>
void fill_all(Call& call, const Fetched& fetched, std::vector<Topic>& into) {
  Uuid current;
  bool visible = false;
  for (const auto& [key, offset] : fetched.offsets.committed) {
    if (into.empty() || key.topic != current) {
      current = key.topic;
      const auto stream = find_topic(call.session, key.topic, identity::action::kStreamRead);
      visible = stream.has_value();
      if (visible) into.emplace_back().name = call.keep((*stream)->info.settings.name);
    }
    if (visible) fill(call, fetched, key, into.back().partitions.emplace_back());
  }
}

// Version 1 has no place for an error but that of each partition.
void refuse_fetch(Call& call, const OffsetFetchRequest& request, OffsetFetchResponse& response) {
  constexpr std::int16_t kErrorFrom = 2;
  const auto error = code(KafkaError::GroupAuthorizationFailed);
  response.error_code = error;
  if (call.version >= kErrorFrom || !request.topics) return;
  for (const auto& asked : *request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (const auto index : asked.partition_indexes) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = index;
      partition.committed_offset = -1;
      partition.metadata = "";
      partition.error_code = error;
    }
  }
}

}  // namespace

Task<OffsetCommitResponse> handle(Call& call, const OffsetCommitRequest& request) {
  OffsetCommitResponse response;
  CommitRequest commit;
  commit.member.member_id = request.member_id;
  if (request.group_instance_id) {
    commit.member.instance_id = std::string(*request.group_instance_id);
  }
  commit.member.generation = request.generation_id_or_member_epoch;
  commit.offsets = read_offsets(call, request.topics, response.topics);
  if (!permits_group(call.session, request.group_id)) {
    answer_offsets(KafkaError::GroupAuthorizationFailed, response.topics);
    co_return response;
  }
  GroupKey key{call.session.tenant(), std::string(request.group_id)};
  const auto error = co_await call.broker.parts.groups.commit(std::move(key), std::move(commit));
  answer_offsets(error, response.topics);
  co_return response;
}

Task<OffsetFetchResponse> handle(Call& call, const OffsetFetchRequest& request) {
  OffsetFetchResponse response;
  auto& groups = call.broker.parts.groups;
  if (call.version < kGroupsFrom) {
    if (!permits_describing(call.session, Asked::Group, request.group_id)) {
      refuse_fetch(call, request, response);
      co_return response;
    }
    GroupKey key{call.session.tenant(), std::string(request.group_id)};
    Fetched fetched;
    fetched.offsets = co_await groups.offsets(std::move(key));
    fetched.requires_stable = request.require_stable;
    if (!request.topics) {
      fill_all(call, fetched, response.topics);
      co_return response;
    }
    for (const auto& topic : *request.topics) {
      fill_asked(call, fetched, topic.name, topic.partition_indexes, response.topics);
    }
    co_return response;
  }
  for (const auto& asked : request.groups) {
    if (!permits_describing(call.session, Asked::Group, asked.group_id)) {
      auto& refused = response.groups.emplace_back();
      refused.group_id = asked.group_id;
      refused.error_code = code(KafkaError::GroupAuthorizationFailed);
      continue;
    }
    GroupKey key{call.session.tenant(), std::string(asked.group_id)};
    Fetched fetched;
    fetched.offsets = co_await groups.offsets(std::move(key));
    fetched.requires_stable = request.require_stable;
    auto& answer = response.groups.emplace_back();
    answer.group_id = asked.group_id;
    if (!asked.topics) {
      fill_all(call, fetched, answer.topics);
      continue;
    }
    for (const auto& topic : *asked.topics) {
      fill_asked(call, fetched, topic.name, topic.partition_indexes, answer.topics);
    }
  }
  co_return response;
}

Task<OffsetDeleteResponse> handle(Call& call, const OffsetDeleteRequest& request) {
  OffsetDeleteResponse response;
  if (!permits(call.session, identity::action::kGroupAlter, Asked::Group, request.group_id)) {
    response.error_code = code(KafkaError::GroupAuthorizationFailed);
    co_return response;
  }
  auto& groups = call.broker.parts.groups;
  const GroupKey key{call.session.tenant(), std::string(request.group_id)};
  const auto group = co_await groups.describe(key);
  // What members subscribe to is opaque here, so a group with members counts as subscribed to all.
  const bool in_use = !group.members.empty();
  std::vector<OffsetKey> which;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const auto stream = find_topic(call.session, topic.name, identity::action::kStreamRead);
    for (const auto& partition : topic.partitions) {
      auto error = stream ? KafkaError::None : stream.error();
      if (error == KafkaError::None && in_use) error = KafkaError::GroupSubscribedToTopic;
      answers.partitions.push_back({partition.partition_index, code(error)});
      if (error == KafkaError::None) {
        which.push_back({(*stream)->info.topic_id, partition.partition_index});
      }
    }
  }
  response.error_code = code(co_await groups.delete_offsets(key, std::move(which)));
  co_return response;
}

}  // namespace weft::kafka
