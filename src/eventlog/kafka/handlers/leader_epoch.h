// Whether the leader that a client believes in is still, or already, the partition's (KIP-320).
#pragma once

#include <cstdint>

#include "eventlog/kafka/protocol/error_code.h"

namespace weft::kafka {

// A negative epoch asks for no check.
inline KafkaError check_epoch(std::int32_t asked, std::int32_t current) {
  if (asked < 0 || asked == current) return KafkaError::None;
  return asked < current ? KafkaError::FencedLeaderEpoch : KafkaError::UnknownLeaderEpoch;
}

}  // namespace weft::kafka
