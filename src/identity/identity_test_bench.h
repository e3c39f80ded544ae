// Helpers of identity's own tests: an identity with its estate over a real SQLite file.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "crypto/digest.h"
#include "estate/estate.h"
#include "estate/loader.h"
#include "identity/decisions.h"
#include "identity/identity.h"
#include "identity/kinds.h"
#include "runtime/metrics.h"
#include "runtime/run_until_done.h"
#include "storage/failing_database.h"
#include "storage/sqlite_database.h"
#include "storage/temporary_folder.h"

namespace weft::identity {

// Stands still until it is set.
class SetClock final : public Clock {
 public:
  std::atomic<std::int64_t> now_ms{1'700'000'000'000};
  WallTime now() const override { return from_unix_ms(now_ms); }
  MonoTime mono() const override { return {}; }
  Task<Result<>> sleep_until(MonoTime) override { co_return Result<>(); }
};

// The specs of these tests are right.
class AnySpec final : public estate::SpecValidator {
 public:
  std::vector<estate::SpecIssue> validate(const Json&) const override { return {}; }
};

inline estate::KindSet kinds() {
  auto any = [](std::string_view schema) -> Result<std::unique_ptr<estate::SpecValidator>> {
    auto parsed = JsonDocument::parse(std::string(schema));
    if (!parsed) return Failure(std::move(parsed).error());
    return std::make_unique<AnySpec>();
  };
  return estate::KindSet::create(identity_kinds(), any).value();
}

inline constexpr std::string_view kShop =
    "apiVersion: weft/v1\nkind: Role\nmetadata: {name: reader}\n"
    "spec: {grants: [{action: stream.read, resource: \"*\"}]}\n---\n"
    "apiVersion: weft/v1\nkind: Client\nmetadata: {name: shop}\n"
    "spec: {roles: [reader], grants: [{action: stream.write, resource: \"orders.*\"}]}\n";

inline std::string declared(std::string_view client, std::string_view variable) {
  return fmt::format(
      "---\napiVersion: weft/v1\nkind: Client\nmetadata: {{name: {}}}\n"
      "spec: {{apiKeys: [\"${{env:{}}}\"]}}\n",
      client, variable);
}

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() { restart(); }

  // As a start of the process; returns what identity answered.
  Result<> restart(bool database_is_away = false) {
    estate_.reset();
    identity_.reset();
    audit_.reset();
    database_.reset();
    sqlite_.reset();
    SqliteOptions options(folder_.file("state.db"));
    sqlite_ = run_until_done(SqliteDatabase::open(files_, metrics_, options)).value();
    auto migrations = Identity::migrations();
    migrations.push_back(estate::AuditLog::migration());
    migrations.push_back(estate::Estate::migration());
    ENSURE(run_until_done(sqlite_->migrate(migrations, clock_.now())).has_value(), "migrated");
    database_ = std::make_unique<FailingDatabase>(*sqlite_);
    database_->is_away = database_is_away;
    audit_ = std::make_unique<estate::AuditLog>(*database_, clock_);
    identity_ = std::make_unique<Identity>(IdentityParts{
        *database_, *audit_, files_, clock_, random_, secrets_, folder_.path(), is_shared_});
    auto started = run_until_done(identity_->start());
    if (!started) return started;
    estate_ = std::make_unique<estate::Estate>(estate::EstateParts{*database_,
                                                                   *audit_,
                                                                   files_,
                                                                   clock_,
                                                                   folder_.file("generation.json"),
                                                                   kinds(),
                                                                   {identity_.get()},
                                                                   {&tenant_exists_}});
    auto estate_started = run_until_done(estate_->start());
    if (!estate_started) return Failure(estate_started.error());
    return {};
  }

  Result<estate::Applied> apply(std::string yaml, std::vector<estate::ResourceId> deletions = {}) {
    auto set = kinds();
    auto loaded = estate::Loader(set).load_text("clients.yaml", std::move(yaml));
    ENSURE(loaded.ok(), loaded.error_text().c_str());
    estate::ChangeSet changes;
    changes.resources = std::move(loaded.resources);
    changes.deletions = std::move(deletions);
    return run_until_done(estate_->apply("user:admin", changes));
  }

  Result<NewApiKey> create(ApiKeyRequest request = ApiKeyRequest("default", "shop")) {
    return run_until_done(identity_->create_api_key("user:admin", request));
  }
  Result<> revoke(std::string id, std::string tenant = "default") {
    return run_until_done(
        identity_->revoke_api_key("user:admin", std::move(tenant), std::move(id)));
  }
  std::vector<ApiKeyInfo> list(std::string client = "") {
    return run_until_done(identity_->list_api_keys("default", std::move(client))).value();
  }
  std::string content(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(folder_.file(name)).rdbuf();
    return text.str();
  }
  std::string admin_token() {
    auto text = content("admin-token");
    return text.substr(0, text.size() - 1);
  }
  std::string refusal(std::string_view key) {
    auto answer = identity_->authenticate_api_key(key);
    return answer ? "accepted" : answer.error().message;
  }

  bool is_shared_ = false;  // from the next restart on
  std::map<std::string, std::string> variables_;
  TemporaryFolder folder_;
  SetClock clock_;
  SystemRandom random_;
  PosixFileSystem files_;
  Metrics metrics_;
  TenantExists tenant_exists_;
  estate::EnvironmentSecrets secrets_{[this](std::string_view name) -> std::optional<std::string> {
    auto found = variables_.find(std::string(name));
    if (found == variables_.end()) return {};
    return found->second;
  }};
  std::unique_ptr<SqliteDatabase> sqlite_;
  std::unique_ptr<FailingDatabase> database_;
  std::unique_ptr<estate::AuditLog> audit_;
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<estate::Estate> estate_;
};

}  // namespace weft::identity
