// The HTTP/1.1 client: pooled keep-alive connections per loop and origin, timeouts, a retry budget,
// and the egress allow-list (through runtime's Dialer). One Client serves all loops; a call stays
// on the caller's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "runtime/task.h"

namespace weft {
class Dialer;
}

namespace weft::http {

// An absolute http:// or https:// URL, split. User information is refused.
struct Url {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string target;  // path and query, at least "/"
  static Result<Url> parse(std::string_view text);
  std::string origin() const;     // scheme://host:port
  std::string authority() const;  // host, and the port where it is not the scheme's own (Host)
};

struct ClientRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  Duration timeout = 30s;                          // for the whole call
  std::uint64_t response_bytes_max = 1024 * 1024;  // a longer body is cut, `truncated` says so
  ClientRequest() = default;
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool truncated = false;
  Duration elapsed{};
  std::optional<std::string_view> find(std::string_view name) const;
};

struct ClientLimits {
  // Per loop. Below the requests in flight, every third one would have to connect.
  std::uint32_t idle_per_origin_max = 128;
  Duration idle_timeout = 60s;
  Duration connect_timeout = 5s;
};

class Client {
 public:
  Client(Dialer& dialer, Clock& clock, Metrics& metrics, const ClientLimits& limits);
  ~Client();

  // A response of any status is a success. Errors: Unavailable (refused, reset), DeadlineExceeded,
  // PermissionDenied (egress), InvalidArgument (malformed answer). Redirects are not followed. A
  // request that died on a reused connection before any response byte is sent once more on a fresh
  // one when the method is idempotent and the retry budget allows it.
  Task<Result<ClientResponse>> send(ClientRequest request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::http
