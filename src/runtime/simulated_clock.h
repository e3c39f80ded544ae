// Virtual time over one event loop: what is ready runs first, then time jumps to the next sleeper.
// A day of one-second sleeps passes in a few hundredths of a second, in the same order every time.
//
// Used on one thread. The clock is destroyed before its io_context; tasks that still sleep are then
// destroyed with it.
#pragma once

#include <functional>
#include <memory>

#include "runtime/clock.h"

namespace weft {

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(IoContext& loop);
  ~SimulatedClock() override;
  SimulatedClock(const SimulatedClock&) = delete;
  SimulatedClock& operator=(const SimulatedClock&) = delete;

  // Starts at 2026-01-01T00:00:00Z.
  WallTime now() const override;
  MonoTime mono() const override;
  Task<Result<>> sleep_until(MonoTime when) override;

  // Moves the calendar, as an operator or NTP would; sleepers do not notice.
  void step_wall_time(Duration by);

  // Runs what is ready, without letting time pass.
  void run_ready();
  // Lets exactly this much time pass.
  void run_for(Duration duration);
  // Runs until nothing is ready and nobody sleeps; false when that is not so after `at_most`.
  bool run_until_idle(Duration at_most = std::chrono::hours(1));
  // Runs until `done` holds; false when it does not after `at_most`, or when everything is idle.
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::hours(1));

 private:
  struct State;
  // Wakes all who sleep until the next time of waking, if that is not after `end`.
  bool jump_to_next(MonoTime end);
  std::shared_ptr<State> state_;
};

}  // namespace weft
