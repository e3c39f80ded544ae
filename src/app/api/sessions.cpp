#include "app/api/sessions.h"

#include <algorithm>

#include "base/bytes.h"

namespace weft::app {

std::string Sessions::open(std::string key) {
  auto id = to_base64url(random_.bytes(32));
  std::lock_guard lock(mutex_);
  auto now = clock_.now();
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.expires <= now; });
  if (sessions_.size() >= kSessionsMax) {
    auto oldest = std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const auto& a, const auto& b) { return a.second.expires < b.second.expires; });
    sessions_.erase(oldest);
  }
  sessions_.emplace(id, Session{std::move(key), now + kLifetime});
  return id;
}

std::optional<Session> Sessions::find(std::string_view id) {
  std::lock_guard lock(mutex_);
  auto it = sessions_.find(id);
  if (it == sessions_.end() || it->second.expires <= clock_.now()) return std::nullopt;
  return it->second;
}

void Sessions::close(std::string_view id) {
  std::lock_guard lock(mutex_);
  if (auto it = sessions_.find(id); it != sessions_.end()) sessions_.erase(it);
}

Result<> Sessions::check_attempt() {
  std::lock_guard lock(mutex_);
  if (clock_.mono() - window_start_ > 1min || failures_ < kFailuresPerMinuteMax) return {};
  return fail(ErrorCode::ResourceExhausted, "too many failed sign-ins; wait a minute");
}

void Sessions::count_failure() {
  std::lock_guard lock(mutex_);
  if (clock_.mono() - window_start_ > 1min) {
    window_start_ = clock_.mono();
    failures_ = 0;
  }
  ++failures_;
}

std::optional<std::string_view> cookie_value(std::string_view cookie_field, std::string_view name) {
  while (!cookie_field.empty()) {
    auto end = cookie_field.find(';');
    auto pair = cookie_field.substr(0, end);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return pair.substr(name.size() + 1);
    if (end == std::string_view::npos) break;
    cookie_field.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::string session_cookie_name(std::uint16_t port) {
  constexpr std::uint16_t kDefaultPort = 8080;
  return port == kDefaultPort ? "weft_session" : "weft_session_" + std::to_string(port);
}

std::string secure_cookie_name(std::string_view plain_name) {
  return std::string(plain_name) + "_tls";
}

}  // namespace weft::app
