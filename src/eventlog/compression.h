// The codecs of Kafka record batches: gzip (RFC 1952), snappy (raw and xerial-framed, as Java's
// client writes it), lz4 frames, zstd (RFC 8878). Pure; any thread.
//
// Decompression has an output limit: input that would grow beyond it is refused with
// ResourceExhausted before more than the limit is held; damaged input is InvalidArgument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::eventlog {

// Bits 0-2 of a batch's attributes.
enum class Codec : std::uint8_t { None = 0, Gzip = 1, Snappy = 2, Lz4 = 3, Zstd = 4 };

std::string_view name(Codec codec);

// What a batch may hold after decompression, whatever its wire size.
inline constexpr std::size_t kDecompressedBytesMax = 64 * 1024 * 1024;

// Appends the compressed form to `out`. Snappy is written xerial-framed.
Result<> compress(Codec codec, std::string_view plain, std::string& out);

// The plain bytes: `packed` itself for Codec::None, else a view of `scratch`, whose capacity is
// reused and whose former content is lost.
Result<std::string_view> decompress(Codec codec, std::string_view packed, std::string& scratch,
                                    std::size_t bytes_max = kDecompressedBytesMax);

}  // namespace weft::eventlog
