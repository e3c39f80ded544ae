#include "runtime/edge/deadline_tick.h"

namespace weft {

Deadline::Deadline(boost::asio::io_context& loop)
    : tick_(&boost::asio::use_service<DeadlineTick>(loop)) {
  tick_->add(*this);
}

Deadline::~Deadline() {
  tick_->remove(*this);
}

DeadlineTick::DeadlineTick(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context),
      timer_(static_cast<boost::asio::io_context&>(context)) {}

void DeadlineTick::shutdown() {
  is_shut_down_ = true;
}

void DeadlineTick::add(Deadline& deadline) {
  deadline.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &deadline;
  first_ = &deadline;
  if (!is_armed_) arm();
}

void DeadlineTick::remove(Deadline& deadline) {
  if (cursor_ == &deadline) cursor_ = deadline.next_;
  if (deadline.previous_ != nullptr) deadline.previous_->next_ = deadline.next_;
  if (deadline.next_ != nullptr) deadline.next_->previous_ = deadline.previous_;
  if (first_ == &deadline) first_ = deadline.next_;
  // An armed timer is work that keeps run() from returning.
  if (first_ == nullptr && is_armed_ && !is_shut_down_) {
    is_armed_ = false;
    timer_.cancel();
  }
}

void DeadlineTick::arm() {
  is_armed_ = true;
  timer_.expires_after(kCoarseTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_armed_ = false;
    run_expired();
    if (first_ != nullptr && !is_armed_) arm();
  });
}

void DeadlineTick::run_expired() {
  auto now = std::chrono::steady_clock::now();
  for (auto* at = first_; at != nullptr; at = cursor_) {
    cursor_ = at->next_;
    if (at->when_ > now) continue;
    at->when_ = MonoTime::max();
    at->on_deadline();
  }
  cursor_ = nullptr;
}

}  // namespace weft
