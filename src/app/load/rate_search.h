// Which rate a broker keeps: doubles until a step fails, then halves the distance, by ratio, until
// the last kept and the first failed rate are close. A step that fails is tried once more, since a
// machine has bad moments. Pure: says what to try and is told what came of it.
#pragma once

#include <cstdint>
#include <optional>

namespace weft::app {

class RateSearch {
 public:
  // Records per second to begin with; `closeness` 0.05 ends within 5 %.
  explicit RateSearch(double first, double closeness = 0.05, double most = 1e8);

  // What to try now; absent: the search is over.
  std::optional<double> next() const;
  void judge(bool kept);
  // The greatest rate that was kept; absent: none was.
  std::optional<double> kept() const { return kept_; }

 private:
  double rate_;
  double closeness_;
  double most_;
  double least_;
  std::optional<double> kept_;
  std::optional<double> failed_;
  bool again_ = false;
  bool over_ = false;
};

// What to plan with: the kept rate without a reserve of so many percent.
double advised_rate(double kept, double headroom_percent);
// How many brokers of this kind carry `needed`, if what one carries adds up.
std::int64_t brokers_for(double needed, double advised);

}  // namespace weft::app
