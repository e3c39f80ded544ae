// Who else may say who a client is: the issuers of signed tokens (JWT) that the estate declares,
// and their keys, which are fetched when they are needed and kept.
//
// A set of keys is fetched at the first token, again when a token names a key that is not in it,
// and when it is older than kKeysAgeMax; never more often than every kKeysRefreshMin. A fetch that
// fails leaves the keys that were there.
//
// Threads: authenticate() and renew() from any loop; the estate's thread compiles and publishes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "estate/compiler.h"
#include "estate/kind.h"
#include "identity/identity.h"
#include "runtime/clock.h"
#include "runtime/task.h"

namespace weft::identity {

inline constexpr Duration kKeysRefreshMin = 30s;
inline constexpr Duration kKeysAgeMax = 10min;

estate::Kind token_issuer_kind();

struct TokenLogin {
  std::string issuer;
  PrincipalRef principal;
  WallTime expires_at{};
};

// The text of a set of keys behind a URL (RFC 7517 section 5). Called on the caller's loop.
using FetchKeys = std::function<Task<Result<std::string>>(std::string url)>;

class TokenIssuers final : public estate::Compiler {
 public:
  // All outlive it.
  TokenIssuers(const Identity& identity, Clock& clock, FetchKeys fetch);
  ~TokenIssuers() override;

  // Unauthenticated, saying what is wrong with the token; Unavailable when its issuer's keys cannot
  // be had.
  Task<Result<TokenLogin>> authenticate(std::string token);
  // The principal of an earlier login as it is now. Unauthenticated when the token has expired, or
  // the issuer or Client is no longer declared.
  Result<PrincipalRef> renew(const TokenLogin& login) const;

  // The estate's port.
  std::string_view name() const override { return "token-issuers"; }
  std::vector<std::string> kinds() const override { return {"TokenIssuer"}; }
  std::uint64_t compilations() const override;
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::identity
