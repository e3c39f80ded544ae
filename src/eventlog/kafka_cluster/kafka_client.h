// Clients of a Kafka broker, whoever made it: a producer, a consumer and an administrator. The one
// wrapper of librdkafka; a property is called what its CONFIGURATION.md calls it.
//
// Each object owns connections and background threads of its own, and blocks the calling thread
// where a function says so; none of it belongs on a loop. Closing (the destructor) waits for those
// threads. What the library would log is kept as the reason of the next failure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/types.h"

namespace weft::eventlog {

// Later ones win. An unknown name or a value that it cannot have is InvalidArgument at open().
using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// A file of lines `name=value`, with empty lines and lines that start with "#" between, as Kafka's
// own tools take them. IoError, InvalidArgument with the line.
Result<KafkaProperties> read_kafka_properties(const std::string& path);

using KafkaHeaders = std::span<const std::pair<std::string_view, std::string_view>>;

// To be sent. The bytes are copied by send().
struct KafkaRecord {
  std::int32_t partition = -1;  // -1: by its key, without one spread over all
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  KafkaHeaders headers;
  WallTime timestamp{};   // zero: the time of send()
  std::uint64_t tag = 0;  // comes back with its outcome
};

// What became of one record; exactly one for each that send() took.
struct KafkaOutcome {
  std::uint64_t tag = 0;
  std::int32_t partition = -1;
  Offset offset = -1;            // -1: not known (acks=0, or it failed)
  const Error* error = nullptr;  // absent: it is stored as `acks` asked
};

// Thread-safe, but for transactions, which one thread drives.
class KafkaProducer {
 public:
  struct Topic;
  // Called by serve(), on its thread.
  using OnOutcome = std::function<void(const KafkaOutcome&)>;

  // Does not wait for a broker.
  static Result<std::unique_ptr<KafkaProducer>> open(const KafkaProperties& properties,
                                                     OnOutcome outcome);
  ~KafkaProducer();  // what has no outcome yet is dropped

  // Owned by the producer, for all of its life.
  Result<Topic*> topic(const std::string& name);
  // Into the library's queue. ResourceExhausted: the queue is full, serve() and try again.
  Result<> send(Topic& topic, const KafkaRecord& record);
  // Waits so long for the first outcome, hands out those that are there; says how many.
  int serve(Duration wait);
  // Waits until all that was sent has its outcome, which serve() on another thread, or this call,
  // hands out. DeadlineExceeded.
  Result<> flush(Duration wait);

  // Gives up what has no outcome yet, and hands out that it failed. Blocks, at most for `wait`.
  void abandon(Duration wait);

  // For producers with a transactional.id; each blocks until the broker has answered.
  Result<> init_transactions(Duration wait);
  Result<> begin_transaction();
  Result<> commit_transaction(Duration wait);
  Result<> abort_transaction(Duration wait);

  // After which nothing is sent any more; absent as long as it lives.
  std::optional<Error> fatal() const;

 private:
  struct State;
  explicit KafkaProducer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A record as it came; valid within KafkaSink::record() alone.
struct ReceivedKafkaRecord {
  std::int32_t partition = 0;
  Offset offset = 0;
  WallTime timestamp{};
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  const void* native = nullptr;

  std::vector<std::pair<std::string, std::string>> headers() const;
};

class KafkaSink {
 public:
  virtual ~KafkaSink() = default;
  virtual void record(const ReceivedKafkaRecord& record) = 0;
  // All that the partition has was given; `next` is its end as it was then.
  virtual void reached_end(std::int32_t partition, Offset next) = 0;
  // The library goes on by itself where it can.
  virtual void failed(Error error) = 0;
};

// Stands for the start of a partition wherever an offset to read from is asked for.
inline constexpr Offset kKafkaStart = -2;

// Of one topic. One thread.
class KafkaConsumer {
 public:
  // `group.id` in the properties names the group; without one nothing is committed.
  static Result<std::unique_ptr<KafkaConsumer>> open(const KafkaProperties& properties,
                                                     std::string topic);
  ~KafkaConsumer();  // leaves the group

  // As a member of the group, which spreads the partitions.
  Result<> subscribe();
  // Reads these from there, and no others any more, without the group: (partition, offset).
  Result<> assign(std::span<const std::pair<std::int32_t, Offset>> from);
  std::vector<std::int32_t> assigned() const;
  // Waits so long for a first event, gives it and what else is there, at most `most` records.
  std::size_t poll(Duration wait, std::size_t most, KafkaSink& sink);
  // Says for a group without members where it stands: (partition, offset). Blocks.
  Result<> commit(std::span<const std::pair<std::int32_t, Offset>> offsets);

 private:
  struct State;
  explicit KafkaConsumer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct KafkaTopicView {
  std::string name;
  std::int32_t partitions = 0;
  std::int32_t replicas = 0;  // of its first partition
};

struct KafkaNewTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replicas = -1;  // -1: as the broker has it by default
  std::vector<std::pair<std::string, std::string>> configs;
};

struct KafkaPlace {
  std::string topic;
  std::int32_t partition = 0;
};

struct KafkaOffsets {
  Offset start = 0;
  Offset end = 0;
};

// Thread-safe; every call blocks until a broker has answered, at most for `wait`.
class KafkaAdmin {
 public:
  static Result<std::unique_ptr<KafkaAdmin>> open(const KafkaProperties& properties);
  ~KafkaAdmin();

  // NotFound; Unavailable with the last reason when no broker answers.
  Result<KafkaTopicView> topic(const std::string& name, Duration wait);
  Result<std::vector<KafkaTopicView>> topics(Duration wait);
  // AlreadyExists, and what the broker refuses with its own words.
  Result<> create_topic(const KafkaNewTopic& topic, Duration wait);
  Result<> delete_topic(const std::string& name, Duration wait);
  // To `total`, which is more than there are.
  Result<> grow_topic(const std::string& name, std::int32_t total, Duration wait);
  Result<> set_configs(const std::string& topic,
                       const std::vector<std::pair<std::string, std::string>>& configs,
                       Duration wait);
  Result<std::vector<std::pair<std::string, std::string>>> configs(const std::string& topic,
                                                                   Duration wait);
  Result<KafkaOffsets> offsets(const std::string& topic, std::int32_t partition, Duration wait);
  // Of many at once, in order; -1 for a partition that does not say now. The end is the stable one
  // where the properties say isolation.level=read_committed.
  Result<std::vector<Offset>> starts(const std::vector<KafkaPlace>& places, Duration wait);
  Result<std::vector<Offset>> ends(const std::vector<KafkaPlace>& places, Duration wait);
  // The first offset whose record is not older than `time`; absent when there is none.
  Result<std::optional<Offset>> offset_at(const std::string& topic, std::int32_t partition,
                                          WallTime time, Duration wait);

 private:
  struct State;
  explicit KafkaAdmin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::eventlog
