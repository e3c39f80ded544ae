// The name of a delivery: one event for one subscription, the same over all attempts, redrives and
// restarts, and sent as webhook-id. It is computed, not stored:
//
//   crm-5c1e0a9b7d3f-0-1041    subscription - hash of tenant, subscription and stream - partition -
//   offset
//
// A stream that is deleted and made again has another topic id, so its events get other names. A
// full stop in the subscription's name becomes "_": Standard Webhooks separates with it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "eventlog/types.h"

namespace weft::delivery {

// What all deliveries of one stream to one subscription begin with: "crm-5c1e0a9b7d3f".
std::string delivery_prefix(std::string_view tenant, std::string_view subscription,
                            const Uuid& topic_id);
std::string delivery_id(std::string_view prefix, std::int32_t partition, eventlog::Offset offset);

struct DeliveryId {
  std::string_view prefix;
  std::int32_t partition = 0;
  eventlog::Offset offset = 0;
};
// Absent for a text that is no delivery's name. Points into the text.
std::optional<DeliveryId> parse_delivery_id(std::string_view text);

}  // namespace weft::delivery
