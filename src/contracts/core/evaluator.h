// Runs a Program over an instance: once without reports, stopping at the first violation, or with
// them. One object per validation, on the caller's stack.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "contracts/core/evaluated_set.h"
#include "contracts/core/program.h"
#include "contracts/json_schema.h"

namespace weft::contracts {

// Keeps the frame of the instruction loop small: it is what recursion repeats.
#define WEFT_OUT_OF_LINE [[gnu::noinline]]

// Where in the instance the evaluation stands; a list on the native stack.
struct InstancePath {
  const InstancePath* up = nullptr;
  std::string_view key;
  std::uint32_t index = 0;
  bool is_element = false;

  std::string pointer() const;
};

class Evaluator {
 public:
  explicit Evaluator(const Program& program) : program_(program), steps_left_(program.steps_max) {}

  bool accepts(BlockId block, const Json& instance) {
    return run<false>(block, instance, nullptr, nullptr) && limit_ == nullptr;
  }
  std::vector<Violation> violations(BlockId block, const Json& instance, std::size_t max);

 private:
  struct Scope {
    const Scope* outer;
    std::uint32_t resource;
  };

  static bool size_fits(const Block& block, const Json& value) {
    const auto kind = static_cast<std::size_t>(value.type()) - std::size_t{4};
    if (value.is_string() && !value.is_ascii()) [[unlikely]]
      return length_fits(value, block.size_min[0], block.size_max[0]);
    return value.size() >= block.size_min[kind] && value.size() <= block.size_max[kind];
  }
  static bool size_fits(const Checks& checks, const Json& value) {
    return value.size() >= checks.size_min && value.size() <= checks.size_max;
  }
  static bool length_fits(const Checks& checks, const Json& text) {
    if (text.is_ascii()) [[likely]]
      return size_fits(checks, text);
    return length_fits(text, checks.size_min, checks.size_max);
  }
  static bool number_fits(const Block& block, const Json& value) {
    if (block.integers_only && !value.is_integer()) return false;
    return !block.not_negative || is_not_negative(value);
  }
  static bool is_not_negative(const Json& number) { return !number.has_minus() || is_zero(number); }
  static bool is_zero(const Json& number);
  static bool length_fits(const Json& text, std::uint32_t min, std::uint32_t max);

  template <bool kReport>
  [[gnu::always_inline]] bool run(BlockId id, const Json& value, EvaluatedSet* marks,
                                  const InstancePath* path) {
    const Block& block = program_.blocks[id];
    if constexpr (kReport) return run_reporting(block, value, marks, path);
    if (marks == nullptr) return check(block.checks, value);
    return (block.types & type_bit(value.type())) != 0 && run_checked(block, value, marks);
  }
  // Without reports and marks: what nearly all values of nearly all schemas go through.
  [[gnu::always_inline]] bool check(const Checks& checks, const Json& value) {
    switch (checks.of[static_cast<std::size_t>(value.type())]) {
      case Check::Refuse:
        return false;
      case Check::Accept:
        return true;
      case Check::Length:
        return length_fits(checks, value);
      case Check::Size:
        return size_fits(checks, value);
      case Check::Integer:
        return value.is_integer();
      case Check::NotNegative:
        return is_not_negative(value);
      case Check::Natural:
        return value.is_integer() && is_not_negative(value);
      case Check::Range:
        return check_range(checks, value);
      case Check::Pattern:
        return length_fits(checks, value) &&
               program_.patterns[checks.target].matches(value.as_string());
      case Check::OneOfTexts:
        return is_one_of(program_.values[checks.target].strings, value);
      case Check::Elements:
        return size_fits(checks, value) && check_elements(checks, value);
      case Check::Members:
        return size_fits(checks, value) && check_members(checks, value);
      case Check::Code:
        break;
    }
    return run_checked(program_.blocks[checks.block], value, nullptr);
  }
  WEFT_OUT_OF_LINE bool check_range(const Checks&, const Json&);
  WEFT_OUT_OF_LINE static bool is_one_of(const NameTable& texts, const Json& value) {
    return texts.find(value.as_string()) != NameTable::kAbsent;
  }
  WEFT_OUT_OF_LINE bool check_elements(const Checks&, const Json&);
  WEFT_OUT_OF_LINE bool check_members(const Checks&, const Json&);
  bool run_reporting(const Block&, const Json&, EvaluatedSet*, const InstancePath*);
  WEFT_OUT_OF_LINE bool run_checked(const Block&, const Json&, EvaluatedSet*);
  template <bool kReport>
  bool run_nested(const Block&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool run_scoped(const Block&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool run_body(const Block&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool run_code(std::uint32_t from, std::uint32_t to, const Json&, EvaluatedSet*,
                const InstancePath*);
  template <bool kReport>
  bool execute(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);

  template <bool kReport>
  WEFT_OUT_OF_LINE bool number(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool string(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool values(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool unique_items(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool prefix_items(const Instruction&, const Json&, EvaluatedSet*,
                                     const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool items(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool contains(const Instruction&, const Json&, EvaluatedSet*,
                                 const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool members(const Instruction&, const Json&, EvaluatedSet*,
                                const InstancePath*);
  WEFT_OUT_OF_LINE bool known_members(const MembersTable&, const Json&);
  bool match_members(const MembersTable&, const Json&);
  WEFT_OUT_OF_LINE static bool is_all(const MembersTable&, const MembersTable::Known&,
                                      std::string_view key);
  WEFT_OUT_OF_LINE static const MembersTable::Known& look_up(const MembersTable&,
                                                             std::string_view key);
  template <bool kReport>
  bool member(const MembersTable&, std::uint32_t name, std::uint32_t index, const Json& object,
              EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool required(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool property_names(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool dependent_required(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool any_of(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool one_of(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool if_then_else(const Instruction&, const Json&, EvaluatedSet*,
                                     const InstancePath*);
  template <bool kReport>
  WEFT_OUT_OF_LINE bool unevaluated(const Instruction&, const Json&, EvaluatedSet*,
                                    const InstancePath*);

  // Runs without reports; what a failing schema evaluated does not count.
  bool try_quietly(BlockId, const Json&, EvaluatedSet*);
  BlockId dynamic_target(const DynamicTarget&) const;
  void report_closest(const Instruction&, const Json&, const InstancePath*);

  void report_type(const Block& block, const Json& value, const InstancePath* path);
  // Always false, so that a check can end with it.
  bool report(std::uint32_t place, const InstancePath* path, std::string message);
  bool report_count(const Instruction&, const InstancePath*, const char* sentence);
  bool exceed(const char* limit);
  bool enter() {
    if (depth_ >= program_.depth_max || steps_left_ == 0) [[unlikely]]
      return exceed(steps_left_ == 0 ? "the schema takes more steps than the limit allows"
                                     : "the schemas nest deeper than the limit allows");
    ++depth_;
    --steps_left_;
    return true;
  }
  bool is_full() const { return out_.size() >= max_; }

  const Program& program_;
  const Scope* scope_ = nullptr;
  std::uint32_t depth_ = 0;
  std::uint64_t steps_left_;
  const char* limit_ = nullptr;  // the limit that ended the evaluation
  std::vector<Violation> out_;
  std::size_t max_ = 0;
};

}  // namespace weft::contracts
