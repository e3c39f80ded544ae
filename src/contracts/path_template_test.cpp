#include "contracts/path_template.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace weft::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PathTemplate path(std::string_view text) {
  auto parsed = PathTemplate::parse(text);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return *std::move(parsed);
}

std::vector<std::string> captured(std::string_view pattern, std::string_view given) {
  std::array<std::string_view, PathTemplate::kCapturesMax> room;
  const PathTemplate parsed = path(pattern);
  if (!parsed.match(given, room)) return {"no match"};
  return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(parsed.names().size())};
}

TEST(PathTemplate, CapturesWholeSegments) {
  EXPECT_THAT(path("/orders/{id}/lines/{line}").names(), ElementsAre("id", "line"));
  EXPECT_THAT(captured("/orders/{id}/lines/{line}", "/orders/7/lines/a%2Fb"),
              ElementsAre("7", "a%2Fb"));
  EXPECT_THAT(captured("/orders", "/orders"), ElementsAre());
  EXPECT_THAT(captured("/", "/"), ElementsAre());
}

TEST(PathTemplate, CapturesBesideFixedText) {
  EXPECT_THAT(captured("/reports/{name}.csv", "/reports/2026.03.csv"), ElementsAre("2026.03"));
  EXPECT_THAT(captured("/jobs/{id}:cancel", "/jobs/12:cancel"), ElementsAre("12"));
  EXPECT_THAT(captured("/v{n}/x", "/v2/x"), ElementsAre("2"));
}

TEST(PathTemplate, MatchesWholePathsOnly) {
  for (const char* given :
       {"/orders", "/orders/", "/orders/1/", "/orders/1/x", "orders/1", "", "/Orders/1", "//1"})
    EXPECT_THAT(captured("/orders/{id}", given), ElementsAre("no match")) << given;
  EXPECT_THAT(captured("/reports/{name}.csv", "/reports/.csv"), ElementsAre("no match"));
  EXPECT_THAT(captured("/aXa/{x}", "/aXa/"), ElementsAre("no match"));
  EXPECT_THAT(captured("/a{x}a", "/a"), ElementsAre("no match"));
}

TEST(PathTemplate, RefusesWhatItCannotMatch) {
  for (const char* text : {"", "orders", "/orders/{id", "/orders/id}", "/orders/{}", "/{a}{b}",
                           "/{a}/{a}", "/orders?x=1", "/a b", "/{a{b}}"})
    EXPECT_FALSE(PathTemplate::parse(text).has_value()) << text;
}

TEST(PathTemplate, PrefersFixedTextSegmentBySegment) {
  std::vector<PathTemplate> paths;
  for (const char* text : {"/{any}/mine", "/orders/{id}", "/orders/{id}.pdf", "/orders/mine",
                           "/{any}", "/orders/{id}/lines", "/orders"})
    paths.push_back(path(text));

  std::sort(paths.begin(), paths.end(), [](const PathTemplate& a, const PathTemplate& b) {
    return a.is_more_specific_than(b);
  });

  std::vector<std::string> order;
  for (const PathTemplate& p : paths) order.push_back(p.text());
  EXPECT_THAT(order, ElementsAre("/orders/mine", "/orders/{id}.pdf", "/orders/{id}/lines",
                                 "/orders/{id}", "/orders", "/{any}/mine", "/{any}"));
}

TEST(PathTemplate, KnowsTheSameShapeUnderOtherNames) {
  EXPECT_TRUE(path("/a/{x}").has_shape_of(path("/a/{y}")));
  EXPECT_FALSE(path("/a/{x}").has_shape_of(path("/b/{x}")));
  EXPECT_FALSE(path("/a/{x}").has_shape_of(path("/a/{x}/")));
}

}  // namespace
}  // namespace weft::contracts
