// The command line's way to a running node: its admin API over HTTP, one call after another.
// Blocks the calling thread; used by the program's main thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/cli/arguments.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace weft::app {

struct AdminAnswer {
  int status = 0;
  std::string body;
  JsonDocument json;  // null when the body is not JSON

  bool ok() const { return status >= 200 && status < 300; }
};

class AdminClient {
 public:
  // The server and the token come from --server and --token (or WEFT_SERVER, WEFT_TOKEN,
  // WEFT_TOKEN_FILE); without them from the files that a node on this machine leaves in its data
  // folder (--data).
  static Result<AdminClient> connect(const Arguments& arguments);
  AdminClient(AdminClient&&) noexcept;
  ~AdminClient();

  // `path` starts behind /api/v1. The error covers only what is no answer; a refusal is an answer.
  Result<AdminAnswer> call(std::string method, std::string path, std::string body = {},
                           std::string content_type = "application/json");

  // The same, where anything but 2xx is an error with the server's message and trace id.
  Result<AdminAnswer> expect(std::string method, std::string path, std::string body = {},
                             std::string content_type = "application/json");

  // For answers that take longer than the 30 s that a call has otherwise.
  void set_timeout(Duration timeout);

  const std::string& server() const;

 private:
  struct State;
  explicit AdminClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The flags of every command that talks to a node.
std::vector<FlagSpec> client_flags();

// --node of the commands that ask all nodes of a state database.
FlagSpec node_flag();
// Which nodes did not answer, a line each; empty when all did.
std::string silent_nodes(const Json& root);
// Tells them on standard error.
void tell_silent_nodes(const Json& root);
// Whether an answer is of several nodes, or of one of several.
bool is_of_nodes(const Json& root);

// "?a=b&c=d" of the pairs that have a value; empty when none has.
std::string query_string(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace weft::app
