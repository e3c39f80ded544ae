// References inside string values: ${env:NAME}, ${env:NAME:-default}, ${secret:path}, ${file:path}.
// Any other ${ is left alone: it belongs to expressions. $${env: (secret:, file:) is a literal.
// Pure but for the environment; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "estate/secret_source.h"

namespace weft::estate {

// The text with its environment references replaced and its escapes undone; secret references stay.
// Fails on an unset variable, a reference without end, and a file reference inside other text.
Result<std::string> expand_references(std::string_view text, const Environment& environment);

// The text from which expand_references() makes this one, whatever the environment: what looks like
// a reference in a resolved text is none, and gets its escape (back).
std::string escape_references(std::string_view text);

// The path when the whole text is ${file:path}.
std::optional<std::string> file_reference(std::string_view text);

// The inside of a whole-text reference: "env:NAME" of "${env:NAME}"; absent when it is none of
// ours.
std::optional<std::string_view> whole_reference(std::string_view text);

// "NAME:-default" in its parts, and the variable's value.
Result<std::string> environment_value(std::string_view reference, const Environment& environment);

}  // namespace weft::estate
