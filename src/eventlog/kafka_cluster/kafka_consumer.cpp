#include "eventlog/kafka_cluster/rdkafka_handle.h"

namespace weft::eventlog {
namespace {

constexpr std::size_t kBatchMax = 1000;

std::optional<std::string_view> text_of(const void* data, std::size_t size) {
  if (data == nullptr) return std::nullopt;
  return std::string_view(static_cast<const char*>(data), size);
}

RdOwned<rd_kafka_topic_partition_list_t> list_of(
    const std::string& topic, std::span<const std::pair<std::int32_t, Offset>> offsets) {
  RdOwned<rd_kafka_topic_partition_list_t> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  }
  return list;
}

void give(const rd_kafka_message_t& message, KafkaSink& sink) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    return sink.reached_end(message.partition, message.offset);
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return sink.failed({code_of(message.err), rd_kafka_message_errstr(&message)});
  }
  sink.record(received_record(message));
}

}  // namespace

ReceivedKafkaRecord received_record(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type{};
  return {.partition = message.partition,
          .offset = message.offset,
          .timestamp = from_unix_ms(rd_kafka_message_timestamp(&message, &type)),
          .key = text_of(message.key, message.key_len),
          .value = text_of(message.payload, message.len),
          .native = &message};
}

std::vector<std::pair<std::string, std::string>> ReceivedKafkaRecord::headers() const {
  std::vector<std::pair<std::string, std::string>> all;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(static_cast<const rd_kafka_message_t*>(native), &headers) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return all;
  }
  const char* name = nullptr;
  const void* data = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &data, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    all.emplace_back(name, std::string(text_of(data, size).value_or(std::string_view())));
  }
  return all;
}

struct KafkaConsumer::State {
  std::string topic;
  RdOpaque opaque;
  RdOwned<rd_kafka_t> handle;
  RdOwned<rd_kafka_queue_t> queue;

  ~State() {
    queue.reset();
    if (handle) rd_kafka_consumer_close(handle.get());
  }
};

KafkaConsumer::KafkaConsumer(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaConsumer::~KafkaConsumer() = default;

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::open(const KafkaProperties& properties,
                                                           std::string topic) {
  auto state = std::make_unique<State>();
  state->topic = std::move(topic);
  const bool grouped = std::ranges::any_of(
      properties, [](const auto& property) { return property.first == "group.id"; });
  auto all = properties;
  if (!grouped) {  // the library wants a name, and uses it for nothing
    all.emplace_back("group.id", "weft-reader");
    all.emplace_back("enable.auto.commit", "false");
  }
  TRY(state->handle, open_handle(RD_KAFKA_CONSUMER, all, state->opaque));
  rd_kafka_poll_set_consumer(state->handle.get());
  state->queue.reset(rd_kafka_queue_get_consumer(state->handle.get()));
  return std::unique_ptr<KafkaConsumer>(new KafkaConsumer(std::move(state)));
}

Result<> KafkaConsumer::subscribe() {
  const RdOwned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), state_->topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto code = rd_kafka_subscribe(state_->handle.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error_of(code, state_->topic));
  return {};
}

Result<> KafkaConsumer::assign(std::span<const std::pair<std::int32_t, Offset>> from) {
  const auto list = list_of(state_->topic, from);
  const auto code = rd_kafka_assign(state_->handle.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error_of(code, state_->topic));
  return {};
}

std::vector<std::int32_t> KafkaConsumer::assigned() const {
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (rd_kafka_assignment(state_->handle.get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const RdOwned<rd_kafka_topic_partition_list_t> owned(list);
  std::vector<std::int32_t> partitions;
  for (int i = 0; i < list->cnt; ++i) partitions.push_back(list->elems[i].partition);
  return partitions;
}

std::size_t KafkaConsumer::poll(Duration wait, std::size_t most, KafkaSink& sink) {
  // A batch waits until it is full, so the first record comes alone and the rest without waiting.
  const RdOwned<rd_kafka_message_t> first(
      rd_kafka_consumer_poll(state_->handle.get(), milliseconds_of(wait)));
  if (!first) return 0;
  give(*first, sink);
  std::array<rd_kafka_message_t*, kBatchMax> batch;
  const auto room = std::min(most > 0 ? most - 1 : 0, batch.size());
  const auto got = rd_kafka_consume_batch_queue(state_->queue.get(), 0, batch.data(), room);
  for (ssize_t i = 0; i < got; ++i) {
    const RdOwned<rd_kafka_message_t> message(batch[static_cast<std::size_t>(i)]);
    give(*message, sink);
  }
  return 1 + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

Result<> KafkaConsumer::commit(std::span<const std::pair<std::int32_t, Offset>> offsets) {
  const auto list = list_of(state_->topic, offsets);
  const auto code = rd_kafka_commit(state_->handle.get(), list.get(), 0);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(error_of(code, "group offsets not committed"));
  }
  return {};
}

}  // namespace weft::eventlog
