// ApiVersions, SaslHandshake, SaslAuthenticate.
#include <algorithm>

#include "eventlog/kafka/edge/dispatch.h"
#include "eventlog/kafka/handlers/handlers.h"
#include "runtime/log.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kPlain = "PLAIN";
// As at the gateway: a revoked key is refused a second later everywhere.
constexpr Duration kRemembered = 1s;

// KIP-511: [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(std::string_view text) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
         std::ranges::all_of(text,
                             [&](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

// RFC 4616: [authzid] NUL authcid NUL passwd.
Result<identity::PrincipalRef> principal_of(const Broker& broker, std::string_view token) {
  const auto first = token.find('\0');
  const auto second = first == token.npos ? token.npos : token.find('\0', first + 1);
  if (second == token.npos || broker.parts.authenticator == nullptr) {
    return fail(ErrorCode::Unauthenticated, "the PLAIN token is malformed");
  }
  const auto user = token.substr(first + 1, second - first - 1);
  return broker.parts.authenticator->authenticate(user, token.substr(second + 1));
}

}  // namespace

Task<ApiVersionsResponse> handle(Call& call, const ApiVersionsRequest& request) {
  ApiVersionsResponse response;
  if (call.version >= 3) {
    if (!is_software_name(request.client_software_name) ||
        !is_software_name(request.client_software_version)) {
      response.error_code = code(KafkaError::InvalidRequest);
      co_return response;
    }
    call.session.client_software =
        fmt::format("{} {}", request.client_software_name, request.client_software_version);
  }
  for (const auto& api : apis()) {
    response.api_keys.push_back({api.id.key, api.advertised_first, api.id.last});
  }
  co_return response;
}

Task<SaslHandshakeResponse> handle(Call& call, const SaslHandshakeRequest& request) {
  SaslHandshakeResponse response;
  if (call.broker.parts.authenticator == nullptr) {
    response.error_code = code(KafkaError::UnsupportedSaslMechanism);
    co_return response;
  }
  response.mechanisms = {kPlain};
  if (request.mechanism != kPlain) {
    response.error_code = code(KafkaError::UnsupportedSaslMechanism);
    co_return response;
  }
  call.session.sasl = call.version == 0 ? SaslState::RawTokens : SaslState::Framed;
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
  const auto authenticated = co_await authenticate_plain(call.session, request.auth_bytes.view);
  if (!authenticated) {
    response.error_code = code(KafkaError::SaslAuthenticationFailed);
    response.error_message = call.keep(authenticated.error().message);
    call.closes = true;
  }
  co_return response;
}

Task<Result<>> authenticate_plain(Session& session, std::string_view token) {
  auto& broker = session.broker;
  auto principal = principal_of(broker, token);
  if (principal) {
    session.principal = *principal;
    session.credential = token;
    session.credential_until = broker.parts.clock.mono() + kRemembered;
    co_return Result<>();
  }
  broker.metrics.authentications_failed.add();
  log_warn("kafka", "authentication failed",
           {{"peer", session.peer}, {"client", session.client_id}});
  // Guessing takes its time.
  (void)co_await broker.parts.clock.sleep_for(broker.options.limits.authentication_delay);
  co_return std::unexpected(std::move(principal).error());
}

Result<> authenticate_again(Session& session) {
  auto& broker = session.broker;
  if (session.credential.empty()) return {};
  const auto now = broker.parts.clock.mono();
  if (now < session.credential_until) return {};
  auto principal = principal_of(broker, session.credential);
  if (principal && (*principal)->id != session.principal->id) {
    principal = fail(ErrorCode::Unauthenticated, "the key is now that of {}", (*principal)->id);
  }
  if (!principal) {
    broker.metrics.authentications_failed.add();
    return std::unexpected(std::move(principal).error());
  }
  session.principal = *std::move(principal);
  session.credential_until = now + kRemembered;
  return {};
}

}  // namespace weft::kafka
