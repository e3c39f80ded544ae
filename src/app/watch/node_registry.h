// The nodes that share one state database: each writes its own row again and again, and reads those
// of the others. What it read last stays, so the nodes know each other while the database is away.
// Without a shared database there is this node alone.
//
// run() and refresh() on one loop; the rest from any thread. "Gone" compares the clocks of two
// machines: they must agree within NodeRegistryTimes::gone_after.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "app/settings/settings.h"
#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "runtime/net.h"
#include "storage/database.h"

namespace weft::app {

struct NodeEntry {
  std::string name;
  std::string run;  // of this start of the process alone
  std::string url;  // where the others reach it, such as http://10.0.0.1:8080
  std::string roles;
  std::string version;
  WallTime started{};
  WallTime seen{};
  bool is_self = false;
  bool is_gone = false;  // not seen for a while: ended, or cut off from the database
};

struct NodeRegistryTimes {
  Duration refresh = 5s;
  Duration gone_after = 30s;
  Duration forget_after = 7 * 24h;
};

// Name and address by the settings nodes.*, where they are empty by the listener that the others
// reach. InvalidArgument names the setting that is wrong.
Result<NodeEntry> describe_node(const Settings& settings, const net::Endpoint& local);
Result<NodeRegistryTimes> node_registry_times(const Settings& settings);

class NodeRegistry {
 public:
  static Migration migration();

  // `database` is null when no other node uses it, else it outlives the registry.
  NodeRegistry(Database* database, Clock& clock, NodeEntry self, NodeRegistryTimes times);

  // Until it is cancelled.
  Task<void> run();
  // One turn, as run() has them.
  Task<Result<>> refresh();

  const NodeEntry& self() const { return self_; }
  // By name, this one included. Of a name that came again only those that live.
  std::vector<NodeEntry> nodes() const;

 private:
  void take(const Rows& rows, WallTime now);
  void note(const Result<>& refreshed);

  Database* const database_;
  Clock& clock_;
  const NodeEntry self_;
  const NodeRegistryTimes times_;
  bool was_failing_ = false;
  bool has_namesake_ = false;
  mutable std::mutex mutex_;
  std::vector<NodeEntry> others_;
};

}  // namespace weft::app
