// Any bytes: the first line is a pattern, the rest a text. Where the pattern is simple, RE2 agrees.
#include <re2/re2.h>

#include <cstdlib>

#include "base/bytes.h"
#include "contracts/core/pattern.h"
#include "contracts/path_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::contracts;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!weft::is_utf8(text)) return 0;
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view ecma = text.substr(0, line);
  const std::string_view subject = text.substr(std::min(line + 1, text.size()));
  (void)PathTemplate::parse(ecma);
  const auto pattern = Pattern::compile(ecma);
  if (!pattern || !pattern->is_simple()) return 0;
  const re2::RE2 oracle(*translate_ecma_pattern(ecma), re2::RE2::Quiet);
  if (pattern->matches(subject) != re2::RE2::PartialMatch(subject, oracle)) std::abort();
  return 0;
}
