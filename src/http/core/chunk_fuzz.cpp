// Whatever the bytes: no crash, and the same body in one piece and byte by byte.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/core/body_decoder.h"

namespace {

struct Outcome {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view input, std::size_t piece) {
  weft::http::ChunkDecoder decoder;
  Outcome out;
  while (out.consumed < input.size() && !decoder.is_done() && !decoder.has_failed()) {
    auto step = decoder.step(input.substr(out.consumed, piece));
    out.consumed += step.consumed;
    out.body += step.piece;
  }
  out.done = decoder.is_done();
  out.failed = decoder.has_failed();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size > 0 && decode(bytes, bytes.size()) != decode(bytes, 1)) std::abort();
  return 0;
}
