#include "delivery/core/attempt_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const WallTime kThen = from_unix_ms(1'772'366'400'123);

AttemptRecord failed_attempt() {
  AttemptRecord record;
  auto& delivery = record.delivery;
  delivery.id = "crm-5c1e0a9b7d3f-0-1041";
  delivery.tenant = "default";
  delivery.subscription = "crm";
  delivery.stream = "orders.order.created.v1";
  delivery.partition = 3;
  delivery.offset = 1041;
  delivery.event_id = "A-20931";
  delivery.event_type = "order.created";
  delivery.created = kThen;
  delivery.status = DeliveryStatus::Failing;
  auto& attempt = record.attempt;
  attempt.number = 2;
  attempt.started = kThen + 5s;
  attempt.duration = 5200us;
  attempt.method = "POST";
  attempt.url = "http://localhost:7001/hooks";
  attempt.request_headers = {{"content-type", "application/cloudevents+json"}};
  attempt.request_bytes = 512;
  attempt.status = 500;
  attempt.response_headers = {{"server", "crm"}};
  attempt.response_body = "database is \"locked\"\n";
  attempt.response_body_cut = true;
  attempt.reason = "answered 500 Internal Server Error";
  attempt.next_attempt = kThen + 15s;
  attempt.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  return record;
}

TEST(AttemptRecord, ReadsBackAsItWasWritten) {
  auto before = failed_attempt();

  auto after = parse_attempt(attempt_json(before.delivery, before.attempt));

  ASSERT_TRUE(after.has_value()) << after.error().message;
  EXPECT_EQ(attempt_json(after->delivery, after->attempt),
            attempt_json(before.delivery, before.attempt));
  EXPECT_EQ(after->delivery.offset, 1041);
  EXPECT_EQ(after->delivery.attempts, 2u);
  EXPECT_EQ(after->delivery.status, DeliveryStatus::Failing);
  EXPECT_EQ(after->delivery.next_attempt, kThen + 15s);
  EXPECT_EQ(after->delivery.last_error, "answered 500 Internal Server Error");
  EXPECT_EQ(after->attempt.duration, 5200us);
  EXPECT_EQ(after->attempt.response_body, "database is \"locked\"\n");
}

TEST(AttemptRecord, RefusesOtherJson) {
  EXPECT_EQ(parse_attempt("{}").error().code, ErrorCode::DataLoss);
  EXPECT_FALSE(parse_attempt("not json").has_value());
}

TEST(KeptHeaders, HideWhateverMayBeASecret) {
  auto kept = kept_headers({{"Authorization", "Bearer abc"},
                            {"X-Api-Key", "k"},
                            {"Set-Cookie", "sid=1"},
                            {"webhook-signature", "v1,xyz"},
                            {"X-Auth-Token", "t"},
                            {"Content-Type", "text/plain"}});

  EXPECT_THAT(kept,
              ElementsAre(Pair("Authorization", kRedacted), Pair("X-Api-Key", kRedacted),
                          Pair("Set-Cookie", kRedacted), Pair("webhook-signature", kRedacted),
                          Pair("X-Auth-Token", kRedacted), Pair("Content-Type", "text/plain")));
}

TEST(KeptHeaders, AreCutInNumberAndLength) {
  HeaderList many(100, {"x-a", std::string(10'000, 'a')});

  auto kept = kept_headers(many);

  EXPECT_EQ(kept.size(), kResponseHeadersKept);
  EXPECT_EQ(kept.front().second.size(), kHeaderValueKept);
}

TEST(KeptText, CutsBetweenCharactersAndReplacesBadBytes) {
  EXPECT_EQ(kept_text("aé", 2), "a");
  EXPECT_EQ(kept_text("aé", 3), "aé");
  EXPECT_EQ(kept_text("a\xff", 10), "a\xef\xbf\xbd");
}

TEST(CursorRecord, ReadsBackAsItWasWritten) {
  eventlog::AckSet acks(5);
  for (eventlog::Offset offset = 5; offset < 12; ++offset) {
    ASSERT_TRUE(acks.acquire(offset).has_value());
  }
  std::vector<std::string> records = {encode_cursor(Uuid::v4(7, 8), 76, acks.journal())};
  acks.ack(5);
  records.push_back(encode_cursor(Uuid::v4(7, 8), 77, acks.journal()));

  auto record = decode_cursor(records, {});

  ASSERT_TRUE(record.has_value());
  EXPECT_FALSE(continues_cursor(records.front()));
  EXPECT_TRUE(continues_cursor(records.back()));
  EXPECT_EQ(record->topic_id, Uuid::v4(7, 8));
  EXPECT_EQ(record->delivered, 77u);
  EXPECT_EQ(record->acks.cursor(), 6);
  EXPECT_EQ(record->acks.next(), 12);
}

TEST(CursorRecord, RefusesWhatIsNone) {
  auto good = encode_cursor(Uuid::v4(7, 8), 77, eventlog::AckSet(5).snapshot());
  auto is_read = [](std::vector<std::string> records) {
    return decode_cursor(records, {}).has_value();
  };

  EXPECT_TRUE(is_read({good}));
  EXPECT_FALSE(is_read({}));
  EXPECT_FALSE(is_read({""}));
  EXPECT_FALSE(is_read({good.substr(0, good.size() - 1)}));
  EXPECT_FALSE(is_read({"\x09" + good.substr(1)}));
}

}  // namespace
}  // namespace weft::delivery
