#include "telemetry/foreign_metrics.h"

#include <gmock/gmock.h>

namespace weft::telemetry {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallTime kDawn{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 5h};

ReceivedPoint point(std::string name, ReceivedPoint::Type type, double value,
                    OtlpAttributes attributes = {}) {
  ReceivedPoint made;
  made.name = std::move(name);
  made.type = type;
  made.value = value;
  made.service = "crm";
  made.attributes = std::move(attributes);
  return made;
}

TEST(ForeignMetrics, AreShownAsPrometheusNamesThem) {
  ForeignMetrics metrics;
  auto jobs = point("crm.jobs", ReceivedPoint::Type::Counter, 3, {{"job.kind", "a\"b"}});
  jobs.help = "Jobs \"done\"\n";
  auto time = point("http.server.duration", ReceivedPoint::Type::Histogram, 4.5);
  time.unit = "s";
  time.bounds = {1};
  time.buckets = {1, 2};
  EXPECT_THAT(metrics.store(jobs, kDawn), IsEmpty());
  EXPECT_THAT(metrics.store(time, kDawn), IsEmpty());
  EXPECT_THAT(metrics.store(point("1st", ReceivedPoint::Type::Gauge, 0.5), kDawn), IsEmpty());

  EXPECT_EQ(
      metrics.text(false, kDawn),
      "# HELP _1st Sent by OTLP.\n# TYPE _1st gauge\n_1st{service=\"crm\"} 0.5\n"
      "# HELP crm_jobs_total Jobs  done  \n# TYPE crm_jobs_total counter\n"
      "crm_jobs_total{job_kind=\"a\\\"b\",service=\"crm\"} 3\n"
      "# HELP http_server_duration_seconds Sent by OTLP.\n# TYPE http_server_duration_seconds histogram\n"
      "http_server_duration_seconds_bucket{service=\"crm\",le=\"1\"} 1\n"
      "http_server_duration_seconds_bucket{service=\"crm\",le=\"+Inf\"} 3\n"
      "http_server_duration_seconds_sum{service=\"crm\"} 4.5\n"
      "http_server_duration_seconds_count{service=\"crm\"} 3\n");
  EXPECT_THAT(metrics.text(true, kDawn), HasSubstr("# TYPE crm_jobs counter\ncrm_jobs_total{"));
  EXPECT_THAT(metrics.text(true, kDawn), HasSubstr("le=\"1.0\""));
}

TEST(ForeignMetrics, KeepTheLatestValueForFiveMinutes) {
  ForeignMetrics metrics;
  metrics.store(point("x", ReceivedPoint::Type::Gauge, 1), kDawn);
  metrics.store(point("x", ReceivedPoint::Type::Gauge, 2), kDawn + 1min);

  EXPECT_THAT(metrics.text(false, kDawn + 6min), HasSubstr("x{service=\"crm\"} 2\n"));
  EXPECT_THAT(metrics.text(false, kDawn + 7min), IsEmpty());
}

TEST(ForeignMetrics, AreRefusedWhereTheyWouldHarm) {
  ForeignMetrics metrics;
  metrics.store(point("x", ReceivedPoint::Type::Gauge, 1), kDawn);

  EXPECT_THAT(metrics.store(point("weft.requests", ReceivedPoint::Type::Gauge, 1), kDawn),
              HasSubstr("own"));
  EXPECT_THAT(metrics.store(point("x", ReceivedPoint::Type::Counter, 1), kDawn),
              HasSubstr("one type"));
  for (std::size_t i = 1; i < kForeignSeriesMax; ++i) {
    ASSERT_THAT(
        metrics.store(point("y", ReceivedPoint::Type::Gauge, 1, {{"n", std::to_string(i)}}), kDawn),
        IsEmpty());
  }
  EXPECT_THAT(metrics.store(point("y", ReceivedPoint::Type::Gauge, 1, {{"n", "more"}}), kDawn),
              HasSubstr("too many"));
  EXPECT_THAT(
      metrics.store(point("y", ReceivedPoint::Type::Gauge, 1, {{"n", "more"}}), kDawn + 6min),
      IsEmpty());
}

}  // namespace
}  // namespace weft::telemetry
