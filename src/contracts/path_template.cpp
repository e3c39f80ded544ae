#include "contracts/path_template.h"

#include <algorithm>

namespace weft::contracts {
namespace {

// The next segment, taken off with the slash before it. Requires that the path starts with '/'.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

Result<PathTemplate> PathTemplate::parse(std::string_view text) {
  if (!text.starts_with('/'))
    return fail(ErrorCode::InvalidArgument, "the path '{}' must start with '/'", text);
  if (text.find_first_of("?# \t\r\n") != std::string_view::npos)
    return fail(ErrorCode::InvalidArgument, "the path '{}' must not hold '?', '#' or spaces", text);
  PathTemplate out;
  out.text_ = text;
  for (std::string_view rest = text; !rest.empty();) CHECK(out.add_segment(take_segment(rest)));
  if (out.names_.size() > kCapturesMax)
    return fail(ErrorCode::InvalidArgument, "the path '{}' has more than {} captures", text,
                kCapturesMax);
  return out;
}

Result<> PathTemplate::add_segment(std::string_view segment) {
  const auto wrong = [&](std::string_view problem) {
    return fail(ErrorCode::InvalidArgument, "the path '{}': {}", text_, problem);
  };
  const std::size_t open = segment.find('{');
  const std::size_t close = segment.find('}');
  if (open == std::string_view::npos && close == std::string_view::npos) {
    segments_.push_back({std::string(segment), "", false});
    return {};
  }
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return wrong("'{' and '}' must come in pairs within a segment");
  const std::string_view name = segment.substr(open + 1, close - open - 1);
  const std::string_view suffix = segment.substr(close + 1);
  if (suffix.find_first_of("{}") != std::string_view::npos ||
      name.find('{') != std::string_view::npos)
    return wrong("a segment may have one capture");
  if (name.empty()) return wrong("a capture needs a name");
  if (std::find(names_.begin(), names_.end(), name) != names_.end())
    return wrong(fmt::format("the name '{}' is there twice", name));
  segments_.push_back({std::string(segment.substr(0, open)), std::string(suffix), true});
  names_.emplace_back(name);
  return {};
}

bool PathTemplate::match(std::string_view path, std::span<std::string_view> captures) const {
  std::size_t captured = 0;
  for (const Segment& wanted : segments_) {
    if (!path.starts_with('/')) return false;
    std::string_view segment = take_segment(path);
    if (!wanted.captures) {
      if (segment != wanted.prefix) return false;
      continue;
    }
    if (segment.size() <= wanted.prefix.size() + wanted.suffix.size() ||
        !segment.starts_with(wanted.prefix) || !segment.ends_with(wanted.suffix))
      return false;
    segment.remove_prefix(wanted.prefix.size());
    segment.remove_suffix(wanted.suffix.size());
    captures[captured++] = segment;
  }
  return path.empty();
}

// Below 0 when a is asked first: fixed text, then the longer text around a capture.
int PathTemplate::compare(const Segment& a, const Segment& b) {
  if (a.captures != b.captures) return a.captures ? 1 : -1;
  const std::size_t fixed_a = a.prefix.size() + a.suffix.size();
  const std::size_t fixed_b = b.prefix.size() + b.suffix.size();
  if (a.captures && fixed_a != fixed_b) return fixed_a > fixed_b ? -1 : 1;
  if (const int order = a.prefix.compare(b.prefix); order != 0) return order;
  return a.suffix.compare(b.suffix);
}

bool PathTemplate::is_more_specific_than(const PathTemplate& other) const {
  const std::size_t shared = std::min(segments_.size(), other.segments_.size());
  for (std::size_t i = 0; i < shared; ++i)
    if (const int order = compare(segments_[i], other.segments_[i]); order != 0) return order < 0;
  return segments_.size() > other.segments_.size();
}

bool PathTemplate::has_shape_of(const PathTemplate& other) const {
  return std::equal(segments_.begin(), segments_.end(), other.segments_.begin(),
                    other.segments_.end(),
                    [](const Segment& a, const Segment& b) { return compare(a, b) == 0; });
}

}  // namespace weft::contracts
