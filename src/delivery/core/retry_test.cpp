#include "delivery/core/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::delivery {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

const WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));

RetryPolicy policy() {
  RetryPolicy out;
  out.attempts_max = 5;
  out.age_max = 1h;
  out.initial_delay = 2s;
  out.delay_max = 10s;
  return out;
}

Outcome answered(int status, std::string retry_after = "") {
  Outcome out;
  out.status = status;
  out.retry_after = std::move(retry_after);
  return out;
}

Outcome unreachable() {
  Outcome out;
  out.error = Error{ErrorCode::Unavailable, "connection refused"};
  return out;
}

Decision after(std::uint32_t attempt, const Outcome& outcome, Duration age = 0s) {
  SeededRandom random(attempt);
  return decide(policy(), {attempt, kNow - age, kNow}, outcome, random);
}

TEST(Backoff, DoublesItsCeilingUntilTheLargestDelay) {
  SeededRandom random(1);
  Duration most[8] = {};

  for (int round = 0; round < 2000; ++round) {
    for (std::uint32_t attempt = 1; attempt < 8; ++attempt) {
      most[attempt] = std::max(most[attempt], backoff(policy(), attempt, random));
    }
  }

  for (auto [attempt, ceiling] : {std::pair{1, 2s}, {2, 4s}, {3, 8s}, {4, 10s}, {7, 10s}}) {
    EXPECT_LE(most[attempt], ceiling) << attempt;
    EXPECT_GT(most[attempt], ceiling * 9 / 10) << attempt;
  }
}

TEST(Backoff, SpreadsOverTheWholeInterval) {
  SeededRandom random(2);
  int early = 0;

  for (int round = 0; round < 1000; ++round) early += backoff(policy(), 1, random) < 1s ? 1 : 0;

  EXPECT_GT(early, 400);
  EXPECT_LT(early, 600);
}

TEST(Backoff, DoesNotOverflowAfterManyAttempts) {
  SeededRandom random(3);

  EXPECT_LE(backoff(RetryPolicy(), 4'000'000'000u, random), RetryPolicy().delay_max);
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_THAT(parse_retry_after("120", kNow), Optional(Duration(120s)));
  EXPECT_THAT(parse_retry_after(to_http_date(kNow + 30s), kNow), Optional(Duration(30s)));
  EXPECT_THAT(parse_retry_after(to_http_date(kNow - 30s), kNow), Optional(Duration(0s)));
  EXPECT_EQ(parse_retry_after("soon", kNow), std::nullopt);
  EXPECT_EQ(parse_retry_after("-5", kNow), std::nullopt);
  EXPECT_EQ(parse_retry_after("", kNow), std::nullopt);
}

TEST(RetryAfter, IsCutToADay) {
  EXPECT_THAT(parse_retry_after("999999999", kNow), Optional(kRetryAfterMax));
  EXPECT_THAT(parse_retry_after("99999999999999999999999", kNow), Optional(kRetryAfterMax));
  EXPECT_THAT(parse_retry_after("Fri, 31 Dec 2100 23:59:59 GMT", kNow), Optional(kRetryAfterMax));
}

TEST(Decide, AnySuccessStatusDelivers) {
  for (int status : {200, 201, 202, 204, 299}) {
    EXPECT_EQ(after(1, answered(status)).verdict, Verdict::Delivered) << status;
  }
}

TEST(Decide, TriesAgainAfterWhatMayPass) {
  for (int status : {301, 302, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504, 599}) {
    auto decision = after(1, answered(status));
    EXPECT_EQ(decision.verdict, Verdict::Retry) << status;
    EXPECT_LE(decision.retry_at, kNow + 2s) << status;
  }
  EXPECT_EQ(after(1, unreachable()).verdict, Verdict::Retry);
}

TEST(Decide, GivesUpAtOnceOnAMessageThatTheReceiverRefuses) {
  for (int status : {400, 413, 415, 422}) {
    auto decision = after(1, answered(status));
    EXPECT_EQ(decision.verdict, Verdict::Dead) << status;
    EXPECT_THAT(decision.reason, HasSubstr(std::to_string(status)));
  }
}

TEST(Decide, StopsAfterTheLastAttempt) {
  EXPECT_EQ(after(4, answered(500)).verdict, Verdict::Retry);

  auto last = after(5, answered(500));

  EXPECT_EQ(last.verdict, Verdict::Dead);
  EXPECT_THAT(last.reason, HasSubstr("answered 500"));
  EXPECT_THAT(last.reason, HasSubstr("attempt 5"));
}

TEST(Decide, StopsAtTheMaximumAge) {
  EXPECT_EQ(after(2, unreachable(), 30min).verdict, Verdict::Retry);

  auto old = after(2, unreachable(), 1h);

  EXPECT_EQ(old.verdict, Verdict::Dead);
  EXPECT_THAT(old.reason, HasSubstr("connection refused"));
  EXPECT_THAT(old.reason, HasSubstr("maximum age of 1h"));
}

TEST(Decide, WaitsAtLeastAsLongAsTheReceiverAsks) {
  auto decision = after(1, answered(429, "90"));

  EXPECT_EQ(decision.verdict, Verdict::Retry);
  EXPECT_EQ(decision.retry_at, kNow + 90s);
  EXPECT_THAT(decision.hold_until, Optional(kNow + 90s));
}

TEST(Decide, HoldsAllDeliveriesOnlyWhenTheEndpointIsOverloaded) {
  EXPECT_TRUE(after(1, answered(503, "5")).hold_until.has_value());
  EXPECT_FALSE(after(1, answered(500, "5")).hold_until.has_value()) << "that one message's trouble";
  EXPECT_FALSE(after(1, answered(429)).hold_until.has_value()) << "no wish was stated";
}

TEST(Decide, APauseBeyondTheMaximumAgeIsTheEnd) {
  EXPECT_EQ(after(1, answered(429, "7200")).verdict, Verdict::Dead);
}

TEST(Decide, GoneDisablesTheEndpoint) {
  auto decision = after(1, answered(410));

  EXPECT_EQ(decision.verdict, Verdict::DisableEndpoint);
  EXPECT_THAT(decision.reason, HasSubstr("410"));
}

}  // namespace
}  // namespace weft::delivery
