#include "app/node/doctor.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

TEST(Doctor, CallsAMediumThatAnswersWithinMicrosecondsAWarning) {
  EXPECT_EQ(judge_sync(5us).verdict, Verdict::Warning);
  EXPECT_EQ(judge_sync(150us).verdict, Verdict::Good);
  EXPECT_EQ(judge_sync(30ms).verdict, Verdict::Warning);
}

TEST(Doctor, CallsADiskBelowTheReserveBad) {
  EXPECT_EQ(judge_free_space(100'000'000, 1ull << 40).verdict, Verdict::Bad);
  EXPECT_EQ(judge_free_space(1ull << 30, 1ull << 40).verdict, Verdict::Warning);
  EXPECT_EQ(judge_free_space(1ull << 39, 1ull << 40).verdict, Verdict::Good);
}

TEST(Doctor, SaysWhatToDoAboutWhateverIsNotGood) {
  for (const auto& finding : {judge_sync(1us), judge_free_space(0, 1), judge_open_files(256), judge_clock_year(1970)}) {
    EXPECT_NE(finding.verdict, Verdict::Good) << finding.subject;
    EXPECT_FALSE(finding.advice.empty()) << finding.subject;
  }
}

}  // namespace
}  // namespace weft::app
