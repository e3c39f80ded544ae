#include "delivery/core/dead_letter.h"

#include "base/json.h"
#include "base/json_members.h"
#include "base/json_writer.h"

namespace weft::delivery {

namespace {

constexpr std::string_view kStateHeader = "weft-dead-letter";
constexpr std::string_view kKey = "weft-key";
constexpr std::string_view kNoKey = "weft-no-key";
constexpr std::string_view kNoValue = "weft-no-value";

std::string state_json(const DeadLetter& letter) {
  const auto& delivery = letter.delivery;
  JsonWriter out;
  out.object();
  out.member("state", letter.state == DeadState::Dead ? "dead" : "redriving");
  out.member("since", to_rfc3339(letter.since));
  if (!letter.actor.empty()) out.member("actor", letter.actor);
  if (letter.event_is_lost) out.member("eventIsLost", true);
  out.member("tenant", delivery.tenant).member("subscription", delivery.subscription);
  out.member("stream", delivery.stream).member("partition", delivery.partition);
  out.member("offset", delivery.offset);
  out.member("eventId", delivery.event_id).member("eventType", delivery.event_type);
  out.member("createdAt", to_rfc3339(delivery.created));
  out.member("attempts", delivery.attempts).member("lastStatus", delivery.last_status);
  if (delivery.last_attempt) out.member("lastAttemptAt", to_rfc3339(*delivery.last_attempt));
  out.member("lastError", delivery.last_error).member("reason", delivery.dead_reason);
  out.member("traceId", delivery.trace_id);
  out.end();
  return std::move(out).text();
}

void read_state(const Json& root, DeadLetter& out) {
  out.state = text_of(root, "state") == "redriving" ? DeadState::Redriving : DeadState::Dead;
  out.since = member_time(root, "since").value_or(WallTime());
  out.actor = text_of(root, "actor");
  const auto* lost = root.find("eventIsLost");
  out.event_is_lost = lost != nullptr && lost->as_bool();
  auto& delivery = out.delivery;
  delivery.tenant = text_of(root, "tenant");
  delivery.subscription = text_of(root, "subscription");
  delivery.stream = text_of(root, "stream");
  delivery.partition = static_cast<std::int32_t>(member_integer(root, "partition").value_or(0));
  delivery.offset = member_integer(root, "offset").value_or(0);
  delivery.event_id = text_of(root, "eventId");
  delivery.event_type = text_of(root, "eventType");
  delivery.created = member_time(root, "createdAt").value_or(WallTime());
  delivery.attempts = static_cast<std::uint32_t>(member_integer(root, "attempts").value_or(0));
  delivery.last_status = static_cast<int>(member_integer(root, "lastStatus").value_or(0));
  delivery.last_attempt = member_time(root, "lastAttemptAt");
  delivery.last_error = text_of(root, "lastError");
  delivery.dead_reason = text_of(root, "reason");
  delivery.trace_id = text_of(root, "traceId");
  delivery.status = out.state == DeadState::Dead ? DeliveryStatus::Dead : DeliveryStatus::Pending;
}

}  // namespace

eventlog::NewRecord to_record(const DeadLetter& letter) {
  eventlog::NewRecord record;
  record.key = letter.delivery.id;
  // A record without value would end the dead letter, so an event without one is marked.
  record.value = letter.event.value.value_or("");
  record.headers = letter.event.headers;
  if (!letter.event.value) record.headers.emplace_back(kNoValue, "1");
  if (!letter.event.key) record.headers.emplace_back(kNoKey, "1");
  record.headers.emplace_back(kKey, letter.event.key.value_or(""));
  record.headers.emplace_back(kStateHeader, state_json(letter));
  return record;
}

Result<DeadLetter> parse_dead_letter(const eventlog::Record& record) {
  auto state = record.header(kStateHeader);
  if (!state || !record.key || !record.value) {
    return fail(ErrorCode::DataLoss, "offset {} of the dead letters is none", record.offset);
  }
  auto document = JsonDocument::parse(std::string(*state));
  if (!document) return std::unexpected(std::move(document).error().within("dead letter"));
  DeadLetter letter;
  read_state(document->root(), letter);
  letter.delivery.id = *record.key;
  letter.event.offset = letter.delivery.offset;
  letter.event.timestamp = letter.delivery.created;
  if (!record.header(kNoValue)) letter.event.value = record.value;
  if (!record.header(kNoKey)) letter.event.key = std::string(record.header(kKey).value_or(""));
  for (const auto& header : record.headers) {
    if (header.first == kStateHeader || header.first == kNoKey || header.first == kNoValue ||
        header.first == kKey) {
      continue;
    }
    letter.event.headers.push_back(header);
  }
  return letter;
}

eventlog::NewRecord resolved_record(std::string_view delivery_id) {
  eventlog::NewRecord record;
  record.key = std::string(delivery_id);
  return record;
}

}  // namespace weft::delivery
