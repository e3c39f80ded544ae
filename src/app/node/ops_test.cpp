#include "app/node/ops.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

TEST(MetricsNegotiation, GivesOpenMetricsToThoseWhoNameIt) {
  EXPECT_TRUE(prefers_openmetrics("application/openmetrics-text"));
  EXPECT_TRUE(prefers_openmetrics("application/openmetrics-text; version=1.0.0; charset=utf-8"));
  // Prometheus 2.42.
  EXPECT_TRUE(
      prefers_openmetrics("application/openmetrics-text;version=1.0.0,"
                          "application/openmetrics-text;version=0.0.1;q=0.75,"
                          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
}

TEST(MetricsNegotiation, GivesPrometheusTextToEverybodyElse) {
  EXPECT_FALSE(prefers_openmetrics(""));
  EXPECT_FALSE(prefers_openmetrics("*/*"));
  EXPECT_FALSE(prefers_openmetrics("text/plain;version=0.0.4, application/openmetrics-text;q=0.5"));
  EXPECT_FALSE(prefers_openmetrics("application/openmetrics-text;version=0.0.1"));
  EXPECT_FALSE(prefers_openmetrics("application/openmetrics-text;q=0"));
  EXPECT_FALSE(prefers_openmetrics("application/openmetrics-text;q=none, */*;q=0.1"));
  EXPECT_FALSE(prefers_openmetrics(";;,,=;q"));
}

}  // namespace
}  // namespace weft::app
