#include "runtime/simulated_network.h"

#include <boost/asio/ip/address.hpp>
#include <deque>
#include <map>
#include <set>

#include "runtime/suspension.h"
#include "runtime/with_timeout.h"

namespace weft {

namespace {

// What a direction holds before its writer waits, as a socket's buffer does.
constexpr std::size_t kPipeBytesMax = 256 * 1024;
constexpr std::uint16_t kFirstEphemeralPort = 49152;
constexpr Duration kNoLimit = std::chrono::hours(24 * 365);

struct Chunk {
  MonoTime arrives;
  std::string bytes;
};

// One direction of a connection.
struct Pipe {
  std::deque<Chunk> chunks;
  std::size_t bytes = 0;
  bool is_finished = false;
  Suspension reader;
  Suspension writer;
};

struct Connection {
  std::string host;  // the listening side's
  Pipe to_listener;
  Pipe to_caller;
  bool is_lost = false;

  void wake_all() {
    for (auto* pipe : {&to_listener, &to_caller}) {
      pipe->reader.wake();
      pipe->writer.wake();
    }
  }
  void lose() {
    is_lost = true;
    wake_all();
  }
};

struct Backlog {
  std::deque<std::unique_ptr<net::Stream>> waiting;
  Suspension arrived;
  bool is_closed = false;
};

}  // namespace

struct SimulatedNetwork::State {
  Clock& clock;
  Random& random;
  SimulatedNetworkOptions options;
  std::map<std::string, std::vector<std::string>> hosts;
  std::map<std::string, std::shared_ptr<Backlog>> listeners;
  std::set<std::string> cut;
  std::vector<std::weak_ptr<Connection>> connections;
  std::uint16_t next_port = kFirstEphemeralPort;

  MonoTime arrival() {
    auto spread = static_cast<std::uint64_t>((options.delay_max - options.delay_min).count());
    auto extra = spread == 0 ? 0 : random.below(spread + 1);
    return clock.mono() + options.delay_min + Duration(static_cast<std::int64_t>(extra));
  }
  bool one_in(std::uint64_t count) { return count > 0 && random.below(count) == 0; }
  bool is_cut(const std::string& host) const { return cut.contains(host); }

  template <class F>
  void for_each_of(const std::string& host, F&& visit) {
    std::erase_if(connections, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : connections) {
      if (auto connection = weak.lock(); connection && connection->host == host) visit(*connection);
    }
  }
};

namespace {

using Network = SimulatedNetwork::State;

class SimulatedStream final : public net::Stream {
 public:
  SimulatedStream(std::shared_ptr<Network> network, std::shared_ptr<Connection> connection,
                  bool is_caller, net::Endpoint peer)
      : network_(std::move(network)),
        connection_(std::move(connection)),
        in_(is_caller ? connection_->to_caller : connection_->to_listener),
        out_(is_caller ? connection_->to_listener : connection_->to_caller),
        peer_(std::move(peer)) {}

  ~SimulatedStream() override { close(); }

  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    for (;;) {
      auto count = try_read(into);
      if (count || is_closed_ || connection_->is_lost) co_return count;
      CO_CHECK(co_await wait_for_input());
    }
  }

  Result<std::size_t> try_read(std::span<char> into) override {
    CHECK(usable());
    if (in_.chunks.empty() && in_.is_finished) return std::size_t{0};
    if (in_.chunks.empty() || in_.chunks.front().arrives > network_->clock.mono() ||
        network_->is_cut(connection_->host)) {
      return fail(ErrorCode::Unavailable, "nothing yet");
    }
    auto& bytes = in_.chunks.front().bytes;
    auto count = std::min(bytes.size(), into.size());
    // Now and then a reader gets less than there is, as from a real socket.
    if (count > 1 && network_->one_in(4)) count = 1 + network_->random.below(count - 1);
    std::memcpy(into.data(), bytes.data(), count);
    bytes.erase(0, count);
    in_.bytes -= count;
    if (bytes.empty()) in_.chunks.pop_front();
    in_.writer.wake();
    return count;
  }

  Task<Result<>> write(std::span<const std::string_view> buffers) override {
    while (out_.bytes >= kPipeBytesMax && !is_closed_ && !connection_->is_lost) {
      CO_CHECK(co_await limited(out_.writer.wait()));
    }
    CO_TRY(auto sent, put(buffers));
    (void)sent;
    co_return Result<>();
  }

  Result<std::size_t> try_write(std::span<const std::string_view> buffers) override {
    CHECK(usable());
    if (out_.bytes >= kPipeBytesMax) return std::size_t{0};
    return put(buffers);
  }

  Task<Result<>> send_file(int, std::uint64_t, std::uint64_t) override {
    co_return fail(ErrorCode::Unsupported, "a simulated stream has no descriptor to send to");
  }

  void set_deadline(MonoTime when) override { deadline_ = when; }

  Task<Result<>> finish_writing() override {
    CO_CHECK(usable());
    out_.is_finished = true;
    out_.reader.wake();
    co_return Result<>();
  }

  void close() override {
    if (std::exchange(is_closed_, true)) return;
    out_.is_finished = true;
    // The peer's next write is answered with a reset, its reads get what is under way.
    in_.is_finished = true;
    connection_->wake_all();
  }

  net::Endpoint peer() const override { return peer_; }

 private:
  Result<> usable() const {
    if (is_closed_) return fail(ErrorCode::Cancelled, "the stream was closed");
    if (connection_->is_lost) return fail(ErrorCode::Unavailable, "connection reset");
    return {};
  }

  Result<std::size_t> put(std::span<const std::string_view> buffers) {
    CHECK(usable());
    if (out_.is_finished) return fail(ErrorCode::Unavailable, "the peer has gone");
    if (network_->one_in(network_->options.lose_one_write_in)) {
      connection_->lose();
      return fail(ErrorCode::Unavailable, "connection reset");
    }
    Chunk chunk{network_->arrival(), {}};
    for (auto buffer : buffers) chunk.bytes += buffer;
    if (chunk.bytes.empty()) return std::size_t{0};
    if (!out_.chunks.empty()) chunk.arrives = std::max(chunk.arrives, out_.chunks.back().arrives);
    auto size = chunk.bytes.size();
    out_.bytes += size;
    out_.chunks.push_back(std::move(chunk));
    out_.reader.wake();
    return size;
  }

  // Until something may have changed: an arrival, news of the connection, or the deadline.
  Task<Result<>> wait_for_input() {
    auto now = network_->clock.mono();
    if (!in_.chunks.empty() && !network_->is_cut(connection_->host)) {
      auto arrives = in_.chunks.front().arrives;
      if (arrives > deadline_) co_return co_await expire();
      if (arrives > now) {
        auto woken = co_await with_timeout(network_->clock, arrives - now, in_.reader.wait());
        if (woken || woken.error().code == ErrorCode::DeadlineExceeded) co_return Result<>();
        co_return woken;
      }
      co_return Result<>();
    }
    co_return co_await limited(in_.reader.wait());
  }

  Task<Result<>> expire() {
    auto slept = co_await network_->clock.sleep_until(deadline_);
    if (!slept) co_return slept;
    co_return fail(ErrorCode::DeadlineExceeded, "the peer took too long");
  }

  Task<Result<>> limited(Task<Result<>> wait) {
    if (deadline_ == MonoTime::max()) co_return co_await std::move(wait);
    auto left = std::clamp<Duration>(deadline_ - network_->clock.mono(), Duration{}, kNoLimit);
    co_return co_await with_timeout(network_->clock, left, std::move(wait));
  }

  std::shared_ptr<Network> network_;
  std::shared_ptr<Connection> connection_;
  Pipe& in_;
  Pipe& out_;
  net::Endpoint peer_;
  MonoTime deadline_ = MonoTime::max();
  bool is_closed_ = false;
};

class SimulatedListener final : public net::Listener {
 public:
  SimulatedListener(std::shared_ptr<Network> network, std::shared_ptr<Backlog> backlog,
                    net::Endpoint local)
      : network_(std::move(network)), backlog_(std::move(backlog)), local_(std::move(local)) {}
  ~SimulatedListener() override { close(); }

  Task<Result<std::unique_ptr<net::Stream>>> accept() override {
    auto backlog = backlog_;
    while (backlog->waiting.empty() && !backlog->is_closed) {
      CO_CHECK(co_await backlog->arrived.wait());
    }
    if (backlog->is_closed) co_return fail(ErrorCode::Cancelled, "the listener was closed");
    auto stream = std::move(backlog->waiting.front());
    backlog->waiting.pop_front();
    co_return stream;
  }

  net::Endpoint local() const override { return local_; }

  void close() override {
    if (std::exchange(backlog_->is_closed, true)) return;
    network_->listeners.erase(local_.text());
    backlog_->waiting.clear();
    backlog_->arrived.wake();
  }

 private:
  std::shared_ptr<Network> network_;
  std::shared_ptr<Backlog> backlog_;
  net::Endpoint local_;
};

}  // namespace

SimulatedNetwork::SimulatedNetwork(Clock& clock, Random& random, SimulatedNetworkOptions options)
    : state_(new State{clock, random, options, {}, {}, {}, {}}) {}

SimulatedNetwork::~SimulatedNetwork() = default;

Task<Result<std::unique_ptr<net::Stream>>> SimulatedNetwork::connect(net::Endpoint resolved,
                                                                     MonoTime deadline) {
  auto state = state_;
  auto arrives = std::min(state->arrival(), deadline);
  CO_CHECK(co_await state->clock.sleep_until(arrives));
  if (state->is_cut(resolved.host)) {
    CO_CHECK(co_await state->clock.sleep_until(deadline));
    co_return fail(ErrorCode::DeadlineExceeded, "connect to {}: no answer in time",
                   resolved.text());
  }
  auto found = state->listeners.find(resolved.text());
  if (found == state->listeners.end() || state->one_in(state->options.refuse_one_connect_in)) {
    co_return fail(ErrorCode::Unavailable, "connect to {}: connection refused", resolved.text());
  }
  auto connection = std::make_shared<Connection>();
  connection->host = resolved.host;
  state->connections.push_back(connection);
  net::Endpoint caller{"127.0.0.1", state->next_port};
  state->next_port =
      state->next_port == 65535 ? kFirstEphemeralPort : std::uint16_t(state->next_port + 1);
  auto accepted = std::make_unique<SimulatedStream>(state, connection, false, std::move(caller));
  found->second->waiting.push_back(std::move(accepted));
  found->second->arrived.wake();
  std::unique_ptr<net::Stream> stream =
      std::make_unique<SimulatedStream>(state, connection, true, std::move(resolved));
  co_return stream;
}

Task<Result<std::unique_ptr<net::Listener>>> SimulatedNetwork::listen(net::Endpoint local) {
  if (local.port == 0) local.port = state_->next_port++;
  auto backlog = std::make_shared<Backlog>();
  if (!state_->listeners.emplace(local.text(), backlog).second) {
    co_return fail(ErrorCode::AlreadyExists, "listen on {}: address in use", local.text());
  }
  std::unique_ptr<net::Listener> listener =
      std::make_unique<SimulatedListener>(state_, std::move(backlog), std::move(local));
  co_return listener;
}

Task<Result<std::vector<std::string>>> SimulatedNetwork::resolve(std::string host, MonoTime) {
  boost::system::error_code not_literal;
  boost::asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return std::vector<std::string>{host};
  auto found = state_->hosts.find(host);
  if (found == state_->hosts.end()) co_return fail(ErrorCode::NotFound, "no address for {}", host);
  co_return found->second;
}

void SimulatedNetwork::set_options(const SimulatedNetworkOptions& options) {
  state_->options = options;
}

void SimulatedNetwork::add_host(std::string name, std::vector<std::string> addresses) {
  state_->hosts[std::move(name)] = std::move(addresses);
}

void SimulatedNetwork::partition(const std::string& host) {
  state_->cut.insert(host);
  state_->for_each_of(host, [](Connection& connection) { connection.wake_all(); });
}

void SimulatedNetwork::heal(const std::string& host) {
  state_->cut.erase(host);
  state_->for_each_of(host, [](Connection& connection) { connection.wake_all(); });
}

void SimulatedNetwork::reset_connections(const std::string& host) {
  state_->for_each_of(host, [](Connection& connection) { connection.lose(); });
}

std::size_t SimulatedNetwork::connection_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(state_->connections, [](const auto& weak) { return !weak.expired(); }));
}

}  // namespace weft
