// The published meta-schemas, so that a schema may refer to them without any network.
#pragma once

#include <span>
#include <string_view>

namespace weft::contracts {

struct Metaschema {
  std::string_view uri;  // without fragment
  std::string_view text;
};

std::span<const Metaschema> metaschemas();

}  // namespace weft::contracts
