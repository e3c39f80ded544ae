// Idempotence: what one partition remembers of its producers, so that a batch sent twice is stored
// once and a gap is noticed (Kafka's rules: the last five batches of each producer id; KIP-360: an
// unknown producer may start anywhere). Pure; owned by the log's thread.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "eventlog/core/record_batch.h"
#include "eventlog/types.h"

namespace weft::eventlog {

struct ProducerBatch {
  std::int32_t first_sequence = 0;
  std::int32_t last_sequence = 0;
  Offset base_offset = 0;
  bool operator==(const ProducerBatch&) const = default;
};

struct ProducerState {
  static constexpr std::size_t kBatchesKept = 5;
  std::int16_t epoch = 0;
  std::uint8_t count = 0;
  std::int64_t last_ms = 0;                           // when it last appended
  std::array<ProducerBatch, kBatchesKept> batches{};  // oldest first
  bool operator==(const ProducerState&) const = default;
};

struct SequenceVerdict {
  enum Kind : std::uint8_t { Accept, Duplicate, OutOfOrder, StaleEpoch } kind = Accept;
  Offset original = -1;  // of a Duplicate
};

// The sequence number `count` after `sequence`; wraps from 2^31 - 1 to 0.
std::int32_t advance_sequence(std::int32_t sequence, std::int32_t count);

class ProducerStates {
 public:
  using Map = std::unordered_map<std::int64_t, ProducerState>;

  // A batch without a producer id is always accepted.
  SequenceVerdict check(const BatchHeader& batch) const;
  // Requires: check() accepted it; its base offset is set. True when the producer was unknown. The
  // epoch of a control batch fences earlier ones.
  bool record(const BatchHeader& batch, std::int64_t now_ms);
  // Forgets producers that have been silent since before `limit_ms`; how many.
  std::size_t expire(std::int64_t limit_ms);
  // Forgets the one that has been silent longest, other than `except`. False when there is none.
  bool evict_oldest(std::int64_t except);

  const Map& all() const { return producers_; }
  void restore(std::int64_t producer_id, const ProducerState& state) {
    producers_[producer_id] = state;
  }

 private:
  Map producers_;
};

}  // namespace weft::eventlog
