#include "base/suggestion.h"

#include <gtest/gtest.h>

#include <vector>

namespace weft {
namespace {

const std::vector<std::string> kKinds{"Route", "Stream", "Subscription"};

TEST(Suggestion, FindsTheNearestWordOrNone) {
  EXPECT_EQ(closest("steam", kKinds), "Stream");
  EXPECT_EQ(closest("Subscriptions", kKinds), "Subscription");
  EXPECT_EQ(closest("Rout", kKinds), "Route");
  EXPECT_EQ(closest("Banana", kKinds), std::nullopt);
}

TEST(Suggestion, AllowsOneEditForEachThreeLetters) {
  EXPECT_EQ(closest("Subskripton", kKinds), "Subscription");
  EXPECT_EQ(closest("Boats", kKinds), std::nullopt);
  EXPECT_EQ(closest("Strims", kKinds), std::nullopt);
}

TEST(Suggestion, CountsSwappedNeighboursAsOneEdit) {
  const std::vector<std::string> flags{"from", "output"};

  EXPECT_EQ(closest("form", flags), "from");
  EXPECT_EQ(closest("Rotue", kKinds), "Route");
}

TEST(Suggestion, IsWrittenAsAQuestionOrNotAtAll) {
  EXPECT_EQ(did_you_mean("steam", kKinds), "; did you mean \"Stream\"?");
  EXPECT_EQ(did_you_mean("Banana", kKinds), "");
}

}  // namespace
}  // namespace weft
