// Readiness of connected sockets: one epoll per loop beside Asio's own, which waits on it.
//
// Asio's reactor tries every read before it waits for it, and does not learn from a read that came
// back short; on a keep-alive connection that is a system call without a result for each message.
// Here a descriptor is registered once, edge-triggered and with EPOLLRDHUP, and its owner keeps
// what it knows: a short read on a stream means that it is empty, unless the peer has finished
// (epoll(7), questions 9 and 10). A wake-up of the loop costs one more epoll_wait and one epoll_ctl
// than with Asio's reactor alone, shared by all sockets that were ready.
//
// An execution_context service: every io_context has one, and all calls are made on its loop.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <deque>

#include "runtime/task.h"

namespace weft {

class ReadinessPoll;

// Told of its descriptor's events from construction to destruction, or until the descriptor is
// closed. The descriptor stays its owner's.
class Watched {
 public:
  Watched(IoContext& loop, int descriptor);
  virtual ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  // False when the kernel refused the registration (its limits): no event will come.
  bool is_registered() const { return is_registered_; }
  // Calls on_readable(0) and on_writable() from the loop, soon.
  void wake_later();

 protected:
  // `events` as in epoll_ctl(2), told once; 0 after wake_later(). Both may destroy this object and
  // others.
  virtual void on_readable(std::uint32_t events) = 0;
  virtual void on_writable() = 0;

 private:
  friend class ReadinessPoll;
  ReadinessPoll* poll_;
  bool is_registered_ = false;
};

class ReadinessPoll final : public boost::asio::execution_context::service {
 public:
  using key_type = ReadinessPoll;
  inline static boost::asio::execution_context::id id;

  explicit ReadinessPoll(boost::asio::execution_context& context);

 private:
  friend class Watched;
  static constexpr std::size_t kEventsMax = 128;

  bool add(Watched& watched, int descriptor);
  void remove(Watched& watched);
  void wake_later(Watched& watched);
  void shutdown() override;

  void arm();
  void run_ready();
  void run_batch();
  void run_due();
  void tell(Watched& watched, std::uint32_t events);

  IoContext& loop_;
  boost::asio::posix::basic_stream_descriptor<Executor> epoll_;
  std::array<epoll_event, kEventsMax> batch_;
  std::size_t next_ = 0;  // within the batch
  std::size_t count_ = 0;
  Watched* told_ = nullptr;  // the one that is being told, while it exists
  std::deque<Watched*> due_;
  std::size_t watched_ = 0;
  bool is_armed_ = false;
  bool is_shut_down_ = false;
};

}  // namespace weft
