#include "app/api/audit_routes.h"

#include <charconv>

#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminAudit;

// The trail says "estate.create"; what is changed in the estate needs no noun here.
std::string_view shown_action(std::string_view action) {
  constexpr std::string_view kEstate = "estate.";
  if (action.starts_with(kEstate)) action.remove_prefix(kEstate.size());
  return action;
}

void write_audit_entry(JsonWriter& out, const estate::AuditEntry& entry) {
  const auto& event = entry.event;
  out.object()
      .member("sequence", entry.sequence)
      .member("at", to_rfc3339(entry.time))
      .member("actor", event.actor)
      .member("action", shown_action(event.action));
  auto space = event.object.find(' ');
  out.member("kind", std::string_view(event.object).substr(0, space));
  if (space != std::string::npos)
    out.member("name", std::string_view(event.object).substr(space + 1));
  if (event.generation > 0) out.member("generation", event.generation);
  write_before_and_after(out, event);
  out.member("hash", entry.hash).member("previousHash", entry.previous_hash).end();
}

Task<Result<http::Response>> list_audit(AuditRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto cursor, read_cursor(call));
  estate::AuditQuery query;
  std::from_chars(cursor.data(), cursor.data() + cursor.size(), query.before_sequence);
  if (auto actor = call.parameter("actor")) query.actor = std::string(*actor);
  auto kind = call.parameter("kind");
  auto name = call.parameter("name");
  if (kind && name)
    query.object = fmt::format("{} {}", *kind, *name);
  else if (kind)
    query.object_kind = std::string(*kind);
  else if (name)
    query.object_name = std::string(*name);
  if (auto tenant = call.confined_to(); !tenant.empty()) query.tenant = std::move(tenant);
  query.limit = limit + 1;
  CO_TRY(auto entries, co_await parts.audit.list(std::move(query)));
  JsonWriter out;
  out.object().key("items").array();
  for (std::size_t i = 0; i < std::min(limit, entries.size()); ++i)
    write_audit_entry(out, entries[i]);
  out.end();
  if (entries.size() > limit) {
    out.member("nextCursor", make_cursor(std::to_string(entries[limit - 1].sequence)));
  }
  out.end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> verify_audit(AuditRoutesParts& parts, ApiCall&) {
  CO_TRY(auto report, co_await parts.estate.verify_audit());
  JsonWriter out;
  out.object()
      .member("intact", report.intact)
      .member("entries", report.head.count)
      .member("head", report.head.hash);
  if (!report.intact)
    out.member("badSequence", report.bad_sequence).member("reason", report.reason);
  out.end();
  co_return json_answer(std::move(out));
}

}  // namespace

void write_before_and_after(JsonWriter& out, const estate::AuditEvent& event) {
  for (auto [name, text] : {std::pair("before", &event.before), std::pair("after", &event.after)}) {
    out.key(name);
    if (*text)
      out.raw(**text);
    else
      out.null();
  }
}

std::vector<ApiRoute> audit_routes(AuditRoutesParts& parts) {
  return {
      {"GET", "/audit", "listAudit", kAdminAudit,
       [&parts](ApiCall& call) { return list_audit(parts, call); }},
      {"GET", "/audit/verify", "verifyAudit", kAdminAudit,
       [&parts](ApiCall& call) { return verify_audit(parts, call); }, Reach::Node},
  };
}

}  // namespace weft::app
