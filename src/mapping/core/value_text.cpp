#include "mapping/core/value_text.h"

#include <algorithm>
#include <array>

#include "base/core/utf8.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"

namespace weft::mapping {
namespace {

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

// Whether all of it is written as it is, other than in ASCII.
bool is_plain_text(std::string_view text) {
  static constexpr auto kPlain = [] {
    std::array<bool, 256> plain{};
    for (int c = 0; c < 256; ++c) plain[static_cast<std::size_t>(c)] = is_plain(static_cast<char>(c));
    return plain;
  }();
  bool plain = true;
  for (const char c : text) plain = plain && kPlain[static_cast<unsigned char>(c)];
  return plain;
}

bool is_ascii_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// In quotes, with one growth of `out` for all of it.
void append_quoted(std::string& out, std::string_view text, std::string_view tail = {}) {
  const std::size_t before = out.size();
  const std::size_t after = before + text.size() + 2 + tail.size();
  out.resize_and_overwrite(after, [&](char* to, std::size_t) {
    to += before;
    *to++ = '"';
    to = std::copy(text.begin(), text.end(), to);
    *to++ = '"';
    std::copy(tail.begin(), tail.end(), to);
    return after;
  });
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

void append_unit(std::string& out, std::uint32_t unit) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit);
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  const std::size_t found = kPlain.find(c);
  if (found == std::string_view::npos)
    append_unit(out, static_cast<unsigned char>(c));
  else
    (out += '\\') += kNames[found];
}

class Writer {
 public:
  Writer(std::string& out, const JqStyle& style) : out_(out), style_(style) {}

  void write(const Value& value) {
    switch (value.kind()) {
      case Kind::Null:
        out_ += "null";
        return;
      case Kind::False:
        out_ += "false";
        return;
      case Kind::True:
        out_ += "true";
        return;
      case Kind::Number:
        append_number(out_, value);
        return;
      case Kind::String:
        append_json_text(out_, value.text(), style_.ascii);
        return;
      case Kind::Array:
        return write_array(value);
      case Kind::Object:
        return write_object(value);
    }
  }

 private:
  bool is_pretty() const { return style_.indent > 0 || style_.tabs; }
  void line() {
    if (!is_pretty()) return;
    out_ += '\n';
    if (style_.tabs)
      out_.append(depth_, '\t');
    else
      out_.append(depth_ * static_cast<std::size_t>(style_.indent), ' ');
  }

  void write_array(const Value& value) {
    const std::uint32_t size = value.size();
    if (size == 0) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    for (std::uint32_t i = 0; i < size; ++i) {
      if (i > 0) out_ += ',';
      line();
      if (value.form() == Value::Form::HeapArray)
        write(value.array().elements()[i]);
      else
        write_tree(value.json().elements()[i]);
    }
    --depth_;
    line();
    out_ += ']';
  }

  // A borrowed value: its text is taken over where it has no escapes.
  void write_tree(const Json& json) {
    const bool plain = !style_.ascii || json.is_ascii();
    if (json.is_string() && plain && json.raw().size() == json.size() + std::size_t{2} &&
        json.as_string().find('\x7f') == std::string_view::npos)
      out_ += json.raw();
    else if (json.is_number())
      out_ += json.number();
    else
      write(Value::of(json));
  }

  void write_key(const Value& key, bool first) {
    if (!first) out_ += ',';
    line();
    const std::string_view tail = is_pretty() ? ": " : ":";
    if (!style_.ascii && is_plain_text(key.text())) return append_quoted(out_, key.text(), tail);
    append_json_text(out_, key.text(), style_.ascii);
    out_ += tail;
  }

  void write_object(const Value& value) {
    if (value.size() == 0) {
      out_ += "{}";
      return;
    }
    out_ += '{';
    ++depth_;
    bool first = true;
    if (style_.sort_keys) {
      for (const Member& member : sorted_members(value)) {
        write_key(member.key, std::exchange(first, false));
        write(member.value);
      }
    } else if (value.form() == Value::Form::JsonObject) {
      for (const JsonMember& member : value.json().members()) {
        write_key(Value::text(member.key()), std::exchange(first, false));
        write_tree(member.value);
      }
    } else {
      Member* const members = value.object().members();
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        write_key(members[i].key, i == 0);
        write(members[i].value);
      }
    }
    --depth_;
    line();
    out_ += '}';
  }

  std::string& out_;
  const JqStyle& style_;
  std::size_t depth_ = 0;
};

}  // namespace

void append_json(std::string& out, const Value& value, const JqStyle& style) {
  Writer(out, style).write(value);
}

void append_json_text(std::string& out, std::string_view text, bool ascii) {
  if (is_plain_text(text) && (!ascii || is_ascii_text(text))) return append_quoted(out, text);
  out += '"';
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool wide = ascii && static_cast<unsigned char>(c) >= 0x80;
    if (is_plain(c) && !wide) {
      ++at;
      continue;
    }
    out += text.substr(from, at - from);
    if (wide) {
      const unsigned length =
          std::max(1u, utf8_length(text.data() + at, text.data() + text.size()));
      const std::uint32_t code = decode(text, at, length);
      if (code >= 0x10000) {
        append_unit(out, 0xd800 + ((code - 0x10000) >> 10));
        append_unit(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
      } else {
        append_unit(out, code);
      }
      at += length;
    } else {
      append_escape(out, c);
      ++at;
    }
    from = at;
  }
  out += text.substr(from);
  out += '"';
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
    std::size_t end = all.find(separator, from);
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
  append_json(text, value);
  if (text.size() <= most) return text;
  std::size_t cut = most - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  text.resize(cut);
  return text + "...";
}

}  // namespace weft::mapping
