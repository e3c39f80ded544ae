#include "identity/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "identity/identity_test_bench.h"

namespace weft::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST_F(IdentityTest, MakesAnAdminTokenAtFirstStartThatItsOwnerAloneCanRead) {
  struct stat about {};
  ASSERT_EQ(::stat(folder_.file("admin-token").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder_.file("identity.key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);

  auto admin = identity_->authenticate_api_key(admin_token());

  ASSERT_TRUE(admin);
  EXPECT_EQ((*admin)->id, "user:admin");
  EXPECT_TRUE(Decisions().decide(**admin, "admin.apply", {"acme", "Stream", "x"}));
}

TEST_F(IdentityTest, KeepsTheAdminTokenOverRestarts) {
  auto token = admin_token();

  ASSERT_TRUE(restart());

  EXPECT_EQ(admin_token(), token);
  EXPECT_TRUE(identity_->authenticate_api_key(token));
}

TEST_F(IdentityTest, MakesANewAdminTokenWhenTheOldOneWasRemoved) {
  auto token = admin_token();
  std::filesystem::remove(folder_.file("admin-token"));

  ASSERT_TRUE(restart());

  EXPECT_FALSE(identity_->authenticate_api_key(token));
  EXPECT_TRUE(identity_->authenticate_api_key(admin_token()));
}

TEST_F(IdentityTest, RefusesToStartWithATokenFileThatHoldsNoKey) {
  std::ofstream(folder_.file("admin-token")) << "admin\n";

  auto started = restart();

  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("remove it to have a new one made"));
}

TEST_F(IdentityTest, KnowsAClientByItsKeyWithItsOwnGrantsAndThoseOfItsRoles) {
  ASSERT_TRUE(apply(std::string(kShop)));

  auto made = create();

  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->key, MatchesRegex("weft_[0-9a-f]{16}_[A-Za-z0-9_-]{43}"));
  EXPECT_EQ(made->key.substr(5, 16), made->info.id);
  auto client = identity_->authenticate_api_key(made->key);
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ((*client)->id, "client:shop");
  Decisions decisions;
  EXPECT_TRUE(decisions.decide(**client, "stream.read", {"default", "Stream", "any"}));
  EXPECT_TRUE(decisions.decide(**client, "stream.write", {"default", "Stream", "orders.a"}));
  EXPECT_FALSE(decisions.decide(**client, "stream.write", {"default", "Stream", "crm.a"}));
}

TEST_F(IdentityTest, StoresNeitherKeyNorSecret) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto made = create();
  ASSERT_TRUE(made);
  auto secret = made->key.substr(22);
  auto token_secret = admin_token().substr(22);

  for (const char* name : {"state.db", "state.db-wal", "generation.json", "identity.key"}) {
    EXPECT_THAT(content(name), testing::Not(HasSubstr(secret))) << name;
    EXPECT_THAT(content(name), testing::Not(HasSubstr(token_secret))) << name;
  }
  auto hashes = run_until_done(
      sqlite_->query(Query("SELECT hash FROM identity_api_key WHERE LENGTH(hash) = 32")));
  ASSERT_EQ(hashes->size(), 1u);
  EXPECT_NE(hashes->at(0).blob(0), crypto::sha256(made->key).text());
}

TEST_F(IdentityTest, RefusesEveryKeyThatDiffersInOneCharacter) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto key = create()->key;
  ASSERT_EQ(refusal(key), "accepted");

  for (std::size_t i = 0; i < key.size(); ++i) {
    auto other = key;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_EQ(refusal(other), "the API key is unknown, revoked or wrong") << "character " << i;
  }
  for (auto other : {std::string(), key.substr(1), key + "A", key.substr(0, key.size() - 1),
                     std::string(1'000'000, 'a')}) {
    EXPECT_EQ(refusal(other), "the API key is unknown, revoked or wrong");
  }
}

TEST_F(IdentityTest, TellsAnUnknownKeyNoMoreThanAWrongOne) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto key = create()->key;
  auto wrong = key.substr(0, 22) + make_api_key(random_).substr(22);

  EXPECT_EQ(refusal(wrong), refusal(make_api_key(random_)));
}

TEST_F(IdentityTest, RefusesARevokedKeyAtOnceAndAfterARestart) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto made = create();
  auto other = create();

  ASSERT_TRUE(revoke(made->info.id));

  EXPECT_NE(refusal(made->key), "accepted");
  EXPECT_EQ(refusal(other->key), "accepted");
  ASSERT_TRUE(restart());
  EXPECT_NE(refusal(made->key), "accepted");
  EXPECT_EQ(refusal(other->key), "accepted");
  EXPECT_TRUE(revoke(made->info.id));  // again
  EXPECT_EQ(revoke("0000000000000000").error().code, ErrorCode::NotFound);
  EXPECT_EQ(revoke(other->info.id, "acme").error().code, ErrorCode::NotFound);
}

TEST_F(IdentityTest, RefusesAKeyFromTheMomentItExpires) {
  ASSERT_TRUE(apply(std::string(kShop)));
  ApiKeyRequest request("default", "shop");
  request.expires_at = clock_.now() + 1h;
  auto made = create(request);
  ASSERT_TRUE(made) << made.error().message;

  clock_.now_ms += 3'599'999;
  EXPECT_EQ(refusal(made->key), "accepted");
  clock_.now_ms += 1;
  EXPECT_EQ(refusal(made->key), "the API key has expired");
  ASSERT_TRUE(restart());
  EXPECT_EQ(refusal(made->key), "the API key has expired");
}

TEST_F(IdentityTest, CreatesKeysForExistingClientsOnly) {
  ASSERT_TRUE(apply(std::string(kShop)));
  ApiKeyRequest expired("default", "shop");
  expired.expires_at = clock_.now();

  EXPECT_EQ(create(ApiKeyRequest("default", "nobody")).error().code, ErrorCode::NotFound);
  EXPECT_EQ(create(ApiKeyRequest("acme", "shop")).error().code, ErrorCode::NotFound);
  EXPECT_EQ(create(expired).error().code, ErrorCode::InvalidArgument);
}

TEST_F(IdentityTest, RefusesTheKeysOfAClientThatWasDeletedUntilItIsBack) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto key = create()->key;

  ASSERT_TRUE(apply("", {{"default", "Client", "shop"}}));
  EXPECT_NE(refusal(key), "accepted");

  ASSERT_TRUE(run_until_done(estate_->rollback("user:admin", 1)));
  EXPECT_EQ(refusal(key), "accepted");
}

TEST_F(IdentityTest, ChangesGrantsWithTheNextGeneration) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto key = create()->key;
  auto before = *identity_->authenticate_api_key(key);

  ASSERT_TRUE(apply("apiVersion: weft/v1\nkind: Client\nmetadata: {name: shop}\nspec: {}\n"));

  ResourceRef orders{"default", "Stream", "orders.a"};
  auto after = *identity_->authenticate_api_key(key);
  EXPECT_TRUE(Decisions().decide(*before, "stream.write", orders));
  EXPECT_FALSE(Decisions().decide(*after, "stream.write", orders));
}

TEST_F(IdentityTest, ListsKeysWithTheDayOfTheirLastUse) {
  ASSERT_TRUE(apply(std::string(kShop)));
  ApiKeyRequest request("default", "shop");
  request.description = "checkout";
  auto made = create(request);
  clock_.now_ms += 86'400'000;
  auto unused = create();

  ASSERT_TRUE(identity_->authenticate_api_key(made->key));

  auto keys = list("shop");
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].id, unused->info.id);
  EXPECT_EQ(keys[0].last_used, std::nullopt);
  EXPECT_EQ(keys[1].description, "checkout");
  EXPECT_EQ(keys[1].created_by, "user:admin");
  auto day = std::chrono::floor<std::chrono::days>(clock_.now());
  EXPECT_EQ(keys[1].last_used, day);
  EXPECT_EQ(run_until_done(identity_->store_last_used()).value(), 1u);
  EXPECT_EQ(run_until_done(identity_->store_last_used()).value(), 0u);
  ASSERT_TRUE(restart());
  EXPECT_EQ(list()[1].last_used, day);
  EXPECT_TRUE(list("nobody").empty());
}

TEST_F(IdentityTest, WritesCreationAndRevocationIntoTheAuditTrail) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto made = create();
  ASSERT_TRUE(revoke(made->info.id));

  estate::AuditQuery query;
  query.object = "ApiKey " + made->info.id;
  auto entries = run_until_done(audit_->list(query)).value();

  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event.action, "key.revoke");
  EXPECT_EQ(entries[1].event.action, "key.create");
  EXPECT_THAT(*entries[1].event.after, testing::Not(HasSubstr(made->key.substr(22))));
  EXPECT_TRUE(run_until_done(estate_->verify_audit())->intact);
}

TEST_F(IdentityTest, CreatesNoKeyThatCouldNotBeStored) {
  ASSERT_TRUE(apply(std::string(kShop)));
  database_->breaks_unit_ends = true;

  auto failed = create();

  database_->breaks_unit_ends = false;
  EXPECT_FALSE(failed);
  EXPECT_TRUE(list().empty());
}

TEST_F(IdentityTest, TakesKeysThatADocumentDeclaresByReference) {
  variables_["SHOP_KEY"] = make_api_key(random_);

  auto applied = apply(declared("shop", "SHOP_KEY"));

  ASSERT_TRUE(applied) << applied.error().message;
  auto client = identity_->authenticate_api_key(variables_["SHOP_KEY"]);
  ASSERT_TRUE(client);
  EXPECT_EQ((*client)->id, "client:shop");
  for (const char* name : {"state.db-wal", "generation.json"}) {
    EXPECT_THAT(content(name), HasSubstr("${env:SHOP_KEY}")) << name;
    EXPECT_THAT(content(name), testing::Not(HasSubstr(variables_["SHOP_KEY"].substr(22)))) << name;
  }
}

TEST_F(IdentityTest, RefusesDeclaredKeysThatAreMissingWeakOrTaken) {
  variables_["WEAK"] = "swordfish";
  variables_["ONE"] = make_api_key(random_);

  auto missing = apply(declared("shop", "NOTHING"));
  auto weak = apply(declared("shop", "WEAK"));
  auto taken = apply(declared("shop", "ONE") + declared("crm", "ONE"));

  EXPECT_THAT(missing.error().message, HasSubstr("Client shop: the environment variable NOTHING"));
  EXPECT_THAT(weak.error().message, HasSubstr("the value of ${env:WEAK} is no API key"));
  EXPECT_THAT(weak.error().message, testing::Not(HasSubstr("swordfish")));
  EXPECT_THAT(taken.error().message, HasSubstr("declared twice"));
  EXPECT_EQ(estate_->current()->generation(), 0u);
}

TEST_F(IdentityTest, RefusesToStartWithAnotherPepperWhileKeysExist) {
  std::filesystem::remove(folder_.file("identity.key"));
  ASSERT_TRUE(restart());  // no keys yet: a new pepper is fine
  ASSERT_TRUE(apply(std::string(kShop)));
  ASSERT_TRUE(create());
  std::filesystem::remove(folder_.file("identity.key"));

  auto started = restart();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(started.error().message, HasSubstr("identity.key is not the file"));
}

TEST_F(IdentityTest, WorksWithoutTheDatabaseForTheAdminAndDeclaredKeys) {
  variables_["CRM_KEY"] = make_api_key(random_);
  ASSERT_TRUE(apply(std::string(kShop) + declared("crm", "CRM_KEY")));
  auto stored = create()->key;

  ASSERT_TRUE(restart(true));

  EXPECT_EQ(refusal(admin_token()), "accepted");
  EXPECT_EQ(refusal(variables_["CRM_KEY"]), "accepted");
  EXPECT_NE(refusal(stored), "accepted");
}

TEST_F(IdentityTest, KnowsTheKeysOfASharedDatabaseAlsoWhenItStartsWithoutIt) {
  is_shared_ = true;
  ASSERT_TRUE(restart());
  ASSERT_TRUE(apply(std::string(kShop)));
  auto made = create();
  auto revoked = create();
  ASSERT_TRUE(revoke(revoked->info.id));

  ASSERT_TRUE(restart(true));

  EXPECT_EQ(refusal(made->key), "accepted");
  EXPECT_NE(refusal(revoked->key), "accepted");
  struct stat info {};
  ASSERT_EQ(::stat(folder_.file("api-keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(IdentityTest, UsesNoDamagedCopyOfTheKeys) {
  is_shared_ = true;
  ASSERT_TRUE(restart());
  ASSERT_TRUE(apply(std::string(kShop)));
  auto made = create();
  auto copy = content("api-keys");
  copy[copy.find('\t') + 1] ^= 1;
  std::ofstream(folder_.file("api-keys")) << copy;

  ASSERT_TRUE(restart(true));

  EXPECT_NE(refusal(made->key), "accepted");
  EXPECT_EQ(refusal(admin_token()), "accepted");
}

TEST_F(IdentityTest, FollowsTheKeysThatAnotherNodeCreatesAndRevokes) {
  is_shared_ = true;
  ASSERT_TRUE(restart());
  ASSERT_TRUE(apply(std::string(kShop)));
  estate::AuditLog their_audit(*sqlite_, clock_);
  Identity other(IdentityParts{*sqlite_, their_audit, files_, clock_, random_, secrets_,
                               folder_.path(), true});
  ASSERT_TRUE(run_until_done(other.start()));
  auto made = create();
  auto gone = create();

  ASSERT_TRUE(run_until_done(other.follow()));
  auto view = estate_->current();
  other.publish(1, other.compile(*view).value());

  EXPECT_TRUE(other.authenticate_api_key(made->key));
  ASSERT_TRUE(revoke(gone->info.id));
  ASSERT_TRUE(run_until_done(other.follow()));
  EXPECT_FALSE(other.authenticate_api_key(gone->key));
}

TEST_F(IdentityTest, KeepsAFollowedKeyOnDiskAlsoWhenTheDatabaseGoesAwayRightBehindIt) {
  is_shared_ = true;
  ASSERT_TRUE(restart());
  ASSERT_TRUE(apply(std::string(kShop)));
  TemporaryFolder theirs;
  std::filesystem::copy_file(folder_.file("identity.key"), theirs.file("identity.key"));
  estate::AuditLog their_audit(*sqlite_, clock_);
  Identity other(
      IdentityParts{*sqlite_, their_audit, files_, clock_, random_, secrets_, theirs.path(), true});
  ASSERT_TRUE(run_until_done(other.start()));
  other.publish(1, other.compile(*estate_->current()).value());
  ApiKeyRequest request("default", "shop");
  auto made = run_until_done(other.create_api_key("user:admin", request));
  ASSERT_TRUE(made);

  database_->calls_until_away = 1;
  EXPECT_FALSE(run_until_done(identity_->follow()));
  ASSERT_EQ(refusal(made->key), "accepted");
  ASSERT_TRUE(restart(true));

  EXPECT_EQ(refusal(made->key), "accepted");
}

TEST_F(IdentityTest, RefusesAnotherPepperThanThatOfTheOtherNodes) {
  is_shared_ = true;
  ASSERT_TRUE(restart());
  std::filesystem::remove(folder_.file("identity.key"));
  std::filesystem::remove(folder_.file("admin-token"));

  auto started = restart();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(started.error().message, HasSubstr("copy the file from one of them"));
}

TEST_F(IdentityTest, RefusesGrantsOfActionsThatNobodyKnows) {
  auto refused = apply(
      "apiVersion: weft/v1\nkind: Client\nmetadata: {name: shop}\n"
      "spec: {grants: [{action: stream.raed, resource: x}]}\n");

  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("clients.yaml:4:26: unknown action \"stream.raed\"; did you mean "
                        "\"stream.read\"?"));
}

TEST_F(IdentityTest, RefusesRolesThatDoNotExist) {
  auto refused = apply(
      "apiVersion: weft/v1\nkind: Client\nmetadata: {name: shop}\n"
      "spec: {roles: [reader]}\n");

  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("clients.yaml:4:16: Role reader does not exist"));
}

TEST_F(IdentityTest, RefusesResourcesOfATenantThatIsNotDeclared) {
  std::string tenant = "apiVersion: weft/v1\nkind: Tenant\nmetadata: {name: acme}\n---\n";
  std::string client = "apiVersion: weft/v1\nkind: Client\nmetadata: {name: shop, tenant: acme}\n";

  auto refused = apply(client);
  auto accepted = apply(tenant + client);
  auto in_use = apply("", {{"default", "Tenant", "acme"}});

  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("clients.yaml:3:32: there is no Tenant acme"));
  EXPECT_TRUE(accepted) << accepted.error().message;
  EXPECT_FALSE(in_use);
  auto key = create(ApiKeyRequest("acme", "shop"));
  EXPECT_EQ((*identity_->authenticate_api_key(key->key))->id, "client:shop@acme");
}

TEST_F(IdentityTest, AuthenticatesWhileKeysAndGenerationsChange) {
  ASSERT_TRUE(apply(std::string(kShop)));
  auto key = create()->key;
  std::atomic<bool> done{false};
  std::atomic<int> refusals{0};
  std::atomic<int> calls{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        auto answer = identity_->authenticate_api_key(key);
        if (!answer || (*answer)->id != "client:shop") ++refusals;
        ++calls;
      }
    });
  }

  for (int i = 0; i < 10; ++i) {
    auto other = create();
    ASSERT_TRUE(
        apply(fmt::format("apiVersion: weft/v1\nkind: Client\nmetadata: {{name: c{}}}\n", i)));
    ASSERT_TRUE(revoke(other->info.id));
  }
  done = true;
  threads.clear();

  EXPECT_EQ(refusals, 0);
  EXPECT_GT(calls, 0);
}

TEST_F(IdentityTest, KnowsTheMarkOfANodeWithTheSameKey) {
  EXPECT_TRUE(identity_->is_signed_by_node("a", identity_->sign_for_nodes("a")));
  EXPECT_FALSE(identity_->is_signed_by_node("b", identity_->sign_for_nodes("a")));
}

TEST(Kinds, HaveSchemasThatAreJson) {
  for (const auto& kind : identity_kinds()) {
    auto schema = JsonDocument::parse(kind.schema);
    ASSERT_TRUE(schema) << kind.name << ": " << schema.error().message;
    EXPECT_EQ(schema->root().find("type")->as_string(), "object");
  }
}

}  // namespace
}  // namespace weft::identity
