#include "gateway/core/router.h"

#include <gtest/gtest.h>

namespace weft::gateway {
namespace {

using Outcome = RouteMatch::Outcome;

Router orders() {
  return Router::compile({
                             {"", "GET", "/orders", 1},
                             {"", "POST", "/orders", 2},
                             {"", "GET", "/orders/{id}", 3},
                             {"", "GET", "/orders/open", 4},
                             {"", "GET", "/orders/{id}/lines/{line}", 5},
                             {"", "*", "/files/*", 6},
                             {"", "DELETE", "/orders/{id}", 7},
                             {"shop.example", "GET", "/orders", 8},
                             {"*.example", "GET", "/orders", 9},
                             {"*.eu.example", "GET", "/orders", 10},
                             {"", "GET", "/", 11},
                         })
      .value();
}

struct Case {
  const char* host;
  const char* method;
  const char* path;
  Outcome outcome;
  std::size_t route;
};

TEST(Router, TakesTheMostExactRoute) {
  auto router = orders();
  const std::vector<Case> cases{
      {"a", "GET", "/orders", Outcome::Found, 1},
      {"a", "POST", "/orders", Outcome::Found, 2},
      {"a", "GET", "/orders/7", Outcome::Found, 3},
      {"a", "GET", "/orders/open", Outcome::Found, 4},
      {"a", "DELETE", "/orders/open", Outcome::Found, 7},
      {"a", "GET", "/orders/7/lines/2", Outcome::Found, 5},
      {"a", "GET", "/orders/open/lines/2", Outcome::Found, 5},
      {"a", "PATCH", "/files/a/b//c", Outcome::Found, 6},
      {"a", "GET", "/", Outcome::Found, 11},
      {"a", "HEAD", "/orders", Outcome::Found, 1},
      {"a", "GET", "/orders/", Outcome::NoPath, 0},
      {"a", "GET", "/Orders", Outcome::NoPath, 0},
      {"a", "GET", "/orders/7/lines", Outcome::NoPath, 0},
      {"a", "PUT", "/orders", Outcome::NoMethod, 0},
      {"shop.example", "GET", "/orders", Outcome::Found, 8},
      {"SHOP.example:8000", "GET", "/orders", Outcome::Found, 8},
      {"shop.example.", "GET", "/orders", Outcome::Found, 8},
      {"x.example", "GET", "/orders", Outcome::Found, 9},
      {"x.eu.example", "GET", "/orders", Outcome::Found, 10},
      {"example", "GET", "/orders", Outcome::Found, 1},
      {"[::1]:8000", "GET", "/orders", Outcome::Found, 1},
      {"shop.example", "GET", "/files/x", Outcome::NoPath, 0},
  };
  for (const auto& c : cases) {
    auto match = router.match(c.host, c.method, c.path);
    EXPECT_EQ(match.outcome, c.outcome) << c.host << ' ' << c.method << ' ' << c.path;
    EXPECT_EQ(match.route, c.route) << c.host << ' ' << c.method << ' ' << c.path;
  }
}

TEST(Router, GivesParametersAsSent) {
  auto router = orders();

  auto match = router.match("a", "GET", "/orders/a%2Fb/lines/2");
  auto rest = router.match("a", "GET", "/files/x/y");

  ASSERT_EQ(match.parameter_count, 2u);
  EXPECT_EQ(match.parameters[0], "a%2Fb");
  EXPECT_EQ(match.parameters[1], "2");
  ASSERT_EQ(rest.parameter_count, 1u);
  EXPECT_EQ(rest.parameters[0], "x/y");
}

TEST(Router, NamesTheMethodsOfAPath) {
  EXPECT_EQ(orders().match("a", "PUT", "/orders").allow, "GET, POST");
}

TEST(Router, RefusesPathsThatAnUpstreamWouldResolve) {
  auto router = orders();
  for (const char* path : {"/files/../orders", "/files/./x", "/files/%2e%2E/x", "/files/.%2e",
                           "/..", "/files/a\\..\\b", "orders"}) {
    EXPECT_EQ(router.match("a", "GET", path).outcome, Outcome::BadPath) << path;
  }
  for (const char* path : {"/files/...", "/files/.a", "/files/a..", "/files/%2e%2e%2e"}) {
    EXPECT_EQ(router.match("a", "GET", path).outcome, Outcome::Found) << path;
  }
}

TEST(Router, RefusesClashesAndTemplatesItCannotRead) {
  using Specs = std::vector<RouteSpec>;
  auto clash = Router::compile(Specs{{"", "GET", "/a/{x}", 1}, {"", "GET", "/a/{y}", 2}});
  EXPECT_EQ(clash.error().code, ErrorCode::AlreadyExists);
  for (const char* path : {"", "a", "/a/*/b", "/a{x}", "/{x", "/../a"}) {
    EXPECT_EQ(Router::compile(Specs{{"", "GET", path, 1}}).error().code, ErrorCode::InvalidArgument)
        << path;
  }
}

}  // namespace
}  // namespace weft::gateway
