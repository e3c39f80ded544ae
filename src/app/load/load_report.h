// What a run of load is told as: JSON for programs, of which the command line makes its table.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/load/stream_load.h"

namespace weft::app {

// What a search for the rate that a broker keeps came to.
struct SizingAdvice {
  struct Step {
    double per_second = 0;
    double achieved_per_second = 0;
    Duration p99{};
    bool kept = false;
  };
  Duration p99_max{};
  double headroom_percent = 0;
  double kept_per_second = 0;  // 0: no rate was kept
  double advised_per_second = 0;
  bool confirmed = false;        // by a run of its own at the advised rate
  double needed_per_second = 0;  // 0: nobody asked
  std::vector<Step> steps;
};

struct LoadReport {
  std::string brokers;
  StreamLoadPlan plan;
  std::optional<StreamLoadResult> load;
  std::optional<CatchUpResult> catch_up;
  std::optional<SizingAdvice> sizing;
};

std::string load_report_json(const LoadReport& report);

// For people, below the table: errors, what is missing, and the advice; a line each.
std::vector<std::string> load_remarks(const LoadReport& report);

}  // namespace weft::app
