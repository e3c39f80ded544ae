#include "eventlog/core/log_producers.h"

#include <algorithm>
#include <limits>

namespace weft::eventlog {

std::int32_t advance_sequence(std::int32_t sequence, std::int32_t count) {
  constexpr std::int64_t kSequences = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  return static_cast<std::int32_t>((std::int64_t{sequence} + count) % kSequences);
}

SequenceVerdict ProducerStates::check(const BatchHeader& batch) const {
  using Kind = SequenceVerdict::Kind;
  if (batch.producer_id < 0) return {};
  auto found = producers_.find(batch.producer_id);
  if (found == producers_.end()) return {};
  const auto& state = found->second;
  if (batch.producer_epoch < state.epoch) return {Kind::StaleEpoch, -1};
  if (batch.producer_epoch > state.epoch) {
    return {batch.base_sequence == 0 ? Kind::Accept : Kind::OutOfOrder, -1};
  }
  if (state.count == 0) return {};  // known by a control batch alone
  auto last_sequence = advance_sequence(batch.base_sequence, batch.last_offset_delta);
  for (std::size_t i = 0; i < state.count; ++i) {
    const auto& known = state.batches[i];
    if (known.first_sequence == batch.base_sequence && known.last_sequence == last_sequence) {
      return {Kind::Duplicate, known.base_offset};
    }
  }
  auto expected = advance_sequence(state.batches[state.count - 1u].last_sequence, 1);
  return {batch.base_sequence == expected ? Kind::Accept : Kind::OutOfOrder, -1};
}

namespace {

// No batch of an ended transaction is taken for a repetition any more, only the sequence goes on: a
// client that aborts while a batch has no answer may give its number to the next transaction's
// first batch (librdkafka up to 2.16 does), and that would be acknowledged and lost. It is out of
// order instead, which the client learns of.
void end_transaction(ProducerState& state, Offset marker) {
  constexpr std::int32_t kNoSequence = -1;
  if (state.count == 0) return;
  const auto last = state.batches[state.count - 1u].last_sequence;
  state.batches[0] = {kNoSequence, last, marker};
  state.count = 1;
}

}  // namespace

bool ProducerStates::record(const BatchHeader& batch, std::int64_t now_ms) {
  if (batch.producer_id < 0) return false;
  auto [at, fresh] = producers_.try_emplace(batch.producer_id);
  auto& state = at->second;
  bool same_epoch = !fresh && batch.producer_epoch == state.epoch;
  // Recovery may meet a batch that the manifest knew already.
  if (same_epoch && state.count > 0 &&
      batch.base_offset <= state.batches[state.count - 1u].base_offset) {
    return false;
  }
  if (!same_epoch) state = ProducerState{};
  state.epoch = batch.producer_epoch;
  state.last_ms = now_ms;
  if (batch.is_control()) {
    end_transaction(state, batch.base_offset);
    return fresh;
  }
  if (state.count == ProducerState::kBatchesKept) {
    std::ranges::rotate(state.batches, state.batches.begin() + 1);
    --state.count;
  }
  auto last_sequence = advance_sequence(batch.base_sequence, batch.last_offset_delta);
  state.batches[state.count++] = {batch.base_sequence, last_sequence, batch.base_offset};
  return fresh;
}

std::size_t ProducerStates::expire(std::int64_t limit_ms) {
  return std::erase_if(producers_,
                       [&](const auto& each) { return each.second.last_ms < limit_ms; });
}

bool ProducerStates::evict_oldest(std::int64_t except) {
  auto oldest = producers_.end();
  for (auto at = producers_.begin(); at != producers_.end(); ++at) {
    if (at->first == except) continue;
    if (oldest == producers_.end() || at->second.last_ms < oldest->second.last_ms) oldest = at;
  }
  if (oldest == producers_.end()) return false;
  producers_.erase(oldest);
  return true;
}

}  // namespace weft::eventlog
