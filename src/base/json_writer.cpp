#include "base/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text_scan.h"
#include "base/utf8.h"

namespace weft {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

void append_escape(std::string& out, unsigned char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

// What stands before and after a string: a comma, the colon of a name.
struct Around {
  bool comma = false;
  bool colon = false;
};

// Nearly all names and most values: written in one piece. Requires plain text.
void append_plain(std::string& out, std::string_view text, Around around) {
  const auto start = out.size();
  const auto size = start + around.comma + text.size() + 2 + around.colon;
  // g++ 12 may tell the function more than was asked for, so it is not asked.
  out.resize_and_overwrite(size, [&](char* data, std::size_t) {
    char* at = data + start;
    if (around.comma) *at++ = ',';
    *at++ = '"';
    at = std::copy_n(text.data(), text.size(), at);
    *at++ = '"';
    if (around.colon) *at = ':';
    return size;
  });
}

void append_quoted(std::string& out, std::string_view text, Around around = {}) {
  if (is_plain_text(text)) return append_plain(out, text, around);
  const char* at = text.data();
  const char* const end = at + text.size();
  if (around.comma) out += ',';
  out += '"';
  while (at < end) {
    const char* const plain_end = skip_plain(at, end);
    out.append(at, plain_end);
    at = plain_end;
    if (at == end) break;
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x80) {
      append_escape(out, byte);
      ++at;
      continue;
    }
    const unsigned length = utf8_length(at, end);
    out.append(length == 0 ? kReplacement : std::string_view(at, length));
    at += length == 0 ? 1 : length;
  }
  out += '"';
  if (around.colon) out += ':';
}

template <class T>
void append_number(std::string& out, T number) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

}  // namespace

bool JsonWriter::takes_comma() {
  const bool comma = !first_ && !after_key_;
  // Only between the values of an open container is there a comma.
  first_ = open_.empty();
  after_key_ = false;
  return comma;
}

void JsonWriter::separate() {
  if (takes_comma()) out_ += ',';
}

JsonWriter& JsonWriter::object() {
  separate();
  out_ += '{';
  open_ += '}';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::array() {
  separate();
  out_ += '[';
  open_ += ']';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end() {
  ENSURE(!open_.empty(), "each end() belongs to an open object or array");
  out_ += open_.back();
  open_.pop_back();
  first_ = open_.empty();
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  append_quoted(out_, name, {takes_comma(), true});
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  append_quoted(out_, text, {takes_comma(), false});
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(const Json& tree) {
  if (!tree.raw().empty()) return raw(tree.raw());
  switch (tree.type()) {
    case Json::Type::Null:
      return null();
    case Json::Type::False:
      return boolean(false);
    case Json::Type::True:
      return boolean(true);
    case Json::Type::Number:
      return raw(tree.number());
    case Json::Type::String:
      return value(tree.as_string());
    case Json::Type::Array:
      array();
      for (const Json& element : tree.elements()) value(element);
      return end();
    case Json::Type::Object:
      object();
      for (const JsonMember& m : tree.members()) key(m.key()).value(m.value);
      return end();
  }
  return *this;
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  return raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

std::string json_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(out, text);
  return out;
}

}  // namespace weft
