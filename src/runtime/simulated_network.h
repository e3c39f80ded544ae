// The network's twin for simulation: streams between tasks of one loop, with seeded delay, loss of
// connections and partition, in virtual time. One thread; no sockets.
//
// Bytes of a connection arrive in order, after a delay; pieces may be split. A lost connection
// fails both ends with Unavailable, and what was under way may or may not have arrived. Nothing
// passes a partition: reads and connects wait for its end or their deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/clock.h"
#include "runtime/net.h"
#include "runtime/random.h"

namespace weft {

struct SimulatedNetworkOptions {
  Duration delay_min = 50us;
  Duration delay_max = 5ms;
  // Of one write in so many, the connection is lost; 0: never.
  std::uint64_t lose_one_write_in = 0;
  // Of one connect in so many, the peer refuses; 0: never.
  std::uint64_t refuse_one_connect_in = 0;
};

class SimulatedNetwork final : public net::Network {
 public:
  SimulatedNetwork(Clock& clock, Random& random, SimulatedNetworkOptions options);
  ~SimulatedNetwork() override;

  Task<Result<std::unique_ptr<net::Stream>>> connect(net::Endpoint resolved,
                                                     MonoTime deadline) override;
  Task<Result<std::unique_ptr<net::Listener>>> listen(net::Endpoint local) override;
  // Names added by add_host(); literal addresses resolve to themselves.
  Task<Result<std::vector<std::string>>> resolve(std::string host, MonoTime deadline) override;

  void set_options(const SimulatedNetworkOptions& options);
  void add_host(std::string name, std::vector<std::string> addresses);

  // Cuts the listeners of that host off from everybody, or joins them again.
  void partition(const std::string& host);
  void heal(const std::string& host);
  // Loses every connection to that host, as a crash of it does.
  void reset_connections(const std::string& host);
  std::size_t connection_count() const;

  struct State;  // of the implementation

 private:
  std::shared_ptr<State> state_;
};

}  // namespace weft
