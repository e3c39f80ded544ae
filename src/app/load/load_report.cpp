#include "app/load/load_report.h"

#include <thread>

#include "app/load/rate_search.h"
#include "base/json_writer.h"

namespace weft::app {
namespace {

constexpr double kMega = 1e6;
constexpr double kSecondsPerDay = 86'400;

double rounded(double value, double to = 1000) {
  return std::round(value * to) / to;
}

double ms_of(Duration duration) {
  return rounded(std::chrono::duration<double, std::milli>(duration).count());
}

double mega(double records_per_second, const LoadReport& report) {
  return rounded(records_per_second * static_cast<double>(report.plan.record_bytes) / kMega);
}

void latencies(JsonWriter& out, const LatencyHistogram& histogram) {
  out.key("latencyMs").object();
  for (const auto& [name, percent] :
       {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}}) {
    out.member(name, ms_of(histogram.percentile(percent)));
  }
  out.member("max", ms_of(histogram.greatest())).end();
}

void rate(JsonWriter& out, double per_second, const LoadReport& report) {
  out.member("recordsPerSecond", std::round(per_second));
  out.member("megabytesPerSecond", mega(per_second, report));
}

void produced(JsonWriter& out, const LoadReport& report) {
  const auto& produced = report.load->produced;
  out.object().member("what", "produce");
  out.member("offeredPerSecond", std::round(report.load->offered_per_second()));
  out.member("offeredMegabytesPerSecond", mega(report.load->offered_per_second(), report));
  rate(out, report.load->achieved_per_second(), report);
  out.member("records", produced.due).member("acknowledged", produced.acknowledged);
  out.member("failed", produced.failed).member("unfinished", produced.unfinished);
  latencies(out, produced.latency);
  out.end();
}

void commits(JsonWriter& out, const LoadReport& report) {
  const auto& produced = report.load->produced;
  const auto per_second = static_cast<double>(produced.transactions) / report.load->seconds;
  out.object().member("what", "commit").member("recordsPerSecond", rounded(per_second, 10));
  out.member("records", produced.transactions).member("failed", produced.aborted);
  latencies(out, produced.commit);
  out.end();
}

void consumed(JsonWriter& out, const LoadReport& report) {
  const auto& consumed = report.load->consumed;
  out.object().member("what", "end to end");
  rate(out, static_cast<double>(consumed.received) / report.load->seconds, report);
  out.member("records", consumed.received).member("missing", consumed.missing);
  out.member("repeated", consumed.repeated);
  latencies(out, consumed.end_to_end);
  out.end();
}

void caught_up(JsonWriter& out, const CatchUpResult& result) {
  const auto seconds = std::max(result.seconds, 1e-9);
  out.object().member("what", "catch up");
  out.member("recordsPerSecond", std::round(static_cast<double>(result.records) / seconds));
  out.member("megabytesPerSecond", rounded(static_cast<double>(result.bytes) / kMega / seconds));
  out.member("records", result.records).member("bytes", result.bytes);
  out.member("seconds", rounded(result.seconds));
  out.end();
}

void errors(JsonWriter& out, const std::map<std::string, std::uint64_t>& all) {
  out.key("errors").array();
  for (const auto& [text, count] : all) {
    out.object().member("error", text).member("count", count).end();
  }
  out.end();
}

void sizing(JsonWriter& out, const LoadReport& report) {
  const auto& advice = *report.sizing;
  out.key("sizing").object().member("p99MaxMs", ms_of(advice.p99_max));
  out.member("keptPerSecond", std::round(advice.kept_per_second));
  out.member("headroomPercent", advice.headroom_percent);
  out.member("advisedPerSecond", advice.advised_per_second);
  out.member("advisedMegabytesPerSecond", mega(advice.advised_per_second, report));
  out.member("confirmed", advice.confirmed);
  if (advice.needed_per_second > 0 && advice.advised_per_second > 0) {
    out.member("neededPerSecond", advice.needed_per_second);
    out.member("brokers", brokers_for(advice.needed_per_second, advice.advised_per_second));
  }
  out.key("steps").array();
  for (const auto& step : advice.steps) {
    out.object().member("offeredPerSecond", std::round(step.per_second));
    out.member("recordsPerSecond", std::round(step.achieved_per_second));
    out.member("p99Ms", ms_of(step.p99)).member("kept", step.kept).end();
  }
  out.end().end();
}

const std::map<std::string, std::uint64_t>& errors_of(const LoadReport& report) {
  return report.load ? report.load->errors : report.catch_up->errors;
}

void advise(std::vector<std::string>& lines, const LoadReport& report) {
  const auto& advice = *report.sizing;
  if (advice.kept_per_second == 0) {
    lines.push_back(fmt::format("sizing: no rate was kept at p99 <= {}; give a greater --p99-max",
                                to_text(advice.p99_max)));
    return;
  }
  lines.push_back(fmt::format(
      "sizing: keeps {:.0f} records/s ({:.1f} MB/s) of this load at p99 <= {}; plan with {:.0f} "
      "({:.0f} % headroom): {}",
      advice.kept_per_second, mega(advice.kept_per_second, report), to_text(advice.p99_max),
      advice.advised_per_second, advice.headroom_percent,
      advice.confirmed ? "confirmed by the run above" : "not confirmed by the run above"));
  const auto day = advice.advised_per_second * static_cast<double>(report.plan.record_bytes) *
                   kSecondsPerDay / 1e9;
  lines.push_back(fmt::format(
      "sizing: a day at that rate is {:.1f} GB of values per replica before compression", day));
  if (advice.needed_per_second > 0) {
    const auto brokers = brokers_for(advice.needed_per_second, advice.advised_per_second);
    lines.push_back(fmt::format(
        "sizing: {:.0f} records/s need {} such broker{} per replica, if partitions spread evenly",
        advice.needed_per_second, brokers, brokers == 1 ? "" : "s"));
  }
}

}  // namespace

std::string load_report_json(const LoadReport& report) {
  const auto& plan = report.plan;
  JsonWriter out;
  out.object().member("brokers", report.brokers).member("topic", plan.topic);
  out.key("load").object().member("recordBytes", plan.record_bytes);
  out.member("ratePerSecond", plan.per_second).member("producers", plan.producers);
  out.member("consumers", plan.consumers).member("keys", plan.keys);
  out.member("transactionRecords", plan.transaction_records);
  out.member("outstandingMax", plan.outstanding_max);
  out.member("warmUpSeconds", rounded(std::chrono::duration<double>(plan.warm_up).count()));
  out.member("seconds", rounded(std::chrono::duration<double>(plan.duration).count())).end();
  out.key("measured").array();
  if (report.load) {
    produced(out, report);
    if (plan.transaction_records > 0) commits(out, report);
    if (plan.consumers > 0) consumed(out, report);
  }
  if (report.catch_up) caught_up(out, *report.catch_up);
  out.end();
  errors(out, errors_of(report));
  if (report.load) out.member("clientCores", rounded(report.load->client_cores, 100));
  if (report.sizing) sizing(out, report);
  out.end();
  return std::move(out).text();
}

std::vector<std::string> load_remarks(const LoadReport& report) {
  std::vector<std::string> lines;
  for (const auto& [text, count] : errors_of(report)) {
    lines.push_back(fmt::format("error, {} times: {}", count, text));
  }
  if (report.load) {
    const auto& load = *report.load;
    if (load.produced.unfinished > 0) {
      lines.push_back(fmt::format("{} records had no outcome in time and count with their age",
                                  load.produced.unfinished));
    }
    if (load.consumed.missing > 0) {
      lines.push_back(fmt::format("{} acknowledged records did not reach a consumer in time",
                                  load.consumed.missing));
    }
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    lines.push_back(fmt::format("this tool used {:.2f} of {} cores", load.client_cores, cores));
  }
  if (report.sizing) advise(lines, report);
  return lines;
}

}  // namespace weft::app
