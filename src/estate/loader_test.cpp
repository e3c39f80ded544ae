#include "estate/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "estate/tiny_kinds.h"
#include "runtime/run_until_done.h"
#include "storage/temporary_folder.h"

namespace weft::estate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Environment environment(std::map<std::string, std::string> variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    auto found = variables.find(std::string(name));
    if (found == variables.end()) return {};
    return found->second;
  };
}

LoadedEstate load(std::string text, Environment variables = nullptr) {
  return Loader(tiny_kinds(), std::move(variables)).load_text("e.yaml", std::move(text));
}

std::vector<std::string> errors(const LoadedEstate& loaded) {
  std::vector<std::string> texts;
  for (const auto& error : loaded.findings.errors) texts.push_back(error.text());
  return texts;
}

std::vector<std::string> names(const LoadedEstate& loaded) {
  std::vector<std::string> found;
  for (const auto& resource : loaded.resources) found.push_back(resource->id().text());
  return found;
}

// A folder with files, loaded as an estate.
class EstateFolder {
 public:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_.file(name)).parent_path());
    std::ofstream(folder_.file(name)) << text;
  }
  LoadedEstate load(LoadLimits limits = {}) {
    auto loaded = try_load(limits);
    ENSURE(loaded.has_value(), "the folder is read");
    return *std::move(loaded);
  }
  Result<LoadedEstate> try_load(LoadLimits limits) {
    Loader loader(tiny_kinds(), environment({}));
    return run_until_done(loader.load_folder(files_, folder_.path(), limits));
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  TemporaryFolder folder_;
  PosixFileSystem files_;
};

TEST(Loader, ReadsEveryDocumentOfAText) {
  auto loaded =
      load("# streams\n" + stream_yaml("a") + hook_yaml("b", "a") + "---\n" + stream_yaml("c"));

  EXPECT_THAT(errors(loaded), IsEmpty());
  EXPECT_THAT(names(loaded), ElementsAre("Stream a", "Hook b", "Stream c"));
}

TEST(Loader, KnowsNameTenantOwnerLabelsAndSpec) {
  auto loaded = load(
      "apiVersion: weft/v1\nkind: Stream\nmetadata:\n  name: orders.order.created.v1\n"
      "  tenant: acme\n  owner: shop\n  labels: {tier: gold}\n  annotations: {note: \"1\"}\n"
      "spec: {partitions: 3}\n");

  ASSERT_THAT(errors(loaded), IsEmpty());
  const auto& resource = *loaded.resources.at(0);
  EXPECT_EQ(resource.id().text(), "Stream orders.order.created.v1 in tenant acme");
  EXPECT_EQ(resource.owner(), "shop");
  EXPECT_EQ(resource.labels().at("tier"), "gold");
  EXPECT_EQ(resource.annotations().at("note"), "1");
  EXPECT_EQ(resource.spec().find("partitions")->as_int64(), 3);
}

TEST(Loader, GivesEqualContentAnEqualHashInYamlAndJson) {
  auto yaml = load(
      "kind: Stream\nmetadata:\n  owner: shop\n  name: a\napiVersion: weft/v1\n"
      "spec: {retention: \"7d\", partitions: 19.90}\n");
  auto json = Loader(tiny_kinds())
                  .load_text("e.json",
                             R"({"apiVersion": "weft/v1", "kind": "Stream",
                                 "spec": {"partitions": 19.90, "retention": "7d"},
                                 "metadata": {"name": "a", "owner": "shop"}})");

  ASSERT_THAT(errors(yaml), IsEmpty());
  ASSERT_THAT(errors(json), IsEmpty());
  EXPECT_EQ(yaml.resources[0]->hash(), json.resources[0]->hash());
  EXPECT_EQ(yaml.resources[0]->text(),
            R"({"apiVersion":"weft/v1","kind":"Stream","metadata":{"name":"a","owner":"shop"},)"
            R"("spec":{"partitions":19.90,"retention":"7d"}})");
}

TEST(Loader, ReportsEverythingThatIsWrongAtOnceWithItsPlace) {
  auto loaded = load(
      "apiVersion: weft/v2\nkind: Stream\nmetadata:\n  name: -bad\n  team: x\n"
      "specs: {}\n---\nkind: Steam\nmetadata: {name: b}\napiVersion: weft/v1\n");

  EXPECT_THAT(
      errors(loaded),
      testing::UnorderedElementsAre(
          "e.yaml:1:13: apiVersion must be weft/v1 (at /apiVersion)",
          "e.yaml:6:1: unknown field \"specs\"; did you mean \"spec\"?; known fields: apiVersion, "
          "kind, metadata, spec (at /specs)",
          "e.yaml:5:3: unknown field \"team\"; known fields: name, tenant, owner, labels, "
          "annotations (at /metadata/team)",
          AllOf(HasSubstr("e.yaml:4:9: metadata.name must be"), HasSubstr("(at /metadata/name)")),
          AllOf(HasSubstr("metadata.owner is missing: every Stream has an owner")),
          "e.yaml:8:7: unknown kind \"Steam\"; did you mean \"Stream\"?; known kinds: Chain, Hook, "
          "Stream (at /kind)"));
  EXPECT_THAT(loaded.resources, IsEmpty());
}

TEST(Loader, NamesBothPlacesOfADuplicate) {
  auto loaded = load(stream_yaml("a") + stream_yaml("b") + stream_yaml("a"));

  EXPECT_THAT(errors(loaded),
              ElementsAre("e.yaml:21:9: Stream a is declared twice; first at e.yaml:5:9 (at "
                          "/metadata/name)"));
}

TEST(Loader, AllowsTheSameNameInAnotherTenantAndKind) {
  auto loaded = load(stream_yaml("a") + stream_yaml("a", 1, "owner: x\n  tenant: acme") +
                     hook_yaml("a", "a"));

  EXPECT_THAT(names(loaded), ElementsAre("Stream a", "Stream a in tenant acme", "Hook a"));
}

TEST(Loader, RefusesLabelsThatAreNotStrings) {
  auto loaded = load(stream_yaml("a", 1, "owner: x\n  labels: {cost: 17}"));

  EXPECT_THAT(errors(loaded),
              ElementsAre("e.yaml:7:18: metadata.labels holds strings only: put quotes around this "
                          "value (at /metadata/labels/cost)"));
}

TEST(Loader, SaysWhereMalformedYamlBreaks) {
  auto loaded = load("apiVersion: weft/v1\nkind: [Stream\n");

  ASSERT_THAT(loaded.findings.errors, testing::SizeIs(1));
  EXPECT_THAT(errors(loaded)[0], HasSubstr("e.yaml:"));
}

TEST(Loader, PutsEnvironmentVariablesIntoStrings) {
  auto loaded = load(
      "apiVersion: weft/v1\nkind: Stream\nmetadata: {name: a, owner: \"${env:TEAM}\"}\n"
      "spec: {retention: \"${env:DAYS:-7}d of ${env:TEAM} ${.x} $${env:TEAM}\"}\n",
      environment({{"TEAM", "shop \"one\""}}));

  ASSERT_THAT(errors(loaded), IsEmpty());
  EXPECT_EQ(loaded.resources[0]->owner(), "shop \"one\"");
  EXPECT_EQ(loaded.resources[0]->spec().find("retention")->as_string(),
            "7d of shop \"one\" ${.x} ${env:TEAM}");
}

TEST(Loader, RefusesAnUnsetVariable) {
  auto loaded = load(stream_yaml("a", 1, "owner: ${env:NOBODY}"), environment({}));

  EXPECT_THAT(errors(loaded),
              ElementsAre("e.yaml:6:10: the environment variable NOBODY is not set (at "
                          "/metadata/owner)"));
}

TEST(Loader, ReadsNoEnvironmentUnlessItIsGivenOne) {
  auto loaded = load(stream_yaml("a", 1, "owner: ${env:HOME}"));

  ASSERT_THAT(errors(loaded), testing::SizeIs(1));
  EXPECT_THAT(errors(loaded)[0], HasSubstr("environment variables may not be used here"));
}

TEST(Loader, KeepsReferencesToSecretsAndWarnsOfSecretsWrittenOut) {
  auto loaded = load(hook_yaml("a", "s", "${env:KEY}") + hook_yaml("b", "s", "${secret:shop/key}") +
                         hook_yaml("c", "s", "hunter2"),
                     environment({{"KEY", "hunter2"}}));

  ASSERT_THAT(errors(loaded), IsEmpty());
  EXPECT_EQ(loaded.resources[0]->spec().find("secret")->as_string(), "${env:KEY}");
  EXPECT_EQ(loaded.resources[1]->spec().find("secret")->as_string(), "${secret:shop/key}");
  ASSERT_THAT(loaded.findings.warnings, testing::SizeIs(1));
  EXPECT_THAT(loaded.findings.warnings[0].text(), HasSubstr("e.yaml:24:11: a secret is written"));
}

TEST(Loader, ReadsAFolderInTheOrderOfItsPaths) {
  EstateFolder folder;
  folder.write("b.yaml", stream_yaml("three"));
  folder.write("a/two.yml", stream_yaml("two"));
  folder.write("a/one.yaml", stream_yaml("one"));
  folder.write("c.json",
               R"({"apiVersion": "weft/v1", "kind": "Chain", "metadata": {"name": "four"}})");
  folder.write(".hidden.yaml", "broken: [");
  folder.write("weft.yaml", "ports: {}");
  folder.write("README.md", "# not ours");

  auto loaded = folder.load();

  EXPECT_THAT(errors(loaded), IsEmpty());
  EXPECT_THAT(names(loaded), ElementsAre("Stream one", "Stream two", "Stream three", "Chain four"));
}

TEST(Loader, ReportsTheErrorsOfAllFilesOfAFolder) {
  EstateFolder folder;
  folder.write("a.yaml", "kind: [");
  folder.write("b.yaml", stream_yaml("s"));
  folder.write("c.yaml", stream_yaml("s"));
  folder.write("order.json", R"({"id": 1})");

  auto loaded = folder.load();

  ASSERT_THAT(errors(loaded), testing::SizeIs(3));
  EXPECT_THAT(errors(loaded)[0], HasSubstr("a.yaml:"));
  EXPECT_THAT(errors(loaded)[1], AllOf(HasSubstr("c.yaml:5:9"), HasSubstr("b.yaml:5:9")));
  EXPECT_THAT(errors(loaded)[2], AllOf(HasSubstr("order.json:1:1"), HasSubstr("not a resource")));
}

TEST(Loader, PutsTheTextOfANamedFileIntoTheResourceThatNamesIt) {
  EstateFolder folder;
  folder.write("streams/a.yaml",
               "apiVersion: weft/v1\nkind: Stream\nmetadata: {name: a, owner: x}\n"
               "spec: {script: \"${file:../parts/order.json}\"}\n");
  folder.write("parts/order.json", "{\"id\": \"${env:UNTOUCHED}\"}\n");

  auto loaded = folder.load();

  ASSERT_THAT(errors(loaded), IsEmpty());
  EXPECT_EQ(loaded.resources.at(0)->spec().find("script")->as_string(),
            "{\"id\": \"${env:UNTOUCHED}\"}\n");
}

TEST(Loader, RefusesNamedFilesThatAreMissingOrOutside) {
  EstateFolder folder;
  for (const char* path : {"nothing.json", "../secret.txt", "/etc/passwd"}) {
    folder.write("a.yaml", fmt::format("apiVersion: weft/v1\nkind: Stream\n"
                                       "metadata: {{name: a, owner: x}}\n"
                                       "spec: {{script: \"${{file:{}}}\"}}\n",
                                       path));

    auto loaded = folder.load();

    ASSERT_THAT(errors(loaded), testing::SizeIs(1)) << path;
    EXPECT_THAT(errors(loaded)[0], HasSubstr("a.yaml:4:16: "));
    EXPECT_THAT(errors(loaded)[0], HasSubstr("(at /spec/script)"));
  }
}

TEST(Loader, ReadsNoFileForATextFromTheNetwork) {
  auto loaded = load(
      "apiVersion: weft/v1\nkind: Stream\nmetadata: {name: a, owner: x}\n"
      "spec: {script: \"${file:/etc/passwd}\"}\n");

  ASSERT_THAT(errors(loaded), testing::SizeIs(1));
  EXPECT_THAT(errors(loaded)[0], HasSubstr("files may not be named here"));
}

TEST(Loader, ReadsTheFilesOfAFolderFromTextsByTheSameRules) {
  std::vector<SourceText> texts;
  texts.emplace_back("weft.yaml", "ports: {}");
  texts.emplace_back("streams/a.yaml",
                     "apiVersion: weft/v1\nkind: Stream\nmetadata: {name: a, owner: x}\n"
                     "spec: {script: \"${file:../parts/order.json}\"}\n");
  texts.emplace_back("parts/order.json", "{\"id\": 1}");
  texts.emplace_back("broken.yaml", "kind: [");
  texts.emplace_back("b.yaml",
                     "apiVersion: weft/v1\nkind: Stream\nmetadata: {name: b, owner: x}\n"
                     "spec: {script: \"${file:missing.json}\"}\n");

  auto loaded = Loader(tiny_kinds()).load_texts(std::move(texts));

  ASSERT_EQ(loaded.resources.size(), 1u);
  EXPECT_EQ(loaded.resources[0]->spec().find("script")->as_string(), "{\"id\": 1}");
  ASSERT_THAT(errors(loaded), testing::SizeIs(2));
  EXPECT_THAT(errors(loaded)[0], HasSubstr("broken.yaml:"));
  EXPECT_THAT(errors(loaded)[1], HasSubstr("missing.json is not among the files"));
}

TEST(Loader, LimitsTheNumberAndSizeOfFiles) {
  EstateFolder folder;
  folder.write("a.yaml", stream_yaml("a"));
  folder.write("b.yaml", stream_yaml("b"));
  LoadLimits one_file;
  one_file.files_max = 1;
  LoadLimits small_files;
  small_files.file_bytes_max = 10;

  auto too_many = folder.try_load(one_file);
  auto too_large = folder.load(small_files);

  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code, ErrorCode::ResourceExhausted);
  EXPECT_THAT(errors(too_large), testing::SizeIs(2));
}

TEST(Loader, FailsRatherThanOverlookAFolderThatItCannotRead) {
  EstateFolder folder;
  folder.write("a.yaml", stream_yaml("a"));
  folder.write("one/two/b.yaml", stream_yaml("b"));
  LoadLimits shallow;
  shallow.folder_depth_max = 1;

  EXPECT_THAT(names(folder.load()), ElementsAre("Stream a", "Stream b"));
  EXPECT_FALSE(folder.try_load(shallow));

  std::filesystem::create_symlink("nowhere", folder.file("dangling"));
  EXPECT_TRUE(folder.try_load({}));
  std::filesystem::create_symlink("circle", folder.file("circle"));
  EXPECT_FALSE(folder.try_load({}));
}

TEST(Loader, FailsForAFolderThatDoesNotExist) {
  PosixFileSystem files;
  Loader loader(tiny_kinds());

  EXPECT_FALSE(run_until_done(loader.load_folder(files, "/no/such/folder")));
}

TEST(EnvironmentSecrets, RevealsTheVariableOrItsFile) {
  TemporaryFolder folder;
  std::ofstream(folder.file("key")) << "from file\n";
  EnvironmentSecrets secrets(environment({{"A", "one"}, {"B_FILE", folder.file("key")}}));

  EXPECT_EQ(secrets.reveal("${env:A}").value_or("?"), "one");
  EXPECT_EQ(secrets.reveal("${env:B}").value_or("?"), "from file");
  EXPECT_EQ(secrets.reveal("${env:C:-none}").value_or("?"), "none");
  EXPECT_EQ(secrets.reveal("plain").value_or("?"), "plain");
  EXPECT_FALSE(secrets.reveal("${env:C}"));
  EXPECT_FALSE(secrets.reveal("${secret:c}"));
}

// What a node makes of the documents that a client resolved and sent.
ResourcePtr sent(const Resource& resource) {
  auto received = Loader(tiny_kinds()).load_text("r.json", document_text(resource, tiny_kinds()));
  EXPECT_THAT(errors(received), IsEmpty());
  return received.resources.size() == 1 ? received.resources[0] : nullptr;
}

TEST(Loader, ReadsBackEveryResourceThatItWroteAsADocument) {
  for (std::string written :
       {"plain", "$${env:TEAM}", "$$${env:TEAM}", "$${env:TEAM} of ${env:TEAM}", "$${file:x.yaml}",
        "${secret:a/b}", "$${secret:a/b}", "$$${secret:a/b}", "$${secret:open", "a ${.b} ${",
        "${$${env:TEAM}", "$${env:open", "$ {env:TEAM} $$", "${env:TRICKY}"}) {
    auto first = load(stream_yaml("s", 1, "owner: '" + written + "'"),
                      environment({{"TEAM", "shop"}, {"TRICKY", "${env:TEAM} $${file:f}"}}));
    ASSERT_THAT(errors(first), IsEmpty()) << written;

    auto second = sent(*first.resources[0]);

    ASSERT_NE(second, nullptr) << written;
    EXPECT_EQ(second->text(), first.resources[0]->text()) << written;
  }
}

TEST(Loader, LeavesTheReferencesOfSecretsAsTheyAreInADocument) {
  auto first = load(hook_yaml("h", "$${env:TEAM}", "${env:HOOK_SECRET}"));
  ASSERT_THAT(errors(first), IsEmpty());

  auto text = document_text(*first.resources[0], tiny_kinds());

  EXPECT_THAT(text, HasSubstr(R"("secret":"${env:HOOK_SECRET}")"));
  EXPECT_THAT(text, HasSubstr(R"("stream":"$${env:TEAM}")"));
}

TEST(Loader, TakesAKnownResourceInsteadOfReadingItsTextAgain) {
  auto first =
      load(stream_yaml("a") + stream_yaml("b") + stream_yaml("c", 1, "owner: \"$${env:HOME}\""));
  ViewBuilder builder;
  for (const auto& resource : first.resources) builder.put({resource, "folder", 1});
  auto known = std::move(builder).build(1);
  auto path = [](std::string name) { return "default/Stream/" + name + ".json"; };
  auto text_of = [&](std::size_t i) { return document_text(*first.resources[i], tiny_kinds()); };
  auto changed = text_of(1);
  changed.replace(changed.find("shop"), 4, "team");
  std::vector<SourceText> sources;
  sources.emplace_back(path("a"), text_of(0));
  sources.emplace_back(path("b"), changed);
  sources.emplace_back(path("c"), text_of(2));

  auto loaded = Loader(tiny_kinds()).load_texts(sources, known);

  ASSERT_THAT(errors(loaded), IsEmpty());
  ASSERT_EQ(loaded.resources.size(), 3u);
  EXPECT_EQ(loaded.resources[0], first.resources[0]);
  EXPECT_EQ(loaded.resources[1]->owner(), "team");
  // Its text might have become another one.
  EXPECT_NE(loaded.resources[2], first.resources[2]);
  EXPECT_EQ(loaded.resources[2]->text(), first.resources[2]->text());

  sources.emplace_back("again.json", text_of(0));
  auto twice = Loader(tiny_kinds()).load_texts(sources, known);
  ASSERT_THAT(errors(twice), testing::SizeIs(1));
  EXPECT_THAT(errors(twice)[0], HasSubstr("Stream a is declared twice"));
}

}  // namespace
}  // namespace weft::estate
