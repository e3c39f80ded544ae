// While one of these lives, its loop does not run out of work: for waits that another thread ends,
// which a loop alone would not know of.
#pragma once

#include <boost/asio/executor_work_guard.hpp>

#include "runtime/task.h"

namespace weft {

class KeepLoop {
 public:
  explicit KeepLoop(Executor loop) : guard_(std::move(loop)) {}

 private:
  boost::asio::executor_work_guard<Executor> guard_;
};

}  // namespace weft
