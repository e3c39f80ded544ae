// Transactions as a client asks for them, against a broker on a simulated disk.
#include "eventlog/kafka/transactions/coordinator.h"

#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kShipments = "shipping.parcel.sent.v1";
constexpr std::string_view kId = "billing-1";
constexpr std::string_view kGroup = "billing";

class Transactions : public ::testing::Test {
 protected:
  Transactions()
      : orders_(broker_.create(std::string(kOrders))),
        shipments_(broker_.create(std::string(kShipments), 2)) {
    client_.emplace(broker_.connect());
  }

  void restart() {
    client_.reset();
    broker_.crash();
    broker_.start();
    client_.emplace(broker_.connect());
  }

  Answer<InitProducerIdResponse> init(std::string_view id = kId, std::int32_t timeout_ms = 60'000) {
    InitProducerIdRequest request;
    request.transactional_id = id;
    request.transaction_timeout_ms = timeout_ms;
    return client_->call<InitProducerIdResponse>(4, request);
  }
  void begin() {
    auto granted = init();
    ASSERT_EQ(granted->error_code, 0);
    producer_ = {granted->producer_id, granted->producer_epoch};
    sequences_.clear();
  }
  std::int16_t enlist(std::string_view topic, std::vector<std::int32_t> partitions,
                      std::int16_t version = 3) {
    AddPartitionsToTxnRequest request;
    request.transactional_id = kId;
    request.producer_id = producer_.id;
    request.producer_epoch = producer_.epoch;
    request.topics.push_back({topic, std::move(partitions)});
    return client_->call<AddPartitionsToTxnResponse>(version, request)
        ->results_by_topic.at(0)
        .results_by_partition.at(0)
        .partition_error_code;
  }
  std::int16_t send(std::string_view topic, std::string value, std::int32_t partition = 0,
                    bool is_transactional = true) {
    eventlog::BatchOptions options;
    options.producer_id = producer_.id;
    options.producer_epoch = producer_.epoch;
    auto& sequence = sequences_[{std::string(topic), partition}];
    options.base_sequence = sequence;
    options.is_transactional = is_transactional;
    eventlog::BatchBuilder builder(options);
    builder.add(1'700'000'000'000, std::nullopt, value);
    const auto batch = builder.finish().value();
    auto request = produce_request(topic, batch, partition);
    request.transactional_id = kId;
    const auto answer = client_->call<ProduceResponse>(9, request);
    const auto error = only_partition(answer).error_code;
    if (error == 0) ++sequence;
    return error;
  }
  std::int16_t end(bool commits, std::int16_t version = 3) {
    EndTxnRequest request;
    request.transactional_id = kId;
    request.producer_id = producer_.id;
    request.producer_epoch = producer_.epoch;
    request.committed = commits;
    return client_->call<EndTxnResponse>(version, request)->error_code;
  }
  std::int16_t add_group() {
    AddOffsetsToTxnRequest request;
    request.transactional_id = kId;
    request.producer_id = producer_.id;
    request.producer_epoch = producer_.epoch;
    request.group_id = kGroup;
    return client_->call<AddOffsetsToTxnResponse>(3, request)->error_code;
  }
  std::int16_t commit_offset(std::int64_t offset) {
    TxnOffsetCommitRequest request;
    request.transactional_id = kId;
    request.group_id = kGroup;
    request.producer_id = producer_.id;
    request.producer_epoch = producer_.epoch;
    auto& topic = request.topics.emplace_back();
    topic.name = kOrders;
    topic.partitions.emplace_back().committed_offset = offset;
    return client_->call<TxnOffsetCommitResponse>(3, request)
        ->topics.at(0)
        .partitions.at(0)
        .error_code;
  }
  // The offset, or the negative error.
  std::int64_t committed_offset(bool require_stable) {
    OffsetFetchRequest request;
    request.group_id = kGroup;
    request.require_stable = require_stable;
    request.topics->push_back({kOrders, {0}});
    const auto answer = client_->call<OffsetFetchResponse>(7, request);
    const auto& partition = answer->topics.at(0).partitions.at(0);
    return partition.error_code == 0 ? partition.committed_offset : -partition.error_code;
  }

  // What a consumer that follows Kafka's rules sees of one partition.
  struct Seen {
    std::vector<std::string> values;
    std::int64_t stable_end = -1;
    std::int64_t end = -1;
    std::size_t aborted = 0;
  };
  Seen consume(const eventlog::StreamInfo& stream, bool committed_only,
               std::int32_t partition = 0) {
    auto request = fetch_request(stream, 0);
    request.topics[0].partitions[0].partition = partition;
    request.isolation_level = committed_only ? 1 : 0;
    const auto answer = client_->call<FetchResponse>(11, request);
    const auto& fetched = only_partition(answer);
    EXPECT_EQ(fetched.error_code, 0);
    Seen seen;
    seen.stable_end = fetched.last_stable_offset;
    seen.end = fetched.high_watermark;
    std::map<std::int64_t, std::vector<std::int64_t>> aborted;  // by producer: first offsets
    if (fetched.aborted_transactions) {
      seen.aborted = fetched.aborted_transactions->size();
      for (const auto& each : *fetched.aborted_transactions)
        aborted[each.producer_id].push_back(each.first_offset);
    }
    auto rest = fetched.records->view;
    while (!rest.empty()) {
      const auto header = eventlog::read_batch_header(rest).value();
      const auto batch = rest.substr(0, header.bytes());
      rest.remove_prefix(header.bytes());
      auto& starts = aborted[header.producer_id];
      const bool counts = starts.empty() || starts.front() > header.base_offset;
      if (header.is_control()) {
        if (!counts) starts.erase(starts.begin());
        continue;
      }
      if (!counts) continue;
      std::string scratch;
      eventlog::RecordReader reader(header, eventlog::batch_records(batch, scratch).value());
      eventlog::RecordView record;
      while (reader.next(record).value()) seen.values.emplace_back(*record.value);
    }
    return seen;
  }
  // What features of the process itself see.
  std::vector<std::string> internal_values() {
    eventlog::ReadRequest request;
    request.partition = {orders_.id, 0};
    const auto read = broker_.world.run(broker_.log->read(request));
    std::vector<std::string> values;
    for (const auto& record : read->records) values.push_back(*record.value);
    return values;
  }

  using Values = std::vector<std::string>;
  TestBroker broker_;
  eventlog::StreamInfo orders_;
  eventlog::StreamInfo shipments_;
  std::optional<TestClient> client_;
  eventlog::TransactionalProducer producer_;
  std::map<std::pair<std::string, std::int32_t>, std::int32_t> sequences_;
};

constexpr auto none = code(KafkaError::None);

TEST_F(Transactions, CommittedRecordsAreSeenAtTheEndOnly) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  auto seen = consume(orders_, true);
  EXPECT_EQ(seen.values, Values());
  EXPECT_EQ(seen.stable_end, 0);
  EXPECT_EQ(seen.end, 1);
  EXPECT_EQ(consume(orders_, false).values, Values{"a"});
  EXPECT_EQ(internal_values(), Values());

  ASSERT_EQ(end(true), none);
  seen = consume(orders_, true);
  EXPECT_EQ(seen.values, Values{"a"});
  EXPECT_EQ(seen.stable_end, 2);  // the marker is a record, too
  EXPECT_EQ(seen.aborted, 0U);
  EXPECT_EQ(internal_values(), Values{"a"});
  EXPECT_EQ(end(true), none) << "asked again, since the answer may be lost";
  EXPECT_EQ(end(false), code(KafkaError::InvalidTxnState));
}

TEST_F(Transactions, AbortedRecordsAreSeenByNobodyWhoAsksForCommittedOnes) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "lost"), none);
  ASSERT_EQ(end(false), none);
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "kept"), none);
  ASSERT_EQ(end(true), none);
  const auto seen = consume(orders_, true);
  EXPECT_EQ(seen.values, Values{"kept"});
  EXPECT_EQ(seen.aborted, 1U);
  EXPECT_EQ(consume(orders_, false).values, (Values{"lost", "kept"}));
  EXPECT_EQ(internal_values(), Values{"kept"});
}

TEST_F(Transactions, SpanPartitionsAndGroups) {
  begin();
  ASSERT_EQ(enlist(kShipments, {0, 1}), none);
  ASSERT_EQ(send(kShipments, "p0", 0), none);
  ASSERT_EQ(send(kShipments, "p1", 1), none);
  ASSERT_EQ(add_group(), none);
  ASSERT_EQ(commit_offset(7), none);
  EXPECT_EQ(committed_offset(false), -1);
  EXPECT_EQ(committed_offset(true), -code(KafkaError::UnstableOffsetCommit));
  ASSERT_EQ(end(true), none);
  EXPECT_EQ(committed_offset(true), 7);
  const auto shipments = *broker_.log->find_stream("default", kShipments);
  EXPECT_EQ(consume(shipments, true, 0).values, Values{"p0"});
  EXPECT_EQ(consume(shipments, true, 1).values, Values{"p1"});
}

TEST_F(Transactions, OffsetsOfAnAbortedTransactionAreForgotten) {
  begin();
  ASSERT_EQ(add_group(), none);
  ASSERT_EQ(commit_offset(7), none);
  ASSERT_EQ(end(false), none);
  EXPECT_EQ(committed_offset(true), -1);
}

TEST_F(Transactions, RefuseWhatIsOutsideOfThem) {
  begin();
  EXPECT_EQ(send(kOrders, "not enlisted"), code(KafkaError::InvalidTxnState));
  EXPECT_EQ(commit_offset(1), code(KafkaError::InvalidTxnState)) << "the group was not added";
  EXPECT_EQ(end(true), code(KafkaError::InvalidTxnState)) << "none was begun";
  EXPECT_EQ(enlist("no.such.topic.v1", {0}), code(KafkaError::UnknownTopicOrPartition));
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  EXPECT_EQ(send(kOrders, "plain", 0, false), code(KafkaError::InvalidTxnState));
  ASSERT_EQ(end(true), none);
  // What comes late may not open a transaction that nobody ends.
  EXPECT_EQ(send(kOrders, "late"), code(KafkaError::InvalidTxnState));
  EXPECT_EQ(consume(orders_, true).stable_end, 2);
}

TEST_F(Transactions, ASecondProducerFencesTheFirst) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  const auto zombie = producer_;
  begin();
  EXPECT_EQ(producer_.id, zombie.id);
  EXPECT_EQ(producer_.epoch, zombie.epoch + 1);
  EXPECT_EQ(consume(orders_, true).stable_end, 2) << "what the first left open is aborted";

  const auto successor = std::exchange(producer_, zombie);
  EXPECT_EQ(end(true), code(KafkaError::ProducerFenced));
  EXPECT_EQ(end(true, 1), code(KafkaError::InvalidProducerEpoch)) << "as old clients know it";
  EXPECT_EQ(enlist(kOrders, {0}), code(KafkaError::ProducerFenced));
  EXPECT_EQ(send(kOrders, "zombie"), code(KafkaError::InvalidProducerEpoch));
  EXPECT_EQ(send(kShipments, "zombie", 1), code(KafkaError::InvalidProducerEpoch));
  producer_ = successor;
  ASSERT_EQ(enlist(kOrders, {0}), none);
  sequences_.clear();
  ASSERT_EQ(send(kOrders, "b"), none);
  ASSERT_EQ(end(true), none);
  EXPECT_EQ(consume(orders_, true).values, Values{"b"});
}

TEST_F(Transactions, AProducerMayAskForItsNextEpoch) {
  begin();
  InitProducerIdRequest request;
  request.transactional_id = kId;
  request.transaction_timeout_ms = 60'000;
  request.producer_id = producer_.id;
  request.producer_epoch = producer_.epoch;
  auto next = client_->call<InitProducerIdResponse>(4, request);
  EXPECT_EQ(next->error_code, none);
  EXPECT_EQ(next->producer_epoch, producer_.epoch + 1);
  next = client_->call<InitProducerIdResponse>(4, request);
  EXPECT_EQ(next->producer_epoch, producer_.epoch + 1) << "asked again: the same answer";
  init();
  EXPECT_EQ(client_->call<InitProducerIdResponse>(4, request)->error_code,
            code(KafkaError::ProducerFenced));
  EXPECT_EQ(client_->call<InitProducerIdResponse>(3, request)->error_code,
            code(KafkaError::InvalidProducerEpoch));
  request.transactional_id = "nobody";
  EXPECT_EQ(client_->call<InitProducerIdResponse>(4, request)->error_code,
            code(KafkaError::InvalidProducerIdMapping));
}

TEST_F(Transactions, ATimeoutIsLimited) {
  EXPECT_EQ(init(kId, 16 * 60 * 1000)->error_code, code(KafkaError::InvalidTransactionTimeout));
  EXPECT_EQ(init(kId, 0)->error_code, code(KafkaError::InvalidTransactionTimeout));
  EXPECT_EQ(init("")->error_code, code(KafkaError::InvalidRequest));
}

TEST_F(Transactions, AnOverdueOneIsAborted) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "late"), none);
  ASSERT_EQ(add_group(), none);
  ASSERT_EQ(commit_offset(7), none);
  broker_.world.run_for(59s);
  EXPECT_EQ(consume(orders_, true).stable_end, 0);
  broker_.world.run_for(3s);
  EXPECT_EQ(consume(orders_, true).stable_end, 2);
  EXPECT_EQ(consume(orders_, true).values, Values());
  EXPECT_EQ(committed_offset(true), -1);
  EXPECT_EQ(end(true), code(KafkaError::ProducerFenced)) << "the producer learns of it";
}

TEST_F(Transactions, OutliveACrash) {
  begin();
  ASSERT_EQ(enlist(kShipments, {0, 1}), none);
  ASSERT_EQ(send(kShipments, "before", 0), none);
  ASSERT_EQ(add_group(), none);
  ASSERT_EQ(commit_offset(7), none);
  restart();
  const auto shipments = *broker_.log->find_stream("default", kShipments);
  EXPECT_EQ(consume(shipments, true, 0).stable_end, 0);
  EXPECT_EQ(committed_offset(true), -code(KafkaError::UnstableOffsetCommit));
  // The producer goes on as if nothing had been, also in a partition that it had enlisted only.
  ASSERT_EQ(send(kShipments, "after", 0), none);
  ASSERT_EQ(send(kShipments, "after", 1), none);
  ASSERT_EQ(end(true), none);
  EXPECT_EQ(consume(shipments, true, 0).values, (Values{"before", "after"}));
  EXPECT_EQ(consume(shipments, true, 1).values, Values{"after"});
  EXPECT_EQ(committed_offset(true), 7);
  restart();
  EXPECT_EQ(consume(shipments, true, 0).values, (Values{"before", "after"}));
  EXPECT_EQ(committed_offset(true), 7);
  EXPECT_EQ(end(true), none) << "asked again after the crash";
}

TEST_F(Transactions, AbortedOnesStayAbortedThroughTheManifest) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "lost"), none);
  ASSERT_EQ(end(false), none);
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "open"), none);
  ASSERT_TRUE(broker_.world.run(broker_.log->tidy()));
  restart();
  auto seen = consume(orders_, true);
  EXPECT_EQ(seen.values, Values());
  EXPECT_EQ(seen.aborted, 1U);
  EXPECT_EQ(seen.stable_end, 2);
  ASSERT_EQ(end(true), none);
  EXPECT_EQ(consume(orders_, true).values, Values{"open"});
  EXPECT_EQ(internal_values(), Values{"open"});
}

TEST_F(Transactions, AnOverdueOneIsAbortedAlsoAfterACrash) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  restart();
  broker_.world.run_for(59s);
  EXPECT_EQ(consume(orders_, true).stable_end, 0);
  broker_.world.run_for(3s);
  EXPECT_EQ(consume(orders_, true).stable_end, 2);
}

TEST_F(Transactions, AParkedFetchIsAnsweredWhenOneEnds) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  auto reader = broker_.connect();
  auto request = fetch_request(orders_, 0, 1h);
  request.isolation_level = 1;
  reader.send(reader.request_bytes(11, request));
  broker_.world.run_for(1s);
  const auto before = broker_.world.clock.mono();
  ASSERT_EQ(end(true), none);
  auto frame = reader.receive();
  ASSERT_TRUE(frame.has_value());
  EXPECT_LT(broker_.world.clock.mono() - before, 1min);
  const auto answer = reader.read_answer<FetchResponse>(FetchRequest::kApi, 11, *std::move(frame));
  EXPECT_GT(only_partition(answer).records->view.size(), 0U);
}

TEST_F(Transactions, LatestOffsetDependsOnIsolation) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  ListOffsetsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = kOrders;
  topic.partitions.emplace_back().timestamp = -1;
  const auto latest = [&](std::int8_t isolation) {
    request.isolation_level = isolation;
    return client_->call<ListOffsetsResponse>(5, request)->topics.at(0).partitions.at(0).offset;
  };
  EXPECT_EQ(latest(0), 1);
  EXPECT_EQ(latest(1), 0);
}

TEST_F(Transactions, AreListedAndDescribed) {
  begin();
  ASSERT_EQ(enlist(kOrders, {0}), none);
  ASSERT_EQ(send(kOrders, "a"), none);
  ListTransactionsRequest list;
  list.state_filters = {"Ongoing", "Nonsense"};
  const auto listed = client_->call<ListTransactionsResponse>(1, list);
  ASSERT_EQ(listed->transaction_states.size(), 1U);
  EXPECT_EQ(listed->transaction_states[0].transactional_id, kId);
  EXPECT_EQ(listed->transaction_states[0].transaction_state, "Ongoing");
  EXPECT_EQ(listed->unknown_state_filters, std::vector<std::string_view>{"Nonsense"});

  DescribeTransactionsRequest describe;
  describe.transactional_ids = {kId, "nobody"};
  const auto described = client_->call<DescribeTransactionsResponse>(0, describe);
  ASSERT_EQ(described->transaction_states.size(), 2U);
  const auto& known = described->transaction_states[0];
  EXPECT_EQ(known.transaction_timeout_ms, 60'000);
  EXPECT_EQ(known.producer_id, producer_.id);
  ASSERT_EQ(known.topics.size(), 1U);
  EXPECT_EQ(known.topics[0].topic, kOrders);
  EXPECT_EQ(described->transaction_states[1].error_code, code(KafkaError::TransactionalIdNotFound));

  DescribeProducersRequest producers;
  producers.topics.push_back({kOrders, {0, 9}});
  const auto active = client_->call<DescribeProducersResponse>(0, producers);
  const auto& partitions = active->topics.at(0).partitions;
  ASSERT_EQ(partitions.at(0).active_producers.size(), 1U);
  EXPECT_EQ(partitions[0].active_producers[0].producer_id, producer_.id);
  EXPECT_EQ(partitions[0].active_producers[0].current_txn_start_offset, 0);
  EXPECT_EQ(partitions.at(1).error_code, code(KafkaError::UnknownTopicOrPartition));
}

TEST_F(Transactions, AnOperatorAbortsAWholeOneByAMarkerOfOnePartition) {
  begin();
  ASSERT_EQ(enlist(kShipments, {0, 1}), none);
  ASSERT_EQ(send(kShipments, "a", 0), none);
  ASSERT_EQ(send(kShipments, "b", 1), none);
  WriteTxnMarkersRequest request;
  auto& marker = request.markers.emplace_back();
  marker.producer_id = producer_.id;
  marker.producer_epoch = producer_.epoch;
  marker.topics.push_back({kShipments, {1}});
  const auto mark = [&] {
    const auto answer = client_->call<WriteTxnMarkersResponse>(1, request);
    return answer->markers.at(0).topics.at(0).partitions.at(0).error_code;
  };

  marker.transaction_result = true;
  EXPECT_EQ(mark(), code(KafkaError::InvalidRequest)) << "a producer commits";
  marker.transaction_result = false;
  ++marker.producer_epoch;
  EXPECT_EQ(mark(), code(KafkaError::InvalidProducerEpoch));
  --marker.producer_epoch;
  ++marker.producer_id;
  EXPECT_EQ(mark(), code(KafkaError::InvalidProducerIdMapping));
  --marker.producer_id;
  marker.topics[0].name = "unknown";
  EXPECT_EQ(mark(), code(KafkaError::UnknownTopicOrPartition));
  marker.topics[0].name = kOrders;
  marker.topics[0].partition_indexes = {0};
  EXPECT_EQ(mark(), none) << "it has nothing there";
  EXPECT_EQ(consume(shipments_, true, 0).stable_end, 0) << "nothing was aborted so far";

  marker.topics[0] = {kShipments, {1}};
  EXPECT_EQ(mark(), none);
  for (const int partition : {0, 1}) {
    EXPECT_EQ(consume(shipments_, true, partition).values, std::vector<std::string>());
    EXPECT_EQ(consume(shipments_, true, partition).stable_end, 2);
  }
  EXPECT_EQ(end(true), code(KafkaError::ProducerFenced));
  begin();
  ASSERT_EQ(enlist(kShipments, {0}), none);
  EXPECT_EQ(send(kShipments, "c"), none);
  EXPECT_EQ(end(true), none);
  EXPECT_EQ(consume(shipments_, true).values, std::vector<std::string>{"c"});
}

TEST_F(Transactions, AnOperatorAbortsARecoveredOneByAnyOfItsPartitions) {
  begin();
  ASSERT_EQ(enlist(kShipments, {0, 1}), none);
  ASSERT_EQ(send(kShipments, "a", 0), none);
  restart();
  ASSERT_EQ(send(kShipments, "b", 1), none);
  WriteTxnMarkersRequest request;
  auto& marker = request.markers.emplace_back();
  marker.producer_id = producer_.id;
  marker.producer_epoch = producer_.epoch;
  marker.topics.push_back({kShipments, {1}});
  const auto answer = client_->call<WriteTxnMarkersResponse>(1, request);
  EXPECT_EQ(answer->markers.at(0).topics.at(0).partitions.at(0).error_code, none);
  EXPECT_EQ(consume(shipments_, true, 1).stable_end, 2);
}

TEST_F(Transactions, AnIdThatIsIdleForLongIsForgotten) {
  begin();
  broker_.world.run_for(std::chrono::hours(24 * 8));
  client_.emplace(broker_.connect());  // the other one was idle for too long
  EXPECT_EQ(enlist(kOrders, {0}), code(KafkaError::InvalidProducerIdMapping));
  restart();
  EXPECT_EQ(end(true), code(KafkaError::InvalidProducerIdMapping));
}

}  // namespace
}  // namespace weft::kafka
