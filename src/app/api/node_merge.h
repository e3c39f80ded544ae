// One list of what several nodes answered: entries in the order of time, each with the node that it
// is of, and the nodes that did not answer, by name. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/result.h"

namespace weft::app {

// What one node answered to a query of another: the list with `positions`, one per item.
struct NodePage {
  std::string node;
  JsonDocument json;
};

struct NodeFailure {
  std::string node;
  Error why;
};

// Where to go on at each node. As text it is opaque to those who hand it back.
using NodeCursors = std::map<std::string, std::string, std::less<>>;
std::string node_cursors_text(const NodeCursors& cursors);
// Absent when the text is no such cursor.
std::optional<NodeCursors> read_node_cursors(std::string_view text);

// Each writes members of an object that is open in `out`.
//
// Newest first. A trace with spans on several nodes is one item.
void merge_traces(JsonWriter& out, const std::vector<NodePage>& pages, std::size_t limit);
// The spans of one trace as one list. A page without traceId is of a node that has none of it.
void merge_trace(JsonWriter& out, const std::vector<NodePage>& pages);
// Newest first, `limit` lines at most. `asked` is where this page began at the nodes.
void merge_logs(JsonWriter& out, const std::vector<NodePage>& pages, std::size_t limit,
                const NodeCursors& asked);
// Oldest first, all lines of the nodes that were asked for lines behind a position. Nodes that did
// not answer go on where they were asked; those that were asked for none, where their log ends.
void merge_new_logs(JsonWriter& out, const std::vector<NodePage>& pages, const NodeCursors& asked);
// Deliveries, newest first, `limit` at most. `asked` is where this page began at the nodes.
void merge_deliveries(JsonWriter& out, const std::vector<NodePage>& pages, std::size_t limit,
                      const NodeCursors& asked);
// Subscriptions by name, from behind the name `after`; each as the node tells of it that carries it
// out. The name of the last one when there are more than `limit`.
std::optional<std::string> merge_subscriptions(JsonWriter& out, const std::vector<NodePage>& pages,
                                               std::string_view after, std::size_t limit);
// One of them; absent where no node carries it out.
std::optional<std::string> find_subscription(const std::vector<NodePage>& pages,
                                             std::string_view name);
// "nodes": who answered, and who did not and why.
void write_node_states(JsonWriter& out, const std::vector<NodePage>& pages,
                       const std::vector<NodeFailure>& failures);

}  // namespace weft::app
