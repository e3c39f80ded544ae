// For tests of formats that are kept or exported: what is encoded today against the bytes that were
// committed, docs/formats/golden/<name>. A difference means that data written before may not be
// read any more, or that an older version does not read what is written now: raise the format's
// version, keep the old file under its version's name and test that it is still read.
//
// WEFT_WRITE_GOLDEN=1 in the environment writes the files that do not exist yet; it changes none.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace weft {

inline std::string golden_path(std::string_view name) {
  return std::string(WEFT_SOURCE_DIR "/docs/formats/golden/") + std::string(name);
}

// Empty when there is no such file. Files whose name ends in .hex hold 32 bytes per line.
inline std::string golden_file(std::string_view name) {
  std::ifstream in(golden_path(name), std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!name.ends_with(".hex")) return text;
  std::erase(text, '\n');
  auto bytes = from_hex(text);
  return bytes ? *bytes : std::string();
}

inline std::string golden_file_or_new(std::string_view name, std::string_view encoded) {
  auto known = golden_file(name);
  if (!known.empty() || std::getenv("WEFT_WRITE_GOLDEN") == nullptr) return known;
  std::ofstream out(golden_path(name), std::ios::binary);
  if (!name.ends_with(".hex")) {
    out << encoded;
    return std::string(encoded);
  }
  constexpr std::size_t kLineBytes = 32;
  for (std::size_t at = 0; at < encoded.size(); at += kLineBytes)
    out << to_hex(encoded.substr(at, kLineBytes)) << '\n';
  return std::string(encoded);
}

}  // namespace weft
