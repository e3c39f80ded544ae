// The parts of a node in the order in which they are made; they end in the opposite one. Inside
// app/node only.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "app/api/admin_api.h"
#include "app/api/audit_routes.h"
#include "app/api/backup_routes.h"
#include "app/api/client_routes.h"
#include "app/api/delivery_routes.h"
#include "app/api/estate_routes.h"
#include "app/api/gateway_routes.h"
#include "app/api/group_routes.h"
#include "app/api/log_routes.h"
#include "app/api/node_queries.h"
#include "app/api/node_routes.h"
#include "app/api/quarantine_routes.h"
#include "app/api/replay_routes.h"
#include "app/api/stream_routes.h"
#include "app/api/system_routes.h"
#include "app/api/trace_routes.h"
#include "app/backup/log_archive.h"
#include "app/node/cluster_node.h"
#include "app/node/denials.h"
#include "app/node/doors.h"
#include "app/node/kafka_admin.h"
#include "app/node/node.h"
#include "app/node/ops.h"
#include "app/node/quota_admin.h"
#include "app/node/topic_admin.h"
#include "app/settings/roles.h"
#include "app/watch/activity.h"
#include "app/watch/lag_watch.h"
#include "app/watch/node_registry.h"
#include "app/watch/state_watch.h"
#include "app/watch/stream_rates.h"
#include "delivery/delivery_service.h"
#include "delivery/delivery_shares.h"
#include "estate/audit.h"
#include "estate/estate.h"
#include "eventlog/dedupe.h"
#include "eventlog/embedded/embedded_log.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "eventlog/kafka/kafka_server.h"
#include "eventlog/kafka/transactions/coordinator.h"
#include "eventlog/quotas.h"
#include "eventlog/rejects.h"
#include "eventlog/streams.h"
#include "gateway/gateway.h"
#include "http/client.h"
#include "http/server.h"
#include "identity/identity.h"
#include "identity/kinds.h"
#include "identity/token_issuers.h"
#include "runtime/dialer.h"
#include "runtime/loops.h"
#include "runtime/socket_network.h"
#include "runtime/task_group.h"
#include "runtime/thread_random.h"
#include "storage/database.h"
#include "telemetry/foreign_metrics.h"
#include "telemetry/log_store.h"
#include "telemetry/otlp_exporter.h"
#include "telemetry/otlp_receiver.h"
#include "telemetry/trace_store.h"

namespace weft::app {

telemetry::TraceStoreOptions trace_options(const Settings& settings);
// Where this machine reaches a listener, as host:port: one of every address cannot be connected to
// under that name.
std::string reachable(const net::Endpoint& local);
// Fails when the ratio is no number from 0 to 1.
Result<double> sampling_ratio(const Settings& settings);

struct Node::Parts {
  Parts(Settings with, Roles these);
  ~Parts();

  Settings settings;
  const Roles roles;
  NodeAddresses addresses;
  WallTime started_at{};

  // Below everything.
  SystemClock clock;
  SystemRandom random;
  ThreadRandom trace_random;  // ids of traces and spans
  PosixFileSystem files;
  Metrics metrics;
  IoContext control{1};
  Loops loops;
  SocketNetwork network;
  Dialer dialer;
  http::Client client;
  // The way to the other nodes of a shared database. Their addresses are of the operator's
  // settings, so egress.allow does not limit them.
  Dialer node_dialer;
  http::Client node_client;
  telemetry::TraceStore traces;
  std::unique_ptr<telemetry::LogStore> logs;  // null: no lines are kept
  BlockingPool pool;                          // searches that take milliseconds
  BlockingPool telemetry_pool;                // what writes traces and log lines to disk
  std::unique_ptr<File> lock;

  // State and identity.
  std::unique_ptr<Database> database;
  bool is_state_shared = false;
  bool is_state_away = false;      // at start
  bool is_folder_pending = false;  // the folder of settings waits for the database
  std::optional<estate::AuditLog> audit;
  estate::EnvironmentSecrets secrets;
  std::optional<identity::Identity> identity;
  std::optional<identity::TokenIssuers> token_issuers;
  identity::TenantExists tenant_exists;

  // The spine, and what reads from it.
  std::unique_ptr<LogArchive> log_archive;             // null: none
  std::unique_ptr<eventlog::EmbeddedLog> embedded;     // null: the streams are in a cluster
  std::unique_ptr<eventlog::KafkaClusterLog> cluster;  // null: they are in the node's own log
  eventlog::EventLog* log = nullptr;                   // the one or the other
  std::optional<eventlog::Quotas> quotas;
  std::optional<eventlog::StreamCatalogue> streams;
  BlockingPool stream_turns{"streams", 1, 1000};  // of reconcile(): one task at a time
  std::optional<eventlog::Rejects> rejects;
  std::optional<eventlog::DedupeIndex> dedupe;
  // Of a cluster it has none: Kafka clients speak to the cluster.
  std::optional<kafka::GroupCoordinator> groups;
  std::optional<kafka::TransactionCoordinator> transactions;
  std::optional<gateway::IdempotencyStore> answers;
  std::optional<GatewayKeys> gateway_keys;
  std::unique_ptr<gateway::AccessLog> access_log;
  std::optional<gateway::Gateway> gateway;
  std::optional<delivery::ClientSender> sender;
  std::optional<delivery::DeliveryService> own_delivery;    // of the node's own log
  std::optional<delivery::DeliveryShares> shared_delivery;  // of a cluster
  delivery::Deliveries* delivery = nullptr;                 // the one or the other
  std::optional<ShareMember> share_member;
  ClusterLimits cluster_limits;
  std::optional<estate::Estate> estate;
  std::optional<StateWatch> state_watch;  // of a shared database
  std::optional<NodeRegistry> node_registry;
  std::optional<NodeQueries> node_queries;

  // The doors.
  std::optional<KafkaKeys> kafka_keys;
  std::optional<ClientChanges> client_changes;
  std::optional<EstateTopicAdmin> topic_admin;
  std::optional<EstateQuotaAdmin> quota_admin;
  std::optional<EstateAccessRules> access_rules;
  std::optional<IdentityPasswords> passwords;
  std::optional<AuditedDenials> denials;
  std::optional<kafka::CatalogueTopics> kafka_topics;
  std::unique_ptr<kafka::KafkaServer> kafka_server;
  std::optional<EventsKeys> events_keys;
  std::optional<eventlog::EventsHandler> events;
  std::optional<GatewayDoor> gateway_door;
  std::optional<AdminApi> admin;
  std::optional<Ops> ops;
  std::unique_ptr<http::Server> ops_server;
  // Those of roles that this node has not are null, as are those over TLS without a certificate.
  std::unique_ptr<http::Server> gateway_server;
  std::unique_ptr<http::Server> admin_server;
  telemetry::ForeignMetrics foreign_metrics;
  std::optional<telemetry::OtlpReceiver> otlp_receiver;
  std::unique_ptr<http::Server> otlp_server;  // null: the receiver is off
  std::unique_ptr<http::Server> gateway_tls_server;
  std::unique_ptr<http::Server> admin_tls_server;
  std::unique_ptr<kafka::KafkaServer> kafka_tls_server;

  // What the admin API's routes work with.
  std::optional<EstateRoutesParts> estate_routes_parts;
  std::optional<AuditRoutesParts> audit_routes_parts;
  std::optional<StreamRoutesParts> stream_routes_parts;
  std::optional<GroupRoutesParts> group_routes_parts;
  std::optional<QuarantineRoutesParts> quarantine_routes_parts;
  std::optional<ReplayRoutesParts> replay_routes_parts;
  std::optional<DeliveryRoutesParts> delivery_routes_parts;
  std::optional<TraceRoutesParts> trace_routes_parts;
  std::optional<LogRoutesParts> log_routes_parts;
  std::optional<NodeRoutesParts> node_routes_parts;
  std::optional<SystemRoutesParts> system_routes_parts;
  std::optional<ClientRoutesParts> client_routes_parts;
  std::optional<NodeBackup> backup;
  std::optional<BackupRoutesParts> backup_routes_parts;
  std::optional<GatewayRoutesParts> gateway_routes_parts;

  std::mutex refresh_mutex;  // of the metrics that are computed when somebody looks
  Activity activity;
  StreamRates stream_rates;
  std::optional<LagWatch> lag_watch;
  std::optional<LastRecords> last_records;
  // To telemetry.otlpEndpoint and telemetry.zipkin.endpoint; null and empty without them.
  std::unique_ptr<telemetry::OtlpLogs> otlp_logs;  // the log's sink when there is one
  std::optional<telemetry::OtlpSpans> otlp_spans;
  std::optional<telemetry::OtlpMetrics> otlp_metrics;
  std::optional<telemetry::ZipkinSpans> zipkin_spans;
  std::deque<telemetry::OtlpExporter> exporters;
  TaskGroup chores;                                     // on the control loop
  std::vector<std::unique_ptr<TaskGroup>> loop_chores;  // one per loop
  boost::asio::signal_set signals;
  std::thread loop_threads;

  Task<Result<>> open_state();
  // The answer to a GET of a token issuer's keys.
  Task<Result<std::string>> fetch_keys(std::string url);
  Task<Result<>> open_log();
  Task<Result<>> open_embedded_log();
  Result<> open_cluster();
  Result<> open_archive();
  Task<Result<>> open_delivery();
  Task<Result<>> start_broker();
  Result<> start_delivery();
  Task<void> stop_delivery();
  estate::Compiler& delivery_compiler();
  Task<Result<>> open_features();
  Task<Result<>> apply_estate_folder();
  Task<Result<>> open_doors();
  void watch_state();
  Task<Result<>> catch_up();
  std::string note_of_roles() const;
  std::string ready_note() const;  // lines of /readyz, or none
  // A warning, or empty; any loop. A stream that was dropped goes at once.
  Task<std::string> reconcile(std::optional<estate::ResourceId> dropped = std::nullopt);
  Task<void> store_key_uses();
  Task<void> sample_activity();
  Result<> open_logs();
  void open_otlp_receiver();
  void open_trace_archive();
  void settle_traces();
  Task<void> keep_telemetry();
  void close_telemetry();
  Result<> open_exporters();
  Result<> open_otlp_exporters();
  Result<> open_zipkin_exporter();
  void add_exporter(telemetry::OtlpSource& source, telemetry::OtlpExporterOptions options);
  Result<> open_otlp_port();
  Result<> join_nodes();
  Task<void> run_exporter(telemetry::OtlpExporter& exporter);
  Task<void> flush_exporters();
  Task<void> close();
  void end_loops();
  Result<> listen();
  Result<> listen_for_gateway();
  Result<> listen_for_control();
  Result<> listen_for_broker();
  Result<std::unique_ptr<http::Server>> open_https(std::string_view listener,
                                                   http::Handler& handler);
  Result<std::unique_ptr<kafka::KafkaServer>> open_kafka(std::string_view port_setting,
                                                         std::optional<TlsContext> tls);
  void tell_listeners();
  void refresh_metrics();
  Result<> write_node_file();
  http::ServerOptions server_options(std::string name, std::string_view port_setting) const;
  net::Endpoint endpoint(std::string_view port_setting) const;
  net::Endpoint tls_endpoint(std::string_view port_setting) const;
  std::vector<ApiRoute> admin_routes();
};

}  // namespace weft::app
