#include "app/load/load_report.h"

#include <gmock/gmock.h>

#include "app/load/load_record.h"
#include "base/json.h"

namespace weft::app {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

LoadReport report_of(std::uint64_t acknowledged) {
  LoadReport report{.brokers = "b:9092", .plan = {}, .load = {}, .catch_up = {}, .sizing = {}};
  report.plan.topic = "t";
  report.plan.record_bytes = 1000;
  auto& load = report.load.emplace();
  load.seconds = 10;
  load.produced.due = 1000;
  load.produced.acknowledged = load.produced.acknowledged_then = acknowledged;
  load.produced.unfinished = 1000 - acknowledged;
  load.produced.latency.add(4ms, 990);
  load.produced.latency.add(80ms, 10);
  return report;
}

TEST(LoadReport, TellsOfferedAndAchievedRatesAndPercentiles) {
  const auto json = JsonDocument::parse(load_report_json(report_of(900)));

  ASSERT_TRUE(json);
  const auto& root = json->root();
  EXPECT_EQ(root.at_pointer("/measured/0/offeredPerSecond")->number(), "100");
  EXPECT_EQ(root.at_pointer("/measured/0/recordsPerSecond")->number(), "90");
  EXPECT_EQ(root.at_pointer("/measured/0/megabytesPerSecond")->number(), "0.09");
  EXPECT_EQ(root.at_pointer("/measured/0/unfinished")->number(), "100");
  EXPECT_EQ(root.at_pointer("/measured/0/latencyMs/max")->number(), "80");
  EXPECT_EQ(root.at_pointer("/measured/0/latencyMs/p99.9")->number(), "80");
  EXPECT_EQ(root.find("sizing"), nullptr);
}

TEST(LoadReport, AdvisesWithHeadroomBrokersAndADaysBytes) {
  auto report = report_of(1000);
  report.sizing = SizingAdvice{.p99_max = 50ms,
                               .headroom_percent = 20,
                               .kept_per_second = 10'000,
                               .advised_per_second = 8000,
                               .confirmed = true,
                               .needed_per_second = 20'000,
                               .steps = {{10'000, 10'000, 40ms, true}}};

  const auto lines = load_remarks(report);

  EXPECT_THAT(lines, Contains(HasSubstr("keeps 10000 records/s (10.0 MB/s)")));
  EXPECT_THAT(lines, Contains(HasSubstr("plan with 8000 (20 % headroom): confirmed")));
  EXPECT_THAT(lines, Contains(HasSubstr("691.2 GB of values")));
  EXPECT_THAT(lines, Contains(HasSubstr("20000 records/s need 3 such brokers")));
  const auto json = JsonDocument::parse(load_report_json(report));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->root().at_pointer("/sizing/brokers")->number(), "3");
  EXPECT_EQ(json->root().at_pointer("/sizing/steps/0/p99Ms")->number(), "40");
}

TEST(KeptUp, AsksForTheRateTheLatencyAndEveryRecord) {
  EXPECT_TRUE(kept_up(*report_of(1000).load, 50ms));
  EXPECT_FALSE(kept_up(*report_of(1000).load, 3ms)) << "too slow";
  EXPECT_FALSE(kept_up(*report_of(900).load, 50ms)) << "unfinished";
  auto late = report_of(1000);
  late.load->produced.acknowledged_then = 900;
  EXPECT_FALSE(kept_up(*late.load, 50ms)) << "behind";
  auto lost = report_of(1000);
  lost.load->consumed.missing = 1;
  EXPECT_FALSE(kept_up(*lost.load, 50ms)) << "missing at the consumers";
}

TEST(LoadRecord, CarriesItsRunAndWhenItWasDue) {
  auto value = filler(100);
  EXPECT_THAT(value, Not(HasSubstr(std::string(1, '\0'))));

  stamp(value, 77, MonoTime(5s));

  EXPECT_EQ(value.size(), 100u);
  EXPECT_EQ(due_of(value, 77), MonoTime(5s));
  EXPECT_EQ(due_of(value, 78), std::nullopt);
  EXPECT_EQ(due_of("short", 77), std::nullopt);
}

}  // namespace
}  // namespace weft::app
