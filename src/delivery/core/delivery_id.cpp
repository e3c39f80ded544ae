#include "delivery/core/delivery_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace weft::delivery {

namespace {

constexpr std::size_t kNameShown = 48;
constexpr std::size_t kHashBytes = 6;

template <class T>
std::optional<T> take_number(std::string_view& text) {
  auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto digits = text.substr(dash + 1);
  T number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty())
    return std::nullopt;
  text = text.substr(0, dash);
  return number;
}

}  // namespace

std::string delivery_prefix(std::string_view tenant, std::string_view subscription,
                            const Uuid& topic_id) {
  auto identity = fmt::format("{}\n{}\n", tenant, subscription);
  identity.append(topic_id.bytes());
  std::string shown(subscription.substr(0, kNameShown));
  std::ranges::replace(shown, '.', '_');
  auto digest = crypto::sha256(identity);
  return fmt::format("{}-{}", shown, to_hex(std::string_view(digest).substr(0, kHashBytes)));
}

std::string delivery_id(std::string_view prefix, std::int32_t partition, eventlog::Offset offset) {
  std::string id;
  id.reserve(prefix.size() + 32);
  id.append(prefix).append(1, '-').append(std::to_string(partition));
  return id.append(1, '-').append(std::to_string(offset));
}

std::optional<DeliveryId> parse_delivery_id(std::string_view text) {
  auto offset = take_number<eventlog::Offset>(text);
  if (!offset) return std::nullopt;
  auto partition = take_number<std::int32_t>(text);
  if (!partition || text.empty()) return std::nullopt;
  return DeliveryId{text, *partition, *offset};
}

}  // namespace weft::delivery
