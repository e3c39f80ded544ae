// Any bytes as YAML: refused or a tree of valid JSON, never a crash.
#include <cstdlib>

#include "base/document.h"
#include "base/json_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const weft::DocumentLimits limits{.bytes_max = 1 << 16, .depth_max = 50, .values_max = 10'000};
  const auto documents = weft::parse_documents("fuzz.yaml", std::string(text), limits);
  if (!documents) return 0;
  for (const weft::SourceDocument& document : *documents) {
    const std::string json = weft::JsonWriter().value(document.root()).text();
    if (!weft::JsonDocument::parse(json)) std::abort();
    if (document.at(document.root(), "here").line == 0) std::abort();
  }
  return 0;
}
