// From the tree of a program to its nodes: names resolved, builtins taken in as they are used.
// Private to mapping.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mapping/core/ast.h"
#include "mapping/core/program.h"

namespace weft::mapping {

class Compiler {
 public:
  static Result<std::shared_ptr<const Program>> run(std::string_view source,
                                                    std::span<const std::string> variables);

  // For special forms.
  Node* expression(const Ast& ast);
  // As an expression that may be entered again while it runs.
  Node* reentrant(const Ast& ast);
  Node* make(Op op, const Ast& at, std::initializer_list<const Node*> parts = {});
  Node* native(NativeFunction computes, const Ast& at, std::initializer_list<const Node*> kids);
  Node* constant(Value value, const Ast& at);

 private:
  struct Scope {
    enum class Kind : std::uint8_t { Function, Parameter, Variable, Label };
    Kind kind;
    std::string name;
    std::uint32_t arity = 0;
    std::uint32_t level = 0;
    std::uint32_t slot = 0;
    const Function* function = nullptr;
  };
  struct Context {  // of one frame
    std::uint32_t level = 0;
    std::uint32_t slots = 0;
    std::size_t visible_from = 0;  // scopes before are hidden: the caller's, seen from a builtin
  };
  struct Known {
    std::string name;
    std::uint32_t arity;
    const Function* function;
  };

  explicit Compiler(Program& program) : program_(program) {}

  Node* refuse(const Ast& at, std::string_view problem);
  const Scope* find(Scope::Kind kind, std::string_view name, std::uint32_t arity = 0) const;
  std::uint32_t new_slot() { return context_.slots++; }
  std::string_view keep(std::string_view text);

  Node* optional(const Ast* ast);
  Node* literal(const Ast& ast);
  Node* text(const Ast& ast);
  Node* object(const Ast& ast);
  Node* binary(const Ast& ast);
  Node* update(const Ast& ast);
  Node* conditional(const Ast& ast);
  Node* loop(const Ast& ast);
  Node* bind(const Ast& ast);
  Node* labelled(const Ast& ast);
  Node* variable(const Ast& ast);
  Node* location(const Ast& ast);
  Node* define(const Ast& ast);
  Node* call(const Ast& ast);
  Node* call_function(const Ast& ast, const Function& called, std::uint32_t level);
  const Function* builtin(const Ast& ast);
  const Function* function(const AstFunction& ast, std::uint32_t offset);
  void patterns(const Ast& ast, Node& into);
  const Pattern* pattern(const AstPattern& ast, std::vector<std::uint32_t>& slots,
                         std::vector<std::pair<std::string, std::uint32_t>>& names);
  std::uint32_t pattern_slot(const std::string& name,
                             std::vector<std::pair<std::string, std::uint32_t>>& names);

  static bool is_single(const Node& node);

  Program& program_;
  AstArena arena_;
  std::vector<Scope> scopes_;
  std::vector<Known> builtins_;
  Context context_;
  Error error_;
  bool failed_ = false;
  const Ast* caller_ = nullptr;  // of the builtin that is compiled
};

}  // namespace weft::mapping
