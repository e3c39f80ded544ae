// The published JSON-Schema-Test-Suite. Debian's package holds drafts 3 to 7; with
// WEFT_JSON_SCHEMA_SUITE naming a checkout of the suite, 2019-09 and 2020-12 run as well.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "contracts/json_schema.h"

namespace weft::contracts {
namespace {

namespace fs = std::filesystem;

// Cases that are answered differently on purpose: a file, or a file and the group's or test's name.
const char* const kNoIdn =
    "IDNA 2008 tables are not part of the validator; the format is an annotation";
const char* const kNoPunycode = "the content of punycode labels is not decoded";
const char* const kAnnotation = "contentMediaType and contentEncoding are annotations";
const std::map<std::string, const char*, std::less<>> kExceptions = {
    {"draft4/optional/zeroTerminatedFloats.json",
     "1.0 is an integer in every dialect: a number is its value, not its spelling"},
    {"draft7/optional/content.json", kAnnotation},
    {"draft7/optional/format/idn-hostname.json", kNoIdn},
    {"draft2019-09/optional/format/idn-hostname.json", kNoIdn},
    {"draft2020-12/optional/format/idn-hostname.json", kNoIdn},
    {"draft7/optional/format/hostname.json: validation of A-label (punycode) host names",
     kNoPunycode},
    {"draft2019-09/optional/format/hostname.json: validation of A-label (punycode) host names",
     kNoPunycode},
    {"draft2020-12/optional/format/hostname.json: validation of A-label (punycode) host names",
     kNoPunycode},
};

struct Suite {
  const char* name;
  SchemaDialect dialect;
};

class JsonSchemaSuite : public testing::TestWithParam<Suite> {
 protected:
  static fs::path folder() {
    const char* const given = std::getenv("WEFT_JSON_SCHEMA_SUITE");
    return given != nullptr ? given : "/usr/share/json-schema-test-suite";
  }

  static JsonDocument load(const fs::path& file) {
    std::ifstream in(file);
    auto document = JsonDocument::parse({std::istreambuf_iterator<char>(in), {}});
    EXPECT_TRUE(document.has_value()) << file << ": " << document.error().message;
    return document ? std::move(*document) : JsonDocument();
  }

  void load_remotes() {
    for (const auto& entry : fs::recursive_directory_iterator(folder() / "remotes")) {
      if (entry.path().extension() != ".json") continue;
      const std::string name = entry.path().lexically_relative(folder() / "remotes").string();
      remotes_.push_back(load(entry.path()));
      // A document of another dialect that does not say so would be read as this one.
      if (name.starts_with("draft") && !name.starts_with(GetParam().name) &&
          remotes_.back().root().find("$schema") == nullptr)
        continue;
      options_.documents.push_back({"http://localhost:1234/" + name, remotes_.back().root()});
    }
  }

  void run_file(const fs::path& file) {
    const std::string name = file.lexically_relative(folder() / "tests" / GetParam().name).string();
    const JsonDocument groups = load(file);
    options_.assert_formats =
        name.starts_with("optional/format") || name == "optional/ecmascript-regex.json";
    for (const Json& group : groups.root().elements()) run_group(name, group);
  }

  void run_group(const std::string& file, const Json& group) {
    const std::string title = file + ": " + std::string(group.find("description")->as_string());
    const auto schema = JsonSchema::compile(*group.find("schema"), options_);
    for (const Json& test : group.find("tests")->elements()) {
      const std::string full = title + ": " + std::string(test.find("description")->as_string());
      const bool expected = test.find("valid")->as_bool();
      bool passed = false;
      std::string got = "schema refused: ";
      if (schema) {
        const Json& data = *test.find("data");
        const bool accepted = schema->accepts(data);
        const auto violations = schema->violations(data);
        passed = accepted == expected && accepted == violations.empty();
        got = accepted ? "accepted" : "refused: " + violations.at(0).message;
      } else {
        got += schema.error().message;
      }
      judge(file, title, full, passed, got);
    }
  }

  void judge(const std::string& file, const std::string& title, const std::string& full,
             bool passed, const std::string& got) {
    for (const std::string& key : {file, title, full}) {
      const auto exception = kExceptions.find(std::string(GetParam().name) + "/" + key);
      if (exception == kExceptions.end()) continue;
      excepted_[exception->first] |= !passed;
      ++exceptions_;
      return;
    }
    ++(passed ? passed_ : failed_);
    EXPECT_TRUE(passed) << GetParam().name << "/" << full << "\n  " << got;
  }

  SchemaOptions options_;
  std::vector<JsonDocument> remotes_;
  std::map<std::string, bool> excepted_;
  int passed_ = 0;
  int failed_ = 0;
  int exceptions_ = 0;
};

TEST_P(JsonSchemaSuite, IsAnsweredAsPublished) {
  const fs::path tests = folder() / "tests" / GetParam().name;
  if (!fs::exists(tests)) GTEST_SKIP() << tests << " is absent (package json-schema-test-suite)";
  options_.dialect = GetParam().dialect;
  load_remotes();

  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(tests))
    if (entry.path().extension() == ".json") files.insert(entry.path());
  for (const fs::path& file : files) run_file(file);

  for (const auto& [key, some_failed] : excepted_)
    EXPECT_TRUE(some_failed) << "no longer an exception: " << key;
  EXPECT_GT(passed_, 300);
  std::clog << fmt::format("{}: {} passed, {} failed, {} named exceptions\n", GetParam().name,
                           passed_, failed_, exceptions_);
}

INSTANTIATE_TEST_SUITE_P(Drafts, JsonSchemaSuite,
                         testing::Values(Suite{"draft4", SchemaDialect::Draft4},
                                         Suite{"draft6", SchemaDialect::Draft6},
                                         Suite{"draft7", SchemaDialect::Draft7},
                                         Suite{"draft2019-09", SchemaDialect::Draft201909},
                                         Suite{"draft2020-12", SchemaDialect::Draft202012}),
                         [](const auto& suite) {
                           std::string name = suite.param.name;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace weft::contracts
