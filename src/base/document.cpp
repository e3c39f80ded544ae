#include "base/document.h"

#include <yaml.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "base/core/json_builder.h"
#include "base/core/json_parts.h"
#include "base/core/yaml_scalar.h"

namespace weft {
namespace {

Failure fail_at(std::string_view file, std::uint32_t line, std::uint32_t column,
                std::string_view problem) {
  return fail(ErrorCode::InvalidArgument, "{}:{}:{}: {}", file, line, column, problem);
}

// Bytes of a byte order mark at the start.
std::size_t mark_size(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? 3 : 0;
}

// Turns libyaml's character counts into byte offsets; its marks hardly ever go back.
class ByteOffsets {
 public:
  ByteOffsets(std::string_view text, std::size_t first)
      : text_(text), first_(first), bytes_(first) {}

  std::uint32_t of(const yaml_mark_t& mark) {
    if (mark.index < characters_) restart();
    while (characters_ < mark.index && bytes_ < text_.size()) {
      ++bytes_;
      while (bytes_ < text_.size() && (static_cast<unsigned char>(text_[bytes_]) & 0xc0) == 0x80)
        ++bytes_;
      ++characters_;
    }
    return static_cast<std::uint32_t>(bytes_);
  }

 private:
  void restart() {
    characters_ = 0;
    bytes_ = first_;
  }

  std::string_view text_;
  std::size_t first_;
  std::size_t characters_ = 0;
  std::size_t bytes_ = 0;
};

std::string_view text_of(const yaml_char_t* chars, std::size_t size) {
  return {reinterpret_cast<const char*>(chars), size};
}
std::string_view text_of(const yaml_char_t* chars) {
  return reinterpret_cast<const char*>(chars);
}

// An event that frees itself.
struct Event {
  yaml_event_t event{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }
};

}  // namespace

// libyaml's events, put together as JSON trees. It resolves no aliases itself: an alias shares the
// tree of its anchor, and only the count of values knows that it stands there more than once.
class DocumentParser {
 public:
  static constexpr std::size_t kFirstChunk = 4096;

  DocumentParser(std::string file, std::string text, const DocumentLimits& limits)
      : file_(std::move(file)),
        text_(std::make_shared<const std::string>(std::move(text))),
        limits_(limits),
        offsets_(*text_, mark_size(*text_)) {
    const std::string_view yaml = std::string_view(*text_).substr(mark_size(*text_));
    yaml_parser_initialize(&parser_);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(yaml.data()),
                                 yaml.size());
  }
  DocumentParser(const DocumentParser&) = delete;
  DocumentParser& operator=(const DocumentParser&) = delete;
  ~DocumentParser() { yaml_parser_delete(&parser_); }

  Result<std::vector<SourceDocument>> run() {
    for (;;) {
      Event next;
      if (yaml_parser_parse(&parser_, &next.event) == 0) return syntax_error();
      if (next.event.type == YAML_STREAM_END_EVENT) break;
      CHECK(take(next.event));
    }
    return std::move(documents_);
  }

 private:
  struct Tree {
    Json value;
    std::uint64_t values = 1;
    std::uint32_t levels = 0;
  };
  struct Open {
    std::string anchor;
    std::uint64_t values_before = 0;
    std::uint32_t levels = 1;
  };

  Result<> take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        begin_document();
        return {};
      case YAML_DOCUMENT_END_EVENT:
        end_document();
        return {};
      case YAML_ALIAS_EVENT:
        return take_alias(event);
      case YAML_SCALAR_EVENT:
        return take_scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return open(event, Json::Type::Array, event.data.sequence_start.anchor,
                    event.data.sequence_start.tag);
      case YAML_MAPPING_START_EVENT:
        return open(event, Json::Type::Object, event.data.mapping_start.anchor,
                    event.data.mapping_start.tag);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return close();
      default:
        return {};
    }
  }

  void begin_document() {
    tree_ = JsonDocument();
    tree_.parts_ = JsonDocument::Parts::make(text_, kFirstChunk);
    build_.emplace(tree_.parts_->arena);
    anchors_.clear();
    values_ = 0;
    empty_ = false;
  }

  void end_document() {
    tree_.parts_->root = build_->root();
    tree_.parts_->arena.drop_scratch();
    if (!empty_) documents_.emplace_back(file_, std::move(tree_));
    build_.reset();
  }

  Failure refuse(const yaml_mark_t& mark, std::string_view problem) const {
    return fail_at(file_, static_cast<std::uint32_t>(mark.line) + 1,
                   static_cast<std::uint32_t>(mark.column) + 1, problem);
  }

  Failure syntax_error() const {
    const std::string_view problem = parser_.problem == nullptr ? "not YAML" : parser_.problem;
    if (parser_.error == YAML_READER_ERROR) {
      const TextPosition place = position_at(
          *text_, static_cast<std::uint32_t>(parser_.problem_offset + mark_size(*text_)));
      return fail_at(file_, place.line, place.column, problem);
    }
    std::string message(problem);
    if (parser_.context != nullptr) message = fmt::format("{}, {}", problem, parser_.context);
    if (is_indented_with_tab(parser_.problem_mark.line)) {
      message += "; YAML indents with spaces, not with tabs";
    }
    return refuse(parser_.problem_mark, message);
  }

  bool is_indented_with_tab(std::size_t line) const {
    std::string_view rest = *text_;
    for (; line > 0 && !rest.empty(); --line) {
      const auto end = rest.find('\n');
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return rest.substr(0, rest.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
  }

  bool is_key() const { return build_->is_open() && build_->in_object() && !build_->after_key(); }

  Result<> count_values(const yaml_mark_t& mark, std::uint64_t more) {
    values_ += more;
    if (values_ > limits_.values_max)
      return refuse(mark, fmt::format("more than {} values, aliases expanded", limits_.values_max));
    return {};
  }

  Result<> check_node(const yaml_event_t& event, const yaml_char_t* tag) {
    if (tag != nullptr)
      return refuse(event.start_mark, fmt::format("tags are not supported: {}", text_of(tag)));
    return {};
  }

  Result<> open(const yaml_event_t& event, Json::Type type, const yaml_char_t* anchor,
                const yaml_char_t* tag) {
    CHECK(check_node(event, tag));
    if (is_key()) return refuse(event.start_mark, "a key must be a plain text");
    if (build_->depth() >= limits_.depth_max)
      return refuse(event.start_mark,
                    fmt::format("nested deeper than {} levels", limits_.depth_max));
    CHECK(count_values(event.start_mark, 1));
    open_.push_back({anchor == nullptr ? "" : std::string(text_of(anchor)), values_ - 1, 1});
    build_->open(type, offsets_.of(event.start_mark), nullptr);
    return {};
  }

  Result<> close() {
    const Json* const repeated = build_->close(nullptr);
    if (repeated != nullptr) {
      const TextPosition place = position_at(*text_, repeated->offset());
      return fail_at(file_, place.line, place.column,
                     fmt::format("the key '{}' is there twice", repeated->as_string()));
    }
    const Open closed = std::move(open_.back());
    open_.pop_back();
    if (!open_.empty()) open_.back().levels = std::max(open_.back().levels, closed.levels + 1);
    if (!closed.anchor.empty())
      anchors_[closed.anchor] = {build_->last(), values_ - closed.values_before, closed.levels};
    return {};
  }

  Result<> take_alias(const yaml_event_t& event) {
    const std::string_view name = text_of(event.data.alias.anchor);
    if (is_key()) return refuse(event.start_mark, "a key must be a plain text");
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
      return refuse(event.start_mark, fmt::format("no anchor '{}' is complete here", name));
    const Tree& tree = found->second;
    if (build_->depth() + tree.levels > limits_.depth_max)
      return refuse(event.start_mark,
                    fmt::format("nested deeper than {} levels", limits_.depth_max));
    if (!open_.empty()) open_.back().levels = std::max(open_.back().levels, tree.levels + 1);
    CHECK(count_values(event.start_mark, tree.values));
    build_->copy(tree.value);
    return {};
  }

  Result<> take_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    const std::string_view text = text_of(scalar.value, scalar.length);
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    CHECK(check_node(event, scalar.tag));
    if (is_key()) return take_key(event, text, plain);
    CHECK(count_values(event.start_mark, 1));
    if (plain) {
      CHECK(push_plain(event, text));
    } else {
      push_string(event, text);
    }
    empty_ = plain && text.empty() && !build_->is_open();
    if (scalar.anchor != nullptr)
      anchors_[std::string(text_of(scalar.anchor))] = {build_->last(), 1, 0};
    return {};
  }

  Result<> take_key(const yaml_event_t& event, std::string_view text, bool plain) {
    if (event.data.scalar.anchor != nullptr)
      return refuse(event.start_mark, "a key must not have an anchor");
    if (plain && text.empty()) return refuse(event.start_mark, "a key is missing before ':'");
    if (plain && text == "<<")
      return refuse(event.start_mark, "merge keys (<<) are not supported; write the members out");
    push_string(event, text);
    return {};
  }

  Result<> push_plain(const yaml_event_t& event, std::string_view text) {
    const auto resolved = resolve_plain_scalar(text);
    if (!resolved) return refuse(event.start_mark, resolved.error().message);
    if (resolved->type == Json::Type::String) {
      push_string(event, text);
    } else if (resolved->type == Json::Type::Number) {
      const std::string_view lexeme = keep(resolved->number);
      const bool integer = lexeme.find_first_of(".e") == std::string_view::npos;
      build_->number(lexeme, integer, offsets_.of(event.start_mark), {});
    } else {
      build_->literal(resolved->type, offsets_.of(event.start_mark), {});
    }
    return {};
  }

  void push_string(const yaml_event_t& event, std::string_view text) {
    const bool ascii = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    build_->string(keep(text), ascii, offsets_.of(event.start_mark), {});
  }

  std::string_view keep(std::string_view text) {
    char* const room = tree_.parts_->arena.take(text.size());
    std::copy(text.begin(), text.end(), room);
    return {room, text.size()};
  }

  std::string file_;
  std::shared_ptr<const std::string> text_;
  DocumentLimits limits_;
  ByteOffsets offsets_;
  yaml_parser_t parser_{};
  JsonDocument tree_;
  std::optional<JsonBuilder> build_;
  std::vector<Open> open_;
  std::map<std::string, Tree, std::less<>> anchors_;
  std::uint64_t values_ = 0;
  bool empty_ = false;
  std::vector<SourceDocument> documents_;
};

namespace {

std::size_t count_values(const Json& tree) {
  std::size_t count = 1;
  if (tree.is_array())
    for (const Json& element : tree.elements()) count += count_values(element);
  if (tree.is_object())
    for (const JsonMember& member : tree.members()) count += count_values(member.value);
  return count;
}

Result<std::vector<SourceDocument>> parse_json_file(std::string file, std::string text,
                                                    const DocumentLimits& limits) {
  auto tree = JsonDocument::parse(std::move(text),
                                  {.depth_max = limits.depth_max, .bytes_max = limits.bytes_max});
  if (!tree) {
    // "line 3, column 14: problem" becomes "file:3:14: problem".
    std::string message = std::move(tree).error().message;
    unsigned line = 0;
    unsigned column = 0;
    int length = 0;
    if (std::sscanf(message.c_str(), "line %u, column %u: %n", &line, &column, &length) == 2)
      return fail_at(file, line, column, message.substr(static_cast<std::size_t>(length)));
    return fail(ErrorCode::InvalidArgument, "{}: {}", file, message);
  }
  if (count_values(tree->root()) > limits.values_max)
    return fail_at(file, 1, 1, fmt::format("more than {} values", limits.values_max));
  std::vector<SourceDocument> documents;
  documents.emplace_back(std::move(file), *std::move(tree));
  return documents;
}

}  // namespace

std::string Diagnostic::text() const {
  std::string out = file;
  if (line > 0) out += fmt::format(":{}:{}", line, column);
  if (!out.empty()) out += ": ";
  out += message;
  if (!pointer.empty()) out += fmt::format(" (at {})", pointer);
  return out;
}

Diagnostic SourceDocument::at(const Json& value, std::string message) const {
  auto pointer = pointer_of(root(), value);
  if (!pointer) pointer = pointer_at(root(), value.offset());
  const TextPosition place = position_at(tree_.text(), value.offset());
  return {file_, place.line, place.column, std::move(*pointer), std::move(message)};
}

Result<std::vector<SourceDocument>> parse_documents(std::string file, std::string text,
                                                    const DocumentLimits& limits) {
  if (text.size() > limits.bytes_max)
    return fail(ErrorCode::ResourceExhausted, "{}: the file has {} bytes, the limit is {}", file,
                text.size(), limits.bytes_max);
  if (file.ends_with(".json")) return parse_json_file(std::move(file), std::move(text), limits);
  DocumentParser parser(std::move(file), std::move(text), limits);
  return parser.run();
}

}  // namespace weft
