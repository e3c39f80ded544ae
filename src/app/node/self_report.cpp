// What a node tells of itself when somebody looks: metrics that are computed then, and what /readyz
// says besides that it is ready.
#include "app/node/node_parts.h"

namespace weft::app {
namespace {

std::string archive_note(const eventlog::EmbeddedLog& log) {
  auto status = log.status().archive;
  if (!status || (!status->failing_since && status->gaps == 0)) return {};
  if (!status->failing_since)
    return fmt::format("archive: has a gap of {} files, take a new backup\n", status->gaps);
  return fmt::format("archive: takes nothing since {}, {} bytes wait\n",
                     to_rfc3339(*status->failing_since), status->waiting_bytes);
}

std::string state_note(const StateStatus& status) {
  if (status.why.empty()) return {};
  return fmt::format("state database {} since {}: {}\n", status.is_away ? "away" : "not followed",
                     to_rfc3339(status.since), status.why);
}

// Under the node's mutex: of two that raise at once one would raise twice.
void raise_to(Counter& counter, std::uint64_t to) {
  counter.add(to - counter.value());
}

void refresh_traces(Metrics& metrics, const telemetry::TraceStore& traces) {
  const auto stats = traces.stats();
  raise_to(metrics.counter("weft_telemetry_recorded_spans_total", "Spans that were recorded"),
           stats.spans_recorded);
  raise_to(metrics.counter("weft_telemetry_sampled_out_spans_total",
                           "Spans of traces that are not kept"),
           stats.spans_sampled_out);
  raise_to(metrics.counter("weft_telemetry_lost_spans_total",
                           "Spans that were to be kept and reached no disk"),
           stats.spans_unarchived);
  metrics.gauge("weft_telemetry_trace_disk_bytes", "Traces on disk")
      .set(static_cast<std::int64_t>(stats.archive_bytes));
}

void refresh_logs(Metrics& metrics, const telemetry::LogStore& logs) {
  raise_to(
      metrics.counter("weft_telemetry_dropped_log_lines_total", "Log lines that were not stored"),
      logs.dropped_lines());
  metrics.gauge("weft_telemetry_log_disk_bytes", "Log lines on disk")
      .set(static_cast<std::int64_t>(logs.bytes()));
}

}  // namespace

std::string Node::Parts::note_of_roles() const {
  return role_note(roles, estate->current()->of_kind("Subscription").size());
}

std::string Node::Parts::ready_note() const {
  auto note = roles.is_all() ? std::string() : "roles " + roles.text() + "\n";
  if (auto lacking = note_of_roles(); !lacking.empty()) note += lacking + "\n";
  if (state_watch) note += state_note(state_watch->status());
  if (cluster) return note;
  return note + archive_note(*embedded);
}

void Node::Parts::refresh_metrics() {
  std::lock_guard refreshing(refresh_mutex);
  for (const estate::Compiler* compiler : std::initializer_list<const estate::Compiler*>{
           &*identity, &*streams, &*gateway, &delivery_compiler()}) {
    raise_to(metrics.counter("weft_estate_compilations_total",
                             "Resources compiled since the start; what was kept from an earlier "
                             "generation is not counted.",
                             {{"compiler", std::string(compiler->name())}}),
             compiler->compilations());
  }
  refresh_traces(metrics, traces);
  if (logs) refresh_logs(metrics, *logs);
}

}  // namespace weft::app
