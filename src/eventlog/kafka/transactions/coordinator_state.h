// The inside of TransactionCoordinator; everything here runs on its home loop.
#pragma once

#include <set>

#include "eventlog/kafka/state_stream.h"
#include "eventlog/kafka/transactions/coordinator.h"
#include "runtime/task_group.h"

namespace weft::kafka {

struct TransactionCoordinator::State {
  State(TransactionOptions with, eventlog::BatchLog& raw, eventlog::EventLog& event_log,
        GroupCoordinator& its_groups, Clock& its_clock)
      : options(with),
        batches(raw),
        groups(its_groups),
        clock(its_clock),
        tasks(its_groups.home(), "kafka transactions", 4),
        stream(event_log, kTransactionsStream, with.snapshot_bytes) {}

  using Producer = eventlog::TransactionalProducer;
  using Pending = std::map<std::string, std::map<OffsetKey, CommittedOffset>>;  // by group

  struct Transaction {
    TransactionState state = TransactionState::Empty;
    Producer producer;
    std::optional<Producer> previous;  // before the last init; for clients that missed its answer
    Duration timeout{};
    WallTime since{};    // while Ongoing
    WallTime touched{};  // when its producer last asked for something
    // What happened to its last transaction is not known: none was written, or it has ended.
    bool is_recovered = false;
    bool is_busy = false;     // something waits for the log
    bool is_renewed = false;  // what waits gives it another producer
    std::size_t bytes = 0;    // of its records, about
    std::set<eventlog::PartitionId> partitions;
    std::set<std::string> groups;
    Pending pending;
  };
  using Transactions = std::map<TransactionKey, Transaction>;

  TransactionOptions options;
  eventlog::BatchLog& batches;
  GroupCoordinator& groups;
  Clock& clock;
  TaskGroup tasks;
  StateStream stream;
  Transactions transactions;
  std::size_t live_bytes = 0;  // of all
  bool is_open = false;

  // After a change of what its records hold.
  void account(const TransactionKey& key, Transaction& transaction);
  void erase(const TransactionKey& key);
  bool has_room() const { return live_bytes < options.snapshot_bytes; }
  Task<Result<>> start();
  Task<void> stop();
  Task<ProducerGrant> init(TransactionKey key, Duration timeout, std::optional<Producer> known);
  Task<KafkaError> add_partitions(TransactionKey key, Producer producer,
                                  std::vector<eventlog::PartitionId> partitions);
  Task<KafkaError> add_group(TransactionKey key, Producer producer, std::string group);
  Task<KafkaError> commit_offsets(TransactionKey key, Producer producer, std::string group,
                                  CommitRequest request);
  Task<KafkaError> end(TransactionKey key, Producer producer, bool commits);
  Task<KafkaError> abort(TransactionKey key, Producer producer,
                         std::vector<eventlog::PartitionId> partitions);
  Task<std::vector<TransactionView>> list(std::string tenant);
  Task<std::optional<TransactionView>> describe(TransactionKey key);

  // transactions/coordinator_log.cpp
  Result<> replay_record(const eventlog::Record& record);
  Task<Result<>> adopt_open();
  Task<void> watch();
  Task<void> abort_overdue();
  Task<void> expire_ids();
  Task<void> write_snapshot();
  eventlog::NewRecord producer_record(const TransactionKey& key,
                                      const Transaction* transaction) const;
  eventlog::NewRecord pending_record(const TransactionKey& key,
                                     const Transaction* transaction) const;

  // The transaction of a producer that may act now, or why not.
  std::expected<Transaction*, KafkaError> find(const TransactionKey& key, const Producer& producer);
  void begin(Transaction& transaction);
  // Ends the transaction, from now on with `producer`. Keeps it busy meanwhile; on failure it is as
  // it was.
  Task<KafkaError> finish(TransactionKey key, Producer producer, bool commits);
  // The epoch rises, so that the producer learns that its transaction is gone.
  Task<KafkaError> abort_and_fence(TransactionKey key);
  void drop_pending(const TransactionKey& key, Transaction& transaction);
  static TransactionView view(const TransactionKey& key, const Transaction& transaction);
};

}  // namespace weft::kafka
