// What a schema is compiled to. A Block is one schema: the JSON types that it allows and a run of
// instructions, grouped by the type of instance that they concern, so that a value meets only what
// can apply to it. Blocks call one another by number; block 0 accepts everything. Immutable; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/decimal.h"
#include "base/json.h"
#include "contracts/core/formats.h"
#include "contracts/core/name_table.h"
#include "contracts/core/pattern.h"

namespace weft::contracts {

using BlockId = std::uint32_t;
inline constexpr BlockId kAcceptAll = 0;

enum class Op : std::uint8_t {
  // a: number in `bounds`
  Minimum,
  ExclusiveMinimum,
  Maximum,
  ExclusiveMaximum,
  MultipleOf,
  // a: count
  MinLength,
  MaxLength,
  MinItems,
  MaxItems,
  MinProperties,
  MaxProperties,
  Pattern,            // a: number in `patterns`
  Format,             // a: number in `formats`
  UniqueItems,        //
  PrefixItems,        // a: start in `lists`, b: count
  Items,              // a: block, b: first element that it concerns
  Contains,           // a: block, b: number in `counts`
  Members,            // a: number in `members`
  Required,           // a: number in `names`
  PropertyNames,      // a: block
  DependentRequired,  // a: number in `names`; the first name asks for the others
  DependentSchema,    // a: number in `names`, b: block
  Values,             // a: number in `values`, b: 1 for const
  Call,               // a: block ($ref, allOf)
  DynamicCall,        // a: number in `dynamic_targets`
  AnyOf,              // a: start in `lists`, b: count
  OneOf,              // likewise
  Not,                // a: block
  If,                 // a: start in `lists` of three: if, then, else
  UnevaluatedItems,   // a: block
  UnevaluatedProperties,
};

struct Instruction {
  Op op;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t place = 0;  // number in `places`
};

// The groups of a block's instructions.
enum Part : std::uint8_t { kNumbers, kStrings, kArrays, kObjects, kAny, kLast, kPartCount };

inline constexpr std::uint8_t type_bit(Json::Type type) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(type));
}
inline constexpr std::uint8_t kAllTypes = 0x7f;
inline constexpr std::uint8_t kBooleanBits =
    type_bit(Json::Type::False) | type_bit(Json::Type::True);

// What there is to do for a value of one type when no reports are wanted; the least that is enough.
enum class Check : std::uint8_t {
  Refuse,
  Accept,
  Length,       // text: the bounds alone
  Size,         // array or object: the bounds alone
  Integer,      // number
  NotNegative,  // number
  Natural,      // number: both
  Range,        // number: in a Range
  Pattern,      // text: the bounds and one pattern
  OneOfTexts,   // text: in the strings of one ValueSet
  Elements,     // array: the bounds and one block for all elements
  Members,      // object: the bounds and one MembersTable without patterns
  Code,         // all of the block
};

// The checks of one schema by the type of the value, small enough to lie beside a member's name.
// What is more than one bound and one target can say is left to the block's code.
struct Checks {
  std::array<Check, 8> of{};  // by Json::Type
  std::uint32_t size_min = 0;
  std::uint32_t size_max = ~std::uint32_t{0};
  std::uint32_t target = 0;  // number of the range, pattern, value set, block or members table
  BlockId block = kAcceptAll;
};

struct Block {
  Checks checks;
  std::uint8_t types = kAllTypes;
  bool integers_only = false;  // where it allows numbers
  bool not_negative = false;   // likewise
  bool is_leaf = false;        // calls no other block
  bool is_scoped = false;      // keeps a record of its own or may change the dynamic scope
  bool records = false;        // unevaluatedItems or unevaluatedProperties ask what was evaluated
  // Bounds of the size of texts (in characters), arrays and objects.
  std::array<std::uint32_t, 3> size_min{};
  std::array<std::uint32_t, 3> size_max{kNoLimit, kNoLimit, kNoLimit};
  // Part p is code[first[p]] to code[first[p + 1]]. Before code[fast[p]] stand the instructions
  // that the fields above already hold; they run only to report.
  std::array<std::uint32_t, kPartCount + 1> first{};
  std::array<std::uint32_t, kAny> fast{};
  std::uint32_t resource = 0;
  std::uint32_t types_place = 0;

  bool is_empty() const { return first[kNumbers] == first[kPartCount]; }
  static constexpr std::uint32_t kNoLimit = ~std::uint32_t{0};
};

struct Bound {
  std::optional<SmallDecimal> small;
  std::string lexeme;
  Decimal exact;
  bool is_zero = false;
  // The lexeme when it is a natural number without sign, fraction or exponent; else empty.
  std::string natural;
  std::uint32_t whole_digits = 0;         // before the point, when there is no sign and no exponent
  std::optional<std::uint32_t> places{};  // n, when it is 10^-n
};

// Bounds that are integers, both included, for numbers written with digits alone.
struct Range {
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
};

// The values of enum or const.
struct ValueSet {
  std::uint8_t simple_types = 0;  // of null, false, true: allowed by their type alone
  NameTable strings;
  std::vector<JsonDocument> others;  // numbers, arrays, objects
};

struct CountRange {
  std::uint64_t min = 1;
  std::uint64_t max = ~std::uint64_t{0};
  bool marks = false;  // what is contained counts as evaluated
  std::uint32_t min_place = 0;
  std::uint32_t max_place = 0;
};

// properties, patternProperties, additionalProperties and required in one pass over the members.
struct MembersTable {
  struct Name {
    BlockId block = kAcceptAll;
    bool has_schema = false;  // else it is only required
    std::uint64_t required_bit = 0;
  };
  struct ForPattern {
    std::uint32_t pattern = 0;
    BlockId block = kAcceptAll;
  };
  // All that a member needs when no reports are wanted, in one line of the cache.
  struct alignas(64) Known {
    NameTable::Ends ends;
    std::uint32_t step = 1;  // to the name expected next
    std::uint64_t required_bit = 0;
    Checks checks;
  };
  NameTable table;
  std::vector<Name> names;   // by the table's numbers
  std::vector<Known> known;  // likewise; the last one, which no name is, is for members without
  std::vector<ForPattern> patterns;
  BlockId additional = kAcceptAll;
  bool has_additional = false;
  std::uint64_t required = 0;  // bits of all required names
  std::uint32_t required_place = 0;
};

struct DynamicTarget {
  struct Candidate {
    std::uint32_t resource;
    BlockId block;
  };
  BlockId otherwise = kAcceptAll;
  std::vector<Candidate> candidates;
};

struct Program {
  std::vector<Block> blocks;
  std::vector<Instruction> code;
  std::vector<BlockId> lists;
  std::vector<Bound> bounds;
  std::vector<Range> ranges;
  std::vector<CountRange> counts;
  std::vector<Pattern> patterns;
  std::vector<FormatCheck> formats;
  std::vector<std::string> format_names;
  std::vector<std::vector<std::string>> names;
  std::vector<ValueSet> values;
  std::vector<MembersTable> members;
  std::vector<DynamicTarget> dynamic_targets;
  std::vector<std::string> places;
  bool is_dynamic = false;
  std::uint32_t depth_max = 0;
  std::uint64_t steps_max = 0;
};

}  // namespace weft::contracts
