// Who is let in at the admin API, and how far.
#include "app/api/admin_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/api/node_signature.h"
#include "estate/view.h"
#include "http/test_exchange.h"
#include "runtime/metrics.h"
#include "runtime/run_until_done.h"
#include "storage/sqlite_database.h"
#include "storage/temporary_folder.h"

namespace weft::app {
namespace {

using testing::HasSubstr;

class NoSpans final : public SpanSink {
 public:
  void record(Span) override {}
};

// A client "ops" in each of the tenants "default" and "acme", and two routes: what is the caller's
// own, and what all tenants share.
class AdminApiTest : public testing::Test {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  AdminApiTest() {
    SqliteOptions options(folder.file("state.db"));
    database = run_until_done(SqliteDatabase::open(files, metrics, options)).value();
    auto migrations = identity::Identity::migrations();
    migrations.push_back(estate::AuditLog::migration());
    ENSURE(run_until_done(database->migrate(migrations, clock.now())).has_value(), "migrated");
    audit = std::make_unique<estate::AuditLog>(*database, clock);
    keys = std::make_unique<identity::Identity>(
        identity::IdentityParts{*database, *audit, files, clock, random, secrets, folder.path()});
    ENSURE(run_until_done(keys->start()).has_value(), "identity starts");
    estate::ViewBuilder view;
    for (const auto* tenant : {"default", "acme"}) view.put({client_of(tenant), "api", 1});
    keys->publish(1, keys->compile(std::move(view).build(1)).value());
    api = std::make_unique<AdminApi>(AdminApiParts{*keys, clock, random, spans}, routes(),
                                     StaticFiles());
  }

  static estate::ResourcePtr client_of(std::string_view tenant) {
    return estate::Resource::from_text(
               fmt::format(R"({{"apiVersion":"weft/v1","kind":"Client","metadata":{{"name":"ops",)"
                           R"("tenant":"{}"}},"spec":{{"grants":[{{"action":"admin.*",)"
                           R"("resource":"*"}}]}}}})",
                           tenant))
        .value();
  }
  static Task<Result<http::Response>> who_am_i(ApiCall& call) {
    co_return http::Response(200, "text/plain", call.principal->id);
  }
  static Task<Result<http::Response>> who_asks(ApiCall& call) {
    co_return http::Response(200, "text/plain", call.from_node ? "a node" : "a caller");
  }
  // As another node with the same identity.key signs.
  std::pair<int, std::string> ask_as_node(std::string path, std::string_view signed_path,
                                          Duration late = 0s) {
    auto authorization = node_authorization(*keys, signed_path, clock.now() - late);
    return send("GET", std::move(path), {{"Authorization", std::move(authorization)}});
  }
  std::vector<ApiRoute> routes() {
    using identity::action::kAdminRead;
    return {{"GET", "/mine", "getMine", kAdminRead, who_am_i},
            {"GET", "/shared", "getShared", kAdminRead, who_am_i, Reach::Node},
            {"GET", "/logs", "listLogs", kAdminRead, [](ApiCall& call) { return who_asks(call); },
             Reach::Node},
            {"GET", "/tail", "tail", kAdminRead, [this](ApiCall& call) {
               tailing(call);
               return who_am_i(call);
             }}};
  }

  identity::NewApiKey create_key(std::string tenant) {
    identity::ApiKeyRequest request(std::move(tenant), "ops");
    return run_until_done(keys->create_api_key("user:admin", std::move(request))).value();
  }
  void revoke(const identity::NewApiKey& key) {
    auto revoked = run_until_done(keys->revoke_api_key("user:admin", key.info.tenant, key.info.id));
    ENSURE(revoked.has_value(), "the key is revoked");
  }
  std::string admin_token() {
    std::string token;
    std::ifstream(keys->admin_token_path()) >> token;
    return token;
  }
  std::pair<int, std::string> send(std::string method, std::string path, Fields fields,
                                   std::string body = "") {
    http::TestExchange exchange(std::move(method), "/api/v1" + path, std::move(fields),
                                std::move(body));
    run_until_done(handled(exchange));
    answer_fields = exchange.answer_fields;
    return {exchange.status, exchange.sent};
  }
  int get(std::string path, const std::string& key) {
    return send("GET", std::move(path), {{"Authorization", "Bearer " + key}}).first;
  }
  // The cookie of a new browser session.
  std::string sign_in(const std::string& key) {
    auto [status, body] = send("POST", "/session", {}, R"({"token": ")" + key + R"("})");
    ENSURE(status == 201, body.c_str());
    for (const auto& [name, value] : answer_fields) {
      if (name == "Set-Cookie") return value.substr(0, value.find(';'));
    }
    return "";
  }

  TemporaryFolder folder;
  SystemClock clock;
  SystemRandom random;
  PosixFileSystem files;
  Metrics metrics;
  NoSpans spans;
  estate::EnvironmentSecrets secrets{[](std::string_view) { return std::nullopt; }};
  std::unique_ptr<SqliteDatabase> database;
  std::unique_ptr<estate::AuditLog> audit;
  std::unique_ptr<identity::Identity> keys;
  std::unique_ptr<AdminApi> api;
  Fields answer_fields;
  std::function<void(ApiCall&)> tailing;

 private:
  Task<bool> handled(http::Exchange& exchange) {
    co_await api->handle(exchange);
    co_return true;
  }
};

TEST_F(AdminApiTest, ServesWhatAllTenantsShareToTheOperatorAlone) {
  auto acme = create_key("acme").key;
  auto operators = create_key("default").key;

  EXPECT_EQ(get("/mine", acme), 200);
  EXPECT_EQ(get("/shared", acme), 403);
  EXPECT_EQ(get("/shared", operators), 200);
  EXPECT_EQ(get("/shared", admin_token()), 200);
}

TEST_F(AdminApiTest, ANodeMayAskWhatItSignedAndNothingElse) {
  EXPECT_EQ(ask_as_node("/logs?level=warn", "/api/v1/logs?level=warn"),
            std::pair(200, std::string("a node")));
  EXPECT_EQ(get("/logs", admin_token()), 200);

  EXPECT_EQ(ask_as_node("/logs?level=debug", "/api/v1/logs?level=warn").first, 401);
  EXPECT_EQ(ask_as_node("/shared", "/api/v1/shared").first, 403);
  EXPECT_EQ(send("GET", "/logs", {{"Authorization", "Weft-Node 1:00"}}).first, 401);
  EXPECT_EQ(send("GET", "/logs", {{"Authorization", "Weft-Node "}}).first, 401);
}

TEST_F(AdminApiTest, ASignedQuestionOfANodeIsGoodForAShortTime) {
  EXPECT_EQ(ask_as_node("/logs", "/api/v1/logs", 50s).first, 200);

  const auto [status, body] = ask_as_node("/logs", "/api/v1/logs", 70s);

  EXPECT_EQ(status, 401);
  EXPECT_THAT(body, HasSubstr("the clocks of two nodes are"));
  EXPECT_EQ(ask_as_node("/logs", "/api/v1/logs", -70s).first, 401);
}

TEST_F(AdminApiTest, TakesTheBearerSchemeInAnyCase) {
  auto key = create_key("acme").key;

  EXPECT_EQ(send("GET", "/mine", {{"authorization", "bearer " + key}}).first, 200);
  EXPECT_EQ(send("GET", "/mine", {{"Authorization", "Basic " + key}}).first, 401);
}

TEST_F(AdminApiTest, EndsTheSessionsOfAKeyThatIsRevoked) {
  auto key = create_key("acme");
  Fields browser{{"Cookie", sign_in(key.key)}};
  ASSERT_EQ(send("GET", "/mine", browser), std::pair(200, std::string("client:ops@acme")));

  revoke(key);

  auto [status, body] = send("GET", "/mine", browser);
  EXPECT_EQ(status, 401);
  EXPECT_THAT(body, HasSubstr("the session has ended"));
}

TEST_F(AdminApiTest, TellsALongAnswerThatItsKeyIsRevoked) {
  auto key = create_key("acme");
  auto token = "Bearer " + key.key;
  std::vector<bool> allowed;
  tailing = [&](ApiCall& call) {
    allowed.push_back(call.check_again().has_value());
    revoke(key);
    allowed.push_back(call.check_again().has_value());
  };

  send("GET", "/tail", {{"Authorization", token}});

  EXPECT_THAT(allowed, testing::ElementsAre(true, false));
}

}  // namespace
}  // namespace weft::app
