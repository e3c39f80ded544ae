// A compiled jq program: immutable nodes that any number of evaluations run. Private to mapping.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "mapping/core/value.h"

namespace weft::mapping {

class Machine;
struct Node;

enum class Op : std::uint8_t {
  Identity,
  Empty,
  Constant,
  Variable,     // of the frame `depth` levels out, at `slot`
  Field,        // a . constant
  Index,        // a [ b ]
  Slice,        // a [ b : c ]
  Iterate,      // a []
  Array,        // [ a ]
  Object,       // entries
  Negate,       // - a
  Pipe,         // a | b
  Comma,        // a , b
  Calculate,    // a sign b
  Compare,      // a sign b
  And,          // a and b
  Or,           // a or b
  Alternative,  // a // b
  If,           // a then b else c
  Try,          // a catch b
  Reduce,       // a as pattern (b; c)
  Foreach,      // a as pattern (b; c; d)
  Bind,         // a as patterns | b
  Label,        // slot, a
  Break,        // depth, slot
  Call,         // function with kids as closures
  Closure,      // parameter `slot` of the frame `depth` levels out
  Enter,        // function without parameters in a frame of its own
  Native,       // native(kids)
  Text,         // kids joined, expressions through `format`
  Path,         // path(a)
  GetPath,      // getpath(a)
  First,        // first(a)
  Last,         // last(a)
  Limit,        // limit(a; b)
  Skip,         // skip(a; b)
  Until,        // until(a; b)
  While,        // while(a; b)
  Repeat,       // repeat(a)
  Recurse,      // recurse(a)
  AnyOf,        // any(a; b)
  AllOf,        // all(a; b)
  IsEmpty,      // isempty(a)
  Range,        // range(a; b; c)
  Assign,       // a = b
  Modify,       // a |= b
  ModifyBy,     // a sign= b
  Default,      // a //= b
};

enum class Sign : std::uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  Remainder,
  Equal,
  Unequal,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
};

enum class Format : std::uint8_t {
  Text,
  Json,
  Csv,
  Tsv,
  Html,
  Uri,
  Urid,
  Sh,
  Base64,
  Base64d,
  Base32,
  Base32d,
};

// arguments[0] is the input; the result counts unless the machine was stopped.
using NativeFunction = Value (*)(Machine& machine, Value* arguments, const Node& at);

struct Pattern {
  enum class Kind : std::uint8_t { Variable, Array, Object };
  struct Entry {
    const Node* key = nullptr;  // evaluated on the input of the whole binding
    std::int32_t slot = -1;     // also takes the value
    const Pattern* value = nullptr;
  };
  Kind kind = Kind::Variable;
  std::uint32_t offset = 0;
  std::uint32_t slot = 0;
  std::vector<Entry> entries;
};

struct Function {
  const Node* body = nullptr;
  std::uint32_t slots = 0;
  std::uint32_t parameters = 0;
  bool single = false;
};

struct Node {
  struct Entry {
    const Node* key = nullptr;
    const Node* value = nullptr;
  };
  Op op = Op::Identity;
  bool single = false;    // exactly one output or an error, as far as known
  bool optional = false;  // Field, Index, Slice, Iterate: its own failure is no output
  Sign sign = Sign::Add;
  Format format = Format::Text;
  std::uint32_t offset = 0;  // in the source; of the definitions in the prelude: of their caller
  std::uint32_t depth = 0;
  std::uint32_t slot = 0;
  const Node* a = nullptr;
  const Node* b = nullptr;
  const Node* c = nullptr;
  const Node* d = nullptr;
  Value constant;  // borrowed
  const Function* function = nullptr;
  NativeFunction native = nullptr;
  std::vector<const Node*> kids;
  std::vector<Entry> entries;
  std::vector<const Pattern*> patterns;
  std::vector<std::uint32_t> cleared;  // slots that alternatives of a pattern may leave unset
};

struct Program {
  std::string source;
  std::deque<Node> nodes;
  std::deque<Pattern> patterns;
  std::deque<Function> functions;
  std::deque<std::string> texts;  // that constants borrow
  std::vector<JsonDocument> documents;
  const Node* root = nullptr;
  std::uint32_t slots = 0;  // the first ones are the named variables, in their order
  std::size_t variables = 0;
};

}  // namespace weft::mapping
