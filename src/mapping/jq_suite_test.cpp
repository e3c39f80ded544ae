// jq's published test cases (tests/*.test of its source), when WEFT_JQ_SUITE names their folder.
// Each case that Weft answers differently is named below with the reason.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "mapping/jq.h"

namespace weft::mapping {
namespace {

struct SuiteCase {
  std::size_t line = 0;
  std::string program;
  std::string input;
  std::vector<std::string> outputs;
  bool must_fail = false;
};

struct SuiteException {
  std::string_view program;  // starts with
  std::string_view reason;
};

constexpr std::string_view kModules = "programs have no modules";
constexpr std::string_view kExact = "numbers are exact decimals and keep their lexeme";
constexpr std::string_view kRe2 = "RE2 has no look-around";

constexpr std::string_view kNotJson = "the case's input holds nan, which is not JSON";
constexpr std::string_view kNoEnvironment = "a program does not see the environment";

constexpr SuiteException kSuiteExceptions[] = {
    {"import ", kModules},
    {"include ", kModules},
    {"modulemeta", kModules},
    {"gsub(\"(?=u)\"", kRe2},
    {"[match(\".+?\\\\b\")]", "RE2's word boundaries are those of ASCII"},
    {". - 10", kExact},
    {".[0] - 10", kExact},
    {".x - 10", kExact},
    {".[] as $n | $n+0 | [., tostring, . == $n]", kExact},
    {"map([., . == 1]) | tojson", kExact},
    {". as $big | [$big, $big + 1]", kExact},
    {". == {\"b\": {\"d\": (4 + 1e-20)", kExact},
    {".[] = 1", kNotJson},
    {"tojson | fromjson", kNotJson},
    {"map(try implode catch .)", kNotJson},
    {"try input catch .", "there is one input and no input function"},
    {"$ENV.PAGER", kNoEnvironment},
    {"env.PAGER", kNoEnvironment},
};

std::vector<SuiteCase> read_cases(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<SuiteCase> cases;
  std::string line;
  std::size_t number = 0;
  const auto next = [&] {
    ++number;
    if (!std::getline(in, line)) return false;
    if (line.ends_with('\r')) line.pop_back();
    return true;
  };
  const auto is_empty = [&] { return line.find_first_not_of(" \t") == std::string::npos; };
  while (next()) {
    if (is_empty() || line.starts_with('#')) continue;
    SuiteCase one;
    if (line.starts_with("%%FAIL")) {
      one.must_fail = true;
      next();
    }
    one.line = number;
    one.program = line;
    if (!one.must_fail && next()) one.input = line;
    while (next() && !is_empty())
      if (!one.must_fail && !line.starts_with('#')) one.outputs.push_back(line);
    cases.push_back(std::move(one));
  }
  return cases;
}

std::string without_mark(std::string text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

// jq's files write nan where JSON has null.
JsonDocument parsed(const std::string& text) {
  auto document = JsonDocument::parse(without_mark(text), {.depth_max = kJsonDepthMax});
  return document ? *std::move(document) : *JsonDocument::parse("\"not JSON\"");
}

// Empty when the case passes; else what is wrong.
std::string problem_of(const SuiteCase& one) {
  const auto program = JqProgram::compile(one.program);
  if (one.must_fail) return program ? "compiles, though it must not" : "";
  if (!program) return program.error().message;
  const JsonDocument input = parsed(one.input);
  class Outputs : public JqSink {
   public:
    bool take(const JqOutput& output) override {
      output.append_json(all.emplace_back());
      return true;
    }
    std::vector<std::string> all;
  } outputs;
  const auto end = JqRunner().run(*program, input.root(), outputs);
  for (std::size_t i = 0; i < one.outputs.size(); ++i) {
    if (i == outputs.all.size())
      return fmt::format("no output {}: {}", i + 1, end ? "ended" : end.error().message);
    const JsonDocument wanted = parsed(one.outputs[i]);
    if (!(parsed(outputs.all[i]).root() == wanted.root()))
      return fmt::format("output {} is {} instead of {}", i + 1, outputs.all[i], one.outputs[i]);
  }
  if (outputs.all.size() > one.outputs.size())
    return fmt::format("one output too many: {}", outputs.all[one.outputs.size()]);
  return {};
}

const SuiteException* exception_of(const SuiteCase& one) {
  for (const SuiteException& exception : kSuiteExceptions)
    if (one.program.starts_with(exception.program)) return &exception;
  return nullptr;
}

TEST(JqSuite, PassesThePublishedCasesButTheNamedOnes) {
  const char* const folder = std::getenv("WEFT_JQ_SUITE");
  if (folder == nullptr) GTEST_SKIP() << "WEFT_JQ_SUITE names no folder";
  for (const char* name :
       {"jq.test", "man.test", "base64.test", "onig.test", "manonig.test", "optional.test"}) {
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    if (!std::filesystem::exists(file)) continue;
    int passed = 0;
    int failed = 0;
    int exceptions = 0;
    for (const SuiteCase& one : read_cases(file)) {
      const std::string problem = problem_of(one);
      if (problem.empty()) {
        ++passed;
      } else if (exception_of(one) != nullptr) {
        ++exceptions;
      } else {
        ++failed;
        ADD_FAILURE() << name << ":" << one.line << ": " << one.program << "\n  " << problem;
      }
    }
    fmt::print("{}: {} passed, {} failed, {} named exceptions\n", name, passed, failed, exceptions);
  }
}

}  // namespace
}  // namespace weft::mapping
