#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {

std::size_t SpanChunk::room() const {
  const auto index = (committed_.load(std::memory_order_relaxed) + 1) * sizeof(Entry);
  const auto taken = used_ + index;
  return taken < kChunkBytes ? kChunkBytes - taken : 0;
}

SpanChunk::Entry SpanChunk::entry(std::uint32_t i) const {
  Entry entry;
  std::memcpy(&entry, bytes_.data() + kChunkBytes - (i + 1) * sizeof entry, sizeof entry);
  return entry;
}

SpanChunk::Head SpanChunk::head(std::uint32_t i) const {
  Head head;
  std::memcpy(&head, bytes_.data() + entry(i).offset, sizeof head);
  return head;
}

std::string_view SpanChunk::bytes(std::uint32_t i) const {
  const auto where = entry(i);
  return {bytes_.data() + where.offset, where.size};
}

namespace {

// Whether the sizes that a stored span tells of add up, so that view() stays inside of it.
bool is_whole(std::string_view span) {
  SpanChunk::Head head;
  if (span.size() < sizeof head || span.size() > kSpanBytesMax) return false;
  std::memcpy(&head, span.data(), sizeof head);
  span.remove_prefix(sizeof head);
  if (head.name_size > span.size()) return false;
  span.remove_prefix(head.name_size);
  for (std::uint16_t n = 0; n < head.attribute_count; ++n) {
    std::uint16_t sizes[2];
    if (span.size() < sizeof sizes) return false;
    std::memcpy(sizes, span.data(), sizeof sizes);
    span.remove_prefix(sizeof sizes);
    if (std::size_t{sizes[0]} + sizes[1] > span.size()) return false;
    span.remove_prefix(std::size_t{sizes[0]} + sizes[1]);
  }
  return span.empty();
}

}  // namespace

bool SpanChunk::append_stored(const TraceId& trace_id, std::string_view span) {
  if (!is_whole(span) || span.size() > room()) return false;
  const auto index = committed_.load(std::memory_order_relaxed);
  const Entry entry{trace_id, used_, static_cast<std::uint32_t>(span.size())};
  std::memcpy(bytes_.data() + used_, span.data(), span.size());
  std::memcpy(bytes_.data() + kChunkBytes - (index + 1) * sizeof entry, &entry, sizeof entry);
  used_ += static_cast<std::uint32_t>(span.size());
  committed_.store(index + 1, std::memory_order_release);
  return true;
}

SpanView SpanChunk::view(std::uint32_t i, std::vector<AttributeView>& attributes) const {
  const auto where = entry(i);
  const auto fixed = head(i);
  const char* at = bytes_.data() + where.offset + sizeof(Head);
  SpanView span;
  span.context.trace_id = where.trace_id;
  span.context.span_id = fixed.span_id;
  span.context.sampled = fixed.sampled;
  span.parent_id = fixed.parent_id;
  span.kind = fixed.kind;
  span.start = WallTime(Duration(fixed.start));
  span.end = WallTime(Duration(fixed.end));
  span.failed = fixed.failed;
  span.name = {at, fixed.name_size};
  at += fixed.name_size;
  attributes.clear();
  for (std::uint16_t n = 0; n < fixed.attribute_count; ++n) {
    std::uint16_t sizes[2];
    std::memcpy(sizes, at, sizeof sizes);
    at += sizeof sizes;
    attributes.emplace_back(std::string_view(at, sizes[0]),
                            std::string_view(at + sizes[0], sizes[1]));
    at += sizes[0] + sizes[1];
  }
  span.attributes = attributes;
  return span;
}

}  // namespace weft::telemetry
