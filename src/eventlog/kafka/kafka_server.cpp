#include "eventlog/kafka/kafka_server.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <vector>

#include "eventlog/kafka/edge/connection.h"
#include "eventlog/kafka/log_module.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"
#include "runtime/socket_network.h"
#include "runtime/with_timeout.h"

namespace weft::kafka {
namespace {

// Where clients are sent when nothing was said: a wildcard cannot be connected to.
net::Endpoint advertised(net::Endpoint wanted, const net::Endpoint& local) {
  if (wanted.host.empty()) {
    const bool is_any =
        local.host.empty() || local.host == "0.0.0.0" || local.host == "::" || local.host == "*";
    wanted.host = is_any ? "localhost" : local.host;
  }
  if (wanted.port == 0) wanted.port = local.port;
  return wanted;
}

}  // namespace

struct KafkaServer::State : std::enable_shared_from_this<KafkaServer::State> {
  // The connections of one loop; touched on it alone.
  struct PerLoop {
    PerLoop(Executor executor, std::size_t tasks_max)
        : loop(executor), tasks(executor, "kafka connections", tasks_max) {}
    Executor loop;
    TaskGroup tasks;
    std::list<Connection*> connections;
    bool is_draining = false;
  };

  State(const KafkaOptions& options, const KafkaParts& parts) : broker(options, parts) {
    for (std::size_t i = 0; i < parts.loops.size(); ++i) {
      loops.push_back(std::make_unique<PerLoop>(parts.loops.at(i), options.limits.connections_max));
    }
  }

  void accept(std::unique_ptr<net::Stream> stream, std::size_t index);
  Task<void> serve(std::unique_ptr<net::Stream> stream, PerLoop& on);
  Task<void> drain(PerLoop& on, Duration limit);

  Broker broker;
  std::vector<std::unique_ptr<PerLoop>> loops;
  std::unique_ptr<SpreadListener> listener;
};

void KafkaServer::State::accept(std::unique_ptr<net::Stream> stream, std::size_t index) {
  auto& on = *loops[index];
  const auto& limits = broker.options.limits;
  if (on.is_draining || broker.connections.load() >= limits.connections_max) {
    broker.metrics.connections_refused.add();
    stream->close();
    return;
  }
  broker.connections.fetch_add(1);
  broker.metrics.connections.add(1);
  if (!on.tasks.spawn(serve(std::move(stream), on))) {
    broker.connections.fetch_sub(1);
    broker.metrics.connections.add(-1);
  }
}

Task<void> KafkaServer::State::serve(std::unique_ptr<net::Stream> stream, PerLoop& on) {
  if (broker.options.tls) {
    const auto deadline = broker.parts.clock.mono() + broker.options.limits.authentication_timeout;
    auto context = *broker.options.tls;
    auto secured = co_await accept_tls(std::move(stream), std::move(context), deadline);
    if (secured) {
      stream = std::move(*secured);
    } else {
      log_info(kLogModule, "TLS handshake failed", {{"reason", secured.error().message}});
    }
  }
  if (stream) {
    Connection connection(broker, std::move(stream), on.loop);
    const auto place = on.connections.insert(on.connections.end(), &connection);
    co_await connection.run();
    on.connections.erase(place);
  }
  broker.connections.fetch_sub(1);
  broker.metrics.connections.add(-1);
}

Task<void> KafkaServer::State::drain(PerLoop& on, Duration limit) {
  on.is_draining = true;
  for (auto* connection : on.connections) connection->drain();
  const auto until = broker.parts.clock.mono() + limit;
  constexpr Duration kPoll = 10ms;
  while (on.tasks.size() > 0 && broker.parts.clock.mono() < until) {
    const auto slept = co_await broker.parts.clock.sleep_for(kPoll);
    if (!slept) break;
  }
  on.tasks.cancel();
  co_await on.tasks.join();
}

KafkaServer::KafkaServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
KafkaServer::~KafkaServer() = default;

Result<std::unique_ptr<KafkaServer>> KafkaServer::open(KafkaOptions options, KafkaParts parts) {
  if (!options.anonymous && parts.authenticator == nullptr) {
    return fail(ErrorCode::InvalidArgument,
                "the Kafka listener needs an authenticator, or an anonymous principal");
  }
  TRY(auto listener, SpreadListener::bind(options.listen, parts.loops));
  options.advertised = advertised(options.advertised, listener->local());
  auto state = std::make_shared<State>(options, parts);
  state->listener = std::move(listener);
  return std::unique_ptr<KafkaServer>(new KafkaServer(std::move(state)));
}

net::Endpoint KafkaServer::local() const {
  return state_->listener->local();
}

void KafkaServer::start() {
  state_->listener->start(
      [state = state_.get()](std::unique_ptr<net::Stream> stream, std::size_t index) {
        state->accept(std::move(stream), index);
      });
}

namespace {

struct Latch {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left = 0;
};

Task<void> count_down(Task<void> task, std::shared_ptr<Latch> latch) {
  co_await std::move(task);
  const std::lock_guard lock(latch->mutex);
  if (--latch->left == 0) latch->changed.notify_all();
}

}  // namespace

void KafkaServer::stop(Duration drain) {
  state_->listener->stop();
  auto latch = std::make_shared<Latch>();
  latch->left = state_->loops.size();
  for (auto& on : state_->loops) {
    auto task = count_down(state_->drain(*on, drain), latch);
    boost::asio::co_spawn(on->loop, std::move(task), [state = state_](std::exception_ptr) {});
  }
  std::unique_lock lock(latch->mutex);
  latch->changed.wait(lock, [&] { return latch->left == 0; });
}

Task<void> serve_kafka_connection(std::unique_ptr<net::Stream> stream, const KafkaOptions& options,
                                  KafkaParts parts) {
  Broker broker(options, parts);
  const auto loop = co_await current_loop();
  Connection connection(broker, std::move(stream), loop);
  co_await connection.run();
}

}  // namespace weft::kafka
