// The coarse tick: one timer per loop that ends waits whose deadline has passed, every 100 ms.
// Setting a deadline is a store; nothing is armed, allocated or called per operation.
//
// An execution_context service: every io_context has one, and all calls are made on its loop.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.h"

namespace weft {

inline constexpr auto kCoarseTick = std::chrono::milliseconds(100);

class DeadlineTick;

// Registered with the loop's tick from construction to destruction.
class Deadline {
 public:
  explicit Deadline(boost::asio::io_context& loop);
  virtual ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set_deadline_at(MonoTime when) { when_ = when; }

 protected:
  // Called once per deadline set, on the loop; may destroy this object or others.
  virtual void on_deadline() = 0;

 private:
  friend class DeadlineTick;
  DeadlineTick* tick_;
  Deadline* next_ = nullptr;
  Deadline* previous_ = nullptr;
  MonoTime when_ = MonoTime::max();
};

class DeadlineTick final : public boost::asio::execution_context::service {
 public:
  using key_type = DeadlineTick;
  inline static boost::asio::execution_context::id id;

  explicit DeadlineTick(boost::asio::execution_context& context);

  void add(Deadline& deadline);
  void remove(Deadline& deadline);

 private:
  void shutdown() override;
  void arm();
  void run_expired();

  boost::asio::steady_timer timer_;
  Deadline* first_ = nullptr;
  Deadline* cursor_ = nullptr;  // the next one to look at while expired ones are called
  bool is_armed_ = false;
  bool is_shut_down_ = false;
};

}  // namespace weft
