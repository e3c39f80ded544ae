#include "mapping/core/special_forms.h"

#include "mapping/core/builtins.h"
#include "mapping/core/compiler.h"

namespace weft::mapping {
namespace {

Node* mapped(Compiler& compiler, const Ast& call, const Node* f) {
  return compiler.make(Op::Array, call,
                       {compiler.make(Op::Pipe, call, {compiler.make(Op::Iterate, call), f})});
}

template <Op kOp>
Node* one_part(Compiler& compiler, const Ast& call) {
  return compiler.make(kOp, call, {compiler.expression(*call.kids[0])});
}

template <Op kOp>
Node* two_parts(Compiler& compiler, const Ast& call) {
  const Node* const first = compiler.expression(*call.kids[0]);
  return compiler.make(kOp, call, {first, compiler.expression(*call.kids[1])});
}

template <Op kOp>
Node* nested_parts(Compiler& compiler, const Ast& call) {
  const Node* const first = compiler.reentrant(*call.kids[0]);
  if (call.kids.size() == 1) return compiler.make(kOp, call, {first});
  return compiler.make(kOp, call, {first, compiler.reentrant(*call.kids[1])});
}

Node* compile_empty(Compiler& compiler, const Ast& call) {
  return compiler.make(Op::Empty, call);
}

Node* compile_map(Compiler& compiler, const Ast& call) {
  return mapped(compiler, call, compiler.expression(*call.kids[0]));
}

Node* compile_map_values(Compiler& compiler, const Ast& call) {
  const Node* const paths = compiler.make(Op::Iterate, call);
  return compiler.make(Op::Modify, call, {paths, compiler.expression(*call.kids[0])});
}

Node* compile_select(Compiler& compiler, const Ast& call) {
  const Node* const condition = compiler.expression(*call.kids[0]);
  return compiler.make(
      Op::If, call, {condition, compiler.make(Op::Identity, call), compiler.make(Op::Empty, call)});
}

Node* compile_recurse(Compiler& compiler, const Ast& call) {
  const Node* const children = compiler.make(Op::Try, call, {compiler.make(Op::Iterate, call)});
  return compiler.make(Op::Recurse, call, {children});
}

Node* compile_with_entries(Compiler& compiler, const Ast& call) {
  const Node* const f = compiler.expression(*call.kids[0]);
  const Node* const to = compiler.native(find_native("to_entries", 0), call, {});
  const Node* const from = compiler.native(find_native("from_entries", 0), call, {});
  const Node* const inner = compiler.make(Op::Pipe, call, {mapped(compiler, call, f), from});
  return compiler.make(Op::Pipe, call, {to, inner});
}

// sort_by(f) and its like get the array of all [f].
Node* compile_by(Compiler& compiler, const Ast& call) {
  const Node* const f = compiler.expression(*call.kids[0]);
  const Node* const keys = mapped(compiler, call, compiler.make(Op::Array, call, {f}));
  return compiler.native(find_native("_" + call.text, 1), call, {keys});
}

Node* compile_range(Compiler& compiler, const Ast& call) {
  const Node* parts[3] = {};
  for (std::size_t i = 0; i < call.kids.size(); ++i) parts[i] = compiler.expression(*call.kids[i]);
  if (call.kids.size() == 1)
    return compiler.make(Op::Range, call, {compiler.constant(Value::integer(0), call), parts[0]});
  return compiler.make(Op::Range, call, {parts[0], parts[1], parts[2]});
}

constexpr SpecialForm kForms[] = {
    {"empty", 0, compile_empty},
    {"map", 1, compile_map},
    {"map_values", 1, compile_map_values},
    {"select", 1, compile_select},
    {"recurse", 0, compile_recurse},
    {"recurse", 1, nested_parts<Op::Recurse>},
    {"with_entries", 1, compile_with_entries},
    {"sort_by", 1, compile_by},
    {"group_by", 1, compile_by},
    {"unique_by", 1, compile_by},
    {"min_by", 1, compile_by},
    {"max_by", 1, compile_by},
    {"path", 1, one_part<Op::Path>},
    {"getpath", 1, one_part<Op::GetPath>},
    {"first", 1, one_part<Op::First>},
    {"last", 1, one_part<Op::Last>},
    {"limit", 2, two_parts<Op::Limit>},
    {"skip", 2, two_parts<Op::Skip>},
    {"until", 2, nested_parts<Op::Until>},
    {"while", 2, nested_parts<Op::While>},
    {"repeat", 1, nested_parts<Op::Repeat>},
    {"any", 2, two_parts<Op::AnyOf>},
    {"all", 2, two_parts<Op::AllOf>},
    {"isempty", 1, one_part<Op::IsEmpty>},
    {"range", 1, compile_range},
    {"range", 2, compile_range},
    {"range", 3, compile_range},
};

}  // namespace

std::span<const SpecialForm> special_forms() {
  return kForms;
}

const SpecialForm* find_special_form(std::string_view name, int arity) {
  for (const SpecialForm& form : kForms)
    if (form.arity == arity && form.name == name) return &form;
  return nullptr;
}

}  // namespace weft::mapping
