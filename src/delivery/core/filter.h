// Which events a subscription wants: by type, and by equality of CloudEvents attributes (type,
// source, subject, dataschema, extensions). Conditions are joined by "and", the values of one by
// "or". Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "eventlog/events/event_view.h"

namespace weft::delivery {

struct Filter {
  // The values that each named attribute may have. No condition: every event.
  std::vector<std::pair<std::string, std::vector<std::string>>> conditions;

  // {"types": ["a", "b"], "attributes": {"source": "/shop", "region": ["eu", "us"]}}
  static Filter parse(const Json& filter);

  bool matches(const eventlog::EventView& event) const;
  // type = a or b, source = /shop
  std::string text() const;
};

}  // namespace weft::delivery
