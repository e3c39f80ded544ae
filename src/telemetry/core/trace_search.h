// Finding traces among the spans of some slices. Pure; any thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/core/span_chunk.h"
#include "telemetry/trace_store.h"

namespace weft::telemetry {

using Slices = std::span<const SpanSlice>;

std::string hex_of(const TraceId& id);

// InvalidArgument when it is not lower-case hexadecimal of 4 to 32 digits.
Result<> check_prefix(std::string_view prefix);
// Adds the ids that begin with these digits, until there are two: enough to tell that there are
// several.
void add_ids_with_prefix(Slices slices, std::string_view prefix, std::vector<TraceId>& found);

// Adds all spans of a trace, in no order.
void add_spans_of(Slices slices, const TraceId& id, std::vector<Span>& spans);

// Finds the newest traces that meet a query, in spans that are given in parts; then sums them up,
// in the same parts or in those that may hold one of candidates().
class TraceSearch {
 public:
  // `service` is that of spans that name none. The query must outlive the search.
  TraceSearch(const TraceQuery& query, std::string_view service);
  ~TraceSearch();

  void add(Slices slices);
  // Whether spans that all ended before `end_max` could not change what is found: enough traces
  // are known that began later. (A trace's earlier spans are found when it is summed up.)
  bool is_settled(std::int64_t end_max) const;
  // Chooses; nothing is added afterwards.
  const std::vector<TraceId>& choose();
  void sum_up(Slices slices);
  // Newest first; is_complete is left true.
  std::vector<std::pair<TraceId, TraceSummary>> summaries();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::telemetry
