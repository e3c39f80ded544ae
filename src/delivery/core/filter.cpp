#include "delivery/core/filter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace weft::delivery {

namespace {

std::vector<std::string> one_or_more(const Json& value) {
  std::vector<std::string> out;
  if (value.is_string()) out.emplace_back(value.as_string());
  if (value.is_array()) {
    for (const auto& element : value.elements()) out.emplace_back(element.as_string());
  }
  return out;
}

}  // namespace

Filter Filter::parse(const Json& filter) {
  Filter out;
  if (const auto* types = filter.find("types"))
    out.conditions.emplace_back("type", one_or_more(*types));
  if (const auto* attributes = filter.find("attributes")) {
    for (const auto& member : attributes->members()) {
      out.conditions.emplace_back(member.key(), one_or_more(member.value));
    }
  }
  return out;
}

bool Filter::matches(const eventlog::EventView& event) const {
  return std::ranges::all_of(conditions, [&](const auto& condition) {
    auto value = event.attribute(condition.first);
    return value && std::ranges::find(condition.second, *value) != condition.second.end();
  });
}

std::string Filter::text() const {
  std::string out;
  for (const auto& [name, values] : conditions) {
    out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name, fmt::join(values, " or "));
  }
  return out;
}

}  // namespace weft::delivery
