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

  template <bool kReport>
  bool run(BlockId id, const Json& value, EvaluatedSet* marks, const InstancePath* path) {
    const Block& block = program_.blocks[id];
    if (block.is_scoped) [[unlikely]]
      return run_scoped<kReport>(block, value, marks, path);
    return run_plain<kReport>(block, value, marks, path);
  }
  template <bool kReport>
  bool run_scoped(const Block&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool run_plain(const Block&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool run_part(const Block&, Part, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool execute(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);

  template <bool kReport>
  bool number(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool string(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool values(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool unique_items(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool prefix_items(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool items(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool contains(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool members(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool member(const MembersTable&, std::uint32_t name, std::uint32_t index, const Json& object,
              EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool required(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool property_names(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool dependent_required(const Instruction&, const Json&, const InstancePath*);
  template <bool kReport>
  bool any_of(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool one_of(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool if_then_else(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);
  template <bool kReport>
  bool unevaluated(const Instruction&, const Json&, EvaluatedSet*, const InstancePath*);

  // Runs without reports; what a failing schema evaluated does not count.
  bool try_quietly(BlockId, const Json&, EvaluatedSet*);
  BlockId dynamic_target(const DynamicTarget&) const;
  void report_closest(const Instruction&, const Json&, const InstancePath*);

  // Always false, so that a check can end with it.
  bool report(std::uint32_t place, const InstancePath* path, std::string message);
  bool exceed(const char* limit);
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
