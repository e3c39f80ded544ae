#include "runtime/clock.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace weft {

namespace asio = boost::asio;

namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Token = asio::use_awaitable_t<Executor>;

}  // namespace

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

MonoTime SystemClock::mono() const {
  return std::chrono::steady_clock::now();
}

Task<Result<>> SystemClock::sleep_until(MonoTime when) {
  auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    co_return fail(ErrorCode::Cancelled, "the sleep was cancelled");
  }
  Timer timer(co_await asio::this_coro::executor, when);
  boost::system::error_code error;
  Token token;
  co_await timer.async_wait(asio::redirect_error(token, error));
  if (error) co_return fail(ErrorCode::Cancelled, "the sleep was cancelled");
  co_return Result<>();
}

}  // namespace weft
