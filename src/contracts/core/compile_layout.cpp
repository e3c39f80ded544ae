// How compiled schemas lie in the program: blocks, the order of their instructions, and the checks
// that need none.
#include <algorithm>

#include "contracts/core/schema_compiler.h"

namespace weft::contracts {
namespace {

bool calls_blocks(Op op) {
  switch (op) {
    case Op::Minimum:
    case Op::ExclusiveMinimum:
    case Op::Maximum:
    case Op::ExclusiveMaximum:
    case Op::MultipleOf:
    case Op::MinLength:
    case Op::MaxLength:
    case Op::MinItems:
    case Op::MaxItems:
    case Op::MinProperties:
    case Op::MaxProperties:
    case Op::Pattern:
    case Op::Format:
    case Op::UniqueItems:
    case Op::Required:
    case Op::DependentRequired:
    case Op::Values:
      return false;
    default:
      return true;
  }
}

}  // namespace

// Where a block only calls another one, callers may call that one.
std::vector<BlockId> SchemaCompiler::forwarded() const {
  std::vector<BlockId> to(drafts_.size());
  for (BlockId b = 0; b < drafts_.size(); ++b) to[b] = b;
  if (program_->is_dynamic) return to;
  const auto only_call = [this](BlockId b) -> std::optional<BlockId> {
    const Draft& draft = drafts_[b];
    std::size_t count = 0;
    for (const auto& part : draft.parts) count += part.size();
    if (draft.block.types != kAllTypes || draft.block.integers_only || draft.block.records)
      return std::nullopt;
    if (count == 0) return kAcceptAll;
    const auto& any = draft.parts[kAny];
    if (count != 1 || any.size() != 1 || any[0].op != Op::Call) return std::nullopt;
    return any[0].a;
  };
  for (BlockId b = 0; b < drafts_.size(); ++b) {
    // Calls at one instance have no cycle, so this ends.
    while (const auto next = only_call(to[b])) {
      if (to[b] == *next) break;
      to[b] = *next;
    }
  }
  return to;
}

void SchemaCompiler::lay_out() {
  const std::vector<BlockId> to = forwarded();
  for (BlockId& block : program_->lists) block = to[block];
  for (MembersTable& table : program_->members) {
    for (MembersTable::Name& name : table.names) name.block = to[name.block];
    for (MembersTable::ForPattern& p : table.patterns) p.block = to[p.block];
    table.additional = to[table.additional];
  }
  for (Draft& draft : drafts_) lay_out(draft, to);
  for (MembersTable& table : program_->members) lay_out(table);
}

void SchemaCompiler::lay_out(MembersTable& table) const {
  const Checks& additional = program_->blocks[table.additional].checks;
  for (std::size_t n = 0; n < table.names.size(); ++n) {
    const MembersTable::Name& name = table.names[n];
    table.known.push_back({NameTable::Ends::of(table.table.names()[n]), 1, name.required_bit,
                           name.has_schema ? program_->blocks[name.block].checks : additional});
  }
  table.known.push_back({{}, 0, 0, additional});
}

void SchemaCompiler::lay_out(Draft& draft, const std::vector<BlockId>& to) {
  Block& block = draft.block;
  const auto here = [this] { return static_cast<std::uint32_t>(program_->code.size()); };
  block.is_leaf = true;
  for (std::size_t part = 0; part < kPartCount; ++part) {
    std::vector<Instruction>& code = draft.parts[part];
    const auto rest = std::stable_partition(code.begin(), code.end(),
                                            [&](const Instruction& i) { return fold(block, i); });
    block.first[part] = here();
    if (part < kAny) block.fast[part] = here() + static_cast<std::uint32_t>(rest - code.begin());
    for (Instruction i : code) {
      redirect(i, to);
      if (i.op == Op::Call && i.a == kAcceptAll) continue;
      block.is_leaf = block.is_leaf && !calls_blocks(i.op);
      program_->code.push_back(i);
    }
  }
  block.first[kPartCount] = here();
  block.is_scoped = block.records || program_->is_dynamic;
  choose_checks(block);
  program_->blocks.push_back(block);
}

// A check with the bounds and the target that it reads.
struct SchemaCompiler::Wanted {
  Check check = Check::Code;
  std::uint32_t size_min = 0;
  std::uint32_t size_max = Block::kNoLimit;
  std::optional<std::uint32_t> target{};

  bool has_bounds() const { return size_min != 0 || size_max != Block::kNoLimit; }
};

// All checks of a block share one pair of bounds and one target: who comes late and needs others
// runs the code.
void SchemaCompiler::choose_checks(Block& block) const {
  Checks& checks = block.checks;
  checks.block = static_cast<BlockId>(program_->blocks.size());
  bool reads_bounds = false;
  bool reads_target = false;
  for (const Json::Type type :
       {Json::Type::Null, Json::Type::False, Json::Type::True, Json::Type::Number,
        Json::Type::String, Json::Type::Array, Json::Type::Object}) {
    Check& check = checks.of[static_cast<std::size_t>(type)];
    const Wanted wanted = check_for(block, type);
    check = wanted.check;
    const bool compares = wanted.target || wanted.has_bounds();
    if (check == Check::Code || !compares) continue;
    if ((reads_bounds &&
         (checks.size_min != wanted.size_min || checks.size_max != wanted.size_max)) ||
        (reads_target && wanted.target && checks.target != *wanted.target)) {
      check = Check::Code;
      continue;
    }
    reads_bounds = true;
    checks.size_min = wanted.size_min;
    checks.size_max = wanted.size_max;
    reads_target = reads_target || wanted.target;
    if (wanted.target) checks.target = *wanted.target;
  }
}

// The bounds of a block's numbers when all of them are integers with room around them.
std::optional<Range> SchemaCompiler::range_of(const Block& block) const {
  constexpr std::int64_t kMost = 1'000'000'000'000'000'000;
  Range range;
  if (block.not_negative) range.min = 0;
  for (std::uint32_t at = block.fast[kNumbers]; at < block.first[kNumbers + 1]; ++at) {
    const Instruction& i = program_->code[at];
    if (i.op > Op::ExclusiveMaximum) return std::nullopt;
    const auto bound = program_->bounds[i.a].exact.to_int64();
    if (!bound || *bound < -kMost || *bound > kMost) return std::nullopt;
    if (i.op <= Op::ExclusiveMinimum)
      range.min = std::max(range.min, *bound + (i.op == Op::Minimum ? 0 : 1));
    else
      range.max = std::min(range.max, *bound - (i.op == Op::Maximum ? 0 : 1));
  }
  return range;
}

SchemaCompiler::Wanted SchemaCompiler::check_for(const Block& block, Json::Type type) const {
  if ((block.types & type_bit(type)) == 0) return {.check = Check::Refuse};
  const std::uint32_t common = block.first[kPartCount] - block.first[kAny];
  if (type < Json::Type::Number) return {.check = common == 0 ? Check::Accept : Check::Code};
  const auto part = static_cast<std::size_t>(type) - static_cast<std::size_t>(Json::Type::Number);
  const std::uint32_t own = block.first[part + 1] - block.fast[part];
  if (type == Json::Type::Number) {
    if (common != 0) return {};
    if (own != 0) {
      const auto range = range_of(block);
      if (!range) return {};
      program_->ranges.push_back(*range);
      return {.check = Check::Range,
              .target = static_cast<std::uint32_t>(program_->ranges.size() - 1)};
    }
    if (block.integers_only) return {.check = block.not_negative ? Check::Natural : Check::Integer};
    return {.check = block.not_negative ? Check::NotNegative : Check::Accept};
  }
  if (common + own > 1) return {};
  const std::size_t kind = part - 1;
  Wanted wanted{.size_min = block.size_min[kind], .size_max = block.size_max[kind]};
  if (common + own == 0) {
    const bool text = type == Json::Type::String;
    wanted.check = !wanted.has_bounds() ? Check::Accept : text ? Check::Length : Check::Size;
    return wanted;
  }
  const Instruction& only = program_->code[own == 1 ? block.fast[part] : block.first[kAny]];
  wanted.target = only.a;
  if (only.op == Op::Pattern) {
    wanted.check = Check::Pattern;
  } else if (only.op == Op::Values && type == Json::Type::String && !wanted.has_bounds()) {
    wanted.check = Check::OneOfTexts;
  } else if (only.op == Op::Items && only.a == kAcceptAll) {
    wanted.check = Check::Size;
    wanted.target.reset();
  } else if (only.op == Op::Items && only.b == 0 && !block.is_scoped) {
    wanted.check = Check::Elements;
  } else if (only.op == Op::Members && !block.is_scoped &&
             program_->members[only.a].patterns.empty()) {
    wanted.check = Check::Members;
  }
  return wanted;
}

// Whether the block's own fields can hold the instruction; then they do.
bool SchemaCompiler::fold(Block& block, const Instruction& i) const {
  const auto at_least = [&](std::size_t kind) {
    block.size_min[kind] = std::max(block.size_min[kind], i.a);
    return true;
  };
  const auto at_most = [&](std::size_t kind) {
    block.size_max[kind] = std::min(block.size_max[kind], i.a);
    return true;
  };
  switch (i.op) {
    case Op::MinLength:
      return at_least(0);
    case Op::MaxLength:
      return at_most(0);
    case Op::MinItems:
      return at_least(1);
    case Op::MaxItems:
      return at_most(1);
    case Op::MinProperties:
      return at_least(2);
    case Op::MaxProperties:
      return at_most(2);
    case Op::Minimum:
      if (!program_->bounds[i.a].is_zero) return false;
      block.not_negative = true;
      return true;
    default:
      return false;
  }
}

void SchemaCompiler::redirect(Instruction& i, const std::vector<BlockId>& to) {
  switch (i.op) {
    case Op::Call:
    case Op::Not:
    case Op::Items:
    case Op::Contains:
    case Op::PropertyNames:
    case Op::UnevaluatedItems:
    case Op::UnevaluatedProperties:
      i.a = to[i.a];
      break;
    case Op::DependentSchema:
      i.b = to[i.b];
      break;
    default:
      break;
  }
}

}  // namespace weft::contracts
