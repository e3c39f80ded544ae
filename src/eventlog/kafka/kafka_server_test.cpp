#include "eventlog/kafka/kafka_server.h"

#include "eventlog/kafka/edge/dispatch.h"
#include "eventlog/kafka/kafka_test_bench.h"

namespace weft::kafka {
namespace {

using testing::HasSubstr;

// ---- the conversation

TEST(KafkaConnection, TellsAClientOfTheFutureWhatItSpeaks) {
  TestBroker broker;
  auto client = broker.connect();

  // ApiVersions in a version that nobody knows yet, with a body that nobody can read (KIP-511).
  client.send(from_hex("0000000c"
                       "0012"
                       "0063"
                       "00000007"
                       "ffff"
                       "abcd")
                  .value());
  auto answer = client.read_answer<ApiVersionsResponse>(ApiVersionsRequest::kApi, 0,
                                                        client.receive().value());
  EXPECT_EQ(answer.correlation_id, 7);
  EXPECT_EQ(answer->error_code, code(KafkaError::UnsupportedVersion));
  EXPECT_EQ(answer->api_keys.size(), apis().size());

  // The connection goes on in a version that both speak.
  ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1.0";
  EXPECT_EQ(client.call<ApiVersionsResponse>(4, request)->error_code, 0);
}

TEST(KafkaConnection, AdvertisesProduceFromZeroForOldLibrdkafkaButEndsOnIt) {
  TestBroker broker;
  auto client = broker.connect();
  const auto answer = client.call<ApiVersionsResponse>(0, ApiVersionsRequest());
  EXPECT_EQ(answer->api_keys.at(0).api_key, 0);
  EXPECT_EQ(answer->api_keys.at(0).min_version, 0);

  client.send(client.request_bytes(2, ProduceRequest()));
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaConnection, RefusesASoftwareNameThatIsNone) {
  TestBroker broker;
  auto client = broker.connect();
  ApiVersionsRequest request;
  request.client_software_name = "-bad name-";
  request.client_software_version = "1";
  EXPECT_EQ(client.call<ApiVersionsResponse>(3, request)->error_code,
            code(KafkaError::InvalidRequest));
}

TEST(KafkaConnection, EndsOnFramesThatCannotBe) {
  TestBroker broker;
  const auto ends = [&](std::string_view hex) {
    auto client = broker.connect();
    client.send(from_hex(hex).value());
    return client.is_closed();
  };
  EXPECT_TRUE(ends("7fffffff")) << "a length of 2 GB";
  EXPECT_TRUE(ends("ffffffff")) << "a negative length";
  EXPECT_TRUE(ends("474554202f20485454502f312e310d0a")) << "an HTTP request";
  EXPECT_TRUE(
      ends("00000004"
           "00120000"))
      << "a frame shorter than a header";
  EXPECT_TRUE(
      ends("0000000a"
           "03e70000"
           "00000001"
           "ffff"))
      << "an unknown API";
  EXPECT_TRUE(
      ends("0000000a"
           "00030063"
           "00000001"
           "ffff"))
      << "an unknown version";
  EXPECT_TRUE(
      ends("0000000e"
           "00030001"
           "00000001"
           "ffff"
           "7fffffff"))
      << "an array without end";
  EXPECT_EQ(broker.metrics.counter("weft_eventlog_kafka_frames_refused_total", "").value(), 7U);
}

TEST(KafkaConnection, AnIdleConnectionEndsAfterItsTime) {
  TestBroker broker;
  broker.options.limits.idle_timeout = 5min;
  auto client = broker.connect();
  client.call<ApiVersionsResponse>(0, ApiVersionsRequest());
  const auto before = broker.world.clock.mono();
  EXPECT_TRUE(client.is_closed());
  EXPECT_GE(broker.world.clock.mono() - before, 299s);
  EXPECT_LT(broker.world.clock.mono() - before, 6min);
}

// ---- produce and fetch

TEST(KafkaProduce, EveryVersionStoresWhatEveryVersionFetches) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  std::string sent;
  eventlog::Offset next = 0;
  for (std::int16_t version = 3; version <= 11; ++version) {
    auto batch = batch_of({fmt::format("v{}", version), "second"});
    const auto answer = client.call<ProduceResponse>(version, produce_request(kOrders, batch));
    EXPECT_EQ(only_partition(answer).error_code, 0) << version;
    EXPECT_EQ(only_partition(answer).base_offset, next) << version;
    eventlog::set_base_offset(batch, next);
    eventlog::set_leader_epoch(batch, broker.log->partition({stream.id, 0})->leader_epoch);
    sent += batch;
    next += 2;
  }
  for (std::int16_t version = 4; version <= 17; ++version) {
    const auto answer = client.call<FetchResponse>(version, fetch_request(stream, 0));
    const auto& partition = only_partition(answer);
    EXPECT_EQ(partition.error_code, 0) << version;
    EXPECT_EQ(partition.high_watermark, next) << version;
    EXPECT_TRUE(partition.records->view == sent) << version;
    EXPECT_EQ(answer->session_id, 0) << version;
  }
}

TEST(KafkaProduce, AcceptsEveryCodec) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  using eventlog::Codec;
  for (const auto codec : {Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd}) {
    const auto batch = batch_of({"a", "b"}, codec);
    EXPECT_EQ(
        only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, batch))).error_code,
        0);
  }
  const auto zstd = batch_of({"a"}, Codec::Zstd);
  EXPECT_EQ(
      only_partition(client.call<ProduceResponse>(6, produce_request(kOrders, zstd))).error_code,
      code(KafkaError::UnsupportedCompressionType));
  // A consumer from before zstd is told so instead of being given bytes that it cannot read.
  EXPECT_EQ(only_partition(client.call<FetchResponse>(9, fetch_request(stream, 0))).error_code,
            code(KafkaError::UnsupportedCompressionType));
}

TEST(KafkaProduce, WithoutAcknowledgementNothingIsAnswered) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({"quiet"});
  auto request = produce_request(kOrders, batch);
  request.acks = 0;
  client.send(client.request_bytes(7, request));
  // The next answer is that of the next request.
  client.call<ApiVersionsResponse>(0, ApiVersionsRequest());
  EXPECT_EQ(broker.log->partition({stream.id, 0})->end, 1);
}

TEST(KafkaProduce, AFailureWithoutAcknowledgementEndsTheConnection) {
  TestBroker broker;
  auto client = broker.connect();
  const auto batch = batch_of({"lost"});
  auto request = produce_request("no.such.topic.v1", batch);
  request.acks = 0;
  client.send(client.request_bytes(7, request));
  EXPECT_TRUE(client.is_closed());
}

TEST(KafkaProduce, PipelinedRequestsAreStoredAndAnsweredInOrder) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  constexpr int kRequests = 200;  // more than may be in the log at once
  std::string bytes;
  for (int i = 0; i < kRequests; ++i) {
    const auto batch = batch_of({std::to_string(i)});
    bytes += client.request_bytes(7, produce_request(kOrders, batch));
  }
  client.send(std::move(bytes));
  for (int i = 0; i < kRequests; ++i) {
    const auto answer =
        client.read_answer<ProduceResponse>(ProduceRequest::kApi, 7, client.receive().value());
    EXPECT_EQ(answer.correlation_id, i + 1);
    EXPECT_EQ(only_partition(answer).base_offset, i);
  }
}

TEST(KafkaProduce, RequestsThatComeTogetherShareASync) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  std::string bytes;
  for (int i = 0; i < 10; ++i) {
    const auto batch = batch_of({std::to_string(i)});
    bytes += client.request_bytes(7, produce_request(kOrders, batch));
  }
  const auto& syncs = broker.metrics.counter("weft_log_fsyncs_total", "");
  const auto before = syncs.value();
  client.send(std::move(bytes));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.receive());
  EXPECT_EQ(syncs.value(), before + 1);
}

TEST(KafkaProduce, ARequestBehindAProduceSeesItsRecords) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({"a", "b"});
  ListOffsetsRequest latest;
  auto& topic = latest.topics.emplace_back();
  topic.name = kOrders;
  topic.partitions.emplace_back().timestamp = -1;
  auto bytes = client.request_bytes(7, produce_request(kOrders, batch));
  bytes += client.request_bytes(5, latest);
  client.send(std::move(bytes));

  (void)client.receive();
  const auto answer = client.read_answer<ListOffsetsResponse>(ListOffsetsRequest::kApi, 5,
                                                              client.receive().value());
  EXPECT_EQ(answer->topics.at(0).partitions.at(0).offset, 2);
}

TEST(KafkaProduce, RefusesWhatItMustNotStore) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto refused = [&](std::string_view topic, std::string batch, std::int32_t partition = 0) {
    const auto request = produce_request(topic, batch, partition);
    return static_cast<KafkaError>(
        only_partition(client.call<ProduceResponse>(9, request)).error_code);
  };
  const auto good = batch_of({"a"});
  auto damaged = good;
  damaged.back() ^= 1;
  EXPECT_EQ(refused(kOrders, damaged), KafkaError::CorruptMessage);
  EXPECT_EQ(refused(kOrders, good + good), KafkaError::InvalidRecord);
  EXPECT_EQ(refused(kOrders, ""), KafkaError::InvalidRecord);
  EXPECT_EQ(refused(kOrders, good, 1), KafkaError::UnknownTopicOrPartition);
  EXPECT_EQ(refused("no.such.topic.v1", good), KafkaError::UnknownTopicOrPartition);
  EXPECT_EQ(refused("__weft.groups", good), KafkaError::UnknownTopicOrPartition);
  EXPECT_EQ(refused(kOrders, batch_of({std::string(2'000'000, 'x')})), KafkaError::MessageTooLarge);
  EXPECT_EQ(refused(kOrders, good), KafkaError::None);
}

TEST(KafkaProduce, OnlyAcksThatExistAreAccepted) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({"a"});
  auto request = produce_request(kOrders, batch);
  request.acks = 2;
  EXPECT_EQ(only_partition(client.call<ProduceResponse>(9, request)).error_code,
            code(KafkaError::InvalidRequiredAcks));
}

TEST(KafkaProduce, ARecordThatBreaksTheContractIsRefusedWithItsIndexAndReason) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  broker.topics->set_contract(std::string(kOrders), R"({"type": "object", "required": ["id"]})");
  auto client = broker.connect();
  for (const auto codec : {eventlog::Codec::None, eventlog::Codec::Zstd}) {
    const auto batch = batch_of({R"({"id": 1})", R"({"di": 2})", "no json"}, codec);
    const auto answer = client.call<ProduceResponse>(8, produce_request(kOrders, batch));
    const auto& partition = only_partition(answer);
    EXPECT_EQ(partition.error_code, code(KafkaError::InvalidRecord));
    ASSERT_EQ(partition.record_errors.size(), 2U);
    EXPECT_EQ(partition.record_errors[0].batch_index, 1);
    EXPECT_THAT(std::string(*partition.record_errors[0].batch_index_error_message),
                HasSubstr("id"));
    EXPECT_EQ(partition.record_errors[1].batch_index, 2);
    EXPECT_THAT(std::string(*partition.error_message), HasSubstr("2 of 3 records"));
  }
  EXPECT_EQ(broker.log->partition({stream.id, 0})->end, 0);
  EXPECT_EQ(broker.metrics.counter("weft_eventlog_kafka_records_refused_total", "").value(), 4U);

  const auto good = batch_of({R"({"id": 1})"});
  EXPECT_EQ(
      only_partition(client.call<ProduceResponse>(8, produce_request(kOrders, good))).error_code,
      0);
}

TEST(KafkaFetch, WhatIsOlderThanTheTtlIsPassedOver) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto send = [&](const std::string& value) {
    const auto now = to_unix_ms(broker.world.clock.now());
    const auto batch = batch_of({value}, eventlog::Codec::None, now);
    client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  };
  broker.topics->set_ttl(std::string(kOrders), 10s);
  send("old");
  send("older than it looks");
  broker.world.run_for(1min);
  const auto nothing = client.call<FetchResponse>(11, fetch_request(stream, 0));
  EXPECT_EQ(only_partition(nothing).error_code, 0);
  // An empty batch that leads the client to the end.
  const auto bridge = eventlog::read_batch_header(only_partition(nothing).records->view);
  ASSERT_TRUE(bridge);
  EXPECT_EQ(bridge->record_count, 0);
  EXPECT_EQ(bridge->next_offset(), 2);

  send("new");
  const auto some = client.call<FetchResponse>(11, fetch_request(stream, 0));
  const auto header = eventlog::read_batch_header(only_partition(some).records->view);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->base_offset, 2);
  EXPECT_EQ(header->record_count, 1);
  EXPECT_EQ(broker.metrics.counter("weft_eventlog_kafka_records_expired_total", "").value(), 4U);
}

TEST(KafkaFetch, ATtlHidesNoOffsetThatIsOutOfRange) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto now = to_unix_ms(broker.world.clock.now());
  const auto batch = batch_of({"a", "b", "c"}, eventlog::Codec::None, now);
  client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  ASSERT_TRUE(broker.world.run(broker.log->delete_records({stream.id, 0}, 2)));
  broker.topics->set_ttl(std::string(kOrders), 1h);
  for (const auto from : {0, 9}) {
    const auto answer = client.call<FetchResponse>(11, fetch_request(stream, from));
    EXPECT_EQ(only_partition(answer).error_code, code(KafkaError::OffsetOutOfRange)) << from;
  }
}

TEST(KafkaProduce, ACompactedStreamNeedsKeysAndTakesDeletions) {
  TestBroker broker;
  eventlog::StreamSettings settings;
  settings.name = kOrders;
  settings.cleanup = eventlog::Cleanup::Compact;
  ASSERT_TRUE(broker.world.run(broker.log->create_stream(settings)));
  auto client = broker.connect();
  const auto without_key = batch_of({"a"});
  EXPECT_EQ(only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, without_key)))
                .error_code,
            code(KafkaError::InvalidRecord));
  eventlog::BatchBuilder builder;
  builder.add(1, "key", std::nullopt);
  const auto deletion = builder.finish().value();
  EXPECT_EQ(only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, deletion)))
                .error_code,
            0);
}

TEST(KafkaProduce, ARepeatedSequenceIsStoredOnce) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  InitProducerIdRequest init;
  init.transactional_id.reset();
  const auto producer = client.call<InitProducerIdResponse>(4, init)->producer_id;
  ASSERT_GE(producer, 0);
  const auto produce = [&](std::int32_t sequence) {
    eventlog::BatchOptions options;
    options.producer_id = producer;
    options.producer_epoch = 0;
    options.base_sequence = sequence;
    eventlog::BatchBuilder builder(options);
    builder.add(1, std::nullopt, "once");
    const auto batch = builder.finish().value();
    return only_partition(client.call<ProduceResponse>(9, produce_request(kOrders, batch)));
  };
  EXPECT_EQ(produce(0).base_offset, 0);
  EXPECT_EQ(produce(1).base_offset, 1);
  const auto again = produce(0);
  EXPECT_EQ(again.error_code, 0);
  EXPECT_EQ(again.base_offset, 0);
  EXPECT_EQ(produce(7).error_code, code(KafkaError::OutOfOrderSequenceNumber));
  EXPECT_EQ(broker.log->partition({stream.id, 0})->end, 2);
}

TEST(KafkaFetch, APartitionThatFoundNoRoomIsNotSkipped) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders), 2);
  auto client = broker.connect();
  const auto batch = batch_of({std::string(4000, 'x')});
  for (std::int32_t partition : {0, 1}) {
    const auto answer = client.call<ProduceResponse>(9, produce_request(kOrders, batch, partition));
    ASSERT_EQ(only_partition(answer).error_code, 0);
  }
  auto request = fetch_request(stream, 0);
  request.max_bytes = 5000;
  auto& second = request.topics[0].partitions.emplace_back(request.topics[0].partitions[0]);
  second.partition = 1;

  const auto answer = client.call<FetchResponse>(11, request);

  const auto& partitions = answer->responses.at(0).partitions;
  EXPECT_EQ(partitions.at(0).records->view.size(), batch.size());
  EXPECT_EQ(partitions.at(1).records->view.size(), 0U) << "an empty batch would take it to the end";
}

TEST(KafkaFetch, WaitsForARecordAndGetsItWhenItComes) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto consumer = broker.connect();
  auto producer = broker.connect();
  consumer.send(consumer.request_bytes(12, fetch_request(stream, 0, 60s)));
  const auto before = broker.world.clock.mono();
  broker.world.run_for(5s);

  const auto batch = batch_of({"now"});
  producer.call<ProduceResponse>(9, produce_request(kOrders, batch));

  const auto answer =
      consumer.read_answer<FetchResponse>(FetchRequest::kApi, 12, consumer.receive().value());
  EXPECT_GT(only_partition(answer).records->view.size(), 0U);
  EXPECT_LT(broker.world.clock.mono() - before, 7s);
}

TEST(KafkaFetch, AnswersEmptyWhenItsWaitIsOver) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto before = broker.world.clock.mono();
  const auto answer = client.call<FetchResponse>(11, fetch_request(stream, 0, 3s));
  EXPECT_EQ(only_partition(answer).records->view, "");
  EXPECT_EQ(only_partition(answer).error_code, 0);
  EXPECT_GE(broker.world.clock.mono() - before, 3s);
}

TEST(KafkaFetch, ReportsErrorsAtOncePerPartition) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders), 2);
  auto client = broker.connect();
  auto request = fetch_request(stream, 99, 60s);
  request.topics[0].partitions.emplace_back().partition = 7;
  auto& fenced = request.topics[0].partitions.emplace_back();
  fenced.partition = 1;
  fenced.current_leader_epoch = 1000;
  const auto before = broker.world.clock.mono();

  const auto answer = client.call<FetchResponse>(11, request);

  const auto& partitions = answer->responses.at(0).partitions;
  EXPECT_EQ(partitions.at(0).error_code, code(KafkaError::OffsetOutOfRange));
  EXPECT_EQ(partitions.at(1).error_code, code(KafkaError::UnknownTopicOrPartition));
  EXPECT_EQ(partitions.at(2).error_code, code(KafkaError::UnknownLeaderEpoch));
  EXPECT_LT(broker.world.clock.mono() - before, 1s);

  auto unknown = fetch_request(stream, 0);
  unknown.topics[0].topic_id = Uuid();
  EXPECT_EQ(only_partition(client.call<FetchResponse>(13, unknown)).error_code,
            code(KafkaError::UnknownTopicId));
}

// ---- offsets

TEST(KafkaListOffsets, FindsEndsTimesAndTheGreatestTimestamp) {
  TestBroker broker;
  broker.create(std::string(kOrders));
  auto client = broker.connect();
  constexpr std::int64_t kTime = 1'700'000'000'000;
  for (const auto time : {kTime, kTime + 5000, kTime + 1000}) {
    const auto batch = batch_of({"r"}, eventlog::Codec::None, time);
    client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  }
  const auto find = [&](std::int64_t timestamp) {
    ListOffsetsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = kOrders;
    topic.partitions.emplace_back().timestamp = timestamp;
    const auto answer = client.call<ListOffsetsResponse>(9, request);
    const auto& partition = answer->topics.at(0).partitions.at(0);
    return std::pair(partition.offset, partition.timestamp);
  };
  EXPECT_EQ(find(-1), std::pair(std::int64_t{3}, std::int64_t{-1}));
  EXPECT_EQ(find(-2), std::pair(std::int64_t{0}, std::int64_t{-1}));
  EXPECT_EQ(find(-3), std::pair(std::int64_t{1}, kTime + 5000));
  EXPECT_EQ(find(kTime + 1), std::pair(std::int64_t{1}, kTime + 5000));
  EXPECT_EQ(find(kTime + 9999), std::pair(std::int64_t{-1}, std::int64_t{-1}));
}

TEST(KafkaListOffsets, TheEndOfTheCurrentEpochIsTheEndOfTheLog) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({"a", "b"});
  client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  OffsetForLeaderEpochRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic = kOrders;
  topic.partitions.emplace_back().leader_epoch =
      broker.log->partition({stream.id, 0})->leader_epoch;
  const auto answer = client.call<OffsetForLeaderEpochResponse>(4, request);
  EXPECT_EQ(answer->topics.at(0).partitions.at(0).end_offset, 2);
}

TEST(KafkaDeleteRecords, MovesTheStartOfAPartition) {
  TestBroker broker;
  const auto stream = broker.create(std::string(kOrders));
  auto client = broker.connect();
  const auto batch = batch_of({"a", "b", "c"});
  client.call<ProduceResponse>(9, produce_request(kOrders, batch));
  const auto delete_before = [&](std::int64_t offset) {
    DeleteRecordsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = kOrders;
    topic.partitions.emplace_back().offset = offset;
    return client.call<DeleteRecordsResponse>(2, request)->topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(delete_before(2).low_watermark, 2);
  EXPECT_EQ(broker.log->partition({stream.id, 0})->start, 2);
  EXPECT_EQ(delete_before(9).error_code, code(KafkaError::OffsetOutOfRange));
  EXPECT_EQ(delete_before(-1).low_watermark, 3);
}

}  // namespace
}  // namespace weft::kafka
