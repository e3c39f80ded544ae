// The demo: the estate of examples/orders with a shop front and a CRM as processes of their own,
// which know Weft only by its public interfaces. Main thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/node/child_processes.h"
#include "app/node/node.h"
#include "base/result.h"

namespace weft::app {

class DemoServices {
 public:
  DemoServices() = default;

  // Finds the example, makes the demo's secrets at first start (kept in <data>/demo/), and starts
  // the CRM, whose address the estate needs. `overrides` are those of the command line.
  static Result<DemoServices> prepare(const std::vector<std::string>& overrides);

  // Settings that the demo wants unless something else says otherwise, as "path=value".
  std::vector<std::string> settings() const;

  // Starts the shop front; returns what to tell the user.
  Result<std::string> start(const NodeAddresses& addresses, const std::string& data_folder);

 private:
  std::string example_folder_;
  std::string data_folder_;
  std::string shop_key_;
  std::string webhook_secret_;
  std::uint16_t crm_port_ = 0;
  std::unique_ptr<ChildProcesses> processes_;
};

}  // namespace weft::app
