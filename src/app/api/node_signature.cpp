#include "app/api/node_signature.h"

#include <charconv>

namespace weft::app {
namespace {

std::string signed_text(std::int64_t at_ms, std::string_view target) {
  return fmt::format("{}\nGET\n{}", at_ms, target);
}

}  // namespace

std::string node_authorization(const identity::Identity& identity, std::string_view target,
                               WallTime now) {
  const auto at = to_unix_ms(now);
  return fmt::format("{}{}:{}", kNodeScheme, at, identity.sign_for_nodes(signed_text(at, target)));
}

Result<> check_node_authorization(const identity::Identity& identity, std::string_view field,
                                  std::string_view target, WallTime now) {
  field.remove_prefix(std::min(kNodeScheme.size(), field.size()));
  std::int64_t at = 0;
  auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), at);
  const bool is_read = error == std::errc() && end != field.data() + field.size() && *end == ':';
  const auto mark = is_read ? std::string_view(end + 1, field.data() + field.size()) : field;
  if (!is_read || !identity.is_signed_by_node(signed_text(at, target), mark))
    return fail(ErrorCode::Unauthenticated, "no node with this identity.key asks that");
  const auto apart = to_unix_ms(now) - at;
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(kNodeQueryLifetime);
  if (apart > most.count() || apart < -most.count()) {
    return fail(ErrorCode::Unauthenticated,
                "the clocks of two nodes are {} ms apart; they must agree within {}", apart,
                to_text(kNodeQueryLifetime));
  }
  return {};
}

}  // namespace weft::app
