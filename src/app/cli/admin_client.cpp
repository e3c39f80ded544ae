#include "app/cli/admin_client.h"

#include <fstream>
#include <sstream>

#include "app/cli/output.h"
#include "base/json_members.h"
#include "http/client.h"
#include "runtime/dialer.h"
#include "runtime/run_until_done.h"
#include "runtime/socket_network.h"

namespace weft::app {
namespace {

constexpr std::string_view kDefaultServer = "http://127.0.0.1:8080";

Result<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::NotFound, "cannot read {}", path);
  std::stringstream content;
  content << file.rdbuf();
  auto text = std::move(content).str();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// What a running node wrote about itself: node.json {"admin": "http://…"}; empty when none runs.
Result<std::string> server_of_data_folder(const std::string& folder) {
  auto text = read_small_file(folder + "/node.json");
  if (!text) return std::string();
  auto document = JsonDocument::parse(std::move(*text));
  if (!document) return std::string();
  if (auto admin = member_text(document->root(), "admin")) return std::string(*admin);
  return fail(
      ErrorCode::FailedPrecondition,
      "the node of {} runs without role control, so it has no admin API: name a node that has with --server",
      folder);
}

Result<std::string> find_token(const Arguments& arguments) {
  if (arguments.has("token")) return arguments.get("token");
  if (arguments.has("token-file")) return read_small_file(arguments.get("token-file"));
  auto path = arguments.get("data") + "/admin-token";
  auto token = read_small_file(path);
  if (token) return token;
  return fail(ErrorCode::Unauthenticated,
              "no admin token: {} is not readable; give --token, --token-file or the data folder "
              "of the node with --data",
              path);
}

// "MESSAGE (CODE, trace …)" of a problem body, each detail on a line of its own.
std::string problem_text(const AdminAnswer& answer) {
  const auto& problem = answer.json.root();
  auto message = text_of(problem, "message");
  if (message.empty()) return fmt::format("the server answered {}", answer.status);
  auto text = fmt::format("{} ({}, trace {})", message, text_of(problem, "code"),
                          text_of(problem, "traceId"));
  if (const auto* details = problem.find("details"); details != nullptr && details->is_array()) {
    for (const auto& detail : details->elements()) {
      const auto what = member_text(detail, "message");
      const auto pointer = member_text(detail, "pointer");
      if (!what) continue;
      text += fmt::format("\n  {}{}{}", pointer.value_or(""), pointer ? ": " : "", *what);
    }
  }
  return text;
}

}  // namespace

struct AdminClient::State {
  IoContext io{1};
  SystemClock clock;
  Metrics metrics;
  SocketNetwork network;
  Dialer dialer;
  http::Client client;
  std::string server;
  std::string token;
  Duration timeout = http::ClientRequest().timeout;

  State(std::string to, std::string with_token, EgressPolicy policy)
      : dialer(network, clock, std::move(policy)),
        client(dialer, clock, metrics, http::ClientLimits()),
        server(std::move(to)),
        token(std::move(with_token)) {}
};

AdminClient::AdminClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
AdminClient::AdminClient(AdminClient&&) noexcept = default;
AdminClient::~AdminClient() = default;

void AdminClient::set_timeout(Duration timeout) {
  state_->timeout = timeout;
}

const std::string& AdminClient::server() const {
  return state_->server;
}

Result<AdminClient> AdminClient::connect(const Arguments& arguments) {
  auto server = arguments.get("server");
  if (server.empty()) {
    TRY(server, server_of_data_folder(arguments.get("data")));
  }
  if (server.empty()) server = kDefaultServer;
  CHECK(http::Url::parse(server));
  TRY(auto token, find_token(arguments));
  EgressPolicy anywhere;
  anywhere.allow_all = true;
  return AdminClient(std::make_unique<State>(std::move(server), std::move(token), anywhere));
}

Result<AdminAnswer> AdminClient::call(std::string method, std::string path, std::string body,
                                      std::string content_type) {
  http::ClientRequest request;
  request.method = std::move(method);
  TRY(request.url, http::Url::parse(state_->server + "/api/v1" + path));
  request.fields.emplace_back("Authorization", "Bearer " + state_->token);
  request.fields.emplace_back("Accept", "application/json");
  if (!body.empty()) request.fields.emplace_back("Content-Type", std::move(content_type));
  request.body = std::move(body);
  request.timeout = state_->timeout;
  request.response_bytes_max = 64 * 1024 * 1024;
  auto response = run_until_done(state_->io, state_->client.send(std::move(request)));
  if (!response) {
    return std::unexpected(std::move(response).error().within(
        "no answer from " + state_->server + " (is Weft running? `weft up` starts it)"));
  }
  AdminAnswer answer;
  answer.status = response->status;
  answer.body = std::move(response->body);
  if (auto json = JsonDocument::parse(answer.body)) answer.json = std::move(*json);
  return answer;
}

Result<AdminAnswer> AdminClient::expect(std::string method, std::string path, std::string body,
                                        std::string content_type) {
  TRY(auto answer,
      call(std::move(method), std::move(path), std::move(body), std::move(content_type)));
  if (!answer.ok()) return fail(ErrorCode::FailedPrecondition, "{}", problem_text(answer));
  return answer;
}

std::vector<FlagSpec> client_flags() {
  return {{"server", "URL", "the node's admin API", "", false},
          {"token", "TOKEN", "admin token or API key", "", false},
          {"token-file", "FILE", "file that holds it", "", false},
          {"data", "FOLDER", "data folder of a node on this machine", "weft-data", false},
          {"output", "table|json|yaml", "form of the answer, also -o", "table", false}};
}

FlagSpec node_flag() {
  return {"node", "NAME", "only of this node; `weft node list` shows them", "", false};
}

bool is_of_nodes(const Json& root) {
  return root.find("nodes") != nullptr;
}

std::string silent_nodes(const Json& root) {
  std::string text;
  const auto* nodes = root.find("nodes");
  if (nodes == nullptr || !nodes->is_array()) return text;
  for (const auto& node : nodes->elements()) {
    const auto* answered = node.find("answered");
    if (answered != nullptr && answered->as_bool()) continue;
    text += fmt::format("weft: node {} did not answer, its part is missing: {}\n",
                        text_of(node, "name"), text_of(node, "why"));
  }
  return text;
}

void tell_silent_nodes(const Json& root) {
  fmt::print(stderr, "{}", silent_nodes(root));
}

std::string query_string(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    out += out.empty() ? '?' : '&';
    out += name + "=" + http::percent_encode(value);
  }
  return out;
}

}  // namespace weft::app
