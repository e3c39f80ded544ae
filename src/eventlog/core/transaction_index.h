// Transactions as the readers of one partition see them: which are open, which were aborted, and up
// to where all is decided. Pure; guarded by the partition's mutex.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "eventlog/types.h"

namespace weft::eventlog {

// What a batch means for its producer's transaction in the partition.
enum class TransactionStep : std::uint8_t { None, Data, Commit, Abort };

// Its first record here; the batches of the producer from there on belong to the transaction.
struct OpenTransaction {
  std::int16_t epoch = 0;
  Offset first = 0;
  bool operator==(const OpenTransaction&) const = default;
};

// The batches of the producer in [first, last] do not count; `last` is the abort marker's offset.
struct AbortedTransaction {
  std::int64_t producer_id = 0;
  Offset first = 0;
  Offset last = 0;
  bool operator==(const AbortedTransaction&) const = default;
};

class TransactionIndex {
 public:
  using Open = std::map<std::int64_t, OpenTransaction>;  // by producer id

  // A batch [base, last] of the producer has become visible.
  void apply(TransactionStep step, std::int64_t producer_id, std::int16_t epoch, Offset base,
             Offset last);
  // Below this offset everything is decided; `end` when nothing is open. Kafka: last stable offset.
  Offset stable_end(Offset end) const;
  // Those that overlap [from, to), by their end.
  std::vector<AbortedTransaction> aborted_in(Offset from, Offset to) const;
  // Records below `start` are gone.
  void trim(Offset start);

  const Open& open() const { return open_; }
  const std::vector<AbortedTransaction>& aborted() const { return aborted_; }
  void restore(Open open, std::vector<AbortedTransaction> aborted);
  bool operator==(const TransactionIndex&) const = default;

 private:
  Open open_;
  std::vector<AbortedTransaction> aborted_;  // by `last`
  Offset longest_ = 0;                       // no aborted one reaches further back from its end
};

// Whether a transactional batch of that producer at that offset lies in one of them.
bool is_aborted(const std::vector<AbortedTransaction>& aborted, std::int64_t producer_id,
                Offset base);

}  // namespace weft::eventlog
