#include <fmt/format.h>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/doctor_command.h"
#include "app/cli/output.h"
#include "app/node/background.h"
#include "app/node/run_node.h"
#include "app/settings/settings.h"

namespace weft::app {
namespace {

FlagSpec config_flag() {
  return {"config", "FILE", "settings file", kSettingsFile, false};
}

FlagSpec set_flag() {
  return {"set", "PATH=VALUE", "any setting; docs/settings.md lists them", "", true};
}

std::vector<FlagSpec> node_flags() {
  return {config_flag(),
          {"data", "FOLDER", "data folder (data.folder)", "", false},
          {"estate", "FOLDER", "estate applied at start (estate.folder)", "", false},
          {"roles", "ROLES", "what of it runs: gateway,broker,worker,control (roles)", "", false},
          {"listen", "ADDRESS", "address of all listeners (listen.address)", "", false},
          {"port-offset", "N", "added to every port (ports.offset)", "", false},
          {"ports", "auto", "let the system pick free ports", "", false},
          set_flag(),
          {"background", "", "return once it is ready", "", false}};
}

// The flags that are short forms of settings, as "path=value".
Result<std::vector<std::string>> overrides_of(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.all("set");
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"data", "data.folder"},
      {"estate", "estate.folder"},
      {"roles", "roles"},
      {"listen", "listen.address"},
      {"port-offset", "ports.offset"}};
  for (auto [flag, path] : kShort) {
    if (arguments.has(flag)) overrides.push_back(fmt::format("{}={}", path, arguments.get(flag)));
  }
  if (arguments.has("ports")) {
    if (arguments.get("ports") != "auto") {
      return fail(ErrorCode::InvalidArgument,
                  "--ports takes only 'auto'; --set ports.admin=N sets one");
    }
    overrides.emplace_back("ports.auto=true");
  }
  return overrides;
}

int start(const Arguments& arguments, Demo demo) {
  auto overrides = overrides_of(arguments);
  if (!overrides) return report(overrides.error());
  NodeStart how;
  how.settings = {arguments.get("config"), arguments.has("config")};
  how.overrides = std::move(*overrides);
  how.demo = demo;
  if (arguments.has("background")) return start_in_background(how);
  return run_node(how, nullptr);
}

int serve(const Arguments& arguments) {
  return start(arguments, Demo::Off);
}

int up(const Arguments& arguments) {
  return start(arguments, arguments.has("demo") ? Demo::On : Demo::Off);
}

int down(const Arguments& arguments) {
  return stop_background(arguments.get("data"));
}

int doctor(const Arguments& arguments) {
  return run_doctor(arguments);
}

int list_nodes(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/nodes");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"NAME", "/name"},
               {"STATE", "/state"},
               {"URL", "/url"},
               {"ROLES", "/roles"},
               {"VERSION", "/version"},
               {"SEEN", "/seenAt"}},
              items_of(answer->json.root()));
}

int settings(const Arguments&) {
  fmt::print("{}", settings_reference());
  return 0;
}

}  // namespace

std::vector<Command> node_commands() {
  auto up_flags = node_flags();
  up_flags.push_back({"demo", "", "with the demo estate and its services", "", false});
  auto doctor_flags = client_flags();
  doctor_flags.push_back(config_flag());
  doctor_flags.push_back(set_flag());
  return {
      {"up", "Starts Weft here: data in ./weft-data, hub on http://127.0.0.1:8080", "", up_flags,
       up},
      {"serve", "Starts Weft as a service does", "", node_flags(), serve},
      {"down",
       "Ends a Weft that was started with --background",
       "",
       {{"data", "FOLDER", "its data folder", "weft-data", false}},
       down},
      {"node list", "Lists the nodes that share the node's state database", "", client_flags(),
       list_nodes},
      {"settings", "Prints the reference of all settings", "", {}, settings},
      {"doctor", "Checks this machine and a running node, and says what to do", "", doctor_flags,
       doctor},
  };
}

}  // namespace weft::app
