// What `weft doctor` finds out about this machine: disk, clock, limits, ports, certificates.
#pragma once

#include <string>
#include <vector>

#include "app/doctor/judgement.h"
#include "app/settings/settings.h"

namespace weft::app {

// The node that a data folder's node.json tells of; pid 0 when none runs.
struct RunningNode {
  int pid = 0;
  std::string version;
  std::vector<std::string> addresses;  // as node.json has them
};

RunningNode running_node_of(const std::string& data_folder);

// Requires: one thread may block.
std::vector<DoctorFinding> examine_machine(const Settings& settings, const RunningNode& node);

}  // namespace weft::app
