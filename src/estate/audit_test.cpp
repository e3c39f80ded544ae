#include "estate/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estate/core/audit_chain.h"
#include "estate/estate_fixture.h"
#include "runtime/task_group.h"

namespace weft::estate {
namespace {

using testing::HasSubstr;

AuditEvent event(std::string object, std::optional<std::string> after = {}) {
  return {"user:ann", "default", "thing.change", std::move(object), {}, std::move(after)};
}

// Three generations: entries 1 and 2, 3 and 4, 5 and 6.
class AuditTrail : public testing::Test {
 protected:
  AuditTrail() {
    for (const char* name : {"a", "b", "c"}) {
      auto applied = world_.apply(stream_yaml(name));
      ENSURE(applied.has_value(), "a stream is applied");
    }
  }
  std::vector<AuditEntry> list(AuditQuery query = {}) {
    return run_until_done(world_.audit->list(std::move(query))).value();
  }
  EstateWorld world_;
};

TEST_F(AuditTrail, HasActorBeforeAndAfterOfEveryChange) {
  ASSERT_TRUE(world_.apply(stream_yaml("a", 1, "owner: crm")));

  auto entries = list();

  ASSERT_EQ(entries.size(), 8u);
  const auto& newest = entries[0];
  EXPECT_EQ(newest.sequence, 8u);
  EXPECT_EQ(newest.event.actor, "user:ann");
  EXPECT_EQ(newest.event.tenant, "default");
  EXPECT_EQ(newest.event.action, "estate.update");
  EXPECT_EQ(newest.event.object, "Stream a");
  EXPECT_EQ(newest.event.generation, 4u);
  EXPECT_THAT(*newest.event.before, HasSubstr(R"("owner":"shop")"));
  EXPECT_THAT(*newest.event.after, HasSubstr(R"("owner":"crm")"));
  EXPECT_EQ(entries[1].event.action, "estate.apply");
  EXPECT_EQ(entries[2].event.before, std::nullopt);
}

TEST_F(AuditTrail, CanBeSearched) {
  ASSERT_TRUE(world_.rollback(2));
  AuditQuery of_object;
  of_object.object = "Stream c";
  AuditQuery of_actor;
  of_actor.actor = "user:bob";
  AuditQuery of_kind;
  of_kind.object_kind = "Stream";
  AuditQuery of_other_kind;
  of_other_kind.object_kind = "Strea";
  AuditQuery of_name;
  of_name.object_name = "c";
  AuditQuery page;
  page.before_sequence = 3;
  page.limit = 1;

  EXPECT_EQ(list(of_object).size(), 2u);
  EXPECT_EQ(list(of_actor).size(), 2u);
  EXPECT_EQ(list(of_kind).size(), 4u);
  EXPECT_EQ(list(of_other_kind).size(), 0u);
  EXPECT_EQ(list(of_name).size(), 2u);
  ASSERT_EQ(list(page).size(), 1u);
  EXPECT_EQ(list(page)[0].sequence, 2u);
}

TEST_F(AuditTrail, HidesSecretsThatWereWrittenOut) {
  ASSERT_TRUE(world_.apply(hook_yaml("h", "a", "hunter2")));

  auto entries = list();

  EXPECT_THAT(*entries[0].event.after, HasSubstr(R"("secret":"[redacted]")"));
  for (const auto& row : world_.rows("SELECT COALESCE(after, '') FROM audit_entry")) {
    EXPECT_THAT(row.text(0), testing::Not(HasSubstr("hunter2")));
  }
}

TEST_F(AuditTrail, IsIntactWhenNobodyTouchedIt) {
  auto report = world_.verify();

  EXPECT_TRUE(report.intact) << report.reason;
  EXPECT_EQ(report.head.count, 6u);
  EXPECT_EQ(report.head, run_until_done(world_.audit->head()).value());
}

TEST_F(AuditTrail, FindsAnAlteredEntryWhicheverFieldItIs) {
  for (const char* change :
       {"actor = 'user:eve'", "tenant = 'acme'", "action = 'estate.create '", "object = 'x'",
        "at = at + 1", "after = REPLACE(after, 'shop', 'shap')", "before = '{}'", "generation = 9",
        "hash = LOWER('00' || SUBSTR(hash, 3))"}) {
    SCOPED_TRACE(change);
    auto original = world_.rows("SELECT * FROM audit_entry WHERE sequence = 4");
    world_.tamper(fmt::format("UPDATE audit_entry SET {} WHERE sequence = 4", change));

    auto report = world_.verify();

    EXPECT_FALSE(report.intact);
    EXPECT_EQ(report.bad_sequence, 4u);
    EXPECT_THAT(report.reason, HasSubstr("entry 4 was altered"));
    world_.tamper("DELETE FROM audit_entry WHERE sequence = 4");
    Unit restore;
    SqlParameters values;
    for (std::size_t i = 0; i < original[0].size(); ++i) values.push_back(original[0][i]);
    restore.add("INSERT INTO audit_entry VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                values);
    ASSERT_TRUE(run_until_done(world_.sqlite->execute(std::move(restore))));
    ASSERT_TRUE(world_.verify().intact);
  }
}

TEST_F(AuditTrail, FindsADeletedEntry) {
  world_.tamper("DELETE FROM audit_entry WHERE sequence = 3");

  auto report = world_.verify();

  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.bad_sequence, 3u);
  EXPECT_THAT(report.reason, HasSubstr("entry 3 is missing"));
}

TEST_F(AuditTrail, FindsTheFirstEntryDeleted) {
  world_.tamper("DELETE FROM audit_entry WHERE sequence = 1");

  EXPECT_EQ(world_.verify().bad_sequence, 1u);
}

TEST_F(AuditTrail, FindsEntriesThatChangedPlaces) {
  world_.tamper("UPDATE audit_entry SET sequence = 100 WHERE sequence = 3");
  world_.tamper("UPDATE audit_entry SET sequence = 3 WHERE sequence = 5");
  world_.tamper("UPDATE audit_entry SET sequence = 5 WHERE sequence = 100");

  auto report = world_.verify();

  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.bad_sequence, 3u);
  EXPECT_THAT(report.reason, HasSubstr("stood at another place"));
}

TEST_F(AuditTrail, FindsAnInsertedEntry) {
  world_.tamper(
      "INSERT INTO audit_entry SELECT 0, at, actor, tenant, action, object, before, "
      "after, generation, previous_hash, hash FROM audit_entry WHERE sequence = 1");

  EXPECT_FALSE(world_.verify().intact);
}

TEST_F(AuditTrail, FindsACutTail) {
  world_.tamper("DELETE FROM audit_entry WHERE sequence > 4");

  auto report = world_.verify();

  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.bad_sequence, 5u);
  EXPECT_THAT(report.reason, HasSubstr("entries 5 to 6 were cut off the end"));
}

TEST_F(AuditTrail, FindsACutTailThroughTheFileWhenTheHeadWasSetBackToo) {
  world_.tamper("DELETE FROM audit_entry WHERE sequence > 4");
  world_.tamper(
      "UPDATE audit_head SET entries = 4, hash = "
      "(SELECT hash FROM audit_entry WHERE sequence = 4)");

  auto report = world_.verify();

  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.bad_sequence, 5u);
}

TEST_F(AuditTrail, FindsARewrittenChainThroughTheFile) {
  // Somebody who knows the format: entry 5 and everything after it with new, matching hashes.
  auto entries = list();
  std::ranges::reverse(entries);
  AuditHead head{4, entries[3].hash};
  for (std::size_t i = 4; i < entries.size(); ++i) {
    entries[i].event.actor = "user:eve";
    auto forged = next_entry(head, entries[i].time, entries[i].event);
    world_.tamper(
        fmt::format("UPDATE audit_entry SET actor = 'user:eve', previous_hash = '{}', "
                    "hash = '{}' WHERE sequence = {}",
                    forged.previous_hash, forged.hash, forged.sequence));
    head = {forged.sequence, forged.hash};
  }
  world_.tamper(fmt::format("UPDATE audit_head SET hash = '{}'", head.hash));

  auto report = world_.verify();

  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.bad_sequence, 6u);
  EXPECT_THAT(report.reason, HasSubstr("the chain was rewritten"));
}

TEST_F(AuditTrail, RemembersACutTailAfterARestartAndLaterChanges) {
  world_.tamper("DELETE FROM audit_entry WHERE sequence > 4");
  world_.tamper(
      "UPDATE audit_head SET entries = 4, hash = "
      "(SELECT hash FROM audit_entry WHERE sequence = 4)");

  ASSERT_TRUE(world_.open());
  for (const char* name : {"d", "e", "f"}) ASSERT_TRUE(world_.apply(stream_yaml(name)));
  ASSERT_TRUE(world_.open());

  auto report = world_.verify();
  EXPECT_FALSE(report.intact);
  EXPECT_EQ(report.bad_sequence, 6u);
}

TEST_F(AuditTrail, RefusesToContinueAChainWhoseHeadWasChangedBehindItsBack) {
  world_.tamper(
      "UPDATE audit_head SET entries = 4, hash = "
      "(SELECT hash FROM audit_entry WHERE sequence = 4)");

  auto applied = world_.apply(stream_yaml("d"));

  EXPECT_FALSE(applied);
  EXPECT_FALSE(world_.verify().intact);
}

TEST_F(AuditTrail, WritesAnEntryAndItsEffectTogetherOrNeither) {
  Unit good;
  good.add("CREATE TABLE effect (id INTEGER PRIMARY KEY) STRICT");
  std::vector<AuditEvent> events{event("one")};
  ASSERT_TRUE(run_until_done(world_.audit->commit(good, events)));
  Unit bad;
  bad.add("INSERT INTO effect VALUES (1)");
  bad.add_guarded(1, "not as expected", "UPDATE effect SET id = 3 WHERE id = 2");

  auto failed = run_until_done(world_.audit->commit(bad, events));

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "not as expected");
  EXPECT_EQ(world_.rows("SELECT * FROM effect").size(), 0u);
  EXPECT_EQ(run_until_done(world_.audit->head()).value().count, 7u);
}

Task<void> commit_into(AuditLog& audit, std::string object, int& done) {
  std::vector<AuditEvent> events{event(std::move(object))};
  auto committed = co_await audit.commit(Unit(), std::move(events));
  EXPECT_TRUE(committed) << committed.error().message;
  ++done;
}

Task<void> commit_from_both(AuditLog& ours, AuditLog& theirs, int& done) {
  auto executor = co_await boost::asio::this_coro::executor;
  TaskGroup group(executor, "writers", 100);
  for (int i = 0; i < 20; ++i) {
    group.spawn(commit_into(ours, fmt::format("ours {}", i), done));
    group.spawn(commit_into(theirs, fmt::format("theirs {}", i), done));
  }
  co_await group.join();
}

TEST_F(AuditTrail, StaysOneChainWhenManyWriteAndTwoNodesDo) {
  AuditLog other_node(*world_.sqlite, world_.clock);
  int done = 0;

  run_until_done(commit_from_both(*world_.audit, other_node, done));

  EXPECT_EQ(done, 40);
  auto report = world_.verify();
  EXPECT_TRUE(report.intact) << report.reason;
  EXPECT_EQ(report.head.count, 46u);
}

TEST_F(AuditTrail, IsVerifiedAcrossItsPages) {
  std::vector<AuditEvent> events;
  for (int i = 0; i < 1200; ++i) events.push_back(event(fmt::format("object {}", i)));
  ASSERT_TRUE(run_until_done(world_.audit->commit(Unit(), events)));
  ASSERT_TRUE(world_.verify().intact);

  world_.tamper("UPDATE audit_entry SET actor = 'user:eve' WHERE sequence = 1111");

  EXPECT_EQ(world_.verify().bad_sequence, 1111u);
}

}  // namespace
}  // namespace weft::estate
