#include "app/api/system_routes.h"

#include "app/version.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminRead;

struct Check {
  std::string name;
  std::string status = "pass";  // pass, warn, fail
  std::string message;
};

constexpr double kMiB = 1024.0 * 1024.0;

Check check_log(const eventlog::LogStatus& status) {
  Check check{"log", "pass", fmt::format("{} write-ahead files, {} segments", status.wal_files, status.segments)};
  if (status.damaged_ranges > 0) {
    check.status = "warn";
    check.message = fmt::format("{} damaged ranges were found at start; copies are in quarantine/ of the log's folder",
                                status.damaged_ranges);
  }
  if (status.disk_full) {
    check.status = "fail";
    check.message = "the disk is nearly full and appends are refused: free space or shorten a retention";
  }
  if (status.stopped) {
    check.status = "fail";
    check.message = "a write failed and the log takes nothing more: mend the disk, then restart";
  }
  return check;
}

Task<Check> check_disk(SystemRoutesParts& parts) {
  Check check{"disk", "pass", ""};
  auto free = co_await parts.files.free_bytes(parts.data_folder);
  if (!free) {
    check.status = "warn";
    check.message = free.error().message;
    co_return check;
  }
  check.message = fmt::format("{:.0f} MiB free", static_cast<double>(*free) / kMiB);
  if (static_cast<double>(*free) < 1024 * kMiB) {
    check.status = "warn";
    check.message += "; below log.reserveBytes appends are refused. Shorten a retention or add space.";
  }
  co_return check;
}

Check check_delivery(const delivery::DeliveryTotals& totals) {
  Check check{"delivery", "pass", fmt::format("{} pending, {} failing", totals.pending, totals.failing)};
  if (totals.dead > 0) {
    check.status = "warn";
    check.message = fmt::format("{} dead letters wait for a decision: `weft delivery list --status dead`", totals.dead);
  }
  return check;
}

Task<Result<http::Response>> get_health(SystemRoutesParts& parts, ApiCall& call) {
  auto totals = co_await parts.delivery.totals(std::string(call.tenant()));
  std::vector<Check> checks;
  checks.push_back(check_log(parts.log.status()));
  auto disk = co_await check_disk(parts);
  checks.push_back(std::move(disk));
  checks.push_back(check_delivery(totals));
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
  for (const auto& [name, url] : parts.listeners) out.object().member("name", name).member("url", url).end();
  out.end().key("checks").array();
  for (const auto& check : checks) {
    out.object().member("name", check.name).member("status", check.status).member("message", check.message).end();
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

struct Lag {
  std::string of;
  std::uint64_t records = 0;
  Duration time{};
};

Lag furthest_behind(const std::vector<delivery::SubscriptionStatus>& subscriptions) {
  Lag most;
  for (const auto& status : subscriptions) {
    auto time = status.lag_time.value_or(Duration::zero());
    if (status.lag_records + status.in_flight + status.failing == 0) continue;
    if (most.of.empty() || time > most.time) {
      most = {status.name, status.lag_records + status.in_flight + status.failing, time};
    }
  }
  return most;
}

void write_attention(JsonWriter& out, const Check& check, std::string_view href, std::string_view command) {
  if (check.status == "pass") return;
  out.object()
      .member("severity", check.status == "fail" ? "critical" : "warning")
      .member("what", check.name + (check.status == "fail" ? " has failed" : " needs a look"))
      .member("why", check.message)
      .key("next")
      .object()
      .member("label", "Look at it")
      .member("href", href)
      .member("command", command)
      .end()
      .end();
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

Task<void> write_recent_changes(JsonWriter& out, SystemRoutesParts& parts) {
  out.key("recentChanges").array();
  estate::AuditQuery query;
  query.limit = 10;
  auto entries = co_await parts.audit.list(std::move(query));
  if (entries) {
    for (const auto& entry : *entries) {
      out.object()
          .member("at", to_rfc3339(entry.time))
          .member("actor", entry.event.actor)
          .member("summary", entry.event.action + " " + entry.event.object)
          .member("generation", entry.event.generation)
          .end();
    }
  }
  out.end();
}

Task<Result<http::Response>> get_overview(SystemRoutesParts& parts, ApiCall& call) {
  auto rates = parts.activity.rates();
  auto tenant = std::string(call.tenant());
  auto totals = co_await parts.delivery.totals(tenant);
  auto lag = furthest_behind(co_await parts.delivery.subscriptions(tenant));
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
  if (p95 > 0) out.value(p95);
  else out.null();
  if (!lag.of.empty()) out.member("maxLagOf", lag.of);
  out.member("stepSeconds", std::chrono::seconds(5).count());
  write_series(out, parts.activity);
  co_await write_recent_changes(out, parts);
  out.key("attention").array();
  write_attention(out, check_log(parts.log.status()), "/streams", "weft doctor");
  auto disk = co_await check_disk(parts);
  write_attention(out, disk, "/streams", "weft doctor");
  write_attention(out, check_delivery(totals), "/deliveries?status=dead", "weft delivery list --status dead");
  out.end().end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> get_openapi(SystemRoutesParts& parts, ApiCall&) {
  co_return http::Response(200, "application/json", parts.openapi_json);
}

}  // namespace

std::vector<ApiRoute> system_routes(SystemRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(SystemRoutesParts&, ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {{"GET", "/health", "getHealth", kAdminRead, with(get_health)},
          {"GET", "/overview", "getOverview", kAdminRead, with(get_overview)},
          {"GET", "/openapi.json", "getOpenApi", "", with(get_openapi)}};
}

}  // namespace weft::app
