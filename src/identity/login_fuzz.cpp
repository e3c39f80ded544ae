// Whatever a client says while it logs in: SCRAM messages, tokens and sets of keys are refused or
// read, and nobody is logged in without a proof.
#include <fmt/format.h>

#include "identity/core/token.h"
#include "identity/scram.h"

using namespace weft;
using namespace weft::identity;

namespace {

ScramLogin login_of(ScramMechanism mechanism, std::string_view) {
  static const auto keys = scram_keys(mechanism, "pencil", "salt", kScramIterationsMin);
  ScramLogin login;
  login.keys = keys;
  return login;
}

// The two messages of a client, apart from each other by a zero byte.
void exchange_messages(std::string_view messages) {
  const auto middle = messages.find('\0');
  ScramExchange exchange(ScramMechanism::Sha256, "nonce");
  if (!exchange.first(messages.substr(0, middle), login_of) || middle == messages.npos) return;
  ENSURE(!exchange.last(messages.substr(middle + 1)), "nobody is logged in");
}

void read_token(std::string_view text) {
  const auto token = Token::parse(text);
  if (!token) return;
  TokenRules rules;
  rules.issuer = token->issuer();
  rules.audience = "weft";
  rules.algorithms = {crypto::JwsAlgorithm::Es256};
  ENSURE(!token->is_signed_by({}, rules), "no key has signed it");
  (void)TokenClaims::read(*token, rules, WallTime{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      exchange_messages(text);
      break;
    case 1:
      read_token(text);
      break;
    default:
      (void)crypto::json_web_keys(text);
  }
  return 0;
}
