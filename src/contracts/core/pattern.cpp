#include "contracts/core/pattern.h"

#include <re2/re2.h>

#include <bit>
#include <cstring>
#include <utility>

namespace weft::contracts {

// Reads ^ items $? where an item is a character or set with an optional count.
class SimplePatternParser {
 public:
  explicit SimplePatternParser(std::string_view text) : text_(text) {}

  std::optional<SimplePattern> run() {
    if (!take('^')) return std::nullopt;
    while (!text_.empty()) {
      if (text_ == "$") {
        out_.to_end_ = true;
        break;
      }
      if (!read_item()) return std::nullopt;
    }
    if (out_.items_.size() > kItemsMax || !out_.is_deterministic()) return std::nullopt;
    out_.find_fixed();
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kItemsMax = 64;
  using Item = SimplePattern::Item;

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  static void add(Item& item, char c) {
    const auto byte = static_cast<unsigned char>(c);
    item.bytes[byte >> 6] |= std::uint64_t{1} << (byte & 63);
  }
  static void add_range(Item& item, char from, char to) {
    for (int c = from; c <= to; ++c) add(item, static_cast<char>(c));
  }
  static bool add_class(Item& item, char name) {
    if (name != 'd' && name != 'w') return false;
    add_range(item, '0', '9');
    if (name == 'd') return true;
    add_range(item, 'a', 'z');
    add_range(item, 'A', 'Z');
    add(item, '_');
    return true;
  }
  static bool is_punctuation(char c) {
    return std::string_view("^$\\.*+?()[]{}|/-_@#%&=!<>,;:'\"~` ").find(c) !=
           std::string_view::npos;
  }

  bool read_item() {
    Item item;
    bool negated = false;
    const char c = text_[0];
    text_.remove_prefix(1);
    if (c == '[') {
      if (!read_set(item, negated)) return false;
    } else if (c == '\\') {
      if (!read_escape(item)) return false;
    } else if (static_cast<unsigned char>(c) >= 0x80 || c < 0x20 ||
               std::string_view("^$.*+?()]{}|").find(c) != std::string_view::npos) {
      return false;
    } else {
      add(item, c);
    }
    if (!read_count(item)) return false;
    // A negated set holds characters of several bytes; bytes may only be counted as "any number".
    if (negated && !(item.min <= 1 && item.max == kNoMax)) return false;
    out_.items_.push_back(item);
    return true;
  }

  bool read_escape(Item& item) {
    if (text_.empty()) return false;
    const char c = text_[0];
    text_.remove_prefix(1);
    if (add_class(item, c)) return true;
    if (!is_punctuation(c)) return false;
    add(item, c);
    return true;
  }

  bool read_set(Item& item, bool& negated) {
    negated = take('^');
    if (text_.starts_with(']')) return false;
    while (!take(']')) {
      if (text_.empty()) return false;
      const char c = text_[0];
      text_.remove_prefix(1);
      if (c == '\\') {
        // An escape may not start a range here; ECMA's rules for that are left to RE2.
        if (!read_escape(item) || text_.starts_with('-')) return false;
        continue;
      }
      if (static_cast<unsigned char>(c) >= 0x80 || c < 0x20) return false;
      const bool range = text_.size() >= 2 && text_[0] == '-' && text_[1] != ']';
      if (!range) {
        add(item, c);
        continue;
      }
      const char to = text_[1];
      if (to == '\\' || static_cast<unsigned char>(to) >= 0x80 || to < c) return false;
      add_range(item, c, to);
      text_.remove_prefix(2);
    }
    if (negated)
      for (std::uint64_t& word : item.bytes) word = ~word;
    return true;
  }

  bool read_number(std::uint32_t& number) {
    number = 0;
    std::size_t digits = 0;
    while (digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9' && digits < 6)
      number = number * 10 + static_cast<std::uint32_t>(text_[digits++] - '0');
    text_.remove_prefix(digits);
    return digits > 0;
  }

  bool read_count(Item& item) {
    if (take('?')) {
      item.min = 0;
    } else if (take('*')) {
      item.min = 0;
      item.max = kNoMax;
    } else if (take('+')) {
      item.max = kNoMax;
    } else if (take('{')) {
      if (!read_number(item.min)) return false;
      item.max = item.min;
      if (take(',') && !read_number(item.max)) item.max = kNoMax;
      if (!take('}') || item.max < item.min) return false;
    }
    // A second sign would make it lazy, which changes nothing for a yes or no, or be an error.
    return text_.empty() || std::string_view("?*+{").find(text_[0]) == std::string_view::npos;
  }

  static constexpr std::uint32_t kNoMax = ~std::uint32_t{0};

  std::string_view text_;
  SimplePattern out_;
};

std::optional<SimplePattern> SimplePattern::parse(std::string_view ecma) {
  return SimplePatternParser(ecma).run();
}

bool SimplePattern::Item::meets(const Item& other) const {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if ((bytes[i] & other.bytes[i]) != 0) return true;
  return false;
}

// A repetition takes all it can, so nothing that may follow it may begin with its characters.
bool SimplePattern::is_deterministic() const {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].min == items_[i].max) continue;
    for (std::size_t j = i + 1; j < items_.size(); ++j) {
      if (items_[i].meets(items_[j])) return false;
      if (items_[j].min > 0) break;
    }
  }
  return true;
}

void SimplePattern::find_fixed() {
  constexpr std::size_t kLeast = 8;
  constexpr std::size_t kMost = 16;
  std::vector<std::pair<std::uint8_t, std::uint8_t>> ranges;
  for (const Item& item : items_) {
    if (item.min != item.max || ranges.size() + item.max > kMost) return;
    unsigned low = 0;
    while (low < 256 && !item.has(static_cast<unsigned char>(low))) ++low;
    unsigned end = low;
    while (end < 256 && item.has(static_cast<unsigned char>(end))) ++end;
    if (low == end) return;
    for (unsigned c = end; c < 256; ++c)
      if (item.has(static_cast<unsigned char>(c))) return;
    ranges.insert(ranges.end(), item.max,
                  {static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(end - 1)});
  }
  if (ranges.size() < kLeast) return;
  fixed_ = Fixed();
  fixed_->size = static_cast<std::uint32_t>(ranges.size());
  for (std::size_t i = 0; i < kMost; ++i) {
    const auto& [low, high] = ranges[i < 8 ? i : ranges.size() - kMost + i];
    fixed_->low[i] = low;
    fixed_->high[i] = high;
  }
}

bool SimplePattern::Fixed::matches(std::string_view text, bool to_end) const {
  if (to_end ? text.size() != size : text.size() < size) return false;
  std::array<std::uint64_t, 2> words;
  std::memcpy(&words[0], text.data(), 8);
  std::memcpy(&words[1], text.data() + size - 8, 8);
  const auto bytes = std::bit_cast<Bytes>(words);
  const auto fits = std::bit_cast<std::array<std::uint64_t, 2>>((bytes >= low) & (bytes <= high));
  return (fits[0] & fits[1]) == ~std::uint64_t{0};
}

bool SimplePattern::matches(std::string_view text) const {
  if (fixed_) return fixed_->matches(text, to_end_);
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const Item& item : items_) {
    const auto left = static_cast<std::size_t>(end - at);
    const char* const stop = item.max < left ? at + item.max : end;
    const char* const start = at;
    while (at < stop && item.has(static_cast<unsigned char>(*at))) ++at;
    if (static_cast<std::size_t>(at - start) < item.min) return false;
  }
  return !to_end_ || at == end;
}

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(std::string_view ecma) {
  TRY(const std::string translated, translate_ecma_pattern(ecma));
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto re2 = std::make_unique<re2::RE2>(translated, options);
  if (!re2->ok()) return fail(ErrorCode::InvalidArgument, "the pattern is wrong: {}", re2->error());
  Pattern pattern;
  pattern.text_ = ecma;
  pattern.simple_ = SimplePattern::parse(ecma);
  if (!pattern.simple_) pattern.re2_ = std::move(re2);
  return pattern;
}

bool Pattern::matches_with_re2(std::string_view text) const {
  return re2_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace weft::contracts
