#include "delivery/edge/lane.h"

#include "delivery/core/attempt_record.h"
#include "delivery/core/delivery_id.h"

namespace weft::delivery {

std::string Lane::id_of(eventlog::Offset offset) const {
  return delivery_id(prefix, partition.partition, offset);
}

eventlog::NewRecord Lane::cursor_record() {
  return cursor_record_of(acks.journal());
}

eventlog::NewRecord Lane::whole_cursor_record() {
  return cursor_record_of(acks.snapshot());
}

eventlog::NewRecord Lane::cursor_record_of(std::string_view piece) const {
  eventlog::NewRecord record;
  record.key = cursor_key;
  record.value = encode_cursor(topic_id, delivered, piece);
  return record;
}

eventlog::NewRecord Lane::hasty_cursor_record() const {
  auto hasty = acks;
  for (const auto& item : acks.list(acks.unsettled())) {
    if (item.state == eventlog::AckSet::State::InFlight) hasty.ack(item.offset);
  }
  return cursor_record_of(hasty.snapshot());
}

void Lane::settle(eventlog::Offset offset, const Decision& decision) {
  switch (decision.verdict) {
    case Verdict::Delivered:
      ++delivered;
      acks.ack(offset);
      return;
    case Verdict::Dead:
      acks.ack(offset);
      return;
    case Verdict::Retry:
      acks.release(offset, decision.retry_at);
      return;
    case Verdict::DisableEndpoint:
      // Kept: it is the first to go out when the endpoint is enabled again.
      acks.release(offset, WallTime());
      return;
  }
}

void Lane::pass_filtered() {
  if (!ready.empty() || acks.next() >= read_next) return;
  acks.pass(read_next);
  is_dirty = true;
}

}  // namespace weft::delivery
