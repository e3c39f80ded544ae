// The template part of BlockingPool; included by runtime/loops.h alone.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>

#include "runtime/loops.h"

namespace weft {

namespace detail {

template <class T>
Result<T> run_guarded(const std::function<Result<T>()>& work) {
  try {
    return work();
  } catch (const std::exception& caught) {
    return fail(ErrorCode::Internal, "a blocking call threw: {}", caught.what());
  }
}

}  // namespace detail

// Deaf to cancellation: the work may use what the awaiting caller owns.
template <class T>
Task<Result<T>> BlockingPool::run(std::function<Result<T>()> work) {
  using Token = boost::asio::use_awaitable_t<Executor>;
  using Handler = typename boost::asio::async_result<Token, void()>::handler_type;
  std::optional<Result<T>> outcome;
  auto start = [this, &outcome, &work](Handler handler) {
    // std::function wants a copyable callable; the handler is not.
    auto resume = std::make_shared<Handler>(std::move(handler));
    auto submitted = submit([&outcome, &work, resume] {
      outcome.emplace(detail::run_guarded<T>(work));
      boost::asio::post(std::move(*resume));
    });
    if (submitted) return;
    outcome.emplace(std::unexpected(std::move(submitted).error()));
    boost::asio::post(std::move(*resume));
  };
  co_await boost::asio::async_initiate<const Token, void()>(start, Token());
  co_return std::move(*outcome);
}

}  // namespace weft
