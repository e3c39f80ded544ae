// What deliveries are kept as, byte for byte against docs/formats/golden/ (base/golden_file.h).
#include <gtest/gtest.h>

#include <array>

#include "base/golden_file.h"
#include "delivery/core/attempt_record.h"
#include "delivery/core/dead_letter.h"

namespace weft::delivery {
namespace {

const WallTime kMoment = from_unix_ms(1'764'316'800'123);

DeliverySummary summary() {
  DeliverySummary delivery;
  delivery.id = "crm-5c1e0a9b7d3f-0-1041";
  delivery.tenant = "default";
  delivery.subscription = "crm";
  delivery.stream = "shop.order.placed.v1";
  delivery.partition = 3;
  delivery.offset = 1041;
  delivery.event_id = "SO-1";
  delivery.event_type = "order.placed";
  delivery.created = kMoment;
  delivery.status = DeliveryStatus::Failing;
  return delivery;
}

AttemptDetail attempt() {
  AttemptDetail made;
  made.number = 2;
  made.started = kMoment;
  made.duration = 5200us;
  made.method = "POST";
  made.url = "http://localhost:7001/hooks";
  made.request_headers = {{"content-type", "application/cloudevents+json"}};
  made.request_bytes = 512;
  made.status = 500;
  made.reason = "answered 500 Internal Server Error";
  made.next_attempt = kMoment + 15s;
  return made;
}

// Key, headers and value, one a line.
std::string text_of(const eventlog::NewRecord& record) {
  auto text = record.key.value_or("-") + "\n";
  for (const auto& [name, value] : record.headers) text += name + ": " + value + "\n";
  return text + record.value.value_or("-") + "\n";
}

TEST(AttemptFormat, IsWhatWasCommitted) {
  auto encoded = attempt_json(summary(), attempt());

  ASSERT_EQ(golden_file_or_new("attempt.json", encoded), encoded);
  auto read = parse_attempt(golden_file("attempt.json"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(attempt_json(read->delivery, read->attempt), encoded);
}

TEST(CursorFormat, IsWhatWasCommitted) {
  eventlog::AckSet acks(10);
  ASSERT_TRUE(acks.acquire(12, kMoment));
  ASSERT_TRUE(acks.acquire(15, eventlog::order_key("SO-1")));
  ASSERT_TRUE(acks.acquire(16, eventlog::order_key("SO-1")));
  ASSERT_TRUE(acks.release(12, kMoment + 1s));
  auto whole = encode_cursor(Uuid::v4(1, 2), 41, acks.journal());
  ASSERT_TRUE(acks.ack(12));
  auto changes = encode_cursor(Uuid::v4(1, 2), 42, acks.journal());

  ASSERT_EQ(golden_file_or_new("cursor-2.hex", whole), whole);
  ASSERT_EQ(golden_file_or_new("cursor-changes-2.hex", changes), changes);
  EXPECT_TRUE(continues_cursor(changes));
  auto read = decode_cursor(std::array{whole, changes}, {});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->topic_id, Uuid::v4(1, 2));
  EXPECT_EQ(read->delivered, 42u);
  auto items = read->acks.list(10);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].offset, 15);
  EXPECT_EQ(items[1].state, eventlog::AckSet::State::Held);
}

TEST(CursorFormat, ReadsTheFirstVersion) {
  auto read = decode_cursor(std::array{golden_file("cursor-1.hex")}, {});

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->delivered, 41u);
  auto items = read->acks.list(10);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].offset, 12);
  EXPECT_EQ(items[0].due, kMoment + 1s);
  EXPECT_EQ(items[1].offset, 15);
}

TEST(DeadLetterFormat, IsWhatWasCommitted) {
  DeadLetter letter;
  letter.delivery = summary();
  letter.since = kMoment;
  letter.event.key = "SO-1";
  letter.event.value = "{}";
  auto encoded = text_of(to_record(letter));

  ASSERT_EQ(golden_file_or_new("dead-letter.txt", encoded), encoded);
  auto made = to_record(letter);
  eventlog::Record record;
  record.key = made.key;
  record.value = made.value;
  record.headers = made.headers;
  auto read = parse_dead_letter(record);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(text_of(to_record(*read)), encoded);
}

}  // namespace
}  // namespace weft::delivery
