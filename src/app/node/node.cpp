#include "app/node/node.h"

#include <unistd.h>

#include <thread>

#include "app/node/kinds.h"
#include "app/node/node_parts.h"
#include "app/node/service_manager.h"
#include "app/version.h"
#include "base/document.h"
#include "base/json_writer.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"
#include "runtime/run_until_done.h"
#include "runtime/with_timeout.h"

namespace weft::app {
namespace {

constexpr std::size_t kChoresMax = 20;
constexpr Duration kRemovalStep =
    std::chrono::minutes(1);  // of streams whose time of grace is over
constexpr Duration kKeyUsesStep = std::chrono::hours(1);

std::size_t loop_count(const Settings& settings) {
  auto wanted = settings.number("threads.loops");
  return wanted > 0 ? static_cast<std::size_t>(wanted)
                    : std::max(1u, std::thread::hardware_concurrency());
}

EgressPolicy anywhere() {
  EgressPolicy policy;
  policy.allow_all = true;
  return policy;
}

Result<EgressPolicy> egress_policy(const Settings& settings) {
  auto rules = settings.list("egress.allow");
  if (rules.size() == 1 && rules[0] == "*") return anywhere();
  return EgressPolicy::parse(std::move(rules));
}

LogLevel log_level(const Settings& settings) {
  auto text = settings.text("log.level");
  if (text == "debug") return LogLevel::Debug;
  if (text == "warn") return LogLevel::Warn;
  if (text == "error") return LogLevel::Error;
  return LogLevel::Info;
}

}  // namespace

Node::Parts::Parts(Settings with, Roles these)
    : settings(std::move(with)),
      roles(these),
      loops(loop_count(settings)),
      dialer(network, clock, EgressPolicy()),
      client(dialer, clock, metrics, http::ClientLimits()),
      node_dialer(network, clock, anywhere()),
      node_client(node_dialer, clock, metrics, http::ClientLimits()),
      traces(trace_options(settings)),
      pool("searches", 1, 256),
      telemetry_pool("telemetry", 1, 16),
      secrets(estate::process_environment()),
      chores(control.get_executor(), "chores", kChoresMax),
      signals(control) {}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::create(Settings settings) {
  TRY(auto roles, roles_of(settings));
  TRY(auto policy, egress_policy(settings));
  TRY(auto ratio, sampling_ratio(settings));
  set_trace_sampling(ratio);
  set_log_level(log_level(settings));
  auto parts = std::make_unique<Parts>(std::move(settings), roles);
  parts->dialer.set_policy(std::move(policy));
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

const NodeAddresses& Node::addresses() const {
  return parts_->addresses;
}

std::string Node::data_folder() const {
  return parts_->settings.text("data.folder");
}

std::string Node::admin_token() const {
  auto token = run_until_done(read_file(parts_->files, parts_->identity->admin_token_path(), 4096));
  if (!token) return {};
  while (!token->empty() && token->back() == '\n') token->pop_back();
  return *token;
}

namespace {

Task<Result<>> in_order(std::vector<Task<Result<>>> steps) {
  for (auto& step : steps) CO_CHECK(co_await std::move(step));
  co_return Result<>();
}

}  // namespace

Node::Parts::~Parts() {
  close_telemetry();
}

// The loops run during the start, since some parts live on one of them.
Result<> Node::open(Parts& parts) {
  CHECK(run_until_done(parts.control, parts.open_state()));
  CHECK(parts.open_logs());
  std::vector<Task<Result<>>> steps;
  steps.push_back(parts.open_log());
  steps.push_back(parts.open_features());
  steps.push_back(parts.open_doors());
  CHECK(run_until_done(parts.control, in_order(std::move(steps))));
  CHECK(parts.listen());
  return parts.write_node_file();
}

// Ends what a failed start left running.
void Node::abandon(Parts& parts) {
  run_until_done(parts.control, parts.stop_delivery());
  if (parts.transactions) run_until_done(parts.control, parts.transactions->stop());
  if (parts.groups) run_until_done(parts.control, parts.groups->stop());
  parts.end_loops();
  parts.close_telemetry();
}

Result<> Node::start() {
  auto& parts = *parts_;
  parts.started_at = parts.clock.now();
  parts.loop_threads = std::thread([&parts] { parts.loops.run(); });
  auto started = open(parts);
  if (!started) abandon(parts);
  return started;
}

void Node::run() {
  auto& parts = *parts_;
  auto loop = parts.control.get_executor();
  parts.control.restart();
  parts.signals.add(SIGINT);
  parts.signals.add(SIGTERM);
  parts.signals.async_wait([&parts](const boost::system::error_code& error, int) {
    if (!error) parts.control.stop();
  });
  parts.chores.spawn(parts.sample_activity());
  parts.chores.spawn(parts.rejects->run());
  parts.chores.spawn(parts.lag_watch->run());
  if (parts.cluster) parts.chores.spawn(parts.answers->follow());
  if (parts.state_watch) parts.chores.spawn(parts.state_watch->run());
  if (parts.is_state_shared) parts.chores.spawn(parts.node_registry->run());
  parts.chores.spawn(parts.keep_telemetry());
  parts.chores.spawn(parts.denials->run());
  if (parts.log_archive) parts.chores.spawn(parts.log_archive->run());
  for (auto& exporter : parts.exporters) parts.chores.spawn(parts.run_exporter(exporter));
  if (parts.access_log) parts.chores.spawn(parts.access_log->run(parts.clock));
  auto keep_alive = boost::asio::make_work_guard(loop);

  for (auto* server : {&parts.gateway_server, &parts.gateway_tls_server, &parts.admin_server,
                       &parts.admin_tls_server, &parts.otlp_server, &parts.ops_server}) {
    if (*server) (*server)->start();
  }
  for (auto* server : {&parts.kafka_server, &parts.kafka_tls_server}) {
    if (*server) (*server)->start();
  }
  parts.ops->set_ready(true);
  log_info("node", "ready",
           {{"roles", parts.roles.text()},
            {"hub", parts.addresses.hub},
            {"gateway", parts.addresses.gateway},
            {"kafka", parts.addresses.kafka},
            {"start_ms", std::chrono::duration_cast<std::chrono::milliseconds>(parts.clock.now() -
                                                                               parts.started_at)
                             .count()}});
  if (auto note = parts.note_of_roles(); !note.empty()) log_warn("node", note);
  tell_service_manager("READY=1");
  parts.control.run();

  log_info("node", "draining");
  tell_service_manager("STOPPING=1");
  parts.ops->set_ready(false);
  run_until_done(parts.control, parts.close());
  auto drain = parts.settings.time("shutdown.drain");
  for (auto* server : {&parts.gateway_server, &parts.gateway_tls_server}) {
    if (*server) (*server)->stop(drain);
  }
  for (auto* server : {&parts.admin_server, &parts.admin_tls_server, &parts.otlp_server}) {
    if (*server) (*server)->stop(std::min<Duration>(drain, 1s));
  }
  for (auto* server : {&parts.kafka_server, &parts.kafka_tls_server}) {
    if (*server) (*server)->stop(drain);
  }
  parts.ops_server->stop(0s);
  parts.end_loops();
  auto removed = run_until_done(parts.control, parts.files.remove(data_folder() + "/node.json"));
  if (!removed) log_warn("node", "node.json stays behind", {{"why", removed.error().message}});
  log_info("node", "ended");
  parts.close_telemetry();
}

void Node::request_stop() {
  parts_->control.stop();
}

void Node::Parts::end_loops() {
  for (std::size_t i = 0; i < loop_chores.size(); ++i) {
    run_until_done(control, on_loop(loops.at(i), loop_chores[i]->join()));
  }
  settle_traces();
  if (!exporters.empty()) run_until_done(control, flush_exporters());
  loops.stop();
  loop_threads.join();
  if (embedded) run_until_done(control, embedded->close());
}

Task<void> Node::Parts::close() {
  if (events) events->stop();
  chores.cancel();
  co_await chores.join();
  if (rejects) co_await rejects->flush();
  if (transactions) co_await transactions->stop();
  if (groups) co_await groups->stop();
  co_await stop_delivery();
  co_await store_key_uses();
  if (denials) co_await denials->write_noted();
}

Task<void> Node::Parts::store_key_uses() {
  auto stored = co_await identity->store_last_used();
  if (!stored)
    log_warn("node", "the days on which keys were used were not stored",
             {{"why", stored.error().message}});
}

Task<void> Node::Parts::sample_activity() {
  auto last = clock.mono();
  auto next_removal = last;
  auto next_key_uses = last + kKeyUsesStep;
  for (;;) {
    auto totals = co_await delivery->totals("");
    auto traffic = gateway->traffic();
    ActivityCounts counts;
    counts.requests = traffic.requests;
    counts.errors = traffic.server_errors;
    counts.records = stream_rates.sample(clock.mono(), *log);
    quotas->measure_storage(*log);
    counts.deliveries = totals.delivered;
    counts.failures = totals.failed_attempts;
    activity.sample(clock.now(), counts);
    auto now = clock.mono();
    gateway->sample(now - last);
    last = now;
    answers->forget_expired();
    if (now >= next_removal) {
      next_removal = now + kRemovalStep;
      // A cluster may have been away when the streams were to be made.
      if (cluster) co_await reconcile();
      auto removed =
          co_await streams->remove_retired(clock.now() - settings.time("streams.removedGrace"));
      if (!removed)
        log_error("node", "a stream could not be removed", {{"why", removed.error().message}});
    }
    if (now >= next_key_uses) {
      next_key_uses = now + kKeyUsesStep;
      co_await store_key_uses();
    }
    if (!co_await clock.sleep_for(Activity::kStep)) co_return;
  }
}

Task<std::string> Node::Parts::reconcile(std::optional<estate::ResourceId> dropped) {
  std::function<Result<bool>()> turn = [this, dropped]() -> Result<bool> {
    CHECK(run_until_done(streams->reconcile(clock.now())));
    if (dropped) CHECK(run_until_done(streams->drop(dropped->tenant, dropped->name)));
    return true;
  };
  auto done = co_await stream_turns.run<bool>(std::move(turn));
  co_return done ? std::string() : done.error().message;
}

Result<> Node::Parts::write_node_file() {
  JsonWriter out;
  out.object().member("pid", ::getpid()).member("version", kVersion);
  const std::pair<std::string_view, const std::string&> listeners[] = {
      {"admin", addresses.hub},
      {"gateway", addresses.gateway},
      {"kafka", addresses.kafka},
      {"ops", addresses.ops},
      {"otlp", addresses.otlp},
      {"adminTls", addresses.hub_tls},
      {"gatewayTls", addresses.gateway_tls},
      {"kafkaTls", addresses.kafka_tls}};
  for (const auto& [name, address] : listeners) {
    if (!address.empty()) out.member(name, address);
  }
  out.end();
  return run_until_done(
      control,
      write_file_durably(files, settings.text("data.folder") + "/node.json", out.text() + "\n"));
}

}  // namespace weft::app
