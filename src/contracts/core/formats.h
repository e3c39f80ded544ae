// The formats of JSON Schema (2020-12 validation section 7.3) as checks of texts. Pure; any thread.
#pragma once

#include <string_view>

namespace weft::contracts {

using FormatCheck = bool (*)(std::string_view text);

// The check of a named format; null when the format is not known, and so means nothing.
FormatCheck find_format(std::string_view name);

}  // namespace weft::contracts
