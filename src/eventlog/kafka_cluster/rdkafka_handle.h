// What the files of this wrapper share of librdkafka: a handle with its configuration, reasons of
// failure, and its codes as ours. Nobody else includes it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <mutex>
#include <string>

#include "eventlog/kafka_cluster/kafka_client.h"

namespace weft::eventlog {

struct RdDelete {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
template <class T>
using RdOwned = std::unique_ptr<T, RdDelete>;

// Why the library cannot do what it should, in its last words. Any thread.
class LastReason {
 public:
  void set(std::string reason);
  std::string get() const;

 private:
  mutable std::mutex mutex_;
  std::string reason_;
};

// Where the callbacks of a handle lead; outlives the handle.
struct RdOpaque {
  LastReason reason;
  std::function<void(const rd_kafka_message_t&)> delivered;
  // RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, or …__REVOKE_PARTITIONS.
  std::function<void(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*)>
      rebalanced;
};

// Lives as long as the message.
ReceivedKafkaRecord received_record(const rd_kafka_message_t& message);

ErrorCode code_of(rd_kafka_resp_err_t code);
Error error_of(rd_kafka_resp_err_t code, std::string_view what);
// Takes the error over; nothing is success.
Result<> result_of(rd_kafka_error_t* error, std::string_view what);

Result<RdOwned<rd_kafka_t>> open_handle(rd_kafka_type_t type, const KafkaProperties& properties,
                                        RdOpaque& opaque);

// For the library's timeouts; at least 1 for what is not zero.
int milliseconds_of(Duration wait);

}  // namespace weft::eventlog
