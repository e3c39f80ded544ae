#include "mapping/core/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace weft::mapping {
namespace {

// Oniguruma's spelling in RE2's: named groups, \h, Unicode classes, comments of extended syntax.
class Translation {
 public:
  Translation(std::string_view expression, bool extended)
      : rest_(expression), extended_(extended) {}

  std::string run() {
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '\\' && rest_.size() > 1) {
        escape();
      } else if (in_set_) {
        set_character(c);
      } else if (c == '[') {
        open_set();
      } else if (rest_.starts_with("(?<") && rest_.size() > 3 && rest_[3] != '=' &&
                 rest_[3] != '!') {
        name_group();
      } else if (rest_.starts_with("(?#")) {
        rest_.remove_prefix(std::min(rest_.size(), rest_.find(')') + 1));
      } else if (extended_ && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
        rest_.remove_prefix(1);
      } else if (extended_ && c == '#') {
        rest_.remove_prefix(std::min(rest_.size(), rest_.find('\n')));
      } else {
        take(1);
      }
    }
    return std::move(out_);
  }
  // Of the groups w0, w1, …: jq gives one name to several groups, RE2 does not.
  const std::vector<std::string>& names() const { return names_; }

 private:
  void take(std::size_t count) {
    out_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }
  void replace(std::string_view in_set, std::string_view outside) {
    out_ += in_set_ ? in_set : outside;
    rest_.remove_prefix(2);
  }
  void name_group() {
    const std::size_t end = rest_.find('>');
    if (end == std::string_view::npos || end == 3) return take(3);
    out_ += fmt::format("(?P<w{}>", names_.size());
    names_.emplace_back(rest_.substr(3, end - 3));
    rest_.remove_prefix(end + 1);
  }
  // The bytes of a \Q…\E, or of all when it does not end.
  std::size_t quoted() const {
    const std::size_t end = rest_.find("\\E", 2);
    return end == std::string_view::npos ? rest_.size() : end + 2;
  }
  void escape() {
    switch (rest_[1]) {
      case 'Q':
        return take(in_set_ ? 2 : quoted());
      case 'h':
        return replace("0-9a-fA-F", "[0-9a-fA-F]");
      case 'H':
        return in_set_ ? take(2) : replace("", "[^0-9a-fA-F]");
      case 'd':
        return replace("\\p{Nd}", "\\p{Nd}");
      case 'D':
        return replace("\\P{Nd}", "\\P{Nd}");
      case 'w':
        return replace("\\p{L}\\p{M}\\p{N}\\p{Pc}", "[\\p{L}\\p{M}\\p{N}\\p{Pc}]");
      case 'W':
        return in_set_ ? take(2) : replace("", "[^\\p{L}\\p{M}\\p{N}\\p{Pc}]");
      case 's':
        return replace("\\s\\v\\x{85}\\p{Z}", "[\\s\\v\\x{85}\\p{Z}]");
      case 'S':
        return in_set_ ? take(2) : replace("", "[^\\s\\v\\x{85}\\p{Z}]");
      case 'Z':
        return replace("Z", "(?:\\n?\\z)");
      default:
        return take(2);
    }
  }
  void open_set() {
    in_set_ = true;
    take(1);
    if (rest_.starts_with('^')) take(1);
    if (rest_.starts_with(']')) {
      out_ += "\\]";
      rest_.remove_prefix(1);
    }
  }
  void set_character(char c) {
    if (rest_.starts_with("[:")) {
      const std::size_t end = rest_.find(":]");
      if (end != std::string_view::npos) return take(end + 2);
    }
    if (c == ']') in_set_ = false;
    take(1);
  }

  std::string_view rest_;
  bool extended_;
  bool in_set_ = false;
  std::string out_;
  std::vector<std::string> names_;
};

}  // namespace

Regex::Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view expression, const RegexFlags& flags) {
  constexpr std::int64_t kMemory = 4 * 1024 * 1024;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!flags.ignore_case);
  options.set_dot_nl(flags.dot_is_any);
  options.set_longest_match(flags.longest);
  options.set_max_mem(kMemory);
  Regex regex;
  const auto repeats = std::count_if(expression.begin(), expression.end(),
                                     [](char c) { return std::string_view("*+?{").contains(c); });
  regex.looks_far_ = repeats > 1 || (repeats > 0 && expression.contains('|'));
  Translation translation(expression, flags.extended);
  regex.re2_ = std::make_unique<re2::RE2>(translation.run(), options);
  if (!regex.re2_->ok())
    return fail(ErrorCode::InvalidArgument, "{} (at offset 0) is not a valid regex: {}", expression,
                regex.re2_->error());
  regex.names_.resize(static_cast<std::size_t>(regex.re2_->NumberOfCapturingGroups()));
  for (const auto& [group, name] : regex.re2_->CapturingGroupNames())
    if (std::size_t place = 0;
        std::from_chars(name.data() + 1, name.data() + name.size(), place).ec == std::errc() &&
        place < translation.names().size())
      regex.names_[static_cast<std::size_t>(group - 1)] = translation.names()[place];
  return regex;
}

bool Regex::find(std::string_view text, std::size_t from, std::vector<Group>& groups) const {
  std::vector<re2::StringPiece> found(names_.size() + 1);
  if (!re2_->Match({text.data(), text.size()}, from, text.size(), re2::RE2::UNANCHORED,
                   found.data(), static_cast<int>(found.size())))
    return false;
  groups.assign(found.size(), {});
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i].data() != nullptr)
      groups[i] = {static_cast<std::size_t>(found[i].data() - text.data()), found[i].size()};
  return true;
}

Result<const Regex*> RegexCache::get(std::string_view expression, const RegexFlags& flags) {
  std::string key(expression);
  for (const bool flag : {flags.ignore_case, flags.extended, flags.dot_is_any, flags.longest})
    key += flag ? '1' : '0';
  const auto known = kept_.find(key);
  if (known != kept_.end()) return &known->second;
  TRY(Regex regex, Regex::compile(expression, flags));
  if (kept_.size() >= kKept) kept_.clear();
  return &kept_.emplace(std::move(key), std::move(regex)).first->second;
}

}  // namespace weft::mapping
