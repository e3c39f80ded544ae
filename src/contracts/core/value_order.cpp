#include "contracts/core/value_order.h"

#include <algorithm>
#include <compare>
#include <numeric>
#include <vector>

#include "base/decimal.h"

namespace weft::contracts {
namespace {

std::strong_ordering compare(const Json& a, const Json& b);

std::vector<const JsonMember*> by_key(const Json& object) {
  std::vector<const JsonMember*> order;
  order.reserve(object.size());
  for (const JsonMember& member : object.members()) order.push_back(&member);
  std::sort(order.begin(), order.end(),
            [](const JsonMember* x, const JsonMember* y) { return x->key() < y->key(); });
  return order;
}

std::strong_ordering compare_objects(const Json& a, const Json& b) {
  const auto left = by_key(a);
  const auto right = by_key(b);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (const auto order = left[i]->key() <=> right[i]->key(); order != 0) return order;
    if (const auto order = compare(left[i]->value, right[i]->value); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

// A total order in which equal means equal as JSON Schema sees it.
std::strong_ordering compare(const Json& a, const Json& b) {
  if (a.type() != b.type()) return a.type() <=> b.type();
  switch (a.type()) {
    case Json::Type::Number:
      return compare_numbers(a.number(), b.number());
    case Json::Type::String:
      return a.as_string() <=> b.as_string();
    case Json::Type::Array:
      if (a.size() != b.size()) return a.size() <=> b.size();
      for (std::uint32_t i = 0; i < a.size(); ++i)
        if (const auto order = compare(a.elements()[i], b.elements()[i]); order != 0) return order;
      return std::strong_ordering::equal;
    case Json::Type::Object:
      return a.size() != b.size() ? a.size() <=> b.size() : compare_objects(a, b);
    default:
      return std::strong_ordering::equal;
  }
}

}  // namespace

std::optional<std::pair<std::uint32_t, std::uint32_t>> repeated_element(
    std::span<const Json> elements) {
  constexpr std::size_t kPairwiseMax = 8;
  const auto count = static_cast<std::uint32_t>(elements.size());
  if (count <= kPairwiseMax) {
    for (std::uint32_t i = 0; i < count; ++i)
      for (std::uint32_t j = i + 1; j < count; ++j)
        if (elements[i] == elements[j]) return std::pair(i, j);
    return std::nullopt;
  }
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) {
    return compare(elements[x], elements[y]) < 0;
  });
  for (std::uint32_t i = 1; i < count; ++i)
    if (compare(elements[order[i - 1]], elements[order[i]]) == 0)
      return std::pair(order[i - 1], order[i]);
  return std::nullopt;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace weft::contracts
