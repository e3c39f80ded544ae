// The parser of JSON texts: one loop over the text, no recursion; open containers live on the
// builder.
#include <algorithm>
#include <deque>
#include <span>
#include <vector>

#include "base/core/json_builder.h"
#include "base/core/json_parts.h"
#include "base/core/repeated_key.h"
#include "base/json.h"
#include "base/text_scan.h"
#include "base/utf8.h"

namespace weft {
namespace {

constexpr std::size_t kTextBytesMax = 0xffff'fff0;

// The builder of a text that is only checked: which containers are open, and the names so far of
// the open objects, one object behind the other.
class Shape {
 public:
  struct Name {
    std::string_view text;
    std::string_view raw;
  };

  bool is_open() const { return !open_.empty(); }
  bool in_object() const { return open_.back().is_object; }
  std::uint32_t depth() const { return static_cast<std::uint32_t>(open_.size()); }
  void open(Json::Type type, std::uint32_t, const char*) {
    const bool is_object = type == Json::Type::Object;
    open_.push_back({names_.size(), is_object, is_object});
  }
  // Null, or one of two equal names.
  const Name* close(const char*);
  void literal(Json::Type, std::uint32_t, std::string_view) { end_value(); }
  void number(std::string_view, bool, std::uint32_t, std::string_view) { end_value(); }
  void string(std::string_view text, bool, std::uint32_t, std::string_view raw) {
    if (open_.empty() || !open_.back().wants_name) return end_value();
    names_.push_back({text, raw});
    open_.back().wants_name = false;
  }
  char* escaped_room(std::size_t size) { return escaped_.emplace_back(size, '\0').data(); }
  void escaped_string(char* room, std::size_t size, bool ascii, std::uint32_t offset,
                      std::string_view raw) {
    string({room, size}, ascii, offset, raw);
  }

 private:
  struct Open {
    std::size_t first_name;
    bool is_object;
    bool wants_name;  // in an object: a name comes next, not a value
  };
  void end_value() {
    if (!open_.empty()) open_.back().wants_name = open_.back().is_object;
  }

  std::vector<Open> open_;
  std::vector<Name> names_;
  std::deque<std::string> escaped_;  // texts that differ from their raw ones
};

const Shape::Name* Shape::close(const char*) {
  const std::span<Name> names = std::span(names_).subspan(open_.back().first_name);
  const Name* repeated = nullptr;
  if (names.size() > kUnindexedMembersMax) {
    std::ranges::sort(names, {}, &Name::text);
    const auto at = std::ranges::adjacent_find(names, {}, &Name::text);
    if (at != names.end()) repeated = &*at;
  } else {
    const auto count = static_cast<std::uint32_t>(names.size());
    const auto at = repeated_key(count, [&](std::uint32_t i) { return names[i].text; });
    if (at < count) repeated = &names[at];
  }
  if (repeated != nullptr) return repeated;
  names_.resize(open_.back().first_name);
  open_.pop_back();
  end_value();
  return nullptr;
}

std::string_view raw_of(const Json& key) {
  return key.raw();
}
std::string_view raw_of(const Shape::Name& name) {
  return name.raw;
}

// Builder: JsonBuilder makes a tree of what is read, Shape only checks it.
template <class Builder>
class Reader {
 public:
  Reader(std::string_view text, Builder& builder, std::uint32_t depth_max)
      : begin_(text.data()),
        at_(begin_),
        end_(begin_ + text.size()),
        depth_max_(std::min(depth_max, kJsonDepthMax)),
        build_(builder) {}

  // Whether the whole text is one value.
  bool read();
  Error error() const;

 private:
  // Out of line, as what is rare is here: it would burden each string with its frame.
  [[gnu::noinline, gnu::cold]] bool refuse(const char* at, std::string_view problem) {
    problem_at_ = at;
    problem_ = problem;
    return false;
  }
  std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  void skip_space() {
    if (at_<end_&& static_cast<unsigned char>(*at_)> ' ') return;  // mostly there is none
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  [[gnu::noinline, gnu::cold]] bool refuse_depth() {
    return refuse(at_, fmt::format("nested deeper than {} levels", depth_max_));
  }
  [[gnu::noinline, gnu::cold]] bool refuse_key(std::string_view raw) {
    return refuse(raw.data(), fmt::format("the key {} is there twice", raw));
  }
  bool read_value();
  bool open_container(Json::Type type);
  bool close_container();
  bool after_value();
  bool read_key();
  bool read_string();
  [[gnu::noinline]] bool read_special_string(const char* quote);
  bool skip_special(bool& ascii, bool& escaped);
  bool read_escaped_string(const char* quote, bool ascii);
  bool read_escape(const char*& from, const char* to, char*& out, bool& ascii);
  bool read_number();
  bool read_literal(std::string_view word, Json::Type type);

  const char* begin_;
  const char* at_;
  const char* end_;
  std::uint32_t depth_max_;
  Builder& build_;
  bool value_next_ = true;  // else a comma or an end
  const char* problem_at_ = nullptr;
  std::string problem_;
};

template <class Builder>
bool Reader<Builder>::read() {
  if (std::string_view(begin_, end_).starts_with("\xef\xbb\xbf"))
    return refuse(at_, "a byte order mark is not part of JSON");
  for (;;) {
    if (value_next_) {
      if (!read_value()) return false;
    } else if (build_.is_open()) {
      if (!after_value()) return false;
    } else {
      break;
    }
  }
  skip_space();
  return at_ == end_ || refuse(at_, "expected the end of the text after the value");
}

template <class Builder>
bool Reader<Builder>::read_value() {
  skip_space();
  if (at_ == end_) return refuse(at_, "expected a value, found the end of the text");
  value_next_ = false;
  switch (*at_) {
    case '{':
      return open_container(Json::Type::Object);
    case '[':
      return open_container(Json::Type::Array);
    case '"':
      return read_string();
    case 't':
      return read_literal("true", Json::Type::True);
    case 'f':
      return read_literal("false", Json::Type::False);
    case 'n':
      return read_literal("null", Json::Type::Null);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return read_number();
    default:
      return refuse(at_, "expected a value");
  }
}

template <class Builder>
bool Reader<Builder>::open_container(Json::Type type) {
  if (build_.depth() == depth_max_) return refuse_depth();
  build_.open(type, offset(at_), at_);
  ++at_;
  skip_space();
  const char closing = type == Json::Type::Object ? '}' : ']';
  if (at_ < end_ && *at_ == closing) return close_container();
  value_next_ = true;
  return type == Json::Type::Array || read_key();
}

template <class Builder>
bool Reader<Builder>::close_container() {
  ++at_;
  const auto* const repeated = build_.close(at_);
  return repeated == nullptr || refuse_key(raw_of(*repeated));
}

template <class Builder>
bool Reader<Builder>::after_value() {
  skip_space();
  const bool object = build_.in_object();
  if (at_ < end_ && *at_ == ',') {
    ++at_;
    value_next_ = true;
    if (!object) return true;
    skip_space();
    return read_key();
  }
  if (at_ < end_ && *at_ == (object ? '}' : ']')) return close_container();
  return refuse(
      at_, object ? "expected ',' or '}' after a member" : "expected ',' or ']' after an element");
}

template <class Builder>
bool Reader<Builder>::read_key() {
  if (at_ == end_ || *at_ != '"') return refuse(at_, "expected a member's name in quotes");
  if (!read_string()) return false;
  skip_space();
  if (at_ == end_ || *at_ != ':') return refuse(at_, "expected ':' after a member's name");
  ++at_;
  return true;
}

template <class Builder>
bool Reader<Builder>::read_string() {
  const char* const quote = at_;
  const char* const stop = skip_plain(quote + 1, end_);
  at_ = stop;
  if (stop == end_ || *stop != '"') return read_special_string(quote);
  at_ = stop + 1;
  build_.string({quote + 1, stop}, true, offset(quote), {quote, stop + 1});
  return true;
}

// The string's end is found first; only if an escape was met, its text is then built in the arena.
template <class Builder>
bool Reader<Builder>::read_special_string(const char* quote) {
  bool ascii = true;
  bool escaped = false;
  do {
    if (!skip_special(ascii, escaped)) return false;
    at_ = skip_plain(at_, end_);
  } while (at_ == end_ || *at_ != '"');
  if (escaped) return read_escaped_string(quote, ascii);
  const std::string_view text(quote + 1, at_);
  ++at_;
  build_.string(text, ascii, offset(quote), {quote, at_});
  return true;
}

template <class Builder>
bool Reader<Builder>::skip_special(bool& ascii, bool& escaped) {
  if (at_ == end_) return refuse(at_, "a string has no end");
  const auto byte = static_cast<unsigned char>(*at_);
  if (byte < 0x20) return refuse(at_, "a control character in a string must be escaped");
  if (byte == '\\') {
    if (end_ - at_ < 2) return refuse(at_, "a string has no end");
    escaped = true;
    at_ += static_cast<unsigned char>(at_[1]) < 0x80 ? 2 : 1;
    return true;
  }
  ascii = false;
  while (at_ < end_ && static_cast<unsigned char>(*at_) >= 0x80) {
    const unsigned length = utf8_length(at_, end_);
    if (length == 0) return refuse(at_, "not UTF-8");
    at_ += length;
  }
  return true;
}

// Requires that at_ is the closing quote.
template <class Builder>
bool Reader<Builder>::read_escaped_string(const char* quote, bool ascii) {
  const char* from = quote + 1;
  const char* const to = at_++;
  char* const start = build_.escaped_room(static_cast<std::size_t>(to - from));
  char* out = start;
  while (from < to) {
    if (*from != '\\') {
      *out++ = *from++;
    } else if (!read_escape(from, to, out, ascii)) {
      return false;
    }
  }
  build_.escaped_string(start, static_cast<std::size_t>(out - start), ascii, offset(quote),
                        {quote, at_});
  return true;
}

// Four hexadecimal digits; -1 when they are not there.
int hex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int code = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c))
      code = code * 16 + (c - '0');
    else if (lower >= 'a' && lower <= 'f')
      code = code * 16 + (lower - 'a' + 10);
    else
      return -1;
  }
  return code;
}

template <class Builder>
bool Reader<Builder>::read_escape(const char*& from, const char* to, char*& out, bool& ascii) {
  const char* const backslash = from;
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  const std::size_t simple = kNames.find(from[1]);
  if (simple != std::string_view::npos) {
    *out++ = kValues[simple];
    from += 2;
    return true;
  }
  if (from[1] != 'u') return refuse(backslash, "no such escape in JSON");
  const int high = hex4(from + 2, to);
  if (high < 0) return refuse(backslash, "expected four hexadecimal digits after \\u");
  from += 6;
  auto code = static_cast<std::uint32_t>(high);
  if (code >= 0xd800 && code < 0xe000) {
    const int low = to - from >= 6 && from[0] == '\\' && from[1] == 'u' ? hex4(from + 2, to) : -1;
    if (code >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
      return refuse(backslash, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
    from += 6;
  }
  if (code >= 0x80) ascii = false;
  out += utf8_put(out, code);
  return true;
}

template <class Builder>
bool Reader<Builder>::read_number() {
  const char* const start = at_;
  if (*at_ == '-') ++at_;
  if (at_ == end_ || !is_digit(*at_)) return refuse(at_, "expected a digit");
  if (*at_ == '0' && end_ - at_ > 1 && is_digit(at_[1]))
    return refuse(at_, "a number must not start with 0");
  while (at_ < end_ && is_digit(*at_)) ++at_;
  bool plain = true;
  if (at_ < end_ && *at_ == '.') {
    plain = false;
    ++at_;
    if (at_ == end_ || !is_digit(*at_)) return refuse(at_, "expected a digit after the point");
    while (at_ < end_ && is_digit(*at_)) ++at_;
  }
  if (at_ < end_ && (*at_ | 0x20) == 'e') {
    plain = false;
    ++at_;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (at_ == end_ || !is_digit(*at_)) return refuse(at_, "expected a digit in the exponent");
    while (at_ < end_ && is_digit(*at_)) ++at_;
  }
  const std::string_view lexeme(start, at_);
  build_.number(lexeme, plain, offset(start), lexeme);
  return true;
}

template <class Builder>
bool Reader<Builder>::read_literal(std::string_view word, Json::Type type) {
  const std::string_view found(
      at_, std::min<std::size_t>(word.size(), static_cast<std::size_t>(end_ - at_)));
  if (found != word) return refuse(at_, "expected a value");
  build_.literal(type, offset(at_), found);
  at_ += word.size();
  return true;
}

template <class Builder>
Error Reader<Builder>::error() const {
  const TextPosition place = position_at({begin_, end_}, offset(problem_at_));
  return {ErrorCode::InvalidArgument,
          fmt::format("line {}, column {}: {}", place.line, place.column, problem_)};
}

Result<Json> parse_into(std::string_view text, JsonArena& arena, const JsonLimits& limits) {
  const std::size_t bytes_max = std::min(limits.bytes_max, kTextBytesMax);
  if (text.size() > bytes_max)
    return fail(ErrorCode::ResourceExhausted, "the text has {} bytes, the limit is {}", text.size(),
                bytes_max);
  JsonArena::check_address(text.data() + text.size());
  JsonBuilder builder(arena);
  Reader<JsonBuilder> reader(text, builder, limits.depth_max);
  if (!reader.read()) return std::unexpected(reader.error());
  return builder.root();
}

}  // namespace

bool is_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > std::min(limits.bytes_max, kTextBytesMax)) return false;
  Shape shape;
  return Reader<Shape>(text, shape, limits.depth_max).read();
}

JsonDocument::JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string text, const JsonLimits& limits) {
  JsonDocument document;
  // About what a tree of short values takes, so that it lies in one piece.
  const std::size_t first_chunk = std::min<std::size_t>(text.size() * 5 / 2 + 64, 1 << 20);
  document.parts_ = Parts::make(std::make_shared<const std::string>(std::move(text)), first_chunk);
  Parts& parts = *document.parts_;
  TRY(parts.root, parse_into(*parts.text, parts.arena, limits));
  parts.arena.drop_scratch();
  return document;
}

const Json& JsonDocument::root() const {
  static const Json null{};
  return parts_ == nullptr ? null : parts_->root;
}

std::string_view JsonDocument::text() const {
  return parts_ == nullptr ? std::string_view() : *parts_->text;
}

JsonParser::JsonParser(const JsonLimits& limits)
    : limits_(limits), arena_(std::make_unique<JsonArena>()) {}
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;
JsonParser::~JsonParser() = default;

Result<const Json*> JsonParser::parse(std::string_view text) {
  arena_->reset();
  TRY(root_, parse_into(text, *arena_, limits_));
  return &root_;
}

}  // namespace weft
