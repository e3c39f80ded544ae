#include "telemetry/core/otlp_encode.h"

#include <gmock/gmock.h>

#include "base/bytes.h"
#include "base/json.h"
#include "telemetry/core/otlp_values.h"

namespace weft::telemetry {
namespace {

using testing::HasSubstr;

Span small_span() {
  Span span;
  span.context.trace_id.fill(0x11);
  span.context.span_id.fill(0x22);
  span.parent_id.fill(0x33);
  span.name = "a";
  span.kind = SpanKind::Server;
  span.start = WallTime(1ns);
  span.end = WallTime(2ns);
  span.failed = true;
  span.attributes = {{"k", "v"}};
  return span;
}

std::vector<SpanSlice> slice_of(const std::vector<Span>& spans) {
  auto chunk = std::make_shared<SpanChunk>();
  for (const auto& span : spans) EXPECT_TRUE(chunk->append(span));
  return {{chunk, 0, chunk->count()}};
}

OtlpResource small_resource() {
  OtlpResource resource;
  resource.attributes = {{"service.name", "weft"}};
  return resource;
}

std::string protobuf_of_spans(const std::vector<SpanSlice>& spans, const OtlpResource& resource) {
  return otlp_protobuf_of(request_message(OtlpSignal::Traces), otlp_spans_json(spans, resource));
}

TEST(OtlpProtobuf, WritesTheRequestByteForByte) {
  // Composed by hand from opentelemetry/proto/trace/v1/trace.proto; one field per line.
  const std::string span =
      "0a1011111111111111111111111111111111"  // trace_id
      "12082222222222222222"                  // span_id
      "22083333333333333333"                  // parent_span_id
      "2a0161"                                // name
      "3002"                                  // kind: server
      "390100000000000000"                    // start_time_unix_nano, fixed64
      "410200000000000000"                    // end_time_unix_nano
      "4a080a016b12030a0176"                  // attributes: k = v
      "7a021802";                             // status: error
  const std::string expected =
      "0a71"  // resource_spans
      "0a18"
      "0a16"
      "0a0c736572766963652e6e616d65"  // resource: service.name
      "1206"
      "0a0477656674"  // = weft
      "1255"
      "0a060a0477656674"  // scope_spans, scope: weft
      "124b" +
      span;

  EXPECT_EQ(to_hex(protobuf_of_spans(slice_of({small_span()}), small_resource())), expected);
}

TEST(OtlpProtobuf, LeavesOutWhatIsAbsent) {
  Span span = small_span();
  span.parent_id = {};
  span.failed = false;
  span.attributes.clear();

  const auto hex = to_hex(protobuf_of_spans(slice_of({span}), small_resource()));

  EXPECT_TRUE(
      hex.ends_with("12082222222222222222"
                    "2a0161"
                    "3002"
                    "390100000000000000"
                    "410200000000000000"));
}

TEST(OtlpProtobuf, WritesLengthsOfMoreThanOneByte) {
  Span span = small_span();
  span.attributes = {{"k", std::string(300, 'v')}};

  const auto hex = to_hex(protobuf_of_spans(slice_of({span}), small_resource()));

  // 300 is ac 02 as a varint; the value's, the pair's and the field's lengths nest.
  EXPECT_THAT(hex, HasSubstr("4ab502"
                             "0a016b"
                             "12af02"
                             "0aac02"
                             "7676"));
}

TEST(OtlpProtobuf, WritesAnIntegerWhereTheConventionsWantOne) {
  Span span = small_span();
  span.attributes = {{"http.response.status_code", "201"}, {"http.request.method", "201"}};

  const auto hex = to_hex(protobuf_of_spans(slice_of({span}), small_resource()));

  EXPECT_THAT(hex, HasSubstr("120318c901"));      // intValue 201
  EXPECT_THAT(hex, HasSubstr("12050a03323031"));  // stringValue "201"
}

TEST(OtlpProtobuf, WritesOnlyTheSpansOfTheSlice) {
  auto slices = slice_of({small_span(), small_span(), small_span()});
  const auto all = protobuf_of_spans(slices, small_resource()).size();
  slices[0].first = 1;
  slices[0].last = 2;

  const auto one = protobuf_of_spans(slices, small_resource());

  EXPECT_EQ(one, protobuf_of_spans(slice_of({small_span()}), small_resource()));
  EXPECT_GT(all, one.size());
}

TEST(OtlpJson, WritesTheRequestByteForByte) {
  auto resource = small_resource();
  resource.scope_version = "1.2.3";

  EXPECT_EQ(
      otlp_spans_json(slice_of({small_span()}), resource),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"weft"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"weft","version":"1.2.3"},"spans":[{)"
      R"("traceId":"11111111111111111111111111111111","spanId":"2222222222222222",)"
      R"("parentSpanId":"3333333333333333","name":"a","kind":2,)"
      R"("startTimeUnixNano":"1","endTimeUnixNano":"2",)"
      R"("attributes":[{"key":"k","value":{"stringValue":"v"}}],"status":{"code":2}}]}]}]})");
}

TEST(OtlpJson, IsJsonWhateverTheSpansHold) {
  Span span = small_span();
  span.name = "quote \" and \xff byte";
  span.attributes = {{"http.response.status_code", "503"}, {"odd\n", std::string("\0\x1f", 2)}};

  auto document =
      JsonDocument::parse(otlp_spans_json(slice_of({span, small_span()}), small_resource()));

  ASSERT_TRUE(document) << document.error().message;
  const auto* written = document->root().at_pointer("/resourceSpans/0/scopeSpans/0/spans/0");
  ASSERT_NE(written, nullptr);
  EXPECT_EQ(written->find("name")->as_string(), "quote \" and \xEF\xBF\xBD byte");
  EXPECT_EQ(written->at_pointer("/attributes/0/value/intValue")->as_string(), "503");
}

TEST(OtlpInteger, IsOnlyWhatTheConventionsNameAndTheTextIs) {
  EXPECT_EQ(otlp_integer("server.port", "8080"), 8080);
  EXPECT_EQ(otlp_integer("client.port", "1"), 1);
  EXPECT_EQ(otlp_integer("server.port", "80a"), std::nullopt);
  EXPECT_EQ(otlp_integer("server.port", ""), std::nullopt);
  EXPECT_EQ(otlp_integer("order.number", "80"), std::nullopt);
}

}  // namespace
}  // namespace weft::telemetry
