#include "eventlog/kafka_cluster/cluster_topics.h"

#include <algorithm>
#include <set>

namespace weft::eventlog {
namespace {

// For one partition: who reads of one without a leader does not keep a thread from others for long.
constexpr Duration kLookWait = 2s;

}  // namespace

Result<std::unique_ptr<ClusterTopics>> ClusterTopics::open(const KafkaProperties& client,
                                                           std::int32_t replicas, Duration wait,
                                                           Clock& clock) {
  std::unique_ptr<ClusterTopics> made(new ClusterTopics(replicas, wait, clock));
  auto properties = client;
  properties.emplace_back("isolation.level", "read_committed");
  TRY(made->committed_, KafkaAdmin::open(properties));
  properties.back().second = "read_uncommitted";
  TRY(made->durable_, KafkaAdmin::open(properties));
  CHECK(made->load());
  CHECK(made->look_at_ends());
  return made;
}

std::optional<StreamInfo> ClusterTopics::find(StreamId id) const {
  std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

std::optional<StreamInfo> ClusterTopics::find(const std::string& topic) const {
  std::scoped_lock lock(mutex_);
  const auto known = by_topic_.find(topic);
  if (known == by_topic_.end()) return std::nullopt;
  const auto found = by_id_.find(known->second);
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

std::vector<StreamInfo> ClusterTopics::all() const {
  std::scoped_lock lock(mutex_);
  std::vector<StreamInfo> out;
  for (const auto& [id, info] : by_id_) out.push_back(info);
  return out;
}

std::optional<PartitionInfo> ClusterTopics::partition(PartitionId id) const {
  std::scoped_lock lock(mutex_);
  const auto stream = by_id_.find(id.stream);
  if (stream == by_id_.end() || id.partition < 0 ||
      id.partition >= stream->second.settings.partitions) {
    return std::nullopt;
  }
  const auto found = partitions_.find(id);
  return found == partitions_.end() ? PartitionInfo() : found->second;
}

void ClusterTopics::moved(PartitionId id, Offset end) {
  std::scoped_lock lock(mutex_);
  auto& info = partitions_[id];
  info.end = std::max(info.end, end);
  info.stable_end = std::max(info.stable_end, end);
}

void ClusterTopics::wrote(PartitionId id, Offset end) {
  std::scoped_lock lock(mutex_);
  auto& written = written_[id];
  written = std::max(written, end);
}

Offset ClusterTopics::written(PartitionId id) const {
  std::scoped_lock lock(mutex_);
  const auto found = written_.find(id);
  return found == written_.end() ? 0 : found->second;
}

// A topic whose settings are known keeps them, but for its partitions: asking for the configuration
// of each would cost a request each.
Result<> ClusterTopics::load() {
  TRY(const auto topics, committed_->topics(wait_));
  std::set<std::string> there;
  for (const auto& topic : topics) {
    if (!settings_of(topic, {})) continue;  // no name of ours
    there.insert(topic.name);
    if (const auto known = find(topic.name)) {
      if (known->settings.partitions == topic.partitions) continue;
      auto settings = known->settings;
      settings.partitions = topic.partitions;
      keep(settings);
      continue;
    }
    auto configs = committed_->configs(topic.name, wait_);
    if (!configs && configs.error().code == ErrorCode::NotFound) continue;  // gone meanwhile
    if (!configs) return std::unexpected(std::move(configs).error());
    CHECK(meet(*settings_of(topic, *configs)));
  }
  forget_missing(there);
  return {};
}

// A stream is known when its ends are: a reader of what comes from now on begins there.
Result<> ClusterTopics::meet(const StreamSettings& settings) {
  std::vector<KafkaPlace> places;
  for (std::int32_t i = 0; i < settings.partitions; ++i)
    places.push_back({topic_name(settings), i});
  TRY(const auto starts, durable_->starts(places, wait_));
  TRY(const auto stable, committed_->ends(places, wait_));
  TRY(const auto ends, durable_->ends(places, wait_));
  const std::scoped_lock lock(mutex_);
  const auto info = keep_locked(settings);
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto& at = partitions_[{info.id, places[i].partition}];
    at.start = std::max<Offset>(starts[i], 0);
    at.end = std::max<Offset>(ends[i], 0);
    at.stable_end = std::max<Offset>(stable[i], 0);
  }
  return {};
}

// One answer may lack a topic that is there: a broker that has not heard of it, a partition without
// a leader. A name keeps its id all the while, since others remember it.
void ClusterTopics::forget_missing(const std::set<std::string>& there) {
  constexpr int kAnswersWithout = 4;
  const std::scoped_lock lock(mutex_);
  for (const auto& [topic, id] : by_topic_) {
    if (there.contains(topic)) {
      missing_.erase(topic);
      continue;
    }
    if (++missing_[topic] < kAnswersWithout) continue;
    by_id_.erase(id);
  }
  std::erase_if(partitions_, [&](const auto& each) { return !by_id_.contains(each.first.stream); });
}

Result<> ClusterTopics::look_at_ends() {
  auto looked = look_at_known_ends();
  // Leaders may have moved, which a client hears of when it asks for all topics.
  if (!looked) {
    CHECK(committed_->topics(wait_));
    CHECK(durable_->topics(wait_));
    looked = look_at_known_ends();
  }
  return looked;
}

Result<> ClusterTopics::look_at_known_ends() {
  std::vector<PartitionId> ids;
  std::vector<KafkaPlace> places;
  for (const auto& stream : all()) {
    for (std::int32_t i = 0; i < stream.settings.partitions; ++i) {
      ids.push_back({stream.id, i});
      places.push_back({topic_name(stream.settings), i});
    }
  }
  if (ids.empty()) return {};
  TRY(const auto starts, durable_->starts(places, wait_));
  TRY(const auto stable, committed_->ends(places, wait_));
  TRY(const auto ends, durable_->ends(places, wait_));
  std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& info = partitions_[ids[i]];
    if (starts[i] >= 0) info.start = starts[i];
    // What was read or appended meanwhile is later news.
    if (ends[i] >= 0) info.end = std::max(info.end, ends[i]);
    if (stable[i] >= 0) info.stable_end = std::max(info.stable_end, stable[i]);
  }
  return {};
}

Result<PartitionInfo> ClusterTopics::look_at(PartitionId id) {
  TRY(const auto stream, known(id.stream));
  const auto topic = topic_name(stream.settings);
  const auto wait = std::min<Duration>(wait_, kLookWait);
  TRY(const auto all, durable_->offsets(topic, id.partition, wait));
  TRY(const auto stable, committed_->offsets(topic, id.partition, wait));
  PartitionInfo info;
  info.start = all.start;
  info.end = all.end;
  info.stable_end = std::min(stable.end, all.end);
  std::scoped_lock lock(mutex_);
  partitions_[id] = info;
  return info;
}

Result<std::optional<Offset>> ClusterTopics::offset_at(PartitionId id, WallTime time) {
  TRY(const auto stream, known(id.stream));
  return durable_->offset_at(topic_name(stream.settings), id.partition, time, wait_);
}

Result<StreamInfo> ClusterTopics::create(const StreamSettings& settings) {
  auto created = committed_->create_topic(new_topic(settings, replicas_), wait_);
  if (!created) {
    // Another process made it: whoever asked finds it now. Not each broker has heard of it yet.
    const auto until = clock_.mono() + wait_;
    while (created.error().code == ErrorCode::AlreadyExists && !find(topic_name(settings)) &&
           clock_.mono() < until) {
      CHECK(load());
    }
    return std::unexpected(std::move(created).error());
  }
  const auto info = keep(settings);
  CHECK(wait_for_leaders(info));
  return info;
}

// The cluster's answer says that the partitions are wanted; they are there when each has a leader.
Result<> ClusterTopics::wait_for_leaders(const StreamInfo& stream) {
  const auto until = clock_.mono() + wait_;
  for (std::int32_t i = 0; i < stream.settings.partitions;) {
    auto stands = look_at({stream.id, i});
    if (stands) {
      ++i;
      continue;
    }
    if (clock_.mono() >= until) return std::unexpected(std::move(stands).error());
    // A client believes what it heard last of a topic until it asks again.
    CHECK(committed_->topics(wait_));
    CHECK(durable_->topics(wait_));
  }
  return {};
}

Result<StreamInfo> ClusterTopics::alter(StreamId id, const StreamSettings& settings) {
  TRY(const auto now, known(id));
  CHECK(may_become(now.settings, settings));
  const auto topic = topic_name(settings);
  if (settings.partitions > now.settings.partitions)
    CHECK(committed_->grow_topic(topic, settings.partitions, wait_));
  CHECK(committed_->set_configs(topic, configs_of(settings), wait_));
  const auto info = keep(settings);
  CHECK(wait_for_leaders(info));
  return info;
}

Result<> ClusterTopics::remove(StreamId id) {
  TRY(const auto stream, known(id));
  const auto topic = topic_name(stream.settings);
  CHECK(committed_->delete_topic(topic, wait_));
  std::scoped_lock lock(mutex_);
  by_topic_.erase(topic);
  by_id_.erase(id);
  std::erase_if(partitions_, [id](const auto& each) { return each.first.stream == id; });
  std::erase_if(written_, [id](const auto& each) { return each.first.stream == id; });
  return {};
}

Result<StreamInfo> ClusterTopics::known(StreamId id) const {
  auto info = find(id);
  if (info) return *std::move(info);
  return fail(ErrorCode::NotFound, "there is no stream {}", static_cast<unsigned>(id));
}

// Knows the stream from now on, or with these settings.
StreamInfo ClusterTopics::keep(const StreamSettings& settings) {
  const std::scoped_lock lock(mutex_);
  return keep_locked(settings);
}

StreamInfo ClusterTopics::keep_locked(const StreamSettings& settings) {
  const auto topic = topic_name(settings);
  missing_.erase(topic);
  auto& id = by_topic_[topic];
  if (id == StreamId{}) id = StreamId{++last_id_};
  auto& info = by_id_[id];
  info.id = id;
  info.topic_id = topic_id(topic);
  info.settings = settings;
  return info;
}

}  // namespace weft::eventlog
