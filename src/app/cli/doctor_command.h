// `weft doctor`: what about this machine, the settings and the running node an operator should
// know, each finding with what to do about it. Changes nothing but a probe file in the data folder.
#pragma once

#include "app/cli/arguments.h"

namespace weft::app {

// Exit status 0 when nothing is bad.
int run_doctor(const Arguments& arguments);

}  // namespace weft::app
