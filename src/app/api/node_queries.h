// Asks the nodes of one state database the same question: this one directly, the others over HTTP
// at once, each within a deadline. A question that came from a node is answered by the asked one
// alone, so questions do not go round.
//
// On the caller's loop; one object serves all loops.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/api/call.h"
#include "app/api/node_merge.h"
#include "app/watch/node_registry.h"
#include "http/client.h"
#include "identity/identity.h"

namespace weft::app {

// All outlive the queries.
struct NodeQueriesParts {
  NodeRegistry& registry;
  http::Client& client;
  const identity::Identity& identity;
  Clock& clock;
  Duration timeout;
};

struct NodeChoice {
  bool has_self = true;
  std::vector<NodeEntry> others;
  // Nobody else is known, or a node asks: the answer is this node's as it is.
  bool is_plain = true;
};

// What is for a node says also which node it is of, and where each item stands in its list.
enum class Audience : std::uint8_t { Caller, Node };
Audience audience_of(const ApiCall& call);

// This node first, then by name.
struct NodeAnswers {
  std::vector<NodePage> pages;
  std::vector<NodeFailure> failures;
};

class NodeQueries {
 public:
  // This node's answer, as it gives it to a node.
  using Local = std::function<Task<Result<std::string>>()>;
  // The query for a node of that name: pairs as in ApiCall::query.
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  using QueryFor = std::function<Pairs(std::string_view node)>;

  explicit NodeQueries(NodeQueriesParts parts) : parts_(parts) {}

  const NodeRegistry& registry() const { return parts_.registry; }
  std::string_view self() const { return parts_.registry.self().name; }

  // By ?nodes=: all (when not given), or the name of one.
  Result<NodeChoice> choose(const ApiCall& call) const;

  // `path` stands behind /api/v1.
  Task<NodeAnswers> ask(const ApiCall& call, NodeChoice choice, std::string path, Local local,
                        QueryFor query_for) const;

 private:
  Task<Result<JsonDocument>> ask_other(NodeEntry node, std::string target,
                                       std::string traceparent) const;
  Task<void> ask_into(Result<JsonDocument>& answer, NodeEntry node, std::string target,
                      std::string traceparent) const;

  const NodeQueriesParts parts_;
};

// One answer made of theirs; `merge` writes the members that hold the items. Fails when nobody
// answered.
template <class Merge>
Result<http::Response> merged(const NodeAnswers& answers, Merge merge) {
  if (answers.pages.empty()) return std::unexpected(answers.failures.front().why);
  JsonWriter out;
  out.object();
  merge(out);
  write_node_states(out, answers.pages, answers.failures);
  out.end();
  return json_answer(std::move(out));
}

// The caller's parameters for another node: without those that are about nodes and positions.
NodeQueries::Pairs passed_on(const ApiCall& call);

}  // namespace weft::app
