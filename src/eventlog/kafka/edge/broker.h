// What all connections of a listener share, and what one request carries to its handler.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>

#include "eventlog/kafka/edge/frame_reader.h"
#include "eventlog/kafka/kafka_server.h"
#include "eventlog/kafka/protocol/error_code.h"
#include "eventlog/kafka/protocol/headers.h"
#include "identity/decisions.h"

namespace weft::kafka {

inline constexpr std::int32_t kNodeId = 1;

struct BrokerMetrics {
  explicit BrokerMetrics(Metrics& metrics);
  Gauge& connections;
  Counter& connections_refused;
  Counter& frames_refused;
  Counter& authentications_failed;
  Counter& produced_bytes;
  Counter& fetched_bytes;
  Counter& file_bytes;
  Counter& records_refused;
  Counter& records_quarantined;
  Counter& records_expired;
  Counter& batches_refused;
  Counter& keys_not_recorded;
  Counter& denials;
};

// Immutable but for its atomics; shared by all loops.
struct Broker {
  Broker(const KafkaOptions& with, const KafkaParts& its)
      : options(with),
        parts(its),
        metrics(its.metrics),
        budget(with.limits.request_bytes_in_flight_max) {}

  const KafkaOptions options;
  KafkaParts parts;
  BrokerMetrics metrics;
  RequestBudget budget;
  std::atomic<std::uint32_t> connections{0};

  std::string_view host() const { return options.advertised.host; }
  std::int32_t port() const { return options.advertised.port; }
};

enum class SaslState : std::uint8_t {
  Idle,       // no handshake yet
  Framed,     // tokens come in SaslAuthenticate requests
  RawTokens,  // the next frame is a token without a header (handshake version 0)
};

// One connection as its handlers see it. On the connection's loop only.
struct Session {
  explicit Session(Broker& its_broker) : broker(its_broker) {}

  Broker& broker;
  identity::PrincipalRef principal;  // null until authenticated
  eventlog::Quotas::Share quota;     // brought up to date with each request that it is about
  // What the principal is now, or why it may no longer be here; empty without a credential.
  std::function<Result<identity::PrincipalRef>()> renew;
  MonoTime renew_at{};  // not before
  bool is_by_certificate = false;
  std::string
      token_error;  // of a token that was refused; the client still has to say that it knows
  SaslState sasl = SaslState::Idle;
  std::string mechanism;                         // of the handshake
  std::optional<identity::ScramExchange> scram;  // under way
  bool is_plain = false;                         // what is sent goes to the socket as it is
  std::string peer;
  std::string client_id;
  std::string client_software;  // name and version, once the client told
  // Names found by topic id before; checked at each use.
  std::map<Uuid, std::string> topics_seen;

  const std::string& tenant() const { return principal->tenant; }
  // Whether the principal may do this to a stream; nobody is told when it may not.
  bool may(std::string_view action, std::string_view stream) const {
    const identity::ResourceRef resource{principal->tenant, "Stream", stream};
    return identity::Decisions().decide(*principal, action, resource).allowed();
  }
};

// One request on its way. `frame` and what was read from it live until the handler has ended.
struct Call {
  Call(Session& its_session, const ApiId& its_api, std::int16_t its_version,
       std::int32_t correlation)
      : session(its_session),
        broker(its_session.broker),
        api(its_api),
        version(its_version),
        correlation_id(correlation) {}

  Session& session;
  Broker& broker;
  const ApiId& api;
  std::int16_t version;
  std::int32_t correlation_id;
  Frame response;       // empty: none is sent
  bool closes = false;  // after the response
  Duration throttle{};  // how long no further request of the connection is read (KIP-219)

  // Takes from the quotas, and says in milliseconds how long the client is throttled.
  std::int32_t take(eventlog::QuotaRate rate, std::uint64_t amount);
  std::int32_t throttle_ms() const;
  // ResourceExhausted when the tenant may store no more.
  Result<> check_storage();
  // Keeps a text for the response's views.
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  template <class Response>
  void respond(const Response& body) {
    write_response(response, api, version, correlation_id, body);
  }

 private:
  std::deque<std::string> kept_;
};

// The stream behind a topic, if the principal may do this to it. UnknownTopicOrPartition (by id:
// UnknownTopicId) for what does not exist or is internal; TopicAuthorizationFailed for what exists.
using FoundTopic = std::expected<eventlog::StreamRef, KafkaError>;
FoundTopic find_topic(const Session& session, std::string_view name, std::string_view action);
FoundTopic find_topic(Session& session, const Uuid& id, std::string_view action);
// For a principal that may read or write it.
FoundTopic find_visible_topic(const Session& session, std::string_view name);
FoundTopic find_visible_topic(Session& session, const Uuid& id);
// None for a partition that the found topic has; else why it was not found.
KafkaError partition_error(const FoundTopic& topic, std::int32_t partition);
bool may_see(const Session& session, std::string_view topic);
// The same question about a stream, group or transactional id, where a refusal is the answer to the
// client: it is counted, and told to the journal of denials.
enum class Asked : std::uint8_t { Stream, Group, TransactionalId };
bool permits(const Session& session, std::string_view action, Asked kind, std::string_view name);
bool permits_group(const Session& session, std::string_view group);     // to be a member
bool permits_transaction(const Session& session, std::string_view id);  // to write in it
// Whether it may be described: by grant, or because it may be used or altered, unless that is
// denied.
bool may_describe(const Session& session, Asked kind, std::string_view name);
// The same, and a refusal is counted and told.
bool permits_describing(const Session& session, Asked kind, std::string_view name);
bool is_internal(std::string_view stream);
// [a-zA-Z0-9._-]{1,249}, not "." nor "..".
bool is_topic_name(std::string_view name);

}  // namespace weft::kafka
