#include "eventlog/core/transactional_producers.h"

#include <algorithm>

namespace weft::eventlog {

using Verdict = TransactionalProducers::Verdict;

const TransactionalProducers::Producer* TransactionalProducers::find(
    std::int64_t producer_id) const {
  auto found = producers_.find(producer_id);
  return found == producers_.end() ? nullptr : &found->second;
}

Verdict TransactionalProducers::check(const BatchHeader& batch, PartitionId partition,
                                      std::string_view tenant) const {
  if (batch.producer_id < 0 || producers_.empty()) {
    return batch.is_transactional() ? Verdict::NotInTransaction : Verdict::Accept;
  }
  const auto* producer = find(batch.producer_id);
  if (producer == nullptr) {
    return batch.is_transactional() ? Verdict::NotInTransaction : Verdict::Accept;
  }
  if (batch.producer_epoch < producer->epoch) return Verdict::StaleEpoch;
  if (!batch.is_transactional()) {
    return producer->written.contains(partition) ? Verdict::NotInTransaction : Verdict::Accept;
  }
  if (batch.producer_epoch > producer->epoch) return Verdict::NotInTransaction;
  bool by_writing = producer->enlists_by_writing && producer->tenant == tenant;
  bool enlisted = by_writing || producer->enlisted.contains(partition);
  return enlisted ? Verdict::Accept : Verdict::NotInTransaction;
}

void TransactionalProducers::record(const BatchHeader& batch, PartitionId partition,
                                    std::int64_t now_ms) {
  auto found = producers_.find(batch.producer_id);
  if (found == producers_.end()) return;
  found->second.written.try_emplace(partition, batch.base_offset);
  if (found->second.since_ms == 0) found->second.since_ms = now_ms;
}

Verdict TransactionalProducers::enlist(std::int64_t producer_id, std::int16_t epoch,
                                       std::span<const PartitionId> which, std::int64_t now_ms) {
  auto found = producers_.find(producer_id);
  if (found == producers_.end()) return Verdict::NotInTransaction;
  auto& producer = found->second;
  if (epoch != producer.epoch) return Verdict::StaleEpoch;
  producer.enlisted.insert(which.begin(), which.end());
  if (producer.since_ms == 0) producer.since_ms = now_ms;
  return Verdict::Accept;
}

Verdict TransactionalProducers::may_end(std::int64_t producer_id, std::int16_t epoch) const {
  const auto* producer = find(producer_id);
  return producer != nullptr && epoch < producer->epoch ? Verdict::StaleEpoch : Verdict::Accept;
}

void TransactionalProducers::end(std::int64_t producer_id, std::int16_t epoch) {
  auto& producer = producers_[producer_id];
  producer = Producer{};
  producer.epoch = epoch;
}

void TransactionalProducers::forget(const PartitionId& partition) {
  for (auto& [id, producer] : producers_) {
    producer.enlisted.erase(partition);
    producer.written.erase(partition);
  }
}

void TransactionalProducers::restore(std::int64_t producer_id, PartitionId partition,
                                     const OpenTransaction& open, std::int64_t now_ms) {
  auto& producer = producers_[producer_id];
  producer.epoch = std::max(producer.epoch, open.epoch);
  producer.enlists_by_writing = true;
  producer.written.try_emplace(partition, open.first);
  producer.since_ms = now_ms;
}

void TransactionalProducers::admit(std::int64_t producer_id, std::int16_t epoch,
                                   std::string_view tenant) {
  auto [at, fresh] = producers_.try_emplace(producer_id);
  at->second.tenant = tenant;
  at->second.epoch = std::max(at->second.epoch, epoch);
  if (fresh) at->second.enlists_by_writing = true;
}

}  // namespace weft::eventlog
