// The sentences of violations. They name what the schema asks for, never the instance's value.
#pragma once

#include <string>

#include "base/json.h"
#include "contracts/core/program.h"

namespace weft::contracts {

std::string describe_types(const Block& block, const Json& value);
std::string describe_count(const char* sentence, std::uint64_t count);
std::string describe_bound(Op op, const Bound& bound);
std::string describe_string(const Program& program, const Instruction& instruction);
std::string describe_values(const ValueSet& set, bool is_const);

}  // namespace weft::contracts
