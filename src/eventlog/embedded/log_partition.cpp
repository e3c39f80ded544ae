#include "eventlog/embedded/log_partition.h"

#include <algorithm>

namespace weft::eventlog {

namespace {

using Extents = std::vector<std::shared_ptr<const Extent>>;

void insert_by_offset(Extents& extents, std::shared_ptr<const Extent> extent) {
  auto first_of = [](const std::shared_ptr<const Extent>& each) { return each->first; };
  auto at = std::ranges::upper_bound(extents, extent->first, {}, first_of);
  extents.insert(at, std::move(extent));
}

}  // namespace

WalRun& Partition::run_for(std::uint64_t sequence) {
  if (runs_.empty() || runs_.back().sequence != sequence) runs_.push_back({sequence, {}});
  return runs_.back();
}

Offset Partition::publish(const PublishedBatch& batch, FetchWaiters& woken) {
  std::lock_guard lock(mutex_);
  if (batch.wal_sequence != 0) {
    run_for(batch.wal_sequence).batches.push_back(batch.ref);
    info_.bytes += batch.ref.bytes;
  }
  if (batch.bytes) {
    tail_.push_back({batch.ref.base, batch.ref.last(), batch.ref.max_timestamp, batch.bytes});
    tail_bytes_ += batch.bytes->size();
  } else if (batch.wal_sequence != 0) {
    // Readers take the tail for all that there is from its first batch on: it has no gap.
    while (tail_first_ < tail_.size()) pop_tail();
  }
  if (epochs_.empty() || epochs_.back().epoch < batch.leader_epoch) {
    epochs_.push_back({batch.leader_epoch, batch.ref.base});
  }
  info_.leader_epoch = std::max(info_.leader_epoch, batch.leader_epoch);
  bool was_stable = info_.stable_end == info_.end;
  auto stable_before = info_.stable_end;
  // Recovery may meet a batch that the manifest's state holds already.
  bool is_new = batch.ref.base >= info_.end;
  info_.end = std::max(info_.end, batch.ref.last() + 1);
  if (is_new) {
    transactions_.apply(batch.step, batch.producer_id, batch.producer_epoch, batch.ref.base,
                        batch.ref.last());
  }
  end_moved();
  bool is_stable = was_stable && info_.stable_end == info_.end;
  std::erase_if(waiters_, [&](const std::shared_ptr<FetchWaiter>& waiter) {
    auto bytes = static_cast<std::int64_t>(batch.ref.bytes);
    // How much the end of a transaction uncovers is not counted: the waiter looks for itself.
    bool uncounted = waiter->committed_only && !is_stable;
    if (uncounted && info_.stable_end == stable_before) return false;
    if (!uncounted && waiter->missing.fetch_sub(bytes) > bytes) return false;
    if (!waiter->signalled.exchange(true)) woken.push_back(waiter);
    return true;
  });
  return info_.start;
}

void Partition::wake_all(FetchWaiters& woken) {
  std::lock_guard lock(mutex_);
  for (auto& waiter : waiters_) {
    if (!waiter->signalled.exchange(true)) woken.push_back(waiter);
  }
  waiters_.clear();
}

void Partition::pop_tail() {
  auto& oldest = tail_[tail_first_++];
  tail_bytes_ -= oldest.bytes->size();
  oldest.bytes.reset();
  if (tail_first_ < 32 || tail_first_ * 2 < tail_.size()) {
    if (tail_first_ == tail_.size()) {
      tail_.clear();
      tail_first_ = 0;
    }
    return;
  }
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(tail_first_));
  tail_first_ = 0;
}

std::size_t Partition::evict_tail() {
  std::lock_guard lock(mutex_);
  if (tail_first_ == tail_.size()) return 0;
  auto size = tail_cost(tail_[tail_first_].bytes->size());
  pop_tail();
  return size;
}

void Partition::limit_memory(std::uint64_t bytes_max, std::int64_t older_than_ms) {
  std::lock_guard lock(mutex_);
  while (tail_first_ < tail_.size() &&
         (tail_bytes_ > bytes_max || tail_[tail_first_].max_timestamp < older_than_ms)) {
    info_.start = tail_[tail_first_].last + 1;
    pop_tail();
  }
  transactions_.trim(info_.start);
  end_moved();
  info_.bytes = tail_bytes_;
}

std::uint64_t Partition::move_start(Offset start) {
  std::lock_guard lock(mutex_);
  if (start <= info_.start) return 0;
  info_.start = start;
  info_.end = std::max(info_.end, start);
  transactions_.trim(start);
  end_moved();
  std::uint64_t dead = 0;
  std::erase_if(extents_, [&](const std::shared_ptr<const Extent>& extent) {
    if (extent->end > start) return false;
    dead += extent->bytes;
    return true;
  });
  info_.bytes -= std::min(dead, info_.bytes);
  return dead;
}

void Partition::skip_to(Offset next_offset) {
  next = std::max(next, next_offset);
  std::lock_guard lock(mutex_);
  info_.end = std::max(info_.end, next_offset);
  end_moved();
}

void Partition::set_leader_epoch(std::int32_t epoch) {
  std::lock_guard lock(mutex_);
  info_.leader_epoch = epoch;
}

void Partition::restore(const ManifestPartition& state) {
  next = state.start;
  std::lock_guard lock(mutex_);
  info_.start = state.start;
  info_.end = state.start;
  epochs_ = state.epochs;
  transactions_ = state.transactions;
  cleaned_ = state.cleaned;
  first_segment_ = state.first_segment;
  end_moved();
}

void Partition::add_extent(std::shared_ptr<const Extent> extent) {
  std::lock_guard lock(mutex_);
  next = std::max(next, extent->end);
  info_.end = std::max(info_.end, extent->end);
  end_moved();
  info_.bytes += extent->bytes;
  insert_by_offset(extents_, std::move(extent));
}

void Partition::place(std::uint64_t sequence, std::vector<std::shared_ptr<const Extent>> extents) {
  std::lock_guard lock(mutex_);
  std::uint64_t before = 0;
  std::erase_if(runs_, [&](const WalRun& run) {
    if (run.sequence > sequence) return false;
    for (const auto& batch : run.batches) before += batch.bytes;
    return true;
  });
  info_.bytes -= std::min(before, info_.bytes);
  for (auto& extent : extents) {
    if (extent->end <= info_.start) continue;
    info_.bytes += extent->bytes;
    extents_.push_back(std::move(extent));
  }
}

void Partition::merge(const std::vector<std::uint64_t>& from,
                      std::vector<std::shared_ptr<const Extent>> merged) {
  std::lock_guard lock(mutex_);
  merge_locked(from, std::move(merged));
}

void Partition::merge_locked(const std::vector<std::uint64_t>& from,
                             std::vector<std::shared_ptr<const Extent>> merged) {
  std::erase_if(extents_, [&](const std::shared_ptr<const Extent>& extent) {
    if (std::ranges::find(from, extent->segment) == from.end()) return false;
    info_.bytes -= std::min(extent->bytes, info_.bytes);
    return true;
  });
  for (auto& extent : merged) {
    if (extent->end <= info_.start) continue;
    info_.bytes += extent->bytes;
    insert_by_offset(extents_, std::move(extent));
  }
}

void Partition::compacted(Compacted done) {
  std::vector<std::uint64_t> segments;
  for (const auto& extent : done.before) segments.push_back(extent->segment);
  std::lock_guard lock(mutex_);
  merge_locked(segments, std::move(done.after));
  cleaned_ = std::move(done.cleaned);
  first_segment_ = done.first_segment;
  transactions_.trim(done.forget_before);
  ++compactions_;
}

std::uint64_t Partition::first_segment() const {
  std::lock_guard lock(mutex_);
  return first_segment_;
}

std::size_t Partition::aborted_count() const {
  std::lock_guard lock(mutex_);
  return transactions_.aborted().size();
}

CleanMarks Partition::cleaned() const {
  std::lock_guard lock(mutex_);
  return cleaned_;
}

PartitionInfo Partition::info() const {
  std::lock_guard lock(mutex_);
  return info_;
}

std::vector<EpochStart> Partition::epochs() const {
  std::lock_guard lock(mutex_);
  return epochs_;
}

TransactionIndex Partition::transactions() const {
  std::lock_guard lock(mutex_);
  return transactions_;
}

std::vector<AbortedTransaction> Partition::aborted_in(Offset from, Offset to) const {
  std::lock_guard lock(mutex_);
  return transactions_.aborted_in(from, to);
}

EpochEnd Partition::epoch_end(std::int32_t epoch) const {
  std::lock_guard lock(mutex_);
  auto after = std::ranges::upper_bound(epochs_, epoch, {}, &EpochStart::epoch);
  auto end = after == epochs_.end() ? info_.end : after->start;
  if (after == epochs_.begin()) return {epoch, end};
  // The last epoch lasts: asking for a later one that wrote nothing yet gives the current one.
  if (after == epochs_.end()) return {std::min(epoch, info_.leader_epoch), end};
  return {(after - 1)->epoch, end};
}

std::vector<BatchRef> Partition::refs(std::uint64_t wal_sequence) const {
  std::lock_guard lock(mutex_);
  for (const auto& run : runs_) {
    if (run.sequence == wal_sequence) return run.batches;
  }
  return {};
}

std::vector<std::shared_ptr<const Extent>> Partition::extents() const {
  std::lock_guard lock(mutex_);
  return extents_;
}

void Partition::plan_tail(ReadPlan& plan, Offset from, std::uint64_t bytes_max) const {
  auto first = tail_.begin() + static_cast<std::ptrdiff_t>(tail_first_);
  auto at = std::ranges::lower_bound(first, tail_.end(), from, {}, &TailBatch::last);
  std::uint64_t bytes = 0;
  for (; at != tail_.end(); ++at) {
    if (bytes > 0 && bytes + at->bytes->size() > bytes_max) break;
    bytes += at->bytes->size();
    plan.batches.push_back(at->bytes);
    plan.next = at->last + 1;
  }
}

bool Partition::plan_wal(ReadPlan& plan, Offset from, std::uint64_t bytes_max) const {
  auto has_more = [&](const WalRun& run) { return run.batches.back().last() >= from; };
  auto run = std::ranges::find_if(runs_, has_more);
  if (run == runs_.end()) return false;
  auto at = std::ranges::lower_bound(run->batches, from, {}, &BatchRef::last);
  plan.wal_sequence = run->sequence;
  std::uint64_t bytes = 0;
  for (; at != run->batches.end(); ++at) {
    if (bytes > 0 && bytes + at->bytes > bytes_max) break;
    bytes += at->bytes;
    plan.refs.push_back(*at);
    plan.next = at->last() + 1;
  }
  return true;
}

ReadPlan Partition::plan(Offset from, std::uint64_t bytes_max, bool committed_only) const {
  std::lock_guard lock(mutex_);
  auto plan = plan_locked(from, bytes_max, committed_only);
  plan.compactions = compactions_;
  if (committed_only && !plan.error) {
    auto to = plan.extent ? plan.extent->end : plan.next;
    plan.aborted = transactions_.aborted_in(from, std::min(to, plan.limit));
  }
  return plan;
}

ReadPlan Partition::plan_locked(Offset from, std::uint64_t bytes_max, bool committed_only) const {
  ReadPlan plan;
  plan.info = info_;
  plan.next = from;
  plan.limit = committed_only ? info_.stable_end : info_.end;
  if (from < info_.start || from > info_.end) {
    plan.error = ErrorCode::OutOfRange;
    return plan;
  }
  if (from >= plan.limit) return plan;
  bool has_tail = tail_first_ < tail_.size();
  // What was compacted is read from its extents: the tail still has it whole.
  bool is_compacted = from < cleaned_.end();
  if (has_tail && !is_compacted && tail_[tail_first_].base <= from) {
    plan_tail(plan, from, bytes_max);
    if (!plan.batches.empty()) return plan;
  }
  auto end_of = [](const std::shared_ptr<const Extent>& each) { return each->end; };
  auto extent = std::ranges::upper_bound(extents_, from, {}, end_of);
  if (extent != extents_.end()) {
    plan.extent = *extent;
    return plan;
  }
  if (is_compacted) from = std::min(cleaned_.end(), plan.limit);
  if (plan_wal(plan, from, bytes_max)) return plan;
  if (has_tail) plan_tail(plan, from, bytes_max);
  if (plan.batches.empty()) plan.next = info_.end;  // a hole up to the end
  return plan;
}

Offset Partition::seek_time(std::int64_t unix_ms) const {
  std::lock_guard lock(mutex_);
  for (const auto& extent : extents_) {
    if (extent->max_timestamp < unix_ms) continue;
    for (const auto& point : extent->points) {
      if (point.max_timestamp >= unix_ms) return std::max(point.base_offset, info_.start);
    }
  }
  for (const auto& run : runs_) {
    for (const auto& batch : run.batches) {
      if (batch.max_timestamp >= unix_ms) return std::max(batch.base, info_.start);
    }
  }
  for (auto at = tail_first_; at < tail_.size(); ++at) {
    if (tail_[at].max_timestamp >= unix_ms) return std::max(tail_[at].base, info_.start);
  }
  return info_.end;
}

Offset Partition::retained_start(std::int64_t older_than_ms, std::uint64_t bytes_max) const {
  std::lock_guard lock(mutex_);
  auto start = info_.start;
  auto bytes = info_.bytes;
  for (const auto& extent : extents_) {
    bool too_old = extent->max_timestamp < older_than_ms;
    bool too_much = bytes_max != 0 && bytes - extent->bytes >= bytes_max;
    if (!too_old && !too_much) break;
    start = std::max(start, extent->end);
    bytes -= extent->bytes;
  }
  return start;
}

bool Partition::wait(const std::shared_ptr<FetchWaiter>& waiter, Offset end_seen) {
  std::lock_guard lock(mutex_);
  if ((waiter->committed_only ? info_.stable_end : info_.end) > end_seen) return false;
  waiters_.push_back(waiter);
  return true;
}

void Partition::stop_waiting(const FetchWaiter& waiter) {
  std::lock_guard lock(mutex_);
  std::erase_if(waiters_, [&](const auto& each) { return each.get() == &waiter; });
}

}  // namespace weft::eventlog
