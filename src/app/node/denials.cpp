#include "app/node/denials.h"

#include "base/json_writer.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

constexpr Duration kQuiet = 1min;
constexpr Duration kWriteStep = 1s;
// Of one minute; what is refused beyond that is counted alone.
constexpr std::size_t kToldMax = 1'000;

}  // namespace

bool AuditedDenials::is_news(What what) {
  const auto now = clock_.mono();
  const auto known = told_.find(what);
  if (known != told_.end() && now < known->second + kQuiet) return false;
  if (told_.size() >= kToldMax) {
    std::erase_if(told_, [&](const auto& each) { return now >= each.second + kQuiet; });
  }
  if (told_.size() >= kToldMax) {
    if (!is_full_) {
      log_warn("kafka", "too many different denials in one minute: the rest is counted alone",
               {{"told", kToldMax}});
    }
    is_full_ = true;
    return false;
  }
  is_full_ = false;
  told_.insert_or_assign(std::move(what), now);
  return true;
}

void AuditedDenials::note(const identity::Principal& by, std::string_view action,
                          const identity::ResourceRef& resource, const std::string& why) {
  auto object = fmt::format("{} {}", resource.kind, resource.name);
  std::lock_guard lock(mutex_);
  if (!is_news({by.id, std::string(action), object})) return;
  log_warn("kafka", "access denied", {{"principal", by.id}, {"why", why}});
  JsonWriter after;
  after.object().member("action", action).member("why", why).end();
  estate::AuditEvent event{by.id, by.tenant, "access.deny", std::move(object)};
  event.after = std::move(after).text();
  noted_.push_back(std::move(event));
}

Task<void> AuditedDenials::write_noted() {
  std::vector<estate::AuditEvent> events;
  {
    std::lock_guard lock(mutex_);
    events.swap(noted_);
  }
  if (events.empty()) co_return;
  Unit nothing;
  const auto count = events.size();
  const auto written = co_await audit_.commit(std::move(nothing), std::move(events));
  if (written) co_return;
  log_error("kafka", "denials could not be written to the audit trail",
            {{"denials", count}, {"why", written.error().message}});
}

Task<void> AuditedDenials::run() {
  for (;;) {
    co_await write_noted();
    const auto slept = co_await clock_.sleep_for(kWriteStep);
    if (!slept) co_return;
  }
}

}  // namespace weft::app
