// Builtins over regular expressions.
#include <vector>

#include "base/utf8.h"
#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/regex.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;
using Group = Regex::Group;

bool read_flags(M& m, const V& value, RegexFlags& flags, const Node& at) {
  if (value.is_null()) return true;
  if (!value.is_string()) {
    m.raise(named(value) + " is not a string", at);
    return false;
  }
  for (const char c : value.text()) {
    if (c == 'g') {
      flags.global = true;
    } else if (c == 'i') {
      flags.ignore_case = true;
    } else if (c == 'x') {
      flags.extended = true;
    } else if (c == 'p' || c == 'm') {
      flags.dot_is_any = true;
    } else if (c == 'l') {
      flags.longest = true;
    } else if (c == 'n') {
      flags.skip_empty = true;
    } else if (c != 's') {
      m.raise(fmt::format("{} is not a valid modifier string", value.text()), at);
      return false;
    }
  }
  return true;
}

// Counts code points up to byte offsets that are near one another.
class CodePointCounter {
 public:
  explicit CodePointCounter(std::string_view text) : text_(text) {}
  std::size_t at(std::size_t byte) {
    if (byte < byte_)
      count_ -= code_points(text_.substr(byte, byte_ - byte));
    else
      count_ += code_points(text_.substr(byte_, byte - byte_));
    byte_ = byte;
    return count_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t count_ = 0;
};

V part(const V& text, const Group& group) {
  const std::string_view bytes = text.text().substr(group.offset, group.size);
  return text.form() == V::Form::Text ? V::text(bytes) : V::new_text(bytes);
}

V described(const V& text, const Group& group, CodePointCounter& counter) {
  V made = V::new_object(5);
  if (group.offset == std::string_view::npos) {
    made.set_member(V::text("offset"), V::integer(-1));
    made.set_member(V::text("length"), V::integer(0));
    made.set_member(V::text("string"), {});
    return made;
  }
  made.set_member(V::text("offset"), number_of(counter.at(group.offset)));
  made.set_member(V::text("length"),
                  number_of(code_points(text.text().substr(group.offset, group.size))));
  made.set_member(V::text("string"), part(text, group));
  return made;
}

// As in jq: in an empty match, a group that took no part is empty too.
const Group& taken(const std::vector<Group>& groups, std::size_t i) {
  const bool absent = groups[i].offset == std::string_view::npos;
  return absent && groups[0].size == 0 ? groups[0] : groups[i];
}

V match_object(const V& text, const Regex& regex, const std::vector<Group>& groups,
               CodePointCounter& counter) {
  V made = described(text, groups[0], counter);
  V captures = V::new_array(groups.size() - 1);
  for (std::size_t i = 1; i < groups.size(); ++i) {
    V capture = described(text, taken(groups, i), counter);
    const std::string& name = regex.names()[i - 1];
    capture.set_member(V::text("name"), name.empty() ? V() : V::new_text(name));
    captures.append(std::move(capture));
  }
  made.set_member(V::text("captures"), std::move(captures));
  return made;
}

// Calls `each` with the groups of each match, until it says false.
template <class Each>
void each_match(M& m, V* a, const Node& at, bool only_first, Each each) {
  for (const V* text : {&a[0], &a[1]}) {
    if (text->is_string()) continue;
    m.raise(named(*text) + " cannot be matched, as it is not a string", at);
    return;
  }
  RegexFlags flags;
  if (!read_flags(m, a[2], flags, at)) return;
  const auto regex = m.regexes().get(a[1].text(), flags);
  if (!regex) {
    m.raise(regex.error().message, at);
    return;
  }
  const std::string_view text = a[0].text();
  std::vector<Group> groups;
  for (std::size_t from = 0; from <= text.size();) {
    if (!(*regex)->find(text, from, groups)) {
      m.spend(1 + (text.size() - from) / 64, at);
      return;
    }
    const std::size_t end = groups[0].offset + groups[0].size;
    const std::size_t looked = (*regex)->may_look_far() ? (text.size() - end) / 256 : 0;
    if (!m.spend(1 + (end - from) / 64 + looked, at)) return;
    if (!(flags.skip_empty && groups[0].size == 0) && !each(**regex, groups)) return;
    if (!flags.global || only_first) return;
    from = end;
    if (groups[0].size == 0)
      from += end < text.size()
                  ? std::max(1u, utf8_length(text.data() + end, text.data() + text.size()))
                  : 1;
  }
}

V b_match(M& m, V* a, const Node& at) {
  if (a[3].is_true_like()) {
    bool found = false;
    each_match(m, a, at, true, [&](const Regex&, const std::vector<Group>&) {
      found = true;
      return false;
    });
    return V::boolean(found);
  }
  V matches = V::new_array();
  CodePointCounter counter(a[0].is_string() ? a[0].text() : "");
  each_match(m, a, at, false, [&](const Regex& regex, const std::vector<Group>& groups) {
    matches.append(match_object(a[0], regex, groups, counter));
    return m.spend(groups.size() * 8, at);
  });
  return matches;
}

V b_splits(M& m, V* a, const Node& at) {
  V parts = V::new_array();
  std::size_t from = 0;
  each_match(m, a, at, false, [&](const Regex& /*regex*/, const std::vector<Group>& groups) {
    parts.append(part(a[0], {from, groups[0].offset - from}));
    from = groups[0].offset + groups[0].size;
    return true;
  });
  if (m.stopped()) return {};
  parts.append(part(a[0], {from, a[0].text().size() - from}));
  return parts;
}

// For sub: of each match, the text before it and its named captures; then the text after the last.
V b_pieces(M& m, V* a, const Node& at) {
  V matches = V::new_array();
  std::size_t from = 0;
  each_match(m, a, at, false, [&](const Regex& regex, const std::vector<Group>& groups) {
    V captures = V::new_object();
    for (std::size_t i = 1; i < groups.size(); ++i) {
      const std::string& name = regex.names()[i - 1];
      if (name.empty()) continue;
      const Group& group = taken(groups, i);
      const bool absent = group.offset == std::string_view::npos;
      captures.set_member(V::new_text(name), absent ? V() : part(a[0], group));
    }
    V one = V::new_array(2);
    one.append(part(a[0], {from, groups[0].offset - from}));
    one.append(std::move(captures));
    matches.append(std::move(one));
    from = groups[0].offset + groups[0].size;
    return m.spend(groups.size() * 2, at);
  });
  if (m.stopped()) return {};
  V made = V::new_array(2);
  made.append(std::move(matches));
  made.append(part(a[0], {from, a[0].text().size() - from}));
  return made;
}

// For sub: from matches as [text before, new texts…] the whole texts, one per place of a new text.
V b_glue(M& m, V* a, const Node& at) {
  std::vector<V> whole;
  for (std::uint32_t i = 0; i < a[0].size(); ++i) {
    const V match = a[0].element(i);
    if (!m.spend(match.size(), at)) return {};
    for (std::uint32_t k = 1; k < match.size(); ++k) {
      if (whole.size() < k) whole.emplace_back();
      const V piece = add_values(m, match.element(0), match.element(k), at);
      if (m.stopped()) return {};
      whole[k - 1] = add_values(m, std::move(whole[k - 1]), piece, at);
      if (m.stopped()) return {};
    }
  }
  V made = V::new_array(whole.size());
  for (V& one : whole) made.append(add_values(m, std::move(one), a[1], at));
  return made;
}

V b_captures(M& m, V* a, const Node& at) {
  V made = V::new_object();
  const V captures = index_value(m, a[0], V::text("captures"), at);
  for (std::uint32_t i = 0; captures.is_array() && i < captures.size(); ++i) {
    const V capture = captures.element(i);
    V name = index_value(m, capture, V::text("name"), at);
    if (name.is_string())
      made.set_member(std::move(name), index_value(m, capture, V::text("string"), at));
  }
  return made;
}

constexpr NativeEntry kPatternBuiltins[] = {{"_match", 3, b_match},
                                            {"_splits", 2, b_splits},
                                            {"_pieces", 2, b_pieces},
                                            {"_glue", 1, b_glue},
                                            {"_captures", 0, b_captures}};

}  // namespace

std::span<const NativeEntry> pattern_builtins() {
  return kPatternBuiltins;
}

}  // namespace weft::mapping
