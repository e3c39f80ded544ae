#include "runtime/crash_point.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace weft {

namespace {

constexpr const char* kVariable = "WEFT_CRASH_AT";

// Points are made before main() by many files, in any order: the head needs no constructor.
constinit CrashPoint* first_point = nullptr;

std::string_view name_of(std::string_view wanted) {
  return wanted.substr(0, wanted.find(':'));
}

long arrivals_of(std::string_view wanted) {
  auto colon = wanted.find(':');
  if (colon == std::string_view::npos) return 1;
  return std::max(1L, std::strtol(wanted.data() + colon + 1, nullptr, 10));
}

}  // namespace

CrashPoint::CrashPoint(const char* name) : name_(name), next_(first_point) {
  first_point = this;
  const char* wanted = std::getenv(kVariable);
  if (wanted == nullptr || name_of(wanted) != name_) return;
  arrivals_left_ = arrivals_of(wanted);
  is_armed_ = true;
}

std::vector<std::string_view> CrashPoint::all() {
  std::vector<std::string_view> names;
  for (auto* point = first_point; point != nullptr; point = point->next_) {
    names.emplace_back(point->name_);
  }
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> CrashPoint::wanted() {
  const char* wanted = std::getenv(kVariable);
  if (wanted == nullptr) return std::nullopt;
  return std::string(wanted);
}

bool CrashPoint::is_wanted_known() {
  auto named = wanted();
  return !named || std::ranges::count(all(), name_of(*named)) == 1;
}

void CrashPoint::count_down() {
  if (arrivals_left_.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

}  // namespace weft
