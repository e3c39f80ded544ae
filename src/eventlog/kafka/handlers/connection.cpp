// ApiVersions, SaslHandshake, SaslAuthenticate.
#include <algorithm>

#include "eventlog/kafka/edge/dispatch.h"
#include "eventlog/kafka/handlers/handlers.h"
#include "runtime/log.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kPlain = "PLAIN";

// KIP-511: [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(std::string_view text) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
         std::ranges::all_of(text,
                             [&](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
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

// RFC 4616: [authzid] NUL authcid NUL passwd.
Task<Result<>> authenticate_plain(Session& session, std::string_view token) {
  auto& broker = session.broker;
  const auto first = token.find('\0');
  const auto second = first == token.npos ? token.npos : token.find('\0', first + 1);
  Result<identity::PrincipalRef> principal =
      fail(ErrorCode::Unauthenticated, "the PLAIN token is malformed");
  if (second != token.npos && broker.parts.authenticator != nullptr) {
    const auto user = token.substr(first + 1, second - first - 1);
    principal = broker.parts.authenticator->authenticate(user, token.substr(second + 1));
  }
  if (principal) {
    session.principal = *principal;
    co_return Result<>();
  }
  broker.metrics.authentications_failed.add();
  log_warn("kafka", "authentication failed",
           {{"peer", session.peer}, {"client", session.client_id}});
  // Guessing takes its time.
  (void)co_await broker.parts.clock.sleep_for(broker.options.limits.authentication_delay);
  co_return std::unexpected(std::move(principal).error());
}

}  // namespace weft::kafka
