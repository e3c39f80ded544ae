// Expressions with any number of outputs.
#include <array>
#include <utility>

#include "mapping/core/machine.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {

bool Machine::eval_array(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  Value made = single_array(n, std::move(in), f);
  return !stopped() && out(std::move(made), broken(path));
}

bool Machine::eval_object(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  auto then = [&](Value made, const PathNode* /*none*/) {
    return out(std::move(made), broken(path));
  };
  return object_entries(n, in, f, 0, Value::new_object(n.entries.size()), Sink(then));
}

// The first entry varies slowest.
bool Machine::object_entries(const Node& n, const Value& in, Frame* f, std::size_t i,
                             const Value& made, const Sink& out) {
  if (i == n.entries.size()) return out(made, nullptr);
  auto with_key = [&](Value key, const PathNode* /*none*/) {
    if (!key.is_string()) {
      refuse_object_key(key, n);
      return false;
    }
    auto with_value = [&](Value value, const PathNode* /*none*/) {
      Value more = made;
      more.set_member(key, std::move(value));
      return object_entries(n, in, f, i + 1, more, out);
    };
    return eval(*n.entries[i].value, in, nullptr, f, Sink(with_value));
  };
  return eval(*n.entries[i].key, in, nullptr, f, Sink(with_key));
}

// The right side varies slowest.
bool Machine::eval_binary(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  auto with_right = [&](Value right, const PathNode* /*none*/) {
    auto with_left = [&](Value left, const PathNode* /*none*/) {
      Value result = binary(n.sign, std::move(left), right, n);
      return !stopped() && out(std::move(result), broken(path));
    };
    return eval(*n.a, in, nullptr, f, Sink(with_left));
  };
  return eval(*n.b, in, nullptr, f, Sink(with_right));
}

bool Machine::eval_negate(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  auto each = [&](Value value, const PathNode* /*none*/) {
    Value result = negate(value, n);
    return !stopped() && out(std::move(result), broken(path));
  };
  return eval(*n.a, std::move(in), nullptr, f, Sink(each));
}

bool Machine::eval_logic(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  const bool decides = n.op == Op::Or;
  auto with_left = [&](Value left, const PathNode* /*none*/) {
    if (left.is_true_like() == decides) return out(Value::boolean(decides), broken(path));
    auto with_right = [&](Value right, const PathNode* /*none*/) {
      return out(Value::boolean(right.is_true_like()), broken(path));
    };
    return eval(*n.b, in, nullptr, f, Sink(with_right));
  };
  return eval(*n.a, in, nullptr, f, Sink(with_left));
}

bool Machine::eval_alternative(const Node& n, Value in, const PathNode* path, Frame* f,
                               const Sink& out) {
  bool any = false;
  auto each = [&](Value value, const PathNode* at) {
    if (!value.is_true_like()) return true;
    any = true;
    return out(std::move(value), at);
  };
  if (!eval(*n.a, in, path, f, Sink(each))) return false;
  return any || eval(*n.b, std::move(in), path, f, out);
}

bool Machine::eval_if(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto each = [&](Value condition, const PathNode* /*none*/) {
    return eval(condition.is_true_like() ? *n.b : *n.c, in, path, f, out);
  };
  return eval(*n.a, in, nullptr, f, Sink(each));
}

bool Machine::eval_pipe(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto each = [&](Value value, const PathNode* at) {
    return eval(*n.b, std::move(value), at, f, out);
  };
  return eval(*n.a, std::move(in), path, f, Sink(each));
}

// Catches what its body raises, not what the outputs meet further on.
bool Machine::eval_try(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  bool beyond = false;
  auto each = [&](Value value, const PathNode* at) {
    if (out(std::move(value), at)) return true;
    beyond = true;
    return false;
  };
  if (eval(*n.a, std::move(in), path, f, Sink(each))) return true;
  if (beyond || !clear_error()) return false;
  if (n.b == nullptr) return true;
  return eval(*n.b, std::exchange(error_, Value()), broken(path), f, out);
}

class Machine::Kept {
 public:
  Kept(Value value, Value keys, bool part, bool wanted)
      : value_(std::move(value)), wanted_(wanted) {
    if (!part) node_.kind = PathNode::Kind::Broken;
    if (part) node_ = {&kRoot, std::move(keys), PathNode::Kind::Keys};
  }
  Value take() { return std::exchange(value_, Value()); }
  const Value& value() const { return value_; }
  const PathNode* path() const { return wanted_ ? &node_ : nullptr; }

 private:
  Value value_;
  PathNode node_;
  bool wanted_;
};

Machine::Kept Machine::keep(Value value, const PathNode* at, bool with_path) {
  const bool part = at == nullptr || at->kind != PathNode::Kind::Broken;
  return Kept(std::move(value), at != nullptr && part ? path_array(at) : Value(), part, with_path);
}

bool Machine::eval_reduce(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  auto with_start = [&](Value start, const PathNode* start_path) {
    Kept state = keep(std::move(start), start_path, path != nullptr);
    auto each = [&](Value item, const PathNode* /*none*/) {
      auto bound = [&](Value, const PathNode* /*none*/) {
        Kept next = keep({}, nullptr, path != nullptr);
        auto take = [&](Value value, const PathNode* at) {
          next = keep(std::move(value), at, path != nullptr);
          return true;
        };
        Kept before = std::move(state);
        const bool going = eval(*n.c, before.take(), before.path(), f, Sink(take));
        state = std::move(next);
        return going;
      };
      return bind_any(n, item, f, Sink(bound));
    };
    if (!eval(*n.a, in, nullptr, f, Sink(each))) return false;
    return out(state.take(), state.path());
  };
  return eval(*n.b, in, path, f, Sink(with_start));
}

bool Machine::eval_foreach(const Node& n, Value in, const PathNode* path, Frame* f,
                           const Sink& out) {
  auto with_start = [&](Value start, const PathNode* start_path) {
    Kept state = keep(std::move(start), start_path, path != nullptr);
    auto each = [&](Value item, const PathNode* /*none*/) {
      auto bound = [&](Value, const PathNode* /*none*/) {
        Kept before = std::move(state);
        state = keep({}, nullptr, path != nullptr);
        auto take = [&](Value value, const PathNode* at) {
          state = keep(value, at, path != nullptr);
          if (n.d == nullptr) return out(std::move(value), at);
          return eval(*n.d, std::move(value), at, f, out);
        };
        return eval(*n.c, before.take(), before.path(), f, Sink(take));
      };
      return bind_any(n, item, f, Sink(bound));
    };
    return eval(*n.a, in, nullptr, f, Sink(each));
  };
  return eval(*n.b, in, path, f, Sink(with_start));
}

bool Machine::eval_bind(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto each = [&](Value value, const PathNode* /*none*/) {
    bool beyond = false;
    auto further = [&](Value result, const PathNode* at) {
      if (out(std::move(result), at)) return true;
      beyond = true;
      return false;
    };
    auto bound = [&](Value, const PathNode* /*none*/) {
      return eval(*n.b, in, path, f, Sink(further));
    };
    return bind_any(n, value, f, Sink(bound), &beyond);
  };
  return eval(*n.a, in, nullptr, f, Sink(each));
}

// Binds by the first of the node's alternatives under which nothing fails. `beyond`: set by `then`
// when what stopped it came from further on, which no other alternative mends.
bool Machine::bind_any(const Node& n, const Value& value, Frame* f, const Sink& then,
                       const bool* beyond) {
  for (std::size_t i = 0; i < n.patterns.size(); ++i) {
    for (const std::uint32_t slot : n.cleared) f->values()[slot] = Value();
    if (bind(*n.patterns[i], value, f, then)) return true;
    if (beyond != nullptr && *beyond) return false;
    if (i + 1 == n.patterns.size() || !clear_error()) return false;
  }
  return true;
}

bool Machine::bind(const Pattern& pattern, const Value& value, Frame* f, const Sink& then) {
  if (pattern.kind == Pattern::Kind::Variable) {
    f->values()[pattern.slot] = value;
    return then({}, nullptr);
  }
  return bind_entry(pattern, 0, value, f, then);
}

bool Machine::bind_entry(const Pattern& pattern, std::size_t i, const Value& value, Frame* f,
                         const Sink& then) {
  if (i == pattern.entries.size()) return then({}, nullptr);
  const Pattern::Entry& entry = pattern.entries[i];
  Node at;
  at.offset = pattern.offset;
  auto next = [&](Value, const PathNode* /*none*/) {
    return bind_entry(pattern, i + 1, value, f, then);
  };
  auto with_key = [&](Value key, const PathNode* /*none*/) {
    if (pattern.kind == Pattern::Kind::Object && !key.is_string()) {
      raise(fmt::format("Cannot index {} with {}", kind_name(value.kind()), kind_name(key.kind())),
            at);
      return false;
    }
    Value part = index(value, key, at);
    if (stopped()) return false;
    if (entry.slot >= 0) f->values()[entry.slot] = part;
    return entry.value == nullptr ? next({}, nullptr) : bind(*entry.value, part, f, Sink(next));
  };
  if (entry.key == nullptr) return with_key(Value::integer(static_cast<std::int64_t>(i)), nullptr);
  return eval(*entry.key, value, nullptr, f, Sink(with_key));
}

bool Machine::eval_label(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  if (n.op == Op::Break)
    return stop_at(static_cast<std::uint64_t>(outer(f, n.depth)->values()[n.slot].mantissa()));
  const std::uint64_t id = ++labels_;
  f->values()[n.slot] = Value::integer(static_cast<std::int64_t>(id));
  return eval(*n.a, std::move(in), path, f, out) || ended_at(id);
}

// The last argument varies slowest.
bool Machine::native_arguments(const Node& n, std::size_t left, const Value& in, Frame* f,
                               Value* arguments, const Sink& out) {
  if (left == 0) {
    std::array<Value, 4> copies;
    for (std::size_t i = 1; i <= n.kids.size(); ++i) copies[i] = arguments[i];
    copies[0] = in;
    pay_for_texts(copies.data(), n.kids.size() + 1);
    Value result = n.native(*this, copies.data(), n);
    return !stopped() && out(std::move(result), nullptr);
  }
  auto each = [&](Value value, const PathNode* /*none*/) {
    arguments[left] = std::move(value);
    return native_arguments(n, left - 1, in, f, arguments, out);
  };
  return eval(*n.kids[left - 1], in, nullptr, f, Sink(each));
}

bool Machine::eval_native(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  std::array<Value, 4> arguments;
  auto then = [&](Value value, const PathNode* /*none*/) { return out(std::move(value), path); };
  return native_arguments(n, n.kids.size(), in, f, arguments.data(), Sink(then));
}

// Later parts vary slowest: put together from the end.
bool Machine::eval_text(const Node& n, const Value& in, Frame* f, std::size_t left,
                        const Value& tail, const Sink& out) {
  if (left == 0) return out(tail, nullptr);
  const Node& kid = *n.kids[left - 1];
  auto each = [&](Value value, const PathNode* /*none*/) {
    std::string text;
    if (kid.op == Op::Constant)
      text = value.text();
    else if (!append_formatted(text, n.format, value, *this, n))
      return false;
    if (!has_room(text.size() + tail.text().size(), n)) return false;
    text += tail.text();
    return eval_text(n, in, f, left - 1, Value::new_text(text), out);
  };
  return eval(kid, in, nullptr, f, Sink(each));
}

bool Machine::eval_first(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  const std::uint64_t id = ++labels_;
  bool going = true;
  auto each = [&](Value value, const PathNode* at) {
    going = out(std::move(value), at);
    return going && stop_at(id);
  };
  return eval(*n.a, std::move(in), path, f, Sink(each)) || (going && ended_at(id));
}

bool Machine::eval_last(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  std::optional<Kept> last;
  auto each = [&](Value value, const PathNode* at) {
    last.emplace(keep(std::move(value), at, path != nullptr));
    return true;
  };
  if (!eval(*n.a, std::move(in), path, f, Sink(each))) return false;
  if (!last) return path != nullptr || out({}, nullptr);
  return out(last->take(), last->path());
}

bool Machine::eval_limit(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto with_count = [&](Value count, const PathNode* /*none*/) {
    const int order = compare(count, Value::integer(0));
    if (order == 0) return true;
    if (order < 0) return eval(*n.b, in, path, f, out);
    const std::uint64_t id = ++labels_;
    std::int64_t taken = 0;
    bool going = true;
    auto each = [&](Value value, const PathNode* at) {
      going = out(std::move(value), at);
      return going && (compare(Value::integer(++taken), count) < 0 || stop_at(id));
    };
    return eval(*n.b, in, path, f, Sink(each)) || (going && ended_at(id));
  };
  return eval(*n.a, in, nullptr, f, Sink(with_count));
}

bool Machine::eval_skip(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  auto with_count = [&](Value count, const PathNode* /*none*/) {
    std::int64_t passed = 0;
    auto each = [&](Value value, const PathNode* at) {
      return compare(Value::integer(passed++), count) < 0 || out(std::move(value), at);
    };
    return eval(*n.b, in, path, f, Sink(each));
  };
  return eval(*n.a, in, nullptr, f, Sink(with_count));
}

bool Machine::eval_until(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  for (;;) {
    if (!step(n)) return false;
    if (path != nullptr || !n.a->single || !n.b->single) break;
    const Value done = eval_single(*n.a, in, f);
    if (stopped()) return false;
    if (done.is_true_like()) return out(std::move(in), nullptr);
    in = eval_single(*n.b, std::move(in), f);
    if (stopped()) return false;
  }
  auto with_condition = [&](Value done, const PathNode* /*none*/) {
    if (done.is_true_like()) return out(in, path);
    auto again = [&](Value next, const PathNode* at) {
      return eval_until(n, std::move(next), at, f, out);
    };
    return eval(*n.b, in, path, f, Sink(again));
  };
  return eval(*n.a, in, nullptr, f, Sink(with_condition));
}

bool Machine::eval_while(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  while (path == nullptr && n.a->single && n.b->single) {
    const Value condition = eval_single(*n.a, in, f);
    if (stopped() || !step(n)) return false;
    if (!condition.is_true_like()) return true;
    if (!out(in, nullptr)) return false;
    in = eval_single(*n.b, std::move(in), f);
    if (stopped()) return false;
  }
  auto with_condition = [&](Value condition, const PathNode* /*none*/) {
    if (!condition.is_true_like()) return true;
    if (!out(in, path)) return false;
    auto again = [&](Value next, const PathNode* at) {
      return step(n) && eval(n, std::move(next), at, f, out);
    };
    return eval(*n.b, in, path, f, Sink(again));
  };
  return eval(*n.a, in, nullptr, f, Sink(with_condition));
}

// All outputs of the expression, over and over, until it fails or nobody wants more.
bool Machine::eval_repeat(const Node& n, Value in, const PathNode* path, Frame* f,
                          const Sink& out) {
  while (step(n))
    if (!eval(*n.a, in, path, f, out)) return false;
  return false;
}

bool Machine::eval_recurse(const Node& n, Value in, const PathNode* path, Frame* f,
                           const Sink& out) {
  const bool children = n.a->op == Op::Iterate && n.a->optional && n.a->a == nullptr;
  const bool tried =
      n.a->op == Op::Try && n.a->b == nullptr && n.a->a->op == Op::Iterate && n.a->a->a == nullptr;
  if (children || tried) return recurse_children(n, in, path, out);
  for (;;) {
    if (!out(in, path)) return false;
    if (path != nullptr || !n.a->single) break;
    in = eval_single(*n.a, std::move(in), f);
    if (stopped() || !step(n)) return false;
  }
  auto again = [&](Value next, const PathNode* at) { return eval(n, std::move(next), at, f, out); };
  return eval(*n.a, std::move(in), path, f, Sink(again));
}

bool Machine::recurse_children(const Node& n, const Value& in, const PathNode* path,
                               const Sink& out) {
  if (!out(in, path)) return false;
  if (!in.is_array() && !in.is_object()) return true;
  if (static_cast<const char*>(__builtin_frame_address(0)) < stack_end_) {
    exhausted("a value is nested deeper than stack_bytes_max allows", n);
    return false;
  }
  auto each = [&](Value child, const PathNode* at) { return recurse_children(n, child, at, out); };
  return iterate(n, in, path, Sink(each));
}

bool Machine::eval_any_all(const Node& n, Value in, const PathNode* path, Frame* f,
                           const Sink& out) {
  const bool decides = n.op != Op::AllOf;
  const std::uint64_t id = ++labels_;
  bool found = false;
  auto test = [&](Value value, const PathNode* /*none*/) {
    if (n.op != Op::IsEmpty && value.is_true_like() != decides) return true;
    found = true;
    return stop_at(id);
  };
  auto each = [&](Value value, const PathNode* /*none*/) {
    return n.b == nullptr ? test({}, nullptr)
                          : eval(*n.b, std::move(value), nullptr, f, Sink(test));
  };
  if (!eval(*n.a, std::move(in), nullptr, f, Sink(each)) && !ended_at(id)) return false;
  const bool answer = n.op == Op::AnyOf ? found : !found;
  return out(Value::boolean(answer), path);
}

bool Machine::eval_range(const Node& n, Value in, const PathNode* path, Frame* f, const Sink& out) {
  const auto run = [&](const Value& from, const Value& to, const Value& by) {
    if (!from.is_number() || !to.is_number() || !by.is_number()) {
      raise("Range bounds must be numeric", n);
      return false;
    }
    const int direction = compare(by, Value::integer(0));
    if (direction == 0) return true;
    for (Value at = from; compare(at, to) * direction < 0;) {
      if (!step(n) || !out(at, path)) return false;
      at = calculate_values(*this, Sign::Add, std::move(at), by, n);
      if (stopped()) return false;
    }
    return true;
  };
  auto with_from = [&](Value from, const PathNode* /*none*/) {
    auto with_to = [&](Value to, const PathNode* /*none*/) {
      if (n.c == nullptr) return run(from, to, Value::integer(1));
      auto with_by = [&](Value by, const PathNode* /*none*/) { return run(from, to, by); };
      return eval(*n.c, in, nullptr, f, Sink(with_by));
    };
    return eval(*n.b, in, nullptr, f, Sink(with_to));
  };
  return eval(*n.a, in, nullptr, f, Sink(with_from));
}

}  // namespace weft::mapping
