// @text, @json and the other formats.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

// Absent after the machine was stopped: there is no room for `growth` times the text.
std::optional<std::string> text_of(const Value& value, Machine& machine, const Node& at,
                                   std::size_t growth = 1) {
  std::string text;
  if (value.is_string())
    text = value.text();
  else if (!machine.write_json(text, value, at))
    return std::nullopt;
  if (!machine.has_room(text.size() * growth, at) || !machine.spend(text.size() / 64, at))
    return std::nullopt;
  return text;
}

void append_replaced(std::string& out, std::string_view text,
                     std::span<const std::pair<char, std::string_view>> table) {
  for (const char c : text) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [c](const auto& entry) { return entry.first == c; });
    if (found == table.end())
      out += c;
    else
      out += found->second;
  }
}

constexpr std::pair<char, std::string_view> kHtml[] = {
    {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&apos;"}, {'"', "&quot;"}};
constexpr std::pair<char, std::string_view> kCsv[] = {{'"', "\"\""}};
constexpr std::pair<char, std::string_view> kTsv[] = {
    {'\t', "\\t"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\\', "\\\\"}};
constexpr std::pair<char, std::string_view> kShell[] = {{'\'', "'\\''"}};

bool refuse_format(Machine& machine, const Value& value, std::string_view problem, const Node& at) {
  machine.raise(fmt::format("{} {}", named(value), problem), at);
  return false;
}

bool append_row(std::string& out, Format format, const Value& row, Machine& machine,
                const Node& at) {
  const bool csv = format == Format::Csv;
  if (!row.is_array())
    return refuse_format(machine, row,
                         csv ? "cannot be csv-formatted, only an array can be"
                             : "cannot be tsv-formatted, only an array can be",
                         at);
  for (std::uint32_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += csv ? ',' : '\t';
    const Value cell = row.element(i);
    if (cell.is_array() || cell.is_object())
      return refuse_format(machine, cell,
                           csv ? "is not valid in a csv row" : "is not valid in a tsv row", at);
    if (cell.is_null() || is_nan(cell)) continue;
    if (cell.is_string() && csv) {
      out += '"';
      append_replaced(out, cell.text(), kCsv);
      out += '"';
    } else if (cell.is_string()) {
      append_replaced(out, cell.text(), kTsv);
    } else {
      append_json(out, cell);
    }
  }
  return true;
}

bool append_shell(std::string& out, const Value& value, Machine& machine, const Node& at) {
  const auto one = [&](const Value& word) {
    if (word.is_array() || word.is_object())
      return refuse_format(machine, word, "can not be escaped for shell", at);
    if (word.is_string()) {
      out += '\'';
      append_replaced(out, word.text(), kShell);
      out += '\'';
    } else {
      append_json(out, word);
    }
    return true;
  };
  if (!value.is_array()) return one(value);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (i > 0) out += ' ';
    if (!one(value.element(i))) return false;
  }
  return true;
}

void append_uri(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("-_.~").contains(c)))
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
  }
}

// Bytes that are not UTF-8 become U+FFFD, as a string has to be.
void append_valid(std::string& out, std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    const unsigned length = utf8_length(at, end);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++at;
    } else {
      out.append(at, length);
      at += length;
    }
  }
}

bool append_unescaped(std::string& out, const Value& value, Machine& machine, const Node& at) {
  const auto decoded = text_of(value, machine, at);
  if (!decoded) return false;
  const std::string& text = *decoded;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    const int first = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int second = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (first < 0 || second < 0)
      return refuse_format(machine, value, "is not a valid uri encoding", at);
    bytes += static_cast<char>(first * 16 + second);
    i += 2;
  }
  append_valid(out, bytes);
  return true;
}

bool append_base64_decoded(std::string& out, const Value& value, Machine& machine, const Node& at) {
  const auto decoded = text_of(value, machine, at);
  if (!decoded) return false;
  const std::string& text = *decoded;
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos)
      return refuse_format(machine, value, "is not valid base64 data", at);
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if (++count == 4) {
      bytes += static_cast<char>(bits >> 16);
      bytes += static_cast<char>(bits >> 8);
      bytes += static_cast<char>(bits);
      bits = 0;
      count = 0;
    }
  }
  if (count == 3) {
    bytes += static_cast<char>(bits >> 10);
    bytes += static_cast<char>(bits >> 2);
  } else if (count == 2) {
    bytes += static_cast<char>(bits >> 4);
  }
  if (count == 1) return refuse_format(machine, value, "trailing base64 byte found", at);
  append_valid(out, bytes);
  return true;
}

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void append_base32(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); i += 5) {
    std::uint64_t bits = 0;
    const std::size_t bytes = std::min<std::size_t>(5, text.size() - i);
    for (std::size_t k = 0; k < 5; ++k)
      bits = bits << 8 | (k < bytes ? static_cast<unsigned char>(text[i + k]) : 0u);
    const std::size_t digits = (bytes * 8 + 4) / 5;
    for (std::size_t k = 0; k < 8; ++k)
      out += k < digits ? kBase32[bits >> (35 - 5 * k) & 31] : '=';
  }
}

bool append_base32_decoded(std::string& out, const Value& value, Machine& machine, const Node& at) {
  const auto decoded = text_of(value, machine, at);
  if (!decoded) return false;
  const std::string& text = *decoded;
  std::string bytes;
  std::uint64_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t digit = kBase32.find(c);
    if (digit == std::string_view::npos)
      return refuse_format(machine, value, "is not valid base32 data", at);
    bits = bits << 5 | digit;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  append_valid(out, bytes);
  return true;
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"text",   "json",    "csv",    "tsv",
                                                       "html",   "uri",     "urid",   "sh",
                                                       "base64", "base64d", "base32", "base32d"};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Format>(i);
  return std::nullopt;
}

bool append_formatted(std::string& out, Format format, const Value& value, Machine& machine,
                      const Node& at) {
  switch (format) {
    case Format::Text:
      if (value.is_string()) {
        out += value.text();
        return true;
      }
      return machine.write_json(out, value, at);
    case Format::Json:
      return machine.write_json(out, value, at);
    case Format::Csv:
    case Format::Tsv:
      return append_row(out, format, value, machine, at);
    case Format::Html: {
      const auto text = text_of(value, machine, at, 6);
      if (text) append_replaced(out, *text, kHtml);
      return text.has_value();
    }
    case Format::Uri: {
      const auto text = text_of(value, machine, at, 3);
      if (text) append_uri(out, *text);
      return text.has_value();
    }
    case Format::Urid:
      return append_unescaped(out, value, machine, at);
    case Format::Sh:
      return append_shell(out, value, machine, at);
    case Format::Base64: {
      const auto text = text_of(value, machine, at, 2);
      if (text) out += to_base64(*text);
      return text.has_value();
    }
    case Format::Base64d:
      return append_base64_decoded(out, value, machine, at);
    case Format::Base32: {
      const auto text = text_of(value, machine, at, 2);
      if (text) append_base32(out, *text);
      return text.has_value();
    }
    case Format::Base32d:
      return append_base32_decoded(out, value, machine, at);
  }
  return false;
}

}  // namespace weft::mapping
