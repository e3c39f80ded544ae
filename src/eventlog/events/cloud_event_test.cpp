#include "eventlog/events/cloud_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/events/event_view.h"
#include "eventlog/events/http_binding.h"

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::Pair;

constexpr std::string_view kJsonType = "application/cloudevents+json; charset=utf-8";

EventResult<CloudEvent> from_json(std::string text) {
  auto document = JsonDocument::parse(std::move(text));
  EXPECT_TRUE(document.has_value());
  return event_from_json(document->root());
}

std::string with(std::string_view member) {
  return fmt::format(R"({{"specversion":"1.0","id":"1","source":"/shop","type":"t",{}}})", member);
}

std::string issue_of(std::string text) {
  auto event = from_json(std::move(text));
  return event ? "no issue" : event.error().text();
}

Record stored(NewRecord record) {
  Record out;
  out.offset = 42;
  out.timestamp = from_unix_ms(1'772'366'400'123);
  out.key = std::move(record.key);
  out.value = std::move(record.value);
  out.headers = std::move(record.headers);
  return out;
}

std::string structured(const Record& record) {
  return EventView(record, "orders.order.created.v1", 3).structured_json();
}

TEST(CloudEvent, StructuredDataKeepsItsBytes) {
  auto event = from_json(with(R"("data":{"total": 19.990, "n":9007199254740993})"));

  ASSERT_TRUE(event.has_value()) << event.error().text();
  EXPECT_THAT(event->data, Optional(std::string(R"({"total": 19.990, "n":9007199254740993})")));
  EXPECT_THAT(event->data_content_type, Optional(std::string("application/json")));
}

TEST(CloudEvent, TextAndBinaryDataAreTakenOutOfJson) {
  auto text = from_json(with(R"("datacontenttype":"text/xml","data":"<a>\u00e9</a>")"));
  auto binary = from_json(with(R"("datacontenttype":"image/png","data_base64":"AAEC")"));
  auto json_string = from_json(with(R"("datacontenttype":"application/json","data":"x")"));
  auto json_null = from_json(with(R"("data":null)"));

  EXPECT_THAT(text->data, Optional(std::string("<a>é</a>")));
  EXPECT_THAT(binary->data, Optional(std::string("\0\1\2", 3)));
  EXPECT_THAT(json_string->data, Optional(std::string("\"x\"")));
  EXPECT_THAT(json_null->data, Optional(std::string("null")));
}

TEST(CloudEvent, EachRequiredAttributeIsMissedByName) {
  EXPECT_EQ(issue_of(R"({"id":"1","source":"/s","type":"t"})"), "specversion is required");
  EXPECT_EQ(issue_of(R"({"specversion":"1.0","source":"/s","type":"t"})"), "id is required");
  EXPECT_EQ(issue_of(R"({"specversion":"1.0","id":"1","type":"t"})"), "source is required");
  EXPECT_EQ(issue_of(R"({"specversion":"1.0","id":"1","source":"/s"})"), "type is required");
}

TEST(CloudEvent, SaysWhatIsWrongWithAValue) {
  EXPECT_THAT(issue_of(R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})"),
              HasSubstr("specversion must be 1.0"));
  EXPECT_THAT(issue_of(R"({"specversion":"1.0","id":"","source":"/s","type":"t"})"),
              HasSubstr("id must not be empty"));
  EXPECT_THAT(issue_of(R"({"specversion":"1.0","id":"1","source":"a b","type":"t"})"),
              HasSubstr("URI-reference"));
  EXPECT_THAT(issue_of(with(R"("time":"yesterday")")), HasSubstr("time must be a timestamp"));
  EXPECT_THAT(issue_of(with(R"("dataschema":"/relative")")), HasSubstr("absolute URI"));
  EXPECT_THAT(issue_of(with(R"("Region":"eu")")), HasSubstr("not an attribute name"));
  EXPECT_THAT(issue_of(with(R"("region":{"a":1})")), HasSubstr("region must be a string"));
  EXPECT_THAT(issue_of(with(R"("size":1.5)")), HasSubstr("whole number"));
  EXPECT_THAT(issue_of(with(R"("subject":"a\u0000b")")), HasSubstr("control characters"));
  EXPECT_THAT(issue_of(with(R"("data":1,"data_base64":"AA==")")),
              HasSubstr("data_base64 must not stand beside data"));
  EXPECT_THAT(issue_of(with(R"("data_base64":"***")")), HasSubstr("Base64"));
  EXPECT_THAT(issue_of("[]"), HasSubstr("an event is a JSON object"));
}

TEST(CloudEvent, AnEventIsNotTheDataOfAnother) {
  EXPECT_THAT(issue_of(with(R"("datacontenttype":"application/cloudevents+json","data":{})")),
              HasSubstr("datacontenttype must not be"));
}

TEST(CloudEvent, BecomesARecordOfTheKafkaBinding) {
  auto event =
      from_json(with(R"("subject":"A-1","partitionkey":"k1","retry":3,"late":false,"data":{})"));

  auto record = to_record(std::move(*event));

  EXPECT_THAT(record.key, Optional(std::string("k1")));
  EXPECT_THAT(record.value, Optional(std::string("{}")));
  EXPECT_THAT(record.headers, ElementsAre(Pair("ce_specversion", "1.0"), Pair("ce_id", "1"),
                                          Pair("ce_source", "/shop"), Pair("ce_type", "t"),
                                          Pair("ce_subject", "A-1"), Pair("ce_partitionkey", "k1"),
                                          Pair("ce_retry", "3"), Pair("ce_late", "false"),
                                          Pair("content-type", "application/json")));
}

TEST(EventView, ABareRecordIsAnEventToo) {
  NewRecord bare;
  bare.key = "k";
  bare.value = R"({"total":19.990})";

  EXPECT_EQ(
      structured(stored(bare)),
      R"({"specversion":"1.0","id":"42","source":"/streams/orders.order.created.v1/3",)"
      R"("type":"orders.order.created.v1","time":"2026-03-01T12:00:00.123Z","partitionkey":"k",)"
      R"("datacontenttype":"application/json","data":{"total":19.990}})");
}

TEST(EventView, AnEventComesOutAsItWentIn) {
  auto event = from_json(
      with(R"("subject":"A-1","time":"2026-01-01T00:00:00Z","region":"eu","data":[1.10])"));

  EXPECT_EQ(
      structured(stored(to_record(std::move(*event)))),
      R"({"specversion":"1.0","id":"1","source":"/shop","type":"t","time":"2026-01-01T00:00:00Z",)"
      R"("subject":"A-1","region":"eu","datacontenttype":"application/json","data":[1.10]})");
}

TEST(EventView, DataThatIsNoJsonIsNeverPassedOffAsJson) {
  NewRecord broken;
  broken.value = R"({"open": )";
  broken.headers = {{"content-type", "application/json"}};
  NewRecord text;
  text.value = "a \"b\"";
  text.headers = {{"content-type", "text/plain"}};
  NewRecord bytes;
  bytes.value = std::string("\0\xff", 2);

  EXPECT_THAT(structured(stored(broken)), HasSubstr(R"("data_base64":"eyJvcGVuIjog")"));
  EXPECT_THAT(structured(stored(text)), HasSubstr(R"("data":"a \"b\"")"));
  EXPECT_THAT(structured(stored(bytes)), HasSubstr(R"("data_base64":"AP8=")"));
}

TEST(EventView, ATombstoneHasNoData) {
  auto text = structured(stored(NewRecord()));

  EXPECT_THAT(text, Not(HasSubstr("data")));
}

TEST(EventView, AStructuredRecordIsReadFromItsValue) {
  NewRecord record;
  record.value = with(R"("region":"eu","data":{"a":1})");
  record.headers = {{"content-type", std::string(kJsonType)}};
  auto whole = stored(record);

  EventView view(whole, "s", 0);

  EXPECT_EQ(view.type(), "t");
  EXPECT_THAT(view.attribute("region"), Optional(std::string_view("eu")));
  EXPECT_THAT(view.data(), Optional(std::string_view(R"({"a":1})")));
  EXPECT_EQ(structured(whole), *record.value);
}

TEST(EventView, ForeignHeadersCannotSmuggleFieldsOrLines) {
  NewRecord record;
  record.value = "x";
  record.headers = {{"ce_bad name", "1"},
                    {"ce_x\r\ny", "2"},
                    {"ce_ok", "a\r\nb"},
                    {"content-type", "a/b\r\nX: y"}};
  auto whole = stored(record);

  auto fields = binary_fields(EventView(whole, "s", 0));

  for (const auto& [name, value] : fields) {
    EXPECT_EQ(name.find_first_of(" \r\n"), std::string::npos) << name;
    EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << value;
  }
  EXPECT_THAT(fields, ::testing::Contains(Pair("ce-ok", "a%0D%0Ab")));
}

TEST(HttpBinding, ReadsBinaryMode) {
  std::vector<http::Field> fields = {{"CE-SpecVersion", "1.0"},
                                     {"ce-id", "1"},
                                     {"ce-source", "/shop"},
                                     {"ce-type", "t"},
                                     {"ce-subject", "Gr%C3%BC%C3%9Fe%20%25"},
                                     {"Content-Type", "application/json"}};

  auto mode = content_mode(fields);
  auto events = events_from_http(ContentMode::Binary, fields, R"({"a":1.0})");

  EXPECT_THAT(mode, Optional(ContentMode::Binary));
  ASSERT_TRUE(events.has_value()) << events.error().text();
  EXPECT_EQ(*events->front().find("subject"), "Grüße %");
  EXPECT_THAT(events->front().data, Optional(std::string(R"({"a":1.0})")));
}

TEST(HttpBinding, TellsTheModesApart) {
  auto mode = [](std::string_view type) {
    std::vector<http::Field> fields = {{"content-type", type}};
    return content_mode(fields);
  };

  EXPECT_THAT(mode(kJsonType), Optional(ContentMode::Structured));
  EXPECT_THAT(mode("Application/CloudEvents-Batch+JSON"), Optional(ContentMode::Batched));
  EXPECT_EQ(mode("application/json"), std::nullopt);
}

TEST(HttpBinding, NamesTheBadEventOfABatch) {
  auto good = with(R"("data":1)");
  auto issue = [](std::string body) {
    auto events = events_from_http(ContentMode::Batched, {}, body);
    return events ? "no issue" : events.error().text();
  };

  EXPECT_EQ(issue(fmt::format("[{},{}]", good, good)), "no issue");
  EXPECT_EQ(issue(fmt::format(R"([{},{{"specversion":"1.0"}}])", good)),
            "events[1]: id is required");
  EXPECT_THAT(issue("[]"), HasSubstr("holds no event"));
  EXPECT_THAT(issue(good), HasSubstr("a batch is a JSON array"));
  EXPECT_THAT(issue("[{]"), HasSubstr("not JSON"));
}

TEST(HttpBinding, FieldValuesSurviveTheRoundTrip) {
  for (std::string_view text : {"plain", "with space", "50% \"off\"", "Grüße €", "a\tb"}) {
    EXPECT_EQ(decode_field_value(encode_field_value(text)), text);
  }
  EXPECT_EQ(encode_field_value("€ \"%"), "%E2%82%AC%20%22%25");
  EXPECT_EQ(decode_field_value("50%"), "50%") << "what is not encoded stays";
}

}  // namespace
}  // namespace weft::eventlog
