// Builtins over strings.
#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;

// A part of a text; borrowed when the text is.
V part_of(const V& whole, std::string_view part) {
  return whole.form() == V::Form::Text ? V::text(part) : V::new_text(part);
}

V b_startswith(M& m, V* a, const Node& at) {
  if (!a[0].is_string() || !a[1].is_string())
    return m.raise("startswith() requires string inputs", at);
  return V::boolean(a[0].text().starts_with(a[1].text()));
}

V b_endswith(M& m, V* a, const Node& at) {
  if (!a[0].is_string() || !a[1].is_string())
    return m.raise("endswith() requires string inputs", at);
  return V::boolean(a[0].text().ends_with(a[1].text()));
}

V without_start(V& text, const V& part) {
  if (!text.is_string() || !part.is_string() || !text.text().starts_with(part.text()))
    return std::move(text);
  return part_of(text, text.text().substr(part.text().size()));
}

V without_end(V& text, const V& part) {
  if (!text.is_string() || !part.is_string() || !text.text().ends_with(part.text()))
    return std::move(text);
  return part_of(text, text.text().substr(0, text.text().size() - part.text().size()));
}

V b_ltrimstr(M& /*m*/, V* a, const Node& /*at*/) {
  return without_start(a[0], a[1]);
}

V b_rtrimstr(M& /*m*/, V* a, const Node& /*at*/) {
  return without_end(a[0], a[1]);
}

V b_trimstr(M& /*m*/, V* a, const Node& /*at*/) {
  V rest = without_start(a[0], a[1]);
  return without_end(rest, a[1]);
}

V trimmed(M& m, const V& text, bool left, bool right, const Node& at) {
  if (!text.is_string()) return m.raise(named(text) + " cannot be trimmed", at);
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  std::string_view rest = text.text();
  while (left && !rest.empty() && kSpace.contains(rest.front())) rest.remove_prefix(1);
  while (right && !rest.empty() && kSpace.contains(rest.back())) rest.remove_suffix(1);
  return part_of(text, rest);
}

V b_trim(M& m, V* a, const Node& at) {
  return trimmed(m, a[0], true, true, at);
}
V b_ltrim(M& m, V* a, const Node& at) {
  return trimmed(m, a[0], true, false, at);
}
V b_rtrim(M& m, V* a, const Node& at) {
  return trimmed(m, a[0], false, true, at);
}

V b_split(M& m, V* a, const Node& at) {
  if (!a[0].is_string() || !a[1].is_string())
    return m.raise("split input and separator must be strings", at);
  return split_text(m, a[0], a[1].text(), at);
}

V cased(M& m, const V& text, char first, char last, int shift, std::string_view name,
        const Node& at) {
  if (!text.is_string()) return m.raise(fmt::format("{} input must be a string", name), at);
  std::string out(text.text());
  for (char& c : out)
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  return V::new_text(out);
}

V b_ascii_downcase(M& m, V* a, const Node& at) {
  return cased(m, a[0], 'A', 'Z', 'a' - 'A', "ascii_downcase", at);
}

V b_ascii_upcase(M& m, V* a, const Node& at) {
  return cased(m, a[0], 'a', 'z', 'A' - 'a', "ascii_upcase", at);
}

V b_explode(M& m, V* a, const Node& at) {
  if (!a[0].is_string()) return m.raise(named(a[0]) + " cannot be exploded", at);
  const std::string_view text = a[0].text();
  const std::size_t count = code_points(text);
  if (!m.has_room(count * sizeof(V), at) || !m.spend(text.size() / 64, at)) return {};
  V codes = V::new_array(count);
  for (std::size_t i = 0; i < text.size();) {
    const unsigned length = std::max(1u, utf8_length(text.data() + i, text.data() + text.size()));
    constexpr unsigned kFirst[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    std::uint32_t code = static_cast<unsigned char>(text[i]) & kFirst[length];
    for (unsigned k = 1; k < length; ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fu);
    codes.append(V::integer(code));
    i += length;
  }
  return m.spend(codes.size(), at) ? codes : V();
}

V b_implode(M& m, V* a, const Node& at) {
  if (!a[0].is_array()) return m.raise("implode input must be an array", at);
  if (!m.spend(a[0].size(), at) || !m.has_room(a[0].size() * std::size_t{4}, at)) return {};
  std::string out;
  for (std::uint32_t i = 0; i < a[0].size(); ++i) {
    const V code = a[0].element(i);
    if (!code.is_number() || is_nan(code))
      return m.raise(
          fmt::format("{} can't be imploded, unicode codepoint needs to be numeric", named(code)),
          at);
    std::int64_t value = whole_part(code);
    if (value < 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) value = 0xfffd;
    char room[4];
    out.append(room, utf8_put(room, static_cast<std::uint32_t>(value)));
  }
  return V::new_text(out);
}

constexpr NativeEntry kTextBuiltins[] = {
    {"startswith", 1, b_startswith},
    {"endswith", 1, b_endswith},
    {"ltrimstr", 1, b_ltrimstr},
    {"rtrimstr", 1, b_rtrimstr},
    {"trimstr", 1, b_trimstr},
    {"trim", 0, b_trim},
    {"ltrim", 0, b_ltrim},
    {"rtrim", 0, b_rtrim},
    {"split", 1, b_split},
    {"ascii_downcase", 0, b_ascii_downcase},
    {"ascii_upcase", 0, b_ascii_upcase},
    {"explode", 0, b_explode},
    {"implode", 0, b_implode},
};

}  // namespace

std::span<const NativeEntry> text_builtins() {
  return kTextBuiltins;
}

}  // namespace weft::mapping
