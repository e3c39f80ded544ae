// A suspended task in storage of its owner's. Awaiting an Asio operation directly tracks work and
// goes through the executor once more on completion; an operation with a plain handler that calls a
// Resumption does neither, which counts on the read of every request.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <cstddef>
#include <new>
#include <utility>

#include "base/result.h"

namespace weft {

class Resumption {
 public:
  Resumption() = default;
  ~Resumption() {
    if (destroy_ != nullptr) destroy_(storage_);
  }
  Resumption(const Resumption&) = delete;
  Resumption& operator=(const Resumption&) = delete;

  // co_await resumption.suspended(); waits for resume().
  auto suspended() {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void()>(
        Keep{this}, boost::asio::deferred);
  }

  // Continues the task inside this call: to be called from the loop itself, as the last thing.
  void resume() {
    if (resume_ == nullptr) return;
    destroy_ = nullptr;
    std::exchange(resume_, nullptr)(storage_);
  }

 private:
  struct Keep {
    Resumption* self;
    template <class Handler>
    void operator()(Handler&& handler) const {
      self->keep(std::forward<Handler>(handler));
    }
  };

  template <class Handler>
  void keep(Handler&& handler) {
    using Kept = std::decay_t<Handler>;
    static_assert(sizeof(Kept) <= sizeof(storage_) && alignof(Kept) <= alignof(std::max_align_t));
    ENSURE(resume_ == nullptr, "one task waits at a time");
    ::new (static_cast<void*>(storage_)) Kept(std::forward<Handler>(handler));
    resume_ = [](std::byte* at) {
      auto& kept = *std::launder(reinterpret_cast<Kept*>(at));
      auto handler_now = std::move(kept);
      kept.~Kept();
      std::move(handler_now)();
    };
    destroy_ = [](std::byte* at) { std::launder(reinterpret_cast<Kept*>(at))->~Kept(); };
  }

  alignas(std::max_align_t) std::byte storage_[48];
  void (*resume_)(std::byte*) = nullptr;
  void (*destroy_)(std::byte*) = nullptr;
};

}  // namespace weft
