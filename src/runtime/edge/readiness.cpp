#include "runtime/edge/readiness.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "base/result.h"

namespace weft {

namespace asio = boost::asio;

namespace {

constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kReadable = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kWritable = EPOLLOUT | EPOLLHUP | EPOLLERR;

// Batches that one wake-up handles at most: posted work of the loop waits for them.
constexpr std::size_t kTurnsMax = 4;
constexpr int kBusyBatch = 3;

// Runs at the end of a scope, also when an exception passes through.
template <class F>
struct AtEnd {
  F run;
  ~AtEnd() { run(); }
};
template <class F>
AtEnd(F) -> AtEnd<F>;

}  // namespace

Watched::Watched(IoContext& loop, int descriptor) : poll_(&asio::use_service<ReadinessPoll>(loop)) {
  is_registered_ = poll_->add(*this, descriptor);
}

Watched::~Watched() {
  poll_->remove(*this);
}

void Watched::wake_later() {
  poll_->wake_later(*this);
}

ReadinessPoll::ReadinessPoll(asio::execution_context& context)
    : asio::execution_context::service(context),
      loop_(static_cast<IoContext&>(context)),
      epoll_(loop_.get_executor()) {
  int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  ENSURE(descriptor >= 0, "a loop has a descriptor for its epoll");
  boost::system::error_code error;
  epoll_.assign(descriptor, error);
  ENSURE(!error, "an epoll can be waited on");
}

void ReadinessPoll::shutdown() {
  is_shut_down_ = true;
  boost::system::error_code ignored;
  epoll_.close(ignored);
}

bool ReadinessPoll::add(Watched& watched, int descriptor) {
  ++watched_;
  epoll_event event{};
  event.events = kEvents;
  event.data.ptr = &watched;
  bool is_added = ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
  if (!is_armed_) arm();
  return is_added;
}

// The kernel forgets a descriptor when its owner closes it; what it said before is dropped here.
void ReadinessPoll::remove(Watched& watched) {
  for (auto i = next_; i < count_; ++i) {
    if (batch_[i].data.ptr == &watched) batch_[i].data.ptr = nullptr;
  }
  std::erase(due_, &watched);
  if (told_ == &watched) told_ = nullptr;
  // A wait is work that keeps run() from returning.
  if (--watched_ == 0 && is_armed_ && !is_shut_down_) {
    boost::system::error_code ignored;
    epoll_.cancel(ignored);
  }
}

void ReadinessPoll::wake_later(Watched& watched) {
  if (is_shut_down_ || std::ranges::find(due_, &watched) != due_.end()) return;
  due_.push_back(&watched);
  if (due_.size() == 1) asio::post(loop_, [this] { run_due(); });
}

void ReadinessPoll::arm() {
  is_armed_ = true;
  epoll_.async_wait(asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& error) {
                      is_armed_ = false;
                      if (!error) return run_ready();
                      if (watched_ > 0 && !is_shut_down_) arm();
                    });
}

void ReadinessPoll::run_ready() {
  AtEnd rearm{[this] {
    if (is_shut_down_) return;
    if (next_ < count_) {
      // An exception escaped; edges are told once, so the rest has its turn.
      asio::post(loop_, [this] { run_ready(); });
    } else if (watched_ > 0 && !is_armed_) {
      arm();
    }
  }};
  run_batch();
  for (std::size_t turn = 0; turn < kTurnsMax && !is_shut_down_; ++turn) {
    int ready = ::epoll_wait(epoll_.native_handle(), batch_.data(), kEventsMax, 0);
    next_ = 0;
    count_ = ready > 0 ? static_cast<std::size_t>(ready) : 0;
    run_batch();
    // Where several were ready, others may be by now: that is cheaper to ask than to arm again.
    if (ready < kBusyBatch) break;
  }
}

void ReadinessPoll::run_batch() {
  while (next_ < count_) {
    const auto& event = batch_[next_++];
    if (event.data.ptr != nullptr) tell(*static_cast<Watched*>(event.data.ptr), event.events);
  }
}

void ReadinessPoll::tell(Watched& watched, std::uint32_t events) {
  told_ = &watched;
  if (events == 0 || (events & kReadable) != 0) watched.on_readable(events);
  if (told_ == &watched && (events == 0 || (events & kWritable) != 0)) watched.on_writable();
  told_ = nullptr;
}

void ReadinessPoll::run_due() {
  AtEnd again{[this] {
    if (!due_.empty() && !is_shut_down_) asio::post(loop_, [this] { run_due(); });
  }};
  // Those that are woken while these run have the next turn.
  for (auto left = due_.size(); left > 0 && !due_.empty(); --left) {
    auto* watched = due_.front();
    due_.pop_front();
    tell(*watched, 0);
  }
}

}  // namespace weft
