#include "estate/estate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "estate/estate_fixture.h"
#include "runtime/task_group.h"

namespace weft::estate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(const auto& result) {
  return result ? "none" : result.error().message;
}

TEST(Estate, StartsEmptyAndPublishesThat) {
  EstateWorld world;

  EXPECT_EQ(world.estate->current()->generation(), 0u);
  EXPECT_THAT(world.first.published, ElementsAre(0));
}

TEST(Estate, MakesEachChangeANumberedGeneration) {
  EstateWorld world;

  auto one = world.apply(stream_yaml("a"));
  auto two = world.apply(stream_yaml("b"));

  ASSERT_TRUE(one && two) << error_of(one) << error_of(two);
  EXPECT_EQ(one->generation, 1u);
  EXPECT_EQ(two->generation, 2u);
  EXPECT_EQ(world.estate->current()->generation(), 2u);
  EXPECT_THAT(world.second.published, ElementsAre(0, 1, 2));
  EXPECT_THAT(world.second.last_streams, ElementsAre("a", "b"));
  auto list = run_until_done(world.estate->generations(0, 10));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].number, 2u);
  EXPECT_EQ((*list)[0].actor, "user:ann");
  EXPECT_EQ((*list)[0].created, 1u);
}

TEST(Estate, MakesNoGenerationWhenNothingChanges) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  auto before = world.fingerprint();

  auto again = world.apply(stream_yaml("a"));

  ASSERT_TRUE(again);
  EXPECT_EQ(again->generation, 1u);
  EXPECT_EQ(world.fingerprint(), before);
}

TEST(Estate, PlansWithoutAnyEffect) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  auto before = world.fingerprint();

  auto plan = world.plan(change_set(stream_yaml("b")));

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->count(ChangeAction::Create), 1u);
  EXPECT_EQ(plan->generation, 1u);
  EXPECT_EQ(world.fingerprint(), before);
}

TEST(Estate, ShowsInThePlanWhatACompilerWillRefuse) {
  EstateWorld world;
  world.second.fails_with = "Stream b: no disk for it";

  auto plan = world.plan(change_set(stream_yaml("b")));

  ASSERT_TRUE(plan);
  ASSERT_TRUE(plan->is_refused());
  EXPECT_EQ(plan->findings.errors[0].message, "second: Stream b: no disk for it");
}

TEST(Estate, RefusesAnotherGenerationThanExpected) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a"), 0));
  auto before = world.fingerprint();

  auto late = world.apply(stream_yaml("b"), 0);

  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::Conflict);
  EXPECT_EQ(world.fingerprint(), before);
}

TEST(Estate, RefusesWithAllErrorsAtOnce) {
  EstateWorld world;

  auto refused = world.apply(hook_yaml("a", "x") + hook_yaml("b", "y"));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("Stream x does not exist"));
  EXPECT_THAT(refused.error().message, HasSubstr("Stream y does not exist"));
}

// A way in which an apply can fail; set up on a world that holds generation 1.
struct FailedStep {
  std::string name;
  std::function<void(EstateWorld&)> break_it;
  std::function<void(EstateWorld&)> mend_it;
  ChangeSet changes = change_set(stream_yaml("b") + stream_yaml("a", 1, "owner: crm"));
};

std::vector<FailedStep> failed_steps() {
  auto nothing = [](EstateWorld&) {};
  return {
      {"schema", nothing, nothing,
       change_set("apiVersion: weft/v1\nkind: Chain\n"
                  "metadata: {name: c}\nspec: {nxt: c}\n")},
      {"reference", nothing, nothing, change_set(hook_yaml("h", "nowhere"))},
      {"irreversible", nothing, nothing, change_set(stream_yaml("a", 5))},
      {"kind check", nothing, nothing, change_set(stream_yaml("doomed"))},
      {"estate check", [](EstateWorld& world) { world.check.refuses = "b"; },
       [](EstateWorld& world) { world.check.refuses.clear(); }},
      {"first compiler", [](EstateWorld& world) { world.first.fails_with = "no"; },
       [](EstateWorld& world) { world.first.fails_with.clear(); }},
      {"last compiler", [](EstateWorld& world) { world.second.fails_with = "no"; },
       [](EstateWorld& world) { world.second.fails_with.clear(); }},
      {"database before the unit", [](EstateWorld& world) { world.database->fails_units = true; },
       [](EstateWorld& world) { world.database->fails_units = false; }},
      {"database at the end of the unit",
       [](EstateWorld& world) { world.database->breaks_unit_ends = true; },
       [](EstateWorld& world) { world.database->breaks_unit_ends = false; }},
      {"database away", [](EstateWorld& world) { world.database->is_away = true; },
       [](EstateWorld& world) { world.database->is_away = false; }},
      {"resource row changed by somebody else",
       [](EstateWorld& world) { world.tamper("UPDATE estate_resource SET generation = 7"); },
       [](EstateWorld& world) { world.tamper("UPDATE estate_resource SET generation = 1"); }},
  };
}

TEST(Estate, ChangesNothingWhicheverStepOfAnApplyFails) {
  for (auto& step : failed_steps()) {
    SCOPED_TRACE(step.name);
    EstateWorld world;
    ASSERT_TRUE(world.apply(stream_yaml("a")));
    auto before = world.fingerprint();

    step.break_it(world);
    auto failed = world.apply(step.changes);
    step.mend_it(world);

    EXPECT_FALSE(failed);
    EXPECT_EQ(world.fingerprint(), before);
    EXPECT_TRUE(world.verify().intact);
    auto next = world.apply(stream_yaml("later"));
    ASSERT_TRUE(next) << error_of(next);
    EXPECT_EQ(next->generation, 2u);
  }
}

TEST(Estate, StandsByACommittedChangeWhenOnlyTheFileFails) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  world.files.fails_renames = true;

  auto applied = world.apply(stream_yaml("b"));

  ASSERT_TRUE(applied) << error_of(applied);
  ASSERT_THAT(applied->plan.findings.warnings, testing::SizeIs(1));
  EXPECT_THAT(applied->plan.findings.warnings[0].text(), HasSubstr("generation.json: not written"));
  EXPECT_THAT(world.generation_json(), HasSubstr("\"generation\":1,"));
  world.files.fails_renames = false;
  EXPECT_EQ(world.open().value(), StartedFrom::Database);
  EXPECT_THAT(world.generation_json(), HasSubstr("\"generation\":2,"));
  EXPECT_EQ(world.estate->current()->generation(), 2u);
}

TEST(Estate, IsTheSameAfterARestart) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a") + hook_yaml("h", "a")));
  ASSERT_TRUE(world.apply(stream_yaml("b", 3)));
  auto hash = world.estate->current()->find("default", "Stream", "b")->hash();

  ASSERT_EQ(world.open().value(), StartedFrom::Database);

  auto view = world.estate->current();
  EXPECT_EQ(view->generation(), 2u);
  EXPECT_EQ(view->size(), 3u);
  EXPECT_EQ(view->find("default", "Stream", "b")->hash(), hash);
  EXPECT_EQ(view->find_entry({"default", "Hook", "h"})->generation, 1u);
  EXPECT_EQ(world.first.published.back(), 2u);
  EXPECT_TRUE(world.apply(stream_yaml("c")));
}

TEST(Estate, StartsFromItsFileWhenTheDatabaseIsAway) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a") + hook_yaml("h", "a")));
  auto hash = world.estate->current()->find("default", "Hook", "h")->hash();

  auto started = world.open(true);

  ASSERT_TRUE(started) << error_of(started);
  EXPECT_EQ(*started, StartedFrom::File);
  EXPECT_EQ(world.estate->current()->generation(), 1u);
  EXPECT_EQ(world.estate->current()->find("default", "Hook", "h")->hash(), hash);
  EXPECT_THAT(world.first.last_streams, ElementsAre("a"));
  auto refused = world.apply(stream_yaml("b"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
}

TEST(Estate, DoesNotStartFromADamagedFile) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  auto text = world.generation_json();
  text.replace(text.find("\"shop\""), 6, "\"crm!\"");
  std::ofstream(world.file("generation.json")) << text;

  EXPECT_FALSE(world.open(true));
  EXPECT_EQ(world.open().value(), StartedFrom::Database);
  EXPECT_THAT(world.generation_json(), HasSubstr("\"shop\""));
}

TEST(Estate, KeepsItsFileFromOtherUsers) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));

  struct stat about {};
  ASSERT_EQ(::stat(world.file("generation.json").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST(Estate, RollsBackCreatedUpdatedAndDeletedResources) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a") + stream_yaml("b")));
  auto hash = world.estate->current()->find("default", "Stream", "b")->hash();
  auto changes = change_set(stream_yaml("a", 1, "owner: crm") + stream_yaml("c"));
  changes.deletions = {{"default", "Stream", "b"}};
  changes.manager = "folder";
  ASSERT_TRUE(world.apply(changes));
  ASSERT_TRUE(world.apply(stream_yaml("a", 1, "owner: third")));

  auto plan = run_until_done(world.estate->plan_rollback(1));
  auto back = world.rollback(1);

  ASSERT_TRUE(plan && back) << error_of(back);
  EXPECT_EQ(plan->count(ChangeAction::Create), 1u);
  EXPECT_EQ(back->generation, 4u);
  auto view = world.estate->current();
  EXPECT_EQ(view->find("default", "Stream", "a")->owner(), "shop");
  EXPECT_EQ(view->find("default", "Stream", "b")->hash(), hash);
  EXPECT_EQ(view->find("default", "Stream", "c"), nullptr);
  EXPECT_EQ(view->find_entry({"default", "Stream", "a"})->managed_by, "api");
  auto list = run_until_done(world.estate->generations(0, 1));
  EXPECT_EQ(list->at(0).rollback_to, 1u);
  EXPECT_EQ(list->at(0).note, "rollback to generation 1");
}

TEST(Estate, ListsTheGenerationsOfATenantWithCountsOfItsOwn) {
  EstateWorld world;
  const std::string_view of_acme = "owner: shop\n  tenant: acme";
  ASSERT_TRUE(world.apply(stream_yaml("a") + stream_yaml("x", 1, of_acme)));
  ASSERT_TRUE(world.apply(stream_yaml("a", 1, "owner: crm")));
  auto changes = change_set(stream_yaml("y", 1, of_acme) + stream_yaml("b"));
  changes.deletions = {{"acme", "Stream", "x"}};
  ASSERT_TRUE(world.apply(changes));

  auto list = run_until_done(world.estate->generations(0, 10, "acme"));
  auto older = run_until_done(world.estate->generations(3, 10, "acme"));

  ASSERT_TRUE(list && older);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->at(0).number, 3u);
  EXPECT_EQ(list->at(0).created, 1u);
  EXPECT_EQ(list->at(0).updated, 0u);
  EXPECT_EQ(list->at(0).deleted, 1u);
  EXPECT_EQ(list->at(1).number, 1u);
  EXPECT_EQ(list->at(1).created, 1u);
  ASSERT_EQ(older->size(), 1u);
  EXPECT_EQ(older->at(0).number, 1u);
}

TEST(Estate, RollsBackThroughTheSameChecks) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  ASSERT_TRUE(world.apply(hook_yaml("h", "a")));
  auto before = world.fingerprint();

  auto refused = world.rollback(0);  // fine: both go
  ASSERT_TRUE(refused) << error_of(refused);
  EXPECT_EQ(world.estate->current()->size(), 0u);
  EXPECT_NE(world.fingerprint(), before);

  ASSERT_TRUE(world.rollback(2));
  world.check.refuses = "h";
  auto frozen = world.rollback(1);
  ASSERT_FALSE(frozen);
  EXPECT_THAT(frozen.error().message, HasSubstr("frozen until Monday"));
}

TEST(Estate, RollsBackOneTenantAlone) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  ASSERT_TRUE(world.apply(stream_yaml("b") + stream_yaml("x", 1, "owner: o\n  tenant: acme")));

  ASSERT_TRUE(world.rollback(1, "acme"));

  EXPECT_NE(world.estate->current()->find("default", "Stream", "b"), nullptr);
  EXPECT_EQ(world.estate->current()->find("acme", "Stream", "x"), nullptr);
}

TEST(Estate, KnowsNoGenerationOfTheFuture) {
  EstateWorld world;

  auto back = world.rollback(9);

  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::NotFound);
}

Task<void> apply_into(Estate& estate, ChangeSet changes, std::optional<std::uint64_t> expected,
                      Result<Applied>& out) {
  out = co_await estate.apply("user:ann", std::move(changes), expected);
}

TEST(Estate, LetsOneOfManyWritersWinAGenerationAndAllOthersSucceedInTurn) {
  EstateWorld world;
  IoContext loop;
  TaskGroup group(loop.get_executor(), "writers", 20);
  std::vector<Result<Applied>> rivals(10, fail(ErrorCode::Internal, "not run"));
  std::vector<Result<Applied>> others = rivals;
  for (std::size_t i = 0; i < rivals.size(); ++i) {
    group.spawn(
        apply_into(*world.estate, change_set(stream_yaml(fmt::format("r{}", i))), 0, rivals[i]));
    group.spawn(
        apply_into(*world.estate, change_set(stream_yaml(fmt::format("o{}", i))), {}, others[i]));
  }

  run_until_done(loop, group.join());

  EXPECT_EQ(std::ranges::count_if(rivals, [](auto& one) { return one.has_value(); }), 1);
  for (const auto& other : others) EXPECT_TRUE(other) << error_of(other);
  EXPECT_EQ(world.estate->current()->generation(), 11u);
  EXPECT_TRUE(world.verify().intact);
}

TEST(Estate, TakesOverWhatAnotherNodeHasCommittedAfterAConflict) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  RecordingCompiler compiler("other");
  TemporaryFolder other_folder;
  AuditLog other_audit(*world.sqlite, world.clock);
  Estate other(EstateParts{*world.sqlite,
                           other_audit,
                           world.files,
                           world.clock,
                           other_folder.file("generation.json"),
                           tiny_kinds(),
                           {&compiler},
                           {}});
  ASSERT_TRUE(run_until_done(other.start()));
  auto theirs_changes = change_set(stream_yaml("theirs"));
  ASSERT_TRUE(run_until_done(other.apply("user:other", theirs_changes)));

  auto conflict = world.apply(stream_yaml("ours"));
  auto again = world.apply(stream_yaml("ours"));

  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, ErrorCode::Conflict);
  ASSERT_TRUE(again) << error_of(again);
  EXPECT_EQ(again->generation, 3u);
  EXPECT_THAT(world.first.last_streams, ElementsAre("a", "ours", "theirs"));
  EXPECT_TRUE(world.verify().intact);
}

TEST(Estate, FollowsWhatAnotherNodeHasCommittedAndKeepsItOnDisk) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  RecordingCompiler compiler("other");
  TemporaryFolder other_folder;
  FailingDatabase database(*world.sqlite);
  AuditLog other_audit(database, world.clock);
  auto other_parts = [&] {
    return EstateParts{
        database,     other_audit, world.files, world.clock, other_folder.file("generation.json"),
        tiny_kinds(), {&compiler}, {}};
  };
  Estate other(other_parts());
  ASSERT_TRUE(run_until_done(other.start()));
  ASSERT_TRUE(world.apply(stream_yaml("b")));

  auto followed = run_until_done(other.follow());
  auto again = run_until_done(other.follow());

  ASSERT_TRUE(followed) << error_of(followed);
  EXPECT_TRUE(*followed);
  EXPECT_FALSE(*again);
  EXPECT_THAT(compiler.last_streams, ElementsAre("a", "b"));
  database.is_away = true;
  Estate restarted(other_parts());
  auto started = run_until_done(restarted.start());
  ASSERT_TRUE(started) << error_of(started);
  EXPECT_EQ(*started, StartedFrom::File);
  EXPECT_EQ(restarted.current()->generation(), 2u);
}

TEST(Estate, DoesNotFollowADatabaseThatHasFallenBehind) {
  EstateWorld world;
  ASSERT_TRUE(world.apply(stream_yaml("a")));
  ASSERT_TRUE(world.apply(stream_yaml("b")));
  Unit older;
  older.add("UPDATE estate_head SET generation = 1");
  ASSERT_TRUE(run_until_done(world.sqlite->execute(std::move(older))));

  auto followed = run_until_done(world.estate->follow());

  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().code, ErrorCode::FailedPrecondition);
  EXPECT_EQ(world.estate->current()->generation(), 2u);
}

// A database that lost generation 2 with its audit entries, as a promoted standby may, and then
// gave the number to a change of another node.
class LostGeneration {
 public:
  LostGeneration() {
    EXPECT_TRUE(world.apply(stream_yaml("a")));
    auto before = run_until_done(world.audit->head());
    EXPECT_TRUE(world.apply(stream_yaml("lost")));
    Unit loss;
    loss.add("DELETE FROM audit_entry WHERE sequence > $1",
             {static_cast<std::int64_t>(before->count)});
    loss.add("UPDATE audit_head SET entries = $1, hash = $2",
             {static_cast<std::int64_t>(before->count), before->hash});
    loss.add("DELETE FROM estate_generation WHERE number = 2");
    loss.add("DELETE FROM estate_change WHERE generation = 2");
    loss.add("DELETE FROM estate_resource WHERE generation = 2");
    loss.add("UPDATE estate_head SET generation = 1");
    EXPECT_TRUE(run_until_done(world.sqlite->execute(std::move(loss))));
    EstateParts parts{
        *world.sqlite, other_audit, world.files, world.clock, folder.file("generation.json"),
        tiny_kinds(),  {},          {}};
    Estate other(std::move(parts));
    EXPECT_TRUE(run_until_done(other.start()));
    auto applied =
        run_until_done(other.apply("user:other", change_set(stream_yaml("theirs")), std::nullopt));
    EXPECT_TRUE(applied) << error_of(applied);
    EXPECT_EQ(applied->generation, world.estate->current()->generation());
  }

  EstateWorld world;

 private:
  TemporaryFolder folder;
  AuditLog other_audit{*world.sqlite, world.clock};
};

TEST(Estate, FollowsAnotherEstateUnderTheNumberOfALostGeneration) {
  LostGeneration lost;

  auto followed = run_until_done(lost.world.estate->follow());
  auto again = run_until_done(lost.world.estate->follow());

  ASSERT_TRUE(followed) << error_of(followed);
  EXPECT_TRUE(*followed);
  EXPECT_FALSE(*again);
  EXPECT_THAT(lost.world.first.last_streams, ElementsAre("a", "theirs"));
  EXPECT_FALSE(lost.world.verify().intact);
}

TEST(Estate, AppliesNothingOnTopOfALostGeneration) {
  LostGeneration lost;

  auto refused = lost.world.apply(stream_yaml("ours"));
  auto applied = lost.world.apply(stream_yaml("ours"));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
  ASSERT_TRUE(applied) << error_of(applied);
  EXPECT_EQ(applied->generation, 3u);
  EXPECT_THAT(lost.world.first.last_streams, ElementsAre("a", "ours", "theirs"));
}

TEST(Estate, StoresNoSecretThatADocumentOnlyRefersTo) {
  EstateWorld world;
  ::setenv("HOOK_SECRET", "hunter2", 1);
  auto loaded = Loader(tiny_kinds(), process_environment())
                    .load_text("e.yaml", stream_yaml("a") + hook_yaml("h", "a"));
  ChangeSet changes;
  changes.resources = loaded.resources;

  ASSERT_TRUE(world.apply(changes));

  EXPECT_THAT(world.fingerprint(), testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(world.fingerprint(), HasSubstr("${env:HOOK_SECRET}"));
}

TEST(Estate, CompilesAndPublishesOnlyWhereAKindThatIsReadHasChanged) {
  EstateWorld world;
  world.second.reads = {"Hook"};
  ASSERT_TRUE(world.apply(stream_yaml("a") + hook_yaml("h", "a")));
  const auto first = world.first.compiled;
  const auto second = world.second.compiled;

  ASSERT_TRUE(world.apply(stream_yaml("b")));

  EXPECT_EQ(world.first.compiled, first + 1);
  EXPECT_EQ(world.second.compiled, second);
  EXPECT_EQ(world.first.published.back(), 2u);
  EXPECT_EQ(world.second.published.back(), 1u);
  ASSERT_TRUE(world.apply(hook_yaml("h", "b")));
  EXPECT_EQ(world.second.published.back(), 3u);
}

TEST(Estate, ExplainsARefusalWithItsPlaceAndChangesNothing) {
  EstateWorld world;
  auto before = world.fingerprint();

  auto applied = run_until_done(
      world.estate->apply_or_explain("user:ann", change_set(hook_yaml("h", "nowhere"))));

  ASSERT_TRUE(applied);
  EXPECT_TRUE(applied->plan.is_refused());
  EXPECT_EQ(applied->generation, 0u);
  EXPECT_THAT(applied->plan.findings.errors[0].text(),
              HasSubstr("test.yaml:7:11: Stream nowhere does not exist"));
  EXPECT_EQ(world.fingerprint(), before);
}

}  // namespace
}  // namespace weft::estate
