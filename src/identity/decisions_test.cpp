#include "identity/decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::identity {
namespace {

Principal shop() {
  return make_principal(
      PrincipalType::Client, "shop", "default",
      {{"stream.read", "orders.*", "Client shop"}, {"stream.*", "carts", "Role editor"}});
}

bool may(const Principal& principal, std::string_view action, std::string_view name,
         std::string_view tenant = "default") {
  ResourceRef resource{tenant, "Stream", name};
  return Decisions().decide(principal, action, resource).allowed();
}

TEST(Decisions, AreNoUnlessAGrantSaysYes) {
  EXPECT_TRUE(may(shop(), "stream.read", "orders.order.created.v1"));
  EXPECT_TRUE(may(shop(), "stream.write", "carts"));
  EXPECT_FALSE(may(shop(), "stream.write", "orders.order.created.v1"));
  EXPECT_FALSE(may(shop(), "stream.read", "orders"));
  EXPECT_FALSE(may(shop(), "admin.apply", "carts"));
  EXPECT_FALSE(may(make_principal(PrincipalType::User, "ann", "default"), "stream.read", "carts"));
}

TEST(Decisions, KeepAPrincipalInItsTenant) {
  auto everything = make_principal(PrincipalType::Client, "shop", "default", {{"*", "*", "x"}});
  auto everywhere = everything;
  everywhere.scope = TenantScope::All;

  EXPECT_TRUE(may(everything, "stream.read", "x"));
  EXPECT_FALSE(may(everything, "stream.read", "x", "acme"));
  EXPECT_TRUE(may(everywhere, "stream.read", "x", "acme"));
}

TEST(Decisions, SayWhy) {
  Decisions decisions;
  auto principal = shop();
  auto explained = [&](std::string_view action, ResourceRef resource) {
    auto decision = decisions.decide(principal, action, resource);
    return decisions.explain(decision, principal, action, resource);
  };

  EXPECT_EQ(explained("stream.write", {"default", "Stream", "carts"}),
            "client:shop may stream.write Stream carts: Role editor grants stream.* on carts");
  EXPECT_EQ(explained("route.call", {"default", "Route", "carts"}),
            "client:shop may not route.call Route carts: none of its 2 grants covers that");
  EXPECT_EQ(
      explained("stream.read", {"acme", "Stream", "carts"}),
      "client:shop may not stream.read Stream carts: it belongs to tenant acme, the principal "
      "to default");
}

TEST(Principal, IsNamedByTypeNameAndTenant) {
  EXPECT_EQ(make_principal(PrincipalType::Client, "shop", "default").id, "client:shop");
  EXPECT_EQ(make_principal(PrincipalType::User, "ann", "acme").id, "user:ann@acme");
  EXPECT_EQ(make_principal(PrincipalType::Service, "delivery", "default").id, "service:delivery");
}

TEST(MatchesPattern, TakesAStarForAnyRunOfCharacters) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*", "anything"));
  EXPECT_TRUE(matches_pattern("a*c", "ac"));
  EXPECT_TRUE(matches_pattern("a*c", "abcbc"));
  EXPECT_TRUE(matches_pattern("*.v1", "orders.created.v1"));
  EXPECT_TRUE(matches_pattern("o*.c*.v1", "orders.created.v1"));
  EXPECT_TRUE(matches_pattern("a**", "a"));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_FALSE(matches_pattern("a*c", "ab"));
  EXPECT_FALSE(matches_pattern("orders.*", "orders"));
  EXPECT_FALSE(matches_pattern("orders", "orders.created"));
  EXPECT_FALSE(matches_pattern("A", "a"));
}

TEST(MatchesPattern, TakesNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";

  EXPECT_FALSE(matches_pattern(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace weft::identity
