#include "gateway/upstream_pool.h"

#include <atomic>

#include "http/client.h"
#include "runtime/log.h"

namespace weft::gateway {

namespace {

constexpr Duration kLeaveOutFirst = 1s;
constexpr Duration kLeaveOutMost = 60s;

// Shared by the loops.
struct Health {
  std::atomic<std::uint32_t> failures{0};
  std::atomic<MonoTime::rep> left_out_until{0};

  bool is_left_out(MonoTime now) const {
    return failures.load(std::memory_order_relaxed) > 0 &&
           now.time_since_epoch().count() < left_out_until.load(std::memory_order_relaxed);
  }
  void succeeded() {
    if (failures.load(std::memory_order_relaxed) > 0) failures.store(0, std::memory_order_relaxed);
  }
  void failed(MonoTime now) {
    auto before = failures.fetch_add(1, std::memory_order_relaxed);
    auto pause = std::min<Duration>(kLeaveOutFirst * (1LL << std::min(before, 10u)), kLeaveOutMost);
    left_out_until.store((now + pause).time_since_epoch().count(), std::memory_order_relaxed);
  }
};

// Used on one loop.
struct alignas(64) PerLoop {
  std::size_t next_target = 0;
  std::vector<std::vector<UpstreamLease>> idle;  // by target
};

}  // namespace

struct UpstreamPool::State {
  UpstreamOptions options;
  std::vector<std::string> authorities;
  Dialer& dialer;
  Clock& clock;
  Loops& loops;
  std::vector<Health> health;
  std::vector<PerLoop> per_loop;

  // The next target in turn that is not left out; when all are, the one in turn: it may be back.
  std::size_t choose(PerLoop& loop, MonoTime now) {
    auto count = options.targets.size();
    if (count == 1) return 0;
    auto first = loop.next_target;
    loop.next_target = (first + 1) % count;
    for (std::size_t i = 0; i < count; ++i) {
      auto target = (first + i) % count;
      if (!health[target].is_left_out(now)) return target;
    }
    return first;
  }

  Task<Result<std::unique_ptr<net::Stream>>> dial(std::size_t index) {
    const auto& target = options.targets[index];
    net::Endpoint to{target.host, target.port};
    if (!target.tls) co_return co_await dialer.dial(std::move(to), options.connect_timeout);
    TlsClientOptions tls;
    tls.server_name = target.host;
    tls.ca_file = options.ca_file;
    tls.alpn = {"http/1.1"};
    co_return co_await dialer.dial_tls(std::move(to), std::move(tls), options.connect_timeout);
  }
};

Result<UpstreamTarget> UpstreamTarget::parse(std::string_view text) {
  TRY(auto url, http::Url::parse(text));
  UpstreamTarget target{url.tls, url.host, url.port, {}};
  if (url.target.contains('?')) {
    return fail(ErrorCode::InvalidArgument, "{}: a target has no query", text);
  }
  if (url.target != "/") target.base_path = url.target;
  if (target.base_path.ends_with('/')) target.base_path.pop_back();
  return target;
}

std::string UpstreamTarget::authority() const {
  net::Endpoint endpoint{host, port};
  bool is_default = port == (tls ? 443 : 80);
  if (!is_default) return endpoint.text();
  return host.contains(':') ? fmt::format("[{}]", host) : host;
}

UpstreamPool::UpstreamPool(UpstreamOptions options, Dialer& dialer, Clock& clock, Loops& loops) {
  auto targets = options.targets.size();
  ENSURE(targets > 0, "an upstream has a target");
  std::vector<std::string> authorities;
  for (const auto& target : options.targets) authorities.push_back(target.authority());
  state_.reset(new State{std::move(options), std::move(authorities), dialer, clock, loops,
                         std::vector<Health>(targets), std::vector<PerLoop>(loops.size())});
  for (auto& loop : state_->per_loop) loop.idle.resize(targets);
}

UpstreamPool::~UpstreamPool() {
  for (std::size_t i = 0; i < state_->per_loop.size(); ++i) {
    auto idle = std::make_shared<std::vector<std::vector<UpstreamLease>>>(
        std::move(state_->per_loop[i].idle));
    state_->loops.post(i, [idle] { idle->clear(); });
  }
}

const UpstreamOptions& UpstreamPool::options() const {
  return state_->options;
}

const std::string& UpstreamPool::authority(std::size_t target) const {
  return state_->authorities[target];
}

UpstreamLease UpstreamPool::take_idle(std::size_t loop_index, MonoTime now) const {
  auto& loop = state_->per_loop[loop_index];
  auto& idle = loop.idle[state_->choose(loop, now)];
  while (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    if (now - connection->idle_since > state_->options.idle_timeout) {
      // The one that was used last is too old: so are all below it.
      idle.clear();
      return nullptr;
    }
    connection->is_reused = true;
    return connection;
  }
  return nullptr;
}

Task<Result<UpstreamLease>> UpstreamPool::connect(std::size_t loop_index) const {
  auto& loop = state_->per_loop[loop_index];
  auto count = state_->options.targets.size();
  Error last{ErrorCode::Unavailable, "no target"};
  for (std::size_t attempt = 0; attempt < count; ++attempt) {
    auto now = state_->clock.mono();
    auto target = state_->choose(loop, now);
    auto stream = co_await state_->dial(target);
    if (stream) {
      state_->health[target].succeeded();
      co_return std::make_unique<UpstreamConnection>(std::move(*stream), target);
    }
    last = std::move(stream).error();
    if (last.code == ErrorCode::Cancelled) break;
    state_->health[target].failed(now);
    log_warn("gateway", "an upstream target cannot be reached",
             {{"upstream", state_->options.name},
              {"target", state_->authorities[target]},
              {"reason", last.message}});
  }
  co_return std::unexpected(std::move(last));
}

void UpstreamPool::give_back(std::size_t loop_index, UpstreamLease connection, MonoTime now) const {
  auto& idle = state_->per_loop[loop_index].idle[connection->target];
  if (idle.size() >= state_->options.idle_max) return;
  connection->idle_since = now;
  idle.push_back(std::move(connection));
}

bool UpstreamPool::is_left_out(std::size_t target, MonoTime now) const {
  return state_->health[target].is_left_out(now);
}

}  // namespace weft::gateway
