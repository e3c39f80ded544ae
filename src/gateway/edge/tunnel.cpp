#include "gateway/edge/tunnel.h"

#include <string>
#include <vector>

#include "runtime/task_group.h"
#include "runtime/with_timeout.h"

namespace weft::gateway {

namespace {

constexpr std::size_t kBuffer = 16 * 1024;
// Neither side has said anything for so long; WebSocket peers ping far more often.
constexpr auto kIdleMax = std::chrono::hours(1);

Task<Result<>> pump(net::Stream& from, net::Stream& to, std::string early, Clock& clock) {
  std::array<std::string_view, 1> parts{early};
  if (!early.empty()) CO_CHECK(co_await to.write(parts));
  std::vector<char> buffer(kBuffer);
  for (;;) {
    auto until = clock.mono() + kIdleMax;
    from.set_deadline(until);
    to.set_deadline(until);
    CO_TRY(auto count, co_await from.read_some(buffer));
    if (count == 0) co_return co_await to.finish_writing();
    parts[0] = std::string_view(buffer.data(), count);
    CO_CHECK(co_await to.write(parts));
  }
}

Task<void> pump_until_end(net::Stream& from, net::Stream& to, std::string early, Clock& clock) {
  auto ended = co_await pump(from, to, std::move(early), clock);
  if (ended) co_return;
  // The other direction must not wait for a peer that has gone.
  from.close();
  to.close();
}

}  // namespace

Task<void> run_tunnel(net::Stream& client, net::Stream& upstream, std::string_view early,
                      Clock& clock) {
  std::string from_upstream(early);
  std::string nothing;
  TaskGroup group(co_await boost::asio::this_coro::executor, "tunnel", 2);
  group.spawn(pump_until_end(client, upstream, nothing, clock));
  group.spawn(pump_until_end(upstream, client, std::move(from_upstream), clock));
  co_await group.join();
}

}  // namespace weft::gateway
