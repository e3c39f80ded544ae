// What callers hand to the log's thread. A Work lives in its caller's frame until it is woken.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "eventlog/batch_log.h"
#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/log_streams.h"
#include "runtime/resumption.h"
#include "runtime/task.h"

namespace weft::eventlog {

struct Work {
  enum class Kind : std::uint8_t { Append, Control };

  Work(Kind what, Executor executor) : kind(what), caller(executor) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  Kind kind;
  Executor caller;
  Resumption done;  // resumed once, on the caller's loop
};

struct AppendItem {
  LogStreamRef stream;
  Partition* partition = nullptr;
  BatchHeader header;
  std::string batch;
  AppendedBatch outcome;  // a status other than Appended: refused already
  TransactionStep step = TransactionStep::None;
  bool with_previous = false;  // BatchToAppend
  bool is_durable() const { return stream->info.settings.durability == Durability::Disk; }
};

// Asked along with an append: what the log's thread turns into markers.
struct TransactionEnding {
  TransactionalProducer producer;
  bool commits = false;
  AppendStatus outcome = AppendStatus::Appended;  // also when there is nothing to append
};

struct AppendWork : Work {
  explicit AppendWork(Executor executor) : Work(Kind::Append, executor) {}
  std::vector<AppendItem> items;
  std::size_t bytes = 0;
  bool together = false;
  bool waits = false;                   // for the sync of its group
  TransactionEnding* ending = nullptr;  // requires `together`
};

// Runs on the log's thread between two groups.
struct ControlWork : Work {
  ControlWork(Executor executor, std::function<Task<void>()> what)
      : Work(Kind::Control, executor), run(std::move(what)) {}
  std::function<Task<void>()> run;
};

// Gathers who is to be woken; one post per loop.
class Wakeups {
 public:
  void add(Work& work) { batch(work.caller).works.push_back(&work); }
  void add(FetchWaiters& waiters);
  void send();

 private:
  struct Batch {
    Executor loop;
    std::vector<Work*> works;
    FetchWaiters waiters;
  };
  Batch& batch(Executor loop);
  std::vector<Batch> batches_;
};

}  // namespace weft::eventlog
