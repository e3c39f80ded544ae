#include "http/server.h"

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <list>
#include <mutex>

#include "http/edge/server_connection.h"
#include "http/edge/server_context.h"
#include "runtime/log.h"
#include "runtime/socket_network.h"
#include "runtime/task_group.h"

namespace weft::http {

namespace {

constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";
// What a closed connection may take to unwind on its loop.
constexpr auto kUnwindTime = std::chrono::seconds(5);

// The connections of one loop; used on it alone.
struct LoopConnections {
  LoopConnections(Executor loop, std::size_t connections_max)
      : executor(loop), tasks(loop, "http connections", connections_max) {}
  Executor executor;
  TaskGroup tasks;
  std::list<ServerConnection*> open;
};

class SocketServer final : public Server {
 public:
  SocketServer(ServerOptions options, Handler& handler, Loops& loops, Clock& clock,
               Metrics& metrics)
      : context_(std::move(options), handler, clock, metrics) {
    for (std::size_t i = 0; i < loops.size(); ++i) {
      per_loop_.push_back(
          std::make_unique<LoopConnections>(loops.at(i), context_.options.limits.connections_max));
    }
  }

  Result<> bind(Loops& loops) {
    TRY(listener_, SpreadListener::bind(context_.options.listen, loops));
    return {};
  }

  net::Endpoint local() const override { return listener_->local(); }

  void start() override {
    listener_->start([this](std::unique_ptr<net::Stream> stream, std::size_t index) {
      admit(std::move(stream), index);
    });
  }

  void stop(Duration drain) override {
    listener_->stop();
    context_.is_draining = true;
    for_each_connection([](ServerConnection& connection) { connection.close_when_idle(); });
    if (!wait_until_empty(drain)) {
      for_each_connection([](ServerConnection& connection) { connection.close(); });
      cancel_tasks();
    }
    if (!wait_until_unwound()) {
      log_error("http", "connections did not end", {{"server", context_.options.name}});
    }
  }

 private:
  void admit(std::unique_ptr<net::Stream> stream, std::size_t index) {
    auto open = context_.connections.fetch_add(1) + 1;
    auto& loop = *per_loop_[index];
    bool is_admitted = open <= context_.options.limits.connections_max && !context_.is_draining;
    if (is_admitted) {
      context_.connections_open.add(1);
      if (loop.tasks.spawn(serve(std::move(stream), loop, index))) return;
      context_.connections_open.add(-1);
    } else {
      context_.refused_connections.add();
      std::array<std::string_view, 1> answer{kTooManyConnections};
      if (!context_.options.tls) (void)stream->try_write(answer);
    }
    left();
  }

  Task<void> serve(std::unique_ptr<net::Stream> stream, LoopConnections& loop, std::size_t index) {
    if (context_.options.tls) {
      auto deadline = context_.clock.mono() + context_.options.limits.head_timeout;
      auto secured = co_await accept_tls(std::move(stream), *context_.options.tls, deadline);
      if (secured) stream = std::move(*secured);
    }
    if (stream) {
      ServerConnection connection(std::move(stream), context_, index);
      auto at = loop.open.insert(loop.open.end(), &connection);
      co_await connection.run();
      loop.open.erase(at);
    }
    context_.connections_open.add(-1);
    left();
  }

  void left() {
    if (context_.connections.fetch_sub(1) != 1) return;
    std::lock_guard lock(mutex_);
    emptied_.notify_all();
  }

  bool wait_until_empty(Duration limit) {
    std::unique_lock lock(mutex_);
    auto is_empty = [this] { return context_.connections == 0; };
    return emptied_.wait_for(lock, limit, is_empty);
  }

  // The count goes down a step before a task has left its group.
  struct Unwinding {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t loops_left = 0;
  };

  static void unwind(LoopConnections& loop, std::shared_ptr<Unwinding> shared) {
    if (loop.tasks.size() > 0) {
      boost::asio::post(loop.executor, [&loop, shared] { unwind(loop, shared); });
      return;
    }
    std::lock_guard lock(shared->mutex);
    if (--shared->loops_left == 0) shared->changed.notify_all();
  }

  bool wait_until_unwound() {
    auto shared = std::make_shared<Unwinding>();
    shared->loops_left = per_loop_.size();
    for (auto& loop : per_loop_) {
      boost::asio::post(loop->executor, [loop = loop.get(), shared] { unwind(*loop, shared); });
    }
    std::unique_lock lock(shared->mutex);
    return shared->changed.wait_for(lock, kUnwindTime, [&] { return shared->loops_left == 0; });
  }

  template <class F>
  void for_each_connection(F visit) {
    for (auto& loop : per_loop_) {
      boost::asio::post(loop->executor, [loop = loop.get(), visit] {
        for (auto* connection : loop->open) visit(*connection);
      });
    }
  }

  void cancel_tasks() {
    for (auto& loop : per_loop_) {
      boost::asio::post(loop->executor, [loop = loop.get()] { loop->tasks.cancel(); });
    }
  }

  ServerContext context_;
  std::unique_ptr<SpreadListener> listener_;
  std::vector<std::unique_ptr<LoopConnections>> per_loop_;
  std::mutex mutex_;
  std::condition_variable emptied_;
};

Labels server_label(const ServerOptions& options) {
  return {{"server", options.name}};
}

Labels refused_label(const ServerOptions& options, std::string what) {
  return {{"server", options.name}, {"what", std::move(what)}};
}

}  // namespace

ServerContext::ServerContext(ServerOptions server_options, Handler& server_handler,
                             Clock& server_clock, Metrics& metrics)
    : options(std::move(server_options)),
      handler(server_handler),
      clock(server_clock),
      connections_open(metrics.gauge("weft_http_connections_open", "Connections that are open now.",
                                     server_label(options))),
      requests(metrics.counter("weft_http_requests_total", "Requests whose head was accepted.",
                               server_label(options))),
      refused_heads(metrics.counter("weft_http_refused_total", "Requests and connections refused.",
                                    refused_label(options, "head"))),
      refused_connections(metrics.counter("weft_http_refused_total",
                                          "Requests and connections refused.",
                                          refused_label(options, "connection"))),
      timeouts(metrics.counter("weft_http_timeouts_total",
                               "Heads, bodies and writes that took too long.",
                               server_label(options))),
      handler_failures(metrics.counter("weft_http_handler_failures_total",
                                       "Exceptions that escaped a handler.",
                                       server_label(options))) {}

Result<std::unique_ptr<Server>> Server::open(ServerOptions options, Handler& handler, Loops& loops,
                                             Clock& clock, Metrics& metrics) {
  auto server = std::make_unique<SocketServer>(std::move(options), handler, loops, clock, metrics);
  CHECK(server->bind(loops));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace weft::http
