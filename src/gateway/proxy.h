// Forwards an exchange to an upstream: heads without hop-by-hop fields, bodies streamed both ways
// through bounded buffers, keep-alive connections, traceparent and X-Forwarded-* added, upgrades
// tunnelled.
//
// Failure: 503 when no target can be connected to, 504 when one is too slow, 502 when its answer is
// malformed or cut before the head; each as a problem body with the trace id. An answer cut in its
// body cuts the client's too. A request that died on a reused connection before any byte of the
// answer is sent once more on a fresh one, if its method is idempotent (RFC 9110 section 9.2.2) and
// its body is at hand.
//
// Stateless but for counters; any loop. A request without a streamed body allocates nothing when
// warm.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "gateway/request_context.h"
#include "gateway/upstream_pool.h"
#include "http/server.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"

namespace weft::gateway {

// What became of it, for the span, the metrics and the access log.
struct ForwardResult {
  int status = 0;            // what the client was told; 499 when it has gone
  Duration upstream_time{};  // from sending the request to the head of the answer
  std::string_view target;   // host:port, lives as long as the pool; empty when none was reached
  std::string_view error;    // the problem's code, or empty
  bool is_retried = false;
  bool is_reused = false;
  bool is_stored = false;  // an event came of it, so that its trace goes on
};

class Proxy {
 public:
  Proxy(Clock& clock, Metrics& metrics);

  // Answers the exchange. The pool outlives the call.
  Task<ForwardResult> forward(http::Exchange& exchange, const UpstreamPool& pool,
                              const RequestContext& context);

 private:
  struct Attempt;
  // One try on attempt.connection: request out, head of the answer in.
  Task<Result<>> run_slowly(Attempt& attempt);
  Task<Result<>> send_body_in_pieces(Attempt& attempt);
  bool try_relay_whole(Attempt& attempt) const;
  Task<void> relay_slowly(Attempt& attempt);
  Task<void> relay_in_pieces(Attempt& attempt, std::string_view piece);
  Task<void> tunnel(Attempt& attempt);
  Task<void> answer_failure(Attempt& attempt, Error error);
  UpstreamLease usable_idle(const Attempt& attempt) const;
  bool may_retry(const Attempt& attempt, const Error& error) const;

  Clock& clock_;
  Counter& retries_;
};

}  // namespace weft::gateway
