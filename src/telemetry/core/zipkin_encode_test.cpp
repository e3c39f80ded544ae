#include "telemetry/core/zipkin_encode.h"

#include <gmock/gmock.h>

#include "base/golden_file.h"
#include "base/json.h"

namespace weft::telemetry {
namespace {

Span zipkin_span() {
  Span span;
  span.context.trace_id.fill(0x11);
  span.context.span_id.fill(0x22);
  span.name = "a";
  span.start = WallTime(1'764'316'800'123'456'789ns);
  span.end = span.start + 5200us;
  return span;
}

std::string zipkin_json_of(const std::vector<Span>& spans) {
  auto chunk = std::make_shared<SpanChunk>();
  for (const auto& span : spans) EXPECT_TRUE(chunk->append(span));
  const std::vector<SpanSlice> slices = {{chunk, 0, chunk->count()}};
  return zipkin_spans_json(slices, "weft");
}

std::string zipkin_field(const Span& span, std::string_view pointer) {
  auto document = JsonDocument::parse(zipkin_json_of({span}));
  if (!document) return "no JSON";
  const auto* found = document->root().at_pointer("/0" + std::string(pointer));
  return found == nullptr ? "none" : std::string(found->raw());
}

TEST(ZipkinFormat, IsWhatWasCommitted) {
  Span server = zipkin_span();
  server.name = "POST /orders";
  server.kind = SpanKind::Server;
  server.parent_id.fill(0x33);
  server.failed = true;
  server.attributes = {{"http.route", "/orders"},
                       {"http.response.status_code", "502"},
                       {"error.type", "UPSTREAM_UNREACHABLE"}};
  Span client = zipkin_span();
  client.name = "deliver crm";
  client.kind = SpanKind::Client;
  client.parent_id.fill(0x22);
  client.context.span_id.fill(0x44);
  client.attributes = {{"server.address", "crm.example"}, {"server.port", "8443"}};
  Span foreign = zipkin_span();
  foreign.kind = SpanKind::Internal;
  foreign.attributes = {{"service.name", "shop"}, {"text", "a \"b\"\n"}};

  const auto json = zipkin_json_of({server, client, foreign});

  ASSERT_EQ(golden_file_or_new("zipkin-spans.json", json), json);
}

TEST(ZipkinFormat, SpeaksMicroseconds) {
  EXPECT_EQ(zipkin_field(zipkin_span(), "/timestamp"), "1764316800123456");
  EXPECT_EQ(zipkin_field(zipkin_span(), "/duration"), "5200");
}

TEST(ZipkinFormat, HasNoDurationOfZeroWhichWouldMeanUnknown) {
  Span span = zipkin_span();
  span.end = span.start + 999ns;
  EXPECT_EQ(zipkin_field(span, "/duration"), "1");
  span.end = span.start - 1s;
  EXPECT_EQ(zipkin_field(span, "/duration"), "1");
}

TEST(ZipkinFormat, NamesTheKindsAndNoneOfAnInternalSpan) {
  Span span = zipkin_span();
  span.kind = SpanKind::Internal;
  EXPECT_EQ(zipkin_field(span, "/kind"), "none");
  for (auto [kind, name] : {std::pair{SpanKind::Server, R"("SERVER")"},
                            {SpanKind::Client, R"("CLIENT")"},
                            {SpanKind::Producer, R"("PRODUCER")"},
                            {SpanKind::Consumer, R"("CONSUMER")"}}) {
    span.kind = kind;
    EXPECT_EQ(zipkin_field(span, "/kind"), name);
  }
}

TEST(ZipkinFormat, ARootHasNoParent) {
  EXPECT_EQ(zipkin_field(zipkin_span(), "/parentId"), "none");
}

TEST(ZipkinFormat, TellsTheServiceOfASpanAsItsEndpointNotAsATag) {
  Span span = zipkin_span();
  EXPECT_EQ(zipkin_field(span, "/localEndpoint/serviceName"), R"("weft")");
  span.attributes = {{"service.name", "shop"}};
  EXPECT_EQ(zipkin_field(span, "/localEndpoint/serviceName"), R"("shop")");
  EXPECT_EQ(zipkin_field(span, "/tags"), "{}");
}

TEST(ZipkinFormat, TellsTheOtherSideToThoseThatCall) {
  Span span = zipkin_span();
  span.kind = SpanKind::Client;
  span.attributes = {{"server.address", "crm"}, {"server.port", "many"}};
  EXPECT_EQ(zipkin_field(span, "/remoteEndpoint"), R"({"serviceName":"crm"})");
  span.attributes.emplace_back("peer.service", "customers");
  EXPECT_EQ(zipkin_field(span, "/remoteEndpoint"), R"({"serviceName":"customers"})");
  span.kind = SpanKind::Server;
  EXPECT_EQ(zipkin_field(span, "/remoteEndpoint"), "none");
}

TEST(ZipkinFormat, HasATagErrorWhenTheSpanFailedAndOnlyThen) {
  Span span = zipkin_span();
  span.attributes = {{"error", "false"}};
  EXPECT_EQ(zipkin_field(span, "/tags/error"), "none");
  span.failed = true;
  EXPECT_EQ(zipkin_field(span, "/tags/error"), R"("true")");
  span.attributes = {{"error.type", "500"}};
  EXPECT_EQ(zipkin_field(span, "/tags/error"), R"("500")");
}

TEST(ZipkinFormat, TagsAreTextsAndEachIsThereOnce) {
  Span span = zipkin_span();
  span.attributes = {{"n", "1"}, {"n", "2"}};
  EXPECT_EQ(zipkin_field(span, "/tags"), R"({"n":"1"})");
}

}  // namespace
}  // namespace weft::telemetry
