#include "app/api/node_merge.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/json_members.h"
#include "base/time.h"

namespace weft::app {
namespace {

constexpr std::size_t kBusinessKeysMax = 8;

std::string_view text_in(const Json& object, std::string_view name) {
  return member_text(object, name).value_or(std::string_view());
}

bool member_flag(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::span<const Json> member_list(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->is_array() ? value->elements() : std::span<const Json>();
}

WallTime time_in(const Json& object, std::string_view name) {
  return member_time(object, name).value_or(WallTime());
}

// An entry as its node wrote it, with one more member.
std::string of_node(const Json& entry, std::string_view node) {
  std::string text(entry.raw());
  if (entry.find("node") != nullptr || !text.ends_with('}')) return text;
  text.pop_back();
  if (entry.size() > 0) text += ',';
  return text.append("\"node\":").append(json_quoted(node)).append("}");
}

// The parts of a trace, the earliest first.
struct TraceParts {
  struct Part {
    Json summary;
    std::string_view node;
    WallTime start;
  };
  std::vector<Part> parts;
  std::int64_t position = 0;  // of the part that stands first in its node's list

  WallTime start() const { return parts.front().start; }
  double duration_ms() const {
    double longest = 0;
    for (const auto& part : parts) {
      const auto* took = part.summary.find("durationMs");
      const auto later = std::chrono::duration<double, std::milli>(part.start - start()).count();
      if (took != nullptr) longest = std::max(longest, later + took->as_double());
    }
    return longest;
  }
  std::int64_t span_count() const {
    std::int64_t count = 0;
    for (const auto& part : parts) {
      const auto* spans = part.summary.find("spanCount");
      if (spans != nullptr) count += spans->as_int64().value_or(0);
    }
    return count;
  }
  bool any(std::string_view flag) const {
    return std::ranges::any_of(
        parts, [flag](const Part& part) { return member_flag(part.summary, flag); });
  }
  std::string_view first_text(std::string_view name) const {
    for (const auto& part : parts) {
      if (auto text = text_in(part.summary, name); !text.empty()) return text;
    }
    return {};
  }
  std::set<std::string_view> texts(std::string_view name) const {
    std::set<std::string_view> all;
    for (const auto& part : parts) {
      for (const auto& value : member_list(part.summary, name)) all.insert(value.as_string());
    }
    return all;
  }
};

void write_texts(JsonWriter& out, std::string_view name, const auto& texts) {
  out.key(name).array();
  for (const auto& text : texts) out.value(std::string_view(text));
  out.end();
}

void write_trace(JsonWriter& out, const TraceParts& trace) {
  const auto& first = trace.parts.front().summary;
  out.object()
      .member("traceId", text_in(first, "traceId"))
      .member("name", text_in(first, "name"))
      .member("start", text_in(first, "start"))
      .member("durationMs", trace.duration_ms())
      .member("spanCount", trace.span_count())
      .member("failed", trace.any("failed"))
      .member("partial", trace.any("partial"));
  if (auto route = trace.first_text("route"); !route.empty()) out.member("route", route);
  auto keys = trace.texts("businessKeys");
  while (keys.size() > kBusinessKeysMax) keys.erase(std::prev(keys.end()));
  if (!keys.empty()) write_texts(out, "businessKeys", keys);
  write_texts(out, "services", trace.texts("services"));
  std::set<std::string_view> nodes;
  for (const auto& part : trace.parts) nodes.insert(part.node);
  write_texts(out, "nodes", nodes);
  out.end();
}

std::vector<TraceParts> traces_of(const std::vector<NodePage>& pages) {
  std::map<std::string_view, TraceParts> by_id;
  for (const auto& page : pages) {
    const auto positions = member_list(page.json.root(), "positions");
    std::size_t i = 0;
    for (const auto& item : member_list(page.json.root(), "items")) {
      const auto position = i < positions.size() ? positions[i].as_int64().value_or(0) : 0;
      ++i;
      auto& trace = by_id[text_in(item, "traceId")];
      trace.position = std::max(trace.position, position);
      trace.parts.push_back({item, page.node, time_in(item, "start")});
    }
  }
  std::vector<TraceParts> traces;
  for (auto& [id, trace] : by_id) {
    std::ranges::stable_sort(trace.parts, {}, &TraceParts::Part::start);
    traces.push_back(std::move(trace));
  }
  std::ranges::stable_sort(traces, std::ranges::greater(), &TraceParts::position);
  return traces;
}

bool has_next(const NodePage& page) {
  return page.json.root().find("nextCursor") != nullptr;
}

// A node's items that are not taken yet; `time_name` is the member that orders them.
struct ItemQueue {
  const NodePage* page;
  std::span<const Json> items;
  std::string_view time_name;
  std::size_t taken = 0;

  bool is_empty() const { return taken == items.size(); }
  bool has_more() const { return !is_empty() || has_next(*page); }
  WallTime time() const { return time_in(items[taken], time_name); }
  // Of the last one taken; absent when none was.
  std::optional<std::string> position() const {
    const auto positions = member_list(page->json.root(), "positions");
    if (taken == 0 || taken > positions.size()) return std::nullopt;
    return std::string(positions[taken - 1].as_string());
  }
};

std::vector<ItemQueue> queues_of(const std::vector<NodePage>& pages, std::string_view time_name) {
  std::vector<ItemQueue> queues;
  for (const auto& page : pages)
    queues.push_back({&page, member_list(page.json.root(), "items"), time_name});
  return queues;
}

// The items of a node keep their order, whatever its clock did.
void write_items(JsonWriter& out, std::vector<ItemQueue>& queues, std::size_t limit,
                 auto is_before) {
  out.key("items").array();
  for (std::size_t i = 0; i < limit; ++i) {
    ItemQueue* next = nullptr;
    for (auto& queue : queues) {
      if (queue.is_empty()) continue;
      if (next == nullptr || is_before(queue.time(), next->time())) next = &queue;
    }
    if (next == nullptr) break;
    out.raw(of_node(next->items[next->taken++], next->page->node));
  }
  out.end();
}

}  // namespace

std::string node_cursors_text(const NodeCursors& cursors) {
  std::string text;
  for (const auto& [node, cursor] : cursors) text += fmt::format("{}={}\n", node, cursor);
  return to_base64url(text);
}

std::optional<NodeCursors> read_node_cursors(std::string_view text) {
  const auto decoded = from_base64url(text).value_or(std::string());
  NodeCursors cursors;
  std::string_view rest = decoded;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    const auto equals = line.rfind('=');
    if (line.size() == rest.size() || equals == std::string_view::npos) return std::nullopt;
    cursors.emplace(line.substr(0, equals), line.substr(equals + 1));
    rest.remove_prefix(line.size() + 1);
  }
  if (cursors.empty()) return std::nullopt;
  return cursors;
}

void merge_traces(JsonWriter& out, const std::vector<NodePage>& pages, std::size_t limit) {
  const auto traces = traces_of(pages);
  const auto shown = std::min(limit, traces.size());
  out.key("items").array();
  for (std::size_t i = 0; i < shown; ++i) write_trace(out, traces[i]);
  out.end();
  std::set<std::string_view> services;
  for (const auto& page : pages) {
    for (const auto& service : member_list(page.json.root(), "services"))
      services.insert(service.as_string());
  }
  write_texts(out, "services", services);
  const bool has_more = traces.size() > shown || std::ranges::any_of(pages, has_next);
  if (has_more && shown > 0)
    out.member("nextCursor", to_base64url(std::to_string(traces[shown - 1].position)));
}

void merge_trace(JsonWriter& out, const std::vector<NodePage>& pages) {
  struct SpanOfNode {
    Json span;
    std::string_view node;
    WallTime start;
  };
  std::vector<SpanOfNode> spans;
  auto end = WallTime::min();
  bool is_partial = false;
  std::string_view trace_id;
  for (const auto& page : pages) {
    if (trace_id.empty()) trace_id = text_in(page.json.root(), "traceId");
    is_partial = is_partial || member_flag(page.json.root(), "partial");
    for (const auto& span : member_list(page.json.root(), "spans")) {
      spans.push_back({span, page.node, time_in(span, "start")});
      end = std::max(end, time_in(span, "end"));
    }
  }
  std::ranges::stable_sort(spans, {}, &SpanOfNode::start);
  out.member("traceId", trace_id);
  if (!spans.empty()) {
    const std::chrono::duration<double, std::milli> took = end - spans.front().start;
    out.member("start", text_in(spans.front().span, "start")).member("durationMs", took.count());
  }
  out.member("partial", is_partial).key("spans").array();
  for (const auto& span : spans) out.raw(of_node(span.span, span.node));
  out.end();
}

void merge_logs(JsonWriter& out, const std::vector<NodePage>& pages, std::size_t limit,
                const NodeCursors& asked) {
  auto queues = queues_of(pages, "time");
  write_items(out, queues, limit, std::greater<>());
  NodeCursors ends;
  auto next = asked;
  for (const auto& queue : queues) {
    const auto end = text_in(queue.page->json.root(), "end");
    ends[queue.page->node] = end;
    if (auto position = queue.position())
      next[queue.page->node] = *std::move(position);
    else
      next.emplace(queue.page->node, end);
  }
  out.member("end", node_cursors_text(ends));
  if (std::ranges::any_of(queues, &ItemQueue::has_more))
    out.member("nextCursor", node_cursors_text(next));
}

void merge_new_logs(JsonWriter& out, const std::vector<NodePage>& pages, const NodeCursors& asked) {
  auto queues = queues_of(pages, "time");
  // Those that tell where their log ends, and no more: they were asked for no position.
  std::erase_if(queues,
                [&asked](const ItemQueue& queue) { return !asked.contains(queue.page->node); });
  write_items(out, queues, std::numeric_limits<std::size_t>::max(), std::less<>());
  auto ends = asked;
  for (const auto& page : pages) ends[page.node] = text_in(page.json.root(), "end");
  out.member("end", node_cursors_text(ends));
}

void merge_deliveries(JsonWriter& out, const std::vector<NodePage>& pages, std::size_t limit,
                      const NodeCursors& asked) {
  auto queues = queues_of(pages, "createdAt");
  write_items(out, queues, limit, std::greater<>());
  auto next = asked;
  for (const auto& queue : queues) {
    if (auto position = queue.position()) next[queue.page->node] = *std::move(position);
  }
  if (std::ranges::any_of(queues, &ItemQueue::has_more))
    out.member("nextCursor", node_cursors_text(next));
}

std::optional<std::string> merge_subscriptions(JsonWriter& out, const std::vector<NodePage>& pages,
                                               std::string_view after, std::size_t limit) {
  std::map<std::string_view, std::pair<Json, std::string_view>> by_name;  // with the node
  for (const auto& page : pages) {
    for (const auto& item : member_list(page.json.root(), "items")) {
      const auto name = text_in(item, "name");
      if (name <= after) continue;
      const bool is_elsewhere = text_in(item, "status") == "elsewhere";
      const auto [known, is_new] = by_name.try_emplace(name, item, page.node);
      if (!is_new && !is_elsewhere) known->second = {item, page.node};
    }
  }
  out.key("items").array();
  std::optional<std::string> last;
  std::size_t shown = 0;
  for (const auto& [name, found] : by_name) {
    if (shown == limit) break;
    out.raw(of_node(found.first, found.second));
    last = name;
    ++shown;
  }
  out.end();
  if (shown == by_name.size()) last.reset();
  return last;
}

std::optional<std::string> find_subscription(const std::vector<NodePage>& pages,
                                             std::string_view name) {
  for (const auto& page : pages) {
    for (const auto& item : member_list(page.json.root(), "items")) {
      if (text_in(item, "name") == name && text_in(item, "status") != "elsewhere")
        return of_node(item, page.node);
    }
  }
  return std::nullopt;
}

void write_node_states(JsonWriter& out, const std::vector<NodePage>& pages,
                       const std::vector<NodeFailure>& failures) {
  out.key("nodes").array();
  for (const auto& page : pages)
    out.object().member("name", page.node).member("answered", true).end();
  for (const auto& failure : failures) {
    out.object()
        .member("name", failure.node)
        .member("answered", false)
        .member("why", failure.why.message)
        .end();
  }
  out.end();
}

}  // namespace weft::app
