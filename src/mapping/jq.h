// jq 1.7 on exact JSON values: the language of Weft's expressions and mappings.
//
//   TRY(auto mapping, JqProgram::compile("{id: .order.id, total: (.lines | map(.price) | add)}"));
//   JqRunner runner;                                   // one per thread, its memory is reused
//   TRY(std::string text, runner.first(mapping, document.root()));
//
// A program is compiled once, is immutable and may be run by any number of threads at a time. A run
// ends: steps, memory and nesting are limited. Numbers that are only moved keep their lexeme;
// arithmetic is decimal and exact up to 34 digits, beyond that a double as in jq, which
// JqArithmetic::Exact refuses. Differences from jq: docs/jq.md.
//
// Errors say line and column of the program, what went wrong, and how to mend it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::mapping {

struct Program;
class Machine;
class Value;

// A compiled program. Cheap to copy; any thread.
class JqProgram {
 public:
  // `variables` are names without $ that each run gives values for, in this order.
  static Result<JqProgram> compile(std::string_view source,
                                   std::span<const std::string> variables = {});

  std::string_view source() const;

 private:
  friend class JqRunner;
  explicit JqProgram(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

struct JqLimits {
  std::uint64_t steps_max = 10'000'000;              // nodes and elements that are visited
  std::size_t memory_bytes_max = 256 * 1024 * 1024;  // of what a run makes, texts included
  std::size_t stack_bytes_max = 2 * 1024 * 1024;     // native stack of nested calls
};

// What arithmetic does when its result has no exact decimal of 34 digits.
enum class JqArithmetic : std::uint8_t { Rounding, Exact };

struct JqOptions {
  JqLimits limits;
  JqArithmetic arithmetic = JqArithmetic::Rounding;
  // What `now` is, in seconds since 1970; without it `now` is an error.
  std::optional<double> now;
  // Gets what `debug` and `stderr` say, one JSON text each; null drops it.
  std::vector<std::string>* messages = nullptr;
};

struct JqStyle {
  int indent = 0;     // spaces per level; 0 is one line without spaces
  bool tabs = false;  // a tab per level instead
  bool sort_keys = false;
  bool ascii = false;  // \u escapes for everything beyond ASCII
};

// One output of a run, valid while its sink looks at it.
class JqOutput {
 public:
  JqOutput(const Value& value, Machine& machine) : value_(value), machine_(machine) {}
  bool is_string() const;
  bool is_null_or_false() const;
  std::string_view string() const;  // requires is_string()
  // False when the text is longer than the run's memory allows, which then ends as
  // ResourceExhausted; `out` stays as it was.
  bool append_json(std::string& out, const JqStyle& style = {}) const;

 private:
  const Value& value_;
  Machine& machine_;
};

class JqSink {
 public:
  virtual ~JqSink() = default;
  // False ends the run, without an error.
  virtual bool take(const JqOutput& output) = 0;
};

// How a run ended that did not fail.
struct JqEnd {
  bool halted = false;  // by halt or halt_error
  int exit_code = 0;
  std::string text;  // what halt_error is to write to standard error
};

// Runs programs, one at a time, in memory of its own. One thread at a time.
class JqRunner {
 public:
  explicit JqRunner(const JqOptions& options = {});
  JqRunner(JqRunner&&) noexcept;
  JqRunner& operator=(JqRunner&&) noexcept;
  ~JqRunner();

  // Values for the program's named variables come in their order; missing ones are null. The input
  // and the values must outlive the call. ResourceExhausted when a limit is reached.
  Result<JqEnd> run(const JqProgram& program, const Json& input, JqSink& sink,
                    std::span<const Json> variables = {});

  // The first output as JSON text; an error when there is none.
  Result<std::string> first(const JqProgram& program, const Json& input);
  // All outputs as JSON texts.
  Result<std::vector<std::string>> all(const JqProgram& program, const Json& input);

 private:
  JqOptions options_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace weft::mapping
