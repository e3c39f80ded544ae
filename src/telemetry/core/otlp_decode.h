// What others send by OTLP (opentelemetry-proto 1.x), read from its JSON encoding; Protobuf is
// brought into that form first, so that there is one reader. Pure; any thread.
//
// What cannot be kept is left out: events and links of spans, trace states, what a limit cuts.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/log.h"
#include "runtime/spans.h"
#include "telemetry/core/otlp_messages.h"

namespace weft::telemetry {

// The JSON encoding of an Export…ServiceRequest in Protobuf; InvalidArgument when it is none.
// Unknown fields are left out, as Protobuf asks.
Result<std::string> otlp_json_of(OtlpSignal signal, std::string_view protobuf);

// What was taken, and what was refused and why (a partial success).
struct OtlpOutcome {
  std::size_t accepted = 0;
  std::size_t rejected = 0;
  std::string reason{};

  void reject(std::string_view why) {
    ++rejected;
    if (reason.empty()) reason = why;
  }
};

using OtlpAttributes = std::vector<std::pair<std::string, std::string>>;

struct ReceivedLog {
  WallTime time{};  // zero: the sender did not say
  LogLevel level = LogLevel::Info;
  std::string service;
  std::string scope;
  std::string body;
  std::string trace_id;  // hexadecimal, or empty
  std::string span_id;
  OtlpAttributes attributes;
};

struct ReceivedPoint {
  enum class Type : std::uint8_t { Gauge, Counter, Histogram };
  std::string name;
  std::string help;
  std::string unit;
  std::string service;
  Type type = Type::Gauge;
  OtlpAttributes attributes;
  double value = 0;                    // of a histogram its sum
  std::uint64_t count = 0;             // of a histogram
  std::vector<double> bounds;          // of a histogram
  std::vector<std::uint64_t> buckets;  // not cumulative; one more than bounds
};

// Each gives what it can read to `take`; InvalidArgument when the request is not of that form.
// Resource attributes that say who sent it become the span's own: service.*,
// telemetry.sdk.language.
Result<OtlpOutcome> read_otlp_spans(const Json& request, const std::function<void(Span)>& take);
Result<OtlpOutcome> read_otlp_logs(const Json& request,
                                   const std::function<void(ReceivedLog)>& take);
// `take` says why it refuses a point, or nothing.
Result<OtlpOutcome> read_otlp_metrics(const Json& request,
                                      const std::function<std::string_view(ReceivedPoint)>& take);

}  // namespace weft::telemetry
