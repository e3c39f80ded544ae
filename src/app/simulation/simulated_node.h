// For tests: what node_start.cpp makes of the shipped parts that carry data, on a machine of a
// simulated world: log, streams, idempotency, gateway behind HTTP/1.1, delivery through the HTTP
// client. State database, admin API and Kafka are left out: they do not run in virtual time.
#pragma once

#include <memory>
#include <string>

#include "app/node/kinds.h"
#include "delivery/delivery_service.h"
#include "estate/loader.h"
#include "eventlog/embedded/embedded_log.h"
#include "eventlog/streams.h"
#include "gateway/gateway.h"
#include "http/client.h"
#include "http/stream_server.h"
#include "runtime/dialer.h"
#include "runtime/world.h"

namespace weft::app {

// Everything stands in the document, and every caller may do everything.
class PlainSecrets final : public estate::SecretSource {
 public:
  Result<std::string> reveal(std::string_view text) const override { return std::string(text); }
};

class NobodyIsKnown final : public gateway::Authenticator {
 public:
  Result<identity::PrincipalRef> authenticate(std::string_view) const override {
    return fail(ErrorCode::Unauthenticated, "the simulation has no API keys");
  }
};

class NoSpans final : public SpanSink {
 public:
  void record(Span) override {}
  void record_view(const SpanView&) override {}
};

inline estate::EstateView simulated_estate(const std::string& documents) {
  static const auto kinds = all_kinds();
  ENSURE(kinds.has_value(), "the kinds are good");
  auto loaded = estate::Loader(*kinds).load_text("estate.yaml", documents);
  ENSURE(loaded.ok(), "the estate of the simulation is good");
  estate::ViewBuilder builder;
  for (auto& resource : loaded.resources) builder.put({resource, "test", 1});
  return std::move(builder).build(1);
}

// One life of a node. Destroyed after end() or crash().
class SimulatedNode {
 public:
  static constexpr std::uint16_t kGatewayPort = 8000;

  // `options` of the log, but for folder and executors. `error` says why it is not up.
  SimulatedNode(World& world, Machine& machine, const estate::EstateView& estate,
                eventlog::LogOptions options)
      : world_(world), machine_(machine), dialer_(world.network, world.clock, everything()) {
    options.folder = "/data/log";
    options.executors = eventlog::LogExecutors{world.executor(), world.executor()};
    auto started = world.run(start(estate, std::move(options)));
    if (!started) error = started.error().message;
  }

  bool is_up() const { return error.empty(); }
  eventlog::EmbeddedLog& log() { return *log_; }

  // A stop as an operator asks for it.
  void end() {
    if (delivery_) delivery_->stop();
    if (delivery_) world_.run_until([this] { return is_delivery_over_; });
    if (log_) world_.run(close_log());
    machine_.crash(CrashKeeps::Everything);
  }

  void crash(CrashKeeps keeps) {
    machine_.crash(keeps);
    if (log_) world_.run(close_log());
  }

  std::string error;

 private:
  static EgressPolicy everything() {
    EgressPolicy policy;
    policy.allow_all = true;
    return policy;
  }

  Task<Result<>> start(const estate::EstateView& estate, eventlog::LogOptions options) {
    auto& clock = world_.clock;
    auto& random = world_.random;
    CO_TRY(log_, co_await eventlog::EmbeddedLog::open(machine_.disk, clock, random, metrics_,
                                                      std::move(options)));
    streams_ = std::make_unique<eventlog::StreamCatalogue>(*log_);
    answers_ =
        std::make_unique<gateway::IdempotencyStore>(*log_, clock, gateway::IdempotencyOptions());
    CO_CHECK(co_await answers_->start());
    gateway::PublisherParts publisher{*log_, *streams_, *answers_, spans_, clock, random};
    gateway_ = std::make_unique<gateway::Gateway>(
        gateway::GatewayOptions(), gateway::GatewayParts{callers_, publisher, dialer_, clock,
                                                         random, loops_, metrics_, spans_});
    client_ = std::make_unique<http::Client>(dialer_, clock, metrics_, http::ClientLimits());
    sender_ = std::make_unique<delivery::ClientSender>(*client_);
    delivery_ = std::make_unique<delivery::DeliveryService>(delivery::DeliveryParts{
        *log_, *sender_, secrets_, clock, random, metrics_, &spans_, {world_.executor()}, {}, {}});
    CO_CHECK(co_await delivery_->start());
    CO_CHECK(publish(estate));
    CO_CHECK(co_await streams_->reconcile(clock.now()));
    machine_.spawn(deliver());
    http::ServerOptions server;
    server.name = "gateway";
    server_ = std::make_unique<http::StreamServer>(server, *gateway_, clock, metrics_);
    net::Endpoint door{machine_.address(), kGatewayPort};
    CO_TRY(listener_, co_await world_.network.listen(door));
    machine_.spawn(accept());
    co_return Result<>();
  }

  Result<> publish(const estate::EstateView& estate) {
    for (estate::Compiler* compiler :
         std::initializer_list<estate::Compiler*>{&*streams_, &*gateway_, &*delivery_}) {
      TRY(auto snapshot, compiler->compile(estate));
      compiler->publish(1, std::move(snapshot));
    }
    return {};
  }

  Task<void> deliver() {
    co_await delivery_->run(0);
    is_delivery_over_ = true;
  }

  Task<void> accept() {
    while (true) {
      auto stream = co_await listener_->accept();
      if (!stream) co_return;
      machine_.spawn(server_->serve(std::move(*stream)));
    }
  }

  Task<bool> close_log() {
    co_await log_->close();
    co_return true;
  }

  World& world_;
  Machine& machine_;
  Metrics metrics_;
  NoSpans spans_;
  PlainSecrets secrets_;
  NobodyIsKnown callers_;
  Loops loops_{1};  // counts for one loop; the world runs it
  Dialer dialer_;
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<eventlog::StreamCatalogue> streams_;
  std::unique_ptr<gateway::IdempotencyStore> answers_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<delivery::ClientSender> sender_;
  std::unique_ptr<delivery::DeliveryService> delivery_;
  std::unique_ptr<http::StreamServer> server_;
  std::unique_ptr<net::Listener> listener_;
  bool is_delivery_over_ = false;
};

}  // namespace weft::app
