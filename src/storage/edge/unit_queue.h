// Units on their way to the one writer of a back end: the first job that runs carries out all that
// queued as one group, the others find their outcomes ready. Any thread; the group is written on
// the pool's one thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "runtime/loops.h"
#include "runtime/metrics.h"
#include "storage/database.h"

namespace weft::storage {

// A unit between its call and its answer; after it was queued, the writer thread's.
struct PendingUnit {
  explicit PendingUnit(Unit queued) : unit(std::move(queued)) {}
  Unit unit;
  std::optional<Result<UnitResult>> outcome;
};
// Keeps a failure that the unit has already; a success that was not committed becomes this one.
void fail_unless_failed(PendingUnit& pending, const Error& error);

using PendingUnitPtr = std::shared_ptr<PendingUnit>;
using UnitGroup = std::span<const PendingUnitPtr>;

struct UnitQueueLimits {
  std::size_t units_queued_max = 10'000;
  std::size_t units_per_commit_max = 256;
};

class UnitQueue {
 public:
  // `write_group` gives each unit of the group its outcome.
  UnitQueue(Metrics& metrics, UnitQueueLimits limits, std::function<void(UnitGroup)> write_group);

  Task<Result<UnitResult>> execute(Unit unit);
  // Other work of the writer, in turn with the units.
  Task<Result<>> run(std::function<Result<>()> work);

 private:
  Result<UnitResult> outcome_of(PendingUnit& pending);
  std::vector<PendingUnitPtr> next_group();

  const UnitQueueLimits limits_;
  std::function<void(UnitGroup)> write_group_;
  Counter& units_;
  Counter& failures_;
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;
  std::deque<PendingUnitPtr> queue_;
  // Last: its destructor finishes the jobs, which use everything above.
  BlockingPool pool_;
};

}  // namespace weft::storage
