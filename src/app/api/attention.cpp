#include "app/api/attention.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/message.h"

namespace weft::app {
namespace {

// Above this share of answers of 500 and above the gateway is not healthy.
constexpr double kErrorShareMax = 0.01;

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::Critical:
      return "critical";
    case Severity::Warning:
      return "warning";
    case Severity::Info:
      return "info";
  }
  return "info";
}

void look_at_check(std::vector<AttentionItem>& out, const NodeCheck& check) {
  // Dead letters are told of by subscription.
  if (check.status == "pass" || check.name == "delivery") return;
  AttentionItem item;
  item.severity = check.status == "fail" ? Severity::Critical : Severity::Warning;
  item.what =
      fmt::format("The check of the {} {}", check.name, check.status == "fail" ? "fails" : "warns");
  item.why = check.message;
  item.label = "See what takes the space";
  if (check.name != "disk") item.label = "Look at the streams";
  item.href = "/streams";
  item.command = "weft doctor";
  out.push_back(std::move(item));
}

AttentionItem about(const delivery::SubscriptionStatus& subscription, std::string_view status) {
  AttentionItem item;
  item.label = "Look at them";
  item.href = fmt::format("/deliveries?subscription={}", http::percent_encode(subscription.name));
  item.command = fmt::format("weft delivery list --subscription {}", subscription.name);
  if (!status.empty()) {
    item.href += fmt::format("&status={}", status);
    item.command += fmt::format(" --status {}", status);
  }
  return item;
}

void look_at_subscription(std::vector<AttentionItem>& out,
                          const delivery::SubscriptionStatus& subscription) {
  using delivery::SubscriptionState;
  if (subscription.state == SubscriptionState::Disabled) {
    auto item = about(subscription, "");
    item.severity = Severity::Critical;
    item.what = fmt::format("Subscription {} is disabled", subscription.name);
    item.why = fmt::format("{}; nothing is sent until its document names another endpoint",
                           subscription.state_reason);
    item.since = subscription.last_failure;
    item.label = "Look at its deliveries";
    out.push_back(std::move(item));
  }
  auto succeeded_since = subscription.last_success && subscription.last_failure &&
                         *subscription.last_success > *subscription.last_failure;
  if (subscription.state == SubscriptionState::Active && subscription.failing > 0 &&
      subscription.attempts_recent > 0 && !succeeded_since &&
      subscription.failures_recent == subscription.attempts_recent) {
    auto item = about(subscription, "failing");
    item.what = fmt::format("No delivery of subscription {} succeeds", subscription.name);
    item.why = fmt::format("{} attempts failed in the last 15 minutes; the last one: {}",
                           subscription.failures_recent, subscription.last_error);
    item.since = subscription.last_success;
    out.push_back(std::move(item));
  }
  if (subscription.dead > 0) {
    auto item = about(subscription, "dead");
    auto holds = subscription.state == SubscriptionState::Paused &&
                 !subscription.state_reason.empty() && subscription.lag_records > 0;
    item.severity = holds ? Severity::Critical : Severity::Warning;
    item.what = fmt::format("{} dead letter{} on subscription {}", subscription.dead,
                            subscription.dead == 1 ? "" : "s", subscription.name);
    item.why = "given up; redrive them when the receiver is mended";
    if (!subscription.last_error.empty()) {
      item.why += ". The last error: " + subscription.last_error;
    }
    out.push_back(std::move(item));
  }
}

AttentionItem about(const LaggingGroup& lagging) {
  AttentionItem item;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lagging.behind).count();
  item.what = fmt::format("Group {} is {} s behind in {}", lagging.group, seconds, lagging.stream);
  const bool has_members = lagging.members > 0;
  item.why = fmt::format("{} records wait; {}", lagging.records,
                         has_members ? "its members are too slow, or stand still"
                                     : "it has no member: no program of it runs");
  item.since = lagging.since;
  item.label = "Look at the group";
  item.href = "/groups/" + http::percent_encode(lagging.group);
  item.command = "weft group describe " + lagging.group;
  return item;
}

}  // namespace

std::vector<AttentionItem> needs_attention(const AttentionFacts& facts) {
  std::vector<AttentionItem> items;
  for (const auto& check : facts.checks) look_at_check(items, check);
  for (const auto& subscription : facts.subscriptions) look_at_subscription(items, subscription);
  for (const auto& lagging : facts.lagging) items.push_back(about(lagging));
  if (facts.gateway_error_share > kErrorShareMax) {
    AttentionItem item;
    item.what = "The gateway answers with errors";
    item.why = fmt::format("{:.1f} % of the answers of the last 15 minutes were 500 and above",
                           facts.gateway_error_share * 100);
    item.label = "Look at the failed traces";
    item.href = "/traces?errorsOnly=true";
    item.command = "weft trace list --errors";
    items.push_back(std::move(item));
  }
  std::ranges::stable_sort(items, {}, &AttentionItem::severity);
  return items;
}

void write_attention(JsonWriter& out, const AttentionItem& item) {
  out.object()
      .member("severity", name(item.severity))
      .member("what", item.what)
      .member("why", item.why);
  if (item.since) out.member("since", to_rfc3339(*item.since));
  out.key("next").object().member("label", item.label).member("href", item.href);
  if (!item.command.empty()) out.member("command", item.command);
  out.end().end();
}

}  // namespace weft::app
