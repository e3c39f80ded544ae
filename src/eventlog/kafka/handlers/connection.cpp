// ApiVersions.
#include <algorithm>

#include "eventlog/kafka/edge/dispatch.h"
#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

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

}  // namespace weft::kafka
