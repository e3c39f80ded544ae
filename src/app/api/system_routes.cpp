#include "app/api/system_routes.h"

#include "app/api/attention.h"
#include "app/version.h"
#include "app/watch/group_lag.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminRead;

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

std::string counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

NodeCheck check_log(const eventlog::LogStatus& status) {
  NodeCheck check{
      "log", "pass",
      counted(status.wal_files, "write-ahead file") + ", " + counted(status.segments, "segment")};
  if (status.damaged_ranges > 0) {
    check.status = "warn";
    check.message = counted(status.damaged_ranges, "damaged range") +
                    " found at start; copies are in quarantine/ of the log's folder";
  }
  if (status.scrub_damaged > 0) {
    check.status = "warn";
    check.message = counted(status.scrub_damaged, "damaged place") +
                    " in the log's files; the node's log names them: restore them from a backup";
  }
  if (status.disk_full) {
    check.status = "fail";
    check.message =
        "the disk is nearly full and appends are refused: free space or shorten a retention";
  }
  if (status.stopped) {
    check.status = "fail";
    check.message = "a write failed and the log takes nothing more: mend the disk, then restart";
  }
  return check;
}

NodeCheck check_archive(const eventlog::ArchiveStatus& archive) {
  NodeCheck check{"archive", "pass", fmt::format("{} bytes wait", archive.waiting_bytes)};
  if (archive.gaps > 0) {
    check.status = "warn";
    check.message = fmt::format(
        "it has a gap of {}: take a new backup, older ones cannot be restored to a moment behind it",
        counted(archive.gaps, "write-ahead file"));
  }
  if (archive.failing_since) {
    check.status = "warn";
    check.message = fmt::format(
        "takes nothing since {}; {} bytes wait, at backup.archiveWaitingBytesMax the oldest are "
        "given up. The log says why",
        to_rfc3339(*archive.failing_since), archive.waiting_bytes);
  }
  return check;
}

Task<NodeCheck> check_disk(SystemRoutesParts& parts) {
  NodeCheck check{"disk", "pass", ""};
  auto free = co_await parts.files.free_bytes(parts.data_folder);
  if (!free) {
    check.status = "warn";
    check.message = free.error().message;
    co_return check;
  }
  check.message = fmt::format("{:.1f} GiB free", static_cast<double>(*free) / kGiB);
  if (static_cast<double>(*free) < kGiB) {
    check.status = "warn";
    check.message +=
        "; below log.reserveBytes appends are refused. Shorten a retention or add space.";
  }
  co_return check;
}

NodeCheck check_delivery(const delivery::DeliveryTotals& totals) {
  NodeCheck check{"delivery", "pass",
                  fmt::format("{} pending, {} failing", totals.pending, totals.failing)};
  if (totals.dead > 0) {
    check.status = "warn";
    check.message = counted(totals.dead, "dead letter") + (totals.dead == 1 ? " waits" : " wait") +
                    " for a decision";
  }
  return check;
}

NodeCheck check_state(const StateStatus& state) {
  if (state.why.empty()) return {"state database", "pass", "reached and followed"};
  auto text = fmt::format("{} since {}: {}", state.is_away ? "away" : "not followed",
                          to_rfc3339(state.since), state.why);
  if (state.is_away)
    text += ". This node serves the last generation; changes are refused until it is back";
  return {"state database", "warn", std::move(text)};
}

// Nothing to say of a node that has all roles.
std::optional<NodeCheck> check_roles(const SystemRoutesParts& parts) {
  if (parts.roles.is_all()) return std::nullopt;
  auto lacking = parts.role_note();
  if (lacking.empty()) return NodeCheck{"roles", "pass", parts.roles.text()};
  return NodeCheck{"roles", "warn", parts.roles.text() + "; " + lacking};
}

Task<std::vector<NodeCheck>> check_all(SystemRoutesParts& parts, std::string tenant) {
  auto totals = co_await parts.delivery.totals(std::move(tenant));
  std::vector<NodeCheck> checks;
  if (parts.embedded != nullptr) {
    auto log_status = parts.embedded->status();
    checks.push_back(check_log(log_status));
    if (log_status.archive) checks.push_back(check_archive(*log_status.archive));
  }
  auto disk = co_await check_disk(parts);
  checks.push_back(std::move(disk));
  checks.push_back(check_delivery(totals));
  if (auto state = parts.state()) checks.push_back(check_state(*state));
  if (auto roles = check_roles(parts)) checks.push_back(*std::move(roles));
  co_return checks;
}

Task<Result<http::Response>> get_health(SystemRoutesParts& parts, ApiCall& call) {
  auto checks = co_await check_all(parts, std::string(call.tenant()));
  std::string worst = "pass";
  for (const auto& check : checks) {
    if (check.status == "fail" || (check.status == "warn" && worst == "pass")) worst = check.status;
  }
  auto now = parts.clock.now();
  JsonWriter out;
  out.object()
      .member("status", worst)
      .member("version", kVersion)
      .member("startedAt", to_rfc3339(parts.started_at))
      .member("uptimeSeconds", std::chrono::duration<double>(now - parts.started_at).count())
      .member("generation", parts.estate.current()->generation())
      .member("dataFolder", parts.data_folder)
      .key("listeners")
      .array();
  for (const auto& [name, url] : parts.listeners)
    out.object().member("name", name).member("url", url).end();
  out.end().key("checks").array();
  for (const auto& check : checks) {
    out.object()
        .member("name", check.name)
        .member("status", check.status)
        .member("message", check.message)
        .end();
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

struct Lag {
  std::string of;
  std::int64_t records = 0;
  Duration time{};
};

// Of the consumer group or subscription with the most records before it.
Task<Lag> furthest_behind(SystemRoutesParts& parts, std::string tenant,
                          const std::vector<delivery::SubscriptionStatus>& subscriptions) {
  auto readers = co_await consumer_groups(parts.log, parts.groups, std::move(tenant));
  Lag most;
  const Reader* furthest = nullptr;
  for (const auto& subscription : subscriptions) readers.push_back(reader_of(subscription));
  for (const auto& reader : readers) {
    auto lag = reader.lag();
    if (lag <= most.records) continue;
    most.of = reader.name;
    most.records = lag;
    furthest = &reader;
  }
  if (furthest == nullptr) co_return most;
  auto behind = furthest->behind;
  if (!behind) behind = co_await time_behind(parts.log, parts.clock.now(), furthest->positions);
  most.time = *behind;
  co_return most;
}

void write_series(JsonWriter& out, const Activity& activity) {
  out.key("series").array();
  for (const auto& point : activity.series()) {
    out.object()
        .member("t", to_rfc3339(point.start))
        .member("requests", point.counts.requests)
        .member("errors", point.counts.errors)
        .member("records", point.counts.records)
        .member("deliveries", point.counts.deliveries)
        .member("failures", point.counts.failures)
        .end();
  }
  out.end();
}

// "Subscription crm updated", of "estate.update" and "Subscription crm".
std::string summary_of(const estate::AuditEvent& event) {
  auto verb = event.action.substr(event.action.find('.') + 1);
  if (verb == "apply")
    verb = "applied";
  else if (verb == "rollback")
    verb = "made by a rollback";
  else if (verb.ends_with('e'))
    verb += 'd';
  else
    verb += "ed";
  return event.object + " " + verb;
}

Task<void> write_recent_changes(JsonWriter& out, SystemRoutesParts& parts, std::string tenant) {
  out.key("recentChanges").array();
  estate::AuditQuery query;
  if (!tenant.empty()) query.tenant = std::move(tenant);
  query.limit = 10;
  auto entries = co_await parts.audit.list(std::move(query));
  if (entries) {
    for (const auto& entry : *entries) {
      out.object()
          .member("at", to_rfc3339(entry.time))
          .member("actor", entry.event.actor)
          .member("summary", summary_of(entry.event))
          .member("generation", entry.event.generation)
          .end();
    }
  }
  out.end();
}

std::vector<LaggingGroup> lagging_groups(const LagWatch& watch, const std::string& tenant) {
  std::vector<LaggingGroup> lagging;
  for (const auto& group : watch.of_tenant(tenant)) {
    if (!group.alert_since) continue;
    lagging.push_back({group.name, group.records, group.behind, *group.alert_since,
                       group.furthest_stream, group.members});
  }
  return lagging;
}

Task<Result<http::Response>> get_overview(SystemRoutesParts& parts, ApiCall& call) {
  auto rates = parts.activity.rates();
  auto tenant = std::string(call.tenant());
  auto totals = co_await parts.delivery.totals(tenant);
  AttentionFacts facts;
  facts.subscriptions = co_await parts.delivery.subscriptions(tenant);
  auto lag = co_await furthest_behind(parts, tenant, facts.subscriptions);
  JsonWriter out;
  out.object()
      .member("requestsPerSecond", rates.requests)
      .member("recordsPerSecond", rates.records)
      .member("deliveriesPerSecond", rates.deliveries)
      .member("deliveryFailures", rates.failures)
      .member("deadLetters", totals.dead)
      .member("pendingDeliveries", totals.pending)
      .member("maxLagRecords", lag.records)
      .member("maxLagSeconds", std::chrono::duration<double>(lag.time).count())
      .member("errorRate", rates.error_share)
      .key("p95Ms");
  auto p95 = parts.p95_ms();
  if (p95 > 0)
    out.value(p95);
  else
    out.null();
  if (!lag.of.empty()) out.member("maxLagOf", lag.of);
  out.member("stepSeconds", std::chrono::seconds(5).count());
  write_series(out, parts.activity);
  co_await write_recent_changes(out, parts, call.confined_to());
  out.key("attention").array();
  facts.checks = co_await check_all(parts, tenant);
  facts.gateway_error_share = rates.error_share;
  if (parts.lag != nullptr) facts.lagging = lagging_groups(*parts.lag, tenant);
  for (const auto& item : needs_attention(facts)) write_attention(out, item);
  out.end().end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> get_openapi(SystemRoutesParts& parts, ApiCall&) {
  co_return http::Response(200, "application/json", parts.openapi_json);
}

}  // namespace

std::vector<ApiRoute> system_routes(SystemRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(SystemRoutesParts&,
                                                               ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {{"GET", "/health", "getHealth", kAdminRead, with(get_health)},
          {"GET", "/overview", "getOverview", kAdminRead, with(get_overview)},
          {"GET", "/openapi.json", "getOpenApi", kAdminRead, with(get_openapi)}};
}

}  // namespace weft::app
