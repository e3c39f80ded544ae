// `weft doctor`: what about this machine and the running node an operator should know, each finding with what to
// do about it. Changes nothing but a probe file in the data folder.
#pragma once

#include <string>
#include <vector>

#include "app/cli/arguments.h"
#include "base/time.h"

namespace weft::app {

enum class Verdict : unsigned char { Good, Warning, Bad };

struct DoctorFinding {
  Verdict verdict = Verdict::Good;
  std::string subject;
  std::string observed;
  std::string advice;  // empty when good
};

// Judgements; pure.
DoctorFinding judge_free_space(std::uint64_t free_bytes, std::uint64_t total_bytes);
DoctorFinding judge_open_files(std::uint64_t limit);
// The median of a few fdatasync calls. A medium that answers within microseconds does not write.
DoctorFinding judge_sync(Duration median);
DoctorFinding judge_clock_year(int year);

// Exit status 0 when nothing is bad.
int run_doctor(const Arguments& arguments);

}  // namespace weft::app
