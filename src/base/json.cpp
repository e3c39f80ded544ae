#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/decimal.h"

namespace weft {
namespace {

// Looks a key up in the sorted index that lies behind the members of a large object.
const Json* find_indexed(std::span<const JsonMember> members, std::string_view key) {
  const auto* const index = reinterpret_cast<const std::uint32_t*>(members.data() + members.size());
  const auto* const end = index + members.size();
  const auto* const found =
      std::lower_bound(index, end, key, [&](std::uint32_t member, std::string_view wanted) {
        return members[member].key() < wanted;
      });
  return found != end && members[*found].key() == key ? &members[*found].value : nullptr;
}

std::string unescape_pointer_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[i + 1] == '0' ? '~' : '/';
      ++i;
    } else {
      out += token[i];
    }
  }
  return out;
}

const Json* element_at(const Json& array, std::string_view token) {
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc{} || end != token.data() + token.size()) return nullptr;
  if (token.size() > 1 && token[0] == '0') return nullptr;
  return index < array.size() ? &array.elements()[index] : nullptr;
}

bool equal_objects(const Json& a, const Json& b) {
  for (const JsonMember& member : a.members()) {
    const Json* const other = b.find(member.key());
    if (other == nullptr || !(member.value == *other)) return false;
  }
  return true;
}

// A depth-first walk in document order that keeps the path; stops when the visitor says so.
class PathWalk {
 public:
  // Asked with each value and, for members, its key (else null); true ends the walk.
  template <class Visitor>
  bool run(const Json& value, const Json* key, Visitor& visit) {
    if (visit(value, key, path_)) return true;
    const std::size_t length = path_.size();
    for (std::uint32_t i = 0; i < (value.is_array() ? value.size() : 0); ++i) {
      path_ += '/';
      path_ += std::to_string(i);
      if (run(value.elements()[i], nullptr, visit)) return true;
      path_.resize(length);
    }
    if (!value.is_object()) return false;
    for (const JsonMember& member : value.members()) {
      path_ += '/';
      path_ += escape_pointer_token(member.key());
      if (run(member.value, &member.key_value, visit)) return true;
      path_.resize(length);
    }
    return false;
  }

 private:
  std::string path_;
};

}  // namespace

std::string_view Json::raw() const {
  if ((flags_ & kHasRaw) == 0) return {};
  switch (type()) {
    case Type::Null:
    case Type::True:
      return {chars(), 4};
    case Type::False:
      return {chars(), 5};
    case Type::Number:
      return number();
    case Type::String:
      if ((flags_ & kEscaped) == 0) return {chars() - 1, size_ + std::size_t{2}};
      break;
    case Type::Array:
    case Type::Object:
      break;
  }
  const RawText& text = at<RawText>()[-1];
  return {text.chars, text.size};
}

void Json::prefetch() const {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kBefore = 384;  // children of the children lie in front, see JsonBuilder
  constexpr std::size_t kMost = 512;
  if (type() < Type::Array || (flags_ & kHasRaw) == 0) return;
  const RawText* const text = at<RawText>() - 1;
  const std::size_t bytes = size_ * (is_object() ? 2 * sizeof(Json) : sizeof(Json));
  const char* const begin = at<char>() - kBefore;
  const char* const end = at<char>() + std::min(bytes, kMost);
  for (const char* line = begin; line < end; line += kLine) __builtin_prefetch(line);
  const char* const text_end = text->chars + std::min<std::size_t>(text->size, kMost);
  for (const char* line = text->chars; line < text_end; line += kLine) __builtin_prefetch(line);
}

std::optional<std::int64_t> Json::as_int64() const {
  if (!is_number()) return std::nullopt;
  if ((flags_ & kPlainInteger) != 0) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(chars(), chars() + size_, value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
  }
  const auto decimal = Decimal::parse(number());
  return decimal ? decimal->to_int64() : std::nullopt;
}

bool Json::is_integer_lexeme() const {
  const auto decimal = Decimal::parse(number());
  if (decimal) return decimal->is_integer();
  return number().find("e-") == std::string_view::npos &&
         number().find("E-") == std::string_view::npos;
}

double Json::as_double() const {
  if (!is_number()) return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(chars(), chars() + size_, value);
  if (error != std::errc::result_out_of_range) return value;
  const bool negative = has_minus();
  const bool huge = compare_numbers(negative ? number().substr(1) : number(), "1") > 0;
  value = huge ? std::numeric_limits<double>::infinity() : 0.0;
  return negative ? -value : value;
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  if ((flags_ & kIndexed) != 0) return find_indexed(members(), key);
  for (const JsonMember& member : members())
    if (member.key() == key) return &member.value;
  return nullptr;
}

const Json* Json::at_pointer(std::string_view pointer) const {
  const Json* at = this;
  while (at != nullptr && !pointer.empty()) {
    if (pointer[0] != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (at->is_array())
      at = element_at(*at, token);
    else if (token.find('~') == std::string_view::npos)
      at = at->find(token);
    else
      at = at->find(unescape_pointer_token(token));
  }
  return at;
}

bool operator==(const Json& a, const Json& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Json::Type::Null:
    case Json::Type::False:
    case Json::Type::True:
      return true;
    case Json::Type::Number:
      return a.number() == b.number() || compare_numbers(a.number(), b.number()) == 0;
    case Json::Type::String:
      return a.as_string() == b.as_string();
    case Json::Type::Array:
      return a.size() == b.size() &&
             std::equal(a.elements().begin(), a.elements().end(), b.elements().begin());
    case Json::Type::Object:
      return a.size() == b.size() && equal_objects(a, b);
  }
  return false;
}

std::string pointer_at(const Json& root, std::uint32_t offset) {
  std::string best;
  std::uint32_t best_offset = 0;
  bool any = false;
  auto visit = [&](const Json& value, const Json* key, const std::string& path) {
    const bool key_counts = key != nullptr && key->offset() <= offset;
    const std::uint32_t begins = value.offset() <= offset ? value.offset()
                                 : key_counts             ? key->offset()
                                                          : offset + 1;
    if (begins <= offset && (!any || begins > best_offset)) {
      best = path;
      best_offset = begins;
      any = true;
    }
    return any && best_offset == offset;
  };
  PathWalk walk;
  walk.run(root, nullptr, visit);
  return best;
}

std::optional<std::string> pointer_of(const Json& root, const Json& value) {
  std::optional<std::string> found;
  auto visit = [&](const Json& candidate, const Json* key, const std::string& path) {
    if (&candidate == &value || key == &value) found = path;
    return found.has_value();
  };
  PathWalk walk;
  walk.run(root, nullptr, visit);
  return found;
}

TextPosition position_at(std::string_view text, std::uint32_t offset) {
  TextPosition place;
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_end = before.rfind('\n');
  const std::string_view line =
      line_end == std::string_view::npos ? before : before.substr(line_end + 1);
  place.line += static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
  for (const char c : line) place.column += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return place;
}

std::string escape_pointer_token(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

}  // namespace weft
