#include "http/head_writer.h"

#include <charconv>

#include "http/characters.h"
#include "http/message.h"

namespace weft::http {

namespace {

template <int kBase>
void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, kBase);
  out.append(digits, end);
}

}  // namespace

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number<10>(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  append_parsed_field(out, name, value);
  if (is_value(value)) return;
  auto* at = out.data() + out.size() - 2 - value.size();
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_value_char(at[i])) at[i] = ' ';
  }
}

void append_parsed_field(std::string& out, std::string_view name, std::string_view value) {
  auto begin = out.size();
  auto size = begin + name.size() + value.size() + 4;
  if (out.capacity() < size) out.reserve(std::max(size, 2 * out.capacity()));
  out.resize_and_overwrite(size, [&](char* data, std::size_t) {
    char* to = data + begin;
    std::memcpy(to, name.data(), name.size());
    to += name.size();
    *to++ = ':';
    *to++ = ' ';
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    to += value.size();
    *to++ = '\r';
    *to = '\n';
    return size;
  });
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
  out += name;
  out += ": ";
  append_number<10>(out, value);
  out += "\r\n";
}

void append_chunk_size(std::string& out, std::uint64_t size) {
  append_number<16>(out, size);
  out += "\r\n";
}

}  // namespace weft::http
