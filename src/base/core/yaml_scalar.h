// What a plain YAML scalar means under the core schema of YAML 1.2 (section 10.3.2). Private to
// base.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace weft {

struct YamlScalar {
  Json::Type type = Json::Type::Null;
  std::string number;  // a JSON lexeme: 0x1F is 31, +1 is 1, .5 is 0.5
};

// .inf and .nan are refused, for JSON has no such numbers; so is a 0x or 0o number beyond 64 bits.
Result<YamlScalar> resolve_plain_scalar(std::string_view text);

}  // namespace weft
