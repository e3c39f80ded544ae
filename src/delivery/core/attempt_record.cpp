#include "delivery/core/attempt_record.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "http/message.h"

namespace weft::delivery {

namespace {

constexpr std::array<std::string_view, 7> kSecretNames = {
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key",
    "apikey"};
constexpr std::array<std::string_view, 5> kSecretParts = {"secret", "token", "password",
                                                          "signature", "credential"};
constexpr char kCursorVersion = 1;
constexpr std::size_t kRecordTypical = 1536;
constexpr std::size_t kCursorHead = 1 + 16 + 8;

// Longer names are secret by their length: nobody names a header so.
constexpr std::size_t kNameMax = 128;

void write_time(JsonWriter& out, std::string_view name, const std::optional<WallTime>& time) {
  if (time) out.member(name, to_rfc3339(*time));
}

void write_text(JsonWriter& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.member(name, text);
}

void write_headers(JsonWriter& out, const HeaderList& headers) {
  out.key("headers").array();
  for (const auto& [name, value] : headers) {
    out.object().member("name", name).member("value", value).end();
  }
  out.end();
}

void write_attempt(JsonWriter& out, const AttemptDetail& attempt) {
  out.member("attempt", attempt.number);
  out.member("startedAt", to_rfc3339(attempt.started));
  out.member("durationUs",
             std::chrono::duration_cast<std::chrono::microseconds>(attempt.duration).count());
  out.member("outcome", attempt.delivered ? "delivered" : "failed");
  out.key("request").object().member("method", attempt.method).member("url", attempt.url);
  write_headers(out, attempt.request_headers);
  out.member("bodyBytes", attempt.request_bytes).end();
  if (attempt.status != 0) {
    out.key("response").object().member("status", attempt.status);
    write_headers(out, attempt.response_headers);
    if (!attempt.response_body.empty()) out.member("body", attempt.response_body);
    if (attempt.response_body_cut) out.member("bodyCut", true);
    out.end();
  }
  write_text(out, "error", attempt.error);
  write_text(out, "reason", attempt.reason);
  write_time(out, "nextAttemptAt", attempt.next_attempt);
}

// Reads members that this module wrote; a missing one leaves its default.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string text(std::string_view name) const { return text_of(object_, name); }
  std::int64_t number(std::string_view name) const {
    return member_integer(object_, name).value_or(0);
  }
  bool flag(std::string_view name) const {
    const auto* value = object_.find(name);
    return value && value->is_bool() && value->as_bool();
  }
  std::optional<WallTime> time(std::string_view name) const { return member_time(object_, name); }
  HeaderList headers() const {
    HeaderList out;
    const auto* list = object_.find("headers");
    if (list == nullptr || !list->is_array()) return out;
    for (const auto& element : list->elements()) {
      Fields header(element);
      out.emplace_back(header.text("name"), header.text("value"));
    }
    return out;
  }

 private:
  const Json& object_;
};

AttemptDetail read_attempt(const Json& root) {
  Fields fields(root);
  AttemptDetail out;
  out.number = static_cast<std::uint32_t>(fields.number("attempt"));
  out.started = fields.time("startedAt").value_or(WallTime());
  out.duration = std::chrono::microseconds(fields.number("durationUs"));
  out.delivered = fields.text("outcome") == "delivered";
  if (const auto* request = root.find("request")) {
    Fields part(*request);
    out.method = part.text("method");
    out.url = part.text("url");
    out.request_headers = part.headers();
    out.request_bytes = static_cast<std::uint64_t>(part.number("bodyBytes"));
  }
  if (const auto* response = root.find("response")) {
    Fields part(*response);
    out.status = static_cast<int>(part.number("status"));
    out.response_headers = part.headers();
    out.response_body = part.text("body");
    out.response_body_cut = part.flag("bodyCut");
  }
  out.error = fields.text("error");
  out.reason = fields.text("reason");
  out.next_attempt = fields.time("nextAttemptAt");
  out.trace_id = fields.text("traceId");
  return out;
}

}  // namespace

bool is_secret_header(std::string_view name) {
  if (name.size() > kNameMax) return true;
  std::array<char, kNameMax> buffer;
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  auto end = std::ranges::transform(name, buffer.begin(), lower).out;
  std::string_view text(buffer.begin(), end);
  return std::ranges::find(kSecretNames, text) != kSecretNames.end() ||
         std::ranges::any_of(kSecretParts, [&](auto part) { return text.contains(part); });
}

HeaderList kept_headers(const HeaderList& headers) {
  HeaderList out;
  out.reserve(std::min(headers.size(), kResponseHeadersKept));
  for (const auto& [name, value] : headers) {
    if (out.size() == kResponseHeadersKept) break;
    auto kept =
        is_secret_header(name) ? std::string(kRedacted) : kept_text(value, kHeaderValueKept);
    out.emplace_back(name, std::move(kept));
  }
  return out;
}

std::string kept_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    auto end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80)
      out.push_back(c);
    else
      out.append("\xef\xbf\xbd");
  }
  return out;
}

std::string attempt_json(const DeliverySummary& delivery, const AttemptDetail& attempt) {
  std::string buffer;
  buffer.reserve(kRecordTypical + attempt.response_body.size());
  JsonWriter out(std::move(buffer));
  out.object();
  out.member("delivery", delivery.id).member("tenant", delivery.tenant);
  out.member("subscription", delivery.subscription).member("stream", delivery.stream);
  out.member("partition", delivery.partition).member("offset", delivery.offset);
  out.member("eventId", delivery.event_id).member("eventType", delivery.event_type);
  out.member("createdAt", to_rfc3339(delivery.created));
  out.member("status", name(delivery.status));
  write_text(out, "deadReason", delivery.dead_reason);
  write_text(out, "traceId", attempt.trace_id);
  write_attempt(out, attempt);
  out.end();
  return std::move(out).text();
}

Result<AttemptRecord> parse_attempt(std::string_view json) {
  auto document = JsonDocument::parse(std::string(json));
  if (!document) return std::unexpected(std::move(document).error().within("attempt record"));
  const auto& root = document->root();
  Fields fields(root);
  auto status = parse_delivery_status(fields.text("status"));
  if (!status) return fail(ErrorCode::DataLoss, "not an attempt record: no status");

  AttemptRecord out;
  out.attempt = read_attempt(root);
  auto& delivery = out.delivery;
  delivery.id = fields.text("delivery");
  delivery.tenant = fields.text("tenant");
  delivery.subscription = fields.text("subscription");
  delivery.stream = fields.text("stream");
  delivery.partition = static_cast<std::int32_t>(fields.number("partition"));
  delivery.offset = fields.number("offset");
  delivery.event_id = fields.text("eventId");
  delivery.event_type = fields.text("eventType");
  delivery.created = fields.time("createdAt").value_or(WallTime());
  delivery.status = *status;
  delivery.dead_reason = fields.text("deadReason");
  delivery.trace_id = out.attempt.trace_id;
  delivery.attempts = out.attempt.number;
  delivery.last_attempt = out.attempt.started;
  delivery.next_attempt = out.attempt.next_attempt;
  delivery.last_status = out.attempt.status;
  delivery.last_error = out.attempt.reason;
  return out;
}

std::string encode_cursor(const Uuid& topic_id, std::uint64_t delivered, std::string_view piece) {
  std::string out(1, kCursorVersion);
  out.reserve(kCursorHead + piece.size());
  out.append(topic_id.bytes());
  append_be(out, delivered);
  out.append(piece);
  return out;
}

bool continues_cursor(std::string_view record) {
  return record.size() > kCursorHead && record.front() == kCursorVersion &&
         !eventlog::AckSet::is_snapshot(record.substr(kCursorHead));
}

Result<CursorRecord> decode_cursor(std::span<const std::string> records,
                                   eventlog::AckLimits limits) {
  CursorRecord out;
  for (const auto& record : records) {
    std::string_view bytes = record;
    if (bytes.size() < kCursorHead || bytes.front() != kCursorVersion) {
      return fail(ErrorCode::DataLoss, "not a cursor record of this version");
    }
    std::array<char, 16> topic{};
    std::copy_n(bytes.data() + 1, topic.size(), topic.data());
    out.topic_id = Uuid::from_bytes(topic);
    out.delivered = load_be<std::uint64_t>(bytes.data() + 17);
    auto piece = bytes.substr(kCursorHead);
    if (&record == records.data()) {
      TRY(out.acks, eventlog::AckSet::restore(piece, limits));
    } else {
      CHECK(out.acks.replay(piece));
    }
  }
  if (records.empty()) return fail(ErrorCode::DataLoss, "no cursor record");
  return out;
}

}  // namespace weft::delivery
