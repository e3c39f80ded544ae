#include "mapping/core/machine.h"

#include <utility>

#include "mapping/core/lexer.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {

Result<JqEnd> Machine::run(const Program& program, const JqOptions& options, const Json& input,
                           std::span<const Json> variables, JqSink& sink) {
  const Heap::Entered entered(heap_);
  program_ = &program;
  options_ = &options;
  steps_left_ = static_cast<std::int64_t>(options.limits.steps_max);
  heap_.limit_to(options.limits.memory_bytes_max, options.limits.steps_max);
  heap_.forget_depth();
  stack_end_ =
      static_cast<const char*>(__builtin_frame_address(0)) - options.limits.stack_bytes_max;
  stop_ = Stop::None;
  end_ = {};

  Frame* const frame = new_frame(nullptr, program.slots, 0);
  for (std::size_t i = 0; i < std::min(program.variables, variables.size()); ++i)
    frame->values()[i] = Value::of(variables[i]);
  auto output = [&](Value value, const PathNode* /*none*/) {
    const bool goes_on = sink.take(JqOutput(value, *this));
    if (stopped()) return false;
    if (!goes_on) stop_ = Stop::Done;
    return goes_on;
  };
  eval(*program.root, Value::of(input), nullptr, frame, Sink(output));
  free_frame(frame);
  Result<JqEnd> result = end_;
  if (stop_ == Stop::Error || stop_ == Stop::Limit) result = std::unexpected(failure());
  error_ = {};
  return result;
}

Error Machine::failure() const {
  if (stop_ == Stop::Limit) {
    Error error = error_at(program_->source, error_at_, limit_);
    error.code = ErrorCode::ResourceExhausted;
    return error;
  }
  if (error_.is_string()) return error_at(program_->source, error_at_, error_.text());
  constexpr std::size_t kErrorBytesMax = 64 * 1024;
  return error_at(program_->source, error_at_, "(not a string): " + brief(error_, kErrorBytesMax));
}

Value Machine::raise(Value error, const Node& at) {
  if (stopped()) return {};
  stop_ = Stop::Error;
  error_ = std::move(error);
  error_at_ = at.offset;
  return {};
}

Value Machine::raise(std::string_view message, const Node& at) {
  return raise(Value::new_text(message), at);
}

Value Machine::exhausted(std::string_view limit, const Node& at) {
  stop_ = Stop::Limit;
  limit_ = limit;
  error_at_ = at.offset;
  return {};
}

Value Machine::halt(JqEnd end) {
  stop_ = Stop::Halt;
  end_ = std::move(end);
  end_.halted = true;
  return {};
}

bool Machine::refuse_step(const Node& at) {
  if (stopped()) return false;
  if (heap_.deepest() > kDepthMax)
    exhausted(fmt::format("a value is nested deeper than {} levels", kDepthMax - 1), at);
  else if (heap_.is_full() && !heap_.is_out_of_work())
    exhausted(fmt::format("more memory than memory_bytes_max = {} is needed",
                          options_->limits.memory_bytes_max),
              at);
  else
    exhausted(fmt::format("not done after steps_max = {} steps: does the program end?",
                          options_->limits.steps_max),
              at);
  return false;
}

bool Machine::refuse_depth(const Node& at) {
  exhausted(fmt::format("calls are nested deeper than stack_bytes_max = {} allows",
                        options_->limits.stack_bytes_max),
            at);
  return false;
}

bool Machine::spend(std::size_t steps, const Node& at) {
  steps_left_ -= static_cast<std::int64_t>(steps);
  return step(at);
}

bool Machine::has_room(std::size_t bytes, const Node& at) {
  constexpr std::size_t kLargest = std::size_t{1} << 31;
  if (bytes < kLargest && heap_.has_room(bytes)) return true;
  if (heap_.is_out_of_work()) return refuse_step(at);
  exhausted(fmt::format("more memory than memory_bytes_max = {} is needed",
                        options_->limits.memory_bytes_max),
            at);
  return false;
}

bool Machine::write_json(std::string& out, const Value& value, const Node& at,
                         const JqStyle& style) {
  const std::size_t before = out.size();
  if (append_json(out, value, style, heap_.room())) return spend((out.size() - before) / 64, at);
  out.resize(before);
  if (heap_.is_out_of_work()) return refuse_step(at);
  exhausted(fmt::format("more memory than memory_bytes_max = {} is needed for a text",
                        options_->limits.memory_bytes_max),
            at);
  return false;
}

bool Machine::write_output(std::string& out, const Value& value, const JqStyle& style) {
  return write_json(out, value, *program_->root, style);
}

Value Machine::rounded(Value value, const Node& at) {
  if (options_->arithmetic == JqArithmetic::Rounding) return value;
  return raise("the result is not exact within 34 digits: round on purpose, or divide last", at);
}

Frame* Machine::new_frame(Frame* up, std::uint32_t slots, std::uint32_t closures) {
  const std::size_t bytes = sizeof(Frame) + slots * sizeof(Value) + closures * sizeof(Closure);
  auto* const frame = new (heap_.take(bytes)) Frame{up, nullptr, slots, closures};
  for (std::uint32_t i = 0; i < slots; ++i) new (frame->values() + i) Value();
  return frame;
}

void Machine::free_frame(Frame* frame) {
  for (std::uint32_t i = 0; i < frame->slots; ++i) frame->values()[i].~Value();
  heap_.give(frame, frame->bytes());
}

// The frames of the calls that one eval() makes one after another.
class Machine::OwnedFrames {
 public:
  explicit OwnedFrames(Machine& machine) : machine_(machine) {}
  ~OwnedFrames() { free_all(); }
  OwnedFrames(const OwnedFrames&) = delete;
  OwnedFrames& operator=(const OwnedFrames&) = delete;

  // Frees the earlier frames unless the new one refers to one of them.
  void take(Frame* frame) {
    if (first_ != nullptr && count_ < kLookedThrough && !refers(*frame)) free_all();
    frame->next_owned = first_;
    first_ = frame;
    ++count_;
  }

 private:
  bool owns(const Frame* frame) const {
    for (const Frame* one = first_; one != nullptr; one = one->next_owned)
      if (one == frame) return true;
    return false;
  }
  bool refers(Frame& frame) const {
    for (const Frame* up = frame.up; up != nullptr; up = up->up)
      if (owns(up)) return true;
    for (std::uint32_t i = 0; i < frame.closures; ++i)
      for (const Frame* up = frame.closure(i)->frame; up != nullptr; up = up->up)
        if (owns(up)) return true;
    return false;
  }
  void free_all() {
    while (first_ != nullptr) machine_.free_frame(std::exchange(first_, first_->next_owned));
    count_ = 0;
  }

  static constexpr int kLookedThrough = 8;  // a chain that has grown so long is kept

  Machine& machine_;
  Frame* first_ = nullptr;
  int count_ = 0;
};

// A closure that is handed on as it is stays the same one, so that a loop does not grow a chain.
Frame* Machine::called_frame(const Node& call, Frame* frame) {
  Frame* const made = new_frame(outer(frame, call.depth), call.function->slots,
                                static_cast<std::uint32_t>(call.kids.size()));
  for (std::uint32_t i = 0; i < made->closures; ++i) {
    const Node* const kid = call.kids[i];
    *made->closure(i) = kid->op == Op::Closure ? *outer(frame, kid->depth)->closure(kid->slot)
                                               : Closure{kid, frame};
  }
  return made;
}

bool Machine::eval(const Node& start, Value in, const PathNode* path, Frame* frame,
                   const Sink& out) {
  const Node* node = &start;
  if (is_stack_low()) return refuse_depth(start);
  OwnedFrames owned(*this);
  for (;;) {
    if (node->single && path == nullptr) {
      Value value = eval_single(*node, std::move(in), frame);
      return !stopped() && out(std::move(value), nullptr);
    }
    if (!step(*node)) return false;
    switch (node->op) {
      case Op::Identity:
        return out(std::move(in), path);
      case Op::Empty:
        return true;
      case Op::Comma:
        if (!eval(*node->a, in, path, frame, out)) return false;
        node = node->b;
        continue;
      case Op::Pipe:
        if (path == nullptr && node->a->single) {
          in = eval_single(*node->a, std::move(in), frame);
          if (stopped()) return false;
          node = node->b;
          continue;
        }
        break;
      case Op::If:
        if (node->a->single) {
          const Value condition = eval_single(*node->a, in, frame);
          if (stopped()) return false;
          node = condition.is_true_like() ? node->b : node->c;
          continue;
        }
        break;
      case Op::Bind:
        if (node->a->single && node->patterns.size() == 1 &&
            node->patterns[0]->kind == Pattern::Kind::Variable) {
          Value value = eval_single(*node->a, in, frame);
          if (stopped()) return false;
          frame->values()[node->patterns[0]->slot] = std::move(value);
          node = node->b;
          continue;
        }
        break;
      case Op::Closure: {
        const Closure closure = *outer(frame, node->depth)->closure(node->slot);
        node = closure.body;
        frame = closure.frame;
        continue;
      }
      case Op::Enter:
        frame = new_frame(frame, node->function->slots, 0);
        owned.take(frame);
        node = node->function->body;
        continue;
      case Op::Call:
        frame = called_frame(*node, frame);
        owned.take(frame);
        node = node->function->body;
        continue;
      default:
        break;
    }
    return dispatch(*node, std::move(in), path, frame, out);
  }
}

bool Machine::dispatch(const Node& node, Value in, const PathNode* path, Frame* frame,
                       const Sink& out) {
  switch (node.op) {
    case Op::Field:
      return eval_field(node, std::move(in), path, frame, out);
    case Op::Index:
      return eval_index(node, std::move(in), path, frame, out);
    case Op::Slice:
      return eval_slice(node, std::move(in), path, frame, out);
    case Op::Iterate:
      return eval_iterate(node, std::move(in), path, frame, out);
    case Op::Array:
      return eval_array(node, std::move(in), path, frame, out);
    case Op::Object:
      return eval_object(node, std::move(in), path, frame, out);
    case Op::Negate:
      return eval_negate(node, std::move(in), path, frame, out);
    case Op::Calculate:
    case Op::Compare:
      return eval_binary(node, std::move(in), path, frame, out);
    case Op::And:
    case Op::Or:
      return eval_logic(node, std::move(in), path, frame, out);
    case Op::Alternative:
      return eval_alternative(node, std::move(in), path, frame, out);
    case Op::If:
      return eval_if(node, std::move(in), path, frame, out);
    case Op::Pipe:
      return eval_pipe(node, std::move(in), path, frame, out);
    case Op::Try:
      return eval_try(node, std::move(in), path, frame, out);
    case Op::Reduce:
      return eval_reduce(node, std::move(in), path, frame, out);
    case Op::Foreach:
      return eval_foreach(node, std::move(in), path, frame, out);
    case Op::Bind:
      return eval_bind(node, std::move(in), path, frame, out);
    case Op::Label:
    case Op::Break:
      return eval_label(node, std::move(in), path, frame, out);
    default:
      return dispatch_form(node, std::move(in), path, frame, out);
  }
}

bool Machine::dispatch_form(const Node& node, Value in, const PathNode* path, Frame* frame,
                            const Sink& out) {
  switch (node.op) {
    case Op::Constant:
      return out(node.constant, broken(path));
    case Op::Variable:
      return out(outer(frame, node.depth)->values()[node.slot], broken(path));
    case Op::Native:
      return eval_native(node, std::move(in), broken(path), frame, out);
    case Op::Text: {
      auto then = [&](Value value, const PathNode* /*none*/) {
        return out(std::move(value), broken(path));
      };
      return eval_text(node, in, frame, node.kids.size(), Value::text(""), Sink(then));
    }
    case Op::Path:
      return eval_path(node, std::move(in), broken(path), frame, out);
    case Op::GetPath:
      return eval_getpath(node, std::move(in), path, frame, out);
    case Op::First:
      return eval_first(node, std::move(in), path, frame, out);
    case Op::Last:
      return eval_last(node, std::move(in), path, frame, out);
    case Op::Limit:
      return eval_limit(node, std::move(in), path, frame, out);
    case Op::Skip:
      return eval_skip(node, std::move(in), path, frame, out);
    case Op::Until:
      return eval_until(node, std::move(in), path, frame, out);
    case Op::While:
      return eval_while(node, std::move(in), path, frame, out);
    case Op::Repeat:
      return eval_repeat(node, std::move(in), path, frame, out);
    case Op::Recurse:
      return eval_recurse(node, std::move(in), path, frame, out);
    case Op::AnyOf:
    case Op::AllOf:
    case Op::IsEmpty:
      return eval_any_all(node, std::move(in), broken(path), frame, out);
    case Op::Range:
      return eval_range(node, std::move(in), broken(path), frame, out);
    case Op::Assign:
    case Op::Modify:
    case Op::ModifyBy:
    case Op::Default:
      return eval_update(node, std::move(in), broken(path), frame, out);
    default:
      return false;
  }
}

Value Machine::refuse_object_key(const Value& key, const Node& at) {
  return raise(fmt::format("Cannot use {} as object key", named(key)), at);
}

Value Machine::single_object(const Node& node, const Value& in, Frame* frame) {
  Value made = Value::new_object(node.entries.size());
  for (const Node::Entry& entry : node.entries) {
    Value key = eval_single(*entry.key, in, frame);
    if (stopped()) return {};
    if (!key.is_string()) return refuse_object_key(key, node);
    Value value = eval_single(*entry.value, in, frame);
    if (stopped()) return {};
    made.set_member(std::move(key), std::move(value));
  }
  return made;
}

// What stands last goes round, so that a long pipe needs no deeper stack.
Value Machine::eval_single(const Node& start, Value in, Frame* frame) {
  const Node* at = &start;
  for (;;) {
    const Node& node = *at;
    if (!step(node)) return {};
    switch (node.op) {
      case Op::Identity:
        return in;
      case Op::Constant:
        return node.constant;
      case Op::Variable:
        return outer(frame, node.depth)->values()[node.slot];
      case Op::Field: {
        if (node.a != nullptr && node.a->op != Op::Identity) {
          in = eval_single(*node.a, std::move(in), frame);
          if (stopped()) return {};
        }
        return field(in, node);
      }
      case Op::Pipe:
        in = eval_single(*node.a, std::move(in), frame);
        if (stopped()) return {};
        at = node.b;
        continue;
      case Op::Calculate:
      case Op::Compare: {
        Value right = eval_single(*node.b, in, frame);
        if (stopped()) return {};
        Value left = eval_single(*node.a, std::move(in), frame);
        return stopped() ? Value() : binary(node.sign, std::move(left), std::move(right), node);
      }
      case Op::If: {
        const Value condition = eval_single(*node.a, in, frame);
        if (stopped()) return {};
        at = condition.is_true_like() ? node.b : node.c;
        continue;
      }
      case Op::And:
      case Op::Or: {
        const Value left = eval_single(*node.a, in, frame);
        if (stopped()) return {};
        if (left.is_true_like() == (node.op == Op::Or)) return Value::boolean(node.op == Op::Or);
        return Value::boolean(eval_single(*node.b, std::move(in), frame).is_true_like());
      }
      case Op::Object:
        return single_object(node, in, frame);
      case Op::Bind: {
        Value value = eval_single(*node.a, in, frame);
        if (stopped()) return {};
        frame->values()[node.patterns[0]->slot] = std::move(value);
        at = node.b;
        continue;
      }
      default:
        return single_form(node, std::move(in), frame);
    }
  }
}

}  // namespace weft::mapping
