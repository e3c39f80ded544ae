#include <atomic>
#include <map>

#include "eventlog/kafka_cluster/rdkafka_handle.h"

namespace weft::eventlog {

struct KafkaProducer::Topic {
  rd_kafka_topic_t* native = nullptr;
};

struct KafkaProducer::State {
  OnOutcome outcome;
  RdOpaque opaque;
  std::mutex topics_mutex;
  std::map<std::string, Topic> topics;
  RdOwned<rd_kafka_t> handle;

  void delivered(const rd_kafka_message_t& message) {
    KafkaOutcome one{.tag = reinterpret_cast<std::uintptr_t>(message._private),
                     .partition = message.partition,
                     .offset = message.offset};
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return outcome(one);
    auto error = error_of(message.err, "record not stored");
    // A timeout is what it came to, the reason why: the broker is away, or refuses the login.
    if (error.code == ErrorCode::DeadlineExceeded) {
      if (auto reason = opaque.reason.get(); !reason.empty()) error.message += " (" + reason + ")";
    }
    one.offset = -1;
    one.error = &error;
    outcome(one);
  }

  ~State() {
    if (!handle) return;
    rd_kafka_purge(handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (auto& [name, topic] : topics) rd_kafka_topic_destroy(topic.native);
  }
};

KafkaProducer::KafkaProducer(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaProducer::~KafkaProducer() = default;

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::open(const KafkaProperties& properties,
                                                           OnOutcome outcome) {
  auto state = std::make_unique<State>();
  state->outcome = std::move(outcome);
  state->opaque.delivered = [at = state.get()](const rd_kafka_message_t& message) {
    at->delivered(message);
  };
  TRY(state->handle, open_handle(RD_KAFKA_PRODUCER, properties, state->opaque));
  return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(state)));
}

Result<KafkaProducer::Topic*> KafkaProducer::topic(const std::string& name) {
  std::scoped_lock lock(state_->topics_mutex);
  auto& topic = state_->topics[name];
  if (topic.native == nullptr) {
    topic.native = rd_kafka_topic_new(state_->handle.get(), name.c_str(), nullptr);
    if (topic.native == nullptr) {
      state_->topics.erase(name);
      return std::unexpected(error_of(rd_kafka_last_error(), name));
    }
  }
  return &topic;
}

Result<> KafkaProducer::send(Topic& topic, const KafkaRecord& record) {
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
  }
  constexpr std::string_view kEmpty = "";  // a pointer to it is a text; none at all is null
  auto pointer = [&](const std::optional<std::string_view>& text) -> void* {
    if (!text) return nullptr;
    return const_cast<char*>(text->data() == nullptr ? kEmpty.data() : text->data());
  };
  const auto key = record.key.value_or(std::string_view());
  const auto value = record.value.value_or(std::string_view());
  const auto timestamp = record.timestamp == WallTime{} ? 0 : to_unix_ms(record.timestamp);
  const auto code = rd_kafka_producev(
      state_->handle.get(), RD_KAFKA_V_RKT(topic.native), RD_KAFKA_V_PARTITION(record.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_VALUE(pointer(record.value), value.size()),
      RD_KAFKA_V_KEY(pointer(record.key), key.size()), RD_KAFKA_V_TIMESTAMP(timestamp),
      RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(record.tag))),
      RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  if (code == RD_KAFKA_RESP_ERR__FATAL) return std::unexpected(*fatal());
  return std::unexpected(error_of(code, "record not taken"));
}

int KafkaProducer::serve(Duration wait) {
  return rd_kafka_poll(state_->handle.get(), milliseconds_of(wait));
}

Result<> KafkaProducer::flush(Duration wait) {
  const auto code = rd_kafka_flush(state_->handle.get(), milliseconds_of(wait));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail(code_of(code), "{} records have no outcome yet: {}",
              rd_kafka_outq_len(state_->handle.get()), rd_kafka_err2str(code));
}

void KafkaProducer::abandon(Duration wait) {
  rd_kafka_purge(state_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  static_cast<void>(flush(wait));  // serves the outcomes
}

Result<> KafkaProducer::init_transactions(Duration wait) {
  return result_of(rd_kafka_init_transactions(state_->handle.get(), milliseconds_of(wait)),
                   "transactions cannot begin");
}

Result<> KafkaProducer::begin_transaction() {
  return result_of(rd_kafka_begin_transaction(state_->handle.get()), "transaction not begun");
}

Result<> KafkaProducer::commit_transaction(Duration wait) {
  return result_of(rd_kafka_commit_transaction(state_->handle.get(), milliseconds_of(wait)),
                   "transaction not committed");
}

Result<> KafkaProducer::abort_transaction(Duration wait) {
  return result_of(rd_kafka_abort_transaction(state_->handle.get(), milliseconds_of(wait)),
                   "transaction not aborted");
}

std::optional<Error> KafkaProducer::fatal() const {
  std::array<char, 512> words{};
  const auto code = rd_kafka_fatal_error(state_->handle.get(), words.data(), words.size());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return Error{code_of(code), fmt::format("producer has ended: {}", words.data())};
}

}  // namespace weft::eventlog
