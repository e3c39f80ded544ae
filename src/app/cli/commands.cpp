#include "app/cli/commands.h"

#include <iterator>

namespace weft::app {

std::vector<Command> all_commands() {
  std::vector<Command> all;
  for (auto* family :
       {node_commands, estate_commands, stream_commands, quarantine_commands, replay_commands,
        group_commands, delivery_commands, trace_commands, log_commands, timeline_commands,
        client_commands, backup_commands, jq_commands, bench_commands, description_commands}) {
    auto commands = family();
    std::move(commands.begin(), commands.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace weft::app
