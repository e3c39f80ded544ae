// When a delivery is tried again: exponential backoff with full jitter, what a receiver asks for
// with Retry-After, and what each answer means. Pure: time and chance are parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "runtime/random.h"

namespace weft::delivery {

// With the defaults the sixteen attempts of an event spread over about a day.
struct RetryPolicy {
  std::uint32_t attempts_max = 16;
  Duration age_max = std::chrono::hours(72);  // of the event; its first attempt is always made
  Duration initial_delay = 5s;
  Duration delay_max = std::chrono::hours(12);
  bool operator==(const RetryPolicy&) const = default;
};

// A receiver cannot ask for a longer pause than this.
inline constexpr Duration kRetryAfterMax = std::chrono::hours(24);

// The time to wait after attempt number `attempt` (from 1) failed: uniform in
// [0, min(delay_max, initial_delay * 2^(attempt-1))], so that receivers are not met by waves.
Duration backoff(const RetryPolicy& policy, std::uint32_t attempt, Random& random);

// Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP date; absent when it is neither.
std::optional<Duration> parse_retry_after(std::string_view value, WallTime now);

enum class AnswerClass : std::uint8_t {
  Success,    // 2xx
  Retryable,  // no answer, 5xx, 408, 429, redirects, and what an operator of the receiver can mend:
              // 401, 404 …
  Refused,    // the receiver read this very message and will not have it: 400, 413, 415, 422 …
  Gone,       // 410: the endpoint wants nothing any more
};
AnswerClass classify(int status);

// What came of one attempt.
struct Outcome {
  Outcome() = default;
  int status = 0;                   // 0: no answer
  std::optional<Error> error = {};  // set when there was no answer
  std::string retry_after = {};     // the header, or empty
};

// The attempt in its delivery.
struct AttemptContext {
  std::uint32_t attempt = 1;
  WallTime age_from;  // the event's time, or the time since which the endpoint is active, if later
  WallTime now;
};

enum class Verdict : std::uint8_t { Delivered, Retry, Dead, DisableEndpoint };

struct Decision {
  Verdict verdict = Verdict::Delivered;
  WallTime retry_at{};                      // of Retry
  std::optional<WallTime> hold_until = {};  // the receiver asks to be left alone, by every delivery
  std::string reason = {};                  // of Retry, Dead and DisableEndpoint: for people
};

Decision decide(const RetryPolicy& policy, const AttemptContext& context, const Outcome& outcome,
                Random& random);

}  // namespace weft::delivery
