#include "eventlog/compression.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/bytes.h"

namespace weft::eventlog {
namespace {

constexpr std::size_t kGrowthMin = 4096;
constexpr int kZstdLevel = 3;
constexpr int kZstdWindowLogMax = 26;  // 64 MiB: more window than a batch may hold is never needed
constexpr std::size_t kXerialBlock = 32 * 1024;
constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);

Failure damaged(std::string_view codec) {
  return fail(ErrorCode::InvalidArgument, "{} data is damaged", codec);
}

Failure too_large(std::size_t bytes_max) {
  return fail(ErrorCode::ResourceExhausted, "decompresses to more than {} bytes", bytes_max);
}

// Without writing zeros first. The size is captured because g++ 12 hands the operation the grown
// capacity instead of the size asked for.
void resize_uninitialized(std::string& bytes, std::size_t size) {
  bytes.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
}

// A string that is filled from the front and doubles up to its limit.
class Output {
 public:
  Output(std::string& bytes, std::size_t first, std::size_t bytes_max)
      : bytes_(bytes), bytes_max_(bytes_max) {
    resize(std::min(std::max({first, kGrowthMin, bytes.capacity()}), bytes_max));
  }

  char* at() { return bytes_.data() + used_; }
  std::size_t room() const { return bytes_.size() - used_; }
  void used(std::size_t size) { used_ += size; }
  // False when the limit is reached.
  bool grow() {
    if (bytes_.size() >= bytes_max_) return false;
    resize(std::min(bytes_max_, bytes_.size() * 2));
    return true;
  }
  std::string_view finish() {
    bytes_.resize(used_);
    return bytes_;
  }
  std::size_t limit() const { return bytes_max_; }

 private:
  void resize(std::size_t size) { resize_uninitialized(bytes_, size); }

  std::string& bytes_;
  std::size_t bytes_max_;
  std::size_t used_ = 0;
};

// ---- gzip

Result<> gzip(std::string_view plain, std::string& out) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(ErrorCode::ResourceExhausted, "no memory for gzip");
  }
  const auto before = out.size();
  const auto bound = deflateBound(&stream, plain.size());
  out.resize(before + bound);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(bound);
  const int status = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return fail(ErrorCode::Internal, "gzip did not finish");
  return {};
}

Result<std::string_view> inflate_members(z_stream& stream, Output& out) {
  while (true) {
    if (out.room() == 0 && !out.grow()) return too_large(out.limit());
    const auto room = out.room();
    stream.next_out = reinterpret_cast<Bytef*>(out.at());
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.used(room - stream.avail_out);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return out.finish();
      inflateReset(&stream);  // a further member follows
      continue;
    }
    if (status != Z_OK && status != Z_BUF_ERROR) return damaged("gzip");
    if (stream.avail_in == 0 && stream.avail_out > 0) return damaged("gzip");
  }
}

Result<std::string_view> gunzip(std::string_view packed, std::string& scratch,
                                std::size_t bytes_max) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  if (inflateInit2(&stream, 15 + 16) != Z_OK) {
    return fail(ErrorCode::ResourceExhausted, "no memory for gzip");
  }
  // One byte beyond the limit, so that output of exactly the limit can still show its end.
  Output out(scratch, packed.size() * 4, bytes_max + 1);
  auto plain = inflate_members(stream, out);
  inflateEnd(&stream);
  if (plain && plain->size() > bytes_max) return too_large(bytes_max);
  return plain;
}

// ---- snappy

Result<> snappy(std::string_view plain, std::string& out) {
  out.append(kXerialMagic);
  append_be<std::int32_t>(out, 1);  // version, and the oldest version that can read it
  append_be<std::int32_t>(out, 1);
  while (!plain.empty()) {
    const auto block = plain.substr(0, kXerialBlock);
    plain.remove_prefix(block.size());
    std::size_t size = snappy_max_compressed_length(block.size());
    const auto length_at = out.size();
    out.resize(length_at + 4 + size);
    if (snappy_compress(block.data(), block.size(), out.data() + length_at + 4, &size) !=
        SNAPPY_OK) {
      return fail(ErrorCode::Internal, "snappy did not finish");
    }
    store_be(out.data() + length_at, static_cast<std::int32_t>(size));
    out.resize(length_at + 4 + size);
  }
  return {};
}

// Appends one raw block.
Result<> unsnap_block(std::string_view block, std::string& out, std::size_t bytes_max) {
  std::size_t size = 0;
  if (snappy_uncompressed_length(block.data(), block.size(), &size) != SNAPPY_OK)
    return damaged("snappy");
  if (size > bytes_max - out.size()) return too_large(bytes_max);
  // Snappy copies at most 64 bytes for 3 of input: a length beyond that ratio is a lie, found
  // before the memory is asked for.
  if (size / 32 > block.size()) return damaged("snappy");
  const auto before = out.size();
  resize_uninitialized(out, before + size);
  if (snappy_uncompress(block.data(), block.size(), out.data() + before, &size) != SNAPPY_OK) {
    return damaged("snappy");
  }
  return {};
}

Result<std::string_view> unsnap(std::string_view packed, std::string& scratch,
                                std::size_t bytes_max) {
  scratch.clear();
  if (!packed.starts_with(kXerialMagic)) {
    CHECK(unsnap_block(packed, scratch, bytes_max));
    return scratch;
  }
  if (packed.size() < 16) return damaged("snappy");
  packed.remove_prefix(16);
  while (!packed.empty()) {
    if (packed.size() < 4) return damaged("snappy");
    const auto size = load_be<std::uint32_t>(packed.data());
    packed.remove_prefix(4);
    if (size > packed.size()) return damaged("snappy");
    CHECK(unsnap_block(packed.substr(0, size), scratch, bytes_max));
    packed.remove_prefix(size);
  }
  return scratch;
}

// ---- lz4

Result<> lz4(std::string_view plain, std::string& out) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Java's client reads no other
  preferences.frameInfo.contentSize = plain.size();
  const auto before = out.size();
  const auto bound = LZ4F_compressFrameBound(plain.size(), &preferences);
  out.resize(before + bound);
  const auto size =
      LZ4F_compressFrame(out.data() + before, bound, plain.data(), plain.size(), &preferences);
  if (LZ4F_isError(size) != 0) return fail(ErrorCode::Internal, "lz4 did not finish");
  out.resize(before + size);
  return {};
}

struct Lz4Free {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

Result<std::string_view> unlz4(std::string_view packed, std::string& scratch,
                               std::size_t bytes_max) {
  // A context holds tables of 64 KiB and more; one per thread serves all batches.
  thread_local std::unique_ptr<LZ4F_dctx, Lz4Free> context = [] {
    LZ4F_dctx* made = nullptr;
    LZ4F_createDecompressionContext(&made, LZ4F_VERSION);
    return std::unique_ptr<LZ4F_dctx, Lz4Free>(made);
  }();
  if (!context) return fail(ErrorCode::ResourceExhausted, "no memory for lz4");
  LZ4F_resetDecompressionContext(context.get());

  Output out(scratch, packed.size() * 4, bytes_max + 1);
  while (true) {
    if (out.room() == 0 && !out.grow()) return too_large(bytes_max);
    std::size_t consumed = packed.size();
    std::size_t produced = out.room();
    const auto hint =
        LZ4F_decompress(context.get(), out.at(), &produced, packed.data(), &consumed, nullptr);
    if (LZ4F_isError(hint) != 0) return damaged("lz4");
    packed.remove_prefix(consumed);
    out.used(produced);
    if (hint == 0 && packed.empty()) break;
    if (hint != 0 && consumed == 0 && produced == 0) return damaged("lz4");
  }
  auto plain = out.finish();
  if (plain.size() > bytes_max) return too_large(bytes_max);
  return plain;
}

// ---- zstd

Result<> zstd(std::string_view plain, std::string& out) {
  const auto before = out.size();
  const auto bound = ZSTD_compressBound(plain.size());
  out.resize(before + bound);
  const auto size =
      ZSTD_compress(out.data() + before, bound, plain.data(), plain.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return fail(ErrorCode::Internal, "zstd did not finish");
  out.resize(before + size);
  return {};
}

struct ZstdFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Result<std::string_view> unzstd(std::string_view packed, std::string& scratch,
                                std::size_t bytes_max) {
  thread_local std::unique_ptr<ZSTD_DCtx, ZstdFree> context(ZSTD_createDCtx());
  if (!context) return fail(ErrorCode::ResourceExhausted, "no memory for zstd");
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);

  const auto declared = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (declared == ZSTD_CONTENTSIZE_ERROR) return damaged("zstd");
  if (declared != ZSTD_CONTENTSIZE_UNKNOWN && declared > bytes_max) return too_large(bytes_max);

  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  Output out(scratch, packed.size() * 4, bytes_max + 1);
  while (true) {
    if (out.room() == 0 && !out.grow()) return too_large(bytes_max);
    ZSTD_outBuffer to{out.at(), out.room(), 0};
    const auto read_before = in.pos;
    const auto hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint) != 0) return damaged("zstd");
    out.used(to.pos);
    if (hint == 0 && in.pos == in.size) break;
    if (hint != 0 && in.pos == read_before && to.pos == 0) return damaged("zstd");
  }
  auto plain = out.finish();
  if (plain.size() > bytes_max) return too_large(bytes_max);
  return plain;
}

}  // namespace

std::string_view name(Codec codec) {
  switch (codec) {
    case Codec::None:
      return "none";
    case Codec::Gzip:
      return "gzip";
    case Codec::Snappy:
      return "snappy";
    case Codec::Lz4:
      return "lz4";
    case Codec::Zstd:
      return "zstd";
  }
  return "unknown";
}

Result<> compress(Codec codec, std::string_view plain, std::string& out) {
  switch (codec) {
    case Codec::None:
      out.append(plain);
      return {};
    case Codec::Gzip:
      return gzip(plain, out);
    case Codec::Snappy:
      return snappy(plain, out);
    case Codec::Lz4:
      return lz4(plain, out);
    case Codec::Zstd:
      return zstd(plain, out);
  }
  return fail(ErrorCode::Unsupported, "unknown compression codec {}", static_cast<int>(codec));
}

Result<std::string_view> decompress(Codec codec, std::string_view packed, std::string& scratch,
                                    std::size_t bytes_max) {
  if (codec == Codec::None) return packed;
  if (packed.empty()) return damaged(name(codec));
  switch (codec) {
    case Codec::None:
      return packed;
    case Codec::Gzip:
      return gunzip(packed, scratch, bytes_max);
    case Codec::Snappy:
      return unsnap(packed, scratch, bytes_max);
    case Codec::Lz4:
      return unlz4(packed, scratch, bytes_max);
    case Codec::Zstd:
      return unzstd(packed, scratch, bytes_max);
  }
  return fail(ErrorCode::Unsupported, "unknown compression codec {}", static_cast<int>(codec));
}

}  // namespace weft::eventlog
