#include "app/api/node_queries.h"

#include <algorithm>

#include "app/api/node_signature.h"
#include "runtime/on_loop.h"
#include "runtime/task_group.h"

namespace weft::app {
namespace {

constexpr std::uint64_t kAnswerBytesMax = 64 * 1024 * 1024;

std::string target_of(std::string_view path, const NodeQueries::Pairs& query) {
  std::string target = fmt::format("/api/v1{}", path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += fmt::format("{}{}={}", std::exchange(separator, '&'), http::percent_encode(name),
                          http::percent_encode(value));
  }
  return target;
}

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
      return ErrorCode::InvalidArgument;
    case 409:
      return ErrorCode::Conflict;
    case 422:
      return ErrorCode::FailedPrecondition;
    default:
      return ErrorCode::Unavailable;
  }
}

std::string_view text_at(const JsonDocument& document, std::string_view name) {
  const auto* value = document.root().find(name);
  return value != nullptr && value->is_string() ? value->as_string() : std::string_view();
}

}  // namespace

Audience audience_of(const ApiCall& call) {
  return call.from_node ? Audience::Node : Audience::Caller;
}

NodeQueries::Pairs passed_on(const ApiCall& call) {
  NodeQueries::Pairs pairs;
  for (const auto& pair : call.query) {
    if (pair.first != "nodes" && pair.first != "cursor" && pair.first != "after")
      pairs.push_back(pair);
  }
  return pairs;
}

Result<NodeChoice> NodeQueries::choose(const ApiCall& call) const {
  NodeChoice choice;
  if (call.from_node) return choice;
  const auto wanted = call.parameter("nodes").value_or("all");
  const bool wants_all = wanted.empty() || wanted == "all";
  const auto nodes = parts_.registry.nodes();
  choice.is_plain = nodes.size() == 1;
  choice.has_self = false;
  for (const auto& node : nodes) {
    if (!wants_all && node.name != wanted) continue;
    if (node.is_self)
      choice.has_self = true;
    else
      choice.others.push_back(node);
  }
  if (choice.has_self || !choice.others.empty()) return choice;
  return fail(ErrorCode::InvalidArgument,
              "?nodes=: no node '{}' is known; `weft node list` shows them", wanted);
}

Task<Result<JsonDocument>> NodeQueries::ask_other(NodeEntry node, std::string target,
                                                  std::string traceparent) const {
  if (node.is_gone) {
    co_return fail(ErrorCode::Unavailable, "gone: last seen {}", to_rfc3339(node.seen));
  }
  auto base = std::string_view(node.url);
  while (base.ends_with('/')) base.remove_suffix(1);
  http::ClientRequest request;
  CO_TRY(request.url, http::Url::parse(std::string(base) + target));
  auto authorization = node_authorization(parts_.identity, target, parts_.clock.now());
  request.fields.emplace_back("Authorization", std::move(authorization));
  request.fields.emplace_back("traceparent", std::move(traceparent));
  request.timeout = parts_.timeout;
  request.response_bytes_max = kAnswerBytesMax;
  CO_TRY(auto response, co_await parts_.client.send(std::move(request)));
  if (response.truncated) co_return fail(ErrorCode::ResourceExhausted, "its answer is too large");
  auto json = JsonDocument::parse(std::move(response.body));
  if (response.status != 200) {
    const auto said = json ? text_at(*json, "message") : std::string_view();
    if (said.empty())
      co_return fail(code_of(response.status), "{} answered status {}", node.url, response.status);
    co_return fail(code_of(response.status), "{}", said);
  }
  CO_TRY(auto document, std::move(json));
  // An address that means something else on another machine, such as 127.0.0.1.
  if (text_at(document, "node") != node.name) {
    co_return fail(ErrorCode::Unavailable, "node '{}' answers at {}: set nodes.url of '{}'",
                   text_at(document, "node"), node.url, node.name);
  }
  co_return document;
}

Task<void> NodeQueries::ask_into(Result<JsonDocument>& answer, NodeEntry node, std::string target,
                                 std::string traceparent) const {
  answer = co_await ask_other(std::move(node), std::move(target), std::move(traceparent));
}

Task<NodeAnswers> NodeQueries::ask(const ApiCall& call, NodeChoice choice, std::string path,
                                   Local local, QueryFor query_for) const {
  const auto loop = co_await current_loop();
  std::vector<Result<JsonDocument>> others;
  others.reserve(choice.others.size());
  NodeAnswers answers;
  auto take = [&answers](std::string node, Result<JsonDocument> answer) {
    if (answer)
      answers.pages.push_back({std::move(node), std::move(*answer)});
    else
      answers.failures.push_back({std::move(node), std::move(answer).error()});
  };
  TaskGroup asking(loop, "node queries", choice.others.size() + 1);
  for (const auto& node : choice.others) {
    others.emplace_back(fail(ErrorCode::Internal, "was not asked"));
    asking.spawn(ask_into(others.back(), node, target_of(path, query_for(node.name)),
                          call.trace.traceparent()));
  }
  if (choice.has_self) {
    auto text = co_await local();
    if (text)
      take(std::string(self()), JsonDocument::parse(std::move(*text)));
    else
      take(std::string(self()), Result<JsonDocument>(std::unexpected(std::move(text).error())));
  }
  co_await asking.join();
  for (std::size_t i = 0; i < others.size(); ++i) take(choice.others[i].name, std::move(others[i]));
  co_return answers;
}

}  // namespace weft::app
