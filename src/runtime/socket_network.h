// The network of the operating system: TCP over IPv4 and IPv6 on the event loops.
//
// connect(), listen() and accept() give streams of the calling loop. A server that uses all loops
// opens a SpreadListener instead. Requires: destroyed before the loops, since name lookups report
// to them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/loops.h"
#include "runtime/net.h"

namespace weft {

class SocketNetwork final : public net::Network {
 public:
  SocketNetwork();
  ~SocketNetwork() override;

  Task<Result<std::unique_ptr<net::Stream>>> connect(net::Endpoint resolved,
                                                     MonoTime deadline) override;
  Task<Result<std::unique_ptr<net::Listener>>> listen(net::Endpoint local) override;
  Task<Result<std::vector<std::string>>> resolve(std::string host, MonoTime deadline) override;

 private:
  BlockingPool lookups_;
};

// One exclusive listening socket (a second process that binds the port gets an error) whose
// connections go to the least-loaded loop each. Streams count themselves in `loops` until they are
// destroyed.
class SpreadListener {
 public:
  // Called on the connection's loop.
  using OnConnection = std::function<void(std::unique_ptr<net::Stream>, std::size_t loop_index)>;

  // Binds at once. AlreadyExists when the address is in use; PermissionDenied for a privileged
  // port.
  static Result<std::unique_ptr<SpreadListener>> bind(net::Endpoint local, Loops& loops);
  // Requires: the loops have ended, or stop() was called and loop 0 has run since.
  ~SpreadListener();

  net::Endpoint local() const;
  // Accepts from now on; called once, from any thread.
  void start(OnConnection on_connection);
  // Closes the listening socket; any thread. Connections already accepted are handed over.
  void stop();

 private:
  struct State;
  explicit SpreadListener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace weft
