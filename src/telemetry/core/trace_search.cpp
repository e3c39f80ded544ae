#include "telemetry/core/trace_search.h"

#include <algorithm>
#include <unordered_map>

#include "base/bytes.h"
#include "telemetry/core/trace_ring.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kPrefixDigitsMin = 4;
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kBusinessKeysShown = 8;
constexpr std::string_view kServiceKey = "service.name";
constexpr std::string_view kRouteKey = "http.route";
constexpr std::string_view kBusinessKey = "weft.business_key";

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
void for_each_entry(Slices slices, Visit visit) {
  for (const auto& slice : slices) {
    for (auto i = slice.first; i < slice.last; ++i) visit(*slice.chunk, i, slice.chunk->entry(i));
  }
}

// What is known of a trace while the spans are read.
struct Group {
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  std::uint32_t spans = 0;
  std::uint32_t failed = 0;
  // Which conditions some span has met: one bit each.
  std::uint64_t met = 0;
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

bool has_business_key(const SpanView& span, std::string_view wanted) {
  return std::ranges::any_of(span.attributes, [&](const AttributeView& attribute) {
    return attribute.second == wanted && attribute.first.starts_with(kBusinessKey);
  });
}

// The conditions of a query that need a span's attributes, numbered; text and business key are the
// last ones.
class Conditions {
 public:
  Conditions(const TraceQuery& query, std::string_view service)
      : default_service_(service), text_(query.text), business_key_(query.business_key) {
    if (!query.service.empty()) wanted_.emplace_back(kServiceKey, query.service);
    if (!query.route.empty()) wanted_.emplace_back(kRouteKey, query.route);
    for (const auto& [key, value] : query.attributes) wanted_.emplace_back(key, value);
    wanted_.resize(std::min<std::size_t>(wanted_.size(), 62));
  }

  bool is_empty() const { return count() == 0; }
  bool are_met(const Group& group) const {
    return is_empty() || group.met == (~std::uint64_t{0} >> (64 - count()));
  }

  std::uint64_t met_by(const SpanView& span) const {
    const auto attributes = span.attributes;
    std::uint64_t met = 0;
    const auto text_bit = wanted_.size();
    const auto key_bit = text_bit + (text_.empty() ? 0 : 1);
    if (!text_.empty() && mentions(span, text_)) met |= std::uint64_t{1} << text_bit;
    if (!business_key_.empty() && has_business_key(span, business_key_))
      met |= std::uint64_t{1} << key_bit;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto& [key, wanted] = wanted_[i];
      auto value = value_of(attributes, key);
      if (value.empty() && key == kServiceKey) value = default_service_;
      if (value == wanted) met |= std::uint64_t{1} << i;
    }
    return met;
  }

 private:
  std::size_t count() const {
    return wanted_.size() + (text_.empty() ? 0 : 1) + (business_key_.empty() ? 0 : 1);
  }

  std::string_view default_service_;
  std::string_view text_;
  std::string_view business_key_;
  std::vector<AttributeView> wanted_;
};

void add_span(Group& group, const SpanChunk& chunk, std::uint32_t index) {
  const auto head = chunk.head(index);
  ++group.spans;
  group.failed += head.failed ? 1 : 0;
  group.start = std::min(group.start, head.start);
  group.end = std::max(group.end, head.end);
}

bool matches(const Group& group, const TraceQuery& query, const Conditions& conditions) {
  if (query.failed_only && group.failed == 0) return false;
  if (Duration(group.end - group.start) < query.duration_min) return false;
  if (query.before && WallTime(Duration(group.start)) >= *query.before) return false;
  if (query.since && WallTime(Duration(group.start)) < *query.since) return false;
  return conditions.are_met(group);
}

// A summary as its spans come, in any order; the root is a span without a parent, or the earliest.
struct Sum {
  TraceSummary summary;
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  bool has_root = false;
  bool root_has_parent = true;
  std::int64_t root_start = 0;

  void add(const SpanView& span, std::string_view default_service) {
    const auto began = span.start.time_since_epoch().count();
    start = std::min(start, began);
    end = std::max(end, span.end.time_since_epoch().count());
    ++summary.span_count;
    summary.failed_count += span.failed ? 1 : 0;
    auto service = value_of(span.attributes, kServiceKey);
    if (service.empty()) service = default_service;
    auto place = std::ranges::lower_bound(summary.services, service);
    if (place == summary.services.end() || *place != service)
      summary.services.emplace(place, service);
    for (const auto& [key, value] : span.attributes) {
      if (!key.starts_with(kBusinessKey)) continue;
      if (std::ranges::find(summary.business_keys, value) != summary.business_keys.end()) continue;
      if (summary.business_keys.size() < kBusinessKeysShown)
        summary.business_keys.emplace_back(value);
    }
    const bool has_parent = span.parent_id != std::array<char, 8>{};
    const bool is_better = !has_root || (root_has_parent && !has_parent) ||
                           (root_has_parent == has_parent && began < root_start);
    if (!is_better) return;
    has_root = true;
    root_has_parent = has_parent;
    root_start = began;
    summary.name = span.name;
    summary.service = service;
    summary.route = value_of(span.attributes, kRouteKey);
  }
};

}  // namespace

std::string hex_of(const TraceId& id) {
  return to_hex({id.data(), id.size()});
}

Result<> check_prefix(std::string_view prefix) {
  if (prefix.size() >= kPrefixDigitsMin && is_hex(prefix)) return {};
  return fail(ErrorCode::InvalidArgument,
              "'{}' is no trace id: {} to {} lower-case hexadecimal digits are wanted", prefix,
              kPrefixDigitsMin, kIdDigits);
}

void add_ids_with_prefix(Slices slices, std::string_view prefix, std::vector<TraceId>& found) {
  for_each_entry(slices, [&](const SpanChunk&, std::uint32_t, const SpanChunk::Entry& entry) {
    if (found.size() >= 2 || !has_prefix(entry.trace_id, prefix)) return;
    if (found.empty() || found.front() != entry.trace_id) found.push_back(entry.trace_id);
  });
}

void add_spans_of(Slices slices, const TraceId& id, std::vector<Span>& spans) {
  std::vector<AttributeView> attributes;
  for_each_entry(slices, [&](const SpanChunk& chunk, std::uint32_t i, const auto& entry) {
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
}

struct TraceSearch::State {
  State(const TraceQuery& asked, std::string_view of)
      : query(asked), service(of), conditions(asked, of), is_possible(is_hex(asked.id_prefix)) {}

  const TraceQuery& query;
  const std::string service;
  const Conditions conditions;
  const bool is_possible;
  std::unordered_map<TraceId, Group, TraceIdHash> groups;
  std::vector<TraceId> chosen;
  std::vector<std::int64_t> starts;  // of the chosen, by which they are in order
  std::unordered_map<TraceId, Sum, TraceIdHash> sums;
};

TraceSearch::TraceSearch(const TraceQuery& query, std::string_view service)
    : state_(std::make_unique<State>(query, service)) {}

TraceSearch::~TraceSearch() = default;

void TraceSearch::add(Slices slices) {
  if (!state_->is_possible) return;
  const auto& conditions = state_->conditions;
  std::vector<AttributeView> attributes;
  for_each_entry(slices, [&](const SpanChunk& chunk, std::uint32_t i, const auto& entry) {
    if (!has_prefix(entry.trace_id, state_->query.id_prefix)) return;
    auto& group = state_->groups[entry.trace_id];
    add_span(group, chunk, i);
    if (conditions.is_empty() || conditions.are_met(group)) return;
    group.met |= conditions.met_by(chunk.view(i, attributes));
  });
}

bool TraceSearch::is_settled(std::int64_t end_max) const {
  const auto& query = state_->query;
  if (query.since && end_max < query.since->time_since_epoch().count()) return true;
  std::size_t known = 0;
  for (const auto& [id, group] : state_->groups) {
    if (group.start > end_max && matches(group, query, state_->conditions) &&
        ++known >= query.limit)
      return true;
  }
  return false;
}

const std::vector<TraceId>& TraceSearch::choose() {
  std::vector<std::pair<const TraceId*, const Group*>> matching;
  for (const auto& [id, group] : state_->groups) {
    if (matches(group, state_->query, state_->conditions)) matching.emplace_back(&id, &group);
  }
  const auto wanted = std::min(state_->query.limit, matching.size());
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
    state_->chosen.push_back(*id);
    state_->starts.push_back(group->start);
    state_->sums[*id];
  }
  return state_->chosen;
}

void TraceSearch::sum_up(Slices slices) {
  std::vector<AttributeView> attributes;
  for_each_entry(slices, [&](const SpanChunk& chunk, std::uint32_t i, const auto& entry) {
    auto at = state_->sums.find(entry.trace_id);
    if (at != state_->sums.end()) at->second.add(chunk.view(i, attributes), state_->service);
  });
}

std::vector<std::pair<TraceId, TraceSummary>> TraceSearch::summaries() {
  std::vector<std::pair<TraceId, TraceSummary>> found;
  for (std::size_t i = 0; i < state_->chosen.size(); ++i) {
    const auto& id = state_->chosen[i];
    auto& sum = state_->sums[id];
    auto& summary = sum.summary;
    summary.trace_id = hex_of(id);
    summary.start = WallTime(Duration(sum.start));
    summary.duration = Duration(sum.end - sum.start);
    summary.position = WallTime(Duration(state_->starts[i]));
    found.emplace_back(id, std::move(summary));
  }
  return found;
}

}  // namespace weft::telemetry
