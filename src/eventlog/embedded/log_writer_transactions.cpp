// Transactions on the log's thread: who may write in one, and the markers that end it.
#include "eventlog/embedded/log_writer.h"

namespace weft::eventlog {

namespace {

using Verdict = TransactionalProducers::Verdict;

AppendItem marker_for(LogStreamRef stream, Partition& partition, const TransactionEnding& ending,
                      std::int64_t now_ms) {
  AppendItem item;
  item.stream = std::move(stream);
  item.partition = &partition;
  item.step = ending.commits ? TransactionStep::Commit : TransactionStep::Abort;
  auto type = ending.commits ? ControlType::Commit : ControlType::Abort;
  item.batch = control_batch(type, ending.producer.id, ending.producer.epoch, now_ms);
  auto header = read_batch_header(item.batch);
  ENSURE(header.has_value(), "a marker has a header");
  item.header = *header;
  return item;
}

}  // namespace

void LogWriter::add_markers(AppendWork& work) {
  auto& ending = *work.ending;
  if (transactions_.may_end(ending.producer.id, ending.producer.epoch) != Verdict::Accept) {
    ending.outcome = AppendStatus::StaleProducerEpoch;
    return;
  }
  const auto* producer = transactions_.find(ending.producer.id);
  if (producer == nullptr) return;
  auto now = to_unix_ms(context_.clock.now());
  for (const auto& [id, first] : producer->written) {
    auto stream = context_.streams.find(id.stream);
    auto* partition = stream ? stream->partition(id.partition) : nullptr;
    if (partition == nullptr) continue;
    work.items.push_back(marker_for(std::move(stream), *partition, ending, now));
    work.bytes += work.items.back().batch.size();
  }
}

void LogWriter::finish(const AppendWork& work) {
  const auto& producer = work.ending->producer;
  transactions_.end(producer.id, producer.epoch);
}

Task<Result<>> LogWriter::enlist(TransactionalProducer producer,
                                 std::vector<PartitionId> partitions) {
  auto now = to_unix_ms(context_.clock.now());
  switch (transactions_.enlist(producer.id, producer.epoch, partitions, now)) {
    case Verdict::Accept:
      co_return Result<>();
    case Verdict::NotInTransaction:
      co_return fail(ErrorCode::NotFound, "no transactional producer {}", producer.id);
    case Verdict::StaleEpoch:
      break;
  }
  co_return fail(ErrorCode::Conflict, "producer {} has another epoch than {}", producer.id,
                 producer.epoch);
}

Task<Result<>> LogWriter::admit_producers(std::vector<AdmittedProducer> producers) {
  for (const auto& each : producers) {
    transactions_.admit(each.producer.id, each.producer.epoch, each.tenant);
  }
  co_return Result<>();
}

Task<Result<>> LogWriter::forget_producers(std::vector<std::int64_t> ids) {
  for (auto id : ids) {
    const auto* producer = transactions_.find(id);
    if (producer != nullptr && producer->written.empty()) transactions_.forget(id);
  }
  co_return Result<>();
}

Task<Result<std::vector<OpenTransactionView>>> LogWriter::open_transactions() {
  std::vector<OpenTransactionView> views;
  for (const auto& [id, producer] : transactions_.all()) {
    if (producer.since_ms == 0) continue;
    OpenTransactionView view;
    view.producer = {id, producer.epoch};
    view.since = from_unix_ms(producer.since_ms);
    view.enlisted.assign(producer.enlisted.begin(), producer.enlisted.end());
    view.written.assign(producer.written.begin(), producer.written.end());
    views.push_back(std::move(view));
  }
  co_return views;
}

Task<Result<std::vector<ProducerView>>> LogWriter::producers(PartitionId id) {
  auto partition = context_.streams.find(id);
  if (!partition) co_return fail(ErrorCode::NotFound, "no such partition");
  const auto transactions = partition->transactions();
  std::vector<ProducerView> views;
  for (const auto& [producer_id, state] : partition->producers.all()) {
    ProducerView view;
    view.id = producer_id;
    view.epoch = state.epoch;
    if (state.count > 0) view.last_sequence = state.batches[state.count - 1u].last_sequence;
    view.last_ms = state.last_ms;
    auto open = transactions.open().find(producer_id);
    if (open != transactions.open().end()) view.transaction_start = open->second.first;
    views.push_back(view);
  }
  co_return views;
}

void LogWriter::recover_transactions() {
  auto now = to_unix_ms(context_.clock.now());
  for (const auto& stream : context_.streams.all()) {
    for (const auto& partition : stream->partitions) {
      const auto known = partition->transactions();
      for (const auto& [producer_id, open] : known.open()) {
        transactions_.restore(producer_id, partition->id, open, now);
      }
    }
  }
}

}  // namespace weft::eventlog
