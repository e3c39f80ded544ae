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

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::Null; }
  bool is_bool() const { return type_ == Type::False || type_ == Type::True; }
  bool is_number() const { return type_ == Type::Number; }
  bool is_string() const { return type_ == Type::String; }
  bool is_array() const { return type_ == Type::Array; }
  bool is_object() const { return type_ == Type::Object; }

  // Requires the matching type.
  bool as_bool() const { return type_ == Type::True; }
  std::string_view as_string() const { return {chars_, size_}; }  // unescaped UTF-8
  std::string_view number() const { return {chars_, size_}; }     // the lexeme, valid JSON
  std::span<const Json> elements() const { return {elements_, size_}; }
  std::span<const JsonMember> members() const;  // document order

  // Whether a number is mathematically an integer of any size: 5, 5.0 and 50e-1 are.
  bool is_integer() const {
    return type_ == Type::Number && ((flags_ & kPlainInteger) != 0 || is_integer_lexeme());
  }
  // Whether a number is written as digits alone, or as a minus and digits.
  bool is_plain_integer() const { return (flags_ & kPlainInteger) != 0; }
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
  std::string_view raw() const { return {raw_, raw_size_}; }

  // Equality as JSON Schema defines it: 1 equals 1.0, objects compare without order.
  friend bool operator==(const Json& a, const Json& b);

 private:
  friend class JsonBuilder;

  static constexpr std::uint8_t kIndexed = 1;       // object with a sorted index behind its members
  static constexpr std::uint8_t kPlainInteger = 2;  // number of digits alone, or a minus and digits
  static constexpr std::uint8_t kAscii = 4;         // string of bytes below 0x80

  bool is_integer_lexeme() const;

  union {
    const char* chars_ = nullptr;
    const Json* elements_;
    const JsonMember* members_;
  };
  const char* raw_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t offset_ = 0;
  std::uint32_t raw_size_ = 0;
  Type type_ = Type::Null;
  std::uint8_t flags_ = 0;
};

struct JsonMember {
  Json key_value;  // the key as a String value, so that it has a position too
  Json value;
  std::string_view key() const { return key_value.as_string(); }
};

inline std::span<const JsonMember> Json::members() const {
  return {members_, size_};
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
