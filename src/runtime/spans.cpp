#include "runtime/spans.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft {

namespace {

constexpr std::size_t kTraceparentSize = 55;  // 00-<32>-<16>-<2>
constexpr char kDigits[] = "0123456789abcdef";

int lower_hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<char> into) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    int high = lower_hex_digit(text[2 * i]);
    int low = lower_hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<char>(high * 16 + low);
  }
  return true;
}

char* write_hex(std::span<const char> bytes, char* out) {
  for (char byte : bytes) {
    auto value = static_cast<unsigned char>(byte);
    *out++ = kDigits[value >> 4];
    *out++ = kDigits[value & 15];
  }
  return out;
}

bool is_zero(std::span<const char> bytes) {
  return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

// The specification forbids identifiers of zeros only.
void fill_nonzero(Random& random, std::span<char> bytes) {
  do random.fill(bytes.data(), bytes.size());
  while (is_zero(bytes));
}

std::string hex_text(std::span<const char> bytes) {
  std::string out(2 * bytes.size(), '\0');
  write_hex(bytes, out.data());
  return out;
}

// Of the die that a trace id is: what is below is sampled.
std::atomic<std::uint64_t> sampling_threshold{std::numeric_limits<std::uint64_t>::max()};

// An id is random, so its last bytes are as good as a die that every node throws alike
// (OpenTelemetry's TraceIdRatioBased).
bool is_sampled(const std::array<char, 16>& trace_id) {
  const auto threshold = sampling_threshold.load(std::memory_order_relaxed);
  if (threshold == std::numeric_limits<std::uint64_t>::max()) return true;
  std::uint64_t die;
  std::memcpy(&die, trace_id.data() + 8, sizeof die);
  return die < threshold;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent) {
  if (traceparent.size() < kTraceparentSize) return {};
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  char version[1];
  char flags[1];
  TraceContext context;
  if (!read_hex(traceparent.substr(0, 2), version)) return {};
  if (!read_hex(traceparent.substr(3, 32), context.trace_id)) return {};
  if (!read_hex(traceparent.substr(36, 16), context.span_id)) return {};
  if (!read_hex(traceparent.substr(53, 2), flags)) return {};

  if (version[0] == '\xff') return {};
  if (traceparent.size() > kTraceparentSize) {
    // Only a later version may say more, behind a dash.
    if (version[0] == 0 || traceparent[kTraceparentSize] != '-') return {};
  }
  if (is_zero(context.trace_id) || is_zero(context.span_id)) return {};
  context.sampled = (flags[0] & 1) != 0;
  return context;
}

TraceContext TraceContext::start(Random& random) {
  TraceContext context;
  fill_nonzero(random, context.trace_id);
  fill_nonzero(random, context.span_id);
  context.sampled = is_sampled(context.trace_id);
  return context;
}

void set_trace_sampling(double ratio) {
  auto threshold = std::numeric_limits<std::uint64_t>::max();
  if (!(ratio > 0))
    threshold = 0;
  else if (ratio < 1)
    threshold = static_cast<std::uint64_t>(std::ldexp(ratio, 64));
  sampling_threshold.store(threshold, std::memory_order_relaxed);
}

TraceContext TraceContext::child(Random& random) const {
  TraceContext context;
  context.trace_id = trace_id;
  context.sampled = sampled;
  fill_nonzero(random, context.span_id);
  return context;
}

std::string TraceContext::traceparent() const {
  std::string out("00-00000000000000000000000000000000-0000000000000000-00");
  write_hex(trace_id, out.data() + 3);
  write_hex(span_id, out.data() + 36);
  if (sampled) out.back() = '1';
  return out;
}

std::string TraceContext::trace_id_hex() const {
  return hex_text(trace_id);
}

std::string TraceContext::span_id_hex() const {
  return hex_text(span_id);
}

void SpanSink::record_view(const SpanView& view) {
  Span span;
  span.context = view.context;
  span.parent_id = view.parent_id;
  span.name = view.name;
  span.kind = view.kind;
  span.start = view.start;
  span.end = view.end;
  span.failed = view.failed;
  span.attributes.assign(view.attributes.begin(), view.attributes.end());
  record(std::move(span));
}

bool SpanSink::keeps_last(bool, bool, Duration) {
  return true;
}

}  // namespace weft
