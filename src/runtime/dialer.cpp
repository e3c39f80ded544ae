#include "runtime/dialer.h"

#include <atomic>
#include <map>
#include <mutex>

#include "runtime/core/egress.h"
#include "runtime/tls.h"

namespace weft {

namespace ip = boost::asio::ip;

struct Dialer::State {
  State(net::Network& used_network, Clock& used_clock) : network(used_network), clock(used_clock) {}

  net::Network& network;
  Clock& clock;
  std::atomic<std::shared_ptr<const EgressRules>> rules;
  // Contexts are costly (reading the authorities takes milliseconds) and few.
  std::mutex mutex;
  std::map<std::string, TlsContext> contexts;

  Result<TlsContext> context_for(const TlsClientOptions& options) {
    auto key = options.ca_file;
    for (const auto& protocol : options.alpn) key += '\n' + protocol;
    std::lock_guard lock(mutex);
    if (auto found = contexts.find(key); found != contexts.end()) return found->second;
    TRY(auto context, TlsContext::client(options.ca_file, options.alpn));
    contexts.emplace(std::move(key), context);
    return context;
  }
};

Result<EgressPolicy> EgressPolicy::parse(std::vector<std::string> rules) {
  CHECK(EgressRules::compile(false, rules));
  EgressPolicy policy;
  policy.allow = std::move(rules);
  return policy;
}

Dialer::Dialer(net::Network& network, Clock& clock, EgressPolicy policy)
    : state_(std::make_unique<State>(network, clock)) {
  set_policy(std::move(policy));
}

Dialer::~Dialer() = default;

void Dialer::set_policy(EgressPolicy policy) {
  auto rules = EgressRules::compile(policy.allow_all, policy.allow);
  // A rule that cannot be read must not open anything: nothing is allowed then.
  auto compiled = rules ? std::make_shared<const EgressRules>(std::move(*rules))
                        : std::make_shared<const EgressRules>();
  state_->rules.store(std::move(compiled));
}

Task<Result<std::unique_ptr<net::Stream>>> Dialer::dial(net::Endpoint to, Duration timeout) {
  auto rules = state_->rules.load();
  auto deadline = state_->clock.mono() + timeout;
  if (rules->refuses_name(to.host, to.port)) {
    co_return fail(ErrorCode::PermissionDenied, "egress to {} is not on the allow-list", to.text());
  }
  CO_TRY(auto addresses, co_await state_->network.resolve(to.host, deadline));
  Error last{ErrorCode::PermissionDenied,
             fmt::format("egress to {} is not on the allow-list for its address", to.text())};
  for (const auto& text : addresses) {
    boost::system::error_code unreadable;
    auto address = ip::make_address(text, unreadable);
    if (unreadable || !rules->allows(to.host, address, to.port)) continue;
    net::Endpoint resolved{text, to.port};
    auto stream = co_await state_->network.connect(resolved, deadline);
    if (stream) co_return stream;
    last = std::move(stream).error();
    if (last.code == ErrorCode::DeadlineExceeded || last.code == ErrorCode::Cancelled) break;
  }
  co_return std::unexpected(std::move(last));
}

Task<Result<std::unique_ptr<net::Stream>>> Dialer::dial_tls(net::Endpoint to, TlsClientOptions tls,
                                                            Duration timeout) {
  auto deadline = state_->clock.mono() + timeout;
  CO_TRY(auto context, state_->context_for(tls));
  auto name = tls.server_name.empty() ? to.host : tls.server_name;
  CO_TRY(auto plain, co_await dial(to, timeout));
  co_return co_await connect_tls(std::move(plain), std::move(context), std::move(name), deadline);
}

}  // namespace weft
