// Any bytes: the parser neither crashes nor accepts what it cannot write back to an equal value.
#include <cstdlib>

#include "base/json.h"
#include "base/json_writer.h"

namespace {

std::string rewritten(const weft::Json& value) {
  weft::JsonWriter w;
  if (value.is_array()) {
    w.array();
    for (const weft::Json& e : value.elements()) w.raw(rewritten(e));
    w.end();
  } else if (value.is_object()) {
    w.object();
    for (const weft::JsonMember& m : value.members()) w.key(m.key()).raw(rewritten(m.value));
    w.end();
  } else if (value.is_string()) {
    w.value(value.as_string());
  } else {
    w.value(value);
  }
  return w.text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const weft::JsonLimits limits{.depth_max = 200, .bytes_max = 1 << 20};
  weft::JsonParser parser(limits);
  const auto tree = parser.parse(text);
  if (weft::is_json(text, limits) != tree.has_value()) std::abort();
  if (!tree) return 0;
  const auto again = weft::JsonDocument::parse(rewritten(**tree), limits);
  if (!again || !(again->root() == **tree)) std::abort();
  weft::pointer_at(**tree, static_cast<std::uint32_t>(size / 2));
  return 0;
}
