// What authentication looks things up in: one immutable table of keys, rebuilt when a key or the
// estate changes. Pure; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "estate/secret_source.h"
#include "estate/view.h"
#include "identity/principal.h"

namespace weft::identity {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// Days since 1970; written by every loop that sees the key, at most once a day.
struct KeyUse {
  std::atomic<std::int64_t> last_day{0};
};

struct KeyEntry {
  crypto::Digest256 hash;
  std::int64_t expires_at = kNever;  // milliseconds since 1970
  PrincipalRef principal;
  std::shared_ptr<KeyUse> use;
};

// By key id.
using KeyTable = std::unordered_map<std::string, KeyEntry, StringHash, std::equal_to<>>;

using ClientName = std::pair<std::string, std::string>;  // tenant, name

// A Client with the grants of its roles and the keys that it declares.
struct CompiledClient {
  struct Key {
    std::string reference;  // as declared
    std::string id;
    KeyEntry entry;
  };
  PrincipalRef principal;
  std::vector<Key> keys;
  std::vector<std::string> certificates;  // subjects without spaces around commas, and names
};

// What was compiled, by the content of the client and its roles; kept from generation to
// generation.
struct ClientCache {
  std::map<std::string, std::shared_ptr<const CompiledClient>> clients;
  std::atomic<std::uint64_t> compilations{0};
};

// The clients of a generation and the keys that their documents declare.
struct ClientSnapshot {
  std::map<ClientName, PrincipalRef, std::less<>> principals;
  std::map<std::string, PrincipalRef, std::less<>> certificates;  // by subject or name
  KeyTable declared_keys;
};

// A key of the state database.
struct StoredKey {
  ClientName client;
  crypto::Digest256 hash;
  std::int64_t expires_at = kNever;
  std::shared_ptr<KeyUse> use;
};

// Fails when a declared key has no value, a wrong form, or an id that is taken; names the client.
Result<std::shared_ptr<const ClientSnapshot>> compile_clients(const estate::EstateView& view,
                                                              const estate::SecretSource& secrets,
                                                              const crypto::HmacKey& pepper,
                                                              ClientCache& cache);

// "CN=shop, O=Acme" as certificates are compared: "CN=shop,O=Acme".
std::string certificate_name(std::string_view declared);

// Stored keys of clients that no longer exist are left out.
KeyTable key_table(const ClientSnapshot& clients, const std::map<std::string, StoredKey>& stored);

}  // namespace weft::identity
