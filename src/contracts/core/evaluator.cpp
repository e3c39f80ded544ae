#include "contracts/core/evaluator.h"

#include <algorithm>

#include "contracts/core/describe.h"
#include "contracts/core/value_order.h"

namespace weft::contracts {
namespace {

constexpr std::array<Part, 7> kPartOfType = {kAny,     kAny,    kAny,    kNumbers,
                                             kStrings, kArrays, kObjects};

}  // namespace

std::string InstancePath::pointer() const {
  if (up == nullptr && key.empty() && !is_element) return "";
  std::string out = up == nullptr ? "" : up->pointer();
  out += '/';
  return out += is_element ? std::to_string(index) : escape_pointer_token(key);
}

std::vector<Violation> Evaluator::violations(BlockId block, const Json& instance, std::size_t max) {
  // At least one, so that a refusal is never without a reason.
  max_ = std::max<std::size_t>(max, 1);
  const InstancePath root;
  run<true>(block, instance, nullptr, &root);
  if (limit_ != nullptr) {
    out_.clear();
    report(program_.blocks[block].types_place, &root, limit_);
  }
  return std::move(out_);
}

bool Evaluator::report(std::uint32_t place, const InstancePath* path, std::string message) {
  if (is_full()) return false;
  // The root of the path is a node without a key: it adds nothing to the pointer.
  std::string pointer;
  if (path->up != nullptr) pointer = path->pointer();
  out_.push_back({std::move(pointer), program_.places[place], std::move(message)});
  return false;
}

// The rest of the evaluation ends at once, for every further step is refused.
bool Evaluator::exceed(const char* limit) {
  if (limit_ == nullptr) limit_ = limit;
  steps_left_ = 0;
  return false;
}

bool Evaluator::is_zero(const Json& number) {
  return compare_numbers(number.number(), "0") == 0;
}

bool Evaluator::length_fits(const Json& text, std::uint32_t min, std::uint32_t max) {
  if (min == 0 && text.size() <= max) return true;
  const std::size_t length = count_characters(text.as_string());
  return length >= min && length <= max;
}

void Evaluator::report_type(const Block& block, const Json& value, const InstancePath* path) {
  report(block.types_place, path, describe_types(block, value));
}

template <bool kReport>
[[gnu::always_inline]] inline bool Evaluator::execute(const Instruction& i, const Json& value,
                                                      EvaluatedSet* marks,
                                                      const InstancePath* path) {
  switch (i.op) {
    case Op::Minimum:
    case Op::ExclusiveMinimum:
    case Op::Maximum:
    case Op::ExclusiveMaximum:
    case Op::MultipleOf:
      return number<kReport>(i, value, path);
    case Op::MinLength:
    case Op::MaxLength:
    case Op::Pattern:
    case Op::Format:
      return string<kReport>(i, value, path);
    case Op::MinItems:
      if (value.size() >= i.a) return true;
      return kReport && report_count(i, path, "must have at least {} element{}");
    case Op::MaxItems:
      if (value.size() <= i.a) return true;
      return kReport && report_count(i, path, "must have at most {} element{}");
    case Op::MinProperties:
      if (value.size() >= i.a) return true;
      return kReport && report_count(i, path, "must have at least {} member{}");
    case Op::MaxProperties:
      if (value.size() <= i.a) return true;
      return kReport && report_count(i, path, "must have at most {} member{}");
    case Op::UniqueItems:
      return unique_items<kReport>(i, value, path);
    case Op::PrefixItems:
      return prefix_items<kReport>(i, value, marks, path);
    case Op::Items:
      return items<kReport>(i, value, marks, path);
    case Op::Contains:
      return contains<kReport>(i, value, marks, path);
    case Op::Members:
      return members<kReport>(i, value, marks, path);
    case Op::Required:
      return required<kReport>(i, value, path);
    case Op::PropertyNames:
      return property_names<kReport>(i, value, path);
    case Op::DependentRequired:
      return dependent_required<kReport>(i, value, path);
    case Op::DependentSchema:
      return value.find(program_.names[i.a][0]) == nullptr || run<kReport>(i.b, value, marks, path);
    case Op::Values:
      return values<kReport>(i, value, path);
    case Op::Call:
      return run<kReport>(i.a, value, marks, path);
    case Op::DynamicCall:
      return run<kReport>(dynamic_target(program_.dynamic_targets[i.a]), value, marks, path);
    case Op::AnyOf:
      return any_of<kReport>(i, value, marks, path);
    case Op::OneOf:
      return one_of<kReport>(i, value, marks, path);
    case Op::Not:
      if (!try_quietly(i.a, value, nullptr)) return true;
      return kReport && report(i.place, path, "must not match this schema");
    case Op::If:
      return if_then_else<kReport>(i, value, marks, path);
    case Op::UnevaluatedItems:
    case Op::UnevaluatedProperties:
      return unevaluated<kReport>(i, value, marks, path);
  }
  return false;
}

template <bool kReport>
[[gnu::always_inline]] inline bool Evaluator::run_code(std::uint32_t from, std::uint32_t to,
                                                       const Json& value, EvaluatedSet* marks,
                                                       const InstancePath* path) {
  const Instruction* at = program_.code.data() + from;
  const Instruction* const end = program_.code.data() + to;
  bool ok = true;
  for (; at != end; ++at) {
    if (execute<kReport>(*at, value, marks, path)) continue;
    if (!kReport || is_full()) return false;
    ok = false;
  }
  return ok;
}

bool Evaluator::run_reporting(const Block& block, const Json& value, EvaluatedSet* marks,
                              const InstancePath* path) {
  if ((block.types & type_bit(value.type())) == 0 ||
      (block.integers_only && value.is_number() && !value.is_integer())) {
    report_type(block, value, path);
    return false;
  }
  if (block.is_empty()) return true;
  if (block.is_leaf) return run_body<true>(block, value, marks, path);
  return run_nested<true>(block, value, marks, path);
}

bool Evaluator::run_checked(const Block& block, const Json& value, EvaluatedSet* marks) {
  if (value.is_number() ? !number_fits(block, value)
                        : value.type() >= Json::Type::String && !size_fits(block, value))
    return false;
  if (block.is_leaf) return run_body<false>(block, value, marks, nullptr);
  return run_nested<false>(block, value, marks, nullptr);
}

template <bool kReport>
bool Evaluator::run_nested(const Block& block, const Json& value, EvaluatedSet* marks,
                           const InstancePath* path) {
  if (!enter()) return false;
  const bool ok = block.is_scoped ? run_scoped<kReport>(block, value, marks, path)
                                  : run_body<kReport>(block, value, marks, path);
  --depth_;
  return ok;
}

template <bool kReport>
bool Evaluator::run_scoped(const Block& block, const Json& value, EvaluatedSet* marks,
                           const InstancePath* path) {
  const Scope* const before = scope_;
  const Scope here{before, block.resource};
  if (program_.is_dynamic && (before == nullptr || before->resource != block.resource))
    scope_ = &here;
  bool ok = false;
  if (block.records && (value.is_object() || value.is_array())) {
    EvaluatedSet own(value.size());
    ok = run_body<kReport>(block, value, &own, path);
    if (marks != nullptr) marks->add(own);
  } else {
    ok = run_body<kReport>(block, value, marks, path);
  }
  scope_ = before;
  return ok;
}

template <bool kReport>
bool Evaluator::run_body(const Block& block, const Json& value, EvaluatedSet* marks,
                         const InstancePath* path) {
  const Part part = kPartOfType[static_cast<std::size_t>(value.type())];
  bool ok = true;
  if (part != kAny) {
    const std::uint32_t from = kReport ? block.first[part] : block.fast[part];
    ok = run_code<kReport>(from, block.first[part + 1], value, marks, path);
  }
  if (ok || kReport)
    ok = run_code<kReport>(block.first[kAny], block.first[kPartCount], value, marks, path) && ok;
  return ok;
}

bool Evaluator::report_count(const Instruction& i, const InstancePath* path, const char* sentence) {
  return report(i.place, path, describe_count(sentence, i.a));
}

namespace {

// Most bounds are decided by the sign, or by the number of digits and their order as text.
std::strong_ordering compare_to_bound(const Json& value, const Bound& bound) {
  const std::string_view number = value.number();
  if (!value.has_minus()) {
    if (bound.is_zero && number[0] != '0') return std::strong_ordering::greater;
    if (value.is_plain_integer() && !bound.natural.empty()) {
      if (number.size() != bound.natural.size()) return number.size() <=> bound.natural.size();
      return number.compare(bound.natural) <=> 0;
    }
    const auto plain = bound.whole_digits > 0 ? PlainDecimal::of(number) : std::nullopt;
    if (plain && plain->whole_digits != bound.whole_digits)
      return plain->whole_digits <=> bound.whole_digits;
  }
  const auto small = bound.small ? SmallDecimal::parse(number) : std::nullopt;
  return small ? *small <=> *bound.small : compare_numbers(number, bound.lexeme);
}

bool is_multiple(const Json& value, const Bound& bound) {
  if (bound.places) {
    const auto plain = PlainDecimal::of(value.number());
    if (plain && plain->places <= *bound.places) return true;
  }
  const auto small = bound.small ? SmallDecimal::parse(value.number()) : std::nullopt;
  if (small) return small->is_multiple_of(*bound.small);
  const auto exact = Decimal::parse(value.number());
  return exact && exact->is_multiple_of(bound.exact);
}

}  // namespace

template <bool kReport>
bool Evaluator::number(const Instruction& i, const Json& value, const InstancePath* path) {
  const Bound& bound = program_.bounds[i.a];
  bool ok = false;
  switch (i.op) {
    case Op::Minimum:
      ok = compare_to_bound(value, bound) >= 0;
      break;
    case Op::ExclusiveMinimum:
      ok = compare_to_bound(value, bound) > 0;
      break;
    case Op::Maximum:
      ok = compare_to_bound(value, bound) <= 0;
      break;
    case Op::ExclusiveMaximum:
      ok = compare_to_bound(value, bound) < 0;
      break;
    default:
      ok = is_multiple(value, bound);
      break;
  }
  if constexpr (kReport) {
    if (!ok) report(i.place, path, describe_bound(i.op, bound));
  }
  return ok;
}

template <bool kReport>
bool Evaluator::string(const Instruction& i, const Json& value, const InstancePath* path) {
  bool ok = false;
  switch (i.op) {
    // A character has one to four bytes, so the size in bytes often decides.
    case Op::MinLength:
      ok =
          value.size() >= std::uint64_t{i.a} * 4 ||
          (value.size() >= i.a && (value.is_ascii() || count_characters(value.as_string()) >= i.a));
      break;
    case Op::MaxLength:
      ok = value.size() <= i.a || (!value.is_ascii() && value.size() <= std::uint64_t{i.a} * 4 &&
                                   count_characters(value.as_string()) <= i.a);
      break;
    case Op::Pattern:
      ok = program_.patterns[i.a].matches(value.as_string());
      break;
    default:
      ok = program_.formats[i.a](value.as_string());
      break;
  }
  if constexpr (kReport) {
    if (!ok) report(i.place, path, describe_string(program_, i));
  }
  return ok;
}

template <bool kReport>
bool Evaluator::values(const Instruction& i, const Json& value, const InstancePath* path) {
  const ValueSet& set = program_.values[i.a];
  bool ok = (set.simple_types & type_bit(value.type())) != 0;
  if (value.is_string()) {
    ok = set.strings.find(value.as_string()) != NameTable::kAbsent;
  } else if (!ok) {
    ok = std::any_of(set.others.begin(), set.others.end(),
                     [&](const JsonDocument& other) { return other.root() == value; });
  }
  if constexpr (kReport) {
    if (!ok) report(i.place, path, describe_values(set, i.b == 1));
  }
  return ok;
}

template <bool kReport>
bool Evaluator::unique_items(const Instruction& i, const Json& value, const InstancePath* path) {
  const auto repeated = repeated_element(value.elements());
  if (!repeated) return true;
  if constexpr (kReport)
    report(i.place, path,
           fmt::format("elements {} and {} are equal", repeated->first, repeated->second));
  return false;
}

template <bool kReport>
bool Evaluator::prefix_items(const Instruction& i, const Json& value, EvaluatedSet* marks,
                             const InstancePath* path) {
  bool ok = true;
  for (std::uint32_t n = 0; n < std::min(i.b, value.size()); ++n) {
    if (marks != nullptr) marks->add(n);
    const InstancePath here{path, {}, n, true};
    if (run<kReport>(program_.lists[i.a + n], value.elements()[n], nullptr, &here)) continue;
    if (!kReport || is_full()) return false;
    ok = false;
  }
  return ok;
}

template <bool kReport>
bool Evaluator::items(const Instruction& i, const Json& value, EvaluatedSet* marks,
                      const InstancePath* path) {
  if (marks != nullptr) marks->add_all();
  if (i.a == kAcceptAll) return true;
  bool ok = true;
  const std::span<const Json> elements = value.elements();
  for (std::uint32_t n = i.b; n < elements.size(); ++n) {
    const InstancePath here{path, {}, n, true};
    if (run<kReport>(i.a, elements[n], nullptr, &here)) continue;
    if (!kReport || is_full()) return false;
    ok = false;
  }
  return ok;
}

template <bool kReport>
bool Evaluator::contains(const Instruction& i, const Json& value, EvaluatedSet* marks,
                         const InstancePath* path) {
  const CountRange& range = program_.counts[i.b];
  std::uint64_t found = 0;
  for (std::uint32_t n = 0; n < value.size(); ++n) {
    if (!try_quietly(i.a, value.elements()[n], nullptr)) continue;
    ++found;
    if (marks != nullptr && range.marks)
      marks->add(n);
    else if (!kReport && found >= range.min && range.max == ~std::uint64_t{0})
      return true;
  }
  if (found >= range.min && found <= range.max) return true;
  if constexpr (kReport)
    report(
        found < range.min ? range.min_place : range.max_place, path,
        fmt::format("must contain at {} {} matching element{}",
                    found < range.min ? "least" : "most", found < range.min ? range.min : range.max,
                    (found < range.min ? range.min : range.max) == 1 ? "" : "s"));
  return false;
}

template <bool kReport>
bool Evaluator::members(const Instruction& i, const Json& value, EvaluatedSet* marks,
                        const InstancePath* path) {
  const MembersTable& table = program_.members[i.a];
  if (!kReport && marks == nullptr && table.patterns.empty()) return known_members(table, value);
  std::uint64_t seen = 0;
  bool ok = true;
  std::uint32_t index = 0;
  for (const JsonMember& m : value.members()) {
    const std::uint32_t name = table.table.find(m.key());
    if (name != NameTable::kAbsent) seen |= table.names[name].required_bit;
    if (!member<kReport>(table, name, index, value, marks, path)) {
      if (!kReport || is_full()) return false;
      ok = false;
    }
    ++index;
  }
  if ((seen & table.required) == table.required) return ok;
  if constexpr (kReport) {
    for (std::size_t n = 0; n < table.names.size(); ++n)
      if ((table.names[n].required_bit & ~seen) != 0)
        report(table.required_place, path,
               fmt::format("the member '{}' is missing", table.table.names()[n]));
  }
  return false;
}

template <bool kReport>
bool Evaluator::member(const MembersTable& table, std::uint32_t name, std::uint32_t index,
                       const Json& object, EvaluatedSet* marks, const InstancePath* path) {
  const JsonMember& m = object.members()[index];
  const InstancePath here{path, kReport ? m.key() : std::string_view(), 0, false};
  bool ok = true;
  bool matched = false;
  if (name != NameTable::kAbsent && table.names[name].has_schema) {
    matched = true;
    ok = run<kReport>(table.names[name].block, m.value, nullptr, &here);
  }
  for (const MembersTable::ForPattern& p : table.patterns) {
    if (!ok && !kReport) return false;
    if (!program_.patterns[p.pattern].matches(m.key())) continue;
    matched = true;
    ok = run<kReport>(p.block, m.value, nullptr, &here) && ok;
  }
  if (!matched && table.has_additional) {
    matched = true;
    if (table.additional != kAcceptAll)
      ok = run<kReport>(table.additional, m.value, nullptr, &here);
  }
  if (matched && marks != nullptr) marks->add(index);
  return ok;
}

template <bool kReport>
bool Evaluator::required(const Instruction& i, const Json& value, const InstancePath* path) {
  bool ok = true;
  for (const std::string& name : program_.names[i.a]) {
    if (value.find(name) != nullptr) continue;
    if (!kReport) return false;
    ok = report(i.place, path, fmt::format("the member '{}' is missing", name));
  }
  return ok;
}

template <bool kReport>
bool Evaluator::property_names(const Instruction& i, const Json& value, const InstancePath* path) {
  bool ok = true;
  for (const JsonMember& m : value.members()) {
    const InstancePath here{path, m.key(), 0, false};
    if (run<kReport>(i.a, m.key_value, nullptr, &here)) continue;
    if (!kReport || is_full()) return false;
    ok = false;
  }
  return ok;
}

template <bool kReport>
bool Evaluator::dependent_required(const Instruction& i, const Json& value,
                                   const InstancePath* path) {
  const std::vector<std::string>& names = program_.names[i.a];
  if (value.find(names[0]) == nullptr) return true;
  bool ok = true;
  for (std::size_t n = 1; n < names.size(); ++n) {
    if (value.find(names[n]) != nullptr) continue;
    if (!kReport) return false;
    ok = report(i.place, path,
                fmt::format("the member '{}' is missing beside '{}'", names[n], names[0]));
  }
  return ok;
}

bool Evaluator::try_quietly(BlockId block, const Json& value, EvaluatedSet* marks) {
  if (marks == nullptr) return run<false>(block, value, nullptr, nullptr);
  EvaluatedSet branch(value.size());
  const bool ok = run<false>(block, value, &branch, nullptr);
  if (ok) marks->add(branch);
  return ok;
}

template <bool kReport>
bool Evaluator::any_of(const Instruction& i, const Json& value, EvaluatedSet* marks,
                       const InstancePath* path) {
  bool ok = false;
  for (std::uint32_t n = 0; n < i.b; ++n) {
    ok = try_quietly(program_.lists[i.a + n], value, marks) || ok;
    if (ok && marks == nullptr) return true;
  }
  if constexpr (kReport) {
    if (!ok) {
      report(i.place, path, fmt::format("must match at least one of {} schemas", i.b));
      report_closest(i, value, path);
    }
  }
  return ok;
}

template <bool kReport>
bool Evaluator::one_of(const Instruction& i, const Json& value, EvaluatedSet* marks,
                       const InstancePath* path) {
  std::uint32_t matching = 0;
  for (std::uint32_t n = 0; n < i.b; ++n) {
    matching += try_quietly(program_.lists[i.a + n], value, marks) ? 1 : 0;
    if (!kReport && matching > 1) return false;
  }
  if (matching == 1) return true;
  if constexpr (kReport) {
    report(i.place, path,
           fmt::format("must match exactly one of {} schemas, matches {}", i.b,
                       matching == 0 ? "none" : std::to_string(matching)));
    if (matching == 0) report_closest(i, value, path);
  }
  return false;
}

// When one alternative alone fits the value's type, its reasons are what the reader wants to know.
void Evaluator::report_closest(const Instruction& i, const Json& value, const InstancePath* path) {
  std::uint32_t fitting = 0;
  BlockId closest = kAcceptAll;
  for (std::uint32_t n = 0; n < i.b; ++n) {
    const BlockId block = program_.lists[i.a + n];
    if ((program_.blocks[block].types & type_bit(value.type())) == 0) continue;
    ++fitting;
    closest = block;
  }
  if (fitting == 1) run<true>(closest, value, nullptr, path);
}

template <bool kReport>
bool Evaluator::if_then_else(const Instruction& i, const Json& value, EvaluatedSet* marks,
                             const InstancePath* path) {
  const bool holds = try_quietly(program_.lists[i.a], value, marks);
  return run<kReport>(program_.lists[i.a + (holds ? 1 : 2)], value, marks, path);
}

template <bool kReport>
bool Evaluator::unevaluated(const Instruction& i, const Json& value, EvaluatedSet* marks,
                            const InstancePath* path) {
  const bool items = i.op == Op::UnevaluatedItems;
  if (!(items ? value.is_array() : value.is_object())) return true;
  bool ok = true;
  for (std::uint32_t n = 0; n < value.size(); ++n) {
    if (marks->has(n)) continue;
    const Json& child = items ? value.elements()[n] : value.members()[n].value;
    const InstancePath here{path, items ? std::string_view() : value.members()[n].key(), n, items};
    if (run<kReport>(i.a, child, nullptr, &here)) continue;
    if (!kReport || is_full()) return false;
    ok = false;
  }
  marks->add_all();
  return ok;
}

BlockId Evaluator::dynamic_target(const DynamicTarget& target) const {
  BlockId found = target.otherwise;
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer)
    for (const DynamicTarget::Candidate& candidate : target.candidates)
      if (candidate.resource == scope->resource) found = candidate.block;
  return found;
}

}  // namespace weft::contracts
