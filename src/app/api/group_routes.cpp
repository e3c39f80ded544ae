#include "app/api/group_routes.h"

#include <algorithm>
#include <set>

#include "app/api/audited.h"
#include "app/watch/group_lag.h"
#include "base/json_members.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using eventlog::Offset;
using identity::action::kAdminRead;
using identity::action::kAdminRedrive;

Failure no_such_group(const std::string& name) {
  return fail(ErrorCode::NotFound, "there is no group \"{}\"; `weft group list` shows them", name);
}

void write_alert(JsonWriter& out, const std::optional<WatchedGroup>& watched) {
  const bool is_alert = watched && watched->alert_since;
  out.member("alert", is_alert);
  if (is_alert) out.member("alertSince", to_rfc3339(*watched->alert_since));
}

Task<Result<http::Response>> list_groups(GroupRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  const std::string tenant(call.tenant());
  auto readers = co_await consumer_groups(parts.log, parts.groups, tenant);
  std::ranges::sort(readers, {}, &Reader::name);
  JsonWriter out;
  out.object().key("items").array();
  std::size_t shown = 0;
  std::string last;
  for (const auto& reader : readers) {
    if (reader.name <= after) continue;
    if (shown == limit) break;
    const auto behind = co_await time_behind(parts.log, parts.clock.now(), reader.positions);
    const auto watched = parts.lag.find(tenant, reader.name);
    out.object().member("group", reader.name).member("state", reader.state);
    out.member("members", reader.members).member("lag", reader.lag());
    out.member("lagSeconds", std::chrono::duration<double>(behind).count());
    write_alert(out, watched);
    out.key("streams").array();
    std::set<std::string> streams;
    for (const auto& position : reader.positions) streams.insert(position.stream);
    for (const auto& stream : streams) out.value(std::string_view(stream));
    out.end().end();
    last = reader.name;
    ++shown;
  }
  out.end();
  if (shown == limit && last != readers.back().name) out.member("nextCursor", make_cursor(last));
  out.end();
  co_return json_answer(std::move(out));
}

Task<std::optional<Reader>> find_group(GroupRoutesParts& parts, std::string tenant,
                                       std::string name) {
  auto readers = co_await consumer_groups(parts.log, parts.groups, std::move(tenant));
  for (auto& reader : readers) {
    if (reader.name == name) co_return std::move(reader);
  }
  co_return std::nullopt;
}

void write_members(JsonWriter& out, const kafka::GroupDescription& description) {
  out.key("clients").array();
  for (const auto& member : description.members) {
    out.object().member("memberId", member.id);
    if (member.instance_id) out.member("instanceId", *member.instance_id);
    out.member("clientId", member.client_id).member("host", member.client_host).end();
  }
  out.end();
}

Task<Result<http::Response>> get_group(GroupRoutesParts& parts, ApiCall& call) {
  const std::string tenant(call.tenant());
  const auto& name = call.captures[0];
  const auto reader = co_await find_group(parts, tenant, name);
  if (!reader) co_return no_such_group(name);
  const auto behind = co_await time_behind(parts.log, parts.clock.now(), reader->positions);
  const auto watched = parts.lag.find(tenant, name);
  kafka::GroupKey key{tenant, name};
  const auto description = co_await parts.groups->describe(std::move(key));
  JsonWriter out;
  out.object().key("group");
  write_reader(out, *reader, behind);
  write_alert(out, watched);
  write_members(out, description);
  out.key("history").array();
  if (watched) {
    for (const auto& point : watched->history) {
      out.object().member("at", to_rfc3339(point.at)).member("lag", point.records);
      out.member("lagSeconds", std::chrono::duration<double>(point.behind).count()).end();
    }
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

// Where a group is to go on.
struct ResetTo {
  enum class Kind : std::uint8_t { Earliest, Latest, At, Time, Shift };
  Kind kind = Kind::Earliest;
  Offset number = 0;  // of At and Shift
  WallTime time{};
};

Result<ResetTo> read_reset(const Json& body) {
  ResetTo to;
  const auto kind = text_of(body, "to");
  const auto number = member_integer(body, "number");
  if (kind == "earliest") return to;
  if (kind == "latest") {
    to.kind = ResetTo::Kind::Latest;
    return to;
  }
  if (kind == "offset" || kind == "shift") {
    to.kind = kind == "offset" ? ResetTo::Kind::At : ResetTo::Kind::Shift;
    if (!number) return fail(ErrorCode::InvalidArgument, "to: {} needs an integer `number`", kind);
    to.number = *number;
    return to;
  }
  if (kind == "time") {
    to.kind = ResetTo::Kind::Time;
    TRY(to.time, parse_rfc3339(text_of(body, "time")));
    return to;
  }
  return fail(ErrorCode::InvalidArgument,
              "`to` is earliest, latest, offset, time or shift, not \"{}\"", kind);
}

struct ResetStep {
  eventlog::StreamInfo stream;
  std::int32_t partition = 0;
  Offset from = -1;  // -1: the group has no offset there
  Offset to = 0;
};

// Which partitions a request is about: of the stream that it names, or all that the group has.
Result<std::vector<ResetStep>> steps_of(GroupRoutesParts& parts, const Json& body,
                                        std::string_view tenant, const Reader* reader) {
  const auto named = text_of(body, "stream");
  const auto only = member_integer(body, "partition");
  std::vector<ResetStep> steps;
  if (!named.empty()) {
    const auto stream = parts.streams.find(tenant, named);
    if (!stream) return fail(ErrorCode::NotFound, "there is no stream \"{}\"", named);
    for (std::int32_t i = 0; i < stream->info.settings.partitions; ++i) {
      if (!only || *only == i) steps.push_back({stream->info, i, -1, 0});
    }
    if (steps.empty()) {
      return fail(ErrorCode::InvalidArgument, "stream {} has partitions 0 to {}", named,
                  stream->info.settings.partitions - 1);
    }
  }
  if (reader == nullptr) return steps;
  for (const auto& position : reader->positions) {
    const auto info = parts.log.stream(position.partition.stream);
    if (!info) continue;
    const auto known = std::ranges::find_if(steps, [&](const ResetStep& step) {
      return step.stream.id == info->id && step.partition == position.partition.partition;
    });
    if (known != steps.end()) known->from = position.next;
    if (named.empty()) steps.push_back({*info, position.partition.partition, position.next, 0});
  }
  return steps;
}

// Offsets outside of the partition are brought to its nearest end, as Kafka's tools do.
Task<Result<>> aim(eventlog::EventLog& log, ResetTo to, ResetStep& step) {
  const eventlog::PartitionId id{step.stream.id, step.partition};
  const auto info = log.partition(id);
  if (!info) co_return fail(ErrorCode::NotFound, "a partition went away");
  switch (to.kind) {
    case ResetTo::Kind::Earliest:
      step.to = info->start;
      break;
    case ResetTo::Kind::Latest:
      step.to = info->end;
      break;
    case ResetTo::Kind::At:
      step.to = to.number;
      break;
    case ResetTo::Kind::Shift:
      step.to = (step.from < 0 ? info->start : step.from) +
                std::clamp(to.number, info->start - info->end, info->end - info->start);
      break;
    case ResetTo::Kind::Time: {
      CO_TRY(step.to, co_await log.offset_at(id, to.time));
      break;
    }
  }
  step.to = std::clamp(step.to, info->start, info->end);
  co_return Result<>();
}

std::string reset_json(const std::string& group, const std::vector<ResetStep>& steps,
                       bool is_preview) {
  JsonWriter out;
  out.object().member("group", group).member("preview", is_preview).key("items").array();
  for (const auto& step : steps) {
    out.object().member("stream", step.stream.settings.name).member("partition", step.partition);
    if (step.from >= 0) out.member("from", step.from);
    out.member("to", step.to);
    // Negative: so many are skipped.
    if (step.from >= 0) out.member("again", step.from - step.to);
    out.end();
  }
  out.end().end();
  return std::move(out).text();
}

Task<Result<>> commit_steps(GroupRoutesParts& parts, kafka::GroupKey key,
                            const std::vector<ResetStep>& steps) {
  kafka::CommitRequest request;
  for (const auto& step : steps) {
    kafka::CommittedOffset committed;
    committed.offset = step.to;
    committed.metadata = "reset";
    committed.time = parts.clock.now();
    request.offsets.emplace_back(kafka::OffsetKey{step.stream.topic_id, step.partition},
                                 std::move(committed));
  }
  const auto group = key.group;
  const auto outcome = co_await parts.groups->commit(std::move(key), std::move(request));
  if (outcome == kafka::KafkaError::None) co_return Result<>();
  if (outcome == kafka::KafkaError::UnknownMemberId ||
      outcome == kafka::KafkaError::RebalanceInProgress) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "group {} has members now: stop its programs first", group);
  }
  co_return fail(ErrorCode::Unavailable, "the offsets could not be stored (Kafka error {})",
                 static_cast<int>(outcome));
}

Task<Result<http::Response>> reset_group(GroupRoutesParts& parts, ApiCall& call) {
  const std::string tenant(call.tenant());
  const auto& name = call.captures[0];
  CO_TRY(auto body, JsonDocument::parse(std::string(call.body)));
  CO_TRY(const auto to, read_reset(body.root()));
  const auto* preview = body.root().find("preview");
  const bool is_preview = preview != nullptr && preview->as_bool();
  const auto reader = co_await find_group(parts, tenant, name);
  CO_TRY(auto steps, steps_of(parts, body.root(), tenant, reader ? &*reader : nullptr));
  if (steps.empty()) co_return no_such_group(name);
  if (reader && reader->members > 0 && !is_preview) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "group {} has {} members: stop its programs first", name, reader->members);
  }
  for (auto& step : steps) CO_CHECK(co_await aim(parts.log, to, step));
  auto answer = reset_json(name, steps, is_preview);
  if (!is_preview) {
    kafka::GroupKey key{tenant, name};
    CO_CHECK(co_await commit_steps(parts, std::move(key), steps));
    co_await note_in_audit(parts.audit, call, "group.reset", "Group " + name, answer);
  }
  co_return http::Response(200, "application/json", std::move(answer));
}

Task<Result<http::Response>> delete_group(GroupRoutesParts& parts, ApiCall& call) {
  const auto& name = call.captures[0];
  kafka::GroupKey key{std::string(call.tenant()), name};
  const auto outcome = co_await parts.groups->delete_group(std::move(key));
  if (outcome == kafka::KafkaError::GroupIdNotFound) co_return no_such_group(name);
  if (outcome == kafka::KafkaError::NonEmptyGroup) {
    co_return fail(ErrorCode::FailedPrecondition, "group {} has members: stop its programs first",
                   name);
  }
  if (outcome != kafka::KafkaError::None) {
    co_return fail(ErrorCode::Unavailable, "the group could not be deleted (Kafka error {})",
                   static_cast<int>(outcome));
  }
  co_await note_in_audit(parts.audit, call, "group.delete", "Group " + name);
  co_return http::Response(204, "", "");
}

}  // namespace

namespace {

Task<Result<http::Response>> of_a_cluster() {
  co_return fail(
      ErrorCode::Unsupported,
      "the streams are in a Kafka cluster, which coordinates its consumer groups itself: "
      "ask it, for example with kafka-consumer-groups --bootstrap-server");
}

}  // namespace

std::vector<ApiRoute> group_routes(GroupRoutesParts& parts) {
  auto with =
      [&parts](Task<Result<http::Response>> (*handler)(GroupRoutesParts&, ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) {
      return parts.groups != nullptr ? handler(parts, call) : of_a_cluster();
    };
  };
  return {
      {"GET", "/groups", "listGroups", kAdminRead, with(list_groups)},
      {"GET", "/groups/{group}", "getGroup", kAdminRead, with(get_group)},
      {"POST", "/groups/{group}/reset", "resetGroup", kAdminRedrive, with(reset_group)},
      {"DELETE", "/groups/{group}", "deleteGroup", kAdminRedrive, with(delete_group)},
  };
}

}  // namespace weft::app
