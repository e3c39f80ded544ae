#include "eventlog/kafka_cluster/share_group.h"

#include <atomic>
#include <thread>

#include "eventlog/kafka_cluster/rdkafka_handle.h"
#include "eventlog/kafka_cluster/topic_settings.h"
#include "runtime/log.h"

namespace weft::eventlog {
namespace {

constexpr int kPollMs = 200;

std::vector<std::int32_t> partitions_of(const rd_kafka_topic_partition_list_t& list) {
  std::vector<std::int32_t> partitions;
  for (int i = 0; i < list.cnt; ++i) partitions.push_back(list.elems[i].partition);
  return partitions;
}

}  // namespace

struct ShareGroup::State {
  explicit State(ShareHolder& its_holder) : holder(its_holder) {}

  ~State() {
    is_over = true;
    if (thread.joinable()) thread.join();
  }

  void rebalanced(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* list) {
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      note(rd_kafka_assign(handle.get(), list));
      rd_kafka_pause_partitions(handle.get(), list);  // they stand for work, and hold none
      if (list->cnt > 0) holder.take(partitions_of(*list));
      return;
    }
    const bool is_lost = rd_kafka_assignment_lost(handle.get()) != 0;
    if (list->cnt > 0) holder.give_up(partitions_of(*list), is_lost);
    note(rd_kafka_assign(handle.get(), nullptr));
  }

  static void note(rd_kafka_resp_err_t code) {
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      log_error("eventlog", "shares", {{"why", rd_kafka_err2str(code)}});
  }

  void run() {
    while (!is_over) {
      const RdOwned<rd_kafka_message_t> message(rd_kafka_consumer_poll(handle.get(), kPollMs));
      if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_warn("eventlog", "shares", {{"why", rd_kafka_message_errstr(message.get())}});
    }
    rd_kafka_consumer_close(handle.get());  // gives the rest up, by rebalanced()
  }

  ShareHolder& holder;
  RdOpaque opaque;
  RdOwned<rd_kafka_t> handle;
  std::atomic<bool> is_over{false};
  std::jthread thread;
};

ShareGroup::ShareGroup(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShareGroup::~ShareGroup() = default;

Result<std::unique_ptr<ShareGroup>> ShareGroup::open(const KafkaClusterOptions& cluster,
                                                     ShareGroupOptions options,
                                                     ShareHolder& holder) {
  constexpr Duration kHeartbeats = 3s;
  constexpr std::string_view kGiveUpMax = "300000";  // a holder that is slower loses all
  const auto session = milliseconds_of(options.session_timeout);
  const auto beat = std::min(session / 3, milliseconds_of(kHeartbeats));
  auto properties = cluster.client;
  properties.emplace_back("group.id", options.group);
  properties.emplace_back("partition.assignment.strategy", "range");
  properties.emplace_back("enable.auto.commit", "false");
  properties.emplace_back("session.timeout.ms", std::to_string(session));
  properties.emplace_back("heartbeat.interval.ms", std::to_string(std::max(beat, 1)));
  properties.emplace_back("max.poll.interval.ms", kGiveUpMax);
  auto state = std::make_unique<State>(holder);
  state->opaque.rebalanced = [at = state.get()](rd_kafka_t*, rd_kafka_resp_err_t what,
                                                rd_kafka_topic_partition_list_t* list) {
    at->rebalanced(what, list);
  };
  TRY(state->handle, open_handle(RD_KAFKA_CONSUMER, properties, state->opaque));
  rd_kafka_poll_set_consumer(state->handle.get());
  StreamSettings named;
  named.name = options.topic;
  const RdOwned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_name(named).c_str(), RD_KAFKA_PARTITION_UA);
  const auto code = rd_kafka_subscribe(state->handle.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error_of(code, named.name));
  state->thread = std::jthread([at = state.get()] { at->run(); });
  return std::unique_ptr<ShareGroup>(new ShareGroup(std::move(state)));
}

}  // namespace weft::eventlog
