#include "app/settings/roles.h"

#include <gmock/gmock.h>

namespace weft::app {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<Roles> roles_with(const std::string& roles,
                         std::vector<std::string> more = {"state.backend=postgres"}) {
  more.push_back("roles=" + roles);
  auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  auto settings = Settings::load("weft.yaml", "", nothing, more);
  EXPECT_TRUE(settings) << settings.error().message;
  return roles_of(*settings);
}

TEST(Roles, AreAllWhenNothingIsSaid) {
  auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  auto settings = Settings::load("weft.yaml", "", nothing, {});

  EXPECT_TRUE(roles_of(*settings)->is_all());
}

TEST(Roles, AreAListInAnyOrderWithSpaces) {
  auto roles = roles_with("worker, gateway,worker");

  ASSERT_TRUE(roles) << roles.error().message;
  EXPECT_EQ(roles->text(), "gateway, worker");
  EXPECT_FALSE(roles->has(Role::Control));
  EXPECT_FALSE(roles->is_all());
}

TEST(Roles, AreRefusedWhenUnknownOrNone) {
  EXPECT_THAT(roles_with("gatway").error().message,
              HasSubstr("no role 'gatway'; there are gateway, broker, worker, control"));
  EXPECT_THAT(roles_with("").error().message, HasSubstr("at least one"));
}

TEST(Roles, OfANodeThatCouldNeverGetAnEstateAreRefused) {
  EXPECT_THAT(roles_with("gateway", {}).error().message, HasSubstr("could never get an estate"));
  EXPECT_TRUE(roles_with("gateway", {"estate.folder=estate"}));
  EXPECT_TRUE(roles_with("gateway,control", {}));
}

TEST(RoleNote, SaysWhichEventsWaitInVain) {
  EXPECT_THAT(role_note(Roles::all(), 3), IsEmpty());
  EXPECT_THAT(role_note(*roles_with("gateway"), 0), IsEmpty());
  EXPECT_THAT(role_note(*roles_with("gateway"), 2), HasSubstr("reach none of the 2 subscriptions"));
  EXPECT_THAT(role_note(*roles_with("broker,control"), 1), HasSubstr("the 1 subscription of"));
  EXPECT_THAT(role_note(*roles_with("gateway,worker"), 2), IsEmpty());
  EXPECT_THAT(role_note(*roles_with("worker"), 2), HasSubstr("no client can write"));
}

}  // namespace
}  // namespace weft::app
