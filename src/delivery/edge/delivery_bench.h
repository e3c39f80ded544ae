// For tests: a world with a durable log, endpoints that behave as told, and the delivery service in
// it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "delivery/delivery_service.h"
#include "eventlog/embedded/embedded_log.h"
#include "runtime/log.h"
#include "runtime/world.h"

namespace weft::delivery {

struct ReceivedRequest {
  WallTime at;
  http::ClientRequest request;

  std::string header(std::string_view name) const {
    for (const auto& [field, value] : request.fields) {
      if (equals_ignoring_case(field, name)) return value;
    }
    return "";
  }
  std::string id() const { return header("webhook-id"); }
};

// One receiver. What it answers comes from a script; when that has ended, `otherwise`.
class Endpoint {
 public:
  using Answer = Result<http::ClientResponse>;

  static Answer status(int code, std::vector<std::pair<std::string, std::string>> fields = {},
                       std::string body = "") {
    http::ClientResponse response;
    response.status = code;
    response.fields = std::move(fields);
    response.body = std::move(body);
    return response;
  }
  static Answer refused() { return fail(ErrorCode::Unavailable, "connection refused"); }

  Endpoint& then(Answer answer) {
    script.push_back(std::move(answer));
    return *this;
  }

  std::vector<std::string> accepted_bodies() const {
    std::vector<std::string> out;
    for (const auto& one : accepted) out.push_back(one.request.body);
    return out;
  }

  std::deque<Answer> script;
  std::function<Answer()> otherwise = [] { return status(204); };
  std::function<Duration()> delay = [] { return Duration(2ms); };
  std::vector<ReceivedRequest> requests;
  std::vector<ReceivedRequest> accepted;
  std::size_t under_way = 0;
  std::size_t under_way_max = 0;
  std::set<std::string> ids_under_way;
  std::vector<std::string> overlapping_ids;  // two attempts at one delivery at the same time
};

class SimulatedEndpoints final : public Sender {
 public:
  explicit SimulatedEndpoints(Clock& clock) : clock_(clock) {}

  Endpoint& at(const std::string& host) { return endpoints_[host]; }

  Task<Result<http::ClientResponse>> send(http::ClientRequest request) override {
    auto& endpoint = endpoints_[request.url.host];
    ReceivedRequest received{clock_.now(), std::move(request)};
    endpoint.requests.push_back(received);
    endpoint.under_way_max = std::max(endpoint.under_way_max, ++endpoint.under_way);
    auto id = received.id();
    if (!endpoint.ids_under_way.insert(id).second) endpoint.overlapping_ids.push_back(id);
    auto slept = co_await clock_.sleep_for(endpoint.delay());
    --endpoint.under_way;
    endpoint.ids_under_way.erase(id);
    if (!slept) co_return std::unexpected(std::move(slept).error());
    auto answer = next_answer(endpoint);
    if (answer && answer->status / 100 == 2) endpoint.accepted.push_back(std::move(received));
    co_return answer;
  }

 private:
  static Endpoint::Answer next_answer(Endpoint& endpoint) {
    if (endpoint.script.empty()) return endpoint.otherwise();
    auto answer = std::move(endpoint.script.front());
    endpoint.script.pop_front();
    return answer;
  }

  Clock& clock_;
  std::map<std::string, Endpoint> endpoints_;
};

class KeptSpans final : public SpanSink {
 public:
  void record(Span span) override { spans.push_back(std::move(span)); }
  std::vector<Span> spans;
};

class NoSecrets final : public estate::SecretSource {
 public:
  Result<std::string> reveal(std::string_view text) const override { return std::string(text); }
};

inline constexpr std::string_view kTestSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

inline Subscription subscription_to(std::string host, std::string name = "crm") {
  Subscription out;
  out.tenant = "default";
  out.name = std::move(name);
  out.owner = "sales";
  out.streams = {"orders"};
  out.from = StartFrom::Earliest;
  out.url.host = host;
  out.url.port = 80;
  out.url.target = "/hook";
  out.url_text = "http://" + host + "/hook";
  out.keys.push_back(*SigningKey::parse(kTestSecret));
  out.retry.initial_delay = 1s;
  out.retry.delay_max = 1min;
  out.retry.attempts_max = 5;
  out.retry.age_max = 1h;
  return out;
}

// One life of the process: an open log and a running service.
class DeliveryLife {
 public:
  DeliveryLife(World& world, SimulatedEndpoints& endpoints, DeliveryLimits limits = {},
               DeliveryMutant mutant = DeliveryMutant::None,
               std::uint64_t wal_file_bytes = 4 * 1024 * 1024)
      : world_(world), wal_file_bytes_(wal_file_bytes) {
    set_log_level(LogLevel::Error);
    auto opened = world.run(
        eventlog::EmbeddedLog::open(world.disk, world.clock, world.random, metrics, options()));
    if (!opened) {
      error = opened.error().message;
      return;
    }
    log = std::move(*opened);
    DeliveryParts parts{*log,   endpoints,          secrets, world.clock, world.random, metrics,
                        &spans, {world.executor()}, limits,  mutant};
    parts.ttl_of = [this](eventlog::StreamId) { return ttl; };
    service = std::make_unique<DeliveryService>(std::move(parts));
    auto started = world.run(service->start());
    if (!started)
      error = started.error().message;
    else
      world.spawn(service->run(0));
  }

  Duration ttl{};  // of every stream
  bool is_up() const { return error.empty(); }

  // In order; call before the world ends. After a crash it only frees.
  void end() {
    if (service && !crashed) {
      service->stop();
      world_.run_for(10s);
    }
    if (log && !crashed) world_.run(close_log());
    service.reset();
    log.reset();
  }
  void crash(CrashKeeps keeps = CrashKeeps::Random) {
    crashed = true;
    world_.crash(keeps);
    // Of the old life nothing can be stored any more; its tasks still have to end.
    if (log) world_.run(close_log());
    end();
  }

  eventlog::LogOptions options() {
    eventlog::LogOptions out;
    out.folder = "/data/log";
    out.wal_file_bytes = wal_file_bytes_;
    out.executors = eventlog::LogExecutors{world_.executor(), world_.executor()};
    return out;
  }

  Task<bool> close_log() {
    co_await log->close();
    co_return true;
  }

  World& world_;
  std::uint64_t wal_file_bytes_;
  Metrics metrics;
  KeptSpans spans;
  NoSecrets secrets;
  std::unique_ptr<eventlog::EmbeddedLog> log;
  std::unique_ptr<DeliveryService> service;
  std::string error;
  bool crashed = false;
};

inline SubscriptionRef shared(Subscription subscription) {
  return std::make_shared<const Subscription>(std::move(subscription));
}

}  // namespace weft::delivery
