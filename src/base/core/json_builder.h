// Puts a JSON tree together from below: scalars are pushed, containers opened and closed. Children
// wait on the arena's stack and move into the arena when their container closes, so that they lie
// side by side and no native stack is used. Private to base: the JSON parser and the YAML parser
// build with it.
//
// While a container is open, its slot on the stack holds the place of the slot around it in size_,
// and in place_ where its raw text begins.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/core/json_arena.h"
#include "base/json.h"

namespace weft {

class JsonBuilder {
 public:
  explicit JsonBuilder(JsonArena& arena)
      : arena_(arena), stack_(arena.stack()), size_(arena.stack_size()) {}

  JsonArena& arena() { return arena_; }
  bool is_open() const { return open_ != kNone; }
  bool in_object() const { return stack_[open_].is_object(); }
  std::uint32_t depth() const { return depth_; }
  // In an object: whether a key waits for its value.
  bool after_key() const { return (top_ - open_ - 1) % 2 == 1; }

  // The raw text of a value is empty when it has none. A literal's is its word, a number's its
  // lexeme.
  void literal(Json::Type type, std::uint32_t offset, std::string_view raw) {
    push(type, raw.empty() ? 0 : Json::kHasRaw, raw.data(), 0, offset);
  }
  void number(std::string_view lexeme, bool plain_integer, std::uint32_t offset,
              std::string_view raw) {
    push(Json::Type::Number,
         (plain_integer ? Json::kPlainInteger : 0) | (lexeme[0] == '-' ? Json::kMinus : 0) |
             (raw.empty() ? 0 : Json::kHasRaw),
         lexeme.data(), lexeme.size(), offset);
  }
  // The raw text, if any, is the text between two quotes.
  void string(std::string_view text, bool ascii, std::uint32_t offset, std::string_view raw) {
    push(Json::Type::String, (ascii ? Json::kAscii : 0) | (raw.empty() ? 0 : Json::kHasRaw),
         text.data(), text.size(), offset);
  }
  // For a string that differs from its raw text: room for its characters.
  char* escaped_room(std::size_t size) {
    return arena_.take(sizeof(Json::RawText) + size) + sizeof(Json::RawText);
  }
  // Requires that `room` is the escaped_room of this string.
  void escaped_string(char* room, std::size_t size, bool ascii, std::uint32_t offset,
                      std::string_view raw) {
    set_raw(room, raw);
    push(Json::Type::String, (ascii ? Json::kAscii : 0) | Json::kHasRaw | Json::kEscaped, room,
         size, offset);
  }
  // A finished tree a second time (a YAML alias).
  void copy(const Json& tree) { room() = tree; }

  void open(Json::Type type, std::uint32_t offset, const char* raw) {
    push(type, raw == nullptr ? 0 : Json::kHasRaw, raw, open_, offset);
    open_ = top_ - 1;
    ++depth_;
  }
  // Ends the innermost container, whose raw text ends at raw_end (null: it has none). The answer is
  // null, or the second of two equal keys.
  const Json* close(const char* raw_end);

  // The value that was pushed or closed last.
  const Json& last() const { return stack_[top_ - 1]; }
  // Requires that nothing is open and one value was pushed.
  const Json& root() const { return stack_[0]; }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};  // so that open_ + 1 is 0 at the root

  Json& room() {
    if (top_ == size_) [[unlikely]]
      grow();
    return stack_[top_++];
  }
  void push(Json::Type type, int flags, const char* place, std::size_t size, std::uint32_t offset) {
    // As words: the compiler would store the bit fields one by one, and wait when it reads them
    // back.
    static_assert(std::endian::native == std::endian::little);
    const std::uint64_t words[] = {
        static_cast<std::uint64_t>(type) | static_cast<std::uint64_t>(flags) << 8 |
            static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(place)) << 16,
        size | std::uint64_t{offset} << 32};
    std::memcpy(static_cast<void*>(&room()), words, sizeof(Json));
  }
  static void set_place(Json& slot, const char* place) {
    slot.place_ = reinterpret_cast<std::uintptr_t>(place) & JsonArena::kAddressMask;
  }
  static void set_raw(char* in_front_of, std::string_view raw) {
    const Json::RawText text{raw.data(), raw.size()};
    std::memcpy(in_front_of - sizeof text, &text, sizeof text);
  }
  [[gnu::noinline]] void grow();
  const JsonMember* index_members(const JsonMember* members, std::uint32_t count,
                                  std::uint32_t* index);

  JsonArena& arena_;
  Json* stack_;
  std::size_t size_;
  std::uint32_t top_ = 0;
  std::uint32_t open_ = kNone;
  std::uint32_t depth_ = 0;
};

// Objects with more members than this have an index of their keys.
inline constexpr std::uint32_t kUnindexedMembersMax = 40;

}  // namespace weft
