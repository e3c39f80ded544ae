// What a compiled schema asks of an instance, as a text without names, places and annotations: two
// schemas with the same text accept the same instances. The reverse does not hold: schemas that say
// the same in other words have other texts. Pure.
#pragma once

#include <string>

#include "contracts/core/program.h"

namespace weft::contracts {

// Empty for a program with dynamic references, whose meaning depends on the way to a schema.
std::string rules_text(const Program& program, BlockId entry);

}  // namespace weft::contracts
