#include "eventlog/kafka/transactions/coordinator.h"

#include <algorithm>
#include <limits>

#include "eventlog/kafka/at_home.h"
#include "eventlog/kafka/log_module.h"
#include "eventlog/kafka/transactions/coordinator_state.h"
#include "runtime/log.h"

namespace weft::kafka {

using eventlog::PartitionId;
using eventlog::TransactionalProducer;
using State = TransactionCoordinator::State;

TransactionCoordinator::TransactionCoordinator(TransactionOptions options,
                                               eventlog::BatchLog& batches, eventlog::EventLog& log,
                                               GroupCoordinator& groups, Clock& clock)
    : state_(std::make_unique<State>(options, batches, log, groups, clock)) {}
TransactionCoordinator::~TransactionCoordinator() = default;

Task<Result<>> TransactionCoordinator::start() {
  return at_home(state_->groups.home(), state_->start());
}
Task<void> TransactionCoordinator::stop() {
  co_await at_home(state_->groups.home(), completed(state_->stop()));
}
Task<ProducerGrant> TransactionCoordinator::init(TransactionKey key, Duration timeout,
                                                 std::optional<TransactionalProducer> known) {
  return at_home(state_->groups.home(), state_->init(std::move(key), timeout, known));
}
Task<KafkaError> TransactionCoordinator::add_partitions(TransactionKey key,
                                                        TransactionalProducer producer,
                                                        std::vector<PartitionId> partitions) {
  return at_home(state_->groups.home(),
                 state_->add_partitions(std::move(key), producer, std::move(partitions)));
}
Task<KafkaError> TransactionCoordinator::add_group(TransactionKey key,
                                                   TransactionalProducer producer,
                                                   std::string group) {
  return at_home(state_->groups.home(),
                 state_->add_group(std::move(key), producer, std::move(group)));
}
Task<KafkaError> TransactionCoordinator::commit_offsets(TransactionKey key,
                                                        TransactionalProducer producer,
                                                        std::string group, CommitRequest request) {
  return at_home(
      state_->groups.home(),
      state_->commit_offsets(std::move(key), producer, std::move(group), std::move(request)));
}
Task<KafkaError> TransactionCoordinator::end(TransactionKey key, TransactionalProducer producer,
                                             bool commits) {
  return at_home(state_->groups.home(), state_->end(std::move(key), producer, commits));
}
Task<KafkaError> TransactionCoordinator::abort(TransactionKey key, TransactionalProducer producer,
                                               std::vector<PartitionId> partitions) {
  return at_home(state_->groups.home(),
                 state_->abort(std::move(key), producer, std::move(partitions)));
}
Task<std::vector<TransactionView>> TransactionCoordinator::list(std::string tenant) {
  return at_home(state_->groups.home(), state_->list(std::move(tenant)));
}
Task<std::optional<TransactionView>> TransactionCoordinator::describe(TransactionKey key) {
  return at_home(state_->groups.home(), state_->describe(std::move(key)));
}

std::string_view transaction_state_name(TransactionState state) {
  switch (state) {
    case TransactionState::Empty:
      return "Empty";
    case TransactionState::Ongoing:
      return "Ongoing";
    case TransactionState::CompleteCommit:
      return "CompleteCommit";
    case TransactionState::CompleteAbort:
      return "CompleteAbort";
  }
  return "Empty";
}

// ---- on the home loop

namespace {

// The last epoch is kept for fencing: no producer is given it.
constexpr std::int16_t kEpochMax = std::numeric_limits<std::int16_t>::max() - 1;

KafkaError error_of(const Error& error) {
  return error.code == ErrorCode::Conflict ? KafkaError::ProducerFenced
                                           : KafkaError::CoordinatorNotAvailable;
}

}  // namespace

std::expected<State::Transaction*, KafkaError> State::find(const TransactionKey& key,
                                                           const Producer& producer) {
  if (!is_open) return std::unexpected(KafkaError::CoordinatorNotAvailable);
  const auto found = transactions.find(key);
  if (found == transactions.end() || found->second.producer.id != producer.id)
    return std::unexpected(KafkaError::InvalidProducerIdMapping);
  if (found->second.producer.epoch != producer.epoch || producer.epoch > kEpochMax)
    return std::unexpected(KafkaError::ProducerFenced);
  if (found->second.is_busy) return std::unexpected(KafkaError::ConcurrentTransactions);
  found->second.touched = clock.now();
  return &found->second;
}

void State::account(const TransactionKey& key, Transaction& transaction) {
  constexpr std::size_t kRecordBytes = 100;
  auto bytes = key.tenant.size() + key.id.size() + kRecordBytes;
  for (const auto& [group, offsets] : transaction.pending) {
    for (const auto& [place, offset] : offsets) {
      bytes += group.size() + offset.metadata.size() + kRecordBytes;
    }
  }
  live_bytes = live_bytes - transaction.bytes + bytes;
  transaction.bytes = bytes;
}

void State::erase(const TransactionKey& key) {
  const auto found = transactions.find(key);
  if (found == transactions.end()) return;
  live_bytes -= found->second.bytes;
  transactions.erase(found);
}

void State::begin(Transaction& transaction) {
  if (transaction.state == TransactionState::Ongoing) return;
  transaction.state = TransactionState::Ongoing;
  transaction.since = clock.now();
}

void State::drop_pending(const TransactionKey& key, Transaction& transaction) {
  for (const auto& [group, offsets] : transaction.pending) {
    groups.remove_pending({key.tenant, group}, Offsets(offsets.begin(), offsets.end()));
  }
  transaction.pending.clear();
  account(key, transaction);
}

Task<KafkaError> State::finish(TransactionKey key, Producer producer, bool commits) {
  auto& transaction = transactions.at(key);
  transaction.is_busy = true;
  eventlog::TransactionEnd end;
  end.producer = producer;
  end.commits = commits;
  std::vector<std::pair<GroupKey, Offsets>> staged;
  if (commits) {
    for (const auto& [group, offsets] : transaction.pending) {
      staged.emplace_back(GroupKey{key.tenant, group}, Offsets(offsets.begin(), offsets.end()));
      auto& [group_key, list] = staged.back();
      end.with.push_back(groups.stage(group_key, list));
    }
  }
  std::vector<eventlog::NewRecord> records;
  if (!transaction.pending.empty()) records.push_back(pending_record(key, nullptr));
  transaction.is_renewed = transaction.producer != producer;
  if (transaction.is_renewed) {
    Transaction next = transaction;
    next.producer = producer;
    records.push_back(producer_record(key, &next));
  }
  if (!records.empty()) end.with.push_back(stream.entry(std::move(records)));
  const auto written = co_await batches.end_transaction(std::move(end));
  for (std::size_t i = 0; i < staged.size(); ++i) {
    std::optional<eventlog::Offset> where;
    if (written) where = (*written)[i].first_offset;
    groups.settle(staged[i].first, staged[i].second, where);
  }
  transaction.is_busy = transaction.is_renewed = false;
  if (!written) co_return error_of(written.error());
  drop_pending(key, transaction);
  transaction.producer = producer;
  transaction.state = commits ? TransactionState::CompleteCommit : TransactionState::CompleteAbort;
  transaction.is_recovered = false;
  transaction.partitions.clear();
  transaction.groups.clear();
  co_return KafkaError::None;
}

Task<ProducerGrant> State::init(TransactionKey key, Duration timeout,
                                std::optional<Producer> known) {
  ProducerGrant grant;
  const auto refused = [&grant](KafkaError error) {
    grant.error = error;
    return grant;
  };
  if (!is_open) co_return refused(KafkaError::CoordinatorNotAvailable);
  if (timeout <= Duration::zero() || timeout > options.timeout_max)
    co_return refused(KafkaError::InvalidTransactionTimeout);
  auto found = transactions.find(key);
  if (found == transactions.end()) {
    if (known) co_return refused(KafkaError::InvalidProducerIdMapping);
    if (transactions.size() >= options.ids_max || !has_room())
      co_return refused(KafkaError::CoordinatorNotAvailable);
    found = transactions.try_emplace(key).first;
    account(key, found->second);
  }
  auto& transaction = found->second;
  if (transaction.is_busy) co_return refused(KafkaError::ConcurrentTransactions);
  if (known && transaction.previous == known) {
    grant.producer = transaction.producer;
    co_return grant;
  }
  if (known && transaction.producer != *known) co_return refused(KafkaError::ProducerFenced);

  const auto before = transaction.producer;
  auto next = before;
  ++next.epoch;
  if (before.id < 0 || before.epoch >= kEpochMax) {
    transaction.is_busy = true;
    const auto id = co_await batches.new_producer_id();
    transaction.is_busy = false;
    if (!id) co_return refused(error_of(id.error()));
    next = {*id, 0};
    // The old id ends with an epoch that nobody is given.
    if (before.id >= 0) {
      const Producer last{before.id, kEpochMax + 1};
      const auto fenced = co_await finish(key, last, false);
      if (fenced != KafkaError::None) co_return refused(fenced);
    }
  }
  transaction.timeout = timeout;
  transaction.touched = clock.now();
  const auto error = co_await finish(key, next, false);
  if (error != KafkaError::None) {
    if (transaction.producer.id < 0) erase(key);
    co_return refused(error);
  }
  transaction.state = TransactionState::Empty;
  transaction.previous = known;
  grant.producer = next;
  co_return grant;
}

Task<KafkaError> State::add_partitions(TransactionKey key, Producer producer,
                                       std::vector<PartitionId> partitions) {
  const auto found = find(key, producer);
  if (!found) co_return found.error();
  auto& transaction = **found;
  transaction.is_busy = true;
  const auto enlisted = co_await batches.enlist(producer, partitions);
  transaction.is_busy = false;
  if (!enlisted) co_return error_of(enlisted.error());
  begin(transaction);
  transaction.partitions.insert(partitions.begin(), partitions.end());
  co_return KafkaError::None;
}

Task<KafkaError> State::add_group(TransactionKey key, Producer producer, std::string group) {
  const auto found = find(key, producer);
  if (!found) co_return found.error();
  begin(**found);
  (*found)->groups.insert(std::move(group));
  co_return KafkaError::None;
}

Task<KafkaError> State::commit_offsets(TransactionKey key, Producer producer, std::string group,
                                       CommitRequest request) {
  const auto found = find(key, producer);
  if (!found) co_return found.error();
  auto& transaction = **found;
  // Since a restart it is not known which groups were added.
  if (!transaction.is_recovered && !transaction.groups.contains(group))
    co_return KafkaError::InvalidTxnState;
  const GroupKey group_key{key.tenant, group};
  const auto checked = groups.check_pending(group_key, request.member);
  if (checked != KafkaError::None) co_return checked;
  if (!has_room()) co_return KafkaError::CoordinatorNotAvailable;
  begin(transaction);
  const auto before = transaction.pending;
  auto& pending = transaction.pending[group];
  Offsets added;
  for (auto& [place, offset] : request.offsets) {
    const auto [at, fresh] = pending.insert_or_assign(place, offset);
    if (fresh) added.emplace_back(*at);
  }
  transaction.is_busy = true;
  groups.add_pending(group_key, added);
  std::vector<eventlog::NewRecord> records;
  records.push_back(pending_record(key, &transaction));
  const auto written = co_await stream.append(std::move(records));
  transaction.is_busy = false;
  account(key, transaction);
  if (written) co_return KafkaError::None;
  transaction.pending = before;
  account(key, transaction);
  groups.remove_pending(group_key, added);
  co_return KafkaError::CoordinatorNotAvailable;
}

Task<KafkaError> State::end(TransactionKey key, Producer producer, bool commits) {
  const auto found = find(key, producer);
  if (!found) co_return found.error();
  const auto& transaction = **found;
  const auto done = commits ? TransactionState::CompleteCommit : TransactionState::CompleteAbort;
  if (transaction.state == done) co_return KafkaError::None;  // asked again: the answer was lost
  if (transaction.state != TransactionState::Ongoing && !transaction.is_recovered)
    co_return KafkaError::InvalidTxnState;
  co_return co_await finish(std::move(key), producer, commits);
}

Task<KafkaError> State::abort_and_fence(TransactionKey key) {
  auto next = transactions.at(key).producer;
  ++next.epoch;
  return finish(std::move(key), next, false);
}

Task<KafkaError> State::abort(TransactionKey key, Producer producer,
                              std::vector<PartitionId> partitions) {
  auto found = find(key, producer);
  if (found && (*found)->is_recovered) {
    // Since a restart it is the log that knows what it has written, and where.
    if (!co_await adopt_open()) co_return KafkaError::CoordinatorNotAvailable;
    found = find(key, producer);
  }
  if (!found) co_return found.error();
  const auto& transaction = **found;
  const auto has = [&](PartitionId each) { return transaction.partitions.contains(each); };
  if (transaction.state != TransactionState::Ongoing || std::ranges::none_of(partitions, has))
    co_return KafkaError::None;
  const auto error = co_await abort_and_fence(key);
  if (error == KafkaError::None) {
    log_warn(kLogModule, "a transaction was aborted for an operator",
             {{"transactionalId", key.id}, {"tenant", key.tenant}});
  }
  co_return error;
}

TransactionView State::view(const TransactionKey& key, const Transaction& transaction) {
  TransactionView view;
  view.id = key.id;
  view.state = transaction.state;
  view.producer = transaction.producer;
  view.timeout = transaction.timeout;
  if (transaction.state == TransactionState::Ongoing) view.since = transaction.since;
  view.partitions.assign(transaction.partitions.begin(), transaction.partitions.end());
  return view;
}

Task<std::vector<TransactionView>> State::list(std::string tenant) {
  std::vector<TransactionView> views;
  for (const auto& [key, transaction] : transactions) {
    if (key.tenant == tenant) views.push_back(view(key, transaction));
  }
  co_return views;
}

Task<std::optional<TransactionView>> State::describe(TransactionKey key) {
  const auto found = transactions.find(key);
  if (found == transactions.end()) co_return std::nullopt;
  co_return view(key, found->second);
}

}  // namespace weft::kafka
