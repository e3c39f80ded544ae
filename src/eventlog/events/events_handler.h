// The CloudEvents door (EV-01 and CloudEvents HTTP binding 1.0.2), an http::Handler for paths
// /events/…:
//
//   POST /events/{stream}    one event (structured or binary) or a batch; answered when it is
//   durable GET  /events/{stream}    server-sent events from any offset or time, resumable with
//   Last-Event-ID
//
// Every caller is authenticated, needs stream.write or stream.read, and what it sends is checked
// against the stream's contract. Reference: docs/events.md. Shared by all loops.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "eventlog/dedupe.h"
#include "eventlog/event_log.h"
#include "eventlog/events/cloud_event.h"
#include "eventlog/quotas.h"
#include "eventlog/rejects.h"
#include "eventlog/streams.h"
#include "http/server.h"
#include "identity/decisions.h"
#include "identity/principal.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "runtime/spans.h"

namespace weft::eventlog {

// Who a caller is, by its API key. Any thread.
class EventsAuthenticator {
 public:
  virtual ~EventsAuthenticator() = default;
  // Unauthenticated for an unknown, expired or revoked key.
  virtual Result<identity::PrincipalRef> authenticate(std::string_view api_key) const = 0;
};

struct EventsLimits {
  std::uint64_t body_bytes_max = 10 * 1024 * 1024;
  EventLimits event;
  Duration keep_alive = 15s;            // comments in a silent stream of server-sent events
  std::uint32_t listeners_max = 1'000;  // streams of server-sent events at the same time
};

// All of them outlive the handler.
struct EventsParts {
  EventLog& log;
  const StreamCatalogue& streams;
  const EventsAuthenticator& authenticator;
  Clock& clock;
  Random& random;
  Metrics& metrics;
  SpanSink* spans = nullptr;
  EventsLimits limits = {};
  Quotas* quotas = nullptr;  // null: there are none
  DedupeIndex* dedupe = nullptr;
  Rejects* rejects = nullptr;
};

class EventsHandler final : public http::Handler {
 public:
  explicit EventsHandler(EventsParts parts);

  Task<void> handle(http::Exchange& exchange) override;

  // Ends the streams of server-sent events within a second or so, so that the server can drain. Any
  // thread.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }

 private:
  struct Call;
  struct Listener;

  Task<void> publish(http::Exchange& exchange, Call& call);
  Task<void> listen(http::Exchange& exchange, Call& call);
  Task<Result<Listener>> place_listener(http::Exchange& exchange, Call& call);
  Task<void> send_events(http::Exchange& exchange, Call& call, Listener listener);
  // What is wrong with the events, as the answer that says so.
  std::optional<http::Response> check_events(Call& call, const std::vector<CloudEvent>& events,
                                             bool is_batch) const;
  void note_reject(const Call& call, std::size_t sent, std::size_t index,
                   const contracts::Violation& violation) const;
  Task<void> refuse(http::Exchange& exchange, const Call& call, const Error& error);
  Task<void> answer(http::Exchange& exchange, Call& call, http::Response response);
  std::optional<http::Response> admit(http::Exchange& exchange, Call& call) const;
  Result<identity::PrincipalRef> principal_of(const http::RequestHead& head) const;
  bool may_still_listen(const http::RequestHead& head, const Call& call) const;
  void record_span(const Call& call, int status) const;

  EventsParts parts_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> listeners_{0};
  Counter& published_;
  Counter& refused_;
  Counter& sent_;
  Counter& expired_;
  Gauge& open_;
};

}  // namespace weft::eventlog
