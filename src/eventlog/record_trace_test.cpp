#include "eventlog/record_trace.h"

#include <gtest/gtest.h>

#include <set>

namespace weft::eventlog {
namespace {

TEST(RecordTrace, IsTheSameForTheSamePlace) {
  const auto topic = Uuid::v4(1, 2);

  EXPECT_EQ(trace_of_record(topic, 3, 4).traceparent(), trace_of_record(topic, 3, 4).traceparent());
  EXPECT_TRUE(trace_of_record(topic, 3, 4).is_valid());
}

TEST(RecordTrace, IsAnotherForEachOtherPlace) {
  std::set<std::string> ids;
  for (std::uint64_t topic = 0; topic < 10; ++topic) {
    for (std::int32_t partition = 0; partition < 10; ++partition) {
      for (Offset offset = 0; offset < 100; ++offset) {
        ids.insert(trace_of_record(Uuid::v4(topic, 0), partition, offset).trace_id_hex());
      }
    }
  }

  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(RecordTrace, IsSampledAsOftenAsOthers) {
  set_trace_sampling(0.1);
  int sampled = 0;
  for (Offset offset = 0; offset < 10'000; ++offset) {
    if (trace_of_record(Uuid::v4(7, 7), 0, offset).sampled) ++sampled;
  }
  set_trace_sampling(1);

  // Six standard deviations.
  EXPECT_NEAR(sampled, 1'000, 180);
}

}  // namespace
}  // namespace weft::eventlog
