#include "app/settings/settings.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/document.h"
#include "base/suggestion.h"

namespace weft::app {
namespace {

using enum SettingType;

constexpr SettingSpec kSpecs[] = {
    {"roles", List, "gateway,broker,worker,control",
     "what of this node runs: docs/operation.md; ops always does"},
    {"data.folder", Text, "weft-data", "where everything durable is kept"},
    {"estate.folder", Text, "", "folder of documents that is applied at start; empty: none"},
    {"state.backend", Text, "sqlite",
     "sqlite (in the data folder) or postgres: docs/state-database.md"},
    {"state.postgres.url", Secret, "", "postgresql://user@host:port/database"},
    {"state.postgres.host", List, "",
     "instead of the URL: hosts, of which the one that takes writes is used"},
    {"state.postgres.port", List, "", "one for all hosts, or one each; empty: 5432"},
    {"state.postgres.database", Text, "", "name of the database"},
    {"state.postgres.user", Text, "", "who signs in"},
    {"state.postgres.password", Secret, "", "their password"},
    {"state.postgres.sslMode", Text, "",
     "disable, prefer, require, verify-ca or verify-full; empty: prefer"},
    {"state.postgres.sslRootFile", Text, "", "PEM file: authorities that sign the server"},
    {"state.postgres.readers", Number, "2", "connections that read; one more writes"},
    {"state.postgres.connectTimeout", Time, "5s", "for each host"},
    {"state.postgres.replyTimeout", Time, "30s",
     "without a byte from the server; then it is taken for gone"},
    {"state.postgres.reconnectWaitMax", Time, "5s", "longest wait between two tries to connect"},
    {"state.followInterval", Time, "1s",
     "between two looks for what other nodes changed (postgres)"},
    {"nodes.name", Text, "",
     "what this node is called among those of its state database; empty: <host name>:<port>"},
    {"nodes.url", Text, "",
     "where those reach its admin API, such as http://10.0.0.1:8080; empty: by listen.address"},
    {"nodes.refreshInterval", Time, "5s",
     "between two signs of life in the state database (postgres)"},
    {"nodes.goneAfter", Time, "30s", "without a sign of life a node is shown as gone"},
    {"nodes.forgetAfter", Time, "7d", "without a sign of life a node is no longer shown"},
    {"nodes.askTimeout", Time, "5s", "how long another node may take to answer a search"},
    {"identity.key", Secret, "",
     "64 hex digits, the same on all nodes of a shared state database; empty: that of the data folder"},
    {"listen.address", Text, "127.0.0.1",
     "address of all listeners; 0.0.0.0 or :: to serve the network"},
    {"listen.tlsAddress", Text, "", "address of the TLS listeners; empty: listen.address"},
    {"listen.otlpAddress", Text, "",
     "address of the OTLP receiver; 0.0.0.0 or :: to take telemetry from other machines; empty: 127.0.0.1, or ::1"},
    {"ports.admin", Number, "8080", "hub and admin API"},
    {"ports.gateway", Number, "8000", "API gateway and CloudEvents"},
    {"ports.kafka", Number, "9092", "Kafka protocol"},
    {"ports.ops", Number, "9600", "/livez /readyz /metrics"},
    {"ports.otlp", Number, "4318", "OTLP/HTTP from others: /v1/traces /v1/metrics /v1/logs"},
    {"ports.adminTls", Number, "8443",
     "hub and admin API over TLS; listens when it has a certificate"},
    {"ports.gatewayTls", Number, "8444",
     "API gateway and CloudEvents over TLS; listens when it has a certificate"},
    {"ports.kafkaTls", Number, "9094",
     "Kafka protocol over TLS; listens when it has a certificate"},
    {"ports.offset", Number, "0", "added to every port"},
    {"ports.auto", Switch, "false", "let the system pick free ports and print them"},
    {"tls.certificateFile", Text, "",
     "PEM file: the certificate and its chain, of every TLS listener; empty: there is none"},
    {"tls.keyFile", Text, "", "PEM file: the private key"},
    {"tls.keyPassphrase", Secret, "", "of key files that are encrypted"},
    {"tls.admin.certificateFile", Text, "",
     "for hub and admin API alone, instead of tls.certificateFile"},
    {"tls.admin.keyFile", Text, "", "its private key"},
    {"tls.gateway.certificateFile", Text, "",
     "for the gateway alone, instead of tls.certificateFile"},
    {"tls.gateway.keyFile", Text, "", "its private key"},
    {"tls.kafka.certificateFile", Text, "", "for Kafka alone, instead of tls.certificateFile"},
    {"tls.kafka.keyFile", Text, "", "its private key"},
    {"tls.kafka.clientCertificates", Text, "ignored",
     "of Kafka clients: ignored, requested (who has none logs in by SASL) or required"},
    {"tls.kafka.clientCaFile", Text, "", "PEM file: who signs certificates of Kafka clients"},
    {"threads.loops", Number, "0", "event loops; 0: one per core"},
    {"http.headBytesMax", Bytes, "32KiB", "longest request head"},
    {"http.fieldsMax", Number, "100", "header fields per request"},
    {"http.bodyBytesMax", Bytes, "10MiB", "longest request body"},
    {"http.headTimeout", Time, "10s", "from the first byte of a head to its last"},
    {"http.bodyTimeout", Time, "30s", "between two reads of a body"},
    {"http.idleTimeout", Time, "75s", "between two requests of a connection"},
    {"http.writeTimeout", Time, "30s", "for a client that does not read"},
    {"http.connectionsMax", Number, "10000", "connections per HTTP listener"},
    {"streams.backend", Text, "embedded",
     "where streams are: embedded (the node's own log) or kafka (a Kafka cluster)"},
    {"streams.brokers", Text, "", "brokers of that cluster, as host:port,host:port"},
    {"streams.clientProperties", Text, "",
     "file with lines name=value for the clients of that cluster, such as security.protocol and sasl.password, as librdkafka calls them"},
    {"streams.replicas", Number, "0",
     "replicas of topics that Weft makes in that cluster; 0: as the cluster has it by default"},
    {"streams.shares", Number, "16",
     "parts in which the nodes of one cluster share deliveries; the first node fixes it"},
    {"streams.sessionTimeout", Time, "10s",
     "a node of which the cluster hears nothing for so long loses its part of the deliveries to the others"},
    {"streams.removedGrace", Time, "7d",
     "how long the records of a stream that is declared no more are kept; declared again meanwhile, it is as before"},
    {"gateway.idempotencyTime", Time, "24h", "how long the answer to an Idempotency-Key is kept"},
    {"gateway.idempotencyKeysMax", Number, "1000000",
     "keys remembered at once; above it new keys get 503"},
    {"gateway.idempotencyWait", Time, "10s",
     "how long a concurrent second request waits for the first"},
    {"gateway.upstreamTimeout", Time, "30s", "for a whole upstream call"},
    {"gateway.accessLog", Text, "", "file that gets one JSON line per request; empty: none"},
    {"events.enabled", Switch, "true",
     "CloudEvents over HTTP at /events/{stream} of the gateway port"},
    {"kafka.anonymous", Switch, "false", "accept Kafka clients without credentials"},
    {"kafka.advertisedHost", Text, "",
     "host that clients are told to connect to; empty: the listen address"},
    {"kafka.connectionsMax", Number, "10000", "Kafka connections"},
    {"kafka.requestBytesMax", Bytes, "100MiB",
     "largest Kafka request; what one produces is at most half of log.walFileBytes"},
    {"kafka.rebalanceDelay", Time, "3s",
     "how long an empty group waits for more members at its first join"},
    {"kafka.replicationClamp", Switch, "false",
     "topics asked for with more replicas than there are get one, instead of a refusal"},
    {"groups.lagAlert", Time, "30s",
     "a consumer group that is further behind than this raises an alert; 0s: never"},
    {"streams.dedupeEventsMax", Number, "1000000",
     "events remembered for streams with a dedupe window; about 100 bytes of memory each"},
    {"quotas.burst", Time, "1s", "how far ahead of a rate of its Quota a tenant or client may be"},
    {"quotas.throttleMax", Time, "10s",
     "longest time for which a Kafka client is throttled in one turn; keep it below session timeouts"},
    {"kafka.transactionTimeoutMax", Time, "15m",
     "longest transaction timeout that a producer may ask for"},
    {"log.walFileBytes", Bytes, "64MiB", "size of one write-ahead file"},
    {"log.walAgeMax", Time, "10m",
     "age at which a write-ahead file with data is sealed, and archived"},
    {"log.scrubBytesPerSecond", Bytes, "4MiB",
     "how fast the log's files are read again to find damage; 0: never"},
    {"log.scrubInterval", Time, "168h", "how often all of them are"},
    {"log.tailBytesMax", Bytes, "16MiB", "newest records kept in memory for readers"},
    {"log.queueBytesMax", Bytes, "256MiB",
     "appends waiting for the disk; above it producers are told to wait"},
    {"log.reserveBytes", Bytes, "256MiB", "free disk below which appends are refused"},
    {"backup.archive", Text, "",
     "folder, absolute, that sealed write-ahead files are copied to, so that a backup can be restored to a moment after it; empty: none"},
    {"backup.archiveTime", Time, "7d", "how long the archive keeps what it has; 0s: for ever"},
    {"backup.archiveStateInterval", Time, "1m",
     "how often the state database is looked at; when something was changed it is copied to the archive"},
    {"backup.archiveWaitingBytesMax", Bytes, "2GiB",
     "write-ahead files that may wait while the archive takes none; above it the oldest is given up"},
    {"delivery.unsettledMax", Number, "1024",
     "events per subscription and partition that wait for another attempt or for their order; then "
     "it reads no further"},
    {"delivery.recentMax", Number, "10000", "deliveries that lists can show"},
    {"egress.allow", List, "", "hosts, addresses or ranges that Weft may connect to; \"*\": any"},
    {"telemetry.tracing", Switch, "true", "record spans; trace ids are passed on all the same"},
    {"telemetry.traceBytesMax", Bytes, "16MiB", "traces in memory that wait for their end"},
    {"telemetry.traceDiskBytesMax", Bytes, "128MiB",
     "traces kept on disk; 0: in memory alone, so that a restart forgets them"},
    {"telemetry.traceAgeMax", Time, "7d", "how long traces are kept on disk"},
    {"telemetry.logDiskBytesMax", Bytes, "64MiB",
     "log lines kept on disk for `weft logs`; 0: none"},
    {"telemetry.logAgeMax", Time, "7d", "how long log lines are kept on disk"},
    {"telemetry.otlpReceiver", Switch, "true", "take telemetry from others at ports.otlp"},
    {"telemetry.otlpAnonymous", Switch, "false", "take it also without an API key"},
    {"telemetry.sampling.ratio", Text, "1",
     "share of the traces begun here that are kept, from 0 to 1; callers decide about theirs"},
    {"telemetry.sampling.spansPerSecondMax", Number, "500",
     "above it a smaller share than the ratio is kept, so that about so many spans are; 0: no limit"},
    {"telemetry.sampling.keepSlowerThan", Time, "1s",
     "traces with a slower span are kept all the same, as those that failed; 0s: not"},
    {"telemetry.sampling.wait", Time, "5s", "how long a span waits for its trace to fail or end"},
    {"telemetry.otlpEndpoint", Text, "",
     "OTLP/HTTP receiver of Weft's own telemetry, such as http://127.0.0.1:4318; empty: none"},
    {"telemetry.otlpSignals", List, "traces,metrics,logs", "what it is sent"},
    {"telemetry.otlpEncoding", Text, "protobuf", "protobuf or json"},
    {"telemetry.otlpHeaders", Secret, "",
     "name=value,… sent along, such as authorization=Bearer x"},
    {"telemetry.otlpMetricsInterval", Time, "60s", "how often it is sent the metrics"},
    {"telemetry.otlpLogBytesMax", Bytes, "4MiB",
     "log lines that wait for it; the oldest are dropped and counted"},
    {"telemetry.zipkin.endpoint", Text, "",
     "Zipkin collector that is sent the kept traces, such as http://127.0.0.1:9411; empty: none"},
    {"telemetry.zipkin.headers", Secret, "",
     "name=value,… sent along, such as authorization=Basic x"},
    {"log.level", Text, "info", "debug, info, warn or error"},
    {"shutdown.drain", Time, "10s", "how long requests in flight may take at shutdown"},
    {"hub.folder", Text, "", "the hub's files; empty: those installed beside the binary"},
};

const SettingSpec* find_spec(std::string_view path) {
  for (const auto& spec : kSpecs) {
    if (spec.path == path) return &spec;
  }
  return nullptr;
}

std::string setting_variable(std::string_view path) {
  std::string name = "WEFT_";
  for (char c : path) {
    if (c == '.')
      name += "__";
    else if (std::isupper(c))
      (name += '_') += c;
    else
      name += static_cast<char>(std::toupper(c));
  }
  return name;
}

Failure unknown(std::string_view path, std::string_view where) {
  std::vector<std::string> known;
  for (const auto& spec : kSpecs) known.emplace_back(spec.path);
  auto hint = closest(path, known);
  return fail(ErrorCode::InvalidArgument, "{}: no setting '{}'{}", where, path,
              hint ? "; did you mean '" + *hint + "'?" : "; docs/settings.md lists them");
}

Result<> check_value(const SettingSpec& spec, std::string_view value) {
  switch (spec.type) {
    case Text:
    case Secret:
    case List:
      return {};
    case Bytes:
      CHECK(parse_bytes(value));
      return {};
    case Time:
      CHECK(parse_duration(value));
      return {};
    case Switch:
      if (value == "true" || value == "false") return {};
      return fail(ErrorCode::InvalidArgument, "must be true or false, not '{}'", value);
    case Number: {
      std::int64_t number = 0;
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error == std::errc() && end == value.data() + value.size() && number >= 0) return {};
      return fail(ErrorCode::InvalidArgument, "must be a whole number, not '{}'", value);
    }
  }
  return {};
}

// The scalar as the text that a flag would carry; a list becomes lines.
Result<std::string> scalar_text(const Json& value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_number()) return std::string(value.number());
  if (value.is_bool()) return std::string(value.as_bool() ? "true" : "false");
  if (value.is_null()) return std::string();
  if (value.is_object()) return fail(ErrorCode::InvalidArgument, "must be a value, not a mapping");
  std::string lines;
  for (const auto& element : value.elements()) {
    TRY(auto line, scalar_text(element));
    lines += line + "\n";
  }
  return lines;
}

// A secret's variable, or else the content of the file that the variable with _FILE names, without
// its last line end.
Result<std::optional<std::string>> from_environment(const SettingSpec& spec,
                                                    const Settings::Environment& environment,
                                                    std::string& name) {
  name = setting_variable(spec.path);
  auto value = environment(name);
  if (value || spec.type != Secret) return value;
  name += "_FILE";
  auto path = environment(name);
  if (!path) return path;
  std::ifstream file(*path);
  if (!file) {
    return fail(ErrorCode::InvalidArgument, "environment variable {}: {} cannot be read: {}", name,
                *path, std::strerror(errno));
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

using Found = std::vector<std::pair<std::string, const Json*>>;

void flatten(const Json& node, const std::string& prefix, Found& out) {
  for (const auto& member : node.members()) {
    auto path =
        prefix.empty() ? std::string(member.key()) : prefix + "." + std::string(member.key());
    if (member.value.is_object())
      flatten(member.value, path, out);
    else
      out.emplace_back(path, &member.value);
  }
}

}  // namespace

std::span<const SettingSpec> setting_specs() {
  return kSpecs;
}

std::string settings_reference() {
  std::string out =
      "# Settings\n\n"
      "Made by `weft settings`. A setting is taken from a flag (`--set path=value`), else from the "
      "environment, else from\n"
      "`weft.yaml` (`--config FILE`), else it has its default. Sizes are written `64KiB` or "
      "`10MB`, times `250ms`, `30s`, `7d`.\n"
      "A secret is better not written on a command line: its variable with `_FILE` at the end "
      "names a file that holds it.\n\n"
      "| Setting | Default | Environment | What it is |\n|---|---|---|---|\n";
  for (const auto& spec : kSpecs) {
    auto fallback = spec.fallback.empty() ? std::string() : fmt::format("`{}`", spec.fallback);
    auto variable = fmt::format("`{}`", setting_variable(spec.path));
    if (spec.type == Secret) variable += fmt::format(" or `{}_FILE`", setting_variable(spec.path));
    out += fmt::format("| `{}` | {} | {} | {} |\n", spec.path, fallback, variable, spec.help);
  }
  return out;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t factor;
  };
  constexpr Unit kUnits[] = {{"", 1},
                             {"B", 1},
                             {"KB", 1'000},
                             {"MB", 1'000'000},
                             {"GB", 1'000'000'000},
                             {"KiB", 1u << 10},
                             {"MiB", 1u << 20},
                             {"GiB", 1u << 30}};
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error == std::errc()) {
    for (const auto& known : kUnits) {
      if (unit == known.name &&
          number <= std::numeric_limits<std::uint64_t>::max() / known.factor) {
        return number * known.factor;
      }
    }
  }
  return fail(ErrorCode::InvalidArgument, "must be a size such as 512, 64KiB or 10MB, not '{}'",
              text);
}

Result<> Settings::set(std::string_view path, std::string value, std::string_view where) {
  const auto* spec = find_spec(path);
  if (spec == nullptr) return unknown(path, where);
  if (auto ok = check_value(*spec, value); !ok) {
    return std::unexpected(std::move(ok).error().within(fmt::format("{}: {}", where, path)));
  }
  values_[std::string(path)] = std::move(value);
  return {};
}

Result<Settings> Settings::load(const std::string& file_name, const std::string& file_text,
                                const Environment& environment,
                                const std::vector<std::string>& overrides) {
  Settings settings;
  for (const auto& spec : kSpecs) settings.values_[std::string(spec.path)] = spec.fallback;

  TRY(auto documents, parse_documents(file_name, file_text));
  for (const auto& document : documents) {
    if (!document.root().is_object()) {
      return fail(ErrorCode::InvalidArgument, "{}",
                  document.at(document.root(), "settings are a mapping").text());
    }
    Found found;
    flatten(document.root(), "", found);
    for (const auto& [path, value] : found) {
      auto where = document.at(*value, "setting").text();
      auto text = scalar_text(*value);
      if (!text) return std::unexpected(std::move(text).error().within(where));
      CHECK(settings.set(path, std::move(*text), where));
    }
  }
  for (const auto& spec : kSpecs) {
    std::string name;
    TRY(auto value, from_environment(spec, environment, name));
    if (value) {
      CHECK(settings.set(spec.path, std::move(*value), "environment variable " + name));
    }
  }
  for (const auto& assignment : overrides) {
    auto equals = assignment.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::InvalidArgument, "--set {}: write path=value", assignment);
    }
    CHECK(settings.set(assignment.substr(0, equals), assignment.substr(equals + 1),
                       "--set " + assignment));
  }
  return settings;
}

const std::string& Settings::value_of(std::string_view path, SettingType type) const {
  const auto* spec = find_spec(path);
  ENSURE(spec != nullptr && spec->type == type, "settings are read as the table declares them");
  return values_.find(path)->second;
}

std::string Settings::text(std::string_view path) const {
  return value_of(path, Text);
}

std::string Settings::secret(std::string_view path) const {
  return value_of(path, Secret);
}

std::int64_t Settings::number(std::string_view path) const {
  return std::stoll(value_of(path, Number));
}

std::uint64_t Settings::bytes(std::string_view path) const {
  return parse_bytes(value_of(path, Bytes)).value_or(0);
}

Duration Settings::time(std::string_view path) const {
  return parse_duration(value_of(path, Time)).value_or(Duration::zero());
}

bool Settings::is_on(std::string_view path) const {
  return value_of(path, Switch) == "true";
}

std::vector<std::string> Settings::list(std::string_view path) const {
  std::vector<std::string> items;
  std::string_view rest = value_of(path, List);
  while (!rest.empty()) {
    auto end = rest.find_first_of(",\n");
    auto item = rest.substr(0, end);
    if (!item.empty()) items.emplace_back(item);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return items;
}

std::string otlp_address(const Settings& settings) {
  auto chosen = settings.text("listen.otlpAddress");
  if (!chosen.empty()) return chosen;
  return settings.text("listen.address").contains(':') ? "::1" : "127.0.0.1";
}

}  // namespace weft::app
