// Opens every outbound connection, so that the egress allow-list is enforced in one place, on the
// resolved address: a name that resolves to a forbidden address is refused, also when it did not a
// moment ago (DNS rebinding).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "runtime/net.h"

namespace weft {

// Rules are host names ("api.example.com", "*.example.com"), addresses or CIDR ranges, each with an
// optional ":port". Link-local and cloud metadata addresses (169.254.0.0/16, fe80::/10) are refused
// unless a rule names them by address; so are loopback addresses behind any name but "localhost".
struct EgressPolicy {
  bool allow_all = false;
  std::vector<std::string> allow;
  // A rule that cannot be read is an error with its text.
  static Result<EgressPolicy> parse(std::vector<std::string> rules);
};

struct TlsClientOptions {
  std::string server_name;  // SNI and certificate check
  std::string ca_file;      // empty: the system's
  std::vector<std::string> alpn;
};

// Thread-safe; a connection belongs to the loop that asked for it.
class Dialer {
 public:
  Dialer(net::Network& network, Clock& clock, EgressPolicy policy);
  ~Dialer();

  // PermissionDenied when the policy refuses every address of the host; Unavailable when none
  // answers.
  Task<Result<std::unique_ptr<net::Stream>>> dial(net::Endpoint to, Duration timeout);
  Task<Result<std::unique_ptr<net::Stream>>> dial_tls(net::Endpoint to, TlsClientOptions tls,
                                                      Duration timeout);
  void set_policy(EgressPolicy policy);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
