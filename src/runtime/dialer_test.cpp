#include "runtime/dialer.h"

#include <gtest/gtest.h>

#include "runtime/clock.h"
#include "runtime/core/egress.h"
#include "runtime/run_until_done.h"
#include "runtime/simulated_network.h"

namespace weft {
namespace {

struct EgressCase {
  const char* what;
  std::vector<std::string> rules;
  const char* host;
  const char* address;
  std::uint16_t port;
  bool allowed;
};

TEST(EgressRules, DecideOnNameAddressAndPort) {
  const std::vector<EgressCase> cases{
      {"no rules, no egress", {}, "api.example.com", "93.184.216.34", 443, false},
      {"a name", {"api.example.com"}, "api.example.com", "93.184.216.34", 443, true},
      {"names ignore case and a final dot",
       {"API.example.com"},
       "api.EXAMPLE.com.",
       "1.2.3.4",
       1,
       true},
      {"another name", {"api.example.com"}, "www.example.com", "93.184.216.34", 443, false},
      {"a subdomain", {"*.example.com"}, "a.b.example.com", "93.184.216.34", 443, true},
      {"the wildcard's own domain", {"*.example.com"}, "example.com", "93.184.216.34", 443, false},
      {"a name that merely ends alike", {"*.example.com"}, "badexample.com", "1.2.3.4", 443, false},
      {"the port of a rule", {"api.example.com:8443"}, "api.example.com", "1.2.3.4", 8443, true},
      {"another port", {"api.example.com:8443"}, "api.example.com", "1.2.3.4", 443, false},
      {"a range", {"10.1.0.0/16"}, "erp.corp", "10.1.200.3", 80, true},
      {"outside the range", {"10.1.0.0/16"}, "erp.corp", "10.2.0.1", 80, false},
      {"a range with a port", {"10.1.0.0/16:80"}, "erp.corp", "10.1.2.3", 81, false},
      {"an IPv6 range", {"2001:db8::/33"}, "x", "2001:db8:7fff::1", 80, true},
      {"outside the IPv6 range", {"2001:db8::/33"}, "x", "2001:db8:8000::1", 80, false},
      {"an IPv6 address with a port", {"[2001:db8::1]:80"}, "x", "2001:db8::1", 80, true},
      {"a private address behind an allowed name", {"erp.corp"}, "erp.corp", "10.0.0.7", 80, true},
      {"metadata behind an allowed name", {"erp.corp"}, "erp.corp", "169.254.169.254", 80, false},
      {"metadata, mapped to IPv6", {"erp.corp"}, "erp.corp", "::ffff:169.254.169.254", 80, false},
      {"link-local IPv6 behind an allowed name", {"erp.corp"}, "erp.corp", "fe80::1", 80, false},
      {"metadata named by address", {"169.254.169.254"}, "m", "169.254.169.254", 80, true},
      {"loopback behind an allowed name", {"erp.corp"}, "erp.corp", "127.0.0.1", 80, false},
      {"loopback, mapped", {"erp.corp"}, "erp.corp", "::ffff:127.0.0.1", 80, false},
      {"loopback named by name", {"localhost"}, "localhost", "127.0.0.1", 80, true},
      {"loopback named by address", {"127.0.0.0/8"}, "127.0.0.1", "127.0.0.1", 80, true},
      {"the unspecified address", {"erp.corp"}, "erp.corp", "0.0.0.0", 80, false},
  };
  for (const auto& c : cases) {
    auto rules = EgressRules::compile(false, c.rules);
    ASSERT_TRUE(rules) << c.what;
    EXPECT_EQ(rules->allows(c.host, boost::asio::ip::make_address(c.address), c.port), c.allowed)
        << c.what;
  }
}

TEST(EgressRules, AllowAllStillRefusesMetadata) {
  auto rules = EgressRules::compile(true, {}).value();

  EXPECT_TRUE(rules.allows("x", boost::asio::ip::make_address("127.0.0.1"), 80));
  EXPECT_FALSE(rules.allows("x", boost::asio::ip::make_address("169.254.169.254"), 80));
}

TEST(EgressPolicy, NamesTheRuleThatCannotBeRead) {
  for (const char* bad : {"", "*.", "exa mple.com", "10.0.0.0/33", "host:0", "host:99999", "[::1",
                          "[::1]80", "https://example.com", "10.0.0.0/x"}) {
    auto policy = EgressPolicy::parse({bad});
    ASSERT_FALSE(policy) << bad;
    EXPECT_EQ(policy.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(policy.error().message.find(fmt::format("\"{}\"", bad)), std::string::npos);
  }
}

struct DialWorld {
  SystemClock clock;
  SeededRandom random{7};
  SimulatedNetwork network{clock, random, {.delay_min = 0us, .delay_max = 0us}};
  IoContext io;
  std::unique_ptr<net::Listener> listener;

  DialWorld() {
    listener = run_until_done(io, network.listen(net::Endpoint{"10.0.0.2", 80})).value();
    network.add_host("erp.corp", {"10.0.0.1", "10.0.0.2"});
  }
  Result<std::unique_ptr<net::Stream>> dial(Dialer& dialer, std::string host) {
    return run_until_done(io, dialer.dial(net::Endpoint{std::move(host), 80}, 1s));
  }
};

TEST(Dialer, TriesTheNextAddressWhenOneRefuses) {
  DialWorld world;
  Dialer dialer(world.network, world.clock, EgressPolicy::parse({"erp.corp"}).value());

  auto stream = world.dial(dialer, "erp.corp");

  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ((*stream)->peer().host, "10.0.0.2");
}

TEST(Dialer, RefusesAnAllowedNameWhoseAddressBecameForbidden) {
  DialWorld world;
  Dialer dialer(world.network, world.clock, EgressPolicy::parse({"erp.corp"}).value());
  ASSERT_TRUE(world.dial(dialer, "erp.corp"));

  world.network.add_host("erp.corp", {"169.254.169.254"});
  auto rebound = world.dial(dialer, "erp.corp");

  EXPECT_EQ(rebound.error().code, ErrorCode::PermissionDenied);
}

TEST(Dialer, FollowsANewPolicy) {
  DialWorld world;
  Dialer dialer(world.network, world.clock, EgressPolicy{});
  ASSERT_EQ(world.dial(dialer, "erp.corp").error().code, ErrorCode::PermissionDenied);

  dialer.set_policy(EgressPolicy::parse({"10.0.0.2:80"}).value());

  EXPECT_TRUE(world.dial(dialer, "erp.corp"));
}

TEST(Dialer, ReportsAnUnknownName) {
  DialWorld world;
  Dialer dialer(world.network, world.clock, EgressPolicy::parse({"*.corp"}).value());

  EXPECT_EQ(world.dial(dialer, "nobody.corp").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace weft
