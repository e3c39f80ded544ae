// Where the program's own files are: beside the binary in a source tree, below the prefix when
// installed.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::app {

// The hub's files: as set, else share/weft/hub of the installation or web/dist of the source tree;
// empty when none.
std::string hub_folder(const std::string& setting);
// The example estates; empty when none.
std::string examples_folder();
// The admin API's contract as JSON text.
std::string admin_contract();

}  // namespace weft::app
