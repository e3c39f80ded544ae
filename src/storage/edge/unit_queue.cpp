#include "storage/edge/unit_queue.h"

namespace weft::storage {

void fail_unless_failed(PendingUnit& pending, const Error& error) {
  if (!pending.outcome || pending.outcome->has_value()) pending.outcome = Failure(error);
}

UnitQueue::UnitQueue(Metrics& metrics, UnitQueueLimits limits,
                     std::function<void(UnitGroup)> write_group)
    : limits_(limits),
      write_group_(std::move(write_group)),
      units_(metrics.counter("weft_storage_units_total",
                             "Statement lists carried out in the state database")),
      failures_(metrics.counter("weft_storage_unit_failures_total",
                                "Statement lists that the state database refused")),
      pool_("state-write", 1, limits.units_queued_max + 1) {}

Result<UnitResult> UnitQueue::outcome_of(PendingUnit& pending) {
  while (!pending.outcome) {
    auto group = next_group();
    ENSURE(!group.empty(), "a unit without an outcome is in the queue");
    write_group_(group);
  }
  waiting_.fetch_sub(1);
  (pending.outcome->has_value() ? units_ : failures_).add();
  return std::move(*pending.outcome);
}

std::vector<PendingUnitPtr> UnitQueue::next_group() {
  std::lock_guard lock(mutex_);
  auto count = std::min(queue_.size(), limits_.units_per_commit_max);
  auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<PendingUnitPtr> group(std::make_move_iterator(queue_.begin()),
                                    std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return group;
}

Task<Result<UnitResult>> UnitQueue::execute(Unit unit) {
  auto pending = std::make_shared<PendingUnit>(std::move(unit));
  // Counted until its job has run, so the pool's queue, which is as long, never refuses one.
  if (waiting_.fetch_add(1) >= limits_.units_queued_max) {
    waiting_.fetch_sub(1);
    co_return fail(ErrorCode::ResourceExhausted, "state database: {} changes wait already",
                   limits_.units_queued_max);
  }
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(pending);
  }
  std::function<Result<UnitResult>()> work = [this, pending] { return outcome_of(*pending); };
  co_return co_await pool_.run<UnitResult>(std::move(work));
}

Task<Result<>> UnitQueue::run(std::function<Result<>()> work) {
  co_return co_await pool_.run<void>(std::move(work));
}

}  // namespace weft::storage
