// Runs a node in this process until SIGINT or SIGTERM: settings, start, serve, drain. Called once,
// on the main thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings/settings_file.h"

namespace weft::app {

enum class Demo : unsigned char { Off, On };

struct NodeStart {
  SettingsFile settings;
  std::vector<std::string> overrides;
  Demo demo = Demo::Off;
};

// Called once when the node is ready, with what to show a person.
using WhenReady = std::function<void(std::string_view banner)>;

// The exit status. Failures are told on standard error; without `when_ready` the banner goes to
// standard output.
int run_node(const NodeStart& start, const WhenReady& when_ready);

}  // namespace weft::app
