// The rarer expressions that have one output, and what both forms of evaluation compute with.
#include <array>
#include <cmath>

#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {

Value Machine::negate(const Value& value, const Node& at) {
  return value.is_number() ? negated(value) : raise(named(value) + " cannot be negated", at);
}

Value Machine::single_form(const Node& node, Value in, Frame* frame) {
  switch (node.op) {
    case Op::Index: {
      const Value key = eval_single(*node.b, in, frame);
      if (stopped()) return {};
      const Value target = eval_single(*node.a, std::move(in), frame);
      return stopped() ? Value() : index(target, key, node);
    }
    case Op::Slice: {
      Value from = node.b != nullptr ? eval_single(*node.b, in, frame) : Value();
      if (stopped()) return {};
      Value to = node.c != nullptr ? eval_single(*node.c, in, frame) : Value();
      if (stopped()) return {};
      const Value target = eval_single(*node.a, std::move(in), frame);
      return stopped() ? Value() : slice(target, std::move(from), std::move(to), node);
    }
    case Op::Array:
      return single_array(node, std::move(in), frame);
    case Op::Negate: {
      const Value value = eval_single(*node.a, std::move(in), frame);
      return stopped() ? Value() : negate(value, node);
    }
    case Op::Alternative: {
      Value left = eval_single(*node.a, in, frame);
      if (stopped()) return {};
      return left.is_true_like() ? left : eval_single(*node.b, std::move(in), frame);
    }
    case Op::Native:
      return single_native(node, std::move(in), frame);
    case Op::Text:
      return single_text(node, in, frame);
    case Op::Reduce:
      return reduce_single(node, std::move(in), frame);
    case Op::AnyOf:
    case Op::AllOf:
    case Op::IsEmpty: {
      Value answer;
      auto take = [&](Value value, const PathNode* /*none*/) {
        answer = std::move(value);
        return true;
      };
      eval_any_all(node, std::move(in), nullptr, frame, Sink(take));
      return answer;
    }
    case Op::Assign:
    case Op::ModifyBy:
    case Op::Default: {
      const Value operand = eval_single(*node.b, in, frame);
      return stopped() ? Value() : update(node, std::move(in), frame, &operand);
    }
    case Op::Modify:
      return update(node, std::move(in), frame, nullptr);
    case Op::Call: {
      if (is_stack_low()) {
        refuse_depth(node);
        return {};
      }
      Frame* const called = called_frame(node, frame);
      Value value = eval_single(*node.function->body, std::move(in), called);
      free_frame(called);
      return value;
    }
    default:
      return {};
  }
}

Value Machine::single_array(const Node& node, Value in, Frame* frame) {
  Value made = Value::new_array();
  auto collect = [&](Value value, const PathNode* /*none*/) {
    made.append(std::move(value));
    return true;
  };
  if (node.a != nullptr) eval(*node.a, std::move(in), nullptr, frame, Sink(collect));
  return made;
}

Value Machine::single_native(const Node& node, Value in, Frame* frame) {
  std::array<Value, 4> arguments;
  for (std::size_t i = node.kids.size(); i > 0; --i) {
    arguments[i] = eval_single(*node.kids[i - 1], in, frame);
    if (stopped()) return {};
  }
  arguments[0] = std::move(in);
  pay_for_texts(arguments.data(), node.kids.size() + 1);
  return node.native(*this, arguments.data(), node);
}

Value Machine::single_text(const Node& node, const Value& in, Frame* frame) {
  std::string text;
  for (const Node* kid : node.kids) {
    const Value part = eval_single(*kid, in, frame);
    if (stopped()) return {};
    if (kid->op == Op::Constant)
      text += part.text();
    else if (!append_formatted(text, node.format, part, *this, node))
      return {};
    if (!has_room(text.size(), node)) return {};
  }
  return Value::new_text(text);
}

Value Machine::reduce_single(const Node& node, Value in, Frame* frame) {
  Value state = eval_single(*node.b, in, frame);
  if (stopped()) return {};
  const std::uint32_t slot = node.patterns[0]->slot;
  auto each = [&](Value value, const PathNode* /*none*/) {
    frame->values()[slot] = std::move(value);
    if (node.c->single) {
      state = eval_single(*node.c, std::move(state), frame);
      return !stopped();
    }
    Value last;
    auto keep = [&](Value output, const PathNode* /*none*/) {
      last = std::move(output);
      return true;
    };
    const bool going = eval(*node.c, std::move(state), nullptr, frame, Sink(keep));
    state = std::move(last);
    return going;
  };
  eval(*node.a, std::move(in), nullptr, frame, Sink(each));
  return state;
}

Value Machine::field(const Value& target, const Node& at) {
  if (target.form() == Value::Form::JsonObject) {
    const Json* const found = target.json().find(at.constant.text());
    return found != nullptr ? Value::of(*found) : Value();
  }
  return target.is_null() ? Value() : index_value(*this, target, at.constant, at);
}

Value Machine::index(const Value& target, const Value& key, const Node& at) {
  return index_value(*this, target, key, at);
}

Value Machine::slice(const Value& target, Value from, Value to, const Node& at) {
  return slice_value(*this, target, from, to, at);
}

Value Machine::binary(Sign sign, Value a, Value b, const Node& at) {
  if (sign >= Sign::Equal) return Value::boolean(compare_by(sign, a, b));
  return calculate_values(*this, sign, std::move(a), b, at);
}

bool compare_by(Sign sign, const Value& a, const Value& b) {
  switch (sign) {
    case Sign::Equal:
      return equal(a, b);
    case Sign::Unequal:
      return !equal(a, b);
    case Sign::Less:
      return compare(a, b) < 0;
    case Sign::LessEqual:
      return compare(a, b) <= 0;
    case Sign::Greater:
      return compare(a, b) > 0;
    default:
      return compare(a, b) >= 0;
  }
}

Value index_value(Machine& machine, const Value& target, const Value& key, const Node& at) {
  if (target.is_object() && key.is_string()) {
    auto found = target.member(key.text());
    return found ? *std::move(found) : Value();
  }
  if (target.is_array() && key.is_number()) {
    if (is_nan(key)) return {};
    std::int64_t place = key.is_small_integer() ? key.mantissa() : whole_part(key);
    if (place < 0) place += target.size();
    return place >= 0 && place < target.size() ? target.element(static_cast<std::uint32_t>(place))
                                               : Value();
  }
  if (key.is_object() && (target.is_array() || target.is_string() || target.is_null())) {
    const auto from = key.member("start");
    const auto to = key.member("end");
    return slice_value(machine, target, from ? *from : Value::boolean(false),
                       to ? *to : Value::boolean(false), at);
  }
  if (target.is_array() && key.is_array()) return indices_of(target, key);
  if (target.is_null() && (key.is_string() || key.is_number())) return {};
  if (key.is_string() && key.text().size() < 30)
    return machine.raise(
        fmt::format("Cannot index {} with string \"{}\"", kind_name(target.kind()), key.text()),
        at);
  return machine.raise(
      fmt::format("Cannot index {} with {}", kind_name(target.kind()), kind_name(key.kind())), at);
}

std::optional<SliceBounds> slice_bounds(const Value& from, const Value& to, std::uint32_t size) {
  if (!from.is_null() && !from.is_number()) return std::nullopt;
  if (!to.is_null() && !to.is_number()) return std::nullopt;
  const double count = size;
  double begin = from.is_null() ? 0 : double_of(from);
  double end = to.is_null() ? count : double_of(to);
  if (std::isnan(begin)) begin = 0;
  if (begin < 0) begin += count;
  begin = std::clamp(begin, 0.0, count);
  if (std::isnan(end)) end = count;
  if (end < 0) end += count;
  end = std::clamp(std::ceil(end), 0.0, count);
  SliceBounds bounds;
  bounds.from = static_cast<std::uint32_t>(begin);
  bounds.to = std::max(bounds.from, static_cast<std::uint32_t>(end));
  return bounds;
}

Value slice_value(Machine& machine, const Value& target, const Value& from, const Value& to,
                  const Node& at) {
  if (target.is_null()) return {};
  if (!target.is_array() && !target.is_string())
    return machine.raise(fmt::format("Cannot index {} with object", kind_name(target.kind())), at);
  const bool array = target.is_array();
  const std::uint32_t size =
      array ? target.size() : static_cast<std::uint32_t>(code_points(target.text()));
  const auto bounds = slice_bounds(from, to, size);
  if (!bounds) return machine.raise("Start and end indices of an array slice must be numbers", at);
  if (!array) return substring(target, bounds->from, bounds->to);
  Value made = Value::new_array(bounds->to - bounds->from);
  for (std::uint32_t i = bounds->from; i < bounds->to; ++i) made.append(target.element(i));
  return machine.spend(bounds->to - bounds->from, at) ? made : Value();
}

Value indices_of(const Value& array, const Value& part) {
  Value found = Value::new_array();
  const std::uint32_t size = array.size();
  const std::uint32_t wanted = part.size();
  if (wanted == 0) return found;
  for (std::uint32_t i = 0; i + wanted <= size; ++i) {
    bool same = true;
    for (std::uint32_t j = 0; same && j < wanted; ++j)
      same = equal(array.element(i + j), part.element(j));
    if (same) found.append(Value::integer(i));
  }
  return found;
}

namespace {

std::string both(const Value& a, const Value& b) {
  return fmt::format("{} and {}", named(a), named(b));
}

Value merged(Value a, const Value& b) {
  for (MemberCursor at(b); at.next();) {
    const auto mine = a.member(at.key().text());
    if (mine && mine->is_object() && at.value().is_object())
      a.set_member(at.key(), merged(*mine, at.value()));
    else
      a.set_member(at.key(), at.value());
  }
  return a;
}

Value without(const Value& a, const Value& b) {
  Value made = Value::new_array();
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    const Value element = a.element(i);
    bool found = false;
    for (std::uint32_t j = 0; !found && j < b.size(); ++j) found = equal(element, b.element(j));
    if (!found) made.append(element);
  }
  return made;
}

Value repeated(Machine& machine, const Value& text, const Value& times, const Node& at) {
  const double count = double_of(times);
  if (!(count >= 0)) return {};
  const std::string_view part = text.text();
  const double copies = std::floor(count);
  if (!machine.has_room(
          static_cast<std::size_t>(std::min(copies * static_cast<double>(part.size()), 1e18)), at))
    return {};
  std::string out;
  for (double i = 0; i < copies && !part.empty(); ++i) out += part;
  return Value::new_text(out);
}

Value numbers(Machine& machine, Sign sign, const Value& a, const Value& b, const Node& at) {
  const bool divides = sign == Sign::Divide || sign == Sign::Remainder;
  if (divides && (is_zero(b) || (sign == Sign::Remainder && !is_nan(b) && whole_part(b) == 0)) &&
      !(sign == Sign::Remainder && is_nan(a)))
    return machine.raise(fmt::format("{} cannot be divided {}because the divisor is zero",
                                     both(a, b), sign == Sign::Remainder ? "(remainder) " : ""),
                         at);
  if (sign == Sign::Remainder) return remainder(a, b);
  bool rounded = false;
  Value result = calculate(static_cast<Arithmetic>(sign), a, b, rounded);
  return rounded ? machine.rounded(std::move(result), at) : result;
}

}  // namespace

Value add_values(Machine& machine, Value a, const Value& b, const Node& at) {
  if (a.is_number() && b.is_number()) return numbers(machine, Sign::Add, a, b, at);
  if (a.is_null()) return b;
  if (b.is_null()) return a;
  if (a.is_string() && b.is_string()) {
    if (!machine.has_room(a.text().size() + b.text().size(), at)) return {};
    a.append_text(b.text());
    return a;
  }
  if (a.is_array() && b.is_array()) {
    const std::uint32_t count = b.size();
    if (!machine.spend(count, at)) return {};
    a.own_elements();
    for (std::uint32_t i = 0; i < count; ++i) a.append(b.element(i));
    return a;
  }
  if (a.is_object() && b.is_object()) {
    if (!machine.spend(b.size(), at)) return {};
    for (MemberCursor member(b); member.next();) a.set_member(member.key(), member.value());
    return a;
  }
  return machine.raise(both(a, b) + " cannot be added", at);
}

Value calculate_values(Machine& machine, Sign sign, Value a, const Value& b, const Node& at) {
  if (sign == Sign::Add) return add_values(machine, std::move(a), b, at);
  if (a.is_number() && b.is_number()) return numbers(machine, sign, a, b, at);
  if (sign == Sign::Subtract) {
    if (a.is_array() && b.is_array())
      return machine.spend(std::size_t{a.size()} * b.size(), at) ? without(a, b) : Value();
    return machine.raise(both(a, b) + " cannot be subtracted", at);
  }
  if (sign == Sign::Multiply) {
    if (a.is_string() && b.is_number()) return repeated(machine, a, b, at);
    if (a.is_number() && b.is_string()) return repeated(machine, b, a, at);
    if (a.is_object() && b.is_object()) return merged(std::move(a), b);
    return machine.raise(both(a, b) + " cannot be multiplied", at);
  }
  if (sign == Sign::Divide && a.is_string() && b.is_string())
    return split_text(machine, a, b.text(), at);
  return machine.raise(both(a, b) + " cannot be divided", at);
}

}  // namespace weft::mapping
