// Bounded queues between tasks. Channel: among tasks of one loop, back-pressure by waiting.
// Mailbox: from any thread to one consumer on a loop, back-pressure by refusal; one wake per batch.
#pragma once

#include <boost/asio/post.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/suspension.h"
#include "runtime/task.h"

namespace weft {

// Used on one loop. Several senders and receivers may wait; they are served in order of arrival.
template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : capacity_(capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Waits while the channel is full. FailedPrecondition when it is closed, Cancelled with its task.
  Task<Result<>> send(T item) {
    while (!closed_ && items_.size() >= capacity_) CO_CHECK(co_await wait_in(senders_));
    if (closed_) co_return fail(ErrorCode::FailedPrecondition, "the channel is closed");
    items_.push_back(std::move(item));
    wake_first(receivers_);
    co_return Result<>();
  }

  // False when full or closed; `item` is then left as it was.
  bool try_send(T& item) {
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    wake_first(receivers_);
    return true;
  }

  // The next item; absent when the channel is closed and drained. Cancelled with its task.
  Task<Result<std::optional<T>>> receive() {
    while (items_.empty() && !closed_) CO_CHECK(co_await wait_in(receivers_));
    if (items_.empty()) co_return std::optional<T>();
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    wake_first(senders_);
    // A receiver woken for an item that this one took would sleep on a non-empty channel otherwise.
    if (!items_.empty()) wake_first(receivers_);
    co_return item;
  }

  // Senders fail from now on; receivers get what is left, then the end. Safe to repeat.
  void close() {
    closed_ = true;
    for (auto* waiter : senders_) waiter->wake();
    for (auto* waiter : receivers_) waiter->wake();
  }

  std::size_t size() const { return items_.size(); }
  bool is_closed() const { return closed_; }

 private:
  using Waiters = std::deque<Suspension*>;

  static Task<Result<>> wait_in(Waiters& waiters) {
    Suspension here;
    waiters.push_back(&here);
    auto woken = co_await here.wait();
    auto at = std::find(waiters.begin(), waiters.end(), &here);
    bool was_first = at == waiters.begin();
    waiters.erase(at);
    // A cancelled waiter passes its wake on: it may have been meant for the next one.
    if (!woken && was_first) wake_first(waiters);
    co_return woken;
  }

  static void wake_first(Waiters& waiters) {
    for (auto* waiter : waiters) {
      if (!waiter->has_waiter()) continue;
      waiter->wake();
      return;
    }
  }

  std::size_t capacity_;
  std::deque<T> items_;
  Waiters senders_;
  Waiters receivers_;
  bool closed_ = false;
};

// push() from any thread; take() by one task of the consumer's loop. Requires: the consumer's loop
// outlives the last push().
template <class T>
class Mailbox {
 public:
  Mailbox(Executor consumer, std::size_t capacity)
      : shared_(std::make_shared<Shared>(consumer, capacity)) {}
  ~Mailbox() { close(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // False when full or closed; `item` is then left as it was.
  bool push(T& item) {
    {
      std::lock_guard lock(shared_->mutex);
      if (shared_->closed || shared_->items.size() >= shared_->capacity) return false;
      shared_->items.push_back(std::move(item));
      if (std::exchange(shared_->wake_sent, true)) return true;
    }
    boost::asio::post(shared_->loop, [shared = shared_] { shared->arrived.wake(); });
    return true;
  }

  // Everything that queued since the last call, at least one item; empty when closed and drained.
  // The vector given in is reused.
  Task<Result<std::vector<T>>> take(std::vector<T> reuse = {}) {
    auto shared = shared_;
    reuse.clear();
    for (;;) {
      {
        std::lock_guard lock(shared->mutex);
        shared->wake_sent = false;
        std::swap(reuse, shared->items);
        if (!reuse.empty() || shared->closed) co_return reuse;
      }
      CO_CHECK(co_await shared->arrived.wait());
    }
  }

  void close() {
    std::lock_guard lock(shared_->mutex);
    if (std::exchange(shared_->closed, true)) return;
    boost::asio::post(shared_->loop, [shared = shared_] { shared->arrived.wake(); });
  }

 private:
  struct Shared {
    Shared(Executor executor, std::size_t items_max) : loop(executor), capacity(items_max) {}
    Executor loop;
    std::size_t capacity;
    std::mutex mutex;
    std::vector<T> items;
    bool wake_sent = false;
    bool closed = false;
    Suspension arrived;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace weft
