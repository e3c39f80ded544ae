// SCRAM (RFC 5802, RFC 7677): what is kept instead of a password, and the server's half of an
// exchange. A password itself is never stored. Pure; any thread, an exchange one at a time.
//
//   ScramExchange exchange(ScramMechanism::Sha256, nonce);
//   TRY(auto first, exchange.first(message, lookup));   // r=…,s=…,i=…
//   TRY(auto last, exchange.last(next_message));        // v=…; principal() is known
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "identity/principal.h"

namespace weft::identity {

enum class ScramMechanism : std::uint8_t { Sha256, Sha512 };
std::string_view name(ScramMechanism mechanism);  // "SCRAM-SHA-256", "SCRAM-SHA-512"
std::optional<ScramMechanism> scram_mechanism(std::string_view name);

// What one guess of a stolen table costs, and one login the client (RFC 7677 section 4).
inline constexpr std::int32_t kScramIterationsMin = 4096;
inline constexpr std::int32_t kScramIterationsMax = 1'000'000;
inline constexpr std::int32_t kScramIterationsDefault = 8192;
inline constexpr std::size_t kScramSaltBytes = 32;
inline constexpr std::size_t kScramSaltBytesMax = 1024;

// Of one user and mechanism. Knowing it does not let anybody log in.
struct ScramKeys {
  std::string salt;
  std::string stored_key;
  std::string server_key;
  std::int32_t iterations = kScramIterationsDefault;
};

// SASLprep (RFC 4013) for printable ASCII, which it leaves as it is. InvalidArgument for all else:
// other letters would have to be normalized, and for an empty password.
Result<> check_scram_password(std::string_view password);

// InvalidArgument for a number outside of the limits above.
Result<> check_scram_iterations(std::int32_t iterations);

// The password as checked above. Blocks for about half a microsecond per iteration.
ScramKeys scram_keys(ScramMechanism mechanism, std::string_view password, std::string salt,
                     std::int32_t iterations);
// From what the other side has derived itself: PBKDF2 of the password. InvalidArgument for another
// length than that of the hash, a salt that is empty or too long, or a wrong number of iterations.
Result<ScramKeys> scram_keys_of_salted(ScramMechanism mechanism, std::string_view salted_password,
                                       std::string salt, std::int32_t iterations);

// A user as the exchange looks it up; `principal` is null for one that does not exist, whose keys
// are made up, so that an unknown user looks and costs the same as a wrong password.
struct ScramLogin {
  ScramKeys keys;
  PrincipalRef principal;
};

// Failures are Unauthenticated, and say no more to an unknown user than to a wrong password; a
// malformed message is InvalidArgument.
class ScramExchange {
 public:
  using Lookup = std::function<ScramLogin(ScramMechanism, std::string_view user)>;

  // The nonce is the server's part: printable ASCII without a comma, never used twice.
  ScramExchange(ScramMechanism mechanism, std::string nonce)
      : mechanism_(mechanism), nonce_(std::move(nonce)) {}

  // The answer to the client's first message.
  Result<std::string> first(std::string_view message, const Lookup& lookup);
  // The answer to its second and last one; the user is authenticated.
  Result<std::string> last(std::string_view message);

  ScramMechanism mechanism() const { return mechanism_; }
  const std::string& user() const { return user_; }
  // After last().
  const ScramLogin& login() const { return login_; }

 private:
  ScramMechanism mechanism_;
  std::string nonce_;  // after first(): the client's part before the server's
  std::string user_;
  std::string channel_header_;  // of the client: n,, or y,,
  std::string messages_;        // of the exchange, as they are signed
  ScramLogin login_;
};

}  // namespace weft::identity
