#include "runtime/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/log.h"
#include "runtime/suspension.h"

namespace weft {

namespace asio = boost::asio;

struct TaskGroup::State {
  using Signals = std::list<asio::cancellation_signal>;

  State(Executor executor, std::string_view what, std::size_t tasks)
      : loop(executor), name(what), tasks_max(tasks) {}

  Executor loop;
  std::string name;
  std::size_t tasks_max;
  Signals live;
  // A signal outlives its task's completion handler, which still runs inside the task's frame.
  Signals spare;
  std::vector<Suspension*> joiners;
  bool cancelled = false;

  void ended(Signals::iterator signal, std::exception_ptr error) {
    if (error) report(error);
    spare.splice(spare.begin(), live, signal);
    if (!live.empty()) return;
    for (auto* joiner : joiners) joiner->wake();
  }

  void report(const std::exception_ptr& error) const {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& caught) {
      log_error("runtime", "an exception escaped a task: our bug",
                {{"group", name}, {"exception", caught.what()}});
    } catch (...) {
      log_error("runtime", "an unknown exception escaped a task: our bug", {{"group", name}});
    }
  }
};

namespace {

Task<void> run_root(Executor loop, Task<void> task) {
  // Failure travels in results: a cancelled wait reports Cancelled instead of throwing.
  co_await asio::this_coro::throw_if_cancelled(false);
  // Never inside spawn(): its caller has not finished its own step yet.
  co_await asio::post(loop, asio::use_awaitable_t<Executor>());
  co_await std::move(task);
}

}  // namespace

TaskGroup::TaskGroup(Executor loop, std::string_view what, std::size_t tasks_max)
    : state_(std::make_shared<State>(loop, what, tasks_max)) {}

TaskGroup::~TaskGroup() {
  ENSURE(state_->live.empty(), "a TaskGroup is joined before it is destroyed");
}

bool TaskGroup::spawn(Task<void> task) {
  if (state_->cancelled || state_->live.size() >= state_->tasks_max) return false;
  if (state_->spare.empty()) state_->spare.emplace_back();
  auto signal = state_->spare.begin();
  state_->live.splice(state_->live.end(), state_->spare, signal);
  auto ended = [state = state_, signal](std::exception_ptr error) { state->ended(signal, error); };
  asio::co_spawn(state_->loop, run_root(state_->loop, std::move(task)),
                 asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
  return true;
}

void TaskGroup::cancel() {
  if (std::exchange(state_->cancelled, true)) return;
  auto keep = state_;
  // An emission only posts continuations, so no task ends inside this loop; a stream's close may
  // still be driven from here, hence the step before the call.
  for (auto at = keep->live.begin(); at != keep->live.end();) {
    auto& signal = *at++;
    signal.emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::join() {
  auto state = state_;
  Suspension done;
  while (!state->live.empty()) {
    state->joiners.push_back(&done);
    co_await done.wait_regardless();
    std::erase(state->joiners, &done);
  }
}

std::size_t TaskGroup::size() const {
  return state_->live.size();
}

}  // namespace weft
