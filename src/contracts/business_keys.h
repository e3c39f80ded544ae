// Business keys: the members of a payload by which people look for it, such as an order number. A
// schema marks them with the annotation x-weft-business-key: true, or a name where there are
// several. Values; any thread.
//
//   auto keys = business_keys(schema);                // once, when it is compiled
//   for (auto& found : find_business_keys(keys, body)) span.add(found.attribute, found.value);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::contracts {

inline constexpr std::size_t kBusinessKeysMax = 4;        // of one schema
inline constexpr std::size_t kBusinessKeyBytesMax = 128;  // of a value; a longer one is none
inline constexpr std::string_view kBusinessKeyAttribute = "weft.business_key";

struct BusinessKey {
  std::string attribute;  // of spans: weft.business_key, or weft.business_key.<name>
  std::string pointer;    // JSON Pointer into the payload
};

struct FoundBusinessKey {
  std::string_view attribute;  // of the key
  std::string value;
};

// Those under `properties`, at any depth, and behind `$ref` and `allOf` within the schema.
// InvalidArgument when there are too many, or when a name is not made of letters, digits, '_', '-'.
Result<std::vector<BusinessKey>> business_keys(const Json& schema);

// Texts and numbers that are there.
std::vector<FoundBusinessKey> find_business_keys(const std::vector<BusinessKey>& keys,
                                                 const Json& payload);

}  // namespace weft::contracts
