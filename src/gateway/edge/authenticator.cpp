#include "gateway/authenticator.h"

#include "http/api_key.h"

namespace weft::gateway {

namespace {

constexpr Duration kRemembered = 1s;

struct Remembered {
  std::string key;
  identity::PrincipalRef principal;
  MonoTime until{};
};

}  // namespace

Result<identity::PrincipalRef> authenticate(http::Exchange& exchange,
                                            const Authenticator& authenticator) {
  auto key = http::api_key_of(exchange.head());
  if (key.empty()) return fail(ErrorCode::Unauthenticated, "no API key was sent");
  auto& slot = exchange.connection_slot();
  auto* remembered = static_cast<Remembered*>(slot.get());
  if (remembered != nullptr && remembered->key == key &&
      exchange.received_at() < remembered->until) {
    // Counted with the connection's memory, not with the principal, which all loops share.
    return identity::PrincipalRef(slot, remembered->principal.get());
  }
  TRY(auto principal, authenticator.authenticate(key));
  // A new one: what was returned for the last key may be in use.
  slot = std::make_shared<Remembered>(std::string(key), principal,
                                      exchange.received_at() + kRemembered);
  return principal;
}

}  // namespace weft::gateway
