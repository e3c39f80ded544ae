#include "app/api/replay_routes.h"

#include <algorithm>

#include "app/api/audited.h"
#include "app/api/stream_json.h"
#include "base/json_members.h"
#include "eventlog/quarantine.h"
#include "eventlog/replay.h"
#include "identity/decisions.h"
#include "runtime/on_loop.h"

namespace weft::app {
namespace {

using eventlog::Offset;
using eventlog::ReplayRange;

// A call goes on for so long; whoever asked asks again from where it ended.
constexpr Duration kTurn = 1s;

// Of the caller, beside what the route asks: who replays reads the one stream and writes the other.
Result<> check_grant(const ApiCall& call, std::string_view action, const std::string& stream) {
  const identity::Decisions decisions;
  const identity::ResourceRef resource{std::string(call.tenant()), "Stream", stream};
  const auto decision = decisions.decide(*call.principal, action, resource);
  if (decision) return {};
  return fail(ErrorCode::PermissionDenied, "{}",
              decisions.explain(decision, *call.principal, action, resource));
}

Result<> check_storage(ReplayRoutesParts& parts, const ApiCall& call) {
  eventlog::Quotas::Share share;
  parts.quotas.refresh(share, call.principal->tenant, call.principal->name, "");
  return parts.quotas.check_storage(share);
}

// The stream that gets the copies.
Result<eventlog::StreamRef> target_of(ReplayRoutesParts& parts, const ApiCall& call,
                                      const Json& body) {
  const auto name = text_of(body, "into");
  if (name.empty()) return fail(ErrorCode::InvalidArgument, "/into must name a stream");
  if (name == call.captures[0]) {
    return fail(ErrorCode::InvalidArgument,
                "/into: {} itself: all of its readers would get the copies; name another stream",
                name);
  }
  auto into = parts.streams.find(call.tenant(), name);
  if (!into) return fail(ErrorCode::NotFound, "/into: no stream {}", name);
  CHECK(eventlog::check_open_to_writers(*into));
  CHECK(check_grant(call, identity::action::kStreamWrite, name));
  return into;
}

// One end of the range: an offset, or that of the first record of a time. What cannot be read must
// not count as left out: the range would be another one.
Task<Result<Offset>> end_of_range(ReplayRoutesParts& parts, eventlog::PartitionId partition,
                                  const Json& body, std::string_view name, Offset otherwise) {
  const auto offset_name = fmt::format("{}Offset", name);
  const auto time_name = fmt::format("{}Time", name);
  const bool has_time = body.find(time_name) != nullptr;
  if (body.find(offset_name) != nullptr) {
    if (has_time)
      co_return fail(ErrorCode::InvalidArgument, "give /{} or /{}, not both", offset_name,
                     time_name);
    const auto offset = member_integer(body, offset_name);
    if (offset && *offset >= 0) co_return *offset;
    co_return fail(ErrorCode::InvalidArgument, "/{} must be an offset, from 0", offset_name);
  }
  if (!has_time) co_return otherwise;
  const auto time = member_time(body, time_name);
  if (time) co_return co_await parts.log.offset_at(partition, *time);
  co_return fail(ErrorCode::InvalidArgument, "/{} must be a time such as 2025-03-14T09:00:00Z",
                 time_name);
}

Task<Result<ReplayRange>> range_of(ReplayRoutesParts& parts, const eventlog::Stream& stream,
                                   const Json& body) {
  ReplayRange range;
  if (body.find("key") != nullptr) {
    const auto key = member_text(body, "key");
    if (!key) co_return fail(ErrorCode::InvalidArgument, "/key must be a text");
    range.key = std::string(*key);
  }
  const auto partitions = stream.info.settings.partitions;
  const auto number = member_count(body, "partition");
  if (!number || *number >= static_cast<std::uint64_t>(partitions)) {
    co_return fail(ErrorCode::InvalidArgument, "/partition must be given, from 0, and below {}",
                   partitions);
  }
  range.from = {stream.info.id, static_cast<std::int32_t>(*number)};
  const auto info = parts.log.partition(range.from);
  if (!info) co_return fail(ErrorCode::NotFound, "the stream is gone");
  CO_TRY(range.first, co_await end_of_range(parts, range.from, body, "from", info->start));
  CO_TRY(range.until, co_await end_of_range(parts, range.from, body, "until", info->stable_end));
  if (range.first < info->start) {
    co_return fail(ErrorCode::OutOfRange,
                   "partition {} begins at offset {} now: what lies before it is deleted",
                   range.from.partition, info->start);
  }
  range.until = std::min(range.until, info->stable_end);
  co_return range;
}

// How far a call came; the range begins where the next one goes on.
struct Progress {
  std::uint64_t records = 0;
  std::optional<Error> error;
};

Task<Progress> advance(ReplayRoutesParts& parts, ReplayRange& range, eventlog::StreamRef into,
                       bool is_preview) {
  Progress progress;
  const auto ends = parts.clock.mono() + kTurn;
  while (range.first < range.until && parts.clock.mono() < ends) {
    auto some =
        co_await eventlog::replay_some(parts.log, range, into, parts.clock.now(), is_preview);
    if (!some) {
      progress.error = std::move(some).error();
      progress.error->message +=
          fmt::format("; partition {} is {} up to offset {}", range.from.partition,
                      is_preview ? "looked at" : "replayed", range.first);
      break;
    }
    progress.records += some->records;
    range.first = some->next;
    co_await next_turn();
  }
  co_return progress;
}

std::string replay_json(const eventlog::Stream& into, const ReplayRange& range, Offset from,
                        std::uint64_t records, bool is_preview) {
  JsonWriter out;
  out.object().member("into", into.info.settings.name);
  out.member("partition", range.from.partition).member("preview", is_preview);
  if (range.key) out.member("key", *range.key);
  out.member("from", from).member("until", std::max(range.until, from));
  out.member("records", records);
  if (range.first < range.until) out.member("next", range.first);
  out.end();
  return std::move(out).text();
}

Task<Result<http::Response>> replay(ReplayRoutesParts& parts, ApiCall& call) {
  const auto& name = call.captures[0];
  const auto stream = parts.streams.find(call.tenant(), name);
  if (!stream) co_return no_such_stream(name);
  CO_CHECK(check_grant(call, identity::action::kStreamRead, name));
  CO_TRY(const auto body, JsonDocument::parse(std::string(call.body)));
  CO_TRY(const auto into, target_of(parts, call, body.root()));
  CO_TRY(auto range, co_await range_of(parts, *stream, body.root()));
  const auto* preview = body.root().find("preview");
  if (preview != nullptr && !preview->is_bool()) {
    co_return fail(ErrorCode::InvalidArgument, "/preview must be true or false");
  }
  const bool is_preview = preview != nullptr && preview->as_bool();
  if (!is_preview) CO_CHECK(check_storage(parts, call));
  const auto from = range.first;
  auto progress = co_await advance(parts, range, into, is_preview);
  auto answer = replay_json(*into, range, from, progress.records, is_preview);
  if (!is_preview && progress.records > 0)
    co_await note_in_audit(parts.audit, call, "stream.replay", "Stream " + name, answer);
  if (progress.error) co_return std::unexpected(*std::move(progress.error));
  co_return http::Response(200, "application/json", std::move(answer));
}

}  // namespace

std::vector<ApiRoute> replay_routes(ReplayRoutesParts& parts) {
  return {{"POST", "/streams/{stream}/replay", "replayStream", identity::action::kAdminRedrive,
           [&parts](ApiCall& call) { return replay(parts, call); }}};
}

}  // namespace weft::app
