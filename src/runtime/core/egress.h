// The egress allow-list as compiled rules. Pure.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

struct EgressRule {
  // A name rule: exact, or "*.suffix" for every name below the suffix.
  std::string name;
  bool covers_subdomains = false;
  // An address rule: the range's first address and its length in bits.
  std::optional<boost::asio::ip::address> network;
  unsigned prefix_bits = 0;
  std::optional<std::uint16_t> port;

  static Result<EgressRule> parse(std::string_view text);
};

class EgressRules {
 public:
  EgressRules() = default;
  static Result<EgressRules> compile(bool allow_all, const std::vector<std::string>& rules);

  // Whether `host` (as asked for) may be reached at `address` (as resolved).
  bool allows(std::string_view host, const boost::asio::ip::address& address,
              std::uint16_t port) const;
  // Whether no rule can allow the host, so that it need not be resolved. Address rules need
  // resolution.
  bool refuses_name(std::string_view host, std::uint16_t port) const;

 private:
  bool allow_all_ = false;
  std::vector<EgressRule> rules_;
};

}  // namespace weft
