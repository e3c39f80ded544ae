#include "runtime/simulated_clock.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <utility>

namespace weft {

namespace asio = boost::asio;

namespace {

constexpr WallTime kStart{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
// Not the epoch: code that confuses "never" with zero must show.
constexpr MonoTime kMonoStart{std::chrono::hours(1)};

enum class Ending : std::uint8_t { Woken, Cancelled };

using Token = asio::use_awaitable_t<Executor>;
using Handler = asio::async_result<Token, void(Ending)>::handler_type;
// Who sleeps longer than whom, and among equals who came first.
using Key = std::pair<MonoTime, std::uint64_t>;

}  // namespace

struct SimulatedClock::State {
  explicit State(IoContext& io) : loop(io) {}

  IoContext& loop;
  MonoTime mono = kMonoStart;
  Duration wall_offset{};
  std::uint64_t sleeps = 0;
  std::map<Key, Handler> sleepers;

  void end_sleep(std::map<Key, Handler>::iterator sleeper, Ending ending) {
    auto handler = std::move(sleeper->second);
    sleepers.erase(sleeper);
    asio::post(loop,
               [handler = std::move(handler), ending]() mutable { std::move(handler)(ending); });
  }

  void start_sleep(Key key, Handler handler, const std::shared_ptr<State>& self) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    sleepers.emplace(key, std::move(handler));
    if (!slot.is_connected()) return;
    slot.assign([weak = std::weak_ptr<State>(self), key](asio::cancellation_type) {
      auto state = weak.lock();
      if (!state) return;
      auto sleeper = state->sleepers.find(key);
      if (sleeper != state->sleepers.end()) state->end_sleep(sleeper, Ending::Cancelled);
    });
  }
};

SimulatedClock::SimulatedClock(IoContext& loop) : state_(std::make_shared<State>(loop)) {}

SimulatedClock::~SimulatedClock() {
  // A destroyed sleeper's destructors may start to sleep no more, but may cancel others.
  auto sleepers = std::exchange(state_->sleepers, {});
}

WallTime SimulatedClock::now() const {
  return kStart + (state_->mono - kMonoStart) + state_->wall_offset;
}

MonoTime SimulatedClock::mono() const {
  return state_->mono;
}

void SimulatedClock::step_wall_time(Duration by) {
  state_->wall_offset += by;
}

Task<Result<>> SimulatedClock::sleep_until(MonoTime when) {
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return fail(ErrorCode::Cancelled, "the sleep was cancelled");
  }
  auto start = [state = state_, when](Handler handler) {
    const Key key(when, state->sleeps++);
    state->start_sleep(key, std::move(handler), state);
  };
  Token token;
  auto ending = co_await asio::async_initiate<const Token, void(Ending)>(start, token);
  if (ending == Ending::Cancelled) co_return fail(ErrorCode::Cancelled, "the sleep was cancelled");
  co_return Result<>();
}

void SimulatedClock::run_ready() {
  state_->loop.restart();
  state_->loop.poll();
}

bool SimulatedClock::jump_to_next(MonoTime end) {
  auto& sleepers = state_->sleepers;
  if (sleepers.empty()) return false;
  const auto next = std::max(sleepers.begin()->first.first, state_->mono);
  if (next > end) return false;
  state_->mono = next;
  while (!sleepers.empty() && sleepers.begin()->first.first <= next) {
    state_->end_sleep(sleepers.begin(), Ending::Woken);
  }
  return true;
}

void SimulatedClock::run_for(Duration duration) {
  const auto end = state_->mono + duration;
  do run_ready();
  while (jump_to_next(end));
  state_->mono = end;
}

bool SimulatedClock::run_until_idle(Duration at_most) {
  const auto end = state_->mono + at_most;
  do run_ready();
  while (jump_to_next(end));
  return state_->sleepers.empty();
}

bool SimulatedClock::run_until(const std::function<bool()>& done, Duration at_most) {
  const auto end = state_->mono + at_most;
  do {
    state_->loop.restart();
    while (!done()) {
      if (state_->loop.poll_one() == 0) break;
    }
  } while (!done() && jump_to_next(end));
  return done();
}

}  // namespace weft
