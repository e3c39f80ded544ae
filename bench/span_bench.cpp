// What recording a finished span costs its thread, in CPU time: a typical gateway span (name, seven
// attributes) as a view and as a Span that is built for it, on one and on two threads; and what a
// search over a full ring takes, and what is decided about a span in the background. One JSON line
// per figure. usage: span_bench [spans of a run]    few spans for counting instructions: nothing
// fills the ring then
#include <fmt/format.h>
#include <stdlib.h>
#include <time.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "runtime/random.h"
#include "runtime/spans.h"
#include "telemetry/trace_archive.h"
#include "telemetry/trace_store.h"

namespace {

using namespace weft;

int spans_per_run = 1'000'000;
constexpr std::size_t kAttributes = 7;
using Attribute = std::pair<std::string_view, std::string_view>;
constexpr std::array<Attribute, kAttributes> kGatewayAttributes = {{
    {"http.request.method", "POST"},
    {"http.route", "/orders/{id}"},
    {"http.response.status_code", "201"},
    {"url.path", "/orders/4711"},
    {"server.address", "orders.example.internal"},
    {"tenant", "acme"},
    {"principal", "client:shop-front"},
}};

double thread_cpu_ns() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) * 1e9 + static_cast<double>(spent.tv_nsec);
}

SpanView gateway_span() {
  SpanView span;
  span.name = "POST /orders/{id}";
  span.kind = SpanKind::Server;
  span.attributes = kGatewayAttributes;
  return span;
}

// Varies as real spans do, so that no trace id is predicted; returns the cost of one call.
double record_views(telemetry::TraceStore& store, std::uint64_t seed) {
  auto span = gateway_span();
  const auto start = thread_cpu_ns();
  for (int i = 0; i < spans_per_run; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    std::memcpy(span.context.trace_id.data(), &seed, sizeof seed);
    span.start = WallTime(Duration(i));
    span.end = span.start + Duration(seed >> 45);
    store.record_view(span);
  }
  return (thread_cpu_ns() - start) / spans_per_run;
}

double record_spans(telemetry::TraceStore& store, bool records) {
  const auto view = gateway_span();
  const auto start = thread_cpu_ns();
  for (int i = 0; i < spans_per_run; ++i) {
    Span span;
    span.context = view.context;
    span.name = view.name;
    span.attributes.reserve(kAttributes);
    for (const auto& [key, value] : view.attributes) span.attributes.emplace_back(key, value);
    if (records) store.record(std::move(span));
  }
  return (thread_cpu_ns() - start) / spans_per_run;
}

void report(std::string_view name, double value, std::string_view unit) {
  fmt::print("{{\"bench\":\"span\",\"name\":\"{}\",\"value\":{:.1f},\"unit\":\"{}\"}}\n", name,
             value, unit);
}

// What deciding about a span costs the thread in the background, once it has waited: 1 % are
// sampled and written to disk, the others go.
void measure_settling() {
  char folder[] = "/tmp/span-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return;
  PosixFileSystem files;
  telemetry::TraceArchiveOptions archive;
  archive.folder = folder;
  telemetry::TraceStoreOptions options;
  options.has_archive = true;
  options.export_chunks_max = 1'000;
  telemetry::TraceStore store(options);
  store.open_archive(std::move(*telemetry::TraceArchive::open(files, archive)));
  constexpr int kBatch = 10'000;
  constexpr int kBatches = 100;
  auto span = gateway_span();
  std::uint64_t seed = 7;
  WallTime now{};
  double spent = 0;
  for (int batch = 0; batch < kBatches; ++batch) {
    for (int i = 0; i < kBatch; ++i) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      std::memcpy(span.context.trace_id.data(), &seed, sizeof seed);
      span.context.sampled = i % 100 == 0;
      store.record_view(span);
    }
    now += std::chrono::milliseconds(200);
    const auto start = thread_cpu_ns();
    store.settle(now);
    spent += thread_cpu_ns() - start;
  }
  report("settle_at_1_percent", spent / (kBatch * kBatches), "ns/span");
  std::filesystem::remove_all(folder);
}

void measure_one_round() {
  telemetry::TraceStore store;
  report("record_view", record_views(store, 1), "ns/span");
  const auto built = record_spans(store, false);
  report("build_span", built, "ns/span");
  report("record_span_without_building", record_spans(store, true) - built, "ns/span");

  double costs[2];
  std::thread one([&] { costs[0] = record_views(store, 2); });
  std::thread two([&] { costs[1] = record_views(store, 3); });
  one.join();
  two.join();
  report("record_view_two_threads", (costs[0] + costs[1]) / 2, "ns/span");

  const auto stats = store.stats();
  auto start = thread_cpu_ns();
  auto listed = store.search({});
  report("search_newest_of_full_ring", (thread_cpu_ns() - start) / 1e6, "ms");
  start = thread_cpu_ns();
  auto found = store.find(listed.front().trace_id);
  report("find_in_full_ring", (thread_cpu_ns() - start) / 1e6, "ms");
  report("ring_spans", static_cast<double>(stats.spans_recorded - stats.spans_evicted), "spans");
  report("ring_memory", static_cast<double>(stats.bytes) / 1e6, "MB");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) spans_per_run = std::max(1, std::atoi(argv[1]));
  for (int round = 0; round < 3; ++round) {
    measure_one_round();
    measure_settling();
  }
}
