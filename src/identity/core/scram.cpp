#include "identity/scram.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "crypto/constant_time.h"
#include "crypto/key.h"
#include "crypto/keyed_hash.h"

namespace weft::identity {
namespace {

using crypto::HashAlgorithm;

HashAlgorithm hash_of(ScramMechanism mechanism) {
  return mechanism == ScramMechanism::Sha256 ? HashAlgorithm::Sha256 : HashAlgorithm::Sha512;
}

bool is_printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}

Failure malformed(std::string_view what) {
  return fail(ErrorCode::InvalidArgument, "the SCRAM message is malformed: {}", what);
}

Failure wrong_password() {
  return fail(ErrorCode::Unauthenticated, "the user is unknown or the password is wrong");
}

// The value of the attribute at the front ("r=…"), which is taken off together with its comma.
std::optional<std::string_view> take_attribute(std::string_view& rest, char name) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return std::nullopt;
  const auto end = std::min(rest.find(','), rest.size());
  const auto value = rest.substr(2, end - 2);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

// RFC 5802 section 5.1, saslname: "=2C" and "=3D" stand for a comma and an equals sign.
Result<std::string> read_name(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      name += text[i];
      continue;
    }
    const auto escape = text.substr(i, 3);
    if (escape != "=2C" && escape != "=3D") return malformed("an = in a name is written =3D");
    name += escape == "=2C" ? ',' : '=';
    i += 2;
  }
  if (name.empty()) return malformed("no user name");
  return name;
}

// What comes before the client's own part: whether it would bind to a channel, and for whom it
// acts.
Result<std::string> take_channel_header(std::string_view& message) {
  const auto first = message.find(',');
  const auto second = first == message.npos ? message.npos : message.find(',', first + 1);
  if (second == message.npos) return malformed("no header");
  const auto flag = message.substr(0, first);
  if (flag.starts_with("p=")) {
    return fail(ErrorCode::InvalidArgument,
                "channel binding is not offered: SCRAM-SHA-256 and SCRAM-SHA-512, no -PLUS");
  }
  if (flag != "n" && flag != "y") return malformed("the first letter is n, y or p");
  std::string header(message.substr(0, second + 1));
  message.remove_prefix(second + 1);
  return header;
}

std::string signed_by(HashAlgorithm hash, std::string_view key, std::string_view text) {
  return crypto::hmac(hash, key, text);
}

ScramKeys keys_of(HashAlgorithm hash, std::string_view salted, std::string salt,
                  std::int32_t iterations) {
  ScramKeys keys;
  auto client_key = crypto::hmac(hash, salted, "Client Key");
  keys.stored_key = crypto::hash(hash, client_key);
  crypto::wipe(client_key.data(), client_key.size());
  keys.server_key = crypto::hmac(hash, salted, "Server Key");
  keys.salt = std::move(salt);
  keys.iterations = iterations;
  return keys;
}

}  // namespace

std::string_view name(ScramMechanism mechanism) {
  switch (mechanism) {
    case ScramMechanism::Sha256:
      return "SCRAM-SHA-256";
    case ScramMechanism::Sha512:
      return "SCRAM-SHA-512";
  }
  return "SCRAM-SHA-256";
}

std::optional<ScramMechanism> scram_mechanism(std::string_view mechanism) {
  if (mechanism == name(ScramMechanism::Sha256)) return ScramMechanism::Sha256;
  if (mechanism == name(ScramMechanism::Sha512)) return ScramMechanism::Sha512;
  return std::nullopt;
}

Result<> check_scram_password(std::string_view password) {
  if (password.empty()) return fail(ErrorCode::InvalidArgument, "the password is empty");
  if (std::ranges::all_of(password, is_printable)) return {};
  return fail(
      ErrorCode::InvalidArgument,
      "the password has characters other than printable ASCII (space to ~): they would have "
      "to be normalized (RFC 4013), which clients do in different ways");
}

Result<> check_scram_iterations(std::int32_t iterations) {
  if (iterations >= kScramIterationsMin && iterations <= kScramIterationsMax) return {};
  return fail(ErrorCode::InvalidArgument, "the number of iterations is from {} to {}, not {}",
              kScramIterationsMin, kScramIterationsMax, iterations);
}

ScramKeys scram_keys(ScramMechanism mechanism, std::string_view password, std::string salt,
                     std::int32_t iterations) {
  const auto hash = hash_of(mechanism);
  auto salted = crypto::pbkdf2(hash, password, salt, iterations);
  auto keys = keys_of(hash, salted, std::move(salt), iterations);
  crypto::wipe(salted.data(), salted.size());
  return keys;
}

Result<ScramKeys> scram_keys_of_salted(ScramMechanism mechanism, std::string_view salted_password,
                                       std::string salt, std::int32_t iterations) {
  CHECK(check_scram_iterations(iterations));
  const auto hash = hash_of(mechanism);
  if (salt.empty() || salt.size() > kScramSaltBytesMax) {
    return fail(ErrorCode::InvalidArgument, "the salt has 1 to {} bytes, not {}",
                kScramSaltBytesMax, salt.size());
  }
  if (salted_password.size() != crypto::hash_bytes(hash)) {
    return fail(ErrorCode::InvalidArgument, "the salted password of {} has {} bytes, not {}",
                name(mechanism), crypto::hash_bytes(hash), salted_password.size());
  }
  return keys_of(hash, salted_password, std::move(salt), iterations);
}

Result<std::string> ScramExchange::first(std::string_view message, const Lookup& lookup) {
  constexpr std::size_t kNonceBytesMax = 1024;
  TRY(channel_header_, take_channel_header(message));
  const auto client_first = message;
  if (message.starts_with("m=")) return malformed("an extension that is not known here");
  const auto user = take_attribute(message, 'n');
  if (!user) return malformed("no user name");
  TRY(user_, read_name(*user));
  const auto nonce = take_attribute(message, 'r');
  if (!nonce || nonce->empty() || nonce->size() > kNonceBytesMax ||
      !std::ranges::all_of(*nonce, is_printable)) {
    return malformed("no nonce");
  }
  if (message.starts_with("tokenauth=")) {
    return fail(ErrorCode::InvalidArgument, "delegation tokens are not offered");
  }
  const std::string_view header = channel_header_;
  const auto authzid = header.substr(2, header.size() - 3);
  if (!authzid.empty()) {
    if (!authzid.starts_with("a=")) return malformed("what stands for a user to act as");
    TRY(const auto acts_as, read_name(authzid.substr(2)));
    if (acts_as != user_) {
      return fail(ErrorCode::Unauthenticated,
                  "nobody may act as somebody else: leave the "
                  "authorization id out, or give the user's own name");
    }
  }
  login_ = lookup(mechanism_, user_);
  nonce_ = std::string(*nonce) + nonce_;
  auto answer =
      fmt::format("r={},s={},i={}", nonce_, to_base64(login_.keys.salt), login_.keys.iterations);
  messages_ = fmt::format("{},{}", client_first, answer);
  return answer;
}

Result<std::string> ScramExchange::last(std::string_view message) {
  const auto hash = hash_of(mechanism_);
  const auto proof_at = message.rfind(",p=");
  if (proof_at == message.npos) return malformed("no proof");
  const auto without_proof = message.substr(0, proof_at);
  const auto proof = from_base64(message.substr(proof_at + 3));
  auto rest = without_proof;
  const auto channel = take_attribute(rest, 'c');
  const auto nonce = take_attribute(rest, 'r');
  if (!channel || !nonce) return malformed("no channel or no nonce");
  if (*channel != to_base64(channel_header_)) return malformed("another channel than at first");
  // librdkafka before 2.6.1 writes its own part twice, which Kafka lets pass; the proof covers it.
  if (!nonce->ends_with(nonce_)) return malformed("another nonce than at first");
  if (!proof || proof->size() != crypto::hash_bytes(hash)) return malformed("no proof");

  const auto text = fmt::format("{},{}", messages_, without_proof);
  auto key = signed_by(hash, login_.keys.stored_key, text);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ (*proof)[i]);
  const bool is_right =
      crypto::constant_time_equals(crypto::hash(hash, key), login_.keys.stored_key);
  crypto::wipe(key.data(), key.size());
  const auto signature = signed_by(hash, login_.keys.server_key, text);
  if (!is_right || !login_.principal) return wrong_password();
  return fmt::format("v={}", to_base64(signature));
}

}  // namespace weft::identity
