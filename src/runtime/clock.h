// Time as a parameter. The system's clock in the process, a virtual one in simulation, where a day
// of sleeping passes in milliseconds.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "runtime/task.h"

namespace weft {

// Thread-safe, except that a sleep belongs to the loop that awaits it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual MonoTime mono() const = 0;
  // Cancelled when the surrounding TaskGroup is cancelled.
  virtual Task<Result<>> sleep_until(MonoTime when) = 0;

  Task<Result<>> sleep_for(Duration duration) { return sleep_until(mono() + duration); }
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  MonoTime mono() const override;
  Task<Result<>> sleep_until(MonoTime when) override;
};

}  // namespace weft
