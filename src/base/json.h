// Exact JSON values (RFC 8259): an immutable tree over the text that it was parsed from.
//
// A number keeps its lexeme, so 19.99 stays 19.99 and 123456789012345678.12 loses nothing; what is
// only moved is emitted byte for byte with raw(). Duplicate keys are refused, depth and size are
// limited, and each value knows where in its text it stands.
//
// A Json is a small view: copy it freely, but its JsonDocument (or JsonParser) must outlive it.
// Reading is safe from any thread. For building text see json_writer.h, for YAML and located files
// document.h, for arithmetic and comparison of numbers decimal.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

class JsonArena;
class JsonWriter;
struct JsonMember;

// No limit may allow more: what walks a tree afterwards (equality, writing) recurses.
inline constexpr std::uint32_t kJsonDepthMax = 10'000;

struct JsonLimits {
  std::uint32_t depth_max = 512;             // nested arrays and objects; at most kJsonDepthMax
  std::size_t bytes_max = 64 * 1024 * 1024;  // length of the text; at most 4 GiB
};

class Json {
 public:
  enum class Type : std::uint8_t { Null, False, True, Number, String, Array, Object };

  Json() = default;  // null

  Type type() const { return static_cast<Type>(type_); }
  bool is_null() const { return type() == Type::Null; }
  bool is_bool() const { return type() == Type::False || type() == Type::True; }
  bool is_number() const { return type() == Type::Number; }
  bool is_string() const { return type() == Type::String; }
  bool is_array() const { return type() == Type::Array; }
  bool is_object() const { return type() == Type::Object; }

  // Requires the matching type.
  bool as_bool() const { return type() == Type::True; }
  std::string_view as_string() const { return {chars(), size_}; }  // unescaped UTF-8
  std::string_view number() const { return {chars(), size_}; }     // the lexeme, valid JSON
  std::span<const Json> elements() const { return {at<Json>(), size_}; }
  std::span<const JsonMember> members() const;  // document order

  // Whether a number is mathematically an integer of any size: 5, 5.0 and 50e-1 are.
  bool is_integer() const {
    return is_number() && ((flags_ & kPlainInteger) != 0 || is_integer_lexeme());
  }
  // Whether a number is written as digits alone, or as a minus and digits.
  bool is_plain_integer() const { return (flags_ & kPlainInteger) != 0; }
  // Whether a number is written with a minus, as -0 is too.
  bool has_minus() const { return (flags_ & kMinus) != 0; }
  // The value as a 64-bit integer: 5, 5.0 and 50e-1 are 5; absent when it is not an integer or too
  // large.
  std::optional<std::int64_t> as_int64() const;
  // The nearest double. For formulas whose result is approximate anyway; never to move a value.
  double as_double() const;

  // Whether a string is known to hold one-byte characters only, so that its size() is its length.
  bool is_ascii() const { return (flags_ & kAscii) != 0; }

  // Characters' bytes, elements or members, by type.
  std::uint32_t size() const { return size_; }

  // The member of an object; null when there is none or this is not an object.
  const Json* find(std::string_view key) const;
  // Follows a JSON Pointer (RFC 6901, string form); null when nothing stands there.
  const Json* at_pointer(std::string_view pointer) const;

  // Byte offset of the value's first character in the source text.
  std::uint32_t offset() const { return offset_; }
  // The value's own bytes in a JSON source text; empty when it came from YAML.
  std::string_view raw() const;

  // Asks the processor for the memory of a container that is about to be read, as far as one can
  // guess it without a look: a tree that was parsed some time ago is no longer near.
  void prefetch() const;

  // Equality as JSON Schema defines it: 1 equals 1.0, objects compare without order.
  friend bool operator==(const Json& a, const Json& b);

 private:
  friend class JsonBuilder;

  enum Flag : std::uint8_t {
    kIndexed = 1,       // object with a sorted index behind its members
    kPlainInteger = 2,  // number of digits alone, or a minus and digits
    kAscii = 4,         // string of bytes below 0x80
    kMinus = 8,         // number that begins with a minus
    kHasRaw = 16,       // from a JSON text
    kEscaped = 32,      // string whose characters lie in the arena, not in the text
  };

  // Lies in front of the elements or members, and of the characters of a string with escapes, when
  // there is a raw text: elsewhere it follows from the place.
  struct RawText {
    const char* chars;
    std::uint64_t size;
  };

  template <class T>
  const T* at() const {
    return reinterpret_cast<const T*>(static_cast<std::uintptr_t>(place_));
  }
  const char* chars() const { return at<char>(); }
  bool is_integer_lexeme() const;

  // Trees are read far more often than built, and often from memory that is no longer in the cache:
  // so a value is 16 bytes. The place is the address of the characters, elements or members (of a
  // literal: of its raw text); a user's addresses have 48 bits, which JsonArena makes sure of.
  std::uint64_t type_ : 8 = 0;
  std::uint64_t flags_ : 8 = 0;
  std::uint64_t place_ : 48 = 0;
  std::uint32_t size_ = 0;
  std::uint32_t offset_ = 0;
};
static_assert(sizeof(Json) == 16);

struct JsonMember {
  Json key_value;  // the key as a String value, so that it has a position too
  Json value;
  std::string_view key() const { return key_value.as_string(); }
};

inline std::span<const JsonMember> Json::members() const {
  return {at<JsonMember>(), size_};
}

// A tree with the text that it points into. Movable; its values stay valid when it moves.
class JsonDocument {
 public:
  // Errors say line, column and what was expected.
  static Result<JsonDocument> parse(std::string text, const JsonLimits& limits = {});

  JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  const Json& root() const;
  std::string_view text() const;

 private:
  friend class DocumentParser;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Parses one text after another in the same memory: the hot-path form, no allocation once warm. The
// returned tree points into `text` and into the parser, until the next parse. One thread at a time.
class JsonParser {
 public:
  explicit JsonParser(const JsonLimits& limits = {});
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;
  ~JsonParser();
  Result<const Json*> parse(std::string_view text);

 private:
  JsonLimits limits_;
  std::unique_ptr<JsonArena> arena_;
  Json root_;
};

// Whether parse() would take the text; without a tree of it, which is faster.
bool is_json(std::string_view text, const JsonLimits& limits = {});

// The JSON Pointer (RFC 6901) of the value or member that begins at a byte offset below root, else
// of the last one that begins before it; and the 1-based line and column (in characters) of a byte
// offset in a text. For error messages; linear in the size of the document.
std::string pointer_at(const Json& root, std::uint32_t offset);
// The same for a value of the tree itself, by identity; absent when it is not of that tree.
std::optional<std::string> pointer_of(const Json& root, const Json& value);
struct TextPosition {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};
TextPosition position_at(std::string_view text, std::uint32_t offset);

// `text` with a JSON Pointer token's "~" and "/" escaped.
std::string escape_pointer_token(std::string_view text);

}  // namespace weft
