// The place where one task waits until another task of the same loop wakes it. The building block
// of TaskGroup, Channel and with_timeout; prefer those.
//
// One waiter at a time; used on one loop only. A wake without a waiter is not remembered: the
// waiter checks its condition before and after each wait.
#pragma once

#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "base/result.h"
#include "runtime/task.h"

namespace weft {

class Suspension {
 public:
  Suspension() = default;
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  // Returns after wake(), or with Cancelled when the surrounding TaskGroup is cancelled.
  Task<Result<>> wait();
  // The same, deaf to cancellation: for waits whose end is certain.
  Task<void> wait_regardless();
  // The waiter continues in a later turn of the loop, never inside this call.
  void wake();
  bool has_waiter() const { return handler_.has_value(); }

 private:
  using Token = boost::asio::use_awaitable_t<Executor>;
  using Handler = boost::asio::async_result<Token, void()>::handler_type;

  std::optional<Handler> handler_;
  bool cancelled_ = false;
};

// Whether the task that asks was cancelled. Leaf operations ask before they start to wait.
Task<bool> is_cancelled();

}  // namespace weft
