// Builtins over arrays and objects.
#include <algorithm>
#include <vector>

#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;

bool is_array(M& m, const V& value, std::string_view verb, const Node& at) {
  if (value.is_array()) return m.spend(value.size(), at);
  m.raise(fmt::format("{} cannot be {}, as it is not an array", named(value), verb), at);
  return false;
}

// Elements of an array, values of an object. False when `visit` says so, or when there are none to
// visit.
template <class Visit>
bool for_each_value(M& m, const V& all, const Visit& visit, const Node& at) {
  if (all.is_array()) {
    for (std::uint32_t i = 0; i < all.size(); ++i)
      if (!visit(all.element(i))) return false;
    return true;
  }
  if (!all.is_object()) {
    m.raise(fmt::format("Cannot iterate over {}", all.is_null() ? "null" : named(all)), at);
    return false;
  }
  for (MemberCursor member(all); member.next();)
    if (!visit(member.value())) return false;
  return true;
}

struct Keyed {
  V key;
  V value;
};

// Stable, by key.
std::vector<Keyed> sorted(const V& values, const V& keys) {
  std::vector<Keyed> all;
  all.reserve(values.size());
  for (std::uint32_t i = 0; i < values.size(); ++i)
    all.push_back({keys.element(i), values.element(i)});
  std::stable_sort(all.begin(), all.end(),
                   [](const Keyed& a, const Keyed& b) { return compare(a.key, b.key) < 0; });
  return all;
}

V sort_with(const V& values, const V& keys) {
  V made = V::new_array(values.size());
  for (Keyed& one : sorted(values, keys)) made.append(std::move(one.value));
  return made;
}

V group_with(const V& values, const V& keys) {
  V groups = V::new_array();
  V group;
  V key;
  for (Keyed& one : sorted(values, keys)) {
    if (group.is_null() || !equal(key, one.key)) {
      if (!group.is_null()) groups.append(std::move(group));
      group = V::new_array();
      key = one.key;
    }
    group.append(std::move(one.value));
  }
  if (!group.is_null()) groups.append(std::move(group));
  return groups;
}

V unique_with(const V& values, const V& keys) {
  V made = V::new_array();
  const auto all = sorted(values, keys);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i == 0 || !equal(all[i - 1].key, all[i].key)) made.append(all[i].value);
  return made;
}

// The first of the least, the last of the greatest.
V extreme(const V& values, const V& keys, bool greatest) {
  if (values.size() == 0) return {};
  std::uint32_t best = 0;
  for (std::uint32_t i = 1; i < values.size(); ++i) {
    const int order = compare(keys.element(i), keys.element(best));
    if (greatest ? order >= 0 : order < 0) best = i;
  }
  return values.element(best);
}

V b_sort(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "sorted", at) ? sort_with(a[0], a[0]) : V();
}
V b_sort_by(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "sorted", at) ? sort_with(a[0], a[1]) : V();
}
V b_group_by(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "grouped", at) ? group_with(a[0], a[1]) : V();
}
V b_unique(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "sorted", at) ? unique_with(a[0], a[0]) : V();
}
V b_unique_by(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "grouped", at) ? unique_with(a[0], a[1]) : V();
}
V b_min(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "iterated over", at) ? extreme(a[0], a[0], false) : V();
}
V b_max(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "iterated over", at) ? extreme(a[0], a[0], true) : V();
}
V b_min_by(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "iterated over", at) ? extreme(a[0], a[1], false) : V();
}
V b_max_by(M& m, V* a, const Node& at) {
  return is_array(m, a[0], "iterated over", at) ? extreme(a[0], a[1], true) : V();
}

V b_reverse(M& m, V* a, const Node& at) {
  if (a[0].is_null() || (a[0].is_number() && is_zero(a[0]))) return V::new_array();
  if (a[0].is_string()) {
    const std::string_view text = a[0].text();
    std::string out;
    for (std::size_t end = text.size(); end > 0;) {
      std::size_t begin = end - 1;
      while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) --begin;
      out += text.substr(begin, end - begin);
      end = begin;
    }
    return V::new_text(out);
  }
  if (!is_array(m, a[0], "reversed", at)) return {};
  V made = V::new_array(a[0].size());
  for (std::uint32_t i = a[0].size(); i > 0; --i) made.append(a[0].element(i - 1));
  return made;
}

V b_to_entries(M& m, V* a, const Node& at) {
  if (!a[0].is_object() && !a[0].is_array()) return m.raise(named(a[0]) + " has no keys", at);
  V made = V::new_array(a[0].size());
  for (std::uint32_t i = 0; a[0].is_array() && i < a[0].size(); ++i) {
    V entry = V::new_object(2);
    entry.set_member(V::text("key"), V::integer(i));
    entry.set_member(V::text("value"), a[0].element(i));
    made.append(std::move(entry));
  }
  if (a[0].is_array()) return m.spend(a[0].size(), at) ? made : V();
  for (MemberCursor member(a[0]); member.next();) {
    V entry = V::new_object(2);
    entry.set_member(V::text("key"), member.key());
    entry.set_member(V::text("value"), member.value());
    made.append(std::move(entry));
  }
  return m.spend(a[0].size(), at) ? made : V();
}

// The first of the members that is neither null nor false; else the last one.
V first_member(M& m, const V& entry, std::initializer_list<std::string_view> names,
               const Node& at) {
  V found;
  for (const std::string_view name : names) {
    found = index_value(m, entry, V::text(name), at);
    if (found.is_true_like() || m.stopped()) break;
  }
  return found;
}

V b_from_entries(M& m, V* a, const Node& at) {
  V made = V::new_object();
  const auto add = [&](const V& entry) {
    V key = first_member(m, entry, {"key", "Key", "name", "Name"}, at);
    if (m.stopped() || !m.spend(1, at)) return false;
    if (!key.is_string()) {
      m.raise(fmt::format("Cannot use {} as object key", named(key)), at);
      return false;
    }
    V value;
    if (entry.is_object())
      for (const std::string_view name : {"value", "Value"})
        if (auto found = entry.member(name)) {
          value = *std::move(found);
          break;
        }
    made.set_member(std::move(key), std::move(value));
    return true;
  };
  return for_each_value(m, a[0], add, at) ? made : V();
}

bool flatten_into(M& m, V& made, const V& value, double depth, const Node& at) {
  if (!m.spend(1, at)) return false;
  const auto add = [&](V element) {
    if (element.is_array() && depth != 0) return flatten_into(m, made, element, depth - 1, at);
    made.append(std::move(element));
    return true;
  };
  return for_each_value(m, value, add, at);
}

V b_flatten(M& m, V* a, const Node& at) {
  V made = V::new_array();
  return flatten_into(m, made, a[0], -1, at) ? made : V();
}

V b_flatten_to(M& m, V* a, const Node& at) {
  if (!a[1].is_number()) return m.raise("flatten depth must not be negative", at);
  const double depth = double_of(a[1]);
  if (depth < 0) return m.raise("flatten depth must not be negative", at);
  V made = V::new_array();
  return flatten_into(m, made, a[0], depth, at) ? made : V();
}

// Rows are the elements of an array or the values of an object; null is an empty row.
V b_transpose(M& m, V* a, const Node& at) {
  std::vector<V> rows;
  std::uint32_t width = 0;
  if (!m.spend(a[0].is_array() || a[0].is_object() ? a[0].size() : 1, at)) return {};
  const auto add = [&](const V& row) {
    const bool has_cells = row.is_array() || (row.is_object() && row.size() == 0) ||
                           row.is_null() || (row.is_string() && row.text().empty());
    if (!has_cells) {
      m.raise(fmt::format("Cannot index {} with number", kind_name(row.kind())), at);
      return false;
    }
    if (row.is_array()) width = std::max(width, row.size());
    rows.push_back(row.is_array() ? row : V::new_array());
    return true;
  };
  if (!for_each_value(m, a[0], add, at)) return {};
  if (!m.spend(std::size_t{width} * rows.size(), at)) return {};
  V made = V::new_array(width);
  for (std::uint32_t column = 0; column < width; ++column) {
    V line = V::new_array(static_cast<std::uint32_t>(rows.size()));
    for (const V& row : rows) line.append(column < row.size() ? row.element(column) : V());
    made.append(std::move(line));
  }
  return made;
}

V b_bsearch(M& m, V* a, const Node& at) {
  const bool empty = a[0].is_null() || (a[0].is_string() && a[0].text().empty()) ||
                     (a[0].is_object() && a[0].size() == 0);
  if (empty) return V::integer(-1);
  if (!is_array(m, a[0], "searched from", at)) return {};
  std::uint32_t low = 0;
  std::uint32_t high = a[0].size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const int order = compare(a[0].element(middle), a[1]);
    if (order == 0) return V::integer(middle);
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return V::integer(-1 - static_cast<std::int64_t>(low));
}

V b_indices(M& m, V* a, const Node& at) {
  if (a[0].is_string() && a[1].is_string()) {
    V found = V::new_array();
    const std::string_view text = a[0].text();
    const std::string_view part = a[1].text();
    if (part.empty()) return found;
    std::size_t counted_to = 0;
    std::size_t count = 0;
    for (std::size_t at_byte = find_text(text, part); at_byte != std::string_view::npos;
         at_byte = find_text(text, part, at_byte + 1)) {
      count += code_points(text.substr(counted_to, at_byte - counted_to));
      counted_to = at_byte;
      found.append(number_of(count));
    }
    return found;
  }
  if (a[0].is_array() && a[1].is_array()) {
    const std::size_t work = std::size_t{a[0].size()} * std::max(1u, a[1].size());
    return m.spend(work / 8, at) ? indices_of(a[0], a[1]) : V();
  }
  if (a[0].is_array()) {
    V part = V::new_array(1);
    part.append(a[1]);
    return indices_of(a[0], part);
  }
  return index_value(m, a[0], a[1], at);
}

V b_index(M& m, V* a, const Node& at) {
  const V all = b_indices(m, a, at);
  if (m.stopped() || all.is_null()) return {};
  return index_value(m, all, V::integer(0), at);
}

V b_rindex(M& m, V* a, const Node& at) {
  const V all = b_indices(m, a, at);
  if (m.stopped() || all.is_null()) return {};
  return index_value(m, all, V::integer(-1), at);
}

V b_join(M& m, V* a, const Node& at) {
  V joined;
  const auto add = [&](const V& element) {
    V head = joined.is_null() ? V::new_text("") : add_values(m, std::move(joined), a[1], at);
    if (m.stopped()) return false;
    V part = element;
    if (element.is_null()) {
      part = V::text("");
    } else if (element.is_number() || element.kind() <= Kind::True) {
      std::string text;
      append_json(text, element);
      part = V::new_text(text);
    }
    joined = add_values(m, std::move(head), part, at);
    return !m.stopped() && m.spend(1, at);
  };
  if (!for_each_value(m, a[0], add, at)) return {};
  return joined.is_null() ? V::text("") : joined;
}

constexpr NativeEntry kCollectionBuiltins[] = {
    {"sort", 0, b_sort},
    {"_sort_by", 1, b_sort_by},
    {"_group_by", 1, b_group_by},
    {"unique", 0, b_unique},
    {"_unique_by", 1, b_unique_by},
    {"min", 0, b_min},
    {"max", 0, b_max},
    {"_min_by", 1, b_min_by},
    {"_max_by", 1, b_max_by},
    {"reverse", 0, b_reverse},
    {"to_entries", 0, b_to_entries},
    {"from_entries", 0, b_from_entries},
    {"flatten", 0, b_flatten},
    {"flatten", 1, b_flatten_to},
    {"transpose", 0, b_transpose},
    {"bsearch", 1, b_bsearch},
    {"indices", 1, b_indices},
    {"index", 1, b_index},
    {"rindex", 1, b_rindex},
    {"join", 1, b_join},
};

}  // namespace

std::span<const NativeEntry> collection_builtins() {
  return kCollectionBuiltins;
}

}  // namespace weft::mapping
