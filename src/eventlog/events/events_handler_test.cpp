#include "eventlog/events/events_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estate/loader.h"
#include "eventlog/embedded/embedded_log.h"
#include "eventlog/events/event_source.h"
#include "http/test_exchange.h"
#include "runtime/log.h"
#include "runtime/world.h"

namespace weft::eventlog {
namespace {

using http::TestExchange;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kEstate = R"(
apiVersion: weft/v1
kind: Schema
metadata: {name: orders.order.created.v1, owner: shop}
spec:
  format: json-schema
  definition: {type: object, required: [total], properties: {total: {type: number, minimum: 0}}}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: orders.order.created.v1, owner: shop}
spec: {schema: orders.order.created.v1, partitions: 3}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: shop.cart.changed.v1, owner: shop}
spec: {opaque: true}
)";

class AnySpec final : public estate::SpecValidator {
 public:
  std::vector<estate::SpecIssue> validate(const Json&) const override { return {}; }
};

// "writer" and "reader" are keys with one grant each.
class TwoKeys final : public EventsAuthenticator {
 public:
  std::string revoked;
  Result<identity::PrincipalRef> authenticate(std::string_view api_key) const override {
    std::string_view action;
    if (api_key == "writer") action = "stream.write";
    if (api_key == "reader") action = "stream.read";
    if (action.empty() || api_key == revoked)
      return fail(ErrorCode::Unauthenticated, "the key is not valid");
    std::vector<identity::Grant> grants = {{std::string(action), "*", "test"}};
    return std::make_shared<const identity::Principal>(identity::make_principal(
        identity::PrincipalType::Client, std::string(api_key), "default", std::move(grants)));
  }
};

class Events : public ::testing::Test {
 protected:
  Events() {
    set_log_level(LogLevel::Error);
    LogOptions options;
    options.folder = "/log";
    options.executors = LogExecutors{world.executor(), world.executor()};
    log = *world.run(EmbeddedLog::open(world.disk, world.clock, world.random, metrics, options));
    streams.emplace(*log);
    declare();
    EventsParts parts{*log, *streams, keys, world.clock, world.random, metrics};
    handler = std::make_unique<EventsHandler>(parts);
  }
  ~Events() override {
    handler->stop();
    world.run_for(5s);
    world.run(closed());
  }

  void declare() {
    auto any = [](std::string_view) -> Result<std::unique_ptr<estate::SpecValidator>> {
      return std::make_unique<AnySpec>();
    };
    auto kinds = estate::KindSet::create(eventlog_kinds(), any);
    auto loaded = estate::Loader(*kinds).load_text("estate.yaml", std::string(kEstate));
    ASSERT_TRUE(loaded.ok()) << loaded.error_text();
    estate::ViewBuilder builder;
    for (auto& resource : loaded.resources) builder.put({resource, "test", 1});
    auto compiled = streams->compile(std::move(builder).build(1));
    ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
    streams->publish(1, *compiled);
    ASSERT_TRUE(world.run(streams->reconcile(WallTime())).has_value());
  }

  Task<bool> closed() {
    co_await log->close();
    co_return true;
  }
  Task<bool> handled(TestExchange& exchange) {
    co_await handler->handle(exchange);
    co_return true;
  }
  Task<void> handle_beside(TestExchange& exchange) { co_await handler->handle(exchange); }

  TestExchange post(std::vector<std::pair<std::string, std::string>> fields, std::string body,
                    std::string stream = "orders.order.created.v1", std::string key = "writer") {
    fields.emplace_back("Authorization", "Bearer " + key);
    TestExchange exchange("POST", "/events/" + stream, std::move(fields), std::move(body));
    world.run(handled(exchange));
    return exchange;
  }
  TestExchange post_json(std::string body, std::string stream = "orders.order.created.v1") {
    return post({{"Content-Type", "application/cloudevents+json"}}, std::move(body),
                std::move(stream));
  }
  TestExchange& listen(std::string query, std::string last_id = "",
                       std::string stream = "shop.cart.changed.v1") {
    std::vector<std::pair<std::string, std::string>> fields = {{"X-API-Key", "reader"}};
    if (!last_id.empty()) fields.emplace_back("Last-Event-ID", std::move(last_id));
    auto& exchange = *listeners.emplace_back(
        std::make_unique<TestExchange>("GET", "/events/" + stream + query, std::move(fields)));
    world.spawn(handle_beside(exchange));
    world.run_for(200ms);
    return exchange;
  }

  static std::string event(std::string id, std::string data = R"({"total":1})",
                           std::string more = "") {
    return fmt::format(
        R"({{"specversion":"1.0","id":"{}","source":"/shop","type":"t"{},"data":{}}})", id, more,
        data);
  }
  static std::vector<std::string> ids_of(const std::string& sent) {
    std::vector<std::string> out;
    for (std::size_t at = 0; (at = sent.find("\"id\":\"", at)) != std::string::npos;) {
      at += 6;
      out.push_back(sent.substr(at, sent.find('"', at) - at));
    }
    return out;
  }

  std::vector<std::unique_ptr<TestExchange>> listeners;  // outlive their tasks
  World world{11};
  Metrics metrics;
  TwoKeys keys;
  std::unique_ptr<EmbeddedLog> log;
  std::optional<StreamCatalogue> streams;
  std::unique_ptr<EventsHandler> handler;
};

TEST_F(Events, PublishesAStructuredEventAndAnswersWithItsPlace) {
  auto answer = post_json(event("A-1", R"({"total": 19.90})", R"(,"partitionkey":"k")"));

  EXPECT_EQ(answer.status, 201) << answer.sent;
  EXPECT_THAT(answer.sent, AllOf(HasSubstr(R"("id":"A-1")"), HasSubstr(R"("offset":0)")));
  auto partition = partition_of_key("k", 3);
  ReadRequest request;
  request.partition = {streams->find("default", "orders.order.created.v1")->info.id, partition};
  auto read = world.run(log->read(request));
  ASSERT_TRUE(read.has_value());
  ASSERT_THAT(read->records, SizeIs(1));
  EXPECT_EQ(read->records[0].value, R"({"total": 19.90})");
  EXPECT_EQ(read->records[0].header("ce_id"), "A-1");
  EXPECT_TRUE(read->records[0].header("traceparent").has_value());
}

TEST_F(Events, PublishesBinaryEvents) {
  auto answer = post({{"ce-specversion", "1.0"},
                      {"ce-id", "1"},
                      {"ce-source", "/s"},
                      {"ce-type", "t"},
                      {"Content-Type", "application/json"}},
                     R"({"total":5})");

  EXPECT_EQ(answer.status, 201) << answer.sent;
}

TEST_F(Events, StoresABatchAsAWholeOrNotAtAll) {
  auto send = [&](std::string body) {
    return post({{"Content-Type", "application/cloudevents-batch+json"}}, std::move(body));
  };

  auto good = send(fmt::format("[{},{},{}]", event("1"), event("2"),
                               event("3", "{\"total\":1}", R"(,"partitionkey":"k")")));
  auto bad = send(fmt::format("[{},{}]", event("4"), event("5", R"({"total":-1})")));

  EXPECT_EQ(good.status, 201) << good.sent;
  EXPECT_THAT(ids_of(good.sent), ElementsAre("1", "2", "3"));
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.sent, AllOf(HasSubstr("CONTRACT_VIOLATION"), HasSubstr("event 5"),
                              HasSubstr("/total"), HasSubstr(R"("event":1)")));
  Offset stored = 0;
  auto id = streams->find("default", "orders.order.created.v1")->info.id;
  for (std::int32_t p = 0; p < 3; ++p) stored += log->partition({id, p})->end;
  EXPECT_EQ(stored, 3);
}

TEST_F(Events, EachRefusalSaysWhatToMend) {
  auto no_key = post({}, "", "orders.order.created.v1", "nobody");
  EXPECT_EQ(no_key.status, 401);
  auto no_right = post({{"Content-Type", "application/cloudevents+json"}}, event("1"),
                       "orders.order.created.v1", "reader");
  EXPECT_EQ(no_right.status, 403);
  EXPECT_THAT(no_right.sent, HasSubstr("stream.write"));
  EXPECT_EQ(post_json(event("1"), "orders.order.paid.v1").status, 404);
  EXPECT_EQ(post_json(event("1"), "__weft.delivery.cursors").status, 404)
      << "internal streams are nobody's";
  EXPECT_EQ(post_json(event("1"), "a/b").status, 404);
  auto plain = post({{"Content-Type", "application/json"}}, "{}");
  EXPECT_EQ(plain.status, 415);
  EXPECT_THAT(plain.sent, HasSubstr("application/cloudevents+json"));
  auto incomplete = post_json(R"({"specversion":"1.0"})");
  EXPECT_EQ(incomplete.status, 400);
  EXPECT_THAT(incomplete.sent, AllOf(HasSubstr("INVALID_EVENT"), HasSubstr("id is required")));
  EXPECT_EQ(post_json(std::string(11 * 1024 * 1024, 'x')).status, 413);
  TestExchange put("PUT", "/events/orders.order.created.v1", {{"X-API-Key", "writer"}});
  world.run(handled(put));
  EXPECT_EQ(put.status, 405);
  EXPECT_EQ(metrics.counter("weft_events_refused_total", "").value(), 9u);
}

TEST_F(Events, SendsWhatIsThereAndThenWhatComes) {
  post_json(event("1"), "shop.cart.changed.v1");
  auto& listener = listen("?from=earliest");
  EXPECT_EQ(listener.status, 200);
  EXPECT_THAT(listener.answer_fields,
              ::testing::Contains(::testing::Pair("Content-Type", "text/event-stream")));
  EXPECT_THAT(ids_of(listener.sent), ElementsAre("1"));
  EXPECT_THAT(listener.sent, HasSubstr("id: 0:0\ndata: {\"specversion\""));

  post_json(event("2"), "shop.cart.changed.v1");
  world.run_for(100ms);

  EXPECT_THAT(ids_of(listener.sent), ElementsAre("1", "2"));
}

TEST_F(Events, BeginsAtTheEndAtAnOffsetOrAtATime) {
  post_json(event("1"), "shop.cart.changed.v1");
  world.run_for(10s);
  auto time = to_rfc3339(world.clock.now());
  world.run_for(10s);
  post_json(event("2"), "shop.cart.changed.v1");

  EXPECT_THAT(ids_of(listen("").sent), SizeIs(0));
  EXPECT_THAT(ids_of(listen("?from=1").sent), ElementsAre("2"));
  EXPECT_THAT(ids_of(listen("?from=" + time).sent), ElementsAre("2"));
  EXPECT_EQ(listen("?from=yesterday").status, 400);
  EXPECT_EQ(listen("?partition=7").status, 400);
}

TEST_F(Events, ResumesAfterTheLastEventId) {
  for (auto id : {"1", "2", "3"}) post_json(event(id), "shop.cart.changed.v1");

  EXPECT_THAT(ids_of(listen("?from=latest", "0:0").sent), ElementsAre("2", "3"));
  EXPECT_EQ(listen("", "nonsense").status, 400);
}

TEST_F(Events, ResumesInEveryPartitionOfAStream) {
  const std::string stream = "orders.order.created.v1";
  for (int i = 0; i < 9; ++i) {
    post_json(event(std::to_string(i), "{\"total\":1}", fmt::format(R"(,"partitionkey":"k{}")", i)),
              stream);
  }
  auto& first = listen("?from=earliest", "", stream);
  ASSERT_THAT(ids_of(first.sent), SizeIs(9));
  auto marker = first.sent.find("id: ", first.sent.find("\"id\":\"3\""));
  auto last_id = first.sent.substr(marker + 4, first.sent.find('\n', marker) - marker - 4);
  auto seen = ids_of(first.sent.substr(0, first.sent.find("\n\n", marker)));

  auto& second = listen("", last_id, stream);

  auto all = seen;
  for (auto& id : ids_of(second.sent)) all.push_back(std::move(id));
  EXPECT_EQ(all.size(), 9u);
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end()) << "nothing twice, nothing left out";
}

TEST_F(Events, KeepsASilentConnectionAliveAndEndsItAtShutdown) {
  auto& listener = listen("");
  world.run_for(40s);
  EXPECT_THAT(listener.sent,
              AllOf(StartsWith(": listening\n\n"), HasSubstr(": keep-alive\n\n: keep-alive\n\n")));

  handler->stop();
  world.run_for(3s);

  EXPECT_TRUE(listener.is_finished);
}

TEST_F(Events, EndsAListenerWhoseKeyIsRevoked) {
  auto& listener = listen("?from=latest");
  world.run_for(2s);
  ASSERT_FALSE(listener.is_finished);

  keys.revoked = "reader";
  world.run_for(1s);
  post_json(event("1"), "shop.cart.changed.v1");
  world.run_for(1s);

  EXPECT_TRUE(listener.is_finished);
  EXPECT_THAT(ids_of(listener.sent), SizeIs(0));
}

TEST_F(Events, AListenerThatIsGoneEnds) {
  auto& listener = listen("");
  listener.is_broken = true;

  post_json(event("1"), "shop.cart.changed.v1");
  world.run_for(3s);

  EXPECT_TRUE(listener.is_finished);
}

TEST(EventSource, DataWithLineEndsStaysOneEvent) {
  std::string out;
  append_event(out, "0:1", "a\nb\r\nc");

  EXPECT_EQ(out, "id: 0:1\ndata: a\ndata: b\ndata: c\n\n");
}

TEST(EventSource, PositionsReadBackAsTheyWereWritten) {
  auto text = position_text({0, 2}, {5, 0});
  EXPECT_EQ(text, "0:4,2:-1");

  auto positions = parse_position(text);

  ASSERT_TRUE(positions.has_value());
  EXPECT_EQ((*positions)[0].next, 5);
  EXPECT_EQ((*positions)[1].next, 0);
  for (auto bad :
       {"", "0", "0:", "a:1", "0:1,", "0:1;1:2", "-1:5", "0:-2", "0:9223372036854775807"}) {
    EXPECT_FALSE(parse_position(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace weft::eventlog
