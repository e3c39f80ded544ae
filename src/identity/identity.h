// The identity kernel: clients and their grants from the estate, API keys and SCRAM passwords from
// the state database, the admin token from its file; authentication against one immutable snapshot.
//
// A key is weft_<key id>_<secret>: 16 hex digits that are public, 32 random bytes in base64url.
// Stored is only HMAC-SHA256(pepper, key); the pepper is 32 random bytes in <data>/identity.key
// (mode 0600), made at first start together with <data>/admin-token, which holds the key of
// "user:admin". A key's text is seen once, when it is created, and never logged.
//
// Threads: authenticate_api_key() from any thread, without locks or allocation: about the price of
// its HMAC. The other calls from any thread, results on the caller's loop; changes are serialized.
// Failure: authentication fails with Unauthenticated and the same message for an unknown key as for
// a wrong secret; FailedPrecondition at start when identity.key is not the one that the stored keys
// were hashed with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "estate/audit.h"
#include "estate/compiler.h"
#include "estate/secret_source.h"
#include "identity/principal.h"
#include "identity/scram.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/random.h"
#include "storage/database.h"

namespace weft::identity {

struct ApiKeyInfo {
  std::string id;
  std::string tenant;
  std::string client;
  std::string description;
  WallTime created_at;
  std::string created_by;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
  std::optional<std::chrono::sys_days> last_used;
};

struct NewApiKey {
  ApiKeyInfo info;
  std::string key;  // shown once
};

struct ApiKeyRequest {
  ApiKeyRequest(std::string key_tenant, std::string key_client)
      : tenant(std::move(key_tenant)), client(std::move(key_client)) {}
  std::string tenant;
  std::string client;  // a Client of the current generation
  std::string description;
  std::optional<WallTime> expires_at;
};

// Who may log in with a password, by one mechanism.
struct ScramUser {
  std::string tenant;
  std::string client;
  ScramMechanism mechanism = ScramMechanism::Sha256;
  std::int32_t iterations = 0;
  WallTime changed_at;
  std::string changed_by;
};

// One change of a password: new keys, or none to take it away.
struct ScramChange {
  ScramChange(std::string of_tenant, std::string of_client, ScramMechanism by,
              std::optional<ScramKeys> with = std::nullopt)
      : tenant(std::move(of_tenant)),
        client(std::move(of_client)),
        mechanism(by),
        keys(std::move(with)) {}
  std::string tenant;
  std::string client;  // a Client of the current generation, unless it is taken away
  ScramMechanism mechanism;
  std::optional<ScramKeys> keys;
};

// A new key of the form above: for clients whose keys are declared in documents as ${env:…}.
std::string make_api_key(Random& random);

// What identity works with; all outlive it.
struct IdentityParts {
  Database& database;
  estate::AuditLog& audit;
  FileSystem& files;
  Clock& clock;
  Random& random;
  const estate::SecretSource& secrets;
  std::string data_folder;
  // Other nodes use the database, which may be away: the keys are also kept in <data>/api-keys
  // (hashes, mode 0600), and all nodes must have the same identity.key.
  bool is_shared = false;
};

class Identity final : public estate::Compiler {
 public:
  explicit Identity(IdentityParts parts);
  ~Identity() override;

  static std::vector<Migration> migrations();

  // Reads or makes the pepper and the admin token, and loads the keys; call after migrate and
  // before Estate::start. Without a database only the admin token and keys declared in documents
  // work.
  Task<Result<>> start();

  // Takes over the keys that other nodes have created and revoked.
  Task<Result<>> follow();

  // The principal of a key, e.g. from "Authorization: Bearer …" or "X-API-Key". Hot path.
  Result<PrincipalRef> authenticate_api_key(std::string_view key) const;

  // The Client whose document names the certificate's subject (RFC 2253) or one of its alternative
  // names, as tls.h writes them. Unauthenticated for none, and for several.
  Result<PrincipalRef> authenticate_certificate(const std::string& subject,
                                                const std::vector<std::string>& names) const;

  Task<Result<NewApiKey>> create_api_key(std::string actor, ApiKeyRequest request);
  // Revoking twice is fine; NotFound when the tenant has no such key.
  Task<Result<>> revoke_api_key(std::string actor, std::string tenant, std::string id);
  // All keys of a tenant, or of one client, newest first.
  Task<Result<std::vector<ApiKeyInfo>>> list_api_keys(std::string tenant, std::string client = "");

  // Gives a Client a password for SCRAM, or takes it away (NotFound when there is none).
  Task<Result<>> change_scram(std::string actor, ScramChange change);
  // Of a tenant, by client and mechanism; from memory.
  std::vector<ScramUser> scram_users(std::string_view tenant) const;
  // A user is the name of a Client, with "@" and the tenant unless that is the default one. For a
  // user that does not exist: keys that look like the others', the same at each call.
  ScramLogin find_scram(ScramMechanism mechanism, std::string_view user) const;

  // Stores the days on which keys were used since the last call; call it now and then and at
  // shutdown.
  Task<Result<std::size_t>> store_last_used();

  // A mark under a text that only nodes with the same identity.key can make: hexadecimal. For what
  // nodes of one state database ask each other. After start().
  std::string sign_for_nodes(std::string_view text) const;
  bool is_signed_by_node(std::string_view text, std::string_view mark) const;

  // Of the current generation; null when there is none.
  PrincipalRef find_client(std::string_view tenant, std::string_view client) const;

  std::string admin_token_path() const;

  // The estate's port.
  std::string_view name() const override { return "identity"; }
  std::vector<std::string> kinds() const override { return {"Client", "Role", "AccessRule"}; }
  std::uint64_t compilations() const override;
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::identity
