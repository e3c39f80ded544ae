#include "runtime/suspension.h"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

namespace weft {

namespace asio = boost::asio;

Task<Result<>> Suspension::wait() {
  auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    co_return fail(ErrorCode::Cancelled, "the task was cancelled");
  }
  cancelled_ = false;
  auto start = [this](Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    handler_.emplace(std::move(handler));
    if (!slot.is_connected()) return;
    slot.assign([this](asio::cancellation_type) {
      cancelled_ = handler_.has_value();
      wake();
    });
  };
  co_await asio::async_initiate<const Token, void()>(start, Token());
  if (cancelled_) co_return fail(ErrorCode::Cancelled, "the task was cancelled");
  co_return Result<>();
}

Task<void> Suspension::wait_regardless() {
  auto start = [this](Handler handler) { handler_.emplace(std::move(handler)); };
  co_await asio::async_initiate<const Token, void()>(start, Token());
}

void Suspension::wake() {
  if (!handler_) return;
  auto handler = std::move(*handler_);
  handler_.reset();
  asio::post(std::move(handler));
}

Task<bool> is_cancelled() {
  auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace weft
