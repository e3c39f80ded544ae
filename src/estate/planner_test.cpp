#include "estate/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estate/core/reference_index.h"
#include "estate/tiny_kinds.h"

namespace weft::estate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Planned plan_on(const EstateView& current, const ChangeSet& changes) {
  return plan_changes(tiny_kinds(), {}, current, changes);
}

// The estate after some documents were applied to an empty one by a manager.
EstateView estate_of(const std::string& yaml, std::string manager = "api") {
  auto changes = change_set(yaml);
  changes.manager = std::move(manager);
  auto planned = plan_on(EstateView(), changes);
  ENSURE(!planned.plan.is_refused(), to_text(planned.plan).c_str());
  return planned.desired;
}

std::vector<std::string> actions(const Plan& plan) {
  std::vector<std::string> found;
  for (const auto& change : plan.changes) {
    found.push_back(fmt::format("{} {}", name(change.action), change.id.text()));
  }
  return found;
}

std::vector<std::string> errors(const Planned& planned) {
  std::vector<std::string> found;
  for (const auto& error : planned.plan.findings.errors) found.push_back(error.text());
  return found;
}

ChangeSet removing(std::initializer_list<ResourceId> ids) {
  ChangeSet changes;
  changes.deletions = ids;
  return changes;
}

TEST(Planner, TellsCreatedUpdatedAndUnchangedApart) {
  auto current = estate_of(stream_yaml("a") + stream_yaml("b"));

  auto planned = plan_on(
      current, change_set(stream_yaml("a") + stream_yaml("c") + stream_yaml("b", 1, "owner: crm")));

  EXPECT_THAT(actions(planned.plan),
              ElementsAre("unchanged Stream a", "update Stream b", "create Stream c"));
  EXPECT_THAT(errors(planned), IsEmpty());
  EXPECT_EQ(planned.desired.size(), 3u);
  EXPECT_EQ(planned.desired.find("default", "Stream", "b")->owner(), "crm");
  EXPECT_EQ(current.find("default", "Stream", "b")->owner(), "shop");
}

TEST(Planner, ShowsEachFieldThatChanges) {
  auto current = estate_of(stream_yaml("a", 1, "owner: shop\n  labels: {tier: gold}"));

  auto planned =
      plan_on(current, change_set(stream_yaml("a", 1, "owner: crm\n  labels: {area: eu}")));

  const auto& fields = planned.plan.changes.at(0).fields;
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].pointer, "/metadata/labels/tier");
  EXPECT_EQ(fields[0].before, "\"gold\"");
  EXPECT_EQ(fields[0].after, std::nullopt);
  EXPECT_EQ(fields[1].pointer, "/metadata/labels/area");
  EXPECT_EQ(fields[1].before, std::nullopt);
  EXPECT_EQ(fields[2].pointer, "/metadata/owner");
  EXPECT_EQ(fields[2].after, "\"crm\"");
}

TEST(Planner, TakesAnotherWayOfWritingANumberAsNoChange) {
  auto current = estate_of(stream_yaml("a", 3));
  auto same = stream_yaml("a", 3);
  same.replace(same.find(": 3"), 3, ": 3.0");

  EXPECT_THAT(actions(plan_on(current, change_set(same)).plan), ElementsAre("unchanged Stream a"));
}

TEST(Planner, HidesSecretsThatAreWrittenOutButNotReferences) {
  auto current = estate_of(stream_yaml("s") + hook_yaml("h", "s", "hunter1"));

  auto planned = plan_on(current, change_set(hook_yaml("h", "s", "hunter2")));
  auto to_reference = plan_on(current, change_set(hook_yaml("h", "s", "${env:KEY}")));

  EXPECT_EQ(planned.plan.changes.at(0).fields.at(0).after, "\"[redacted]\"");
  EXPECT_THAT(to_text(planned.plan), testing::Not(HasSubstr("hunter")));
  EXPECT_EQ(to_reference.plan.changes.at(0).fields.at(0).after, "\"${env:KEY}\"");
}

TEST(Planner, RefusesWhatTheSchemaRefusesAtItsPlace) {
  auto yaml = stream_yaml("a") + stream_yaml("b");
  yaml.replace(yaml.rfind("partitions: 1"), 13, "partitons: 1");

  auto planned = plan_on(EstateView(), change_set(yaml));

  EXPECT_THAT(errors(planned),
              ElementsAre("test.yaml:16:14: unknown field \"partitons\" (at /spec/partitons)"));
}

TEST(Planner, RefusesADanglingReferenceAndSuggestsAName) {
  auto planned = plan_on(EstateView(), change_set(stream_yaml("orders.created.v1") +
                                                  hook_yaml("h", "orders.create.v1")));

  EXPECT_THAT(errors(planned),
              ElementsAre("test.yaml:15:11: Stream orders.create.v1 does not exist; did you mean "
                          "\"orders.created.v1\"? (at /spec/stream)"));
}

TEST(Planner, LooksForReferencesInTheirOwnTenantOnly) {
  auto hook = hook_yaml("h", "s");
  hook.replace(hook.find("  name: h\n"), 10, "  name: h\n  tenant: acme\n");

  auto planned = plan_on(EstateView(), change_set(stream_yaml("s") + hook));

  ASSERT_THAT(errors(planned), testing::SizeIs(1));
  EXPECT_THAT(errors(planned)[0], HasSubstr("Stream s in tenant acme does not exist"));
}

TEST(Planner, RefusesToDeleteWhatIsStillNeeded) {
  auto current = estate_of(stream_yaml("s") + hook_yaml("h", "s"));

  auto planned = plan_on(current, removing({{"default", "Stream", "s"}}));
  auto both = plan_on(current, removing({{"default", "Stream", "s"}, {"default", "Hook", "h"}}));

  ASSERT_THAT(errors(planned), testing::SizeIs(1));
  EXPECT_THAT(errors(planned)[0], HasSubstr("Hook h needs Stream s, which this change deletes"));
  EXPECT_THAT(errors(both), IsEmpty());
  EXPECT_THAT(both.plan.findings.warnings, testing::SizeIs(1));  // the kind's own check_change
}

TEST(Planner, RefusesDeletionsThatMakeNoSense) {
  auto current = estate_of(stream_yaml("s"));
  auto changes = change_set(stream_yaml("s"));
  changes.deletions = {{"default", "Stream", "s"}, {"default", "Stream", "t"}};

  EXPECT_THAT(errors(plan_on(current, changes)),
              ElementsAre(HasSubstr("Stream s is given and deleted in one change"),
                          HasSubstr("Stream t does not exist")));
}

TEST(Planner, RefusesAnIrreversibleChangeAlsoWhenItsParentGoes) {
  auto current = estate_of(stream_yaml("a", 3));
  auto without_spec = stream_yaml("a", 3);
  without_spec.resize(without_spec.find("spec:"));

  auto changed = plan_on(current, change_set(stream_yaml("a", 4)));
  auto removed = plan_on(current, change_set(without_spec));

  EXPECT_THAT(errors(changed),
              ElementsAre("test.yaml:8:15: /spec/partitions of Stream a cannot be changed: records "
                          "would move (at /spec/partitions)"));
  ASSERT_THAT(errors(removed), testing::SizeIs(1));
  EXPECT_THAT(errors(removed)[0], HasSubstr("/spec/partitions of Stream a cannot be changed"));
}

TEST(Planner, ChecksAlsoWhatRefersToTheChange) {
  Kind stream = tiny_kind_list()[0];
  stream.irreversible.clear();
  auto kinds = *KindSet::create({stream, tiny_kind_list()[1]}, tiny_schemas());
  auto current = estate_of(stream_yaml("s", 4) + hook_yaml("h", "s"));

  auto planned = plan_changes(kinds, {}, current, change_set(stream_yaml("s", 16)));

  EXPECT_THAT(errors(planned), ElementsAre("test.yaml:15:11: a hook reads at most 8 partitions (at "
                                           "/spec/stream)"));
}

TEST(Planner, FollowsAChainOfReferencesThatEndsInItself) {
  std::string yaml;
  for (const char* link : {"a", "b", "c"}) {
    yaml += fmt::format(
        "---\napiVersion: weft/v1\nkind: Chain\nmetadata: {{name: {}}}\nspec: {{next: {}}}\n", link,
        std::string_view(link) == "c" ? 'a' : static_cast<char>(link[0] + 1));
  }

  EXPECT_THAT(errors(plan_on(EstateView(), change_set(yaml))), IsEmpty());
}

TEST(Planner, PrunesOnlyWhatTheSameManagerApplied) {
  auto by_folder = estate_of(stream_yaml("a") + stream_yaml("b"), "folder");
  auto by_kafka = change_set(stream_yaml("k"));
  by_kafka.manager = "kafka";
  auto current = plan_on(by_folder, by_kafka).desired;
  auto changes = change_set(stream_yaml("a"), Prune::Remove);
  changes.manager = "folder";

  auto planned = plan_on(current, changes);

  EXPECT_THAT(actions(planned.plan), ElementsAre("unchanged Stream a", "delete Stream b"));
  EXPECT_NE(planned.desired.find("default", "Stream", "k"), nullptr);
}

TEST(Planner, TakesAResourceOverFromAnotherManagerWithAWarning) {
  auto current = estate_of(stream_yaml("a"), "kafka");
  auto changes = change_set(stream_yaml("a"));
  changes.manager = "folder";

  auto planned = plan_on(current, changes);

  EXPECT_THAT(actions(planned.plan), ElementsAre("update Stream a"));
  ASSERT_THAT(planned.plan.findings.warnings, testing::SizeIs(1));
  EXPECT_THAT(planned.plan.findings.warnings[0].text(), HasSubstr("was managed by \"kafka\""));
  EXPECT_EQ(planned.desired.find_entry({"default", "Stream", "a"})->managed_by, "folder");
}

TEST(Planner, RefusesToPruneEverythingUnlessAsked) {
  auto current = estate_of(stream_yaml("a"));
  ChangeSet nothing;
  nothing.prune = Prune::Remove;
  auto meant = nothing;
  meant.allow_empty = true;

  EXPECT_TRUE(plan_on(current, nothing).plan.is_refused());
  EXPECT_THAT(actions(plan_on(current, meant).plan), ElementsAre("delete Stream a"));
}

TEST(Planner, WritesAPlanForPeopleAndForPrograms) {
  auto current = estate_of(stream_yaml("a") + stream_yaml("b") + stream_yaml("c"));
  auto changes =
      change_set(stream_yaml("a", 1, "owner: crm") + stream_yaml("c") + stream_yaml("n"));
  changes.deletions = {{"default", "Stream", "b"}};

  auto planned = plan_on(current, changes);
  JsonWriter out;
  write_json(out, planned.plan);

  EXPECT_EQ(to_text(planned.plan),
            "~ Stream a\n"
            "    /metadata/owner: \"shop\" -> \"crm\"\n"
            "- Stream b\n"
            "+ Stream n\n"
            "warning: test.yaml:10:1: its records are lost\n"
            "1 to create, 1 to update, 1 to delete, 1 unchanged\n");
  auto json = JsonDocument::parse(out.text());
  ASSERT_TRUE(json) << out.text();
  EXPECT_EQ(json->root().at_pointer("/changes/0/fields/0/after")->as_string(), "crm");
  EXPECT_EQ(json->root().find("changes")->size(), 3u);
}

// The tiny kinds, which count how often they are asked.
struct CountedKinds {
  int checks = 0;
  int references = 0;
  KindSet kinds = make();

  KindSet make() {
    auto list = tiny_kind_list();
    for (auto& kind : list) {
      kind.check = [this, inner = kind.check](const Resource& resource, const EstateView& desired,
                                              Findings& findings) {
        ++checks;
        if (inner) inner(resource, desired, findings);
      };
      if (!kind.references) continue;
      kind.references = [this, inner = kind.references](const Json& spec) {
        ++references;
        return inner(spec);
      };
    }
    return *KindSet::create(std::move(list), tiny_schemas());
  }
};

TEST(Planner, LooksOnlyAtWhatChangesAndAtWhatDependsOnIt) {
  CountedKinds counted;
  std::string yaml;
  for (int i = 0; i < 500; ++i) {
    auto name = fmt::format("s{}", i);
    yaml += stream_yaml(name) + hook_yaml(fmt::format("h{}", i), name);
  }
  auto first = plan_changes(counted.kinds, {}, EstateView(), change_set(yaml));
  ASSERT_FALSE(first.plan.is_refused());
  ReferenceIndex references(counted.kinds, first.desired);
  counted.checks = counted.references = 0;

  auto changed = plan_changes(counted.kinds, {}, first.desired, references,
                              change_set(stream_yaml("s7", 1, "owner: other")));
  EXPECT_FALSE(changed.plan.is_refused());
  EXPECT_EQ(counted.checks, 2);  // the stream and its hook
  EXPECT_EQ(counted.references, 0);

  ChangeSet deletion;
  deletion.deletions = {{"default", "Stream", "s7"}};
  auto refused = plan_changes(counted.kinds, {}, first.desired, references, deletion);
  ASSERT_THAT(refused.plan.findings.errors, testing::SizeIs(1));
  EXPECT_THAT(refused.plan.findings.errors[0].message, HasSubstr("Hook h7 needs Stream s7"));
  EXPECT_EQ(counted.references, 1);
}

TEST(Planner, FollowsTheReferencesOfOneGenerationAfterAnother) {
  ReferenceIndex followed;
  EstateView view;
  for (const auto& yaml :
       {stream_yaml("a") + stream_yaml("b") + hook_yaml("h", "a") + hook_yaml("i", "a"),
        hook_yaml("h", "b"), hook_yaml("j", "b") + stream_yaml("c")}) {
    auto planned = plan_changes(tiny_kinds(), {}, view, followed, change_set(yaml));
    ASSERT_FALSE(planned.plan.is_refused());
    followed.follow(tiny_kinds(), planned.plan.changes);
    view = std::move(planned.desired);
  }
  ChangeSet deletion;
  deletion.deletions = {{"default", "Hook", "i"}};
  auto planned = plan_changes(tiny_kinds(), {}, view, followed, deletion);
  followed.follow(tiny_kinds(), planned.plan.changes);
  ReferenceIndex fresh(tiny_kinds(), planned.desired);

  for (const char* name : {"a", "b", "c"}) {
    ResourceId stream{"default", "Stream", name};
    EXPECT_EQ(followed.referrers(stream), fresh.referrers(stream)) << name;
  }
  EXPECT_EQ(followed.referrers({"default", "Stream", "b"}).size(), 2u);
  EXPECT_TRUE(followed.referrers({"default", "Stream", "a"}).empty());
}

}  // namespace
}  // namespace weft::estate
