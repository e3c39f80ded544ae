// What lists, pages and the command line see of deliveries. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/event_log.h"

namespace weft::delivery {

// Internal streams, in the tenant of the node itself. Formats: docs/delivery.md.
inline constexpr std::string_view kInternalTenant = "default";
inline constexpr std::string_view kAttemptsStream = "__weft.delivery.attempts";
inline constexpr std::string_view kCursorsStream = "__weft.delivery.cursors";
inline constexpr std::string_view kDeadStream = "__weft.delivery.dead";

enum class DeliveryStatus : std::uint8_t {
  Pending,    // taken from the stream, no attempt has ended yet
  Failing,    // tried without success; another attempt is planned
  Delivered,  // the receiver took it
  Dead,       // given up, with a reason; waits for a redrive
};
std::string_view name(DeliveryStatus status);  // "pending" …
std::optional<DeliveryStatus> parse_delivery_status(std::string_view text);

struct DeliverySummary {
  std::string id;  // also the webhook-id
  std::string tenant;
  std::string subscription;
  std::string stream;
  std::int32_t partition = 0;
  eventlog::Offset offset = 0;
  std::string event_id;
  std::string event_type;
  DeliveryStatus status = DeliveryStatus::Pending;
  std::uint32_t attempts = 0;
  WallTime created;  // when the event was stored
  std::optional<WallTime> last_attempt;
  std::optional<WallTime> next_attempt;
  int last_status = 0;     // HTTP status of the last attempt, 0 without an answer
  std::string last_error;  // of the last attempt, e.g. "answered 500 Internal Server Error"
  std::string dead_reason;
  std::string trace_id;  // 32 hex digits
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// One attempt as it was recorded. Values that are or may hold secrets read "[redacted]".
struct AttemptDetail {
  std::uint32_t number = 1;  // from 1; a redrive goes on counting
  WallTime started;
  Duration duration{};
  bool delivered = false;
  std::string method;
  std::string url;
  HeaderList request_headers;
  std::uint64_t request_bytes = 0;
  int status = 0;  // 0: no answer, `error` says why
  HeaderList response_headers;
  std::string response_body;
  bool response_body_cut = false;
  std::string error;
  std::string reason;  // why it does not count as delivered
  std::optional<WallTime> next_attempt;
  std::string trace_id;
};

struct DeliveryDetail {
  DeliverySummary delivery;
  std::optional<eventlog::Record> event;  // absent when retention has removed it
  std::optional<std::string> request_body;
  std::vector<AttemptDetail> attempts;  // as far back as the attempts stream is kept
};

struct DeliveryQuery {
  DeliveryQuery() {}
  std::string tenant;
  std::string subscription;  // empty: all
  std::optional<DeliveryStatus> status;
  std::string event_id;  // empty: all
  std::size_t limit = 50;
  std::string cursor;  // nextCursor of the page before
};

struct DeliveryPage {
  std::vector<DeliverySummary> items;  // the latest first
  std::vector<std::string> positions;  // of each: the cursor with which a page behind it begins
  std::string next_cursor;             // empty: no more
};

enum class SubscriptionState : std::uint8_t {
  Active,
  Paused,     // by its document, or because too many dead letters wait
  Disabled,   // the endpoint answered 410
  Elsewhere,  // another process carries it out
};
std::string_view name(SubscriptionState state);

// Where a subscription stands in one partition.
struct SubscriptionPosition {
  eventlog::PartitionId partition;
  eventlog::Offset next = 0;  // the first record that it has not looked at
  std::uint64_t lag = 0;      // records from there to the end
};

struct SubscriptionStatus {
  std::string tenant;
  std::string name;
  std::string owner;
  std::vector<std::string> streams;
  std::string url;
  std::string filter;
  SubscriptionState state = SubscriptionState::Active;
  std::string state_reason;
  std::optional<WallTime> held_until;  // the receiver asked for a pause
  std::uint64_t in_flight = 0;
  std::uint64_t held = 0;  // behind an earlier event of their order key
  std::uint64_t failing = 0;
  std::uint64_t dead = 0;
  std::uint64_t delivered = 0;        // since the start of the node
  std::uint64_t failed_attempts = 0;  // since the start of the node
  std::uint64_t lag_records = 0;      // in its streams, not yet looked at
  std::vector<SubscriptionPosition> positions;
  std::optional<Duration> lag_time;   // age of the oldest event that is not settled
  std::uint64_t attempts_recent = 0;  // of the last 15 minutes
  std::uint64_t failures_recent = 0;
  std::optional<WallTime> last_attempt;
  std::optional<WallTime> last_success;
  std::optional<WallTime> last_failure;
  std::string last_error;
  std::uint32_t attempts_max = 0;
  Duration age_max{};
};

// Of all subscriptions of a tenant, or of the node.
struct DeliveryTotals {
  std::uint64_t delivered = 0;  // since the start of the node
  std::uint64_t failed_attempts = 0;
  std::uint64_t failures_recent = 0;  // of the last 15 minutes
  std::uint64_t pending = 0;          // in flight, held back, failing, or not yet looked at
  std::uint64_t failing = 0;
  std::uint64_t dead = 0;
};

}  // namespace weft::delivery
