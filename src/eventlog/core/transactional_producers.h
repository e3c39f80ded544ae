// The producers that may write in transactions, as the log's thread knows them: each with its
// current epoch, the partitions of its transaction, and where it has written. What a producer sends
// outside of this is refused, so no batch that comes late can open a transaction that nobody ends
// (what KIP-890 is about). Decided by the transaction coordinator (kafka/transactions); pure, log
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventlog/core/record_batch.h"
#include "eventlog/core/transaction_index.h"

namespace weft::eventlog {

class TransactionalProducers {
 public:
  struct Producer {
    std::int16_t epoch = 0;
    // Since a restart: which partitions were enlisted is not known, so each is until the end of the
    // transaction. What comes late cannot come, its connection died with the process.
    bool enlists_by_writing = false;
    std::string tenant;  // in whose partitions it may; known once it was admitted
    std::set<PartitionId> enlisted;
    std::map<PartitionId, Offset> written;  // with the first offset there
    std::int64_t since_ms = 0;              // when the transaction began; 0: there is none
  };
  enum class Verdict : std::uint8_t { Accept, NotInTransaction, StaleEpoch };

  // Whether the batch is where its producer may write it.
  Verdict check(const BatchHeader& batch, PartitionId partition,
                std::string_view tenant = {}) const;
  // Requires: check() accepted the transactional batch; its base offset is set.
  void record(const BatchHeader& batch, PartitionId partition, std::int64_t now_ms);
  Verdict enlist(std::int64_t producer_id, std::int16_t epoch, std::span<const PartitionId> which,
                 std::int64_t now_ms);
  // Whether the producer's transaction may end with this epoch: not below the one known.
  Verdict may_end(std::int64_t producer_id, std::int16_t epoch) const;
  // The transaction is over; from now on `epoch` is the one that counts.
  void end(std::int64_t producer_id, std::int16_t epoch);
  void forget(std::int64_t producer_id) { producers_.erase(producer_id); }
  void forget(const PartitionId& partition);

  const Producer* find(std::int64_t producer_id) const;
  const std::unordered_map<std::int64_t, Producer>& all() const { return producers_; }

  // For recovery: a transaction that was open in the partition.
  void restore(std::int64_t producer_id, PartitionId partition, const OpenTransaction& open,
               std::int64_t now_ms);
  // For the coordinator, after a restart: a producer that may go on.
  void admit(std::int64_t producer_id, std::int16_t epoch, std::string_view tenant = {});

 private:
  std::unordered_map<std::int64_t, Producer> producers_;
};

}  // namespace weft::eventlog
