// Puts a JSON tree together from below: scalars are pushed, containers opened and closed. Children
// wait on the arena's stack and move into the arena when their container closes, so that they lie
// side by side and no native stack is used. Private to base: the JSON parser and the YAML parser
// build with it.
//
// While a container is open, its slot on the stack holds the place of the slot around it in size_.
#pragma once

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
  bool in_object() const { return stack_[open_].type_ == Json::Type::Object; }
  std::uint32_t depth() const { return depth_; }
  // In an object: whether a key waits for its value.
  bool after_key() const { return (top_ - open_ - 1) % 2 == 1; }

  void literal(Json::Type type, std::uint32_t offset, std::string_view raw) {
    Json& slot = push(type, offset, raw);
    slot.chars_ = nullptr;
    slot.size_ = 0;
    slot.flags_ = 0;
  }
  void number(std::string_view lexeme, bool plain_integer, std::uint32_t offset,
              std::string_view raw) {
    Json& slot = push(Json::Type::Number, offset, raw);
    slot.chars_ = lexeme.data();
    slot.size_ = static_cast<std::uint32_t>(lexeme.size());
    slot.flags_ = plain_integer ? Json::kPlainInteger : 0;
  }
  void string(std::string_view text, bool ascii, std::uint32_t offset, std::string_view raw) {
    Json& slot = push(Json::Type::String, offset, raw);
    slot.chars_ = text.data();
    slot.size_ = static_cast<std::uint32_t>(text.size());
    slot.flags_ = ascii ? Json::kAscii : 0;
  }
  // A finished tree a second time (a YAML alias).
  void copy(const Json& tree) { room() = tree; }

  void open(Json::Type type, std::uint32_t offset, const char* raw) {
    Json& slot = push(type, offset, {raw, 0});
    slot.size_ = open_;
    slot.flags_ = 0;
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
    if (top_ == size_) grow();
    return stack_[top_++];
  }
  Json& push(Json::Type type, std::uint32_t offset, std::string_view raw) {
    Json& slot = room();
    slot.raw_ = raw.data();
    slot.raw_size_ = static_cast<std::uint32_t>(raw.size());
    slot.offset_ = offset;
    slot.type_ = type;
    return slot;
  }
  void grow();
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
