#include <map>

#include "eventlog/kafka_cluster/rdkafka_handle.h"
#include "runtime/clock.h"

namespace weft::eventlog {
namespace {

constexpr std::size_t kWordsMax = 512;

KafkaTopicView view_of(const rd_kafka_metadata_topic_t& topic) {
  return {.name = topic.topic,
          .partitions = topic.partition_cnt,
          .replicas = topic.partition_cnt > 0 ? topic.partitions[0].replica_cnt : 0};
}

Result<> outcome_of(const rd_kafka_topic_result_t* const* results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* words = rd_kafka_topic_result_error_string(results[i]);
    return fail(code_of(code), "topic {}: {}", rd_kafka_topic_result_name(results[i]),
                words != nullptr ? words : rd_kafka_err2str(code));
  }
  return {};
}

Result<> outcome_of(const rd_kafka_ConfigResource_t& resource) {
  const auto code = rd_kafka_ConfigResource_error(&resource);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const char* words = rd_kafka_ConfigResource_error_string(&resource);
  return fail(code_of(code), "configuration of topic {}: {}",
              rd_kafka_ConfigResource_name(&resource),
              words != nullptr ? words : rd_kafka_err2str(code));
}

struct ConfigResource {
  explicit ConfigResource(const std::string& topic)
      : native(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())) {}
  ConfigResource(const ConfigResource&) = delete;
  ConfigResource& operator=(const ConfigResource&) = delete;
  ~ConfigResource() { rd_kafka_ConfigResource_destroy(native); }
  rd_kafka_ConfigResource_t* native;
};

}  // namespace

namespace {

// A leader that moved. The library keeps asking the one it knows until it hears of all topics anew.
bool is_of_leaders(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
         code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__TRANSPORT;
}

}  // namespace

struct KafkaAdmin::State {
  RdOpaque opaque;
  RdOwned<rd_kafka_t> handle;

  // Sends by `send(options, queue)` and gives the answer's event.
  template <class Send>
  Result<RdOwned<rd_kafka_event_t>> ask(rd_kafka_admin_op_t operation, Duration wait, Send send) {
    std::array<char, kWordsMax> words{};
    rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(handle.get(), operation);
    const auto most = milliseconds_of(wait);
    rd_kafka_AdminOptions_set_request_timeout(options, most, words.data(), words.size());
    const RdOwned<rd_kafka_queue_t> answers(rd_kafka_queue_new(handle.get()));
    send(options, answers.get());
    rd_kafka_AdminOptions_destroy(options);
    RdOwned<rd_kafka_event_t> event(rd_kafka_queue_poll(answers.get(), most + 1000));
    if (!event) return std::unexpected(unreachable());
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (code == RD_KAFKA_RESP_ERR__TIMED_OUT) return std::unexpected(unreachable());
      return fail(code_of(code), "{}", rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  using Configs = std::vector<std::pair<std::string, std::string>>;

  template <class Wanted>
  Result<Configs> configs(const std::string& topic, Duration wait, Wanted wanted) {
    ConfigResource resource(topic);
    TRY(auto answer, ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, wait, [&](auto* options, auto* queue) {
          rd_kafka_DescribeConfigs(handle.get(), &resource.native, 1, options, queue);
        }));
    std::size_t count = 0;
    const auto* results = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
    Configs all;
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(outcome_of(*results[i]));
      std::size_t entries = 0;
      const auto* entry = rd_kafka_ConfigResource_configs(results[i], &entries);
      for (std::size_t j = 0; j < entries; ++j) {
        const char* value = rd_kafka_ConfigEntry_value(entry[j]);
        if (value != nullptr && wanted(entry[j]))
          all.emplace_back(rd_kafka_ConfigEntry_name(entry[j]), value);
      }
    }
    return all;
  }

  // What somebody set for the topic itself.
  Result<Configs> set_for_topic(const std::string& topic, Duration wait) {
    return configs(topic, wait, [](const rd_kafka_ConfigEntry_t* entry) {
      return rd_kafka_ConfigEntry_source(entry) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
    });
  }

  // `query` until it is answered by the leader, or the time is over.
  template <class Query>
  rd_kafka_resp_err_t of_leader(Duration wait, Query query) {
    constexpr Duration kPause = 50ms;
    const SystemClock clock;
    const auto until = clock.mono() + wait;
    for (;;) {
      const auto code = query();
      if (!is_of_leaders(code) || clock.mono() >= until) return code;
      rd_kafka_poll(handle.get(), milliseconds_of(kPause));
      static_cast<void>(metadata(wait));
    }
  }

  Error unreachable() {
    rd_kafka_poll(handle.get(), 0);  // its reasons come this way
    const auto reason = opaque.reason.get();
    return {ErrorCode::Unavailable,
            "no Kafka broker answers" + (reason.empty() ? std::string() : ": " + reason)};
  }

  // Asks for all topics also where one is wanted: who asks for one that is missing makes it, at a
  // broker that makes topics by itself.
  Result<RdOwned<const rd_kafka_metadata_t>> metadata(Duration wait) {
    const rd_kafka_metadata_t* found = nullptr;
    const auto code = rd_kafka_metadata(handle.get(), 1, nullptr, &found, milliseconds_of(wait));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(unreachable());
    return RdOwned<const rd_kafka_metadata_t>(found);
  }
};

KafkaAdmin::KafkaAdmin(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaAdmin::~KafkaAdmin() = default;

Result<std::unique_ptr<KafkaAdmin>> KafkaAdmin::open(const KafkaProperties& properties) {
  auto state = std::make_unique<State>();
  TRY(state->handle, open_handle(RD_KAFKA_PRODUCER, properties, state->opaque));
  return std::unique_ptr<KafkaAdmin>(new KafkaAdmin(std::move(state)));
}

Result<KafkaTopicView> KafkaAdmin::topic(const std::string& name, Duration wait) {
  TRY(const auto found, state_->metadata(wait));
  for (int i = 0; i < found->topic_cnt; ++i) {
    const auto& topic = found->topics[i];
    if (topic.topic != name) continue;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) return view_of(topic);
    return std::unexpected(error_of(topic.err, fmt::format("topic {}", name)));
  }
  return fail(ErrorCode::NotFound, "there is no topic {}", name);
}

Result<std::vector<KafkaTopicView>> KafkaAdmin::topics(Duration wait) {
  TRY(const auto found, state_->metadata(wait));
  std::vector<KafkaTopicView> all;
  for (int i = 0; i < found->topic_cnt; ++i) {
    if (found->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
      all.push_back(view_of(found->topics[i]));
  }
  return all;
}

Result<> KafkaAdmin::create_topic(const KafkaNewTopic& topic, Duration wait) {
  std::array<char, kWordsMax> words{};
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                      topic.replicas, words.data(), words.size());
  if (wanted == nullptr) return fail(ErrorCode::InvalidArgument, "{}", words.data());
  for (const auto& [name, value] : topic.configs) {
    rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str());
  }
  auto answer = state_->ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, wait, [&](auto* options, auto* queue) {
    rd_kafka_CreateTopics(state_->handle.get(), &wanted, 1, options, queue);
  });
  rd_kafka_NewTopic_destroy(wanted);
  if (!answer) return std::unexpected(std::move(answer).error());
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(answer->get()), &count);
  return outcome_of(results, count);
}

Result<> KafkaAdmin::delete_topic(const std::string& name, Duration wait) {
  rd_kafka_DeleteTopic_t* unwanted = rd_kafka_DeleteTopic_new(name.c_str());
  auto answer = state_->ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, wait, [&](auto* options, auto* queue) {
    rd_kafka_DeleteTopics(state_->handle.get(), &unwanted, 1, options, queue);
  });
  rd_kafka_DeleteTopic_destroy(unwanted);
  if (!answer) return std::unexpected(std::move(answer).error());
  std::size_t count = 0;
  const auto* results = rd_kafka_DeleteTopics_result_topics(
      rd_kafka_event_DeleteTopics_result(answer->get()), &count);
  return outcome_of(results, count);
}

Result<> KafkaAdmin::grow_topic(const std::string& name, std::int32_t total, Duration wait) {
  std::array<char, kWordsMax> words{};
  rd_kafka_NewPartitions_t* wanted = rd_kafka_NewPartitions_new(
      name.c_str(), static_cast<std::size_t>(total), words.data(), words.size());
  if (wanted == nullptr) return fail(ErrorCode::InvalidArgument, "{}", words.data());
  auto answer =
      state_->ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, wait, [&](auto* options, auto* queue) {
        rd_kafka_CreatePartitions(state_->handle.get(), &wanted, 1, options, queue);
      });
  rd_kafka_NewPartitions_destroy(wanted);
  if (!answer) return std::unexpected(std::move(answer).error());
  std::size_t count = 0;
  const auto* results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(answer->get()), &count);
  return outcome_of(results, count);
}

Result<> KafkaAdmin::set_configs(const std::string& topic,
                                 const std::vector<std::pair<std::string, std::string>>& configs,
                                 Duration wait) {
  // The request replaces all that was set for the topic: what others set is sent along.
  TRY(const auto others, state_->set_for_topic(topic, wait));
  ConfigResource resource(topic);
  for (const auto& [name, value] : others) {
    const bool is_ours =
        std::ranges::any_of(configs, [&name](const auto& config) { return config.first == name; });
    if (!is_ours) rd_kafka_ConfigResource_set_config(resource.native, name.c_str(), value.c_str());
  }
  for (const auto& [name, value] : configs) {
    rd_kafka_ConfigResource_set_config(resource.native, name.c_str(), value.c_str());
  }
  TRY(auto answer,
      state_->ask(RD_KAFKA_ADMIN_OP_ALTERCONFIGS, wait, [&](auto* options, auto* queue) {
        rd_kafka_AlterConfigs(state_->handle.get(), &resource.native, 1, options, queue);
      }));
  std::size_t count = 0;
  const auto* results = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) CHECK(outcome_of(*results[i]));
  return {};
}

Result<std::vector<std::pair<std::string, std::string>>> KafkaAdmin::configs(
    const std::string& topic, Duration wait) {
  return state_->configs(topic, wait, [](const rd_kafka_ConfigEntry_t*) { return true; });
}

Result<KafkaOffsets> KafkaAdmin::offsets(const std::string& topic, std::int32_t partition,
                                         Duration wait) {
  KafkaOffsets found;
  const auto code = state_->of_leader(wait, [&] {
    return rd_kafka_query_watermark_offsets(state_->handle.get(), topic.c_str(), partition,
                                            &found.start, &found.end, milliseconds_of(wait));
  });
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return found;
  return std::unexpected(error_of(code, fmt::format("offsets of {}/{}", topic, partition)));
}

namespace {

// The protocol takes -2 for the start and -1 for the end where a time is asked for.
Result<std::vector<Offset>> offsets_at(rd_kafka_t* handle, const std::vector<KafkaPlace>& places,
                                       std::int64_t time, Duration wait) {
  const RdOwned<rd_kafka_topic_partition_list_t> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
  for (const auto& place : places) {
    rd_kafka_topic_partition_list_add(list.get(), place.topic.c_str(), place.partition)->offset =
        time;
  }
  const auto code = rd_kafka_offsets_for_times(handle, list.get(), milliseconds_of(wait));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error_of(code, "offsets"));
  std::map<std::pair<std::string_view, std::int32_t>, Offset> found;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& one = list->elems[i];
    if (one.err == RD_KAFKA_RESP_ERR_NO_ERROR) found[{one.topic, one.partition}] = one.offset;
  }
  std::vector<Offset> all;
  for (const auto& place : places) {
    const auto at = found.find({place.topic, place.partition});
    all.push_back(at == found.end() ? -1 : at->second);
  }
  return all;
}

}  // namespace

Result<std::vector<Offset>> KafkaAdmin::starts(const std::vector<KafkaPlace>& places,
                                               Duration wait) {
  return offsets_at(state_->handle.get(), places, RD_KAFKA_OFFSET_BEGINNING, wait);
}

Result<std::vector<Offset>> KafkaAdmin::ends(const std::vector<KafkaPlace>& places, Duration wait) {
  return offsets_at(state_->handle.get(), places, RD_KAFKA_OFFSET_END, wait);
}

Result<std::optional<Offset>> KafkaAdmin::offset_at(const std::string& topic,
                                                    std::int32_t partition, WallTime time,
                                                    Duration wait) {
  const RdOwned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  auto* asked = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  const auto code = state_->of_leader(wait, [&] {
    asked->offset = std::chrono::ceil<std::chrono::milliseconds>(time).time_since_epoch().count();
    const auto all =
        rd_kafka_offsets_for_times(state_->handle.get(), list.get(), milliseconds_of(wait));
    return all == RD_KAFKA_RESP_ERR_NO_ERROR ? asked->err : all;
  });
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(error_of(code, fmt::format("offsets of {}/{}", topic, partition)));
  }
  if (asked->offset < 0) return std::optional<Offset>();
  return std::optional<Offset>(asked->offset);
}

}  // namespace weft::eventlog
