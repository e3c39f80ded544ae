// Runs compiled programs: each expression hands its outputs to what comes next, and backtracking is
// the return of that call. Private to mapping.
//
// eval_single() computes expressions that are known to have one output; eval() runs all others, and
// calls in the last place without a deeper stack. Paths are chains of nodes on the native stack.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "mapping/core/program.h"
#include "mapping/core/regex.h"
#include "mapping/core/value.h"
#include "mapping/jq.h"

namespace weft::mapping {

// A step of a path; where `path` parameters are null, no path is wanted.
struct PathNode {
  enum class Kind : std::uint8_t {
    Root,
    Key,
    Keys,   // an array of keys
    Broken  // what came here is not a part of the input
  };
  const PathNode* up = nullptr;
  Value key;
  Kind kind = Kind::Root;
};
inline const PathNode kRoot{};
inline const PathNode kBroken{nullptr, {}, PathNode::Kind::Broken};
// Of what is made rather than found; null where no path is wanted.
inline const PathNode* broken(const PathNode* path) {
  return path == nullptr ? nullptr : &kBroken;
}

struct Closure;
struct Frame {
  Frame* up;
  Frame* next_owned;
  std::uint32_t slots;
  std::uint32_t closures;
  Value* values() { return reinterpret_cast<Value*>(this + 1); }
  Closure* closure(std::uint32_t index);
  std::size_t bytes() const;
};
struct Closure {
  const Node* body;
  Frame* frame;
};
inline Closure* Frame::closure(std::uint32_t index) {
  return reinterpret_cast<Closure*>(values() + slots) + index;
}
inline std::size_t Frame::bytes() const {
  return sizeof(Frame) + slots * sizeof(Value) + closures * sizeof(Closure);
}

// Where outputs go; false stops what produces them.
class Sink {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Sink>)
      Sink(F& f)  // a reference to a callable, for the time of a call
      : self_(&f), call_([](void* self, Value value, const PathNode* path) {
          return (*static_cast<F*>(self))(std::move(value), path);
        }) {}
  bool operator()(Value value, const PathNode* path) const {
    return call_(self_, std::move(value), path);
  }

 private:
  void* self_;
  bool (*call_)(void*, Value, const PathNode*);
};

class Machine {
 public:
  enum class Stop : std::uint8_t { None, Error, Break, Limit, Halt, Done };

  Result<JqEnd> run(const Program& program, const JqOptions& options, const Json& input,
                    std::span<const Json> variables, JqSink& sink);

  // For native functions. raise() and exhausted() stop; their result stands for a value.
  Value raise(Value error, const Node& at);
  Value raise(std::string_view message, const Node& at);
  Value exhausted(std::string_view limit, const Node& at);
  Value halt(JqEnd end);
  bool stopped() const { return stop_ != Stop::None; }
  // Pays for work that is not seen as steps; false when the limit is reached.
  bool spend(std::size_t steps, const Node& at);
  // Adds the JSON text of a value; false after the machine was stopped, since it is longer than
  // there is memory: values may share parts, and be small where their texts are not.
  bool write_json(std::string& out, const Value& value, const Node& at, const JqStyle& style = {});
  // The same for an output, outside of any expression; `out` stays as it was.
  bool write_output(std::string& out, const Value& value, const JqStyle& style);
  // Whether a text or array of so many bytes may be made.
  bool has_room(std::size_t bytes, const Node& at);
  // The result of inexact arithmetic, or an error where that is refused.
  Value rounded(Value value, const Node& at);
  const JqOptions& options() const { return *options_; }
  RegexCache& regexes() { return regexes_; }

 private:
  class OwnedFrames;

  bool step(const Node& at) {
    if (--steps_left_ > 0 && !heap_.is_full() && heap_.deepest() <= kDepthMax) return true;
    return refuse_step(at);
  }
  bool is_stack_low() const {
    return static_cast<const char*>(__builtin_frame_address(0)) < stack_end_;
  }
  bool refuse_step(const Node& at);
  bool refuse_depth(const Node& at);

  bool eval(const Node& node, Value in, const PathNode* path, Frame* frame, const Sink& out);
  Value eval_single(const Node& start, Value in, Frame* frame);
  bool dispatch(const Node& node, Value in, const PathNode* path, Frame* frame, const Sink& out);
  bool dispatch_form(const Node& node, Value in, const PathNode* path, Frame* frame,
                     const Sink& out);
  Value single_object(const Node& node, const Value& in, Frame* frame);
  Value single_array(const Node& node, Value in, Frame* frame);
  // A native function looks through texts without a step.
  void pay_for_texts(const Value* arguments, std::size_t count) {
    constexpr std::size_t kFree = 1024;
    for (std::size_t i = 0; i < count; ++i)
      if (arguments[i].is_string() && arguments[i].text().size() > kFree)
        heap_.work(arguments[i].text().size() / 64);
  }
  Value single_native(const Node& node, Value in, Frame* frame);
  Value single_text(const Node& node, const Value& in, Frame* frame);
  Value single_form(const Node& node, Value in, Frame* frame);

  Frame* new_frame(Frame* up, std::uint32_t slots, std::uint32_t closures);
  void free_frame(Frame* frame);
  static Frame* outer(Frame* frame, std::uint32_t depth) {
    for (; depth > 0; --depth) frame = frame->up;
    return frame;
  }
  Frame* called_frame(const Node& call, Frame* frame);

  using V = Value;
  using P = const PathNode*;
  bool eval_field(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_index(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_slice(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_iterate(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool iterate(const Node& n, const V& in, P path, const Sink& out);
  bool eval_array(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_object(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool object_entries(const Node& n, const V& in, Frame* f, std::size_t i, const V& made,
                      const Sink& out);
  bool eval_binary(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_negate(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_logic(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_alternative(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_if(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_pipe(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_try(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_reduce(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_foreach(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_bind(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool bind_any(const Node& n, const V& value, Frame* f, const Sink& then,
                const bool* beyond = nullptr);
  bool bind(const Pattern& pattern, const V& value, Frame* f, const Sink& then);
  bool bind_entry(const Pattern& pattern, std::size_t i, const V& value, Frame* f,
                  const Sink& then);
  bool eval_label(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_native(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool native_arguments(const Node& n, std::size_t left, const V& in, Frame* f, V* arguments,
                        const Sink& out);
  bool eval_text(const Node& n, const V& in, Frame* f, std::size_t left, const V& tail,
                 const Sink& out);
  bool eval_path(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_getpath(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_first(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_last(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_limit(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_skip(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_until(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_while(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_repeat(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_recurse(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool recurse_children(const Node& n, const V& in, P path, const Sink& out);
  bool eval_any_all(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_range(const Node& n, V in, P path, Frame* f, const Sink& out);
  bool eval_update(const Node& n, V in, P path, Frame* f, const Sink& out);
  V update(const Node& n, V in, Frame* f, const V* operand);
  V modify_each(const Node& n, V in, Frame* f, const V* operand);
  bool change(const Node& n, V& slot, Frame* f, const V* operand, bool& removed);
  bool collect_paths(const Node& n, const V& in, Frame* f, std::vector<Value>& paths);
  V reduce_single(const Node& n, V in, Frame* f);

  V index(const V& target, const V& key, const Node& at);
  V slice(const V& target, V from, V to, const Node& at);
  V field(const V& target, const Node& at);
  V binary(Sign sign, V a, V b, const Node& at);
  V negate(const V& value, const Node& at);
  V refuse_object_key(const V& key, const Node& at);
  // Only a part of the input may be asked for parts while a path is wanted.
  bool check_path(P path, const V& target, const V* key, const Node& at) {
    return path == nullptr || path->kind != PathNode::Kind::Broken || refuse_path(target, key, at);
  }
  bool refuse_path(const V& target, const V* key, const Node& at);
  // Only a part of the input has a path.
  bool check_is_part(P path, const V& value, const Node& at);
  V path_array(P path);
  // A value with its path, kept beyond the call that produced it.
  class Kept;
  Kept keep(V value, P at, bool with_path);

  bool ended_at(std::uint64_t id) {
    if (stop_ != Stop::Break || break_ != id) return false;
    stop_ = Stop::None;
    return true;
  }
  bool stop_at(std::uint64_t id) {
    stop_ = Stop::Break;
    break_ = id;
    return false;
  }
  bool clear_error() {
    if (stop_ != Stop::Error) return false;
    stop_ = Stop::None;
    return true;
  }
  Error failure() const;

  static constexpr std::uint32_t kDepthMax = 10'001;

  Heap heap_;
  RegexCache regexes_;
  const Program* program_ = nullptr;
  const JqOptions* options_ = nullptr;
  std::int64_t steps_left_ = 0;
  const char* stack_end_ = nullptr;
  Stop stop_ = Stop::None;
  std::uint64_t break_ = 0;
  std::uint64_t labels_ = 0;
  Value error_;
  std::uint32_t error_at_ = 0;
  std::string limit_;
  JqEnd end_;
};

// Shared by natives and the machine.
Value add_values(Machine& machine, Value a, const Value& b, const Node& at);
Value calculate_values(Machine& machine, Sign sign, Value a, const Value& b, const Node& at);
bool compare_by(Sign sign, const Value& a, const Value& b);
Value index_value(Machine& machine, const Value& target, const Value& key, const Node& at);
Value get_path(Machine& machine, const Value& root, const Value& path, const Node& at);
Value set_path(Machine& machine, Value root, const Value& path, Value value, const Node& at);
Value delete_paths(Machine& machine, Value root, const Value& paths, const Node& at);
// The place of a path that exists, made changeable; null when it does not exist so. `passed`: the
// containers on the way, from the root on.
Value* existing_place(Value& root, const Value& path, std::vector<Value*>& passed);
struct SliceBounds {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};
std::optional<SliceBounds> slice_bounds(const Value& from, const Value& to, std::uint32_t size);
Value slice_value(Machine& machine, const Value& target, const Value& from, const Value& to,
                  const Node& at);
Value indices_of(const Value& array, const Value& part);

// For messages: the JSON text, cut to a few characters.
std::string brief(const Value& value, std::size_t most = 14);
// The same behind its kind: number (1).
std::string named(const Value& value);

}  // namespace weft::mapping
