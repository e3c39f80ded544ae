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
