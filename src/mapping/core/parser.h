// Reads a jq program into its tree. Errors say line and column. Private to mapping.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mapping/core/ast.h"
#include "mapping/core/lexer.h"

namespace weft::mapping {

class Parser {
 public:
  Parser(std::string_view source, AstArena& arena) : lexer_(source), arena_(arena) {}

  // The whole text; an empty program is the identity.
  Result<Ast*> program();
  // One or more definitions and nothing else.
  Result<std::vector<AstFunction>> definitions();

 private:
  // Programs come from people; what is nested deeper is an attack on the stack.
  static constexpr int kNestingMax = 500;
  static constexpr int kHeightMax = 2'000;
  static constexpr std::size_t kStagesMax = 10'000;

  struct Listed {
    Ast* item;
    std::uint32_t offset;  // of the comma before it
  };

  static bool any_binds(const Ast& node);
  Ast* node(AstKind kind, std::uint32_t offset);
  Ast* pair(AstKind kind, std::uint32_t offset, Ast* a, Ast* b);
  // Null after an error; the first one stays.
  Ast* refuse(const Token& at, std::string_view problem);
  Ast* unexpected(std::string_view wanted);

  void advance();
  bool take(std::string_view sign);
  bool take_word(std::string_view word);
  bool expect(std::string_view sign);
  bool expect_word(std::string_view word);

  Ast* pipe();
  Ast* comma();
  Ast* listed(std::span<const Listed> list);
  bool check_height(Ast& root);
  Ast* binary(int least);
  Ast* alternatives() { return binary(1); }  // all that binds tighter than a comma
  Ast* operand();
  Ast* postfix();
  Ast* suffixes(Ast* term, bool plain);
  Ast* suffix(Ast* term);
  Ast* bracket(Ast* term);
  Ast* term();
  Ast* word_term();
  Ast* text(std::string_view format);
  Ast* array();
  Ast* object();
  bool object_entry(Ast::Entry& entry);
  Ast* object_value();
  Ast* conditional(std::uint32_t offset);
  Ast* attempt(std::uint32_t offset);
  Ast* loop(AstKind kind, std::uint32_t offset);
  Ast* negation(std::uint32_t offset, Ast* value);
  Ast* labelled(std::uint32_t offset);
  Ast* call();
  Ast* define(std::uint32_t offset);
  bool function(AstFunction& into);
  bool patterns(std::vector<AstPattern*>& into);
  AstPattern* pattern();
  bool object_pattern(AstPattern& into);
  bool variable_name(std::string& into);

  Lexer lexer_;
  AstArena& arena_;
  Token now_;
  Error error_;
  bool failed_ = false;
  int depth_ = 0;
};

}  // namespace weft::mapping
