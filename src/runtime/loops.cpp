#include "runtime/loops.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "runtime/log.h"

namespace weft {

namespace asio = boost::asio;

namespace {

thread_local const void* loops_of_thread = nullptr;
thread_local std::size_t index_of_thread = 0;

struct alignas(64) Loop {
  // Other threads post to a loop, so its scheduler keeps its locks; descriptors stay on their loop,
  // so the reactor needs none for input and output.
  Loop() : io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), work(io.get_executor()) {}
  IoContext io;
  asio::executor_work_guard<Executor> work;
  std::atomic<long> connections{0};
};

void run_loop(IoContext& io) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& caught) {
      log_error("runtime", "an exception escaped a handler: our bug",
                {{"exception", caught.what()}});
    }
  }
}

}  // namespace

struct Loops::State {
  std::vector<std::unique_ptr<Loop>> loops;
};

Loops::Loops(std::size_t count) : state_(std::make_unique<State>()) {
  ENSURE(count > 0, "there is at least one loop");
  for (std::size_t i = 0; i < count; ++i) state_->loops.push_back(std::make_unique<Loop>());
}

Loops::~Loops() = default;

std::size_t Loops::size() const {
  return state_->loops.size();
}

Executor Loops::at(std::size_t index) const {
  return state_->loops.at(index)->io.get_executor();
}

void Loops::post(std::size_t index, std::function<void()> job) const {
  asio::post(at(index), std::move(job));
}

std::size_t Loops::least_loaded() const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < state_->loops.size(); ++i) {
    auto& loops = state_->loops;
    if (loops[i]->connections.load(std::memory_order_relaxed) <
        loops[best]->connections.load(std::memory_order_relaxed)) {
      best = i;
    }
  }
  return best;
}

void Loops::count_connection(std::size_t index, int change) {
  state_->loops.at(index)->connections.fetch_add(change, std::memory_order_relaxed);
}

std::size_t Loops::current() const {
  return loops_of_thread == state_.get() ? index_of_thread : size();
}

void Loops::run() {
  auto body = [this](std::size_t index) {
    loops_of_thread = state_.get();
    index_of_thread = index;
    run_loop(state_->loops[index]->io);
    loops_of_thread = nullptr;
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < size(); ++i) threads.emplace_back(body, i);
  body(0);
}

void Loops::stop() {
  for (auto& loop : state_->loops) loop->io.stop();
}

struct BlockingPool::State {
  std::string name;
  std::size_t queue_max = 0;
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::function<void()>> queue;
  bool ending = false;
  std::vector<std::jthread> threads;

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      arrived.wait(lock, [this] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      auto job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }
};

BlockingPool::BlockingPool(std::string_view name, std::size_t threads, std::size_t queue_max)
    : state_(std::make_unique<State>()) {
  state_->name = name;
  state_->queue_max = queue_max;
  for (std::size_t i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
  }
}

BlockingPool::~BlockingPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->arrived.notify_all();
  state_->threads.clear();
}

Result<> BlockingPool::submit(std::function<void()> job) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->queue.size() >= state_->queue_max) {
      return fail(ErrorCode::ResourceExhausted, "pool {}: {} jobs wait already", state_->name,
                  state_->queue.size());
    }
    state_->queue.push_back(std::move(job));
  }
  state_->arrived.notify_one();
  return {};
}

}  // namespace weft
