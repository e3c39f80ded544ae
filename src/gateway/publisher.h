// A route that is bound to a stream: POST becomes a durable event, and the answer is sent only
// then. With an Idempotency-Key the answer is stored in the same write-ahead entry as the event
// (GW-17, CON-09).
//
//   request ─▶ prepare(): check against the stream's contract, build the event    (no waiting)
//           ─▶ publish(): claim the key, append event and answer together, settle
//
// The event's id is a hash of route and key where there is a key, so that a duplicate is detectable
// even on a log without atomic entries. Any loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "contracts/json_schema.h"
#include "eventlog/event_log.h"
#include "eventlog/quotas.h"
#include "eventlog/streams.h"
#include "gateway/edge/idempotency_store.h"
#include "gateway/request_context.h"
#include "http/message.h"
#include "runtime/random.h"
#include "runtime/spans.h"

namespace weft::gateway {

enum class IdempotencyRule : std::uint8_t { Required, Optional, None };

// From the Api resource. Immutable.
struct PublishBinding {
  std::string tenant;
  std::string route;  // "<api>/<operationId>", part of the idempotency key
  std::string stream;
  std::string event_type;
  std::string source;
  std::optional<std::string> key_pointer;  // JSON Pointers into the body
  std::optional<std::string> subject_pointer;
  int status = 201;
  IdempotencyRule idempotency = IdempotencyRule::Required;
};

// An event that waits for its append.
struct PreparedEvent {
  eventlog::StreamRef stream;
  std::string_view body;  // the request's: must live until publish() has returned
  std::string event_id;
  std::string time;
  std::optional<std::string> record_key;
  std::optional<std::string> subject;
  std::vector<contracts::FoundBusinessKey> business_keys;
  bool is_idempotent = false;  // an Idempotency-Key was sent
  Digest key{};
  Digest payload{};
};

// A request's body: its text, the tree of it, and the rules that it is known to keep
// (JsonSchema::rules(); may be empty).
struct CheckedBody {
  std::string_view text;
  const Json& tree;
  std::string_view rules{};
};

// Why a request is refused, as its problem body says.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
  std::string details;  // JSON text or empty
};

struct PublisherParts {
  eventlog::EventLog& log;
  const eventlog::StreamCatalogue& streams;
  IdempotencyStore& answers;
  SpanSink& spans;
  Clock& clock;
  Random& random;
  eventlog::Quotas* quotas = nullptr;  // null: there are none
};

class Publisher {
 public:
  static constexpr std::size_t kKeyBytesMax = 255;

  explicit Publisher(PublisherParts parts) : parts_(parts) {}

  // The tree of the body is only read during the call; the event keeps a view of its text.
  std::expected<PreparedEvent, Refusal> prepare(const PublishBinding& binding,
                                                const http::RequestHead& head,
                                                const CheckedBody& body,
                                                const RequestContext& context) const;

  // The response to send. The caller owns the arguments until it has it.
  Task<http::Response> publish(const PublishBinding& binding, const PreparedEvent& event,
                               const RequestContext& context);

 private:
  StoredAnswer make_answer(const PublishBinding& binding, const PreparedEvent& event,
                           WallTime now) const;
  std::optional<http::Response> over_quota(const PublishBinding& binding,
                                           const PreparedEvent& event,
                                           const RequestContext& context) const;
  void record_span(const PublishBinding& binding, const PreparedEvent& event,
                   const TraceContext& span, const RequestContext& context, WallTime start,
                   const Result<std::vector<eventlog::Appended>>& outcome);

  PublisherParts parts_;
};

// [{"in": "body", "pointer", "schema", "message"}] for a problem's details.
std::string violations_json(const std::vector<contracts::Violation>& violations);

}  // namespace weft::gateway
