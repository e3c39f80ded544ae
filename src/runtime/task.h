// Task<T>: a coroutine that starts when it is awaited and runs on its awaiter's loop.
//
// The rules that the compiler does not check (g++ 12; tools/check.py knows the first three): no
// braced aggregate temporary inside an expression with co_await; no co_await in both arms of ?: ;
// no capturing lambda coroutine; parameters by value, or references to what the awaiting caller
// owns; no string_view into a spawned task. A task fails by its Result, never by an exception.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace weft {

using IoContext = boost::asio::io_context;
using Executor = IoContext::executor_type;

template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace weft
