// Whatever the bytes: no crash, the same verdict in one piece and byte by byte, and an accepted
// head stays inside the input.
#include <cstdint>
#include <cstdlib>

#include "http/core/head_parser.h"

namespace {

using namespace weft::http;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() || part == "/" ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4096));
  RequestHeadParser whole;
  auto verdict = whole.parse(bytes);
  RequestHeadParser pieces;
  auto step = HeadStep::Incomplete;
  for (std::size_t end = 1; end <= bytes.size() && step == HeadStep::Incomplete; ++end) {
    step = pieces.parse(bytes.substr(0, end));
  }
  require(bytes.empty() || step == verdict);
  if (verdict == HeadStep::Complete) {
    require(whole.size() == pieces.size() && whole.size() <= bytes.size());
    const auto& head = whole.head();
    for (const auto& field : head.fields) {
      require(is_inside(field.name, bytes) && is_inside(field.value, bytes));
    }
    require(is_inside(head.path, bytes) && is_inside(head.host, bytes));
    require(head.framing != BodyFraming::UntilClose);
  }
  ResponseHeadParser response;
  (void)response.parse(bytes, false);
  return 0;
}
