// The EventLog over a Kafka cluster: a stream is the topic `<tenant>.<name>`, and what is
// acknowledged is so by all replicas in sync. What a cluster cannot do is Unsupported:
// docs/cluster.md.
//
// Thread-safe, as the face says. Neither an append nor a read that waits holds a thread: appends
// are carried out by clients of their own (cluster_producer.h, cluster_writer.h), the ends of
// partitions are followed by one client (cluster_tail.h). Reads of what is not in memory take one
// of `reads_max` threads each.
#pragma once

#include <memory>
#include <string>

#include "eventlog/event_log.h"
#include "eventlog/kafka_cluster/kafka_client.h"
#include "runtime/clock.h"

namespace weft::eventlog {

struct KafkaClusterOptions {
  KafkaProperties client;      // bootstrap.servers, security
  std::int32_t replicas = -1;  // of streams that are created; -1: the cluster's default
  Duration append_timeout = std::chrono::seconds(30);  // then an append has failed
  Duration request_timeout = std::chrono::seconds(10);
  std::size_t appends_max = 100'000;                 // waiting, of each writer
  std::size_t reads_max = 8;                         // at once, of what is not in memory
  std::size_t idle_readers_max = 4;                  // clients kept open for them
  std::size_t tail_bytes_max = 64ull * 1024 * 1024;  // of the ends of partitions, in memory
};

class KafkaClusterLog final : public EventLog {
 public:
  // Blocks until the cluster has told its topics. Unavailable when no broker answers.
  static Result<std::unique_ptr<KafkaClusterLog>> open(KafkaClusterOptions options, Clock& clock);
  // Fails what waits. Writers and reads have ended before.
  ~KafkaClusterLog() override;

  bool is_shared() const override { return true; }

  // An entry of one record is stored once however often the client tries (idempotent); one of
  // several is part of a transaction, so all of it is there or nothing. DeadlineExceeded,
  // Unavailable: whether it is stored is not known.
  Task<Result<std::vector<Appended>>> append(std::vector<NewRecords> entry) override;
  Task<Result<std::vector<Appended>>> append_borrowed(
      std::span<const BorrowedRecords> entry) override;
  // Of the transactional id `weft-<name>`.
  Task<Result<std::unique_ptr<EventWriter>>> open_writer(std::string name) override;

  Task<Result<ReadResult>> read(ReadRequest request) override;
  Task<Result<Offset>> offset_at(PartitionId partition, WallTime time) override;

  // As of a second ago; streams that others make or grow are known within half a minute.
  std::optional<StreamInfo> find_stream(std::string_view tenant,
                                        std::string_view name) const override;
  std::optional<StreamInfo> stream(StreamId id) const override;
  std::vector<StreamInfo> streams() const override;
  std::optional<PartitionInfo> partition(PartitionId id) const override;

  // Unsupported with Durability::Memory.
  Task<Result<StreamInfo>> create_stream(StreamSettings settings) override;
  Task<Result<StreamInfo>> alter_stream(StreamId id, StreamSettings settings) override;
  // Unsupported: a topic cannot say it.
  Task<Result<>> retire_stream(StreamId id, std::optional<WallTime> since) override;
  Task<Result<>> delete_stream(StreamId id) override;

 private:
  struct State;
  class Writer;
  // Until the partition has something from there on, or the time is over.
  Task<Result<>> wait_for_tail(PartitionId partition, Offset from, MonoTime until);
  explicit KafkaClusterLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::eventlog
