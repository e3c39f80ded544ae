// What an operator should look at, decided from what the node knows of itself. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/time.h"
#include "delivery/delivery_types.h"

namespace weft::app {

enum class Severity : std::uint8_t { Critical, Warning, Info };  // the worst first

struct AttentionItem {
  Severity severity = Severity::Warning;
  std::string what;
  std::string why;
  std::optional<WallTime> since;
  // What to do: a page of the hub, and the same from the command line.
  std::string label;
  std::string href;
  std::string command;
};

struct NodeCheck {
  std::string name;             // log, disk, delivery
  std::string status = "pass";  // pass, warn, fail
  std::string message;
};

// A consumer group that has been behind for longer than groups.lagAlert.
struct LaggingGroup {
  std::string group;
  std::int64_t records = 0;
  Duration behind{};
  WallTime since{};
  std::string stream;  // where it is furthest behind
  std::size_t members = 0;
};

struct AttentionFacts {
  std::vector<NodeCheck> checks;
  std::vector<delivery::SubscriptionStatus> subscriptions;
  std::vector<LaggingGroup> lagging;
  double gateway_error_share = 0;  // over the last fifteen minutes
};

// The worst first, otherwise in the order of the facts.
std::vector<AttentionItem> needs_attention(const AttentionFacts& facts);

// Schema Attention of admin.openapi.yaml.
void write_attention(JsonWriter& out, const AttentionItem& item);

}  // namespace weft::app
