// What a Client may do beside its grants: by its name, and by AccessRules; and its SCRAM passwords.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/identity_test_bench.h"

namespace weft::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string client(std::string_view name, std::string_view spec) {
  return fmt::format("---\napiVersion: weft/v1\nkind: Client\nmetadata: {{name: {}}}\nspec: {}\n",
                     name, spec);
}

std::string rule(std::string_view name, std::string_view of, std::string_view action,
                 std::string_view resource, std::string_view effect) {
  return fmt::format(
      "---\napiVersion: weft/v1\nkind: AccessRule\nmetadata: {{name: {}}}\n"
      "spec: {{client: \"{}\", action: {}, resource: \"{}\", effect: {}}}\n",
      name, of, action, resource, effect);
}

constexpr std::string_view kWriter = "{grants: [{action: stream.write, resource: \"orders.*\"}]}";

class ClientAccess : public IdentityTest {
 protected:
  bool may(std::string_view who, std::string_view action, std::string_view name) {
    const auto principal = identity_->find_client("default", who);
    return Decisions().decide(*principal, action, {"default", "Group", name}).allowed();
  }
  std::string why(std::string_view who, std::string_view action, const ResourceRef& resource) {
    const auto principal = identity_->find_client("default", who);
    const Decisions decisions;
    return decisions.explain(decisions.decide(*principal, action, resource), *principal, action,
                             resource);
  }
};

TEST_F(ClientAccess, HasTheGroupsAndTransactionalIdsOfItsNameWhenItsDocumentsSayNothingOfThem) {
  ASSERT_TRUE(apply(client("shop", kWriter)));

  for (const auto* own : {"shop", "shop-a", "shop.b", "shop_c"}) {
    EXPECT_TRUE(may("shop", "group.use", own)) << own;
    EXPECT_TRUE(may("shop", "group.alter", own)) << own;
    EXPECT_TRUE(may("shop", "transaction.use", own)) << own;
  }
  for (const auto* other : {"shopping", "crm", "sho", ""}) {
    EXPECT_FALSE(may("shop", "group.use", other)) << other;
    EXPECT_FALSE(may("shop", "transaction.use", other)) << other;
  }
}

TEST_F(ClientAccess, HasNoTransactionalIdsByNameWithoutAnythingToWriteTo) {
  ASSERT_TRUE(apply(client("crm", "{grants: [{action: stream.read, resource: \"*\"}]}")));

  EXPECT_TRUE(may("crm", "group.use", "crm"));
  EXPECT_FALSE(may("crm", "transaction.use", "crm"));
}

TEST_F(ClientAccess, HasWhatIsGrantedInsteadOfItsNameOnceAGrantNamesGroups) {
  ASSERT_TRUE(
      apply(client("shop",
                   "{grants: [{action: group.use, resource: reports}, {action: stream.write, "
                   "resource: x}]}")));

  EXPECT_TRUE(may("shop", "group.use", "reports"));
  EXPECT_FALSE(may("shop", "group.use", "shop"));
  EXPECT_TRUE(may("shop", "transaction.use", "shop")) << "of which no grant says anything";
}

TEST_F(ClientAccess, IsToldWhatToGrantOrWhichNamesItHas) {
  ASSERT_TRUE(apply(client("shop", kWriter)));

  EXPECT_THAT(why("shop", "group.use", {"default", "Group", "reports"}),
              HasSubstr("grant it group.use on \"reports\", or take the name \"shop\", or one that "
                        "begins with \"shop-\""));
}

TEST_F(ClientAccess, ARuleGivesAndTakesForOneClientAndForAll) {
  ASSERT_TRUE(apply(client("shop", kWriter) + client("crm", "{}") +
                    rule("r1", "shop", "stream.read", "orders.*", "allow") +
                    rule("r2", "*", "group.use", "shared", "allow") +
                    rule("r3", "*", "stream.write", "orders.closed", "deny")));

  EXPECT_TRUE(may("shop", "stream.read", "orders.a"));
  EXPECT_FALSE(may("crm", "stream.read", "orders.a"));
  EXPECT_TRUE(may("shop", "group.use", "shared"));
  EXPECT_TRUE(may("shop", "group.use", "shop")) << "rules do not take the names away";
  EXPECT_TRUE(may("crm", "group.use", "shared"));
  EXPECT_TRUE(may("shop", "stream.write", "orders.a"));
  EXPECT_FALSE(may("shop", "stream.write", "orders.closed"));
  EXPECT_EQ(why("shop", "stream.write", {"default", "Stream", "orders.closed"}),
            "client:shop may not stream.write Stream orders.closed: AccessRule r3 denies "
            "stream.write on orders.closed");
}

TEST_F(ClientAccess, ARuleHoldsFromTheGenerationThatHasItUntilItIsDeleted) {
  ASSERT_TRUE(apply(client("shop", kWriter)));
  auto key = create();
  ASSERT_TRUE(apply(rule("r1", "shop", "stream.write", "*", "deny")));

  auto denied = identity_->authenticate_api_key(key->key).value();
  EXPECT_FALSE(Decisions().decide(*denied, "stream.write", {"default", "Stream", "orders.a"}));
  ASSERT_TRUE(apply("", {{"default", "AccessRule", "r1"}}));

  auto restored = identity_->authenticate_api_key(key->key).value();
  EXPECT_TRUE(Decisions().decide(*restored, "stream.write", {"default", "Stream", "orders.a"}));
}

TEST_F(ClientAccess, ARuleOfAnUnknownActionIsRefused) {
  auto applied = apply(rule("r1", "shop", "stream.raed", "*", "deny"));

  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message, HasSubstr("did you mean \"stream.read\""));
}

TEST_F(ClientAccess, ACertificateBelongsToTheClientThatNamesIt) {
  ASSERT_TRUE(
      apply(client("shop", "{certificates: [\"CN=shop, O=Acme\\\\, Inc\", \"dns:shop.test\"]}") +
            client("crm", "{certificates: [\"uri:spiffe://acme/crm\"]}")));

  EXPECT_EQ(identity_->authenticate_certificate("CN=shop,O=Acme\\, Inc", {}).value()->id,
            "client:shop");
  EXPECT_EQ(identity_->authenticate_certificate("CN=x", {"dns:y", "dns:shop.test"}).value()->id,
            "client:shop");
  EXPECT_EQ(identity_->authenticate_certificate("CN=x", {"uri:spiffe://acme/crm"}).value()->id,
            "client:crm");
  EXPECT_EQ(
      identity_->authenticate_certificate("CN=x", {"dns:y"}).error().message,
      "no Client names the certificate CN=x, dns:y; put one of these into its `certificates`");
  EXPECT_EQ(identity_->authenticate_certificate("CN=x", {"dns:shop.test", "uri:spiffe://acme/crm"})
                .error()
                .message,
            "the certificate CN=x names several Clients");
}

TEST_F(ClientAccess, TwoClientsCannotNameOneCertificate) {
  auto applied = apply(client("shop", "{certificates: [\"CN=shop,O=Acme\"]}") +
                       client("crm", "{certificates: [\"CN=shop, O=Acme\"]}"));

  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message,
              HasSubstr("the certificate CN=shop,O=Acme is that of client:"));
}

class ScramPasswords : public IdentityTest {
 protected:
  ScramPasswords() { ENSURE(apply(std::string(kShop)).has_value(), "a client"); }

  Result<> set(std::string_view password, std::string of = "shop", std::int32_t iterations = 4096) {
    ScramChange change("default", std::move(of), ScramMechanism::Sha256,
                       scram_keys(ScramMechanism::Sha256, password, "some salt", iterations));
    return run_until_done(identity_->change_scram("user:admin", std::move(change)));
  }
  Result<> remove() {
    ScramChange change("default", "shop", ScramMechanism::Sha256);
    return run_until_done(identity_->change_scram("user:admin", std::move(change)));
  }
  bool is_known(std::string_view user) {
    return identity_->find_scram(ScramMechanism::Sha256, user).principal != nullptr;
  }
};

TEST_F(ScramPasswords, BelongToAClientAndSurviveARestart) {
  ASSERT_TRUE(set("pencil"));

  ASSERT_TRUE(restart());

  auto login = identity_->find_scram(ScramMechanism::Sha256, "shop");
  ASSERT_NE(login.principal, nullptr);
  EXPECT_EQ(login.principal->id, "client:shop");
  EXPECT_EQ(login.keys.iterations, 4096);
  EXPECT_EQ(login.keys.stored_key,
            scram_keys(ScramMechanism::Sha256, "pencil", "some salt", 4096).stored_key);
  EXPECT_EQ(identity_->find_scram(ScramMechanism::Sha512, "shop").principal, nullptr);
}

TEST_F(ScramPasswords, AreReplacedAndTakenAway) {
  ASSERT_TRUE(set("pencil"));
  ASSERT_TRUE(set("chalk", "shop", 5000));
  auto users = identity_->scram_users("default");
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].iterations, 5000);
  EXPECT_EQ(users[0].changed_by, "user:admin");

  ASSERT_TRUE(remove());

  EXPECT_FALSE(is_known("shop"));
  auto again = remove();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::NotFound);
}

TEST_F(ScramPasswords, AreForClientsThatExist) {
  auto set_for_nobody = set("pencil", "nobody");

  ASSERT_FALSE(set_for_nobody);
  EXPECT_EQ(set_for_nobody.error().message, "tenant default has no Client nobody");
}

TEST_F(ScramPasswords, OfAnUnknownUserLookLikeTheOthersAndAreTheSameEachTime) {
  ASSERT_TRUE(set("pencil", "shop", 7000));

  auto once = identity_->find_scram(ScramMechanism::Sha256, "nobody");
  auto again = identity_->find_scram(ScramMechanism::Sha256, "nobody");
  auto other = identity_->find_scram(ScramMechanism::Sha256, "somebody");

  EXPECT_EQ(once.principal, nullptr);
  EXPECT_EQ(once.keys.iterations, 7000);
  EXPECT_EQ(once.keys.salt.size(), std::string("some salt").size());
  EXPECT_EQ(once.keys.salt, again.keys.salt);
  EXPECT_NE(once.keys.salt, other.keys.salt);
  EXPECT_EQ(once.keys.stored_key.size(), 32u);
}

TEST_F(ScramPasswords, AreFollowedOnAnotherNode) {
  ASSERT_TRUE(set("pencil"));
  Unit elsewhere;
  elsewhere.add("DELETE FROM identity_scram");
  ASSERT_TRUE(run_until_done(database_->execute(std::move(elsewhere))));
  EXPECT_TRUE(is_known("shop"));

  ASSERT_TRUE(run_until_done(identity_->follow()));

  EXPECT_FALSE(is_known("shop"));
}

TEST_F(ScramPasswords, LeaveAnEntryInTheAuditTrailWithoutKeys) {
  ASSERT_TRUE(set("pencil"));
  ASSERT_TRUE(remove());

  auto entries = run_until_done(audit_->list(estate::AuditQuery())).value();
  EXPECT_EQ(entries.at(0).event.action, "password.remove");
  EXPECT_EQ(entries.at(1).event.action, "password.set");
  EXPECT_EQ(entries.at(1).event.object, "Client shop");
  EXPECT_EQ(entries.at(1).event.after, "{\"mechanism\":\"SCRAM-SHA-256\",\"iterations\":4096}");
}

}  // namespace
}  // namespace weft::identity
