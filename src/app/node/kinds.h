// Every kind of resource that this program knows: the one list where features' kinds meet.
#pragma once

#include "base/result.h"
#include "estate/kind.h"

namespace weft::app {

// The kinds with their schemas compiled by the contracts engine.
Result<estate::KindSet> all_kinds();

}  // namespace weft::app
