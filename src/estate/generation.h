// One applied change of the estate, as lists show it. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace weft::estate {

struct Generation {
  std::uint64_t number = 0;  // from 1, without holes
  WallTime applied_at;
  std::string actor;
  std::string note;
  std::optional<std::uint64_t> rollback_to;
  std::uint64_t created = 0;
  std::uint64_t updated = 0;
  std::uint64_t deleted = 0;
};

}  // namespace weft::estate
