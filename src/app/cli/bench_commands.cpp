// `weft bench stream`: load on a Kafka broker, Weft or another, and what size it is good for.
#include <fmt/format.h>

#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/load/load_report.h"
#include "app/load/rate_search.h"
#include "runtime/clock.h"

namespace weft::app {
namespace {

constexpr Duration kAdminWait = 10s;
constexpr double kFirstRate = 1000;
constexpr int kConfirmationsMax = 3;
constexpr double kNextAdvice = 0.85;  // of an advice that a second run did not confirm
constexpr std::int64_t kRateMax = 100'000'000;

Result<Duration> duration_of(const Arguments& arguments, std::string_view flag) {
  auto parsed = parse_duration(arguments.get(flag));
  if (!parsed) return std::unexpected(std::move(parsed).error().within(fmt::format("--{}", flag)));
  return parsed;
}

Result<> add_properties(StreamLoadPlan& plan, const Arguments& arguments) {
  plan.client = {{"bootstrap.servers", arguments.get("brokers")}, {"client.id", "weft-bench"}};
  if (arguments.has("properties")) {
    TRY(auto from_file, eventlog::read_kafka_properties(arguments.get("properties")));
    plan.client.insert(plan.client.end(), from_file.begin(), from_file.end());
  }
  for (const auto& property : arguments.all("property")) {
    const auto equals = property.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ErrorCode::InvalidArgument, "write --property name=value, not '{}'", property);
    }
    // A property of one kind of client, as linger.ms is, says which.
    auto& whose = property.starts_with("producer.")   ? plan.producer
                  : property.starts_with("consumer.") ? plan.consumer
                                                      : plan.client;
    const std::size_t from = &whose == &plan.client ? 0 : std::string_view("producer.").size();
    whose.emplace_back(property.substr(from, equals - from), property.substr(equals + 1));
  }
  plan.producer.emplace_back("acks", arguments.get("acks"));
  plan.producer.emplace_back("compression.codec", arguments.get("compression"));
  if (arguments.has("idempotent")) plan.producer.emplace_back("enable.idempotence", "true");
  return {};
}

Result<StreamLoadPlan> plan_of(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return fail(ErrorCode::InvalidArgument, "name exactly one topic");
  }
  StreamLoadPlan plan;
  plan.topic = arguments.positional()[0];
  CHECK(add_properties(plan, arguments));
  TRY(const auto rate, arguments.number("rate", 0, kRateMax));
  TRY(const auto bytes, arguments.number("size", kRecordBytesMin, 100'000'000));
  TRY(const auto keys, arguments.number("keys", 0, 1'000'000'000));
  TRY(const auto producers, arguments.number("producers", 0, 1000));
  TRY(const auto consumers, arguments.number("consumers", 0, 1000));
  TRY(const auto transaction, arguments.number("transaction", 0, 1'000'000));
  TRY(plan.outstanding_max, arguments.number("outstanding", 1, 10'000'000));
  TRY(plan.warm_up, duration_of(arguments, "warm-up"));
  TRY(plan.duration, duration_of(arguments, "duration"));
  TRY(plan.drain, duration_of(arguments, "drain"));
  plan.per_second = static_cast<double>(rate);
  plan.record_bytes = static_cast<std::size_t>(bytes);
  plan.keys = static_cast<std::uint64_t>(keys);
  plan.producers = static_cast<int>(producers);
  plan.consumers = static_cast<int>(consumers);
  plan.transaction_records = static_cast<std::uint64_t>(transaction);
  if (producers + consumers == 0) {
    return fail(ErrorCode::InvalidArgument, "give --producers, --consumers or both");
  }
  if (plan.duration < 100ms) {
    return fail(ErrorCode::InvalidArgument, "--duration is at least 100ms");
  }
  if (producers == 0 && arguments.has("find-limit")) {
    return fail(ErrorCode::InvalidArgument, "--find-limit needs --producers");
  }
  return plan;
}

// With --partitions a topic that is missing is made.
Result<> prepare_topic(const StreamLoadPlan& plan, const Arguments& arguments) {
  if (!arguments.has("partitions")) return {};
  TRY(const auto partitions, arguments.number("partitions", 1, 100'000));
  TRY(const auto replicas, arguments.number("replicas", -1, 100));
  TRY(const auto admin, eventlog::KafkaAdmin::open(plan.client));
  auto found = admin->topic(plan.topic, kAdminWait);
  if (found) return {};
  if (found.error().code != ErrorCode::NotFound) return std::unexpected(std::move(found).error());
  const eventlog::KafkaNewTopic topic{.name = plan.topic,
                                      .partitions = static_cast<std::int32_t>(partitions),
                                      .replicas = static_cast<std::int32_t>(replicas),
                                      .configs = {}};
  return admin->create_topic(topic, kAdminWait);
}

void tell(const Arguments& arguments, const std::string& line) {
  if (arguments.get("output") == "table") fmt::print(stderr, "{}\n", line);
}

Result<StreamLoadResult> run_step(StreamLoadPlan plan, double rate, const Arguments& arguments,
                                  SizingAdvice& advice, Clock& clock) {
  plan.per_second = rate;
  TRY(auto result, run_stream_load(plan, clock));
  const auto p99 = result.produced.latency.percentile(99);
  const bool kept = kept_up(result, advice.p99_max);
  advice.steps.push_back({rate, result.achieved_per_second(), p99, kept});
  tell(arguments, fmt::format("{:>10.0f} records/s offered, {:>10.0f} achieved, p99 {:.3f} ms: {}",
                              rate, result.achieved_per_second(),
                              std::chrono::duration<double, std::milli>(p99).count(),
                              kept ? "kept" : "not kept"));
  return result;
}

// Steps of `--step` each, then runs of the full duration at what is advised until one is kept.
Result<> find_limit(LoadReport& report, const Arguments& arguments, Clock& clock) {
  auto& plan = report.plan;
  SizingAdvice advice;
  TRY(advice.p99_max, duration_of(arguments, "p99-max"));
  TRY(const auto headroom, arguments.number("headroom", 0, 90));
  TRY(const auto need, arguments.number("need", 0, kRateMax));
  advice.headroom_percent = static_cast<double>(headroom);
  advice.needed_per_second = static_cast<double>(need);
  auto step_plan = plan;
  TRY(step_plan.duration, duration_of(arguments, "step"));
  step_plan.drain = std::min(step_plan.drain, std::max<Duration>(10 * advice.p99_max, 5s));

  RateSearch search(plan.per_second > 0 ? plan.per_second : kFirstRate);
  while (const auto rate = search.next()) {
    TRY(auto result, run_step(step_plan, *rate, arguments, advice, clock));
    search.judge(kept_up(result, advice.p99_max));
    report.load = std::move(result);
  }
  advice.kept_per_second = search.kept().value_or(0);
  if (advice.kept_per_second > 0) {
    advice.advised_per_second = advised_rate(advice.kept_per_second, advice.headroom_percent);
    for (int i = 0; i < kConfirmationsMax && !advice.confirmed; ++i) {
      if (i > 0) advice.advised_per_second = std::floor(advice.advised_per_second * kNextAdvice);
      TRY(report.load, run_step(plan, advice.advised_per_second, arguments, advice, clock));
      advice.confirmed = kept_up(*report.load, advice.p99_max);
    }
  }
  plan.per_second = advice.advised_per_second;
  report.sizing = std::move(advice);
  return {};
}

Result<LoadReport> run(const Arguments& arguments) {
  SystemClock clock;
  LoadReport report;
  report.brokers = arguments.get("brokers");
  TRY(report.plan, plan_of(arguments));
  CHECK(prepare_topic(report.plan, arguments));
  if (report.plan.producers == 0) {
    TRY(report.catch_up, run_catch_up(report.plan, clock));
  } else if (arguments.has("find-limit")) {
    CHECK(find_limit(report, arguments, clock));
  } else {
    TRY(report.load, run_stream_load(report.plan, clock));
  }
  return report;
}

bool is_good(const LoadReport& report) {
  if (report.catch_up) return report.catch_up->errors.empty();
  const auto& load = *report.load;
  if (report.sizing && !report.sizing->confirmed) return false;
  return load.produced.acknowledged > 0 && load.produced.failed == 0 &&
         load.produced.unfinished == 0 && load.consumed.missing == 0;
}

int bench_stream(const Arguments& arguments) {
  auto report_or = run(arguments);
  if (!report_or) return report(report_or.error());
  auto json = JsonDocument::parse(load_report_json(*report_or));
  if (!json) return report(json.error());
  const auto* measured = json->root().find("measured");
  const std::vector<Json> rows(measured->elements().begin(), measured->elements().end());
  const int status = show(arguments, json->root(),
                          {{"WHAT", "/what"},
                           {"OFFERED/S", "/offeredPerSecond"},
                           {"ACHIEVED/S", "/recordsPerSecond"},
                           {"MB/S", "/megabytesPerSecond"},
                           {"RECORDS", "/records"},
                           {"FAILED", "/failed"},
                           {"P50 MS", "/latencyMs/p50"},
                           {"P90 MS", "/latencyMs/p90"},
                           {"P99 MS", "/latencyMs/p99"},
                           {"P99.9 MS", "/latencyMs/p99.9"},
                           {"MAX MS", "/latencyMs/max"}},
                          rows);
  if (status != 0) return status;
  if (arguments.get("output") == "table") {
    for (const auto& line : load_remarks(*report_or)) fmt::print("{}\n", line);
  }
  return is_good(*report_or) ? 0 : 1;
}

std::vector<FlagSpec> stream_flags() {
  return {
      {"brokers", "HOST:PORT", "where to begin, several with commas", "127.0.0.1:9092", false},
      {"rate", "N", "records per second that are due, of all producers; 0: as fast as it goes", "0",
       false},
      {"size", "BYTES", "of a record's value, from 16", "100", false},
      {"keys", "N", "how many different keys; 0: records without one", "0", false},
      {"partitions", "N", "make the topic with so many if it is missing", "", false},
      {"replicas", "N", "of a topic that is made; -1: the broker's default", "-1", false},
      {"producers", "N", "0 with --consumers: read what the topic holds", "1", false},
      {"consumers", "N", "in a group of their own; tell the latency end to end", "0", false},
      {"outstanding", "N", "without a rate: unacknowledged records of a producer", "10000", false},
      {"acks", "all|1|0", "what a producer waits for", "all", false},
      {"compression", "none|gzip|snappy|lz4|zstd", "of batches", "none", false},
      {"idempotent", "", "producers that store nothing twice", "", false},
      {"transaction", "N", "records per transaction; 0: none", "0", false},
      {"warm-up", "TIME", "before anything counts", "5s", false},
      {"duration", "TIME", "that counts", "30s", false},
      {"drain", "TIME", "how long to wait for the last outcomes", "30s", false},
      {"find-limit", "", "search the rate that it keeps, advise, and confirm it", "", false},
      {"p99-max", "TIME", "what --find-limit asks of the latency", "100ms", false},
      {"step", "TIME", "how long --find-limit tries a rate", "5s", false},
      {"headroom", "PERCENT", "what the advice leaves free", "20", false},
      {"need", "N", "records per second that you plan for", "0", false},
      {"property", "NAME=VALUE",
       "of librdkafka, for all clients; producer.NAME and consumer.NAME for one kind", "", true},
      {"properties", "FILE", "lines name=value, for secrets", "", false},
      {"output", "table|json|yaml", "form of the answer (also -o)", "table", false},
  };
}

}  // namespace

std::vector<Command> bench_commands() {
  return {{"bench stream", "Loads a topic of a Kafka broker and tells what size it is good for",
           "<topic>", stream_flags(), bench_stream}};
}

}  // namespace weft::app
