// Load on one topic of a Kafka broker, Weft or another, and what it did: producers on a schedule or
// as fast as the broker acknowledges, consumers in a group that see when each record was due.
//
// Each producer and consumer is a client of its own with threads of its own; the calling thread
// blocks until all is over. What is measured begins after the warm-up.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "app/load/latency_histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "eventlog/kafka_cluster/kafka_client.h"
#include "runtime/clock.h"

namespace weft::app {

// The run and the moment when a record was due stand at the begin of its value.
inline constexpr std::size_t kRecordBytesMin = 16;

struct StreamLoadPlan {
  eventlog::KafkaProperties client;    // of every client
  eventlog::KafkaProperties producer;  // of producers besides
  eventlog::KafkaProperties consumer;  // of consumers besides
  std::string topic;
  double per_second = 0;  // of all producers together; 0: as fast as the broker acknowledges
  std::size_t record_bytes = 100;
  std::uint64_t keys = 0;  // how many different ones; 0: records without a key
  int producers = 1;
  int consumers = 0;
  std::uint64_t transaction_records = 0;  // 0: no transactions
  // Without a rate: how many records of a producer may wait for their acknowledgement.
  std::int64_t outstanding_max = 10'000;
  Duration warm_up = 5s;
  Duration duration = 30s;
  Duration drain = 30s;  // for what has no outcome at the end
};

struct ProduceOutcome {
  std::uint64_t due = 0;                // records of the measured time
  std::uint64_t acknowledged = 0;       // of those that were due
  std::uint64_t acknowledged_then = 0;  // within the measured time, whenever they were due
  std::uint64_t failed = 0;
  std::uint64_t unfinished = 0;  // no outcome, or not even sent, when the time to drain was over
  LatencyHistogram latency;      // from the moment due; the unfinished with their age
  std::uint64_t transactions = 0;
  std::uint64_t aborted = 0;
  LatencyHistogram commit;  // from asking to commit to the answer
};

struct ConsumeOutcome {
  std::uint64_t received = 0;
  std::uint64_t missing = 0;  // acknowledged, but not there when the time to drain was over
  std::uint64_t repeated = 0;
  LatencyHistogram end_to_end;  // from the moment due to the consumer
};

struct StreamLoadResult {
  double seconds = 0;  // of the measured time
  ProduceOutcome produced;
  ConsumeOutcome consumed;
  std::map<std::string, std::uint64_t> errors;
  double client_cores = 0;  // what this process used of the machine meanwhile

  double offered_per_second() const;
  double achieved_per_second() const;
};

// InvalidArgument, NotFound (no such topic), Unavailable (no broker).
Result<StreamLoadResult> run_stream_load(const StreamLoadPlan& plan, Clock& clock);

struct CatchUpResult {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // keys and values
  double seconds = 0;       // from the first record to the end of the last partition
  std::map<std::string, std::uint64_t> errors;
};

// The plan's consumers read all that the topic holds, from the start of each partition to its end.
Result<CatchUpResult> run_catch_up(const StreamLoadPlan& plan, Clock& clock);

// Whether a broker carried what it was offered, with the latency that was asked for.
bool kept_up(const StreamLoadResult& result, Duration p99_max);

// CPU of this process so far.
double cpu_seconds();

}  // namespace weft::app
