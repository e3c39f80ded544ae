#include "app/node/denials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/metrics.h"
#include "runtime/run_until_done.h"
#include "storage/sqlite_database.h"
#include "storage/temporary_folder.h"

namespace weft::app {
namespace {

class StandingClock final : public Clock {
 public:
  MonoTime at{};
  WallTime now() const override { return from_unix_ms(1'700'000'000'000); }
  MonoTime mono() const override { return at; }
  Task<Result<>> sleep_until(MonoTime) override { co_return Result<>(); }
};

class Denials : public testing::Test {
 protected:
  Denials() {
    SqliteOptions options(folder_.file("state.db"));
    database_ = run_until_done(SqliteDatabase::open(files_, metrics_, options)).value();
    std::vector<Migration> migrations{estate::AuditLog::migration()};
    ENSURE(run_until_done(database_->migrate(migrations, clock_.now())).has_value(), "migrated");
    audit_.emplace(*database_, clock_);
    denials_.emplace(*audit_, clock_);
  }
  void deny(std::string_view action, std::string_view group) {
    const auto shop = identity::make_principal(identity::PrincipalType::Client, "shop", "acme");
    denials_->note(shop, action, {"acme", "Group", group}, "because");
  }
  // What the trail has, the newest last.
  std::vector<estate::AuditEvent> written() {
    run_until_done(ended(denials_->write_noted()));
    estate::AuditQuery query;
    query.limit = 1000;
    std::vector<estate::AuditEvent> events;
    const auto entries = run_until_done(audit_->list(query)).value();
    for (const auto& entry : entries) {
      events.insert(events.begin(), entry.event);
    }
    return events;
  }

  TemporaryFolder folder_;
  PosixFileSystem files_;
  Metrics metrics_;
  StandingClock clock_;
  std::unique_ptr<SqliteDatabase> database_;
  std::optional<estate::AuditLog> audit_;
  std::optional<AuditedDenials> denials_;

 private:
  static Task<Result<>> ended(Task<void> task) {
    co_await std::move(task);
    co_return Result<>();
  }
};

TEST_F(Denials, AreWrittenToTheAuditTrailWithWhoWhatAndWhy) {
  deny("group.use", "reports");

  const auto events = written();

  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].actor, "client:shop@acme");
  EXPECT_EQ(events[0].tenant, "acme");
  EXPECT_EQ(events[0].action, "access.deny");
  EXPECT_EQ(events[0].object, "Group reports");
  EXPECT_EQ(events[0].after, R"({"action":"group.use","why":"because"})");
}

TEST_F(Denials, AreToldOnceAMinuteEach) {
  for (int i = 0; i < 5; ++i) deny("group.use", "reports");
  deny("group.alter", "reports");
  deny("group.use", "other");
  EXPECT_EQ(written().size(), 3u);

  clock_.at += 1min;
  deny("group.use", "reports");

  EXPECT_EQ(written().size(), 4u);
}

TEST_F(Denials, OfAFloodAreCountedAlone) {
  for (int i = 0; i < 2000; ++i) deny("group.use", fmt::format("group-{}", i));
  EXPECT_EQ(written().size(), 1000u);

  clock_.at += 1min;
  deny("group.use", "after");

  estate::AuditQuery newest;
  newest.limit = 1;
  written();
  EXPECT_EQ(run_until_done(audit_->list(newest)).value().at(0).event.object, "Group after");
}

}  // namespace
}  // namespace weft::app
