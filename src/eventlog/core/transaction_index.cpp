#include "eventlog/core/transaction_index.h"

#include <algorithm>

namespace weft::eventlog {

void TransactionIndex::apply(TransactionStep step, std::int64_t producer_id, std::int16_t epoch,
                             Offset base, Offset last) {
  if (step == TransactionStep::None) return;
  if (step == TransactionStep::Data) {
    open_.try_emplace(producer_id, OpenTransaction{epoch, base});
    return;
  }
  auto found = open_.find(producer_id);
  if (found == open_.end()) return;  // its data was lost, or never came
  if (step == TransactionStep::Abort) {
    aborted_.push_back({producer_id, found->second.first, last});
    longest_ = std::max(longest_, last - found->second.first);
  }
  open_.erase(found);
}

void TransactionIndex::restore(Open open, std::vector<AbortedTransaction> aborted) {
  open_ = std::move(open);
  aborted_ = std::move(aborted);
  for (const auto& each : aborted_) longest_ = std::max(longest_, each.last - each.first);
}

Offset TransactionIndex::stable_end(Offset end) const {
  for (const auto& [producer_id, transaction] : open_) end = std::min(end, transaction.first);
  return end;
}

std::vector<AbortedTransaction> TransactionIndex::aborted_in(Offset from, Offset to) const {
  std::vector<AbortedTransaction> found;
  auto at = std::ranges::lower_bound(aborted_, from, {}, &AbortedTransaction::last);
  for (; at != aborted_.end() && at->last - longest_ < to; ++at) {
    if (at->first < to) found.push_back(*at);
  }
  return found;
}

void TransactionIndex::trim(Offset start) {
  auto kept = std::ranges::lower_bound(aborted_, start, {}, &AbortedTransaction::last);
  aborted_.erase(aborted_.begin(), kept);
}

bool is_aborted(const std::vector<AbortedTransaction>& aborted, std::int64_t producer_id,
                Offset base) {
  return std::ranges::any_of(aborted, [&](const AbortedTransaction& each) {
    return each.producer_id == producer_id && each.first <= base && base <= each.last;
  });
}

}  // namespace weft::eventlog
