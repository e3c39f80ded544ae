// Helpers of the Kafka edge's own tests: a broker in a simulated world, and a client that speaks
// any version of any API.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/embedded_log.h"
#include "eventlog/kafka/kafka_server.h"
#include "eventlog/kafka/kafka_test_parts.h"
#include "eventlog/kafka/kafka_test_requests.h"
#include "eventlog/kafka/messages/all.h"
#include "eventlog/kafka/protocol/headers.h"
#include "runtime/world.h"

namespace weft::kafka {

inline constexpr std::string_view kOrders = "orders.order.created.v1";

inline Task<Result<std::string>> receive_frame(net::Stream& stream) {
  std::string bytes;
  std::size_t wanted = kFramePrefixBytes;
  while (bytes.size() < wanted) {
    const auto have = bytes.size();
    bytes.resize(wanted);
    const std::span<char> rest(bytes.data() + have, wanted - have);
    CO_TRY(const auto read, co_await stream.read_some(rest));
    if (read == 0) co_return fail(ErrorCode::Unavailable, "closed");
    bytes.resize(have + read);
    if (bytes.size() == kFramePrefixBytes && wanted == kFramePrefixBytes) {
      wanted += load_be<std::uint32_t>(bytes.data());
    }
  }
  co_return bytes.substr(kFramePrefixBytes);
}

// A task that gives nothing, for World::run().
inline Task<bool> done(Task<void> task) {
  co_await std::move(task);
  co_return true;
}

inline Task<Result<>> send_bytes(net::Stream& stream, std::string bytes) {
  const std::string_view pieces[] = {bytes};
  co_return co_await stream.write(pieces);
}

class TestClient {
 public:
  TestClient(World& world, std::unique_ptr<net::Stream> stream)
      : world_(world), stream_(std::move(stream)) {}

  template <class Request>
  std::string request_bytes(std::int16_t version, const Request& request) {
    Frame frame;
    write_request(frame, Request::kApi, version, ++correlation_, "test", request);
    return frame.flat();
  }
  void send(std::string bytes) { ASSERT_TRUE(world_.run(send_bytes(*stream_, std::move(bytes)))); }
  Result<std::string> receive() {
    stream_->set_deadline(world_.clock.mono() + 2h);
    return world_.run(receive_frame(*stream_));
  }
  bool is_closed() { return !receive().has_value(); }

  template <class Response>
  Answer<Response> read_answer(const ApiId& api, std::int16_t version, std::string frame) {
    Answer<Response> answer;
    answer.frame = std::move(frame);
    const bool flexible = api.is_flexible(version);
    const std::size_t head = flexible && api.key != kApiVersionsKey ? 5 : 4;
    answer.correlation_id = load_be<std::int32_t>(answer.frame.data());
    Reader reader(std::string_view(answer.frame).substr(head), version, flexible);
    auto body = reader.message<Response>();
    EXPECT_TRUE(body.has_value()) << api.name << " v" << version;
    EXPECT_EQ(reader.remaining(), 0U) << api.name << " v" << version;
    if (body) answer.body = *std::move(body);
    return answer;
  }
  template <class Response, class Request>
  Answer<Response> call(std::int16_t version, const Request& request) {
    send(request_bytes(version, request));
    auto frame = receive();
    EXPECT_TRUE(frame.has_value()) << Request::kApi.name << " v" << version;
    if (!frame) return {};
    auto answer = read_answer<Response>(Request::kApi, version, *std::move(frame));
    EXPECT_EQ(answer.correlation_id, correlation_);
    return answer;
  }

  net::Stream& stream() { return *stream_; }
  std::int32_t correlation() const { return correlation_; }

 private:
  World& world_;
  std::unique_ptr<net::Stream> stream_;
  std::int32_t correlation_ = 0;
};

// A broker on a simulated disk and network. start() and crash() may alternate.
class TestBroker {
 public:
  explicit TestBroker(std::uint64_t seed = 1) : world(seed) {
    options.anonymous = principal("anonymous");
    options.advertised = {"broker", 9092};
    group_options.groups.initial_rebalance_delay = Duration::zero();
    start();
  }
  ~TestBroker() { stop(); }

  void start() {
    eventlog::LogOptions log_options;
    log_options.folder = "/data";
    log_options.executors.emplace(eventlog::LogExecutors{world.executor(), world.executor()});
    auto opened = world.run(
        eventlog::EmbeddedLog::open(world.disk, world.clock, world.random, metrics, log_options));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    log = *std::move(opened);
    topics.emplace(*log);
    quotas.emplace(world.clock, metrics);
    groups.emplace(group_options, *log, world.clock, world.random, world.executor());
    ASSERT_TRUE(world.run(groups->start()));
    transactions.emplace(transaction_options, *log, *log, *groups, world.clock);
    ASSERT_TRUE(world.run(transactions->start()));
    listener = world.run(world.network.listen({"10.0.0.1", 9092})).value();
    world.spawn(accept_all());
  }
  // Everything ends as it does at a shutdown.
  void stop() {
    if (!log) return;
    listener->close();
    world.network.reset_connections("10.0.0.1");
    world.run_for(1s);
    end_coordinators();
    world.run_for(1s);
    world.run(done(log->close()));
    world.run_for(1s);
    forget();
  }
  void crash() {
    world.crash();
    // Of the old life nothing can be stored any more; its tasks still have to end.
    end_coordinators();
    world.run(done(log->close()));
    forget();
  }

  TestClient connect() {
    const auto deadline = world.clock.mono() + 10s;
    return {world, world.run(world.network.connect({"10.0.0.1", 9092}, deadline)).value()};
  }
  eventlog::StreamInfo create(std::string name, std::int32_t partitions = 1,
                              std::string tenant = "default") {
    eventlog::StreamSettings settings;
    settings.tenant = std::move(tenant);
    settings.name = std::move(name);
    settings.partitions = partitions;
    return world.run(log->create_stream(settings)).value();
  }

  World world;
  Metrics metrics;
  Loops loops{1};
  TestKeys keys;
  TestRules rules;
  TestDenials denials;
  KafkaOptions options;
  CoordinatorOptions group_options;
  TransactionOptions transaction_options;
  std::unique_ptr<eventlog::EmbeddedLog> log;
  std::optional<TestTopics> topics;
  std::optional<eventlog::Quotas> quotas;
  QuotaAdmin* quota_admin = nullptr;
  eventlog::DedupeIndex* dedupe = nullptr;
  eventlog::Rejects* rejects = nullptr;
  std::optional<GroupCoordinator> groups;
  std::optional<TransactionCoordinator> transactions;
  std::unique_ptr<net::Listener> listener;

 private:
  void end_coordinators() {
    world.run(done(transactions->stop()));
    world.run(done(groups->stop()));
  }
  void forget() {
    listener.reset();
    transactions.reset();
    groups.reset();
    quotas.reset();
    topics.reset();
    log.reset();
  }
  Task<void> accept_all() {
    TaskGroup connections(world.executor(), "test connections", 100);
    while (true) {
      auto accepted = co_await listener->accept();
      if (!accepted) break;
      KafkaParts parts{*log,  *log,        *topics,      *groups, *transactions,
                       loops, world.clock, world.random, metrics, &keys};
      parts.quotas = &*quotas;
      parts.quota_admin = quota_admin;
      parts.access_rules = &rules;
      parts.denials = &denials;
      parts.dedupe = dedupe;
      parts.rejects = rejects;
      connections.spawn(serve_kafka_connection(std::move(*accepted), options, parts));
    }
    co_await connections.join();
  }
};

}  // namespace weft::kafka
