// Values as text: JSON, formats, and code points of strings. Private to mapping.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapping/core/program.h"
#include "mapping/core/value.h"
#include "mapping/jq.h"

namespace weft::mapping {

// False when the text is longer than `most` bytes; what is added is then its beginning.
bool append_json(std::string& out, const Value& value, const JqStyle& style = {},
                 std::size_t most = ~std::size_t{0} >> 1);

// False after the machine was stopped.
bool append_formatted(std::string& out, Format format, const Value& value, Machine& machine,
                      const Node& at);

// As text.find(part, from), in linear time.
std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0);

std::size_t code_points(std::string_view text);
// The byte offset of a code point; the size when there are fewer.
std::size_t byte_of_code_point(std::string_view text, std::size_t index);
Value substring(const Value& text, std::uint32_t from, std::uint32_t to);
Value split_text(Machine& machine, const Value& text, std::string_view separator, const Node& at);
// A JSON text as a value of the entered heap, nan allowed as jq does; else the machine is stopped.
Value parse_json(Machine& machine, std::string_view text, const Node& at);

}  // namespace weft::mapping
