#include "app/load/rate_search.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

struct Searched {
  std::optional<double> kept;
  int steps = 0;
};

Searched search(double first, double limit) {
  RateSearch search(first);
  Searched result;
  while (auto rate = search.next()) {
    search.judge(*rate <= limit);
    ++result.steps;
  }
  result.kept = search.kept();
  return result;
}

TEST(RateSearch, FindsTheLimitFromBelowAndFromAbove) {
  for (const double limit : {150.0, 1000.0, 1001.0, 34'567.0, 2e6}) {
    const auto found = search(1000, limit);
    ASSERT_TRUE(found.kept) << limit;
    EXPECT_LE(*found.kept, limit);
    EXPECT_GE(*found.kept * 1.05, limit);
    EXPECT_LE(found.steps, 30);
  }
}

TEST(RateSearch, GivesUpWhereNothingIsKept) {
  EXPECT_FALSE(search(1000, 0).kept);
  EXPECT_LE(search(1000, 0).steps, 20);
}

TEST(RateSearch, EndsAtTheMostThatItMayTry) {
  RateSearch search(1000, 0.05, 10'000);
  while (search.next()) search.judge(true);

  EXPECT_EQ(search.kept(), 10'000);
}

TEST(RateSearch, ForgivesOneBadMoment) {
  RateSearch search(1000);

  search.judge(false);
  EXPECT_EQ(search.next(), 1000);
  search.judge(true);
  EXPECT_EQ(search.next(), 2000);
}

TEST(SizingAdvice, LeavesHeadroomAndCountsBrokers) {
  EXPECT_EQ(advised_rate(10'000, 20), 8000);
  EXPECT_EQ(brokers_for(8000, 8000), 1);
  EXPECT_EQ(brokers_for(8001, 8000), 2);
}

}  // namespace
}  // namespace weft::app
