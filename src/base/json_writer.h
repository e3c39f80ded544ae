// Builds JSON text in one pass, without a tree: the form for responses, records and logs.
//
//   JsonWriter w;
//   w.object().key("name").value("x").key("lines").array();
//   for (auto& line : lines) w.raw(line.raw());
//   w.end().end();
//   send(std::move(w).text());
//
// Commas and quotes are its own business. One thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/json.h"

namespace weft {

class JsonWriter {
 public:
  JsonWriter() = default;
  explicit JsonWriter(std::string buffer) : out_(std::move(buffer)) {}  // appends to what it holds

  JsonWriter& object();
  JsonWriter& array();
  JsonWriter& end();  // of the innermost object or array

  JsonWriter& key(std::string_view name);

  // Text that is not UTF-8 is written with U+FFFD in place of each bad byte.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  template <std::integral T>
  JsonWriter& value(T number) {
    if constexpr (std::is_same_v<T, bool>)
      return boolean(number);
    else if constexpr (std::is_signed_v<T>)
      return integer(number);
    else
      return unsigned_integer(number);
  }
  JsonWriter& value(double number);     // shortest form that reads back; null when not finite
  JsonWriter& value(const Json& tree);  // raw bytes where it has them
  JsonWriter& null();
  // A JSON text that is already valid.
  JsonWriter& raw(std::string_view json);

  // key(name).value(v) in one word.
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  const std::string& text() const& { return out_; }
  std::string text() && { return std::move(out_); }

 private:
  JsonWriter& boolean(bool value);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& unsigned_integer(std::uint64_t number);
  bool takes_comma();  // before the next value or name
  void separate();

  std::string out_;
  std::string open_;  // one closing character per level
  bool first_ = true;
  bool after_key_ = false;
};

// `text` as a JSON string with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace weft
