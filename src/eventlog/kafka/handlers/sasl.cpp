// SaslHandshake and SaslAuthenticate: PLAIN (RFC 4616), SCRAM (RFC 5802) and OAUTHBEARER (RFC
// 7628), in frames or as raw tokens; client certificates.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/bytes.h"
#include "eventlog/kafka/handlers/handlers.h"
#include "runtime/log.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kPlain = "PLAIN";
constexpr std::string_view kOAuthBearer = "OAUTHBEARER";
constexpr std::array kMechanisms = {kPlain, std::string_view("SCRAM-SHA-256"),
                                    std::string_view("SCRAM-SHA-512"), kOAuthBearer};
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
  if (session.renew && !session.is_by_certificate && session.principal->id != principal->id) {
    return fail(ErrorCode::Unauthenticated, "a connection of {} cannot become one of {}",
                session.principal->id, principal->id);
  }
  session.principal = std::move(principal);
  session.renew = std::move(renew);
  session.is_by_certificate = false;
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

// RFC 7628 section 3.1: a header as SCRAM has it, then key=value pairs behind 0x01 each, one of
// them "auth=Bearer <token>". Others, such as Kafka's extensions (KIP-342), are passed over.
struct BearerMessage {
  std::string token;
  std::string_view acts_as;  // whom the client wants to be; a view of the message
};

Result<BearerMessage> read_bearer(std::string_view message) {
  constexpr std::string_view kAuth = "auth=";
  constexpr std::string_view kBearer = "bearer ";
  const auto malformed = [] {
    return fail(ErrorCode::Unauthenticated,
                "the OAUTHBEARER message is malformed: n,,^Aauth=Bearer <token>^A^A");
  };
  const auto header_end = message.find('\x01');
  const auto header = message.substr(0, header_end);
  if (header_end == message.npos || !header.starts_with("n,") || !header.ends_with(',')) {
    return malformed();
  }
  BearerMessage read;
  const auto authzid = header.substr(2, header.size() - std::min<std::size_t>(header.size(), 3));
  if (authzid.starts_with("a=")) read.acts_as = authzid.substr(2);
  message.remove_prefix(header_end + 1);
  while (!message.empty() && message.front() != '\x01') {
    const auto pair = message.substr(0, message.find('\x01'));
    message.remove_prefix(std::min(pair.size() + 1, message.size()));
    if (!pair.starts_with(kAuth)) continue;
    const auto value = pair.substr(kAuth.size());
    if (!equals_ignoring_case(value.substr(0, kBearer.size()), kBearer)) return malformed();
    read.token = value.substr(kBearer.size());
    return read;
  }
  return malformed();
}

// A refused token is answered with JSON, which the client acknowledges before it is told again that
// it failed (RFC 7628 section 3.2.3).
Task<Result<SaslStep>> token_step(Session& session, std::string_view message) {
  const auto& authenticator = *session.broker.parts.authenticator;
  CO_TRY(auto read, read_bearer(message));
  auto login = co_await authenticator.authenticate_token(std::move(read.token));
  if (login && !read.acts_as.empty() && read.acts_as != login->principal->name) {
    login = fail(ErrorCode::Unauthenticated, "the token is that of {}, who may not act as {}",
                 login->principal->id, read.acts_as);
  }
  if (!login) {
    session.token_error = login.error().message;
    SaslStep refusal;
    refusal.token = R"({"status":"invalid_token"})";
    co_return refusal;
  }
  Renewal renew = [&authenticator, kept = *login] { return authenticator.renew_token(kept); };
  CO_CHECK(become(session, login->principal, std::move(renew)));
  SaslStep done;
  done.is_complete = true;
  done.expires_at = login->expires_at;
  co_return done;
}

}  // namespace

Result<> log_in_by_certificate(Session& session, const net::Stream& stream) {
  auto& broker = session.broker;
  const auto certificate = peer_certificate(stream);
  if (!certificate || broker.parts.authenticator == nullptr) return {};
  Renewal renew = [&broker, kept = *certificate]() -> Result<identity::PrincipalRef> {
    if (broker.parts.clock.now() > kept.not_after) {
      return fail(ErrorCode::Unauthenticated, "the certificate {} has expired", kept.subject);
    }
    return broker.parts.authenticator->authenticate_certificate(kept);
  };
  auto principal = renew();
  if (!principal) {
    broker.metrics.authentications_failed.add();
    log_warn("kafka", "authentication failed",
             {{"peer", session.peer},
              {"mechanism", "client certificate"},
              {"error", principal.error().message}});
    return std::unexpected(std::move(principal).error());
  }
  CHECK(become(session, *std::move(principal), std::move(renew)));
  session.is_by_certificate = true;
  return {};
}

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
  if (step->expires_at) {
    // KIP-368: the client authenticates again before that, or its connection ends.
    const auto left = *step->expires_at - call.broker.parts.clock.now();
    response.session_lifetime_ms =
        std::max<std::int64_t>(1, std::chrono::floor<std::chrono::milliseconds>(left).count());
  }
  co_return response;
}

Task<Result<SaslStep>> sasl_step(Session& session, std::string_view token) {
  auto& broker = session.broker;
  Result<SaslStep> step = SaslStep();
  const bool was_refused = !session.token_error.empty();
  if (!session.token_error.empty()) {
    // Whatever comes behind a refused token: the answer to it was the refusal.
    step = fail(ErrorCode::Unauthenticated, "{}", std::exchange(session.token_error, {}));
  } else if (session.mechanism == kPlain) {
    step = plain_step(session, token);
  } else if (session.mechanism == kOAuthBearer) {
    step = co_await token_step(session, token);
  } else {
    step = scram_step(session, token);
  }
  if (step && session.token_error.empty()) {
    if (step->is_complete) session.sasl = SaslState::Idle;
    co_return step;
  }
  // A token that is refused is answered first: then `step` is that answer.
  const auto why = step ? session.token_error : step.error().message;
  if (!step) session.sasl = SaslState::Idle;
  session.scram.reset();
  if (!was_refused) {
    broker.metrics.authentications_failed.add();
    log_warn("kafka", "authentication failed",
             {{"peer", session.peer},
              {"client", session.client_id},
              {"mechanism", session.mechanism},
              {"error", why}});
  }
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
