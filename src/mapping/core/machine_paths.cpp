// Parts of values, their paths, and updates through paths.
#include <utility>

#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

Value slice_key(const Value& from, const Value& to) {
  Value key = Value::new_object(2);
  key.set_member(Value::text("start"), from);
  key.set_member(Value::text("end"), to);
  return key;
}

}  // namespace

bool Machine::refuse_path(const Value& target, const Value* key, const Node& at) {
  if (key == nullptr)
    raise(fmt::format("Invalid path expression near attempt to iterate through {}",
                      brief(target, 29)),
          at);
  else
    raise(fmt::format("Invalid path expression near attempt to access element {} of {}",
                      brief(*key), brief(target, 29)),
          at);
  return false;
}

bool Machine::check_is_part(const PathNode* path, const Value& value, const Node& at) {
  if (path->kind != PathNode::Kind::Broken) return true;
  raise(fmt::format("Invalid path expression with result {}", brief(value, 29)), at);
  return false;
}

Value Machine::path_array(const PathNode* path) {
  std::vector<const PathNode*> nodes;
  for (; path != nullptr; path = path->up) nodes.push_back(path);
  Value keys = Value::new_array(nodes.size());
  for (; !nodes.empty(); nodes.pop_back()) {
    const PathNode& node = *nodes.back();
    if (node.kind == PathNode::Kind::Key) keys.append(node.key);
    if (node.kind == PathNode::Kind::Keys && node.key.is_array())
      for (std::uint32_t i = 0; i < node.key.size(); ++i) keys.append(node.key.element(i));
  }
  return keys;
}

bool Machine::eval_field(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto each = [&](Value target, const PathNode* at) {
    if (!check_path(at, target, &n.constant, n)) return false;
    Value part = field(target, n);
    if (stopped()) return n.optional && clear_error();
    if (at == nullptr) return out(std::move(part), nullptr);
    const PathNode node{at, n.constant, PathNode::Kind::Key};
    return out(std::move(part), &node);
  };
  if (n.a == nullptr) return each(std::move(in), path);
  return eval(*n.a, std::move(in), path, f, Sink(each));
}

bool Machine::eval_index(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto with_key = [&](Value key, const PathNode* /*none*/) {
    auto each = [&](Value target, const PathNode* at) {
      if (!check_path(at, target, &key, n)) return false;
      Value part = index(target, key, n);
      if (stopped()) return n.optional && clear_error();
      const PathNode node{at, key, PathNode::Kind::Key};
      return out(std::move(part), at == nullptr ? nullptr : &node);
    };
    return eval(*n.a, in, path, f, Sink(each));
  };
  return eval(*n.b, in, nullptr, f, Sink(with_key));
}

bool Machine::eval_slice(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto with_both = [&](const Value& from, const Value& to) {
    auto each = [&](Value target, const PathNode* at) {
      const Value key = at == nullptr ? Value() : slice_key(from, to);
      if (!check_path(at, target, &key, n)) return false;
      Value part = slice(target, from, to, n);
      if (stopped()) return n.optional && clear_error();
      const PathNode node{at, key, PathNode::Kind::Key};
      return out(std::move(part), at == nullptr ? nullptr : &node);
    };
    return eval(*n.a, in, path, f, Sink(each));
  };
  auto with_from = [&](Value from, const PathNode* /*none*/) {
    auto with_to = [&](Value to, const PathNode* /*none*/) { return with_both(from, to); };
    return n.c == nullptr ? with_both(from, {}) : eval(*n.c, in, nullptr, f, Sink(with_to));
  };
  return n.b == nullptr ? with_from({}, nullptr) : eval(*n.b, in, nullptr, f, Sink(with_from));
}

bool Machine::eval_iterate(const Node& n, Value in, const PathNode* path, Frame* f,
                           const Sink& out) {
  if (n.a == nullptr || n.a->op == Op::Identity) return iterate(n, in, path, out);
  if (n.a->single && path == nullptr) {
    const Value target = eval_single(*n.a, std::move(in), f);
    return !stopped() && iterate(n, target, nullptr, out);
  }
  auto each = [&](Value target, const PathNode* at) { return iterate(n, target, at, out); };
  return eval(*n.a, std::move(in), path, f, Sink(each));
}

bool Machine::iterate(const Node& n, const Value& in, const PathNode* path, const Sink& out) {
  if (!check_path(path, in, nullptr, n)) return false;
  if (in.is_array()) {
    const std::uint32_t size = in.size();
    for (std::uint32_t i = 0; i < size; ++i) {
      if (!step(n)) return false;
      if (path == nullptr) {
        if (!out(in.element(i), nullptr)) return false;
        continue;
      }
      const PathNode node{path, Value::integer(i), PathNode::Kind::Key};
      if (!out(in.element(i), &node)) return false;
    }
    return true;
  }
  if (in.is_object()) {
    for (MemberCursor at(in); at.next();) {
      if (!step(n)) return false;
      const PathNode node{path, at.key(), PathNode::Kind::Key};
      if (!out(at.value(), path == nullptr ? nullptr : &node)) return false;
    }
    return true;
  }
  if (n.optional) return true;
  raise(fmt::format("Cannot iterate over {}", in.is_null() ? "null" : named(in)), n);
  return false;
}

bool Machine::eval_path(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto each = [&](Value value, const PathNode* at) {
    if (!check_is_part(at, value, n)) return false;
    return out(path_array(at), path);
  };
  return eval(*n.a, std::move(in), &kRoot, f, Sink(each));
}

bool Machine::eval_getpath(const Node& n, Value in, const PathNode* path, Frame* f,
                           const Sink& out) {
  auto each = [&](Value keys, const PathNode* /*none*/) {
    if (!check_path(path, in, &keys, n)) return false;
    Value part = get_path(*this, in, keys, n);
    if (stopped()) return false;
    const PathNode node{path, keys, PathNode::Kind::Keys};
    return out(std::move(part), path == nullptr ? nullptr : &node);
  };
  return eval(*n.a, in, nullptr, f, Sink(each));
}

bool Machine::collect_paths(const Node& n, const Value& in, Frame* f, std::vector<Value>& paths) {
  auto each = [&](Value value, const PathNode* at) {
    if (!check_is_part(at, value, n)) return false;
    paths.push_back(path_array(at));
    return true;
  };
  return eval(*n.a, in, &kRoot, f, Sink(each));
}

bool Machine::eval_update(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  if (n.op == Op::Modify) {
    Value changed = update(n, std::move(in), f, nullptr);
    return !stopped() && out(std::move(changed), path);
  }
  auto each = [&](Value operand, const PathNode* /*none*/) {
    Value changed = update(n, in, f, &operand);
    return !stopped() && out(std::move(changed), path);
  };
  return eval(*n.b, in, nullptr, f, Sink(each));
}

// Computes the new value of one place; `removed` when |= had no output.
bool Machine::change(const Node& n, Value& slot, Frame* f, const Value* operand, bool& removed) {
  if (n.op == Op::Assign) {
    slot = *operand;
  } else if (n.op == Op::Default) {
    if (!slot.is_true_like()) slot = *operand;
  } else if (n.op == Op::ModifyBy) {
    slot = calculate_values(*this, n.sign, std::move(slot), *operand, n);
  } else if (n.b->single) {
    slot = eval_single(*n.b, std::move(slot), f);
  } else {
    removed = true;
    const std::uint64_t id = ++labels_;
    Value result;
    auto first = [&](Value value, const PathNode* /*none*/) {
      result = std::move(value);
      removed = false;
      return stop_at(id);
    };
    if (!eval(*n.b, slot, nullptr, f, Sink(first)) && !ended_at(id)) return false;
    if (!removed) slot = std::move(result);
  }
  return !stopped();
}

Value Machine::update(const Node& n, Value in, Frame* f, const Value* operand) {
  if (n.a->op == Op::Iterate && (n.a->a == nullptr || n.a->a->op == Op::Identity) &&
      (in.is_array() || in.is_object()))
    return modify_each(n, std::move(in), f, operand);
  std::vector<Value> paths;
  if (!collect_paths(n, in, f, paths)) return {};
  std::vector<Value*> passed;
  Value removed_paths = Value::new_array();
  for (const Value& path : paths) {
    if (!spend(path.size() + 1, n)) return {};
    bool removed = false;
    if (Value* const place = existing_place(in, path, passed)) {
      Value slot = std::exchange(*place, Value());
      const bool good = change(n, slot, f, operand, removed);
      if (!good) return {};
      *place = std::move(slot);
      const Value* child = place;
      for (auto at = passed.rbegin(); at != passed.rend(); child = *at++)
        if ((*at)->form() >= Value::Form::HeapArray) (*at)->note_depth(*child);
    } else {
      Value slot = n.op == Op::Assign ? Value() : get_path(*this, in, path, n);
      if (stopped() || !change(n, slot, f, operand, removed)) return {};
      if (!removed) in = set_path(*this, std::move(in), path, std::move(slot), n);
      if (stopped()) return {};
    }
    if (removed) removed_paths.append(path);
  }
  return removed_paths.size() == 0 ? in : delete_paths(*this, std::move(in), removed_paths, n);
}

// .[] |= f without the detour through paths.
Value Machine::modify_each(const Node& n, Value in, Frame* f, const Value* operand) {
  const std::uint32_t size = in.size();
  Value made = in.is_array() ? Value::new_array(size) : Value::new_object(size);
  const auto add = [&](const Value* key, Value slot) {
    bool removed = false;
    if (!step(n) || !change(n, slot, f, operand, removed)) return false;
    if (removed) return true;
    if (key == nullptr)
      made.append(std::move(slot));
    else
      made.set_member(*key, std::move(slot));
    return true;
  };
  if (in.is_array()) {
    for (std::uint32_t i = 0; i < size; ++i)
      if (!add(nullptr, in.element(i))) return {};
  } else {
    for (MemberCursor at(in); at.next();)
      if (!add(&at.key(), at.value())) return {};
  }
  return made;
}

}  // namespace weft::mapping
