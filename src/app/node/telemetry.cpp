// What keeps traces and log lines: opened at the start, written out a few times a second by a
// thread of its own, and completely at the end.
#include <algorithm>
#include <charconv>

#include "app/node/node_parts.h"
#include "app/version.h"
#include "eventlog/compression.h"
#include "runtime/log.h"
#include "runtime/with_timeout.h"
#include "telemetry/sampling_limit.h"
#include "telemetry/trace_archive.h"

namespace weft::app {
namespace {

constexpr Duration kTelemetryStep = 200ms;
constexpr std::string_view kSignals[] = {"traces", "metrics", "logs"};

bool is_among(const auto& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool exports(const Settings& settings, std::string_view signal) {
  if (settings.text("telemetry.otlpEndpoint").empty()) return false;
  return is_among(settings.list("telemetry.otlpSignals"), signal);
}

// name=value,… as in OTEL_EXPORTER_OTLP_HEADERS. The error does not show the value, which is a
// secret.
Result<std::vector<std::pair<std::string, std::string>>> fields_of(const Settings& settings,
                                                                   std::string_view setting) {
  const auto whole = settings.secret(setting);
  std::string_view text = whole;
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    const auto equals = part.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return fail(ErrorCode::InvalidArgument, "{}: must be name=value,…", setting);
    }
    fields.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  return fields;
}

bool is_own_receiver(const std::string& endpoint, const net::Endpoint& local) {
  auto url = http::Url::parse(endpoint);
  if (!url || url->port != local.port) return false;
  constexpr std::string_view kOwnHosts[] = {"127.0.0.1", "localhost", "::1"};
  return url->host == local.host || is_among(kOwnHosts, url->host);
}

Result<telemetry::OtlpExporterOptions> exporter_options(const Settings& settings) {
  telemetry::OtlpExporterOptions options;
  options.endpoint = settings.text("telemetry.otlpEndpoint");
  auto encoding = settings.text("telemetry.otlpEncoding");
  if (encoding != "protobuf" && encoding != "json") {
    return fail(ErrorCode::InvalidArgument,
                "telemetry.otlpEncoding: must be protobuf or json, not '{}'", encoding);
  }
  if (encoding == "json") options.encoding = telemetry::OtlpEncoding::Json;
  for (const auto& signal : settings.list("telemetry.otlpSignals")) {
    if (is_among(kSignals, signal)) continue;
    return fail(ErrorCode::InvalidArgument,
                "telemetry.otlpSignals: must be of traces, metrics and logs, not '{}'", signal);
  }
  if (auto url = http::Url::parse(options.endpoint); !url) {
    return std::unexpected(std::move(url).error().within("telemetry.otlpEndpoint"));
  }
  TRY(options.fields, fields_of(settings, "telemetry.otlpHeaders"));
  return options;
}

Result<telemetry::OtlpExporterOptions> zipkin_options(const Settings& settings) {
  telemetry::OtlpExporterOptions options;
  options.endpoint = settings.text("telemetry.zipkin.endpoint");
  if (auto url = http::Url::parse(options.endpoint); !url) {
    return std::unexpected(std::move(url).error().within("telemetry.zipkin.endpoint"));
  }
  TRY(options.fields, fields_of(settings, "telemetry.zipkin.headers"));
  return options;
}

}  // namespace

telemetry::TraceStoreOptions trace_options(const Settings& settings) {
  telemetry::TraceStoreOptions options;
  options.bytes_max = settings.bytes("telemetry.traceBytesMax");
  options.records = settings.is_on("telemetry.tracing");
  options.has_archive = settings.bytes("telemetry.traceDiskBytesMax") > 0;
  options.sampling.keep_slower_than = settings.time("telemetry.sampling.keepSlowerThan");
  options.sampling.wait = settings.time("telemetry.sampling.wait");
  return options;
}

Result<double> sampling_ratio(const Settings& settings) {
  auto text = settings.text("telemetry.sampling.ratio");
  double ratio = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (error != std::errc() || end != text.data() + text.size() || !(ratio >= 0 && ratio <= 1)) {
    return fail(ErrorCode::InvalidArgument,
                "telemetry.sampling.ratio: must be a number from 0 to 1, not '{}'", text);
  }
  return ratio;
}

Result<> Node::Parts::open_logs() {
  auto bytes = settings.bytes("telemetry.logDiskBytesMax");
  if (bytes > 0) {
    telemetry::LogStoreOptions options;
    options.folder = settings.text("data.folder") + "/telemetry/logs";
    options.bytes_max = bytes;
    options.age_max = settings.time("telemetry.logAgeMax");
    logs = std::make_unique<telemetry::LogStore>(files, std::move(options));
    CHECK(logs->open());
  }
  // From the first line on, so that a receiver sees the start too.
  if (exports(settings, "logs")) {
    otlp_logs =
        std::make_unique<telemetry::OtlpLogs>(logs.get(), clock, telemetry::weft_resource(kVersion),
                                              settings.bytes("telemetry.otlpLogBytesMax"));
  }
  set_log_sink(otlp_logs ? static_cast<LogSink*>(otlp_logs.get()) : logs.get());
  return {};
}

// Reads the whole archive, so not during the start; what is recorded until then waits in memory.
void Node::Parts::open_trace_archive() {
  telemetry::TraceArchiveOptions options;
  options.folder = settings.text("data.folder") + "/telemetry/traces";
  options.bytes_max = settings.bytes("telemetry.traceDiskBytesMax");
  options.age_max = settings.time("telemetry.traceAgeMax");
  if (options.bytes_max == 0) return;
  auto archive = telemetry::TraceArchive::open(files, std::move(options));
  if (!archive)
    log_error("telemetry", "traces are kept in memory alone", {{"why", archive.error().message}});
  traces.open_archive(archive ? std::move(*archive) : nullptr);
}

// All of them: nothing comes after this that they could wait for.
void Node::Parts::settle_traces() {
  traces.settle(clock.now() + settings.time("telemetry.sampling.wait"));
}

Task<void> Node::Parts::keep_telemetry() {
  bool is_open = false;
  bool was_failing = false;
  telemetry::SamplingLimit limit(
      sampling_ratio(settings).value_or(1),
      static_cast<double>(settings.number("telemetry.sampling.spansPerSecondMax")));
  for (;;) {
    std::function<Result<bool>()> step = [this, is_open, &limit]() -> Result<bool> {
      if (!is_open) open_trace_archive();
      traces.settle(clock.now());
      set_trace_sampling(limit.next(traces.stats().spans_ended, clock.mono()));
      if (logs) CHECK(logs->write_gathered(clock.now()));
      return true;
    };
    auto done = co_await telemetry_pool.run<bool>(std::move(step));
    is_open = true;
    const bool is_failing = !done && done.error().code != ErrorCode::Cancelled;
    if (is_failing && !was_failing)
      log_error("telemetry", "log lines cannot be stored", {{"why", done.error().message}});
    was_failing = is_failing;
    if (!co_await clock.sleep_for(kTelemetryStep)) co_return;
  }
}

void Node::Parts::open_otlp_receiver() {
  if (!settings.is_on("telemetry.otlpReceiver")) return;
  const bool takes_all = settings.is_on("telemetry.otlpAnonymous");
  auto authenticate = [this, takes_all](std::string_view key) -> Result<> {
    if (takes_all && key.empty()) return {};
    if (key.empty()) {
      return fail(ErrorCode::Unauthenticated,
                  "send an API key: OTEL_EXPORTER_OTLP_HEADERS=\"x-api-key=<key>\"");
    }
    CHECK(identity->authenticate_api_key(key));
    return {};
  };
  auto gunzip = [](std::string_view packed, std::size_t bytes_max) -> Result<std::string> {
    std::string scratch;
    TRY(auto plain, eventlog::decompress(eventlog::Codec::Gzip, packed, scratch, bytes_max));
    return std::string(plain);
  };
  telemetry::OtlpReceiverParts parts{
      traces,           logs.get(), foreign_metrics, clock, metrics, std::move(authenticate),
      std::move(gunzip)};
  otlp_receiver.emplace(std::move(parts));
}

// A collector on the same machine often has this port. Telemetry of others is not worth a node that
// does not start.
Result<> Node::Parts::open_otlp_port() {
  if (!otlp_receiver) return {};
  auto options = server_options("otlp", "ports.otlp");
  options.listen.host = otlp_address(settings);
  auto opened = http::Server::open(options, *otlp_receiver, loops, clock, metrics);
  if (opened) {
    otlp_server = std::move(*opened);
    addresses.otlp = "http://" + reachable(otlp_server->local());
    if (!is_own_receiver(settings.text("telemetry.otlpEndpoint"), otlp_server->local())) return {};
    return fail(
        ErrorCode::InvalidArgument,
        "telemetry.otlpEndpoint: {} is this node's own receiver, whose spans it would send itself for ever; name "
        "another, or set ports.otlp",
        addresses.otlp);
  }
  log_warn(
      "telemetry",
      "no OTLP is taken from others: the port cannot be had, perhaps for a collector; set ports.otlp to another, or "
      "telemetry.otlpReceiver to false",
      {{"endpoint", options.listen.text()}, {"why", opened.error().message}});
  return {};
}

Result<> Node::Parts::open_exporters() {
  CHECK(open_otlp_exporters());
  return open_zipkin_exporter();
}

void Node::Parts::add_exporter(telemetry::OtlpSource& source,
                               telemetry::OtlpExporterOptions options) {
  exporters.emplace_back(source, telemetry::sender_over(client), clock, random, metrics,
                         std::move(options));
}

Result<> Node::Parts::open_zipkin_exporter() {
  if (settings.text("telemetry.zipkin.endpoint").empty()) return {};
  TRY(auto options, zipkin_options(settings));
  add_exporter(zipkin_spans.emplace(traces, "weft"), std::move(options));
  return {};
}

Result<> Node::Parts::open_otlp_exporters() {
  if (settings.text("telemetry.otlpEndpoint").empty()) return {};
  TRY(const auto options, exporter_options(settings));
  const auto resource = telemetry::weft_resource(kVersion);
  if (exports(settings, "traces")) add_exporter(otlp_spans.emplace(traces, resource), options);
  if (exports(settings, "metrics")) {
    auto seldom = options;
    seldom.interval = settings.time("telemetry.otlpMetricsInterval");
    auto& source = otlp_metrics.emplace(metrics, clock, resource, [this] { refresh_metrics(); });
    add_exporter(source, std::move(seldom));
  }
  if (otlp_logs) add_exporter(*otlp_logs, options);
  return {};
}

Task<void> Node::Parts::run_exporter(telemetry::OtlpExporter& exporter) {
  auto ended = co_await exporter.run();
  if (!ended && ended.error().code != ErrorCode::Cancelled) {
    log_error("telemetry", "telemetry is not exported", {{"why", ended.error().message}});
  }
}

// What was recorded until the end. A receiver that is away does not hold up the end.
Task<void> Node::Parts::flush_exporters() {
  const auto deadline = clock.mono() + std::min<Duration>(settings.time("shutdown.drain"), 2s);
  for (auto& exporter : exporters) {
    auto left = std::max<Duration>(deadline - clock.mono(), 0s);
    auto sent = co_await with_timeout(clock, left, exporter.flush());
    if (!sent)
      log_warn("telemetry", "the last telemetry was not exported", {{"why", sent.error().message}});
  }
}

void Node::Parts::close_telemetry() {
  set_log_sink(nullptr);
  if (!logs) return;
  auto written = logs->write_gathered(clock.now());
  if (!written)
    log_warn("telemetry", "the last log lines were not stored", {{"why", written.error().message}});
  logs.reset();
}

}  // namespace weft::app
