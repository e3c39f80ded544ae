#include "runtime/core/egress.h"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include "base/ascii.h"

namespace weft {

namespace ip = boost::asio::ip;
using boost::system::error_code;

namespace {

std::string lower_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower_case(name);
}

std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return {};
  return value;
}

// ::ffff:a.b.c.d reaches the same host as a.b.c.d and is judged as that.
ip::address unmapped(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  }
  return address;
}

template <class Bytes>
bool share_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    unsigned take = std::min(bits, 8u);
    auto mask = static_cast<unsigned char>(0xFF << (8 - take));
    if ((a[i] & mask) != (b[i] & mask)) return false;
    bits -= take;
  }
  return true;
}

bool contains(const ip::address& network, unsigned bits, const ip::address& address) {
  if (network.is_v4() != address.is_v4()) return false;
  if (network.is_v4()) {
    return share_prefix(network.to_v4().to_bytes(), address.to_v4().to_bytes(), bits);
  }
  return share_prefix(network.to_v6().to_bytes(), address.to_v6().to_bytes(), bits);
}

// Link-local, which holds the metadata service of every large cloud, and its addresses elsewhere.
bool is_metadata(const ip::address& address) {
  static const auto kAwsV6 = ip::make_address("fd00:ec2::254");
  static const auto kAlibaba = ip::make_address("100.100.100.200");
  if (address == kAwsV6 || address == kAlibaba) return true;
  if (address.is_v4()) return (address.to_v4().to_uint() >> 16) == 0xA9FE;
  return address.to_v6().is_link_local();
}

bool matches_name(const EgressRule& rule, std::string_view host) {
  if (rule.network) return false;
  if (!rule.covers_subdomains) return host == rule.name;
  return host.size() > rule.name.size() + 1 && host.ends_with(rule.name) &&
         host[host.size() - rule.name.size() - 1] == '.';
}

}  // namespace

Result<EgressRule> EgressRule::parse(std::string_view text) {
  auto unreadable = [text] {
    return fail(ErrorCode::InvalidArgument,
                "egress rule \"{}\": expected a host name, *.name, an address or a range, with an "
                "optional :port",
                text);
  };
  EgressRule rule;
  auto host = text;
  std::optional<std::string_view> port;
  bool in_brackets = host.starts_with('[');
  if (in_brackets) {
    auto end = host.find(']');
    if (end == std::string_view::npos) return unreadable();
    auto rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!rest.empty() && !rest.starts_with(':')) return unreadable();
    if (!rest.empty()) port = rest.substr(1);
  } else if (auto colon = host.find(':');
             colon != std::string_view::npos && colon == host.rfind(':')) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (port) {
    auto number = parse_number(*port, 65535);
    if (!number || *number == 0) return unreadable();
    rule.port = static_cast<std::uint16_t>(*number);
  }
  auto slash = host.find('/');
  error_code not_an_address;
  auto address = ip::make_address(std::string(host.substr(0, slash)), not_an_address);
  if (!not_an_address) {
    unsigned most = address.is_v4() ? 32 : 128;
    auto bits = slash == std::string_view::npos ? std::optional(most)
                                                : parse_number(host.substr(slash + 1), most);
    if (!bits) return unreadable();
    rule.network = address;
    rule.prefix_bits = *bits;
    return rule;
  }
  rule.covers_subdomains = host.starts_with("*.");
  rule.name = lower_name(rule.covers_subdomains ? host.substr(2) : host);
  auto is_name_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  if (in_brackets || rule.name.empty() || !std::ranges::all_of(rule.name, is_name_char)) {
    return unreadable();
  }
  return rule;
}

Result<EgressRules> EgressRules::compile(bool allow_all, const std::vector<std::string>& rules) {
  EgressRules compiled;
  compiled.allow_all_ = allow_all;
  for (const auto& text : rules) {
    TRY(auto rule, EgressRule::parse(text));
    compiled.rules_.push_back(std::move(rule));
  }
  return compiled;
}

bool EgressRules::allows(std::string_view host, const ip::address& resolved,
                         std::uint16_t port) const {
  auto address = unmapped(resolved);
  auto name = lower_name(host);
  bool by_name = allow_all_;
  for (const auto& rule : rules_) {
    if (rule.port && *rule.port != port) continue;
    if (rule.network && contains(*rule.network, rule.prefix_bits, address)) return true;
    by_name = by_name || matches_name(rule, name);
  }
  if (!by_name || is_metadata(address) || address.is_unspecified() || address.is_multicast()) {
    return false;
  }
  return allow_all_ || !address.is_loopback() || name == "localhost";
}

bool EgressRules::refuses_name(std::string_view host, std::uint16_t port) const {
  if (allow_all_) return false;
  auto name = lower_name(host);
  return std::ranges::none_of(rules_, [&](const EgressRule& rule) {
    if (rule.port && *rule.port != port) return false;
    return rule.network.has_value() || matches_name(rule, name);
  });
}

}  // namespace weft
