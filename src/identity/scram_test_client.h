// The client's half of SCRAM, for tests of whoever serves it (RFC 5802 section 3).
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "crypto/keyed_hash.h"
#include "identity/scram.h"

namespace weft::identity {

// The client's last message. `bare` is its first one without the header "n,,"; `without_proof` is
// what it says before the proof.
inline std::string scram_proof(ScramMechanism mechanism, std::string_view password,
                               std::string_view bare, std::string_view server_first,
                               std::string_view without_proof) {
  const auto hash = mechanism == ScramMechanism::Sha256 ? crypto::HashAlgorithm::Sha256
                                                        : crypto::HashAlgorithm::Sha512;
  const auto salt_at = server_first.find(",s=") + 3;
  const auto count_at = server_first.find(",i=") + 3;
  const auto salt = from_base64(server_first.substr(salt_at, count_at - 3 - salt_at)).value();
  int iterations = 0;
  std::from_chars(server_first.data() + count_at, server_first.data() + server_first.size(),
                  iterations);
  const auto salted = crypto::pbkdf2(hash, password, salt, iterations);
  const auto key = crypto::hmac(hash, salted, "Client Key");
  const auto text = fmt::format("{},{},{}", bare, server_first, without_proof);
  auto proof = crypto::hmac(hash, crypto::hash(hash, key), text);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ key[i]);
  return fmt::format("{},p={}", without_proof, to_base64(proof));
}

inline std::string scram_last(ScramMechanism mechanism, std::string_view password,
                              std::string_view bare, std::string_view server_first) {
  const auto nonce = server_first.substr(2, server_first.find(',') - 2);
  return scram_proof(mechanism, password, bare, server_first, fmt::format("c=biws,r={}", nonce));
}

}  // namespace weft::identity
