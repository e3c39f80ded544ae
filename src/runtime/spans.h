// The emit side of traces. Context travels as W3C Trace Context (traceparent); a finished span goes
// to the SpanSink, which must not block. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "runtime/random.h"

namespace weft {

// Who we are in a trace: W3C Trace Context level 1, section 3.2.
struct TraceContext {
  std::array<char, 16> trace_id{};
  std::array<char, 8> span_id{};
  bool sampled = true;

  // A malformed header counts as absent, as the specification demands.
  static std::optional<TraceContext> parse(std::string_view traceparent);
  // A new trace; set_trace_sampling() decides by its id whether it is sampled.
  static TraceContext start(Random& random);
  TraceContext child(Random& random) const;

  std::string traceparent() const;
  std::string trace_id_hex() const;
  std::string span_id_hex() const;
  bool is_valid() const { return trace_id != std::array<char, 16>{}; }
};

// The share of new traces that are sampled, for the whole process; all until it is set. A trace
// that somebody else began keeps what its traceparent says.
void set_trace_sampling(double ratio);

enum class SpanKind : std::uint8_t {
  Internal = 1,
  Server = 2,
  Client = 3,
  Producer = 4,
  Consumer = 5
};

struct Span {
  TraceContext context;             // its span_id is this span's
  std::array<char, 8> parent_id{};  // zero: root
  std::string name;
  SpanKind kind = SpanKind::Internal;
  WallTime start{};
  WallTime end{};
  bool failed = false;
  std::vector<std::pair<std::string, std::string>>
      attributes;  // OpenTelemetry semantic conventions
};

// The same, over memory of the caller's: lets a hot path tell of a span without allocating.
struct SpanView {
  TraceContext context;
  std::array<char, 8> parent_id{};
  std::string_view name;
  SpanKind kind = SpanKind::Internal;
  WallTime start{};
  WallTime end{};
  bool failed = false;
  std::span<const std::pair<std::string_view, std::string_view>> attributes;
};

// Where finished spans go. Called from any loop.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void record(Span span) = 0;
  // For hot paths; a sink that does not override it gets a copy by record().
  virtual void record_view(const SpanView& view);
  // Whether the last span of a trace would be kept. A hot path asks before it puts one together,
  // and records it when the answer is yes; a no counts as a span that was sampled out.
  virtual bool keeps_last(bool is_sampled, bool has_failed, Duration took);
};

}  // namespace weft
