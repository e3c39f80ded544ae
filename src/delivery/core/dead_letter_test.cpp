#include "delivery/core/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::delivery {
namespace {

const WallTime kCreated = from_unix_ms(1'772'366'400'123);

DeadLetter letter() {
  DeadLetter out;
  out.delivery.id = "crm-5c1e0a9b7d3f-0-7";
  out.delivery.tenant = "default";
  out.delivery.subscription = "crm";
  out.delivery.stream = "orders";
  out.delivery.offset = 7;
  out.delivery.created = kCreated;
  out.delivery.attempts = 5;
  out.delivery.last_status = 422;
  out.delivery.dead_reason = "answered 422";
  out.since = kCreated + 1s;
  out.event.key = "k";
  out.event.value = std::string("{\"a\":1}\0x", 9);
  out.event.headers = {{"ce_type", "t"}, {"ce_type", "again"}, {"traceparent", "00-…"}};
  return out;
}

DeadLetter stored(const DeadLetter& letter) {
  auto made = to_record(letter);
  eventlog::Record record;
  record.key = made.key;
  record.value = made.value;
  record.headers = made.headers;
  auto read = parse_dead_letter(record);
  EXPECT_TRUE(read.has_value());
  return read ? std::move(*read) : DeadLetter();
}

TEST(DeadLetter, HoldsTheEventAsItWas) {
  auto read = stored(letter());

  EXPECT_EQ(read.event.key, letter().event.key);
  EXPECT_EQ(read.event.value, letter().event.value);
  EXPECT_EQ(read.event.headers, letter().event.headers);
  EXPECT_EQ(read.event.offset, 7);
  EXPECT_EQ(read.event.timestamp, kCreated);
}

TEST(DeadLetter, TellsHowItStands) {
  auto before = letter();
  before.state = DeadState::Redriving;
  before.actor = "user:admin";

  auto read = stored(before);

  EXPECT_EQ(read.state, DeadState::Redriving);
  EXPECT_EQ(read.actor, "user:admin");
  EXPECT_EQ(read.delivery.attempts, 5u);
  EXPECT_EQ(read.delivery.dead_reason, "answered 422");
  EXPECT_EQ(read.delivery.status, DeliveryStatus::Pending);
  EXPECT_EQ(stored(letter()).delivery.status, DeliveryStatus::Dead);
}

TEST(DeadLetter, AnEventWithoutKeyOrValueStaysWithoutAndItsRecordIsNoTombstone) {
  auto bare = letter();
  bare.event.key.reset();
  bare.event.value.reset();

  EXPECT_TRUE(to_record(bare).value.has_value());
  auto read = stored(bare);

  EXPECT_FALSE(read.event.key.has_value());
  EXPECT_FALSE(read.event.value.has_value());
}

TEST(DeadLetter, OtherRecordsAreNone) {
  eventlog::Record record;
  record.key = "k";
  record.value = "v";

  EXPECT_EQ(parse_dead_letter(record).error().code, ErrorCode::DataLoss);
  EXPECT_FALSE(resolved_record("id").value.has_value()) << "its compaction removes the letter";
}

}  // namespace
}  // namespace weft::delivery
