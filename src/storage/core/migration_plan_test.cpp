#include "storage/core/migration_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::storage {
namespace {

using testing::HasSubstr;

AppliedMigration applied(const Migration& step) {
  return {step.module, step.version, migration_checksum(step.sql)};
}

TEST(MigrationPlan, TakesEverythingForAnEmptyDatabaseInTheGivenOrder) {
  auto pending = pending_migrations({{"b", 1, "x"}, {"a", 1, "y"}, {"b", 2, "z"}}, {});

  ASSERT_TRUE(pending);
  ASSERT_EQ(pending->size(), 3u);
  EXPECT_EQ((*pending)[0].sql + (*pending)[1].sql + (*pending)[2].sql, "xyz");
}

TEST(MigrationPlan, LeavesOutWhatIsApplied) {
  Migration first{"a", 1, "x"};

  auto pending = pending_migrations({first, {"a", 2, "y"}}, {applied(first)});

  ASSERT_TRUE(pending);
  ASSERT_EQ(pending->size(), 1u);
  EXPECT_EQ(pending->front().version, 2);
}

TEST(MigrationPlan, RefusesHolesInOurOwnVersions) {
  auto pending = pending_migrations({{"a", 1, "x"}, {"a", 3, "y"}}, {});

  ASSERT_FALSE(pending);
  EXPECT_EQ(pending.error().code, ErrorCode::InvalidArgument);
}

TEST(MigrationPlan, RefusesADatabaseWithAModuleThatWeDoNotKnow) {
  auto pending = pending_migrations({{"a", 1, "x"}}, {{"future", 1, "00"}});

  ASSERT_FALSE(pending);
  EXPECT_EQ(pending.error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(pending.error().message, HasSubstr("module future is at version 1, this program "
                                                 "knows none"));
}

TEST(MigrationPlan, RefusesAnAppliedStepWithAnotherText) {
  auto pending = pending_migrations({{"a", 1, "x"}}, {{"a", 1, migration_checksum("y")}});

  ASSERT_FALSE(pending);
  EXPECT_EQ(pending.error().code, ErrorCode::DataLoss);
}

}  // namespace
}  // namespace weft::storage
