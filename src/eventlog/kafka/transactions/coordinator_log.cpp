// The transaction coordinator's stream: replay, snapshots, expiry; and the task that watches the
// time.
#include "eventlog/kafka/log_module.h"
#include "eventlog/kafka/state_record.h"
#include "eventlog/kafka/transactions/coordinator_state.h"
#include "eventlog/kafka/transactions/transaction_records.h"
#include "runtime/log.h"

namespace weft::kafka {

using State = TransactionCoordinator::State;
using eventlog::NewRecord;

namespace {

constexpr Duration kExpiryInterval = 10min;
constexpr std::size_t kSnapshotRecords = 500;  // per append

std::string encoded_key(TransactionRecordKind kind, const TransactionKey& key) {
  TransactionRecordKey record_key;
  record_key.kind = static_cast<std::int8_t>(kind);
  record_key.tenant = key.tenant;
  record_key.id = key.id;
  return encode_state_record(record_key);
}

}  // namespace

NewRecord State::producer_record(const TransactionKey& key, const Transaction* transaction) const {
  NewRecord record;
  record.key = encoded_key(TransactionRecordKind::Producer, key);
  if (transaction == nullptr) return record;
  ProducerRecord value;
  value.producer_id = transaction->producer.id;
  value.producer_epoch = transaction->producer.epoch;
  value.timeout_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(transaction->timeout).count();
  record.value = encode_state_record(value);
  return record;
}

NewRecord State::pending_record(const TransactionKey& key, const Transaction* transaction) const {
  NewRecord record;
  record.key = encoded_key(TransactionRecordKind::PendingOffsets, key);
  if (transaction == nullptr) return record;
  PendingOffsetsRecord value;
  value.producer_id = transaction->producer.id;
  value.producer_epoch = transaction->producer.epoch;
  for (const auto& [group, offsets] : transaction->pending) {
    for (const auto& [place, offset] : offsets) {
      value.offsets.push_back({group, place.topic, place.partition, offset.offset,
                               offset.leader_epoch, offset.metadata});
    }
  }
  record.value = encode_state_record(value);
  return record;
}

Result<> State::replay_record(const eventlog::Record& record) {
  TRY(const auto record_key, decode_state_record<TransactionRecordKey>(*record.key));
  TransactionKey key{std::string(record_key.tenant), std::string(record_key.id)};
  const auto kind = static_cast<TransactionRecordKind>(record_key.kind);
  if (kind == TransactionRecordKind::Producer && !record.value) {
    erase(key);
    return {};
  }
  auto& transaction = transactions[key];
  if (kind == TransactionRecordKind::Producer) {
    TRY(const auto value, decode_state_record<ProducerRecord>(*record.value));
    transaction.producer = {value.producer_id, value.producer_epoch};
    transaction.timeout = std::chrono::milliseconds(value.timeout_ms);
    return {};
  }
  transaction.pending.clear();
  if (!record.value) return {};
  TRY(const auto value, decode_state_record<PendingOffsetsRecord>(*record.value));
  for (const auto& each : value.offsets) {
    CommittedOffset offset;
    offset.offset = each.offset;
    offset.leader_epoch = each.leader_epoch;
    offset.metadata = each.metadata;
    transaction.pending[std::string(each.group)][{each.topic, each.partition}] = std::move(offset);
  }
  return {};
}

Task<Result<>> State::start() {
  std::function<Result<>(const eventlog::Record&)> take = [this](const eventlog::Record& record) {
    return replay_record(record);
  };
  CO_CHECK(co_await stream.open(std::move(take)));
  std::erase_if(transactions, [](const auto& each) { return each.second.producer.id < 0; });
  std::vector<eventlog::AdmittedProducer> producers;
  const auto now = clock.now();
  for (auto& [key, transaction] : transactions) {
    producers.push_back({transaction.producer, key.tenant});
    transaction.touched = now;
    transaction.is_recovered = true;
    account(key, transaction);
    if (!transaction.pending.empty()) begin(transaction);
    for (const auto& [group, offsets] : transaction.pending) {
      groups.add_pending({key.tenant, group}, Offsets(offsets.begin(), offsets.end()));
    }
  }
  CO_CHECK(co_await batches.admit_producers(std::move(producers)));
  CO_CHECK(co_await adopt_open());
  is_open = true;
  tasks.spawn(watch());
  co_return Result<>();
}

Task<void> State::stop() {
  is_open = false;
  tasks.cancel();
  co_await tasks.join();
}

// Transactions that the log knows to be open: those of known producers go on, and may run out of
// time; at the start, others are aborted.
Task<Result<>> State::adopt_open() {
  CO_TRY(const auto open, co_await batches.open_transactions());
  std::map<std::int64_t, Transaction*> by_producer;
  for (auto& [key, transaction] : transactions) {
    by_producer.emplace(transaction.producer.id, &transaction);
  }
  for (const auto& each : open) {
    const auto known = by_producer.find(each.producer.id);
    if (known != by_producer.end()) {
      // Otherwise it has ended since the log was asked, or is about to.
      auto& transaction = *known->second;
      if (!transaction.is_recovered || transaction.is_busy) continue;
      begin(transaction);
      for (const auto& [partition, first] : each.written) transaction.partitions.insert(partition);
      continue;
    }
    if (is_open) continue;
    log_warn(kLogModule, "a transaction of a producer that is not known is aborted",
             {{"producer", each.producer.id}});
    eventlog::TransactionEnd end;
    end.producer = each.producer;
    CO_CHECK(co_await batches.end_transaction(std::move(end)));
    std::vector<std::int64_t> ids{each.producer.id};
    CO_CHECK(co_await batches.forget_producers(std::move(ids)));
  }
  co_return Result<>();
}

Task<void> State::watch() {
  auto expiry = clock.mono() + kExpiryInterval;
  while (is_open) {
    const auto slept = co_await clock.sleep_for(options.timeout_check);
    if (!slept) co_return;
    if (stream.wants_snapshot()) co_await write_snapshot();
    co_await abort_overdue();
    if (clock.mono() < expiry) continue;
    expiry = clock.mono() + kExpiryInterval;
    co_await expire_ids();
  }
}

Task<void> State::abort_overdue() {
  const auto is_recovered = [](const auto& each) {
    return each.second.is_recovered && each.second.state != TransactionState::Ongoing;
  };
  if (std::ranges::any_of(transactions, is_recovered)) (void)co_await adopt_open();
  const auto is_overdue = [this](const Transaction& transaction) {
    return transaction.state == TransactionState::Ongoing && !transaction.is_busy &&
           clock.now() - transaction.since > transaction.timeout;
  };
  std::vector<TransactionKey> overdue;
  for (const auto& [key, transaction] : transactions) {
    if (is_overdue(transaction)) overdue.push_back(key);
  }
  for (const auto& key : overdue) {
    // It may have ended, or begun anew, while the one before it was aborted.
    const auto found = transactions.find(key);
    if (found == transactions.end() || !is_overdue(found->second)) continue;
    const auto error = co_await abort_and_fence(key);
    log_warn(kLogModule, "a transaction took longer than its timeout and was aborted",
             {{"transactionalId", key.id}, {"tenant", key.tenant}, {"error", code(error)}});
  }
}

Task<void> State::expire_ids() {
  const auto oldest = clock.now() - options.id_expiry;
  std::vector<NewRecord> records;
  std::vector<std::int64_t> ids;
  std::vector<TransactionKey> keys;
  for (const auto& [key, transaction] : transactions) {
    if (keys.size() == kSnapshotRecords) break;  // the others have their turn the next time
    const bool idle = transaction.state != TransactionState::Ongoing && !transaction.is_busy;
    if (!idle || transaction.touched >= oldest) continue;
    keys.push_back(key);
    ids.push_back(transaction.producer.id);
    records.push_back(producer_record(key, nullptr));
  }
  if (keys.empty()) co_return;
  for (const auto& key : keys) transactions.at(key).is_busy = true;
  const auto written = co_await stream.append(std::move(records));
  for (const auto& key : keys) {
    if (written) {
      erase(key);
    } else {
      transactions.at(key).is_busy = false;
    }
  }
  if (written) (void)co_await batches.forget_producers(std::move(ids));
}

Task<void> State::write_snapshot() {
  std::vector<TransactionKey> keys;
  for (const auto& [key, transaction] : transactions) keys.push_back(key);
  std::vector<NewRecord> records;
  bool written = true;
  for (std::size_t i = 0; written && i < keys.size(); ++i) {
    const auto found = transactions.find(keys[i]);
    // What gets another producer has its record on its way; what is busy otherwise, perhaps one of
    // its offsets.
    if (found != transactions.end() && !found->second.is_renewed) {
      records.push_back(producer_record(keys[i], &found->second));
      if (!found->second.pending.empty() && !found->second.is_busy)
        records.push_back(pending_record(keys[i], &found->second));
    }
    if (records.size() < kSnapshotRecords && i + 1 < keys.size()) continue;
    if (records.empty()) continue;
    written = (co_await stream.append(std::exchange(records, {}))).has_value();
  }
  stream.snapshot_written();
}

}  // namespace weft::kafka
