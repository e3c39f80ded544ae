#include "telemetry/core/trace_search.h"

#include <algorithm>
#include <unordered_map>

#include "base/bytes.h"
#include "telemetry/core/trace_ring.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kPrefixDigitsMin = 4;
constexpr std::size_t kIdDigits = 32;
constexpr std::string_view kServiceKey = "service.name";
constexpr std::string_view kRouteKey = "http.route";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool has_prefix(const TraceId& id, std::string_view prefix) {
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    const auto byte = static_cast<unsigned char>(id[i / 2]);
    const auto nibble = i % 2 == 0 ? byte >> 4 : byte & 15;
    if (nibble != digit_value(prefix[i])) return false;
  }
  return true;
}

bool is_hex(std::string_view text) {
  return text.size() <= kIdDigits &&
         std::ranges::all_of(text, [](char c) { return digit_value(c) >= 0; });
}

std::string_view value_of(std::span<const AttributeView> attributes, std::string_view key) {
  auto at = std::ranges::find(attributes, key, &AttributeView::first);
  return at == attributes.end() ? std::string_view() : at->second;
}

template <class Visit>
void for_each_entry(Chunks chunks, Visit visit) {
  for (const auto& chunk : chunks) {
    const auto count = chunk->count();
    for (std::uint32_t i = 0; i < count; ++i) visit(*chunk, i, chunk->entry(i));
  }
}

std::size_t span_count(Chunks chunks) {
  std::size_t count = 0;
  for (const auto& chunk : chunks) count += chunk->count();
  return count;
}

// What is known of a trace while the spans are read.
struct Group {
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  std::uint32_t spans = 0;
  std::uint32_t failed = 0;
  // Which conditions some span has met: one bit each.
  std::uint64_t met = 0;
  const SpanChunk* root_chunk = nullptr;
  std::uint32_t root_index = 0;
  std::int64_t root_start = 0;
  bool root_has_parent = true;
};

bool contains_ignoring_case(std::string_view text, std::string_view wanted) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  auto same = [&](char a, char b) { return lower(a) == lower(b); };
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

bool mentions(const SpanView& span, std::string_view text) {
  if (contains_ignoring_case(span.name, text)) return true;
  return std::ranges::any_of(span.attributes, [&](const AttributeView& attribute) {
    return contains_ignoring_case(attribute.second, text);
  });
}

// The conditions of a query that need a span's attributes, numbered; the text is the last one.
class Conditions {
 public:
  Conditions(const TraceQuery& query, std::string_view service)
      : default_service_(service), text_(query.text) {
    if (!query.service.empty()) wanted_.emplace_back(kServiceKey, query.service);
    if (!query.route.empty()) wanted_.emplace_back(kRouteKey, query.route);
    for (const auto& [key, value] : query.attributes) wanted_.emplace_back(key, value);
    wanted_.resize(std::min<std::size_t>(wanted_.size(), 63));
  }

  bool is_empty() const { return count() == 0; }
  bool are_met(const Group& group) const {
    return is_empty() || group.met == (~std::uint64_t{0} >> (64 - count()));
  }

  std::uint64_t met_by(const SpanView& span) const {
    const auto attributes = span.attributes;
    std::uint64_t met = 0;
    if (!text_.empty() && mentions(span, text_)) met |= std::uint64_t{1} << wanted_.size();
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto& [key, wanted] = wanted_[i];
      auto value = value_of(attributes, key);
      if (value.empty() && key == kServiceKey) value = default_service_;
      if (value == wanted) met |= std::uint64_t{1} << i;
    }
    return met;
  }

 private:
  std::size_t count() const { return wanted_.size() + (text_.empty() ? 0 : 1); }

  std::string_view default_service_;
  std::string_view text_;
  std::vector<AttributeView> wanted_;
};

void add_span(Group& group, const SpanChunk& chunk, std::uint32_t index) {
  const auto head = chunk.head(index);
  ++group.spans;
  group.failed += head.failed ? 1 : 0;
  group.start = std::min(group.start, head.start);
  group.end = std::max(group.end, head.end);
  const bool has_parent = head.parent_id != std::array<char, 8>{};
  const bool is_better = group.root_chunk == nullptr || (group.root_has_parent && !has_parent) ||
                         (group.root_has_parent == has_parent && head.start < group.root_start);
  if (!is_better) return;
  group.root_chunk = &chunk;
  group.root_index = index;
  group.root_start = head.start;
  group.root_has_parent = has_parent;
}

bool matches(const Group& group, const TraceQuery& query, const Conditions& conditions) {
  if (query.failed_only && group.failed == 0) return false;
  if (Duration(group.end - group.start) < query.duration_min) return false;
  if (query.before && WallTime(Duration(group.start)) >= *query.before) return false;
  return conditions.are_met(group);
}

TraceSummary summary_of(const TraceId& id, const Group& group, std::string_view service) {
  std::vector<AttributeView> attributes;
  const auto root = group.root_chunk->view(group.root_index, attributes);
  const auto own_service = value_of(root.attributes, kServiceKey);
  TraceSummary summary;
  summary.trace_id = hex_of(id);
  summary.name = root.name;
  summary.service = own_service.empty() ? service : own_service;
  summary.route = value_of(root.attributes, kRouteKey);
  summary.start = WallTime(Duration(group.start));
  summary.duration = Duration(group.end - group.start);
  summary.span_count = group.spans;
  summary.failed_count = group.failed;
  return summary;
}

// Every service that has a span in one of the traces.
void name_services(Chunks chunks, std::vector<std::pair<TraceId, TraceSummary>>& traces,
                   std::string_view default_service) {
  std::unordered_map<TraceId, TraceSummary*, TraceIdHash> by_id;
  for (auto& [id, summary] : traces) by_id.emplace(id, &summary);
  std::vector<AttributeView> attributes;
  for_each_entry(chunks, [&](const SpanChunk& chunk, std::uint32_t i, const auto& entry) {
    auto at = by_id.find(entry.trace_id);
    if (at == by_id.end()) return;
    auto service = value_of(chunk.view(i, attributes).attributes, kServiceKey);
    if (service.empty()) service = default_service;
    auto& services = at->second->services;
    auto place = std::ranges::lower_bound(services, service);
    if (place == services.end() || *place != service) services.emplace(place, service);
  });
}

}  // namespace

std::string hex_of(const TraceId& id) {
  return to_hex({id.data(), id.size()});
}

Result<std::vector<TraceId>> ids_with_prefix(Chunks chunks, std::string_view prefix) {
  if (prefix.size() < kPrefixDigitsMin || !is_hex(prefix)) {
    return fail(ErrorCode::InvalidArgument,
                "'{}' is no trace id: {} to {} lower-case hexadecimal digits are wanted", prefix,
                kPrefixDigitsMin, kIdDigits);
  }
  std::vector<TraceId> found;
  for_each_entry(chunks, [&](const SpanChunk&, std::uint32_t, const SpanChunk::Entry& entry) {
    if (found.size() >= 2 || !has_prefix(entry.trace_id, prefix)) return;
    if (found.empty() || found.front() != entry.trace_id) found.push_back(entry.trace_id);
  });
  return found;
}

std::vector<Span> spans_of(Chunks chunks, const TraceId& id) {
  std::vector<Span> spans;
  std::vector<AttributeView> attributes;
  for_each_entry(chunks, [&](const SpanChunk& chunk, std::uint32_t i, const auto& entry) {
    if (entry.trace_id != id) return;
    const auto view = chunk.view(i, attributes);
    Span span;
    span.context = view.context;
    span.parent_id = view.parent_id;
    span.name = view.name;
    span.kind = view.kind;
    span.start = view.start;
    span.end = view.end;
    span.failed = view.failed;
    span.attributes.assign(view.attributes.begin(), view.attributes.end());
    spans.push_back(std::move(span));
  });
  std::ranges::stable_sort(spans, {}, &Span::start);
  return spans;
}

std::vector<std::pair<TraceId, TraceSummary>> search_traces(Chunks chunks, const TraceQuery& query,
                                                            std::string_view service) {
  std::vector<std::pair<TraceId, TraceSummary>> found;
  if (!is_hex(query.id_prefix)) return found;
  const Conditions conditions(query, service);
  std::unordered_map<TraceId, Group, TraceIdHash> groups;
  if (query.id_prefix.empty()) groups.reserve(span_count(chunks));
  std::vector<AttributeView> attributes;
  for_each_entry(chunks, [&](const SpanChunk& chunk, std::uint32_t i, const auto& entry) {
    if (!has_prefix(entry.trace_id, query.id_prefix)) return;
    auto& group = groups[entry.trace_id];
    add_span(group, chunk, i);
    if (conditions.is_empty() || conditions.are_met(group)) return;
    group.met |= conditions.met_by(chunk.view(i, attributes));
  });

  std::vector<std::pair<const TraceId*, const Group*>> matching;
  for (const auto& [id, group] : groups) {
    if (matches(group, query, conditions)) matching.emplace_back(&id, &group);
  }
  const auto wanted = std::min(query.limit, matching.size());
  // The id decides between traces of the same moment, so that the order is stable.
  std::ranges::partial_sort(matching, matching.begin() + static_cast<std::ptrdiff_t>(wanted),
                            [](const auto& a, const auto& b) {
                              if (a.second->start != b.second->start) {
                                return a.second->start > b.second->start;
                              }
                              return *a.first < *b.first;
                            });
  matching.resize(wanted);
  for (const auto& [id, group] : matching) {
    found.emplace_back(*id, summary_of(*id, *group, service));
  }
  name_services(chunks, found, service);
  return found;
}

}  // namespace weft::telemetry
