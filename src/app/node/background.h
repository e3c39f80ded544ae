// `weft up --background` and `weft down`: a node in a process of its own.
#pragma once

#include <string>

#include "app/node/run_node.h"

namespace weft::app {

// Returns when the node is ready, having printed its banner, or failed, having printed why.
// Requires: this process has one thread.
int start_in_background(const NodeStart& start);

// Ends the node of a data folder (SIGTERM to the process that node.json names, if it holds the
// folder's lock) and waits for it. The node.json of a node that did not end in order is removed.
int stop_background(const std::string& data_folder);

}  // namespace weft::app
