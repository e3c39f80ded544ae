// Seeded random programs over random inputs, beside Debian's libjq where it is installed. Only
// tests link it. What jq 1.7 changed, and what Weft does differently on purpose, is not generated.
#if __has_include(<jq.h>)
extern "C" {
#include <jq.h>
#include <jv.h>
}
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/jq.h"

namespace weft::mapping {
namespace {

class ProgramGenerator {
 public:
  explicit ProgramGenerator(std::uint64_t seed) : random_(seed) {}

  std::string program() {
    scope_ = 0;
    return expression(4);
  }

  std::string value(int depth) {
    switch (below(depth > 0 ? 9 : 6)) {
      case 0:
        return "null";
      case 1:
        return below(2) == 0 ? "true" : "false";
      case 2:
      case 3:
        return std::to_string(static_cast<int>(below(20)) - 5);
      case 4:
        return below(2) == 0 ? "1.5" : "0.25";
      case 5:
        return '"' + word() + '"';
      case 6:
        return list('[', ']', depth, false);
      default:
        return list('{', '}', depth, true);
    }
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string_view any(std::initializer_list<std::string_view> words) {
    return words.begin()[below(static_cast<unsigned>(words.size()))];
  }
  std::string word() {
    return std::string(any({"a", "b", "c", "ab", "a,b", "", "x y", "10", "-2.5"}));
  }

  std::string list(char open, char close, int depth, bool keys) {
    std::string out(1, open);
    const char* const names[] = {"a", "b", "c", "d"};
    const unsigned count = below(4);
    for (unsigned i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      if (keys) out += fmt::format("\"{}\":", names[i]);
      out += value(depth - 1);
    }
    return out + close;
  }

  std::string leaf() {
    switch (below(12)) {
      case 0:
      case 1:
        return ".";
      case 2:
      case 3:
        return fmt::format(".{}", any({"a", "b", "c", "d"}));
      case 4:
        return fmt::format(".[{}]", static_cast<int>(below(4)) - 2);
      case 5:
        return ".[]";
      case 6:
        return std::to_string(below(12));
      case 7:
        return '"' + word() + '"';
      case 8:
        return std::string(any({"null", "true", "false", "empty", "[]", "{}"}));
      case 9:
        return std::string(any({".[1:]", ".[:2]", ".[-2:]", ".[1:3]", ".."}));
      case 10:
        return scope_ > 0 ? fmt::format("$v{}", below(scope_)) : ".";
      default:
        return std::string(any({"length",
                                "keys",
                                "type",
                                "add",
                                "not",
                                "tostring",
                                "tonumber",
                                "tojson",
                                "sort",
                                "unique",
                                "arrays | reverse",
                                "min",
                                "max",
                                "to_entries",
                                "from_entries",
                                "flatten",
                                "floor",
                                "first",
                                "last",
                                "any",
                                "all",
                                "values",
                                "scalars",
                                "arrays",
                                "explode",
                                "ascii_upcase",
                                "ascii_downcase",
                                "arrays | transpose",
                                "paths",
                                "tostream",
                                "recurse",
                                "utf8bytelength",
                                "error(\"x\")",
                                "[leaf_paths]",
                                "keys_unsorted",
                                "fromjson",
                                "@json",
                                "@html",
                                "@base64",
                                "@text",
                                "bsearch(1)",
                                "implode",
                                "sort | bsearch(\"b\")",
                                "tojson",
                                "nth(1)",
                                "flatten(1)",
                                "getpath([\"a\",0])",
                                "objects",
                                "iterables",
                                "nulls",
                                "[splits(\",\")]"}));
    }
  }

  std::string bound(const std::string& source, std::string_view before, std::string_view after) {
    const unsigned name = scope_++;
    std::string out = fmt::format("({}{} as $v{} {}", before, paren(source), name, after);
    return out;
  }
  static std::string paren(const std::string& text) { return "(" + text + ")"; }

  std::string call(int depth) {
    const auto name =
        any({"map", "select", "sort_by", "group_by", "unique_by", "min_by", "max_by", "map_values",
             "with_entries", "first", "path", "del", "isempty", "recurse_down", "last"});
    const std::string f = name == "path" || name == "del" ? path(depth) : expression(depth - 1);
    if (name == "recurse_down") return fmt::format("[limit(5; recurse({} | objects))]", f);
    if (name == "path") return fmt::format("[path({})]", f);
    // An update without an output removes the element since jq 1.7; jq 1.6 skipped every other one.
    if (name == "map_values") return fmt::format("map_values(first(({}), .))", f);
    return fmt::format("{}({})", name, f);
  }

  std::string value_call(int depth) {
    const std::string f = expression(depth - 1);
    // The search for "" does not end in jq 1.6.
    if (below(6) == 0)
      return fmt::format("{}(({}) | select(. != \"\"))", any({"index", "rindex", "indices"}), f);
    // jq 1.6 has no element at 0.5.
    if (below(14) == 0)
      return fmt::format(
          "delpaths(({}) | [.[]? | select(all(.[]?; type != \"number\" or . == floor))])", f);
    return fmt::format("{}({})",
                       any({"has", "contains", "inside", "startswith", "endswith", "ltrimstr",
                            "rtrimstr", "split", "join", "range", "in", "combinations", "test"}),
                       f);
  }

  // Of reduce and foreach. jq 1.6 gives the source null instead of the input from the second start
  // on.
  std::pair<std::string, std::string> source_and_start(int depth) {
    std::string source = expression(depth);
    std::string start = expression(depth);
    if (below(2) == 0) return {"null | " + source, start};
    return {std::move(source), fmt::format("first(({}), null)", start)};
  }

  std::string binding(int depth) {
    const unsigned outside = scope_;
    std::string out;
    switch (below(4)) {
      case 0: {
        out = bound(expression(depth - 1), "", "| ") + expression(depth - 1) + ")";
        break;
      }
      case 1: {
        const auto [source, start] = source_and_start(depth - 1);
        out = bound(source, "reduce ", "(") + start + "; " + expression(depth - 1) + "))";
        break;
      }
      case 2: {
        const auto [source, start] = source_and_start(depth - 1);
        out = bound(source, "[foreach ", "(") + start + "; " + expression(depth - 1) + ")]";
        out += ")";
        break;
      }
      default: {
        const std::string source = expression(depth - 1);
        const unsigned first = scope_;
        scope_ += 2;
        out = fmt::format("(({}) as {} | {})", source,
                          below(2) == 0 ? fmt::format("[$v{}, $v{}]", first, first + 1)
                                        : fmt::format("{{a: $v{}, b: $v{}}}", first, first + 1),
                          expression(depth - 1));
      }
    }
    scope_ = outside;
    return out;
  }

  std::string expression(int depth) {
    if (depth <= 0) return leaf();
    const auto sub = [&] { return paren(expression(depth - 1)); };
    switch (below(20)) {
      case 16:
        // Messages differ between versions, and error(null) is no error in jq 1.6.
        if (below(2) == 0) return fmt::format("(try error({}) catch .)", error_value());
        return fmt::format("(try ({} | error({})) catch {})", sub(), error_value(), error_value());
      case 17:
        return fmt::format("(label $out | {} | if {} then ., break $out else . end)", sub(), sub());
      case 18:
        return fmt::format("[limit({}; {})]", 1 + below(4), sub());
      case 19:
        // Where the generator fails behind what decides, or a condition has other than one output,
        // jq 1.6 does not answer as jq 1.7 does.
        return fmt::format("({}({}; {}))", any({"any", "all"}), any({".[]?", ".a", "1, null"}),
                           condition());
      case 0:
      case 1:
        return expression(depth - 1) + " | " + expression(depth - 1);
      case 2:
        return sub() + ", " + sub();
      case 3:
        return fmt::format("{} {} {}", sub(), any({"+", "-", "+", "<", "==", ">=", "!="}), sub());
      case 4:
        return fmt::format("{} {} {}", sub(), any({"and", "or", "//"}), sub());
      case 5:
        return fmt::format("[{}]", expression(depth - 1));
      case 6:
        return fmt::format("{{a: {}, (\"k\", \"b\"): {}}}", sub(), sub());
      case 7:
        return fmt::format("if {} then {} else {} end", expression(depth - 1),
                           expression(depth - 1), expression(depth - 1));
      case 8:
        // Not (…)?: the try of jq 1.6 also caught what failed further on.
        return std::string(any({".a?", ".[0]?", "[.[]?]", ".b[1]?", ".[1:]?"}));
      case 9:
      case 10:
        return call(depth);
      case 11:
        return value_call(depth);
      case 12:
        return binding(depth);
      case 13:
        return fmt::format("({} {} {})", path(depth), any({"=", "+=", "//="}), sub());
      case 15:
        return fmt::format("({} |= first(({}), .))", path(depth), sub());
      case 14:
        return fmt::format("\"x\\({})y\\({})\"", expression(depth - 1), leaf());
      default:
        return fmt::format("(def f(g): g | ({}); f({}))", leaf(), expression(depth - 1));
    }
  }

  std::string_view condition() {
    return any({". == 1", ". != null", "type == \"string\"", "true", ".", "not"});
  }
  std::string_view error_value() { return any({"\"e\"", "{\"a\":1}", "[1]", "2", "true"}); }

  std::string path(int depth) {
    std::string out = std::string(any({".a", ".b", ".[0]", ".[]", ".a.b", ".a[1]", ".c[]?"}));
    if (below(3) == 0) out = fmt::format("({} | select({}))", out, expression(depth - 2));
    return out;
  }

  std::mt19937_64 random_;
  unsigned scope_ = 0;
};

// The two answer the same up to the rounding that only one of them does.
bool alike(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.as_double();
    const double y = b.as_double();
    return x == y || std::abs(x - y) <= 1e-9 * std::max(std::abs(x), std::abs(y));
  }
  if (a.type() != b.type()) return false;
  if (a.is_array()) {
    if (a.size() != b.size()) return false;
    for (std::uint32_t i = 0; i < a.size(); ++i)
      if (!alike(a.elements()[i], b.elements()[i])) return false;
    return true;
  }
  if (!a.is_object()) return a == b;
  if (a.size() != b.size()) return false;
  for (const JsonMember& member : a.members()) {
    const Json* const other = b.find(member.key());
    if (other == nullptr || !alike(member.value, *other)) return false;
  }
  return true;
}

struct Answer {
  std::vector<std::string> outputs;
  bool compiled = true;
  bool failed = false;
  bool limited = false;
};

constexpr std::size_t kOutputsMax = 300;

class LibJq {
 public:
  LibJq() : state_(jq_init()) {
    jq_set_error_cb(
        state_, [](void*, jv message) { jv_free(message); }, nullptr);
    // It aborts where it has no memory, and where it asserts wrongly.
    running = this;
    std::signal(SIGABRT, [](int) {
      for (const char* const text :
           {"libjq aborts with ", running->program_.c_str(), "\ninput: ", running->input_.c_str(),
            "\nrepeat with ", running->seed_.c_str(), "\n"})
        std::fputs(text, stderr);
    });
  }
  ~LibJq() { jq_teardown(&state_); }
  LibJq(const LibJq&) = delete;
  LibJq& operator=(const LibJq&) = delete;

  /// As a message is to say it.
  void repeat_with(std::string seed) { seed_ = std::move(seed); }
  bool compile(const std::string& program) {
    program_ = program;
    compiled_ = jq_compile(state_, program.c_str()) != 0;
    return compiled_;
  }
  Answer run(const std::string& input) {
    input_ = input;
    Answer answer;
    answer.compiled = compiled_;
    if (!compiled_) return answer;
    jq_start(state_, jv_parse(input.c_str()), 0);
    jv output = jq_next(state_);
    while (jv_is_valid(output) && answer.outputs.size() < kOutputsMax) {
      jv text = jv_dump_string(output, 0);
      answer.outputs.emplace_back(jv_string_value(text));
      jv_free(text);
      output = jq_next(state_);
    }
    answer.failed = !jv_is_valid(output) && jv_invalid_has_msg(jv_copy(output)) != 0;
    jv_free(output);
    return answer;
  }

 private:
  static inline const LibJq* running = nullptr;
  jq_state* state_;
  std::string seed_;
  std::string program_;
  std::string input_;
  bool compiled_ = false;
};

class Collected : public JqSink {
 public:
  explicit Collected(std::vector<std::string>& into) : into_(into) {}
  bool take(const JqOutput& output) override {
    output.append_json(into_.emplace_back());
    return into_.size() < kOutputsMax;
  }

 private:
  std::vector<std::string>& into_;
};

Answer weft_run(const std::string& source, const std::string& input) {
  Answer answer;
  const auto program = JqProgram::compile(source);
  answer.compiled = program.has_value();
  if (!program) return answer;
  const auto document = JsonDocument::parse(input);
  JqOptions options;
  options.limits.steps_max = 100'000;
  Collected collected(answer.outputs);
  const auto end = JqRunner(options).run(*program, document->root(), collected);
  answer.failed = !end;
  answer.limited = !end && end.error().code == ErrorCode::ResourceExhausted;
  return answer;
}

std::string difference(const Answer& ours, const Answer& theirs) {
  if (ours.compiled != theirs.compiled)
    return ours.compiled ? "only libjq refuses it" : "only Weft refuses it";
  for (std::size_t i = 0; i < std::min(ours.outputs.size(), theirs.outputs.size()); ++i) {
    const auto a = JsonDocument::parse(ours.outputs[i]);
    const auto b = JsonDocument::parse(theirs.outputs[i]);
    if (!a || !b || !alike(a->root(), b->root()))
      return fmt::format("output {}: {} and libjq {}", i, ours.outputs[i], theirs.outputs[i]);
  }
  if (ours.outputs.size() != theirs.outputs.size())
    return fmt::format("{} outputs and libjq {}", ours.outputs.size(), theirs.outputs.size());
  if (ours.failed != theirs.failed) return ours.failed ? "only Weft fails" : "only libjq fails";
  return {};
}

struct Case {
  std::string program;
  std::vector<std::string> inputs;
};

constexpr int kPrograms = 20;
constexpr int kInputs = 3;

std::vector<Case> cases_of(std::uint64_t seed) {
  ProgramGenerator generator(seed);
  std::vector<Case> cases(kPrograms);
  for (Case& one : cases) {
    one.program = generator.program();
    for (int i = 0; i < kInputs; ++i) one.inputs.push_back(generator.value(3));
  }
  return cases;
}

// One program that runs the one whose number its input says: libjq takes 20 ms to compile any,
// since it compiles its builtins with it.
std::string all_programs(const std::vector<Case>& cases) {
  std::string all = ".[0] as $case | .[1] | ";
  for (std::size_t i = 0; i < cases.size(); ++i)
    all += fmt::format("{} $case == {} then {} ", i == 0 ? "if" : "elif", i, cases[i].program);
  return all + "else empty end";
}

// Weft runs first: libjq knows no limits.
void compare(LibJq& libjq, const Case& one, const std::string& input, const std::string& theirs) {
  const Answer ours = weft_run(one.program, input);
  if (ours.limited) return;
  EXPECT_EQ(difference(ours, libjq.run(theirs)), "") << one.program << "\ninput: " << input;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// As runtime/seeded_test.h does for the modules above: WEFT_SEED, WEFT_FIRST_SEED, WEFT_SEEDS.
TEST(JqSimulation, AnswersAsLibJqForAllSeeds) {
  const std::uint64_t only = from_environment("WEFT_SEED", 0);
  const std::uint64_t first = only != 0 ? only : from_environment("WEFT_FIRST_SEED", 1);
  const std::uint64_t wanted = only != 0 ? 1 : from_environment("WEFT_SEEDS", 10);
  LibJq libjq;
  std::uint64_t seed = first;
  for (; seed < first + wanted && !HasFailure(); ++seed) {
    const std::string repeat = "WEFT_SEED=" + std::to_string(seed);
    SCOPED_TRACE("repeat with " + repeat);
    libjq.repeat_with(repeat);
    const std::vector<Case> cases = cases_of(seed);
    const bool together = libjq.compile(all_programs(cases));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (!together) libjq.compile(cases[i].program);
      for (const std::string& input : cases[i].inputs)
        compare(libjq, cases[i], input, together ? fmt::format("[{},{}]", i, input) : input);
    }
  }
  fmt::print("{} seeds were run, {} to {}\n", seed - first, first, seed - 1);
}

}  // namespace
}  // namespace weft::mapping
#endif
