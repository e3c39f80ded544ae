#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "base/json_writer.h"
#include "http/message.h"
#include "identity/scram.h"

namespace weft::app {
namespace {

int print_clients(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/clients?limit=500");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"CLIENT", "/name"},
               {"OWNER", "/owner"},
               {"GRANTS", "/grants"},
               {"KEYS", "/keys"},
               {"PASSWORDS", "/passwords"}},
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

std::string password_path(const Arguments& arguments) {
  return fmt::format("/clients/{}/passwords/{}", http::percent_encode(arguments.positional()[0]),
                     arguments.get("mechanism"));
}

// The first line of the file that --password-file names, or of standard input: a password on the
// command line would be seen by everybody on the machine.
Result<std::string> read_password(const Arguments& arguments) {
  const auto path = arguments.get("password-file");
  std::string line;
  if (path.empty()) {
    if (::isatty(STDIN_FILENO) == 1) fmt::print(stderr, "password (it is shown as you type): ");
    if (std::getline(std::cin, line) && !line.empty()) return line;
    return fail(ErrorCode::InvalidArgument,
                "give the password as the first line of standard input, or of --password-file");
  }
  std::ifstream file(path);
  if (std::getline(file, line) && !line.empty()) return line;
  return fail(ErrorCode::InvalidArgument, "--password-file: {} cannot be read, or is empty", path);
}

int set_password(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(
        Error{ErrorCode::InvalidArgument, "name one client; `weft client list` shows them"});
  }
  const auto iterations =
      arguments.number("iterations", identity::kScramIterationsMin, identity::kScramIterationsMax);
  if (!iterations) return report(iterations.error());
  const auto password = read_password(arguments);
  if (!password) return report(password.error());
  if (const auto checked = identity::check_scram_password(*password); !checked) {
    return report(checked.error());
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  JsonWriter body;
  body.object().member("password", *password).member("iterations", *iterations).end();
  auto answer = client->expect("PUT", password_path(arguments), std::move(body).text());
  if (!answer) return report(answer.error());
  fmt::print("{} has a password for {}\n", arguments.positional()[0], arguments.get("mechanism"));
  return 0;
}

int remove_password(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(Error{ErrorCode::InvalidArgument, "name one client"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("DELETE", password_path(arguments));
  if (!answer) return report(answer.error());
  fmt::print("{} has no password for {} any more\n", arguments.positional()[0],
             arguments.get("mechanism"));
  return 0;
}

}  // namespace

std::vector<Command> client_commands() {
  auto create_flags = client_flags();
  create_flags.push_back({"expires", "RFC3339", "when the key ends", "", false});
  create_flags.push_back({"note", "TEXT", "what it is for", "", false});
  auto remove_flags = client_flags();
  remove_flags.push_back(
      {"mechanism", "SCRAM-SHA-256|SCRAM-SHA-512", "for which it is", "SCRAM-SHA-256", false});
  auto password_flags = remove_flags;
  password_flags.push_back({"password-file", "FILE",
                            "the password is its first line, else that of standard input", "",
                            false});
  password_flags.push_back({"iterations", "COUNT", "what a guess costs, from 4096", "8192", false});
  return {
      {"client list", "Lists API clients with their grants and keys", "", client_flags(),
       print_clients},
      {"client key create", "Makes an API key for a client and shows it once", "<client>",
       create_flags, request_key},
      {"client key revoke", "Ends an API key", "<client> <key id>", client_flags(), revoke_key},
      {"client password set", "Gives a client a password for SASL/SCRAM", "<client>",
       password_flags, set_password},
      {"client password remove", "Takes away a client's password", "<client>", remove_flags,
       remove_password},
  };
}

}  // namespace weft::app
