// The transaction coordinator: who may write in transactions (a producer id and epoch for each
// transactional id), and what belongs to which transaction until it ends.
//
// The log is the authority on what was written where (TransactionalProducers); a transaction ends
// in one write-ahead entry that holds the markers of all partitions and the offsets of its groups.
// So there is no prepared state as with several brokers: after a crash a transaction is either over
// or open. Producers, and offsets that are not committed yet, are records of the internal stream
// `__weft.transactions`, durable before the answer.
//
// Lives on the groups' home loop; call from any loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventlog/batch_log.h"
#include "eventlog/kafka/groups/coordinator.h"

namespace weft::kafka {

inline constexpr std::string_view kTransactionsStream = "__weft.transactions";

struct TransactionOptions {
  std::uint32_t ids_max = 100'000;
  Duration timeout_max = 15min;                     // Kafka: transaction.max.timeout.ms
  Duration id_expiry = std::chrono::hours(24 * 7);  // Kafka: transactional.id.expiration.ms
  Duration timeout_check = 1s;                      // how late a timeout may be noticed
  std::uint64_t snapshot_bytes = 16 * 1024 * 1024;
};

// Transactional ids are per tenant.
struct TransactionKey {
  std::string tenant;
  std::string id;
  auto operator<=>(const TransactionKey&) const = default;
};

// Kafka's names of the states are in transaction_state_name().
enum class TransactionState : std::uint8_t { Empty, Ongoing, CompleteCommit, CompleteAbort };
std::string_view transaction_state_name(TransactionState state);

struct TransactionView {
  std::string id;
  TransactionState state = TransactionState::Empty;
  eventlog::TransactionalProducer producer;
  Duration timeout{};
  std::optional<WallTime> since;  // while it is ongoing
  std::vector<eventlog::PartitionId> partitions;
};

struct ProducerGrant {
  KafkaError error = KafkaError::None;
  eventlog::TransactionalProducer producer;
};

class TransactionCoordinator {
 public:
  // All parts outlive it. Uses the home loop of `groups`.
  TransactionCoordinator(TransactionOptions options, eventlog::BatchLog& batches,
                         eventlog::EventLog& log, GroupCoordinator& groups, Clock& clock);
  ~TransactionCoordinator();

  // After the groups' start. Transactions of producers that nobody knows are aborted.
  Task<Result<>> start();
  // Later calls are refused with CoordinatorNotAvailable.
  Task<void> stop();

  // Ends what the id's earlier producer left open, and fences it. `known`: what a producer that
  // goes on was given before (KIP-360), else absent.
  Task<ProducerGrant> init(TransactionKey key, Duration timeout,
                           std::optional<eventlog::TransactionalProducer> known);
  Task<KafkaError> add_partitions(TransactionKey key, eventlog::TransactionalProducer producer,
                                  std::vector<eventlog::PartitionId> partitions);
  Task<KafkaError> add_group(TransactionKey key, eventlog::TransactionalProducer producer,
                             std::string group);
  Task<KafkaError> commit_offsets(TransactionKey key, eventlog::TransactionalProducer producer,
                                  std::string group, CommitRequest request);
  Task<KafkaError> end(TransactionKey key, eventlog::TransactionalProducer producer, bool commits);
  // Aborts the whole transaction, also for others than its producer, which is fenced by that; does
  // nothing when none of these partitions belongs to one that is open.
  Task<KafkaError> abort(TransactionKey key, eventlog::TransactionalProducer producer,
                         std::vector<eventlog::PartitionId> partitions);
  Task<std::vector<TransactionView>> list(std::string tenant);
  Task<std::optional<TransactionView>> describe(TransactionKey key);

  struct State;  // of the implementation

 private:
  std::unique_ptr<State> state_;
};

}  // namespace weft::kafka
