// Browser sessions of the hub: a cookie instead of the key that was pasted once. A session keeps
// the key, not what it was worth: each request asks again. Kept in memory; a restart signs
// everybody out. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"

namespace weft::app {

struct Session {
  std::string key;
  WallTime expires{};
};

class Sessions {
 public:
  static constexpr Duration kLifetime = std::chrono::hours(12);
  static constexpr std::size_t kSessionsMax = 1000;
  static constexpr int kFailuresPerMinuteMax = 20;  // of all callers together

  Sessions(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  // The new session's id: 32 random bytes. The oldest session gives way when there are too many.
  std::string open(std::string key);
  std::optional<Session> find(std::string_view id);
  void close(std::string_view id);

  // Guessing brake: ResourceExhausted when too many attempts failed within the last minute.
  Result<> check_attempt();
  void count_failure();

 private:
  Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;
  MonoTime window_start_{};
  int failures_ = 0;
};

// The value of the cookie of that name in a Cookie field, or absent.
std::optional<std::string_view> cookie_value(std::string_view cookie_field, std::string_view name);

// Cookies do not tell ports apart: a second node of one host needs a name of its own.
std::string session_cookie_name(std::uint16_t port);

// A browser lets no plain page replace a Secure cookie: the TLS listener needs a name of its own as
// well.
std::string secure_cookie_name(std::string_view plain_name);

}  // namespace weft::app
