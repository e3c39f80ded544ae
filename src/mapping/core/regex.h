// jq's regular expressions: RE2 behind the syntax and flags of Oniguruma. Private to mapping.
//
// Linear time; look-around, back-references and atomic groups do not exist and are refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace weft::mapping {

struct RegexFlags {
  bool global = false;
  bool ignore_case = false;
  bool extended = false;    // spaces and # comments in the expression do not count
  bool dot_is_any = false;  // . matches a newline too
  bool longest = false;
  bool skip_empty = false;
};

class Regex {
 public:
  struct Group {
    std::size_t offset = std::string_view::npos;  // bytes; npos when it did not take part
    std::size_t size = 0;
  };

  static Result<Regex> compile(std::string_view expression, const RegexFlags& flags);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // The first match at or after `from`; group 0 is the whole. False when there is none.
  bool find(std::string_view text, std::size_t from, std::vector<Group>& groups) const;
  // Of the groups from 1 on; empty where there is none.
  const std::vector<std::string>& names() const { return names_; }
  // Whether finding a short match may have looked at all of the text: a?(.*b)? does, \s+ does not.
  bool may_look_far() const { return looks_far_; }

 private:
  Regex();
  std::unique_ptr<re2::RE2> re2_;
  std::vector<std::string> names_;
  bool looks_far_ = false;
};

// Compiled expressions of one runner, the latest ones.
class RegexCache {
 public:
  Result<const Regex*> get(std::string_view expression, const RegexFlags& flags);

 private:
  static constexpr std::size_t kKept = 64;
  std::unordered_map<std::string, Regex> kept_;
};

}  // namespace weft::mapping
