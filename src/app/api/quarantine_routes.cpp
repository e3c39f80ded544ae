#include "app/api/quarantine_routes.h"

#include "app/api/audited.h"
#include "app/api/stream_json.h"
#include "eventlog/quarantine.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using identity::action::kAdminRead;
using identity::action::kAdminRedrive;

Task<Result<http::Response>> list_rejects(QuarantineRoutesParts& parts, ApiCall& call) {
  CO_TRY(const auto limit, call.limit());
  const auto& name = call.captures[0];
  if (!parts.streams.find(call.tenant(), name)) co_return no_such_stream(name);
  CO_TRY(const auto rejects,
         co_await parts.rejects.latest(std::string(call.tenant()), name, limit));
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& reject : rejects) {
    out.object().member("at", to_rfc3339(reject.at)).member("outcome", reject.outcome);
    out.member("door", reject.door).member("principal", reject.principal);
    out.member("client", reject.client);
    if (reject.partition >= 0) out.member("partition", reject.partition);
    out.member("sent", reject.sent).member("broken", reject.broken);
    out.member("index", reject.index).member("reason", reject.reason).end();
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> list_quarantines(QuarantineRoutesParts& parts, ApiCall& call) {
  JsonWriter out;
  out.object().key("items").array();
  for (const auto& stream : parts.streams.of_tenant(call.tenant())) {
    if (stream->declared->quarantine.empty()) continue;
    const auto quarantine = parts.streams.find(call.tenant(), stream->declared->quarantine);
    if (!quarantine) continue;
    const auto info = parts.log.partition({quarantine->info.id, 0});
    if (!info) continue;
    out.object().member("stream", stream->info.settings.name);
    out.member("quarantine", stream->declared->quarantine);
    out.member("records", info->end - info->start).member("bytes", info->bytes).end();
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> redrive_quarantine(QuarantineRoutesParts& parts, ApiCall& call) {
  const auto& name = call.captures[0];
  const auto stream = parts.streams.find(call.tenant(), name);
  if (!stream) co_return no_such_stream(name);
  const auto quarantine = parts.streams.find(call.tenant(), stream->declared->quarantine);
  if (stream->declared->quarantine.empty() || !quarantine || parts.batches == nullptr) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "stream {} has no quarantine: its document says onViolation: refuse", name);
  }
  CO_TRY(const auto result,
         co_await eventlog::redrive(parts.log, *parts.batches, stream, quarantine));
  JsonWriter out;
  out.object().member("stored", result.stored).member("kept", result.kept).end();
  co_await note_in_audit(parts.audit, call, "quarantine.redrive", "Stream " + name, out.text());
  co_return json_answer(std::move(out));
}

}  // namespace

std::vector<ApiRoute> quarantine_routes(QuarantineRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(QuarantineRoutesParts&,
                                                               ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {
      {"GET", "/quarantines", "listQuarantines", kAdminRead, with(list_quarantines)},
      {"GET", "/streams/{stream}/rejects", "listRejects", kAdminRead, with(list_rejects)},
      {"POST", "/streams/{stream}/quarantine/redrive", "redriveQuarantine", kAdminRedrive,
       with(redrive_quarantine)},
  };
}

}  // namespace weft::app
