// An entry on its way to the cluster: its records with the places where they go, and the task that
// waits for what becomes of it. complete() on any thread, once; the waiter resumes on its loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "eventlog/kafka_cluster/kafka_client.h"
#include "runtime/keep_loop.h"
#include "runtime/on_loop.h"
#include "runtime/suspension.h"

namespace weft::eventlog {

// The record is the appender's, who keeps it until the entry is complete.
struct PlacedRecord {
  std::string topic;
  std::int32_t partition = 0;
  const BorrowedRecord* record = nullptr;
};

struct ClusterEntry : std::enable_shared_from_this<ClusterEntry> {
  ClusterEntry(std::vector<PlacedRecord> its_records, Executor its_loop)
      : records(std::move(its_records)),
        loop(std::move(its_loop)),
        offsets(records.size(), -1),
        work(loop) {}

  void complete(Result<> with) {
    post_to(loop, [self = shared_from_this(), with = std::move(with)]() mutable {
      self->outcome = std::move(with);
      self->is_complete = true;
      self->wake.wake();
    });
  }
  // Deaf to cancellation: what is under way refers to the appender's memory.
  Task<Result<>> wait() {
    while (!is_complete) co_await wake.wait_regardless();
    co_return outcome;
  }

  const std::vector<PlacedRecord> records;
  const Executor loop;
  std::vector<Offset> offsets;  // of each record; complete() comes after

 private:
  KeepLoop work;
  Result<> outcome;
  bool is_complete = false;
  Suspension wake;
};
using ClusterEntryPtr = std::shared_ptr<ClusterEntry>;

KafkaRecord kafka_record(const PlacedRecord& placed, std::uint64_t tag);

}  // namespace weft::eventlog
