// getpath, setpath and delpaths.
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"

namespace weft::mapping {
namespace {

constexpr std::uint32_t kPathMax = 10'000;

bool is_path(Machine& machine, const Value& path, const Node& at) {
  if (!path.is_array()) {
    machine.raise("Path must be specified as an array", at);
    return false;
  }
  if (path.size() <= kPathMax) return true;
  machine.exhausted(fmt::format("a path has more than {} keys", kPathMax), at);
  return false;
}

std::optional<SliceBounds> bounds_of(const Value& array, const Value& key) {
  const auto from = key.member("start");
  const auto to = key.member("end");
  if (!from || !to) return std::nullopt;
  return slice_bounds(*from, *to, array.size());
}

// array with [from, to) replaced.
Value spliced(const Value& array, SliceBounds bounds, const Value& part) {
  Value made = Value::new_array(array.size() + part.size());
  for (std::uint32_t i = 0; i < bounds.from; ++i) made.append(array.element(i));
  for (std::uint32_t i = 0; i < part.size(); ++i) made.append(part.element(i));
  for (std::uint32_t i = bounds.to; i < array.size(); ++i) made.append(array.element(i));
  return made;
}

Value refuse_key(Machine& machine, const Value& root, const Value& key, const Node& at) {
  if (root.is_string() && key.is_object()) return machine.raise("Cannot update string slices", at);
  if (key.is_string())
    return machine.raise(
        fmt::format("Cannot index {} with string \"{}\"", kind_name(root.kind()), key.text()), at);
  if (root.is_array() && key.is_array())
    return machine.raise("Cannot update field at array index of array", at);
  return machine.raise(
      fmt::format("Cannot index {} with {}", kind_name(root.kind()), kind_name(key.kind())), at);
}

Value set_from(Machine& machine, Value root, const Value& path, std::uint32_t i, Value value,
               const Node& at);

Value set_element(Machine& machine, Value root, const Value& path, std::uint32_t i, Value value,
                  const Node& at) {
  constexpr std::int64_t kIndexMax = 536'870'911;
  const Value key = path.element(i);
  if (is_nan(key)) return machine.raise("Cannot set array element at NaN index", at);
  if (root.is_null()) root = Value::new_array();
  std::int64_t place = whole_part(key);
  if (place < 0) place += root.size();
  if (place < 0) return machine.raise("Out of bounds negative array index", at);
  if (place > kIndexMax) return machine.raise("Array index too large", at);
  const auto index = static_cast<std::uint32_t>(place);
  if (index >= root.size()) {
    if (!machine.has_room((index + std::size_t{1}) * sizeof(Value), at)) return {};
    root.resize(index + 1);
  }
  Value child = std::exchange(root.own_elements()[index], Value());
  child = set_from(machine, std::move(child), path, i + 1, std::move(value), at);
  if (machine.stopped()) return {};
  root.note_depth(child);
  root.own_elements()[index] = std::move(child);
  return root;
}

Value set_slice(Machine& machine, const Value& root, const Value& path, std::uint32_t i,
                Value value, const Node& at) {
  const Value key = path.element(i);
  const Value array = root.is_null() ? Value::new_array() : root;
  const auto bounds = bounds_of(array, key);
  if (!bounds) return machine.raise("Array/string slice indices must be integers", at);
  Value part = slice_value(machine, root, key.member("start").value_or(Value()),
                           key.member("end").value_or(Value()), at);
  part = set_from(machine, std::move(part), path, i + 1, std::move(value), at);
  if (machine.stopped()) return {};
  if (!part.is_array())
    return machine.raise("A slice of an array can only be assigned another array", at);
  return machine.spend(array.size(), at) ? spliced(array, *bounds, part) : Value();
}

Value set_from(Machine& machine, Value root, const Value& path, std::uint32_t i, Value value,
               const Node& at) {
  if (i == path.size()) return value;
  const Value key = path.element(i);
  if (key.is_string() && (root.is_object() || root.is_null())) {
    if (root.is_null()) root = Value::new_object(1);
    Value* const place = root.own_member(key.text());
    Value child = place == nullptr ? Value() : std::exchange(*place, Value());
    child = set_from(machine, std::move(child), path, i + 1, std::move(value), at);
    if (machine.stopped()) return {};
    root.set_member(key, std::move(child));
    return root;
  }
  if (key.is_number() && (root.is_array() || root.is_null()))
    return set_element(machine, std::move(root), path, i, std::move(value), at);
  if (key.is_object() && (root.is_array() || root.is_null()))
    return set_slice(machine, root, path, i, std::move(value), at);
  return refuse_key(machine, root, key, at);
}

// Marks what a key of an array means, so that all keys are read against the same array.
bool mark_deleted(Machine& machine, const Value& array, const Value& key, std::vector<bool>& gone,
                  const Node& at) {
  if (key.is_number()) {
    if (is_nan(key)) return true;
    std::int64_t place = whole_part(key);
    if (place == 0 && compare(key, Value::integer(0)) < 0) return true;  // -0.5 is none
    if (place < 0) place += array.size();
    if (place >= 0 && place < array.size()) gone[static_cast<std::size_t>(place)] = true;
    return true;
  }
  if (key.is_object()) {
    const auto bounds = bounds_of(array, key);
    if (bounds) {
      for (std::uint32_t i = bounds->from; i < bounds->to; ++i) gone[i] = true;
      return true;
    }
    machine.raise("Start and end indices of an array slice must be numbers", at);
    return false;
  }
  machine.raise(fmt::format("Cannot delete field at array index of {}", kind_name(key.kind())), at);
  return false;
}

Value delete_keys(Machine& machine, Value root, const std::vector<Value>& keys, const Node& at) {
  if (root.is_null() || keys.empty()) return root;
  if (!machine.spend(root.is_array() || root.is_object() ? root.size() : 1, at)) return {};
  if (root.is_array()) {
    std::vector<bool> gone(root.size());
    for (const Value& key : keys)
      if (!mark_deleted(machine, root, key, gone, at)) return {};
    Value made = Value::new_array(root.size());
    for (std::uint32_t i = 0; i < root.size(); ++i)
      if (!gone[i]) made.append(root.element(i));
    return made;
  }
  if (!root.is_object())
    return machine.raise(fmt::format("Cannot delete fields from {}", kind_name(root.kind())), at);
  for (const Value& key : keys)
    if (!key.is_string())
      return machine.raise(
          fmt::format("Cannot delete field at object index of {}", kind_name(key.kind())), at);
  Value made = Value::new_object(root.size());
  for (MemberCursor member(root); member.next();) {
    const auto same = [&](const Value& key) { return key.text() == member.key().text(); };
    if (keys.size() > 8) {
      // They are sorted, largest first.
      const auto found =
          std::lower_bound(keys.begin(), keys.end(), member.key(),
                           [](const Value& a, const Value& b) { return a.text() > b.text(); });
      if (found != keys.end() && same(*found)) continue;
    } else if (std::any_of(keys.begin(), keys.end(), same)) {
      continue;
    }
    made.set_member(member.key(), member.value());
  }
  return made;
}

// Paths of one value, sorted largest first, from their key `depth` on: the parts of its children
// first, then its own keys, all at once.
Value delete_sorted(Machine& machine, Value root, std::span<const Value> paths, std::uint32_t depth,
                    const Node& at) {
  std::vector<Value> own;
  while (!paths.empty() && !machine.stopped()) {
    const Value key = paths.front().element(depth);
    std::size_t count = 1;
    while (count < paths.size() && equal(paths[count].element(depth), key)) ++count;
    const std::span<const Value> group = paths.first(count);
    paths = paths.subspan(count);
    if (group.back().size() == depth + 1) {
      own.push_back(key);
      continue;
    }
    Value child = index_value(machine, root, key, at);
    if (machine.stopped() || child.is_null()) continue;
    child = delete_sorted(machine, std::move(child), group, depth + 1, at);
    if (machine.stopped()) return {};
    Value one = Value::new_array(1);
    one.append(key);
    root = set_path(machine, std::move(root), one, std::move(child), at);
  }
  return machine.stopped() ? Value() : delete_keys(machine, std::move(root), own, at);
}

Value native_setpath(Machine& machine, Value* arguments, const Node& at) {
  return set_path(machine, std::move(arguments[0]), arguments[1], std::move(arguments[2]), at);
}

Value native_delpaths(Machine& machine, Value* arguments, const Node& at) {
  return delete_paths(machine, std::move(arguments[0]), arguments[1], at);
}

constexpr NativeEntry kPathBuiltins[] = {{"setpath", 2, native_setpath},
                                         {"delpaths", 1, native_delpaths}};

}  // namespace

Value get_path(Machine& machine, const Value& root, const Value& path, const Node& at) {
  if (!is_path(machine, path, at)) return {};
  Value part = root;
  for (std::uint32_t i = 0; i < path.size() && !machine.stopped(); ++i)
    part = index_value(machine, part, path.element(i), at);
  return part;
}

Value set_path(Machine& machine, Value root, const Value& path, Value value, const Node& at) {
  if (!is_path(machine, path, at)) return {};
  return set_from(machine, std::move(root), path, 0, std::move(value), at);
}

Value* existing_place(Value& root, const Value& path, std::vector<Value*>& passed) {
  Value* place = &root;
  passed.clear();
  for (std::uint32_t i = 0; i < path.size(); ++i) {
    passed.push_back(place);
    const Value key = path.element(i);
    if (place->is_object() && key.is_string()) {
      if (!place->has_member(key.text())) return nullptr;
      place = place->own_member(key.text());
    } else if (place->is_array() && key.is_small_integer()) {
      std::int64_t index = key.mantissa();
      if (index < 0) index += place->size();
      if (index < 0 || index >= place->size()) return nullptr;
      place = place->own_elements() + index;
    } else {
      return nullptr;
    }
  }
  return place;
}

Value delete_paths(Machine& machine, Value root, const Value& paths, const Node& at) {
  if (!paths.is_array()) return machine.raise("Paths must be specified as an array", at);
  std::vector<Value> order;
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    order.push_back(paths.element(i));
    if (!is_path(machine, order.back(), at)) return {};
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Value& a, const Value& b) { return compare(a, b) > 0; });
  if (!order.empty() && order.back().size() == 0) return {};
  return delete_sorted(machine, std::move(root), order, 0, at);
}

std::span<const NativeEntry> path_builtins() {
  return kPathBuiltins;
}

}  // namespace weft::mapping
