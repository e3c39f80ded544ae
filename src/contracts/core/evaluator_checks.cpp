// The checks that need no code: what nearly all values of nearly all schemas go through.
#include "contracts/core/evaluator.h"

namespace weft::contracts {

// A number of other than a few digits is left to the code, which compares exactly.
bool Evaluator::check_range(const Checks& checks, const Json& number) {
  constexpr std::uint32_t kDigitsMax = 18;
  if (!number.is_plain_integer() || number.size() > kDigitsMax)
    return run_checked(program_.blocks[checks.block], number, nullptr);
  const Range& range = program_.ranges[checks.target];
  const std::string_view digits = number.number();
  std::int64_t value = 0;
  for (std::size_t i = number.has_minus() ? 1 : 0; i < digits.size(); ++i)
    value = value * 10 + (digits[i] - '0');
  if (number.has_minus()) value = -value;
  return value >= range.min && value <= range.max;
}

bool Evaluator::check_elements(const Checks& checks, const Json& array) {
  if (!enter()) return false;
  const Checks& each = program_.blocks[checks.target].checks;
  bool ok = true;
  for (const Json& element : array.elements()) {
    ok = check(each, element);
    if (!ok) break;
  }
  --depth_;
  return ok;
}

// The common case: no patterns, nobody asks what was evaluated, no reports. Producers mostly write
// members in the schema's order, so the next name is tried before the hash.
[[gnu::always_inline]] inline bool Evaluator::match_members(const MembersTable& table,
                                                            const Json& object) {
  const MembersTable::Known* known = table.known.data();
  std::uint64_t seen = 0;
  for (const JsonMember& m : object.members()) {
    const std::string_view key = m.key();
    if (!known->ends.fit(key) ||
        (key.size() > NameTable::Ends::kWhole && !is_all(table, *known, key))) [[unlikely]] {
      known = &look_up(table, key);
    }
    seen |= known->required_bit;
    if (!check(known->checks, m.value)) return false;
    known += known->step;
  }
  return (seen & table.required) == table.required;
}

bool Evaluator::is_all(const MembersTable& table, const MembersTable::Known& known,
                       std::string_view key) {
  return table.table.names()[static_cast<std::size_t>(&known - table.known.data())] == key;
}

const MembersTable::Known& Evaluator::look_up(const MembersTable& table, std::string_view key) {
  const std::uint32_t number = table.table.find(key);
  return number == NameTable::kAbsent ? table.known.back() : table.known[number];
}

bool Evaluator::check_members(const Checks& checks, const Json& object) {
  if (!enter()) return false;
  const bool ok = match_members(program_.members[checks.target], object);
  --depth_;
  return ok;
}

bool Evaluator::known_members(const MembersTable& table, const Json& object) {
  return match_members(table, object);
}

}  // namespace weft::contracts
