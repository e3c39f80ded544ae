// The Kafka listener: unmodified Kafka clients produce, fetch, consume in groups and administer
// topics. What is served in which versions: docs/kafka-compatibility.md.
//
// A connection belongs to one loop and one principal, and sees its tenant's topics and groups
// without a prefix. Requests of a connection are answered in order; produce requests are pipelined
// into the log, every other request waits for those before it. Bad frames end their connection,
// after a log line.
//
//   TRY(auto server, KafkaServer::open(options, parts));
//   server->start();
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "eventlog/batch_log.h"
#include "eventlog/dedupe.h"
#include "eventlog/event_log.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "eventlog/kafka/ports.h"
#include "eventlog/kafka/topics.h"
#include "eventlog/kafka/transactions/coordinator.h"
#include "eventlog/rejects.h"
#include "identity/principal.h"
#include "runtime/clock.h"
#include "runtime/loops.h"
#include "runtime/metrics.h"
#include "runtime/net.h"
#include "runtime/random.h"
#include "runtime/spans.h"
#include "runtime/task.h"
#include "runtime/tls.h"

namespace weft::kafka {

struct KafkaLimits {
  std::uint32_t request_bytes_max = 100 * 1024 * 1024;  // Kafka: socket.request.max.bytes
  std::uint32_t connections_max = 10'000;
  Duration idle_timeout = 10min;              // Kafka: connections.max.idle.ms
  Duration write_timeout = 30s;               // for a peer that does not read
  Duration authentication_timeout = 10s;      // from accept to a principal, where one is needed
  Duration authentication_delay = 200ms;      // before a failed authentication is answered
  std::uint32_t pipelined_requests_max = 64;  // produce requests of one connection in the log
  std::uint32_t pipelined_bytes_max = 32 * 1024 * 1024;
  // Of requests larger than 256 KiB, over all connections; more wait.
  std::uint64_t request_bytes_in_flight_max = 512 * 1024 * 1024;
  std::uint32_t control_request_bytes_max = 4 * 1024 * 1024;  // of all requests but Produce
  std::uint32_t fetch_bytes_max = 64 * 1024 * 1024;  // of one answer; Kafka: fetch.max.bytes
  Duration fetch_wait_max = 5min;
};

struct KafkaOptions {
  net::Endpoint listen{"127.0.0.1", 9092};
  // What clients are told to connect to; an empty host or port 0 is taken from the listener.
  net::Endpoint advertised;
  std::optional<TlsContext> tls;
  std::string cluster_id = "weft";
  // Topics may be asked for with more replicas than there are; they get one.
  bool clamps_replication = false;
  // Who a connection is before it authenticates. Null: it must authenticate. Set it for
  // development.
  identity::PrincipalRef anonymous;
  KafkaLimits limits;
};

// What the server works with; all outlive it.
struct KafkaParts {
  eventlog::BatchLog& batches;
  eventlog::EventLog& log;
  const Topics& topics;
  GroupCoordinator& groups;
  TransactionCoordinator& transactions;
  Loops& loops;
  Clock& clock;
  Random& random;
  Metrics& metrics;
  const Authenticator* authenticator = nullptr;  // null: SASL is refused
  TopicAdmin* admin = nullptr;                   // null: topics cannot be changed through Kafka
  QuotaAdmin* quota_admin = nullptr;             // null: quotas cannot be changed through Kafka
  eventlog::Quotas* quotas = nullptr;            // null: there are none
  eventlog::DedupeIndex* dedupe = nullptr;       // null: streams' windows are not kept
  eventlog::Rejects* rejects = nullptr;          // who is told of broken contracts; null: nobody
  SpanSink* spans = nullptr;                     // of records with business keys; null: none
  AccessRuleAdmin* access_rules = nullptr;       // null: ACLs are refused
  ScramAdmin* scram = nullptr;                   // null: passwords cannot be changed through Kafka
  DenialJournal* denials = nullptr;              // null: denials are counted alone
};

class KafkaServer {
 public:
  // Binds at once, so that a taken port is reported before anything else starts.
  static Result<std::unique_ptr<KafkaServer>> open(KafkaOptions options, KafkaParts parts);
  ~KafkaServer();

  net::Endpoint local() const;
  // Accepts until stop(); called once.
  void start();
  // Stops accepting, lets requests in flight finish until `drain`, then closes. Blocks; not on a
  // loop. Requires: the group coordinator was stopped before, so that no join is parked.
  void stop(Duration drain);

 private:
  struct State;
  explicit KafkaServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Serves one connection until it ends: what the listener does with each, over any stream. For
// tests.
Task<void> serve_kafka_connection(std::unique_ptr<net::Stream> stream, const KafkaOptions& options,
                                  KafkaParts parts);

}  // namespace weft::kafka
