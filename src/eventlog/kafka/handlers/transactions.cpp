// InitProducerId and what a producer asks for in a transaction; who has one open.
#include <algorithm>
#include <array>

#include "eventlog/kafka/handlers/committed_offsets.h"
#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

using eventlog::PartitionId;
using eventlog::TransactionalProducer;

// The first versions that know PRODUCER_FENCED (KIP-588); others are told INVALID_PRODUCER_EPOCH.
constexpr std::int16_t kInitFencedFrom = 4;
constexpr std::int16_t kTransactionFencedFrom = 2;

TransactionKey key_of(const Call& call, std::string_view id) {
  return {call.session.tenant(), std::string(id)};
}

// Of a producer that is fenced, for clients and APIs that do not know the name of today.
KafkaError older_name_of(KafkaError error) {
  return error == KafkaError::ProducerFenced ? KafkaError::InvalidProducerEpoch : error;
}

KafkaError told_since(KafkaError error, std::int16_t version, std::int16_t fenced_from) {
  return version >= fenced_from ? error : older_name_of(error);
}

void refuse_partitions(const AddPartitionsToTxnRequest& request,
                       AddPartitionsToTxnResponse& response) {
  const auto error = code(KafkaError::TransactionalIdAuthorizationFailed);
  for (const auto& topic : request.topics) {
    auto& answers = response.results_by_topic.emplace_back();
    answers.name = topic.name;
    for (const auto index : topic.partitions)
      answers.results_by_partition.push_back({index, error});
  }
}

std::chrono::milliseconds since(WallTime begin, WallTime now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - begin);
}

Task<InitProducerIdResponse> init_transactional(Call& call, const InitProducerIdRequest& request) {
  InitProducerIdResponse response;
  response.producer_epoch = -1;
  if (!permits_transaction(call.session, *request.transactional_id)) {
    response.error_code = code(KafkaError::TransactionalIdAuthorizationFailed);
    co_return response;
  }
  constexpr std::size_t kIdBytesMax = 1024;
  if (request.transactional_id->empty() || request.transactional_id->size() > kIdBytesMax) {
    response.error_code = code(KafkaError::InvalidRequest);
    co_return response;
  }
  std::optional<TransactionalProducer> known;
  if (request.producer_id >= 0) {
    known = TransactionalProducer{request.producer_id, request.producer_epoch};
  }
  const Duration timeout = std::chrono::milliseconds(request.transaction_timeout_ms);
  auto key = key_of(call, *request.transactional_id);
  const auto grant = co_await call.broker.parts.transactions.init(std::move(key), timeout, known);
  response.error_code = code(told_since(grant.error, call.version, kInitFencedFrom));
  response.producer_id = grant.producer.id;
  response.producer_epoch = grant.producer.epoch;
  co_return response;
}

}  // namespace

Task<InitProducerIdResponse> handle(Call& call, const InitProducerIdRequest& request) {
  if (request.transactional_id) co_return co_await init_transactional(call, request);
  InitProducerIdResponse response;
  response.producer_epoch = -1;
  // A client that lost its sequence asks for the next epoch of its id (KIP-360); a new id serves as
  // well.
  const auto id = co_await call.broker.parts.batches.new_producer_id();
  if (!id) {
    response.error_code = code(KafkaError::CoordinatorNotAvailable);
    co_return response;
  }
  response.producer_id = *id;
  response.producer_epoch = 0;
  co_return response;
}

Task<AddPartitionsToTxnResponse> handle(Call& call, const AddPartitionsToTxnRequest& request) {
  AddPartitionsToTxnResponse response;
  if (!permits_transaction(call.session, request.transactional_id)) {
    refuse_partitions(request, response);
    co_return response;
  }
  std::vector<PartitionId> partitions;
  bool any_refused = false;
  for (const auto& topic : request.topics) {
    auto& answers = response.results_by_topic.emplace_back();
    answers.name = topic.name;
    const auto stream = find_topic(call.session, topic.name, identity::action::kStreamWrite);
    for (const auto index : topic.partitions) {
      const auto error = partition_error(stream, index);
      answers.results_by_partition.push_back({index, code(error)});
      any_refused = any_refused || error != KafkaError::None;
      if (error == KafkaError::None) partitions.push_back({(*stream)->info.id, index});
    }
  }
  // All or none: the others are told that nothing was tried.
  auto rest = KafkaError::OperationNotAttempted;
  if (!any_refused) {
    const TransactionalProducer producer{request.producer_id, request.producer_epoch};
    auto key = key_of(call, request.transactional_id);
    rest = co_await call.broker.parts.transactions.add_partitions(std::move(key), producer,
                                                                  std::move(partitions));
    rest = told_since(rest, call.version, kTransactionFencedFrom);
  }
  for (auto& topic : response.results_by_topic) {
    for (auto& partition : topic.results_by_partition) {
      if (partition.partition_error_code == 0) partition.partition_error_code = code(rest);
    }
  }
  co_return response;
}

Task<AddOffsetsToTxnResponse> handle(Call& call, const AddOffsetsToTxnRequest& request) {
  AddOffsetsToTxnResponse response;
  if (!permits_transaction(call.session, request.transactional_id)) {
    response.error_code = code(KafkaError::TransactionalIdAuthorizationFailed);
    co_return response;
  }
  if (request.group_id.empty()) {
    response.error_code = code(KafkaError::InvalidGroupId);
    co_return response;
  }
  if (!permits_group(call.session, request.group_id)) {
    response.error_code = code(KafkaError::GroupAuthorizationFailed);
    co_return response;
  }
  const TransactionalProducer producer{request.producer_id, request.producer_epoch};
  auto key = key_of(call, request.transactional_id);
  const auto error = co_await call.broker.parts.transactions.add_group(
      std::move(key), producer, std::string(request.group_id));
  response.error_code = code(told_since(error, call.version, kTransactionFencedFrom));
  co_return response;
}

Task<EndTxnResponse> handle(Call& call, const EndTxnRequest& request) {
  EndTxnResponse response;
  if (!permits_transaction(call.session, request.transactional_id)) {
    response.error_code = code(KafkaError::TransactionalIdAuthorizationFailed);
    co_return response;
  }
  const TransactionalProducer producer{request.producer_id, request.producer_epoch};
  auto key = key_of(call, request.transactional_id);
  const auto error =
      co_await call.broker.parts.transactions.end(std::move(key), producer, request.committed);
  response.error_code = code(told_since(error, call.version, kTransactionFencedFrom));
  co_return response;
}

namespace {

// A transaction is never half done here, so the marker of one partition ends it in all of them. Who
// may use its id may abort it, as by InitProducerId. Producers alone commit, by EndTxn.
Task<KafkaError> abort_marked(Call& call, const std::vector<TransactionView>& views,
                              const WriteTxnMarkersRequest::Marker& marker,
                              std::vector<PartitionId> partitions) {
  if (marker.transaction_result) co_return KafkaError::InvalidRequest;
  const auto found = std::ranges::find_if(
      views, [&](const auto& view) { return view.producer.id == marker.producer_id; });
  if (found == views.end()) co_return KafkaError::InvalidProducerIdMapping;
  if (!permits_transaction(call.session, found->id))
    co_return KafkaError::ClusterAuthorizationFailed;
  const TransactionalProducer producer{marker.producer_id, marker.producer_epoch};
  auto key = key_of(call, found->id);
  const auto error = co_await call.broker.parts.transactions.abort(std::move(key), producer,
                                                                   std::move(partitions));
  co_return older_name_of(error);
}

}  // namespace

Task<WriteTxnMarkersResponse> handle(Call& call, const WriteTxnMarkersRequest& request) {
  WriteTxnMarkersResponse response;
  // Tools send one. Each is looked for among all.
  constexpr std::size_t kMarkersMax = 100;
  const bool is_too_many = request.markers.size() > kMarkersMax;
  std::vector<TransactionView> views;
  if (!is_too_many) views = co_await call.broker.parts.transactions.list(call.session.tenant());
  for (const auto& marker : request.markers) {
    auto& answer = response.markers.emplace_back();
    answer.producer_id = marker.producer_id;
    std::vector<PartitionId> partitions;
    for (const auto& topic : marker.topics) {
      auto& answers = answer.topics.emplace_back();
      answers.name = topic.name;
      const auto stream = find_visible_topic(call.session, topic.name);
      for (const auto index : topic.partition_indexes) {
        const auto error = partition_error(stream, index);
        answers.partitions.push_back({index, code(error)});
        if (error == KafkaError::None) partitions.push_back({(*stream)->info.id, index});
      }
    }
    auto error = KafkaError::InvalidRequest;
    if (!is_too_many) error = co_await abort_marked(call, views, marker, std::move(partitions));
    for (auto& topic : answer.topics) {
      for (auto& partition : topic.partitions) {
        if (partition.error_code == 0) partition.error_code = code(error);
      }
    }
  }
  co_return response;
}

Task<TxnOffsetCommitResponse> handle(Call& call, const TxnOffsetCommitRequest& request) {
  TxnOffsetCommitResponse response;
  CommitRequest commit;
  commit.member.member_id = request.member_id;
  if (request.group_instance_id) {
    commit.member.instance_id = std::string(*request.group_instance_id);
  }
  commit.member.generation = request.generation_id;
  commit.offsets = read_offsets(call, request.topics, response.topics);
  const TransactionalProducer producer{request.producer_id, request.producer_epoch};
  auto key = key_of(call, request.transactional_id);
  auto error = KafkaError::None;
  if (!permits_transaction(call.session, request.transactional_id)) {
    error = KafkaError::TransactionalIdAuthorizationFailed;
  } else if (!permits_group(call.session, request.group_id)) {
    error = KafkaError::GroupAuthorizationFailed;
  } else {
    error = co_await call.broker.parts.transactions.commit_offsets(
        std::move(key), producer, std::string(request.group_id), std::move(commit));
  }
  answer_offsets(older_name_of(error), response.topics);
  co_return response;
}

namespace {

constexpr std::array kStates = {TransactionState::Empty, TransactionState::Ongoing,
                                TransactionState::CompleteCommit, TransactionState::CompleteAbort};

bool is_state(std::string_view name) {
  // Those of a broker that prepares: none is ever in them here, but they are no unknown names.
  constexpr std::array<std::string_view, 4> kOthers = {"PrepareCommit", "PrepareAbort",
                                                       "PrepareEpochFence", "Dead"};
  return std::ranges::find(kStates, name, transaction_state_name) != kStates.end() ||
         std::ranges::find(kOthers, name) != kOthers.end();
}

bool matches(const ListTransactionsRequest& request, const TransactionView& view, WallTime now) {
  const auto& states = request.state_filters;
  const auto& ids = request.producer_id_filters;
  if (!states.empty() &&
      std::ranges::find(states, transaction_state_name(view.state)) == states.end())
    return false;
  if (!ids.empty() && std::ranges::find(ids, view.producer.id) == ids.end()) return false;
  if (request.duration_filter < 0) return true;
  return view.since && since(*view.since, now).count() > request.duration_filter;
}

}  // namespace

Task<ListTransactionsResponse> handle(Call& call, const ListTransactionsRequest& request) {
  ListTransactionsResponse response;
  for (const auto& name : request.state_filters) {
    if (!is_state(name)) response.unknown_state_filters.push_back(name);
  }
  auto& parts = call.broker.parts;
  const auto views = co_await parts.transactions.list(call.session.tenant());
  const auto now = parts.clock.now();
  for (const auto& view : views) {
    if (!matches(request, view, now)) continue;
    if (!may_describe(call.session, Asked::TransactionalId, view.id)) continue;
    response.transaction_states.push_back(
        {call.keep(view.id), view.producer.id, transaction_state_name(view.state)});
  }
  co_return response;
}

Task<DescribeTransactionsResponse> handle(Call& call, const DescribeTransactionsRequest& request) {
  auto& parts = call.broker.parts;
  DescribeTransactionsResponse response;
  for (const auto& id : request.transactional_ids) {
    auto& answer = response.transaction_states.emplace_back();
    answer.transactional_id = id;
    if (!permits_describing(call.session, Asked::TransactionalId, id)) {
      answer.error_code = code(KafkaError::TransactionalIdAuthorizationFailed);
      continue;
    }
    const auto view = co_await parts.transactions.describe(key_of(call, id));
    if (!view) {
      answer.error_code = code(KafkaError::TransactionalIdNotFound);
      continue;
    }
    answer.transaction_state = transaction_state_name(view->state);
    answer.transaction_timeout_ms =
        static_cast<std::int32_t>(since(WallTime{}, WallTime{} + view->timeout).count());
    if (view->since) answer.transaction_start_time_ms = to_unix_ms(*view->since);
    answer.producer_id = view->producer.id;
    answer.producer_epoch = view->producer.epoch;
    for (const auto& [stream, index] : view->partitions) {
      const auto info = parts.log.stream(stream);
      if (!info || !may_see(call.session, info->settings.name)) continue;
      if (answer.topics.empty() || answer.topics.back().topic != info->settings.name) {
        answer.topics.emplace_back().topic = call.keep(info->settings.name);
      }
      answer.topics.back().partitions.push_back(index);
    }
  }
  co_return response;
}

Task<DescribeProducersResponse> handle(Call& call, const DescribeProducersRequest& request) {
  DescribeProducersResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const auto stream = find_topic(call.session, topic.name, identity::action::kStreamRead);
    for (const auto index : topic.partition_indexes) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = index;
      if (!stream) {
        answer.error_code = code(stream.error());
        continue;
      }
      const PartitionId partition{(*stream)->info.id, index};
      const auto producers = co_await call.broker.parts.batches.producers(partition);
      if (!producers) {
        const bool unknown = producers.error().code == ErrorCode::NotFound;
        answer.error_code =
            code(unknown ? KafkaError::UnknownTopicOrPartition : KafkaError::KafkaStorageError);
        continue;
      }
      for (const auto& each : *producers) {
        answer.active_producers.push_back(
            {each.id, each.epoch, each.last_sequence, each.last_ms, 0, each.transaction_start});
      }
    }
  }
  co_return response;
}

}  // namespace weft::kafka
