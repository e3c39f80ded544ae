#include "eventlog/kafka_cluster/rdkafka_handle.h"

#include <array>
#include <fstream>

namespace weft::eventlog {
namespace {

void on_error(rd_kafka_t* handle, int code, const char* reason, void* opaque) {
  std::string text = reason;
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> words{};
    if (rd_kafka_fatal_error(handle, words.data(), words.size()) != 0) text = words.data();
  }
  static_cast<RdOpaque*>(opaque)->reason.set(std::move(text));
}

// Its errors come through on_error() as well; what else it would print is for its developers.
void on_log(const rd_kafka_t*, int, const char*, const char*) {}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  static_cast<RdOpaque*>(opaque)->delivered(*message);
}

void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what,
                  rd_kafka_topic_partition_list_t* list, void* opaque) {
  static_cast<RdOpaque*>(opaque)->rebalanced(handle, what, list);
}

}  // namespace

void LastReason::set(std::string reason) {
  std::scoped_lock lock(mutex_);
  reason_ = std::move(reason);
}

std::string LastReason::get() const {
  std::scoped_lock lock(mutex_);
  return reason_;
}

ErrorCode code_of(rd_kafka_resp_err_t code) {
  switch (code) {  // the library has about 150 and adds more: what is not named here may pass
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return ErrorCode::NotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return ErrorCode::AlreadyExists;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return ErrorCode::PermissionDenied;
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return ErrorCode::Unauthenticated;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      return ErrorCode::ResourceExhausted;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return ErrorCode::OutOfRange;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return ErrorCode::DeadlineExceeded;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return ErrorCode::InvalidArgument;
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR__FENCED:
      return ErrorCode::Conflict;
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return ErrorCode::Unsupported;
    default:
      return ErrorCode::Unavailable;
  }
}

Error error_of(rd_kafka_resp_err_t code, std::string_view what) {
  return {code_of(code), fmt::format("{}: {}", what, rd_kafka_err2str(code))};
}

Result<> result_of(rd_kafka_error_t* error, std::string_view what) {
  if (error == nullptr) return {};
  const RdOwned<rd_kafka_error_t> owned(error);
  return fail(code_of(rd_kafka_error_code(error)), "{}: {}", what, rd_kafka_error_string(error));
}

Result<RdOwned<rd_kafka_t>> open_handle(rd_kafka_type_t type, const KafkaProperties& properties,
                                        RdOpaque& opaque) {
  RdOwned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::array<char, 512> words{};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), words.data(), words.size()) !=
        RD_KAFKA_CONF_OK) {
      return fail(ErrorCode::InvalidArgument, "property {}: {}", name, words.data());
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), &opaque);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  if (opaque.rebalanced) rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
  if (opaque.delivered) rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  RdOwned<rd_kafka_t> handle(rd_kafka_new(type, conf.get(), words.data(), words.size()));
  if (!handle) return fail(ErrorCode::InvalidArgument, "Kafka client: {}", words.data());
  static_cast<void>(conf.release());  // now the handle's
  return handle;
}

int milliseconds_of(Duration wait) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 3'600'000));
}

Result<KafkaProperties> read_kafka_properties(const std::string& path) {
  std::ifstream in(path);
  if (!in.is_open()) return fail(ErrorCode::IoError, "{} cannot be read", path);
  KafkaProperties properties;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ErrorCode::InvalidArgument, "{}:{}: write name=value", path, number);
    }
    properties.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return properties;
}

}  // namespace weft::eventlog
