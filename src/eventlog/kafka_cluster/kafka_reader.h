// Reads partitions of a Kafka broker without a group, each from where it is told. What follows a
// partition at its end and what catches up in the middle both use it.
//
// start() and stop() from any thread; poll() from one.
#pragma once

#include <memory>
#include <string>

#include "eventlog/event_log.h"
#include "eventlog/kafka_cluster/kafka_client.h"

namespace weft::eventlog {

Record owned_record(const ReceivedKafkaRecord& record);

// What a reader is given; `tag` is the one of start().
class KafkaReaderSink {
 public:
  virtual ~KafkaReaderSink() = default;
  virtual void record(std::uint64_t tag, const ReceivedKafkaRecord& record) = 0;
  // There is nothing more for now; `next` is the end, behind what cannot be read.
  virtual void reached_end(std::uint64_t tag, Offset next) = 0;
  // OutOfRange, NotFound: nothing more comes of this partition. Others pass.
  virtual void failed(std::uint64_t tag, Error error) = 0;
};

class KafkaReader {
 public:
  // `committed_only` leaves out what was aborted, and waits for open transactions to end. A broker
  // that has nothing more answers after `fetch_wait`; until then nothing else can be asked of it.
  static Result<std::unique_ptr<KafkaReader>> open(const KafkaProperties& properties,
                                                   bool committed_only, Duration fetch_wait);
  ~KafkaReader();

  // Once for a partition until it is stopped.
  Result<> start(const std::string& topic, std::int32_t partition, Offset from, std::uint64_t tag);
  // Blocks for a moment.
  void stop(const std::string& topic, std::int32_t partition);
  // Waits so long for a first event, gives it and what else is there, at most `most` records.
  std::size_t poll(Duration wait, std::size_t most, KafkaReaderSink& sink);
  // Ends a poll() that waits.
  void interrupt();

 private:
  struct State;
  explicit KafkaReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::eventlog
