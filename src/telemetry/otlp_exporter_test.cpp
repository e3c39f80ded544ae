#include "telemetry/otlp_exporter.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "runtime/dialer.h"
#include "runtime/world.h"

namespace weft::telemetry {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// Answers as told, one step of the script per request, then with 200; keeps what it got.
struct FakeReceiver {
  explicit FakeReceiver(World& here) : world(here) {}

  World& world;
  std::vector<int> script;  // a status; 0: connection refused
  std::string retry_after;
  std::vector<http::ClientRequest> requests;
  std::vector<Duration> times;

  OtlpSender sender() {
    return [this](http::ClientRequest request) { return take(std::move(request)); };
  }

  Task<Result<http::ClientResponse>> take(http::ClientRequest request) {
    times.push_back(world.clock.mono().time_since_epoch());
    requests.push_back(std::move(request));
    const int status = requests.size() <= script.size() ? script[requests.size() - 1] : 200;
    if (status == 0) co_return fail(ErrorCode::Unavailable, "connection refused");
    http::ClientResponse response;
    response.status = status;
    if (!retry_after.empty()) response.fields.emplace_back("Retry-After", retry_after);
    co_return response;
  }

  std::size_t spans_in(std::size_t request) const {
    auto document = JsonDocument::parse(requests.at(request).body);
    EXPECT_TRUE(document);
    return document->root().at_pointer("/resourceSpans/0/scopeSpans/0/spans")->size();
  }
};

Task<void> run_exporter(OtlpExporter& exporter, std::optional<Result<>>& outcome) {
  outcome = co_await exporter.run();
}

struct OtlpExporterTest : testing::Test {
  std::optional<Result<>> outcome;
  TraceStore store;
  Metrics metrics;
  OtlpSpans source{store, weft_resource("1.2.3")};
  std::optional<OtlpExporter> exporter;
  World world{1};
  FakeReceiver receiver{world};

  ~OtlpExporterTest() override { world.crash(); }

  static OtlpExporterOptions json_options() {
    OtlpExporterOptions options;
    options.endpoint = "http://collector:4318";
    options.encoding = OtlpEncoding::Json;
    return options;
  }

  void start(OtlpExporterOptions options = json_options()) {
    make(std::move(options));
    world.spawn(run_exporter(*exporter, outcome));
    world.run_for(1ms);
  }

  void make(OtlpExporterOptions options = json_options()) {
    exporter.emplace(source, receiver.sender(), world.clock, world.random, metrics,
                     std::move(options));
  }

  void record(int spans) {
    for (int i = 0; i < spans; ++i) {
      Span span;
      span.context = TraceContext::start(world.random);
      span.name = "span";
      store.record(std::move(span));
    }
  }

  std::uint64_t exported() { return counter("weft_telemetry_exported_spans_total"); }
  std::uint64_t dropped() { return counter("weft_telemetry_dropped_spans_total"); }
  std::uint64_t counter(std::string_view name) { return metrics.counter(name, "").value(); }
};

TEST_F(OtlpExporterTest, SendsWhatWasRecordedAfterTheInterval) {
  start();
  record(3);

  world.run_for(2s);

  ASSERT_THAT(receiver.requests, SizeIs(1));
  const auto& request = receiver.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.host, "collector");
  EXPECT_EQ(request.url.port, 4318);
  EXPECT_EQ(request.url.target, "/v1/traces");
  EXPECT_THAT(request.fields, ElementsAre(testing::Pair("Content-Type", "application/json")));
  EXPECT_EQ(receiver.spans_in(0), 3U);
  EXPECT_EQ(exported(), 3U);
  EXPECT_EQ(dropped(), 0U);
}

TEST_F(OtlpExporterTest, SendsProtobufUnlessToldOtherwise) {
  auto options = json_options();
  options.encoding = OtlpExporterOptions().encoding;
  options.fields = {{"Authorization", "Bearer x"}};
  start(options);
  record(1);

  world.run_for(2s);

  ASSERT_THAT(receiver.requests, SizeIs(1));
  EXPECT_THAT(receiver.requests[0].fields,
              ElementsAre(testing::Pair("Authorization", "Bearer x"),
                          testing::Pair("Content-Type", "application/x-protobuf")));
  EXPECT_EQ(receiver.requests[0].body[0], '\x0a');
}

TEST_F(OtlpExporterTest, SaysNothingWhenThereIsNothingToSay) {
  start();

  world.run_for(1h);

  EXPECT_THAT(receiver.requests, SizeIs(0));
}

TEST_F(OtlpExporterTest, SendsFullBatchesOneAfterAnotherWithoutWaiting) {
  start();
  record(1'200);

  world.run_for(1'500ms);

  ASSERT_THAT(receiver.requests, SizeIs(3));
  EXPECT_EQ(receiver.spans_in(0), 512U);
  EXPECT_EQ(receiver.spans_in(2), 176U);
  EXPECT_EQ(receiver.times[0], receiver.times[2]);
}

TEST_F(OtlpExporterTest, SendsABatchAgainWithGrowingPausesWhileItMayWorkLater) {
  receiver.script = {503, 0, 429};
  start();
  record(5);

  world.run_for(1min);

  ASSERT_THAT(receiver.requests, SizeIs(4));
  EXPECT_EQ(receiver.requests[0].body, receiver.requests[3].body);
  const auto& at = receiver.times;
  EXPECT_THAT(at[1] - at[0], testing::AllOf(testing::Ge(500ms), testing::Le(1s)));
  EXPECT_THAT(at[2] - at[1], testing::AllOf(testing::Ge(1s), testing::Le(2s)));
  EXPECT_THAT(at[3] - at[2], testing::AllOf(testing::Ge(2s), testing::Le(4s)));
  EXPECT_EQ(exported(), 5U);
  EXPECT_EQ(dropped(), 0U);
  EXPECT_EQ(counter("weft_telemetry_export_failures_total"), 3U);
}

TEST_F(OtlpExporterTest, WaitsAsLongAsTheReceiverAsks) {
  receiver.script = {429};
  receiver.retry_after = "20";
  start();
  record(1);

  world.run_for(1min);

  ASSERT_THAT(receiver.requests, SizeIs(2));
  EXPECT_EQ(receiver.times[1] - receiver.times[0], 20s);
}

TEST_F(OtlpExporterTest, DropsABatchThatIsRefusedForGoodAndGoesOn) {
  receiver.script = {400};
  start();
  record(5);
  world.run_for(2s);
  record(2);

  world.run_for(2s);

  ASSERT_THAT(receiver.requests, SizeIs(2));
  EXPECT_EQ(dropped(), 5U);
  EXPECT_EQ(exported(), 2U);
}

TEST_F(OtlpExporterTest, GivesABatchUpAfterTheLastAttempt) {
  receiver.script = std::vector<int>(5, 503);
  start();
  record(5);

  world.run_for(10min);

  EXPECT_THAT(receiver.requests, SizeIs(5));
  EXPECT_EQ(dropped(), 5U);
  EXPECT_EQ(exported(), 0U);
}

TEST_F(OtlpExporterTest, CountsWhatTheBoundedQueueHadToDrop) {
  receiver.script = std::vector<int>(5, 503);
  start();
  record(1);
  world.run_for(1100ms);
  record(100'000);

  world.run_for(10min);

  EXPECT_GT(dropped(), 1U);
  EXPECT_EQ(exported() + dropped(), 100'001U);
}

TEST_F(OtlpExporterTest, FlushSendsTheRestWithoutWaiting) {
  make();
  record(600);

  EXPECT_TRUE(world.run(exporter->flush()));

  EXPECT_THAT(receiver.requests, SizeIs(2));
  EXPECT_EQ(exported(), 600U);
}

TEST_F(OtlpExporterTest, FlushDoesNotRetry) {
  receiver.script = {0};
  make();
  record(1);

  auto flushed = world.run(exporter->flush());

  EXPECT_EQ(flushed.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(receiver.requests, SizeIs(1));
  EXPECT_EQ(dropped(), 1U);
}

TEST_F(OtlpExporterTest, FlushSendsTheBatchThatACancellationInterrupted) {
  receiver.script = {503};
  start();
  record(1);
  world.run_for(1100ms);

  world.crash();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::Cancelled);
  EXPECT_TRUE(world.run(exporter->flush()));

  ASSERT_THAT(receiver.requests, SizeIs(2));
  EXPECT_EQ(receiver.spans_in(1), 1U);
  EXPECT_EQ(exported(), 1U);
  EXPECT_EQ(dropped(), 0U);
}

TEST_F(OtlpExporterTest, AddsTheSignalToThePathOfTheEndpoint) {
  auto options = json_options();
  options.endpoint = "http://collector:4318/otlp/";
  start(options);
  record(1);

  world.run_for(2s);

  EXPECT_EQ(receiver.requests.at(0).url.target, "/otlp/v1/traces");
}

TEST_F(OtlpExporterTest, TakesTheAddressOfTheTracesForThatOfTheReceiver) {
  OtlpMetrics all(metrics, world.clock, weft_resource("1.2.3"), {});
  auto options = json_options();
  options.endpoint = "http://collector:4318/v1/traces";
  OtlpExporter sends_metrics(all, receiver.sender(), world.clock, world.random, metrics, options);
  metrics.counter("weft_test_total", "").add();

  EXPECT_TRUE(world.run(sends_metrics.flush()));

  EXPECT_EQ(receiver.requests.at(0).url.target, "/v1/metrics");
}

TEST_F(OtlpExporterTest, SendsZipkinItsOwnPathAndJsonWhateverTheEncoding) {
  ZipkinSpans spans(store, "weft");
  OtlpExporterOptions options;
  options.endpoint = "http://zipkin:9411";
  for (auto endpoint : {"http://zipkin:9411", "http://zipkin:9411/api/v2/spans"}) {
    options.endpoint = endpoint;
    OtlpExporter to_zipkin(spans, receiver.sender(), world.clock, world.random, metrics, options);
    record(2);

    EXPECT_TRUE(world.run(to_zipkin.flush()));

    const auto& request = receiver.requests.back();
    EXPECT_EQ(request.url.target, "/api/v2/spans");
    EXPECT_THAT(request.fields, ElementsAre(testing::Pair("Content-Type", "application/json")));
    EXPECT_EQ(JsonDocument::parse(request.body)->root().size(), 2U);
  }
  EXPECT_EQ(counter("weft_telemetry_exported_zipkin_spans_total"), 4U);
  EXPECT_EQ(exported(), 0U);
}

TEST_F(OtlpExporterTest, CountsWhatZipkinDidNotTakeApart) {
  receiver.script = {400};
  ZipkinSpans spans(store, "weft");
  OtlpExporter to_zipkin(spans, receiver.sender(), world.clock, world.random, metrics,
                         json_options());
  record(3);

  auto flushed = world.run(to_zipkin.flush());

  EXPECT_TRUE(flushed.error().message.starts_with("the Zipkin collector did not take"));
  EXPECT_EQ(counter("weft_telemetry_dropped_zipkin_spans_total"), 3U);
  EXPECT_EQ(dropped(), 0U);
}

TEST_F(OtlpExporterTest, RefusesAnEndpointThatIsNoUrl) {
  auto options = json_options();
  options.endpoint = "collector:4318";
  start(options);

  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::InvalidArgument);
}

// One HTTP request, read to the end of its body, answered with 200.
Task<void> receive_over_network(World& world, std::string& heard) {
  net::Endpoint local{"10.0.0.9", 4318};
  auto listener = co_await world.network.listen(local);
  if (!listener) co_return;
  auto stream = co_await (*listener)->accept();
  if (!stream) co_return;
  std::array<char, 4096> buffer;
  while (!heard.contains("service.name")) {
    auto got = co_await (*stream)->read_some(buffer);
    if (!got || *got == 0) co_return;
    heard.append(buffer.data(), *got);
  }
  std::string_view answer[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};
  [[maybe_unused]] auto written = co_await (*stream)->write(answer);
}

TEST(OtlpExporterOverHttp, SpeaksToAReceiverThroughTheRealClient) {
  std::string heard;
  TraceStore store;
  Metrics metrics;
  World world(1);
  world.network.add_host("collector", {"10.0.0.9"});
  EgressPolicy policy;
  policy.allow_all = true;
  Dialer dialer(world.network, world.clock, policy);
  http::Client client(dialer, world.clock, metrics, http::ClientLimits());
  auto options = OtlpExporterTest::json_options();
  OtlpSpans spans(store, weft_resource("1.2.3"));
  OtlpExporter exporter(spans, sender_over(client), world.clock, world.random, metrics, options);
  world.spawn(receive_over_network(world, heard));
  world.run_for(1ms);
  Span span;
  span.context = TraceContext::start(world.random);
  store.record(span);

  auto flushed = world.run(exporter.flush());

  EXPECT_TRUE(flushed) << flushed.error().message;
  EXPECT_TRUE(heard.starts_with("POST /v1/traces HTTP/1.1\r\n")) << heard;
  EXPECT_TRUE(heard.contains(span.context.trace_id_hex())) << heard;
}

}  // namespace
}  // namespace weft::telemetry
