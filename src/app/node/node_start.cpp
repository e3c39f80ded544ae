// How a node comes up, step by step; each step's failure names what and where.
#include "app/backup/data_upgrade.h"
#include "app/node/install_paths.h"
#include "app/node/kinds.h"
#include "app/node/node_parts.h"
#include "app/settings/state_settings.h"
#include "app/settings/streams_settings.h"
#include "app/settings/tls_settings.h"
#include "app/version.h"
#include "base/document.h"
#include "estate/loader.h"
#include "runtime/log.h"

namespace weft::app {

std::string reachable(const net::Endpoint& local) {
  // "::" takes IPv4 too, and a container may be without ::1 or without a resolver for localhost.
  if (local.host == "0.0.0.0" || local.host == "::")
    return net::Endpoint{"127.0.0.1", local.port}.text();
  return local.text();
}

namespace {

std::vector<Migration> state_migrations(bool is_shared) {
  std::vector<Migration> migrations;
  migrations.push_back(estate::AuditLog::migration());
  migrations.push_back(estate::Estate::migration());
  for (auto& each : identity::Identity::migrations()) migrations.push_back(std::move(each));
  if (is_shared) migrations.push_back(NodeRegistry::migration());
  return migrations;
}

// A certificate that clients refuse is no reason to stay down: the plain listeners still work.
void warn_of_certificate(std::string_view listener, const TlsContext& tls, WallTime now) {
  const auto certificate = tls.certificate();
  const auto warning = certificate_warning(certificate, now);
  if (warning.empty()) return;
  log_warn("node", warning, {{"listener", listener}, {"certificate", certificate.subject}});
}

}  // namespace

// The folder belongs to one process, and to no newer version than this.
Task<Result<>> Node::Parts::open_state() {
  auto folder = settings.text("data.folder");
  CO_CHECK(co_await files.create_directories(folder));
  auto locked = co_await files.lock(folder + "/LOCK");
  if (!locked)
    co_return std::unexpected(
        std::move(locked).error().within("data folder " + folder + " is in use"));
  lock = std::move(*locked);
  CO_CHECK(upgrade_data_folder(folder));

  CO_TRY(auto backend, state_backend(settings));
  is_state_shared = backend == StateBackend::Postgres;
  CO_TRY(database, co_await open_database(settings, files, clock, metrics));
  auto migrated = co_await database->migrate(state_migrations(is_state_shared), clock.now());
  is_state_away = !migrated && is_state_shared && migrated.error().code == ErrorCode::Unavailable;
  if (!migrated && !is_state_away) co_return migrated;
  CO_CHECK(co_await place_identity_key(files, folder, settings.secret("identity.key")));
  audit.emplace(*database, clock);
  identity::IdentityParts identity_parts{*database, *audit,  files,  clock,
                                         random,    secrets, folder, is_state_shared};
  identity.emplace(identity_parts);
  co_return co_await identity->start();
}

Task<Result<std::string>> Node::Parts::fetch_keys(std::string url) {
  constexpr Duration kTimeout = 5s;
  http::ClientRequest request;
  CO_TRY(request.url, http::Url::parse(url));
  request.timeout = kTimeout;
  request.fields.emplace_back("Accept", "application/json");
  CO_TRY(auto answer, co_await client.send(std::move(request)));
  if (answer.status != 200 || answer.truncated) {
    co_return fail(ErrorCode::Unavailable, "it answers {}{}", answer.status,
                   answer.truncated ? ", with too long a body" : "");
  }
  co_return std::move(answer.body);
}

Result<> Node::Parts::open_archive() {
  ArchiveOptions options;
  options.folder = settings.text("backup.archive");
  if (options.folder.empty()) return {};
  options.data_folder = settings.text("data.folder");
  options.keep = settings.time("backup.archiveTime");
  options.state_interval = settings.time("backup.archiveStateInterval");
  auto* sqlite = dynamic_cast<SqliteDatabase*>(database.get());
  TRY(log_archive, LogArchive::open(std::move(options), sqlite, files, clock, random, metrics));
  return {};
}

Task<Result<>> Node::Parts::open_embedded_log() {
  eventlog::LogOptions options;
  options.folder = settings.text("data.folder") + "/log";
  options.wal_file_bytes = settings.bytes("log.walFileBytes");
  options.tail_bytes_max = settings.bytes("log.tailBytesMax");
  options.queue_bytes_max = settings.bytes("log.queueBytesMax");
  options.disk_reserve_bytes = settings.bytes("log.reserveBytes");
  options.wal_age_max = settings.time("log.walAgeMax");
  options.scrub_bytes_per_second = settings.bytes("log.scrubBytesPerSecond");
  options.scrub_interval = settings.time("log.scrubInterval");
  CO_CHECK(open_archive());
  options.archive = log_archive.get();
  options.archive_waiting_bytes_max = settings.bytes("backup.archiveWaitingBytesMax");
  CO_TRY(embedded,
         co_await eventlog::EmbeddedLog::open(files, clock, random, metrics, std::move(options)));
  auto status = embedded->status();
  if (status.cut_bytes > 0 || status.damaged_ranges > 0) {
    log_warn("node", "the log was repaired at start",
             {{"cut_bytes", status.cut_bytes}, {"damaged_ranges", status.damaged_ranges}});
  }
  log = embedded.get();
  kafka::TransactionOptions transaction_options;
  transaction_options.timeout_max = settings.time("kafka.transactionTimeoutMax");
  kafka::CoordinatorOptions group_options;
  group_options.groups.initial_rebalance_delay = settings.time("kafka.rebalanceDelay");
  groups.emplace(group_options, *log, clock, random, loops.at(0));
  transactions.emplace(transaction_options, *embedded, *log, *groups, clock);
  co_return Result<>();
}

Task<Result<>> Node::Parts::open_log() {
  CO_TRY(const auto backend, streams_backend(settings));
  if (backend == StreamsBackend::Kafka) {
    CO_CHECK(open_cluster());
  } else {
    CO_CHECK(co_await open_embedded_log());
  }
  eventlog::QuotaOptions quota_options;
  quota_options.burst = settings.time("quotas.burst");
  quota_options.throttle_max = settings.time("quotas.throttleMax");
  quotas.emplace(clock, metrics, quota_options);
  streams.emplace(*log);
  rejects.emplace(*log, clock, metrics);
  co_return co_await rejects->start();
}

Task<Result<>> Node::Parts::open_features() {
  gateway::IdempotencyOptions answer_options;
  answer_options.keep = settings.time("gateway.idempotencyTime");
  answer_options.keys_max = static_cast<std::size_t>(settings.number("gateway.idempotencyKeysMax"));
  answer_options.wait = settings.time("gateway.idempotencyWait");
  answers.emplace(*log, clock, answer_options);
  CO_CHECK(co_await answers->start());

  gateway_keys.emplace(*identity);
  gateway::GatewayOptions gateway_options;
  gateway_options.body_bytes_max = settings.bytes("http.bodyBytesMax");
  gateway_options.upstream_timeout = settings.time("gateway.upstreamTimeout");
  gateway::PublisherParts publisher_parts{*log,  *streams, *answers, traces,
                                          clock, random,   &*quotas};
  auto access_log_path = settings.text("gateway.accessLog");
  if (!access_log_path.empty()) {
    CO_TRY(access_log, gateway::AccessLog::open(files, std::move(access_log_path), metrics));
  }
  gateway.emplace(gateway_options,
                  gateway::GatewayParts{*gateway_keys, publisher_parts, dialer, clock, trace_random,
                                        loops, metrics, traces, access_log.get()});
  CO_CHECK(co_await open_delivery());

  CO_TRY(auto kinds, all_kinds());
  estate::EstateParts estate_parts{
      *database,        *audit, files, clock, settings.text("data.folder") + "/generation.json",
      std::move(kinds), {},     {}};
  token_issuers.emplace(*identity, clock, [this](std::string url) { return fetch_keys(url); });
  estate_parts.compilers = {&*identity, &*token_issuers, &*quotas,
                            &*streams,  &*gateway,       &delivery_compiler()};
  estate_parts.checks = {&tenant_exists};
  if (cluster) estate_parts.checks.push_back(&cluster_limits);
  estate.emplace(std::move(estate_parts));
  CO_CHECK(co_await estate->start());
  CO_CHECK(co_await apply_estate_folder());
  if (is_state_shared) watch_state();
  auto warning = co_await reconcile();
  if (!warning.empty()) log_error("node", "not all streams could be made", {{"why", warning}});
  if (embedded) CO_CHECK(co_await start_broker());
  dedupe.emplace(clock, metrics,
                 static_cast<std::size_t>(settings.number("streams.dedupeEventsMax")));
  CO_CHECK(co_await dedupe->restore(*log, streams->all()));
  LagWatchOptions lag_options;
  lag_options.alert_after = settings.time("groups.lagAlert");
  lag_watch.emplace(*log, *streams, groups ? &*groups : nullptr, clock, metrics, lag_options);
  co_return start_delivery();
}

Task<Result<>> Node::Parts::start_broker() {
  CO_CHECK(co_await groups->start());
  co_return co_await transactions->start();
}

// The folder that the settings name is the desired state of what it once applied.
Task<Result<>> Node::Parts::apply_estate_folder() {
  auto folder = settings.text("estate.folder");
  if (folder.empty()) co_return Result<>();
  estate::Loader loader(estate->kinds(), estate::process_environment());
  CO_TRY(auto loaded, co_await loader.load_folder(files, folder));
  if (!loaded.ok())
    co_return fail(ErrorCode::InvalidArgument, "the estate has errors:\n{}", loaded.error_text());
  for (const auto& warning : loaded.findings.warnings) log_warn("estate", warning.text());
  estate::ChangeSet changes;
  changes.resources = std::move(loaded.resources);
  changes.manager = "folder";
  changes.prune = estate::Prune::Remove;
  changes.note = "applied at start from " + folder;
  auto again = changes;
  auto applied = co_await estate->apply("system:start", std::move(changes));
  // Another node may have applied the same folder at the same time.
  if (!applied && is_state_shared && applied.error().code == ErrorCode::Conflict) {
    applied = co_await estate->apply("system:start", std::move(again));
  }
  is_folder_pending = !applied && is_state_shared && applied.error().code == ErrorCode::Unavailable;
  if (is_folder_pending) {
    log_warn("node", "the estate folder waits for the state database",
             {{"why", applied.error().message}});
    co_return Result<>();
  }
  if (!applied) co_return std::unexpected(std::move(applied).error().within("estate " + folder));
  log_info("node", "estate applied", {{"generation", applied->generation}, {"folder", folder}});
  co_return Result<>();
}

void Node::Parts::watch_state() {
  StateWatchParts watch_parts{*database,
                              *audit,
                              *estate,
                              *identity,
                              clock,
                              settings.time("state.followInterval"),
                              state_migrations(true),
                              [this] { return catch_up(); }};
  state_watch.emplace(std::move(watch_parts));
  if (is_state_away) state_watch->migrate_later();
}

// The log is each node's own, so each makes the streams of a generation for itself.
Task<Result<>> Node::Parts::catch_up() {
  if (is_folder_pending) CO_CHECK(co_await apply_estate_folder());
  auto warning = co_await reconcile();
  if (!warning.empty()) log_error("node", "not all streams could be made", {{"why", warning}});
  co_return Result<>();
}

net::Endpoint Node::Parts::endpoint(std::string_view port_setting) const {
  auto port = settings.is_on("ports.auto")
                  ? 0
                  : settings.number(port_setting) + settings.number("ports.offset");
  return net::Endpoint{settings.text("listen.address"), static_cast<std::uint16_t>(port)};
}

net::Endpoint Node::Parts::tls_endpoint(std::string_view port_setting) const {
  auto at = endpoint(port_setting);
  auto address = settings.text("listen.tlsAddress");
  if (!address.empty()) at.host = std::move(address);
  return at;
}

http::ServerOptions Node::Parts::server_options(std::string name,
                                                std::string_view port_setting) const {
  http::ServerOptions options;
  options.name = std::move(name);
  options.listen = endpoint(port_setting);
  options.limits.head_bytes_max = static_cast<std::uint32_t>(settings.bytes("http.headBytesMax"));
  options.limits.fields_max = static_cast<std::uint32_t>(settings.number("http.fieldsMax"));
  options.limits.body_bytes_max = settings.bytes("http.bodyBytesMax");
  options.limits.head_timeout = settings.time("http.headTimeout");
  options.limits.body_timeout = settings.time("http.bodyTimeout");
  options.limits.idle_timeout = settings.time("http.idleTimeout");
  options.limits.write_timeout = settings.time("http.writeTimeout");
  options.limits.connections_max =
      static_cast<std::uint32_t>(settings.number("http.connectionsMax"));
  return options;
}

std::vector<ApiRoute> Node::Parts::admin_routes() {
  estate_routes_parts.emplace(EstateRoutesParts{*estate, *audit, [this] { return reconcile(); }});
  audit_routes_parts.emplace(AuditRoutesParts{*estate, *audit});
  last_records.emplace(*log);
  stream_routes_parts.emplace(StreamRoutesParts{*log, *streams, groups ? &*groups : nullptr,
                                                *delivery, clock, random, traces, stream_rates,
                                                *last_records});
  group_routes_parts.emplace(
      GroupRoutesParts{*log, *streams, groups ? &*groups : nullptr, *lag_watch, *audit, clock});
  quarantine_routes_parts.emplace(
      QuarantineRoutesParts{*log, embedded.get(), *streams, *rejects, *audit});
  replay_routes_parts.emplace(ReplayRoutesParts{*log, *streams, *quotas, *audit, clock});
  delivery_routes_parts.emplace(DeliveryRoutesParts{*delivery, *audit});
  trace_routes_parts.emplace(TraceRoutesParts{traces, pool, clock});
  log_routes_parts.emplace(LogRoutesParts{logs.get(), traces, pool, clock});
  node_routes_parts.emplace();
  client_routes_parts.emplace(ClientRoutesParts{*identity, *estate, random, pool});
  gateway_routes_parts.emplace(GatewayRoutesParts{*gateway});
  system_routes_parts.emplace(SystemRoutesParts{
      activity,
      *log,
      embedded.get(),
      groups ? &*groups : nullptr,
      *delivery,
      *estate,
      *audit,
      files,
      clock,
      started_at,
      settings.text("data.folder"),
      {},
      [this] { return gateway->traffic().p95_seconds * 1000; },
      admin_contract(),
      [this] { return state_watch ? std::optional(state_watch->status()) : std::nullopt; },
      roles,
      [this] { return note_of_roles(); },
      &*lag_watch});
  if (embedded) {
    backup.emplace(*embedded, dynamic_cast<SqliteDatabase*>(database.get()), files, random,
                   settings.text("data.folder"),
                   log_archive ? log_archive->history() : std::string());
  }
  backup_routes_parts.emplace(BackupRoutesParts{backup ? &*backup : nullptr, *audit});
  std::vector<ApiRoute> all;
  for (auto routes :
       {estate_routes(*estate_routes_parts), stream_routes(*stream_routes_parts),
        group_routes(*group_routes_parts), quarantine_routes(*quarantine_routes_parts),
        replay_routes(*replay_routes_parts), delivery_routes(*delivery_routes_parts),
        trace_routes(*trace_routes_parts), log_routes(*log_routes_parts),
        client_routes(*client_routes_parts), gateway_routes(*gateway_routes_parts),
        system_routes(*system_routes_parts), node_routes(*node_routes_parts),
        backup_routes(*backup_routes_parts), audit_routes(*audit_routes_parts)}) {
    for (auto& route : routes) all.push_back(std::move(route));
  }
  return all;
}

Task<Result<>> Node::Parts::open_doors() {
  CO_TRY(auto hub, co_await StaticFiles::load(files, hub_folder(settings.text("hub.folder"))));
  admin.emplace(AdminApiParts{*identity, clock, random, traces}, admin_routes(), std::move(hub));
  if (settings.is_on("events.enabled")) {
    events_keys.emplace(*identity);
    eventlog::EventsParts events_parts{*log,   *streams, *events_keys, clock,
                                       random, metrics,  &traces,      {}};
    events_parts.limits.body_bytes_max = settings.bytes("http.bodyBytesMax");
    events_parts.quotas = &*quotas;
    events_parts.dedupe = &*dedupe;
    events_parts.rejects = &*rejects;
    events.emplace(events_parts);
  }
  gateway_door.emplace(*gateway, events ? &*events : nullptr);
  OpsParts ops_parts;
  ops_parts.refresh = [this] { refresh_metrics(); };
  ops_parts.more = [this](bool is_openmetrics) {
    return foreign_metrics.text(is_openmetrics, clock.now());
  };
  ops_parts.note = [this] { return ready_note(); };
  if (!roles.has(Role::Control)) ops_parts.for_nodes = &*admin;
  ops.emplace(metrics, std::move(ops_parts));
  if (roles.has(Role::Control)) open_otlp_receiver();
  kafka_keys.emplace(*identity, *token_issuers);
  kafka_topics.emplace(*streams);
  client_changes.emplace(*estate, [this](std::optional<estate::ResourceId> dropped) {
    return reconcile(std::move(dropped));
  });
  topic_admin.emplace(*client_changes);
  quota_admin.emplace(*client_changes);
  access_rules.emplace(*client_changes);
  passwords.emplace(*identity);
  denials.emplace(*audit, clock);
  CO_CHECK(open_exporters());
  co_return Result<>();
}

Result<> Node::Parts::listen() {
  if (roles.has(Role::Gateway)) CHECK(listen_for_gateway());
  if (roles.has(Role::Control)) CHECK(listen_for_control());
  if (cluster) {
    addresses.kafka = settings.text("streams.brokers");
  } else if (roles.has(Role::Broker)) {
    CHECK(listen_for_broker());
  }
  TRY(ops_server,
      http::Server::open(server_options("ops", "ports.ops"), *ops, loops, clock, metrics));
  addresses.ops = "http://" + reachable(ops_server->local());
  tell_listeners();
  return join_nodes();
}

// Without an admin listener the others ask at the ops listener.
Result<> Node::Parts::join_nodes() {
  const auto local = admin_server ? admin_server->local() : ops_server->local();
  TRY(auto self, describe_node(settings, local));
  TRY(const auto times, node_registry_times(settings));
  self.run = random.uuid_v7(clock.now()).text();
  self.roles = roles.text();
  self.version = kVersion;
  self.started = started_at;
  node_registry.emplace(is_state_shared ? database.get() : nullptr, clock, std::move(self), times);
  node_queries.emplace(NodeQueriesParts{*node_registry, node_client, *identity, clock,
                                        settings.time("nodes.askTimeout")});
  trace_routes_parts->nodes = &*node_queries;
  log_routes_parts->nodes = &*node_queries;
  if (cluster) delivery_routes_parts->nodes = &*node_queries;
  node_routes_parts->registry = &*node_registry;
  return {};
}

Result<> Node::Parts::listen_for_gateway() {
  TRY(gateway_server, http::Server::open(server_options("gateway", "ports.gateway"), *gateway_door,
                                         loops, clock, metrics));
  addresses.gateway = "http://" + reachable(gateway_server->local());
  TRY(gateway_tls_server, open_https("gateway", *gateway_door));
  if (gateway_tls_server)
    addresses.gateway_tls = "https://" + reachable(gateway_tls_server->local());
  return {};
}

Result<> Node::Parts::listen_for_control() {
  TRY(admin_server,
      http::Server::open(server_options("admin", "ports.admin"), *admin, loops, clock, metrics));
  addresses.hub = "http://" + reachable(admin_server->local());
  admin->set_port(admin_server->local().port);
  TRY(admin_tls_server, open_https("admin", *admin));
  if (admin_tls_server) addresses.hub_tls = "https://" + reachable(admin_tls_server->local());
  return open_otlp_port();
}

Result<> Node::Parts::listen_for_broker() {
  TRY(kafka_server, open_kafka("ports.kafka", std::nullopt));
  addresses.kafka = reachable(kafka_server->local());
  TRY(auto tls, tls_of(settings, "kafka", {}));
  if (!tls) return {};
  warn_of_certificate("kafka", *tls, clock.now());
  TRY(kafka_tls_server, open_kafka("ports.kafkaTls", std::move(tls)));
  addresses.kafka_tls = reachable(kafka_tls_server->local());
  return {};
}

Result<std::unique_ptr<kafka::KafkaServer>> Node::Parts::open_kafka(std::string_view port_setting,
                                                                    std::optional<TlsContext> tls) {
  kafka::KafkaOptions options;
  options.listen = tls ? tls_endpoint(port_setting) : endpoint(port_setting);
  options.tls = std::move(tls);
  options.advertised.host = settings.text("kafka.advertisedHost");
  options.limits.connections_max =
      static_cast<std::uint32_t>(settings.number("kafka.connectionsMax"));
  options.limits.request_bytes_max =
      static_cast<std::uint32_t>(settings.bytes("kafka.requestBytesMax"));
  if (settings.is_on("kafka.anonymous")) {
    std::vector<identity::Grant> grants;
    for (const auto* all : {"stream.*", "group.*", "transaction.*"}) {
      grants.push_back({all, "*", "kafka.anonymous"});
    }
    options.anonymous = std::make_shared<const identity::Principal>(
        identity::make_principal(identity::PrincipalType::Client, "anonymous",
                                 std::string(estate::kDefaultTenant), std::move(grants)));
  }
  options.clamps_replication = settings.is_on("kafka.replicationClamp");
  kafka::KafkaParts kafka_parts{*embedded, *log,  *kafka_topics, *groups, *transactions,
                                loops,     clock, random,        metrics};
  kafka_parts.authenticator = &*kafka_keys;
  kafka_parts.admin = &*topic_admin;
  kafka_parts.quota_admin = &*quota_admin;
  kafka_parts.quotas = &*quotas;
  kafka_parts.dedupe = &*dedupe;
  kafka_parts.rejects = &*rejects;
  kafka_parts.spans = &traces;
  kafka_parts.access_rules = &*access_rules;
  kafka_parts.scram = &*passwords;
  kafka_parts.denials = &*denials;
  return kafka::KafkaServer::open(std::move(options), kafka_parts);
}

// Null without a certificate.
Result<std::unique_ptr<http::Server>> Node::Parts::open_https(std::string_view listener,
                                                              http::Handler& handler) {
  TRY(auto tls, tls_of(settings, listener, {"http/1.1"}));
  if (!tls) return std::unique_ptr<http::Server>();
  warn_of_certificate(listener, *tls, clock.now());
  auto port_setting = fmt::format("ports.{}Tls", listener);
  auto options = server_options(fmt::format("{}_tls", listener), port_setting);
  options.listen = tls_endpoint(port_setting);
  options.tls = std::move(tls);
  return http::Server::open(std::move(options), handler, loops, clock, metrics);
}

void Node::Parts::tell_listeners() {
  const std::pair<std::string_view, const std::string&> listeners[] = {
      {"hub", addresses.hub},
      {"gateway", addresses.gateway},
      {"kafka", addresses.kafka},
      {"ops", addresses.ops},
      {"hub over TLS", addresses.hub_tls},
      {"gateway over TLS", addresses.gateway_tls},
      {"kafka over TLS", addresses.kafka_tls}};
  for (const auto& [name, address] : listeners) {
    if (!address.empty()) system_routes_parts->listeners.emplace_back(name, address);
  }
}

}  // namespace weft::app
