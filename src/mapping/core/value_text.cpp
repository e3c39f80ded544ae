#include "mapping/core/value_text.h"

#include <algorithm>
#include <cstring>

#include "base/text_scan.h"
#include "base/utf8.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"

namespace weft::mapping {
namespace {

constexpr char kDelete = 0x7f;

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != kDelete;
}

std::uint32_t decode(std::string_view text, std::size_t at, unsigned length) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i]));
  };
  switch (length) {
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    case 4:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
             (byte(3) & 0x3f);
    default:
      return byte(0);
  }
}

bool needs_no_escape(std::string_view text) {
  return is_plain_text<true>(text);
}

// Adds to a string with one check per piece; what it says is in the string from the end on.
class Appender {
 public:
  // What would make more than `most` bytes is cut off, anywhere; is_full() tells.
  Appender(std::string& out, std::size_t most)
      : out_(out), at_(out.data() + out.size()), end_(at_), begin_(out.size()), most_(most) {}
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;
  ~Appender() { settle(); }

  void add(char c) {
    make_room(1);
    *at_++ = c;
  }
  void add(std::string_view text) {
    make_room(text.size());
    put(text);
  }
  void add(std::size_t count, char c) {
    make_room(count);
    at_ = std::fill_n(at_, count, c);
  }
  // Text that needs no escape.
  void add_quoted(std::string_view text) {
    make_room(text.size() + 2);
    *at_++ = '"';
    put(text);
    *at_++ = '"';
  }
  // For what adds to the string itself.
  std::string& settle() {
    out_.resize(static_cast<std::size_t>(at_ - out_.data()));
    end_ = at_;
    return out_;
  }
  void go_on() { end_ = at_ = out_.data() + out_.size(); }
  bool is_full() const { return is_full_; }
  // As much of a text as can still matter.
  std::string_view fitting(std::string_view text) const {
    return text.size() <= most_ ? text : text.substr(0, most_ + 1);
  }

 private:
  void make_room(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]]
      grow(bytes);
  }
  void put(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  [[gnu::noinline]] void grow(std::size_t bytes) {
    constexpr std::size_t kLeast = 64;
    auto used = static_cast<std::size_t>(at_ - out_.data());
    if (used - begin_ > most_) {
      is_full_ = true;  // the end of what is there is written over until the writer looks
      used = begin_ + most_;
    }
    const std::size_t size = std::max({out_.capacity(), used + bytes, kLeast});
    out_.resize_and_overwrite(size > out_.capacity() ? 2 * size : size,
                              [](char* /*room*/, std::size_t length) { return length; });
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }

  std::string& out_;
  char* at_;
  char* end_;
  std::size_t begin_;
  std::size_t most_;
  bool is_full_ = false;
};

class Writer {
 public:
  Writer(std::string& out, const JqStyle& style, std::size_t most)
      : out_(out, most), style_(style) {}
  bool is_full() const { return out_.is_full(); }

  void write(const Value& value) {
    switch (value.form()) {
      case Value::Form::Null:
        return out_.add("null");
      case Value::Form::False:
        return out_.add("false");
      case Value::Form::True:
        return out_.add("true");
      case Value::Form::Lexeme:
      case Value::Form::HeapLexeme:
        return out_.add(value.lexeme());
      case Value::Form::Decimal:
      case Value::Form::Double:
        append_number(out_.settle(), value);
        return out_.go_on();
      case Value::Form::Text:
      case Value::Form::HeapText:
        return write_text(value.text());
      case Value::Form::JsonArray:
      case Value::Form::HeapArray:
        return write_array(value);
      case Value::Form::JsonObject:
      case Value::Form::HeapObject:
        return write_object(value);
    }
  }

  void write_text(std::string_view text) {
    text = out_.fitting(text);
    if (needs_no_escape(text))
      out_.add_quoted(text);
    else
      write_escaped(text);
  }

 private:
  bool is_pretty() const { return style_.indent > 0 || style_.tabs; }
  void line() {
    if (is_pretty()) break_line();
  }
  void break_line() {
    out_.add('\n');
    if (style_.tabs)
      out_.add(depth_, '\t');
    else
      out_.add(depth_ * static_cast<std::size_t>(style_.indent), ' ');
  }

  void write_array(const Value& value) {
    const std::uint32_t size = value.size();
    if (size == 0) return out_.add("[]");
    out_.add('[');
    ++depth_;
    for (std::uint32_t i = 0; i < size && !is_full(); ++i) {
      if (i > 0) out_.add(',');
      line();
      if (value.form() == Value::Form::HeapArray)
        write(value.array().elements()[i]);
      else
        write_tree(value.json().elements()[i]);
    }
    --depth_;
    line();
    out_.add(']');
  }

  // A borrowed value: its text is taken over where it has no escapes.
  void write_tree(const Json& json) {
    const bool plain = !style_.ascii || json.is_ascii();
    if (json.is_string() && plain && json.raw().size() == json.size() + std::size_t{2} &&
        json.as_string().find(kDelete) == std::string_view::npos)
      out_.add(out_.fitting(json.raw()));
    else
      write(Value::of(json));
  }

  void write_key(const Value& key, bool first) {
    if (!first) out_.add(',');
    line();
    write_text(key.text());
    out_.add(':');
    if (is_pretty()) out_.add(' ');
  }

  void write_object(const Value& value) {
    if (value.size() == 0) return out_.add("{}");
    out_.add('{');
    ++depth_;
    bool first = true;
    if (style_.sort_keys) {
      for (const Member& member : sorted_members(value)) {
        if (is_full()) break;
        write_key(member.key, std::exchange(first, false));
        write(member.value);
      }
    } else if (value.form() == Value::Form::JsonObject) {
      for (const JsonMember& member : value.json().members()) {
        if (is_full()) break;
        write_key(Value::text(member.key()), std::exchange(first, false));
        write_tree(member.value);
      }
    } else {
      Member* const members = value.object().members();
      for (std::uint32_t i = 0; i < value.size() && !is_full(); ++i) {
        write_key(members[i].key, i == 0);
        write(members[i].value);
      }
    }
    --depth_;
    line();
    out_.add('}');
  }

  void write_escaped(std::string_view text) {
    out_.add('"');
    std::size_t from = 0;
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      const bool wide = style_.ascii && static_cast<unsigned char>(c) >= 0x80;
      if (is_plain(c) && !wide) {
        ++at;
        continue;
      }
      out_.add(text.substr(from, at - from));
      at += wide ? write_unit(text, at) : write_escape(c);
      from = at;
    }
    out_.add(text.substr(from));
    out_.add('"');
  }

  // The bytes that were written as an escape.
  std::size_t write_escape(char c) {
    constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
    constexpr std::string_view kNames = "\"\\bfnrt";
    const std::size_t found = kPlain.find(c);
    if (found == std::string_view::npos) {
      write_hex(static_cast<unsigned char>(c));
    } else {
      out_.add('\\');
      out_.add(kNames[found]);
    }
    return 1;
  }
  std::size_t write_unit(std::string_view text, std::size_t at) {
    const unsigned length = std::max(1u, utf8_length(text.data() + at, text.data() + text.size()));
    const std::uint32_t code = decode(text, at, length);
    if (code >= 0x10000) {
      write_hex(0xd800 + ((code - 0x10000) >> 10));
      write_hex(0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      write_hex(code);
    }
    return length;
  }
  void write_hex(std::uint32_t unit) { out_.add(fmt::format("\\u{:04x}", unit)); }

  Appender out_;
  const JqStyle& style_;
  std::size_t depth_ = 0;
};

}  // namespace

bool append_json(std::string& out, const Value& value, const JqStyle& style, std::size_t most) {
  const std::size_t before = out.size();
  bool is_full = false;
  {
    Writer writer(out, style, most);
    writer.write(value);
    is_full = writer.is_full();
  }
  return !is_full && out.size() - before <= most;
}

std::size_t find_text(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* const found =
      ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::size_t byte_of_code_point(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) continue;
    if (index-- == 0) return at;
  }
  return at;
}

Value substring(const Value& text, std::uint32_t from, std::uint32_t to) {
  const std::string_view all = text.text();
  const std::size_t begin = byte_of_code_point(all, from);
  const std::size_t length = byte_of_code_point(all.substr(begin), to - from);
  if (text.form() == Value::Form::Text) return Value::text(all.substr(begin, length));
  return Value::new_text(all.substr(begin, length));
}

Value split_text(Machine& machine, const Value& text, std::string_view separator, const Node& at) {
  Value parts = Value::new_array();
  const std::string_view all = text.text();
  if (all.empty()) return parts;
  const auto add = [&](std::size_t from, std::size_t size) {
    const std::string_view part = all.substr(from, size);
    parts.append(text.form() == Value::Form::Text ? Value::text(part) : Value::new_text(part));
  };
  std::size_t from = 0;
  while (true) {
    if (!machine.spend(1, at)) return {};
    std::size_t end = find_text(all, separator, from);
    if (separator.empty()) {
      if (from == all.size()) return parts;
      end = from + byte_of_code_point(all.substr(from), 1);
    }
    if (end == std::string_view::npos) break;
    add(from, end - from);
    from = end + separator.size();
  }
  add(from, all.size() - from);
  return parts;
}

namespace {

Value copied(const Json& json) {
  switch (json.type()) {
    case Json::Type::Number:
      return Value::new_lexeme(json.number());
    case Json::Type::String:
      return Value::new_text(json.as_string());
    case Json::Type::Array: {
      Value made = Value::new_array(json.size());
      for (const Json& element : json.elements()) made.append(copied(element));
      return made;
    }
    case Json::Type::Object: {
      Value made = Value::new_object(json.size());
      for (const JsonMember& member : json.members())
        made.set_member(Value::new_text(member.key()), copied(member.value));
      return made;
    }
    default:
      return Value::of(json);
  }
}

}  // namespace

Value parse_json(Machine& machine, std::string_view text, const Node& at) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  std::string_view bare = first == std::string_view::npos ? "" : text.substr(first);
  while (!bare.empty() && std::string_view(" \t\r\n").contains(bare.back())) bare.remove_suffix(1);
  std::string_view word = bare.starts_with('-') ? bare.substr(1) : bare;
  if (word.starts_with("nan") && word.find_first_not_of("0123456789", 3) == std::string_view::npos)
    return *number_from("nan");
  if (!machine.has_room(text.size() * 4, at)) return {};
  const auto document = JsonDocument::parse(std::string(text), {.depth_max = kJsonDepthMax});
  if (!document)
    return machine.raise(
        fmt::format("{} (while parsing '{}')", document.error().message, text.substr(0, 200)), at);
  return copied(document->root());
}

std::string brief(const Value& value, std::size_t most) {
  std::string text;
  append_json(text, value, {}, most);
  if (text.size() <= most) return text;
  std::size_t cut = most - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  text.resize(cut);
  return text + "...";
}

std::string named(const Value& value) {
  return fmt::format("{} ({})", kind_name(value.kind()), brief(value));
}

}  // namespace weft::mapping
