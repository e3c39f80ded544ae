// OpenAPI path templates: "/orders/{id}/lines/{line}". A capture fills one segment, or the rest of
// one beside fixed text ("/reports/{name}.csv", "/jobs/{id}:cancel"), and is never empty. Paths are
// compared as sent, still percent-encoded; decode captures before use. Immutable; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::contracts {

class PathTemplate {
 public:
  static constexpr std::size_t kCapturesMax = 16;

  static Result<PathTemplate> parse(std::string_view text);

  const std::string& text() const { return text_; }
  const std::vector<std::string>& names() const { return names_; }  // of the captures, in order

  // Whether the path (without query) fits; then captures[i] is the part for names()[i], a view into
  // the path. Requires room for all names. Allocates nothing.
  bool match(std::string_view path, std::span<std::string_view> captures) const;

  // The order in which a router asks: fixed text before captures, segment by segment (OpenAPI 3.1
  // section 4.8.8.2), so that /orders/mine wins over /orders/{id}.
  bool is_more_specific_than(const PathTemplate& other) const;
  // Whether both match exactly the same paths: equal but for the captures' names.
  bool has_shape_of(const PathTemplate& other) const;

 private:
  struct Segment {
    std::string prefix;  // the whole segment when it captures nothing
    std::string suffix;
    bool captures = false;
  };

  Result<> add_segment(std::string_view segment);
  static int compare(const Segment& a, const Segment& b);

  std::string text_;
  std::vector<Segment> segments_;
  std::vector<std::string> names_;
};

}  // namespace weft::contracts
