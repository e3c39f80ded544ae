// The services behind a route: targets taken in turn, keep-alive connections per loop, and passive
// health: a target that cannot be connected to is left out for a time that grows with each failure.
//
// Shared by all loops; a connection stays on its loop, named by `loop_index`. A pool that a new
// generation replaces closes its idle connections on their loops. Requires: destroyed before the
// loops.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/response_reader.h"
#include "runtime/clock.h"
#include "runtime/dialer.h"
#include "runtime/loops.h"
#include "runtime/net.h"

namespace weft::gateway {

struct UpstreamTarget {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string base_path;  // put before the path of a request; "" or "/v2"

  static Result<UpstreamTarget> parse(std::string_view url);
  std::string authority() const;
};

struct UpstreamOptions {
  std::string name;
  std::vector<UpstreamTarget> targets;
  std::string ca_file;  // for TLS targets; empty: the system's
  Duration connect_timeout = 5s;
  Duration response_timeout =
      60s;                      // from the request's end to the response's head, and between pieces
  Duration idle_timeout = 55s;  // less than the 60 s after which many servers close
  std::uint32_t idle_max = 64;  // per loop and target
  bool preserve_host = false;   // send the client's Host in place of the target's
};

// A connection to one target, used for one exchange at a time.
struct UpstreamConnection {
  UpstreamConnection(std::unique_ptr<net::Stream> connected, std::size_t target_index)
      : stream(std::move(connected)), target(target_index) {}
  std::unique_ptr<net::Stream> stream;
  http::ResponseReader reader;
  std::string out;                  // the head being sent; these two are kept for their memory
  std::vector<http::Field> fields;  // of the response being relayed
  std::size_t target;
  bool is_reused = false;
  MonoTime idle_since{};
};

using UpstreamLease = std::unique_ptr<UpstreamConnection>;

class UpstreamPool {
 public:
  UpstreamPool(UpstreamOptions options, Dialer& dialer, Clock& clock, Loops& loops);
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  const UpstreamOptions& options() const;
  // As sent in Host.
  const std::string& authority(std::size_t target) const;

  // An idle connection to the target whose turn it is; null when there is none.
  UpstreamLease take_idle(std::size_t loop_index, MonoTime now) const;
  // A new connection; goes on to the next target when one cannot be connected to. Unavailable or
  // DeadlineExceeded when none can.
  Task<Result<UpstreamLease>> connect(std::size_t loop_index) const;
  // For the next exchange; only when reader.is_reusable().
  void give_back(std::size_t loop_index, UpstreamLease connection, MonoTime now) const;

  // Whether the target is being left out now, for pages and metrics.
  bool is_left_out(std::size_t target, MonoTime now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::gateway
