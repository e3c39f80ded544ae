// The tree of a jq program as it is written. Private to mapping.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace weft::mapping {

enum class AstKind : std::uint8_t {
  Identity,
  RecurseAll,  // ..
  Field,       // a . text
  Index,       // a [ b ]
  Slice,       // a [ b : c ], b and c may be missing
  Iterate,     // a []
  Number,      // text
  Format,      // @text as a function
  String,      // parts in kids: Literal texts and expressions; text is the format
  Literal,     // part of a string
  Array,       // [ a ], a may be missing
  Object,      // entries
  Negate,      // - a
  Pipe,        // a | b
  Comma,       // a , b
  Binary,      // a text b
  Update,      // a text b: = |= += …
  If,          // a then b else c, c may be missing
  Try,         // a catch b, b may be missing
  Reduce,      // a as patterns (b; c)
  Foreach,     // a as patterns (b; c; d), d may be missing
  Bind,        // a as patterns | b
  Label,       // label $text | a
  Break,       // break $text
  Variable,    // $text
  Location,    // $__loc__
  Call,        // text(kids)
  Define,      // def function: …; b
};

struct Ast;

struct AstPattern {
  enum class Kind : std::uint8_t { Variable, Array, Object };
  struct Entry {
    Ast* key = nullptr;    // expression; missing where the variable is the key
    std::string variable;  // also bound to the value
    AstPattern* value = nullptr;
  };
  Kind kind = Kind::Variable;
  std::uint32_t offset = 0;
  std::string variable;
  std::vector<Entry> entries;  // of an array: values alone
};

struct AstFunction {
  std::string name;
  std::vector<std::string> parameters;  // with $ where a value is taken
  Ast* body = nullptr;
};

struct Ast {
  struct Entry {
    Ast* key = nullptr;
    Ast* value = nullptr;
  };
  AstKind kind = AstKind::Identity;
  bool optional = false;  // a suffix with ?: its own failure is no output
  bool binds = false;     // holds variables, labels or functions of its own
  std::uint32_t offset = 0;
  int height = 0;  // below the root, once the program is whole
  Ast* a = nullptr;
  Ast* b = nullptr;
  Ast* c = nullptr;
  Ast* d = nullptr;
  std::string text;
  std::vector<Ast*> kids;
  std::vector<Entry> entries;
  std::vector<AstPattern*> patterns;
  AstFunction function;
};

// Owns the nodes of a program.
struct AstArena {
  std::deque<Ast> nodes;
  std::deque<AstPattern> patterns;
};

}  // namespace weft::mapping
