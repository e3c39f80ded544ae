#include "base/core/json_builder.h"

#include <algorithm>
#include <bit>

namespace weft {
namespace {

// The first eight bytes as a number that sorts like them.
std::uint64_t sort_prefix(std::string_view key) {
  std::uint64_t word = 0;
  std::memcpy(&word, key.data(), std::min<std::size_t>(8, key.size()));
  return std::byteswap(word);
}

// One bit of 64 by the key's length and ends: keys with different bits differ.
std::uint64_t key_bit(std::string_view key) {
  if (key.empty()) return 1;
  const auto first = static_cast<unsigned char>(key.front());
  const auto last = static_cast<unsigned char>(key.back());
  const auto middle = static_cast<unsigned char>(key[key.size() / 2]);
  const std::uint32_t mixed = static_cast<std::uint32_t>(key.size()) * 0x9e3779b1u +
                              first * 0x85ebca6bu + last * 0xc2b2ae35u + middle * 0x27d4eb2fu;
  return std::uint64_t{1} << (mixed >> 26);
}

const JsonMember* repeated_key(const JsonMember* members, std::uint32_t count) {
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view key = members[i].key();
    const std::uint64_t bit = key_bit(key);
    if ((seen & bit) != 0) {
      for (std::uint32_t j = 0; j < i; ++j)
        if (members[j].key() == key) return &members[i];
    }
    seen |= bit;
  }
  return nullptr;
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
              : repeated_key(members, size);
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
