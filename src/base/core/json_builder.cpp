#include "base/core/json_builder.h"

#include <algorithm>
#include <bit>

#include "base/core/repeated_key.h"

namespace weft {
namespace {

// The first eight bytes as a number that sorts like them.
std::uint64_t sort_prefix(std::string_view key) {
  std::uint64_t word = 0;
  std::memcpy(&word, key.data(), std::min<std::size_t>(8, key.size()));
  return std::byteswap(word);
}

const JsonMember* repeated_member(const JsonMember* members, std::uint32_t count) {
  const auto at = repeated_key(count, [members](std::uint32_t i) { return members[i].key(); });
  return at < count ? &members[at] : nullptr;
}

}  // namespace

void JsonBuilder::grow() {
  arena_.grow_stack(top_);
  stack_ = arena_.stack();
  size_ = arena_.stack_size();
}

const Json* JsonBuilder::close(const char* raw_end) {
  const std::uint32_t count = top_ - open_ - 1;
  Json& slot = stack_[open_];
  const bool object = slot.is_object();
  const std::uint32_t size = object ? count / 2 : count;
  const bool indexed = object && size > kUnindexedMembersMax;
  const std::size_t header = raw_end == nullptr ? 0 : sizeof(Json::RawText);
  char* const room = header + arena_.take(header + count * sizeof(Json) +
                                          (indexed ? size * sizeof(std::uint32_t) : 0));
  if (raw_end != nullptr) set_raw(room, {slot.chars(), raw_end});
  if (count > 0) std::memcpy(room, static_cast<const void*>(&slot + 1), count * sizeof(Json));

  const std::uint32_t around = slot.size_;
  set_place(slot, room);
  slot.size_ = size;
  if (indexed) slot.flags_ = slot.flags_ | Json::kIndexed;
  top_ = open_ + 1;
  open_ = around;
  --depth_;

  if (!object) return nullptr;
  const auto* const members = reinterpret_cast<const JsonMember*>(room);
  const JsonMember* const repeated =
      indexed ? index_members(members, size,
                              reinterpret_cast<std::uint32_t*>(room + count * sizeof(Json)))
              : repeated_member(members, size);
  return repeated == nullptr ? nullptr : &repeated->key_value;
}

const JsonMember* JsonBuilder::index_members(const JsonMember* members, std::uint32_t count,
                                             std::uint32_t* index) {
  auto& order = arena_.sort_room();
  order.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) order[i] = {sort_prefix(members[i].key()), i};
  std::sort(order.begin(), order.end(), [members](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const int by_key = members[a.second].key().compare(members[b.second].key());
    return by_key != 0 ? by_key < 0 : a.second < b.second;
  });
  for (std::uint32_t i = 0; i < count; ++i) {
    index[i] = order[i].second;
    if (i > 0 && members[index[i - 1]].key() == members[index[i]].key()) return &members[index[i]];
  }
  return nullptr;
}

}  // namespace weft
