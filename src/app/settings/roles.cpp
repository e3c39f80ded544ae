#include "app/settings/roles.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::app {
namespace {

constexpr std::pair<std::string_view, Role> kNames[] = {{"gateway", Role::Gateway},
                                                        {"broker", Role::Broker},
                                                        {"worker", Role::Worker},
                                                        {"control", Role::Control}};

std::string_view without_spaces(std::string_view text) {
  auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string Roles::text() const {
  std::string out;
  for (const auto& [name, role] : kNames) {
    if (!has(role)) continue;
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

Result<Roles> roles_of(const Settings& settings) {
  Roles roles;
  for (const auto& item : settings.list("roles")) {
    auto word = without_spaces(item);
    auto known = std::ranges::find(kNames, word, &std::pair<std::string_view, Role>::first);
    if (known == std::end(kNames)) {
      return fail(ErrorCode::InvalidArgument, "roles: there is no role '{}'; there are {}", word,
                  Roles::all().text());
    }
    roles.add(known->second);
  }
  if (roles.is_empty()) {
    return fail(ErrorCode::InvalidArgument, "roles: name at least one of {}", Roles::all().text());
  }
  bool has_source = roles.has(Role::Control) || !settings.text("estate.folder").empty() ||
                    settings.text("state.backend") == "postgres";
  if (!has_source) {
    return fail(
        ErrorCode::InvalidArgument,
        "roles: a node without role control has no admin API, so this one could never get an estate: give it "
        "estate.folder, or state.backend postgres to share that of a node with role control");
  }
  return roles;
}

std::string role_note(const Roles& roles, std::size_t subscriptions) {
  bool takes_events = roles.has(Role::Gateway) || roles.has(Role::Broker);
  if (!roles.has(Role::Worker) && subscriptions > 0 && (takes_events || roles.has(Role::Control))) {
    return fmt::format(
        "without role worker: events that this node takes stay in its own log and reach none of the {} subscription{} "
        "of the estate",
        subscriptions, subscriptions == 1 ? "" : "s");
  }
  if (roles.has(Role::Worker) && !takes_events) {
    return "role worker without gateway and broker: it delivers what this node's own log holds, and no client can "
           "write to that";
  }
  return {};
}

}  // namespace weft::app
