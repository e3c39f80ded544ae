// Every command of the program, in the order in which help shows them. Each family stands in a file
// of its own; this list is where they meet.
#pragma once

#include <vector>

#include "app/cli/arguments.h"

namespace weft::app {

std::vector<Command> node_commands();         // up, serve, doctor, node list
std::vector<Command> estate_commands();       // validate, plan, apply, rollback, audit verify
std::vector<Command> stream_commands();       // stream list|describe|produce|consume
std::vector<Command> quarantine_commands();   // stream rejects, dlq list|redrive
std::vector<Command> replay_commands();       // stream replay
std::vector<Command> group_commands();        // group list|describe|reset|delete
std::vector<Command> delivery_commands();     // delivery list|show|redrive, subscription list
std::vector<Command> trace_commands();        // trace <id>, trace list
std::vector<Command> log_commands();          // logs
std::vector<Command> timeline_commands();     // timeline
std::vector<Command> client_commands();       // client list, client key create|revoke
std::vector<Command> backup_commands();       // backup, backup verify, restore
std::vector<Command> jq_commands();           // jq
std::vector<Command> bench_commands();        // bench stream
std::vector<Command> description_commands();  // help, version, completion, man

std::vector<Command> all_commands();

}  // namespace weft::app
