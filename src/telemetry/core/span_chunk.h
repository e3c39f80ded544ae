// A fixed block of memory that holds finished spans in a compact form, and at its end an index of
// their trace ids. One thread appends; any thread reads what is committed, without a lock.
//
// Layout: spans grow from the front, entries of the index from the back. A span that is too large
// loses attributes, and long texts their end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/spans.h"

namespace weft::telemetry {

inline constexpr std::size_t kChunkBytes = 64 * 1024;
inline constexpr std::size_t kSpanBytesMax = 16 * 1024;
inline constexpr std::size_t kNameBytesMax = 256;    // of a span's name, of an attribute's
inline constexpr std::size_t kValueBytesMax = 1024;  // of an attribute's value

using TraceId = std::array<char, 16>;
using AttributeView = std::pair<std::string_view, std::string_view>;

class SpanChunk {
 public:
  struct Entry {
    TraceId trace_id;
    std::uint32_t offset;
    std::uint32_t size;
  };
  // What every span has, in one copy.
  struct Head {
    std::array<char, 8> span_id;
    std::array<char, 8> parent_id;
    std::int64_t start;
    std::int64_t end;
    std::uint16_t name_size;
    std::uint16_t attribute_count;
    SpanKind kind;
    bool failed;
    bool sampled;
    std::uint8_t reserved = 0;  // no hole: the archive holds these bytes
  };
  static_assert(std::has_unique_object_representations_v<Head>);

  // Written out, because an implicit one would clear 64 KiB for nothing.
  SpanChunk() {}
  SpanChunk(const SpanChunk&) = delete;
  SpanChunk& operator=(const SpanChunk&) = delete;

  // False when the chunk is full. Attributes: pairs of something that is a string_view.
  template <class AnySpan>
  bool append(const AnySpan& span);

  std::uint32_t count() const { return committed_.load(std::memory_order_acquire); }
  // Requires: i < count().
  Entry entry(std::uint32_t i) const;
  Head head(std::uint32_t i) const;
  // A span as it is kept here, and back: for files. False when the chunk is full, or when the bytes
  // are none that bytes() gave.
  std::string_view bytes(std::uint32_t i) const;
  bool append_stored(const TraceId& trace_id, std::string_view span);
  // The views point into the chunk; `attributes` is the memory for the span's list.
  SpanView view(std::uint32_t i, std::vector<AttributeView>& attributes) const;

 private:
  static std::string_view cut(std::string_view text, std::size_t bytes_max) {
    return text.substr(0, bytes_max);
  }
  // Two copies of a fixed size that overlap, which the compiler writes out: most texts are short,
  // and a call for each would be half of what recording costs.
  template <std::size_t kSize>
  static void put_ends(char* at, std::string_view text) {
    std::memcpy(at, text.data(), kSize);
    std::memcpy(at + text.size() - kSize, text.data() + text.size() - kSize, kSize);
  }
  static char* put(char* at, std::string_view text) {
    const auto size = text.size();
    if (size > 32)
      std::memcpy(at, text.data(), size);
    else if (size >= 16)
      put_ends<16>(at, text);
    else if (size >= 8)
      put_ends<8>(at, text);
    else if (size >= 4)
      put_ends<4>(at, text);
    else if (size >= 2)
      put_ends<2>(at, text);
    else if (size == 1)
      *at = text.front();
    return at + size;
  }
  static char* put_size(char* at, std::size_t size) {
    const auto small = static_cast<std::uint16_t>(size);
    std::memcpy(at, &small, sizeof small);
    return at + sizeof small;
  }
  std::size_t room() const;

  std::atomic<std::uint32_t> committed_{0};
  std::uint32_t used_ = 0;
  alignas(8) std::array<char, kChunkBytes> bytes_;
};

template <class AnySpan>
bool SpanChunk::append(const AnySpan& span) {
  constexpr std::size_t kSizes = 2 * sizeof(std::uint16_t);
  const auto name = cut(span.name, kNameBytesMax);
  std::size_t size = sizeof(Head) + name.size();
  std::uint16_t attributes = 0;
  for (const auto& [key, value] : span.attributes) {
    const auto with_this =
        size + kSizes + cut(key, kNameBytesMax).size() + cut(value, kValueBytesMax).size();
    if (with_this > kSpanBytesMax) break;
    size = with_this;
    ++attributes;
  }
  if (size > room()) return false;

  const auto index = committed_.load(std::memory_order_relaxed);
  const Head head{span.context.span_id,
                  span.parent_id,
                  span.start.time_since_epoch().count(),
                  span.end.time_since_epoch().count(),
                  static_cast<std::uint16_t>(name.size()),
                  attributes,
                  span.kind,
                  span.failed,
                  span.context.sampled};
  char* at = bytes_.data() + used_;
  std::memcpy(at, &head, sizeof head);
  at = put(at + sizeof head, name);
  for (const auto& [full_key, full_value] : span.attributes) {
    if (attributes-- == 0) break;
    const auto key = cut(full_key, kNameBytesMax);
    const auto value = cut(full_value, kValueBytesMax);
    at = put(put_size(put_size(at, key.size()), value.size()), key);
    at = put(at, value);
  }
  const Entry entry{span.context.trace_id, used_, static_cast<std::uint32_t>(size)};
  std::memcpy(bytes_.data() + kChunkBytes - (index + 1) * sizeof entry, &entry, sizeof entry);
  used_ += static_cast<std::uint32_t>(size);
  committed_.store(index + 1, std::memory_order_release);
  return true;
}

// The spans from `first` until before `last` of a chunk.
struct SpanSlice {
  std::shared_ptr<const SpanChunk> chunk;
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  std::uint32_t size() const { return last - first; }
};

}  // namespace weft::telemetry
