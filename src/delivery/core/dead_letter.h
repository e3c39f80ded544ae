// Dead letters: events that one subscription gave up on. They are records of __weft.delivery.dead,
// keyed by delivery id; the last record of a key tells how it stands, and one without a value ends
// it. The record holds the event itself, so a dead letter outlives the retention of its stream.
// Format: docs/delivery.md. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "delivery/delivery_types.h"

namespace weft::delivery {

enum class DeadState : std::uint8_t {
  Dead,       // waits for a decision
  Redriving,  // on its way to its subscription again
};

struct DeadLetter {
  DeliverySummary delivery;
  DeadState state = DeadState::Dead;
  std::string actor;           // who redrove it
  WallTime since;              // of this state
  bool event_is_lost = false;  // retention was faster: nothing is left to redrive
  eventlog::Record event;      // as it stood in its stream
};

eventlog::NewRecord to_record(const DeadLetter& letter);
// Requires: a record with a value. DataLoss for one that is no dead letter.
Result<DeadLetter> parse_dead_letter(const eventlog::Record& record);
// The record that ends a dead letter.
eventlog::NewRecord resolved_record(std::string_view delivery_id);

}  // namespace weft::delivery
