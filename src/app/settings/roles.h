// What of a node runs: setting `roles`. Each listener and service belongs to one role; ops is
// always there. The log is each node's own, so a role that writes events and the one that delivers
// them do not find each other across nodes: role_note() says what a set of roles leaves undone.
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "app/settings/settings.h"
#include "base/result.h"

namespace weft::app {

enum class Role : std::uint8_t {
  Gateway,  // API gateway and CloudEvents
  Broker,   // Kafka protocol
  Worker,   // webhook deliveries
  Control,  // hub, admin API, OTLP receiver
};

class Roles {
 public:
  static Roles all() { return Roles(0b1111); }
  Roles() = default;

  bool has(Role role) const { return (bits_ & bit(role)) != 0; }
  bool is_all() const { return bits_ == all().bits_; }
  bool is_empty() const { return bits_ == 0; }
  void add(Role role) { bits_ = static_cast<std::uint8_t>(bits_ | bit(role)); }
  // "gateway, broker", in the order of the enumeration.
  std::string text() const;

 private:
  explicit Roles(std::uint8_t bits) : bits_(bits) {}
  static std::uint8_t bit(Role role) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

// InvalidArgument for a role that there is not, for none at all, and for a node that could never
// get an estate: without control, a folder and a shared state database.
Result<Roles> roles_of(const Settings& settings);

// What events of this node's log wait for in vain, for an operator; empty when nothing does.
// `subscriptions`: how many the estate has.
std::string role_note(const Roles& roles, std::size_t subscriptions);

}  // namespace weft::app
