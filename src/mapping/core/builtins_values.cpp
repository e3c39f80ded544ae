// Builtins over values of any type.
#include <cmath>
#include <limits>

#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;

V b_not(M& /*m*/, V* a, const Node& /*at*/) {
  return V::boolean(!a[0].is_true_like());
}

V b_type(M& /*m*/, V* a, const Node& /*at*/) {
  return V::text(kind_name(a[0].kind()));
}

V b_length(M& m, V* a, const Node& at) {
  switch (a[0].kind()) {
    case Kind::Null:
      return V::integer(0);
    case Kind::Number:
      return is_zero(a[0]) ? V::integer(0) : absolute(a[0]);
    case Kind::String:
      return number_of(code_points(a[0].text()));
    case Kind::Array:
    case Kind::Object:
      return V::integer(a[0].size());
    default:
      return m.raise(named(a[0]) + " has no length", at);
  }
}

V b_utf8bytelength(M& m, V* a, const Node& at) {
  if (a[0].is_string()) return number_of(a[0].text().size());
  return m.raise(named(a[0]) + " only strings have UTF-8 byte length", at);
}

V keys_of(M& m, const V& value, const Node& at, bool sorted) {
  V keys = V::new_array();
  if (value.is_object()) {
    if (!m.spend(value.size(), at)) return {};
    if (sorted) {
      for (const Member& member : sorted_members(value)) keys.append(member.key);
    } else {
      for (MemberCursor member(value); member.next();) keys.append(member.key());
    }
    return keys;
  }
  if (!value.is_array()) return m.raise(named(value) + " has no keys", at);
  for (std::uint32_t i = 0; i < value.size(); ++i) keys.append(V::integer(i));
  return keys;
}

V b_keys(M& m, V* a, const Node& at) {
  return keys_of(m, a[0], at, true);
}

V b_keys_unsorted(M& m, V* a, const Node& at) {
  return keys_of(m, a[0], at, false);
}

V b_has(M& m, V* a, const Node& at) {
  if (a[0].is_object() && a[1].is_string()) return V::boolean(a[0].has_member(a[1].text()));
  if (a[0].is_array() && a[1].is_number()) {
    if (is_nan(a[1])) return V::boolean(false);
    const std::int64_t place = whole_part(a[1]);
    return V::boolean(place >= 0 && place < a[0].size());
  }
  if (a[0].is_null()) return V::boolean(false);
  return m.raise(fmt::format("Cannot check whether {} has a {} key", kind_name(a[0].kind()),
                             kind_name(a[1].kind())),
                 at);
}

bool contains(const V& whole, const V& part) {
  if (whole.is_object() && part.is_object()) {
    for (MemberCursor member(part); member.next();) {
      const auto mine = whole.member(member.key().text());
      if (!mine || !contains(*mine, member.value())) return false;
    }
    return true;
  }
  if (whole.is_array() && part.is_array()) {
    for (std::uint32_t i = 0; i < part.size(); ++i) {
      const V wanted = part.element(i);
      bool found = false;
      for (std::uint32_t j = 0; !found && j < whole.size(); ++j)
        found = whole.element(j).kind() == wanted.kind() && contains(whole.element(j), wanted);
      if (!found) return false;
    }
    return true;
  }
  if (whole.is_string() && part.is_string())
    return find_text(whole.text(), part.text()) != std::string_view::npos;
  return equal(whole, part);
}

// As in jq, true and false are of two kinds.
V b_contains(M& m, V* a, const Node& at) {
  if (a[0].kind() == a[1].kind()) return V::boolean(contains(a[0], a[1]));
  return m.raise(
      fmt::format("{} and {} cannot have their containment checked", named(a[0]), named(a[1])), at);
}

V b_add(M& m, V* a, const Node& at) {
  if (!a[0].is_array() && !a[0].is_object())
    return m.raise(fmt::format("Cannot iterate over {}", a[0].is_null() ? "null" : named(a[0])),
                   at);
  V sum;
  if (a[0].is_array()) {
    for (std::uint32_t i = 0; i < a[0].size() && m.spend(1, at); ++i)
      sum = add_values(m, std::move(sum), a[0].element(i), at);
  } else {
    for (MemberCursor member(a[0]); member.next() && m.spend(1, at);)
      sum = add_values(m, std::move(sum), member.value(), at);
  }
  return sum;
}

V b_tojson(M& m, V* a, const Node& at) {
  std::string text;
  return m.write_json(text, a[0], at) && m.has_room(text.size(), at) ? V::new_text(text) : V();
}

V b_tostring(M& m, V* a, const Node& at) {
  return a[0].is_string() ? std::move(a[0]) : b_tojson(m, a, at);
}

V b_fromjson(M& m, V* a, const Node& at) {
  if (!a[0].is_string()) return m.raise(named(a[0]) + " only strings can be parsed", at);
  return parse_json(m, a[0].text(), at);
}

V b_tonumber(M& m, V* a, const Node& at) {
  if (a[0].is_number()) return std::move(a[0]);
  if (!a[0].is_string()) return m.raise(named(a[0]) + " cannot be parsed as a number", at);
  auto number = number_from(a[0].text());
  return number ? *std::move(number) : m.raise(named(a[0]) + " cannot be parsed as a number", at);
}

V b_toboolean(M& m, V* a, const Node& at) {
  if (a[0].kind() == Kind::True || a[0].kind() == Kind::False) return std::move(a[0]);
  if (a[0].is_string() && a[0].text() == "true") return V::boolean(true);
  if (a[0].is_string() && a[0].text() == "false") return V::boolean(false);
  return m.raise(named(a[0]) + " cannot be parsed as a boolean", at);
}

V b_toarray(M& /*m*/, V* a, const Node& /*at*/) {
  if (a[0].is_array()) return std::move(a[0]);
  V made = V::new_array(1);
  made.append(std::move(a[0]));
  return made;
}

V b_error(M& m, V* a, const Node& at) {
  return m.raise(std::move(a[0]), at);
}

V b_error_of(M& m, V* a, const Node& at) {
  return m.raise(std::move(a[1]), at);
}

V b_infinite(M& /*m*/, V* /*a*/, const Node& /*at*/) {
  return V::real(std::numeric_limits<double>::infinity());
}

V b_nan(M& /*m*/, V* /*a*/, const Node& /*at*/) {
  return V::real(std::numeric_limits<double>::quiet_NaN());
}

V b_isnan(M& /*m*/, V* a, const Node& /*at*/) {
  return V::boolean(a[0].is_number() && is_nan(a[0]));
}

V b_isinfinite(M& /*m*/, V* a, const Node& /*at*/) {
  return V::boolean(a[0].form() == V::Form::Double && std::isinf(a[0].real()));
}

V b_isnormal(M& /*m*/, V* a, const Node& /*at*/) {
  return V::boolean(a[0].is_number() && std::isnormal(double_of(a[0])));
}

V b_abs(M& m, V* a, const Node& at) {
  if (a[0].is_number()) return absolute(a[0]);
  // As jq says it: what sorts below 0 would be negated.
  if (compare(a[0], V::integer(0)) > 0) return std::move(a[0]);
  return m.raise(named(a[0]) + " cannot be negated", at);
}

V b_format(M& m, V* a, const Node& at) {
  if (!a[1].is_string()) return m.raise(named(a[1]) + " is not a valid format", at);
  const auto format = format_named(a[1].text());
  if (!format) return m.raise(fmt::format("{} is not a valid format", a[1].text()), at);
  std::string text;
  return append_formatted(text, *format, a[0], m, at) ? V::new_text(text) : V();
}

constexpr NativeEntry kValueBuiltins[] = {
    {"not", 0, b_not},
    {"type", 0, b_type},
    {"length", 0, b_length},
    {"utf8bytelength", 0, b_utf8bytelength},
    {"keys", 0, b_keys},
    {"keys_unsorted", 0, b_keys_unsorted},
    {"has", 1, b_has},
    {"contains", 1, b_contains},
    {"add", 0, b_add},
    {"tojson", 0, b_tojson},
    {"tostring", 0, b_tostring},
    {"fromjson", 0, b_fromjson},
    {"tonumber", 0, b_tonumber},
    {"toboolean", 0, b_toboolean},
    {"toarray", 0, b_toarray},
    {"error", 0, b_error},
    {"error", 1, b_error_of},
    {"infinite", 0, b_infinite},
    {"nan", 0, b_nan},
    {"isnan", 0, b_isnan},
    {"isinfinite", 0, b_isinfinite},
    {"isnormal", 0, b_isnormal},
    {"abs", 0, b_abs},
    {"format", 1, b_format},
};

}  // namespace

std::span<const NativeEntry> value_builtins() {
  return kValueBuiltins;
}

}  // namespace weft::mapping
