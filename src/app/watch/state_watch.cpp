#include "app/watch/state_watch.h"

#include "runtime/log.h"

namespace weft::app {

Task<void> StateWatch::run() {
  for (;;) {
    co_await look();
    // Named: as a bare condition in a coroutine without another local, g++ 12 puts the value in
    // front of the frame's header, and the frame is resumed 8 bytes off.
    auto slept = co_await parts_.clock.sleep_for(parts_.interval);
    if (!slept) co_return;
  }
}

Task<void> StateWatch::look() {
  auto looked = co_await follow();
  note(looked);
}

Task<Result<>> StateWatch::follow() {
  if (!is_migrated_) {
    auto migrations = parts_.migrations;
    CO_CHECK(co_await parts_.database.migrate(std::move(migrations), parts_.clock.now()));
    is_migrated_ = true;
  }
  // A database that lost what this node committed since the last look has the head of that look
  // again.
  auto own_commits = parts_.audit.commits();
  CO_TRY(auto head, co_await parts_.audit.head());
  if (seen_ == head && own_commits_seen_ == own_commits) co_return Result<>();
  CO_CHECK(co_await parts_.identity.follow());
  CO_TRY(auto is_newer, co_await parts_.estate.follow());
  if (is_newer) {
    log_info("node", "took over the estate of another node",
             {{"generation", parts_.estate.current()->generation()}});
  }
  CO_CHECK(co_await parts_.catch_up());
  seen_ = std::move(head);
  own_commits_seen_ = own_commits;
  co_return Result<>();
}

void StateWatch::note(const Result<>& looked) {
  StateStatus next;
  next.is_away = !looked && looked.error().code == ErrorCode::Unavailable;
  if (!looked) next.why = looked.error().message;
  std::lock_guard lock(mutex_);
  bool is_news = next.why.empty() != status_.why.empty() || next.is_away != status_.is_away;
  next.since = is_news ? parts_.clock.now() : status_.since;
  if (is_news && looked) log_info("node", "the state database can be followed again");
  if (is_news && !looked) {
    log_warn("node",
             next.is_away ? "the state database is away: this node serves on, changes wait"
                          : "the state database cannot be followed",
             {{"why", next.why}});
  }
  status_ = std::move(next);
}

StateStatus StateWatch::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace weft::app
