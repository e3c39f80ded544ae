#include "delivery/core/retry.h"

#include <algorithm>
#include <charconv>

#include "http/message.h"

namespace weft::delivery {

namespace {

std::string describe(const Outcome& outcome) {
  if (outcome.error) return fmt::format("no answer: {}", outcome.error->message);
  auto phrase = http::reason_phrase(outcome.status);
  return fmt::format("answered {}{}{}", outcome.status, phrase.empty() ? "" : " ", phrase);
}

bool asks_for_pause(const Outcome& outcome) {
  return outcome.status == 429 || outcome.status == 503;
}

Decision dead(std::string reason) {
  Decision decision;
  decision.verdict = Verdict::Dead;
  decision.reason = std::move(reason);
  return decision;
}

Decision retry(const RetryPolicy& policy, const AttemptContext& context, const Outcome& outcome,
               Random& random) {
  auto wish = parse_retry_after(outcome.retry_after, context.now);
  auto delay = std::max(backoff(policy, context.attempt, random), wish.value_or(Duration::zero()));
  if (context.attempt >= policy.attempts_max) {
    return dead(
        fmt::format("{}; attempt {} was the last one allowed", describe(outcome), context.attempt));
  }
  if (context.now + delay > context.age_from + policy.age_max) {
    return dead(fmt::format("{}; the next attempt would come after the maximum age of {}",
                            describe(outcome), to_text(policy.age_max)));
  }
  Decision decision;
  decision.verdict = Verdict::Retry;
  // Whole milliseconds are what is stored, and nothing is tried before its time.
  decision.retry_at = std::chrono::ceil<std::chrono::milliseconds>(context.now + delay);
  decision.reason = describe(outcome);
  if (wish && asks_for_pause(outcome)) decision.hold_until = context.now + *wish;
  return decision;
}

}  // namespace

Duration backoff(const RetryPolicy& policy, std::uint32_t attempt, Random& random) {
  auto ceiling = policy.initial_delay;
  for (std::uint32_t i = 1; i < attempt && ceiling < policy.delay_max; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, policy.delay_max);
  if (ceiling <= Duration::zero()) return Duration::zero();
  return Duration(
      static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

std::optional<Duration> parse_retry_after(std::string_view value, WallTime now) {
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  auto longest = std::chrono::duration_cast<std::chrono::seconds>(kRetryAfterMax).count();
  if (std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
    std::int64_t seconds = longest;
    // A number too large to read is a long time.
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    return std::chrono::seconds(std::min<std::int64_t>(seconds, longest));
  }
  auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::clamp<Duration>(*date - now, Duration::zero(), kRetryAfterMax);
}

AnswerClass classify(int status) {
  if (status >= 200 && status < 300) return AnswerClass::Success;
  switch (status) {
    case 410:
      return AnswerClass::Gone;
    case 400:
    case 406:
    case 411:
    case 413:
    case 414:
    case 415:
    case 422:
    case 431:
      return AnswerClass::Refused;
    default:
      return AnswerClass::Retryable;
  }
}

Decision decide(const RetryPolicy& policy, const AttemptContext& context, const Outcome& outcome,
                Random& random) {
  if (outcome.error) return retry(policy, context, outcome, random);
  switch (classify(outcome.status)) {
    case AnswerClass::Success:
      return {};
    case AnswerClass::Retryable:
      return retry(policy, context, outcome, random);
    case AnswerClass::Refused:
      return dead(describe(outcome) + "; the receiver refuses this message");
    case AnswerClass::Gone: {
      Decision decision;
      decision.verdict = Verdict::DisableEndpoint;
      decision.reason = describe(outcome) + "; the endpoint wants no more deliveries";
      return decision;
    }
  }
  return retry(policy, context, outcome, random);
}

}  // namespace weft::delivery
