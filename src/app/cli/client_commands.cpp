#include <fmt/format.h>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_writer.h"
#include "http/message.h"

namespace weft::app {
namespace {

int print_clients(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/clients?limit=500");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"CLIENT", "/name"}, {"OWNER", "/owner"}, {"GRANTS", "/grants"}, {"KEYS", "/keys"}},
              items_of(answer->json.root()));
}

int request_key(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(
        Error{ErrorCode::InvalidArgument, "name one client; `weft client list` shows them"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  JsonWriter body;
  body.object();
  if (arguments.has("expires")) body.member("expiresAt", arguments.get("expires"));
  if (arguments.has("note")) body.member("note", arguments.get("note"));
  body.end();
  auto answer = client->expect(
      "POST", "/clients/" + http::percent_encode(arguments.positional()[0]) + "/keys",
      std::move(body).text());
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(), {{"KEY (shown once)", "/key"}, {"ID", "/id"}},
              {answer->json.root()});
}

int revoke_key(const Arguments& arguments) {
  if (arguments.positional().size() != 2) {
    return report(Error{ErrorCode::InvalidArgument, "name the client and the id of its key"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto path = fmt::format("/clients/{}/keys/{}", http::percent_encode(arguments.positional()[0]),
                          http::percent_encode(arguments.positional()[1]));
  auto answer = client->expect("DELETE", path);
  if (!answer) return report(answer.error());
  fmt::print("revoked {}\n", arguments.positional()[1]);
  return 0;
}

}  // namespace

std::vector<Command> client_commands() {
  auto create_flags = client_flags();
  create_flags.push_back({"expires", "RFC3339", "when the key ends", "", false});
  create_flags.push_back({"note", "TEXT", "what it is for", "", false});
  return {
      {"client list", "Lists API clients with their grants and keys", "", client_flags(),
       print_clients},
      {"client key create", "Makes an API key for a client and shows it once", "<client>",
       create_flags, request_key},
      {"client key revoke", "Ends an API key", "<client> <key id>", client_flags(), revoke_key},
  };
}

}  // namespace weft::app
