// Whose documents a caller of the estate's routes may see and change.
#include "app/api/estate_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estate/estate_fixture.h"
#include "http/test_exchange.h"

namespace weft::app {
namespace {

using estate::stream_yaml;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kOfAcme = "owner: shop\n  tenant: acme";
constexpr std::string_view kOfBlue = "owner: shop\n  tenant: blue";

identity::PrincipalRef admin() {
  return std::make_shared<const identity::Principal>(
      identity::make_principal(identity::PrincipalType::User, "admin", "default",
                               {{"*", "*", "test"}}, identity::TenantScope::All));
}

identity::PrincipalRef client_of(std::string tenant) {
  return std::make_shared<const identity::Principal>(identity::make_principal(
      identity::PrincipalType::Client, "ops", std::move(tenant), {{"admin.*", "*", "test"}}));
}

class EstateRoutes : public testing::Test {
 protected:
  // The status, and the body or the message of what failed.
  struct Answered {
    int status = 0;
    std::string text;
  };

  Answered call(identity::PrincipalRef principal, std::string operation, std::string body = "",
                std::vector<std::string> captures = {}, std::string query = "") {
    http::TestExchange exchange("POST", "/", {});
    ApiCall made(exchange);
    made.principal = std::move(principal);
    made.body = body;
    made.captures = std::move(captures);
    made.query = http::parse_query(query);
    for (const auto& route : estate_routes(parts)) {
      if (route.operation != operation) continue;
      auto answer = run_until_done(route.handler(made));
      if (!answer) return {http_status(answer.error().code), answer.error().message};
      return {answer->status, answer->body};
    }
    return {};
  }
  std::string owner_of(std::string tenant, std::string name) {
    const auto* found = world.estate->current()->find(tenant, "Stream", name);
    return found == nullptr ? "" : found->owner();
  }

  estate::EstateWorld world;
  int reconciled = 0;
  EstateRoutesParts parts{*world.estate, *world.audit, [this] { return reconcile(); }};

  std::string warning;
  Task<std::string> reconcile() {
    ++reconciled;
    co_return warning;
  }
};

TEST_F(EstateRoutes, RefuseADocumentOfAnotherTenantAndNameIt) {
  auto documents = stream_yaml("mine", 1, kOfAcme) + stream_yaml("theirs", 1, kOfBlue);

  for (const auto* operation : {"planChange", "applyChange"}) {
    auto refused = call(client_of("acme"), operation, documents);

    EXPECT_EQ(refused.status, 403) << operation;
    EXPECT_THAT(refused.text, AllOf(HasSubstr("Stream theirs is of tenant blue"),
                                    HasSubstr("client:ops@acme acts in tenant acme only")));
  }
  EXPECT_EQ(world.estate->current()->generation(), 0u);
}

TEST_F(EstateRoutes, TakeADocumentThatNamesNoTenantForOneOfTheDefaultTenant) {
  EXPECT_EQ(call(client_of("acme"), "applyChange", stream_yaml("a")).status, 403);
  EXPECT_EQ(call(client_of("default"), "applyChange", stream_yaml("a")).status, 200);
}

TEST_F(EstateRoutes, LetAClientChangeItsOwnTenantAndTheAdminAnyTenant) {
  EXPECT_EQ(call(client_of("acme"), "applyChange", stream_yaml("a", 1, kOfAcme)).status, 200);
  EXPECT_EQ(call(admin(), "applyChange",
                 stream_yaml("b", 1, kOfBlue) + stream_yaml("a", 1, "owner: x\n  tenant: acme"))
                .status,
            200);
  EXPECT_EQ(owner_of("acme", "a"), "x");
  EXPECT_EQ(owner_of("blue", "b"), "shop");
}

TEST_F(EstateRoutes, PruneTheCallersTenantAlone) {
  ASSERT_EQ(call(admin(), "applyChange",
                 stream_yaml("b", 1, kOfBlue) + stream_yaml("old", 1, kOfAcme), {}, "prune=true")
                .status,
            200);

  auto planned =
      call(client_of("acme"), "planChange", stream_yaml("a", 1, kOfAcme), {}, "prune=true");
  auto applied =
      call(client_of("acme"), "applyChange", stream_yaml("a", 1, kOfAcme), {}, "prune=true");

  EXPECT_EQ(planned.status, 200) << planned.text;
  EXPECT_EQ(applied.status, 200) << applied.text;
  EXPECT_EQ(owner_of("blue", "b"), "shop");
  EXPECT_EQ(owner_of("acme", "old"), "") << "it is gone";
}

TEST_F(EstateRoutes, RollBackTheCallersTenantAlone) {
  ASSERT_EQ(
      call(admin(), "applyChange", stream_yaml("a", 1, kOfAcme) + stream_yaml("b", 1, kOfBlue))
          .status,
      200);
  ASSERT_EQ(call(admin(), "applyChange",
                 stream_yaml("a", 1, "owner: new\n  tenant: acme") +
                     stream_yaml("b", 1, "owner: new\n  tenant: blue"))
                .status,
            200);

  auto planned = call(client_of("acme"), "rollbackGeneration", "", {"1"}, "dryRun=true");
  auto done = call(client_of("acme"), "rollbackGeneration", "", {"1"});

  EXPECT_THAT(planned.text, AllOf(HasSubstr("acme"), Not(HasSubstr("blue"))));
  ASSERT_EQ(done.status, 200) << done.text;
  EXPECT_EQ(owner_of("acme", "a"), "shop");
  EXPECT_EQ(owner_of("blue", "b"), "new");
}

TEST_F(EstateRoutes, TellOfWhatCouldNotFollowAfterAnApplyAndARollback) {
  warning = "the stream a could not be created";

  auto applied = call(admin(), "applyChange", stream_yaml("a"));
  auto back = call(admin(), "rollbackGeneration", "", {"0"});

  EXPECT_THAT(applied.text, HasSubstr(warning));
  EXPECT_THAT(back.text, AllOf(HasSubstr(R"("severity":"warning")"), HasSubstr(warning)));
  EXPECT_EQ(reconciled, 2);
}

TEST_F(EstateRoutes, ShowOfTheGenerationsThoseOfTheCallersTenant) {
  ASSERT_EQ(call(admin(), "applyChange", stream_yaml("b", 1, kOfBlue)).status, 200);
  ASSERT_EQ(call(admin(), "applyChange",
                 stream_yaml("a", 1, kOfAcme) + stream_yaml("c", 1, kOfBlue) +
                     stream_yaml("d", 1, kOfBlue))
                .status,
            200);

  auto listed = call(client_of("acme"), "listGenerations");
  auto shown = call(client_of("acme"), "getGeneration", "", {"2"});
  auto hidden = call(client_of("acme"), "getGeneration", "", {"1"});

  EXPECT_THAT(listed.text, AllOf(HasSubstr(R"("number":2)"), Not(HasSubstr(R"("number":1)")),
                                 HasSubstr(R"("create":1,"update":0,"delete":0)")));
  EXPECT_THAT(shown.text, AllOf(HasSubstr(R"("name":"a")"), Not(HasSubstr("blue"))));
  EXPECT_EQ(hidden.status, 404);
  EXPECT_THAT(call(admin(), "listGenerations").text, HasSubstr(R"("create":3)"));
  EXPECT_THAT(call(admin(), "getGeneration", "", {"1"}).text, HasSubstr("blue"));
}

}  // namespace
}  // namespace weft::app
