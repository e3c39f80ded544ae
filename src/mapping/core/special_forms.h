// Builtins whose arguments are expressions that are run by their own rules. Private to mapping.
#pragma once

#include <span>
#include <string_view>

namespace weft::mapping {

class Compiler;
struct Ast;
struct Node;

struct SpecialForm {
  std::string_view name;
  int arity;
  Node* (*compile)(Compiler& compiler, const Ast& call);
};

std::span<const SpecialForm> special_forms();
// Null when there is none.
const SpecialForm* find_special_form(std::string_view name, int arity);

}  // namespace weft::mapping
