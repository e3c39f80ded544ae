// Writes heads of messages. Appends to a string that its owner reuses; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::http {

// "HTTP/1.1 200 OK\r\n".
void append_status_line(std::string& out, int status);

// "Name: value\r\n". Control characters, which would let a value end the line, become spaces.
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_field(std::string& out, std::string_view name, std::uint64_t value);

// The same for a field that a parser has checked.
void append_parsed_field(std::string& out, std::string_view name, std::string_view value);

// "1a\r\n", the line before a chunk's bytes.
void append_chunk_size(std::string& out, std::uint64_t size);

}  // namespace weft::http
