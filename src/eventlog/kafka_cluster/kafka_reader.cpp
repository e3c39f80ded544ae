#include "eventlog/kafka_cluster/kafka_reader.h"

#include <array>
#include <map>

#include "eventlog/kafka_cluster/rdkafka_handle.h"

namespace weft::eventlog {
namespace {

constexpr std::size_t kReadAtOnce = 1000;
// Of each partition, in the library's memory.
constexpr std::string_view kReadAheadRecords = "2000";
constexpr std::string_view kReadAheadKilobytes = "2048";

struct ReadTopic {
  rd_kafka_topic_t* native = nullptr;
  std::map<std::int32_t, std::uint64_t> tags;  // of partitions that are read
};

}  // namespace

Record owned_record(const ReceivedKafkaRecord& record) {
  Record out;
  out.offset = record.offset;
  out.timestamp = record.timestamp;
  if (record.key) out.key.emplace(*record.key);
  if (record.value) out.value.emplace(*record.value);
  out.headers = record.headers();
  return out;
}

struct KafkaReader::State {
  RdOpaque opaque;
  RdOwned<rd_kafka_t> handle;
  RdOwned<rd_kafka_queue_t> queue;
  std::mutex mutex;
  std::map<std::string, ReadTopic> topics;

  ~State() {
    for (auto& [name, topic] : topics) {
      for (const auto& [partition, tag] : topic.tags)
        rd_kafka_consume_stop(topic.native, partition);
      rd_kafka_topic_destroy(topic.native);
    }
  }

  std::optional<std::uint64_t> tag_of(const rd_kafka_message_t& message) {
    if (message.rkt == nullptr) return std::nullopt;
    std::scoped_lock lock(mutex);
    const auto topic = topics.find(rd_kafka_topic_name(message.rkt));
    if (topic == topics.end()) return std::nullopt;
    const auto tag = topic->second.tags.find(message.partition);
    if (tag == topic->second.tags.end()) return std::nullopt;
    return tag->second;
  }

  void give(const rd_kafka_message_t& message, KafkaReaderSink& sink) {
    const auto tag = tag_of(message);
    if (!tag) return;  // stopped meanwhile, or of no partition
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
      return sink.reached_end(*tag, message.offset);
    if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)  // as auto.offset.reset=error has it
      return sink.failed(*tag, {ErrorCode::OutOfRange, rd_kafka_message_errstr(&message)});
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return sink.failed(*tag, {code_of(message.err), rd_kafka_message_errstr(&message)});
    sink.record(*tag, received_record(message));
  }
};

KafkaReader::KafkaReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaReader::~KafkaReader() = default;

Result<std::unique_ptr<KafkaReader>> KafkaReader::open(const KafkaProperties& properties,
                                                       bool committed_only, Duration fetch_wait) {
  auto state = std::make_unique<State>();
  auto all = properties;
  all.emplace_back("enable.partition.eof", "true");
  all.emplace_back("auto.offset.reset", "error");
  all.emplace_back("queued.min.messages", kReadAheadRecords);
  all.emplace_back("queued.max.messages.kbytes", kReadAheadKilobytes);
  all.emplace_back("fetch.wait.max.ms", std::to_string(milliseconds_of(fetch_wait)));
  all.emplace_back("isolation.level", committed_only ? "read_committed" : "read_uncommitted");
  TRY(state->handle, open_handle(RD_KAFKA_CONSUMER, all, state->opaque));
  state->queue.reset(rd_kafka_queue_new(state->handle.get()));
  return std::unique_ptr<KafkaReader>(new KafkaReader(std::move(state)));
}

Result<> KafkaReader::start(const std::string& topic, std::int32_t partition, Offset from,
                            std::uint64_t tag) {
  std::scoped_lock lock(state_->mutex);
  auto& known = state_->topics[topic];
  if (known.native == nullptr)
    known.native = rd_kafka_topic_new(state_->handle.get(), topic.c_str(), nullptr);
  if (known.native == nullptr) {
    state_->topics.erase(topic);
    return std::unexpected(error_of(rd_kafka_last_error(), topic));
  }
  if (rd_kafka_consume_start_queue(known.native, partition, from, state_->queue.get()) != 0)
    return std::unexpected(error_of(rd_kafka_last_error(), topic));
  known.tags[partition] = tag;
  return {};
}

void KafkaReader::stop(const std::string& topic, std::int32_t partition) {
  rd_kafka_topic_t* native = nullptr;
  {
    std::scoped_lock lock(state_->mutex);
    const auto known = state_->topics.find(topic);
    if (known == state_->topics.end() || known->second.tags.erase(partition) == 0) return;
    native = known->second.native;
  }
  rd_kafka_consume_stop(native, partition);
}

std::size_t KafkaReader::poll(Duration wait, std::size_t most, KafkaReaderSink& sink) {
  // A batch waits until it is full, so the first comes alone and the rest without waiting.
  const RdOwned<rd_kafka_message_t> first(
      rd_kafka_consume_queue(state_->queue.get(), milliseconds_of(wait)));
  if (!first) return 0;
  state_->give(*first, sink);
  std::array<rd_kafka_message_t*, kReadAtOnce> batch;
  const auto room = std::min(most > 0 ? most - 1 : 0, batch.size());
  const auto got = rd_kafka_consume_batch_queue(state_->queue.get(), 0, batch.data(), room);
  for (ssize_t i = 0; i < got; ++i) {
    const RdOwned<rd_kafka_message_t> message(batch[static_cast<std::size_t>(i)]);
    state_->give(*message, sink);
  }
  return 1 + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

void KafkaReader::interrupt() {
  rd_kafka_queue_yield(state_->queue.get());
}

}  // namespace weft::eventlog
