// What keeps traces and log lines: opened at the start, written out a few times a second by a thread of
// its own, and completely at the end.
#include <charconv>

#include "app/node/node_parts.h"
#include "eventlog/core/compression.h"
#include "runtime/log.h"
#include "telemetry/trace_archive.h"

namespace weft::app {
namespace {

constexpr Duration kTelemetryStep = 200ms;

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

Result<> set_sampling(const Settings& settings) {
  auto text = settings.text("telemetry.sampling.ratio");
  double ratio = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (error != std::errc() || end != text.data() + text.size() || !(ratio >= 0 && ratio <= 1)) {
    return fail(ErrorCode::InvalidArgument, "telemetry.sampling.ratio: must be a number from 0 to 1, not '{}'", text);
  }
  set_trace_sampling(ratio);
  return {};
}

Result<> Node::Parts::open_logs() {
  auto bytes = settings.bytes("telemetry.logDiskBytesMax");
  if (bytes == 0) return {};
  telemetry::LogStoreOptions options;
  options.folder = settings.text("data.folder") + "/telemetry/logs";
  options.bytes_max = bytes;
  options.age_max = settings.time("telemetry.logAgeMax");
  logs = std::make_unique<telemetry::LogStore>(files, std::move(options));
  CHECK(logs->open());
  set_log_sink(logs.get());
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
  if (!archive) log_error("telemetry", "traces are kept in memory alone", {{"why", archive.error().message}});
  traces.open_archive(archive ? std::move(*archive) : nullptr);
}

// All of them: nothing comes after this that they could wait for.
void Node::Parts::settle_traces() {
  traces.settle(clock.now() + settings.time("telemetry.sampling.wait"));
}

Task<void> Node::Parts::keep_telemetry() {
  bool is_open = false;
  bool was_failing = false;
  for (;;) {
    std::function<Result<bool>()> step = [this, is_open]() -> Result<bool> {
      if (!is_open) open_trace_archive();
      traces.settle(clock.now());
      if (logs) CHECK(logs->write_gathered(clock.now()));
      return true;
    };
    auto done = co_await telemetry_pool.run<bool>(std::move(step));
    is_open = true;
    const bool is_failing = !done && done.error().code != ErrorCode::Cancelled;
    if (is_failing && !was_failing) log_error("telemetry", "log lines cannot be stored", {{"why", done.error().message}});
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
      return fail(ErrorCode::Unauthenticated, "send an API key: OTEL_EXPORTER_OTLP_HEADERS=\"x-api-key=<key>\"");
    }
    CHECK(identity->authenticate_api_key(key));
    return {};
  };
  auto gunzip = [](std::string_view packed, std::size_t bytes_max) -> Result<std::string> {
    std::string scratch;
    TRY(auto plain, eventlog::decompress(eventlog::Codec::Gzip, packed, scratch, bytes_max));
    return std::string(plain);
  };
  telemetry::OtlpReceiverParts parts{traces, logs.get(), foreign_metrics, clock, metrics, std::move(authenticate),
                                     std::move(gunzip)};
  otlp_receiver.emplace(std::move(parts));
}

void Node::Parts::close_telemetry() {
  if (!logs) return;
  set_log_sink(nullptr);
  auto written = logs->write_gathered(clock.now());
  if (!written) log_warn("telemetry", "the last log lines were not stored", {{"why", written.error().message}});
  logs.reset();
}

}  // namespace weft::app
