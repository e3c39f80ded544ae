// SaslHandshake and SaslAuthenticate: PLAIN (RFC 4616) and SCRAM (RFC 5802), in frames or as raw
// tokens.
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "eventlog/kafka/handlers/handlers.h"
#include "runtime/log.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kPlain = "PLAIN";
constexpr std::array kMechanisms = {kPlain, std::string_view("SCRAM-SHA-256"),
                                    std::string_view("SCRAM-SHA-512")};
// As at the gateway: a revoked key is refused a second later everywhere.
constexpr Duration kRemembered = 1s;
constexpr std::size_t kNonceBytes = 24;

using Renewal = std::function<Result<identity::PrincipalRef>()>;

// [authzid] NUL authcid NUL passwd.
Result<identity::PrincipalRef> principal_of(const Broker& broker, std::string_view token) {
  const auto first = token.find('\0');
  const auto second = first == token.npos ? token.npos : token.find('\0', first + 1);
  if (second == token.npos || broker.parts.authenticator == nullptr) {
    return fail(ErrorCode::Unauthenticated, "the PLAIN token is malformed");
  }
  const auto user = token.substr(first + 1, second - first - 1);
  return broker.parts.authenticator->authenticate(user, token.substr(second + 1));
}

// Somebody who has authenticated before stays who he is (KIP-368).
Result<> become(Session& session, identity::PrincipalRef principal, Renewal renew) {
  if (session.renew && session.principal->id != principal->id) {
    return fail(ErrorCode::Unauthenticated, "a connection of {} cannot become one of {}",
                session.principal->id, principal->id);
  }
  session.principal = std::move(principal);
  session.renew = std::move(renew);
  session.renew_at = session.broker.parts.clock.mono() + kRemembered;
  return {};
}

Result<SaslStep> plain_step(Session& session, std::string_view token) {
  TRY(auto principal, principal_of(session.broker, token));
  Renewal renew = [&broker = session.broker, kept = std::string(token)] {
    return principal_of(broker, kept);
  };
  CHECK(become(session, std::move(principal), std::move(renew)));
  return SaslStep{{}, true};
}

// Asked again, the user must still have the same password.
Renewal scram_renewal(const Broker& broker, const identity::ScramExchange& exchange) {
  return [&broker, mechanism = exchange.mechanism(), user = exchange.user(),
          stored_key = exchange.login().keys.stored_key]() -> Result<identity::PrincipalRef> {
    auto login = broker.parts.authenticator->find_scram(mechanism, user);
    if (login.principal && login.keys.stored_key == stored_key) return std::move(login.principal);
    return fail(ErrorCode::Unauthenticated, "the password of {} was changed or taken away", user);
  };
}

Result<SaslStep> scram_step(Session& session, std::string_view token) {
  auto& broker = session.broker;
  if (!session.scram) {
    const auto mechanism = identity::scram_mechanism(session.mechanism);
    ENSURE(mechanism.has_value(), "the handshake takes known mechanisms alone");
    auto& exchange =
        session.scram.emplace(*mechanism, to_base64(broker.parts.random.bytes(kNonceBytes)));
    const auto lookup = [&broker](identity::ScramMechanism by, std::string_view user) {
      return broker.parts.authenticator->find_scram(by, user);
    };
    TRY(auto answer, exchange.first(token, lookup));
    return SaslStep{std::move(answer), false};
  }
  auto exchange = *std::exchange(session.scram, std::nullopt);
  TRY(auto answer, exchange.last(token));
  auto renew = scram_renewal(broker, exchange);
  CHECK(become(session, exchange.login().principal, std::move(renew)));
  return SaslStep{std::move(answer), true};
}

}  // namespace

Task<SaslHandshakeResponse> handle(Call& call, const SaslHandshakeRequest& request) {
  SaslHandshakeResponse response;
  auto& session = call.session;
  if (call.broker.parts.authenticator == nullptr) {
    response.error_code = code(KafkaError::UnsupportedSaslMechanism);
    co_return response;
  }
  response.mechanisms.assign(kMechanisms.begin(), kMechanisms.end());
  if (std::ranges::find(kMechanisms, request.mechanism) == kMechanisms.end()) {
    response.error_code = code(KafkaError::UnsupportedSaslMechanism);
    co_return response;
  }
  session.mechanism = request.mechanism;
  session.scram.reset();
  session.sasl = call.version == 0 ? SaslState::RawTokens : SaslState::Framed;
  co_return response;
}

Task<SaslAuthenticateResponse> handle(Call& call, const SaslAuthenticateRequest& request) {
  SaslAuthenticateResponse response;
  response.error_message.reset();
  if (call.session.sasl != SaslState::Framed) {
    response.error_code = code(KafkaError::IllegalSaslState);
    response.error_message = "SaslHandshake comes first";
    call.closes = true;
    co_return response;
  }
  auto step = co_await sasl_step(call.session, request.auth_bytes.view);
  if (!step) {
    response.error_code = code(KafkaError::SaslAuthenticationFailed);
    response.error_message = call.keep(step.error().message);
    call.closes = true;
    co_return response;
  }
  response.auth_bytes.view = call.keep(std::move(step->token));
  co_return response;
}

Task<Result<SaslStep>> sasl_step(Session& session, std::string_view token) {
  auto& broker = session.broker;
  auto step = session.mechanism == kPlain ? plain_step(session, token) : scram_step(session, token);
  if (step) {
    if (step->is_complete) session.sasl = SaslState::Idle;
    co_return step;
  }
  session.sasl = SaslState::Idle;
  session.scram.reset();
  broker.metrics.authentications_failed.add();
  log_warn("kafka", "authentication failed",
           {{"peer", session.peer},
            {"client", session.client_id},
            {"mechanism", session.mechanism},
            {"error", step.error().message}});
  // Guessing takes its time.
  (void)co_await broker.parts.clock.sleep_for(broker.options.limits.authentication_delay);
  co_return step;
}

Result<> authenticate_again(Session& session) {
  auto& broker = session.broker;
  if (!session.renew) return {};
  const auto now = broker.parts.clock.mono();
  if (now < session.renew_at) return {};
  auto principal = session.renew();
  if (principal && (*principal)->id != session.principal->id) {
    principal = fail(ErrorCode::Unauthenticated, "the key is now that of {}", (*principal)->id);
  }
  if (!principal) {
    broker.metrics.authentications_failed.add();
    return std::unexpected(std::move(principal).error());
  }
  session.principal = *std::move(principal);
  session.renew_at = now + kRemembered;
  return {};
}

}  // namespace weft::kafka
