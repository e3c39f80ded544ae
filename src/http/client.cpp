#include "http/client.h"

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>

#include "base/bytes.h"
#include "http/head_writer.h"
#include "http/kept_connection.h"
#include "http/response_reader.h"
#include "runtime/dialer.h"

namespace weft::http {

namespace {

// Retries are at most a tenth of the requests, so that a service in trouble is not hit twice as
// hard; a few are free, or a quiet client could never retry.
constexpr std::int64_t kRetryCost = 10;
constexpr std::int64_t kRetryBudgetMax = 100 * kRetryCost;
constexpr std::int64_t kRetryBudgetFirst = 10 * kRetryCost;

// A body of this size is copied behind its head: cheaper than gathering two buffers in the kernel.
constexpr std::size_t kCopyBodyMax = 4 * 1024;

struct Connection {
  explicit Connection(std::unique_ptr<net::Stream> connected) : stream(std::move(connected)) {}
  std::unique_ptr<net::Stream> stream;
  ResponseReader reader;
  MonoTime idle_since{};
  bool is_reused = false;
};

using ConnectionPtr = std::unique_ptr<Connection>;
// One loop's connections that wait for their next call, by origin.
struct Idle {
  std::unordered_map<std::string, std::vector<ConnectionPtr>, StringHash, std::equal_to<>> pools;
  MonoTime swept{};
};

std::string head_of(const ClientRequest& request) {
  constexpr std::size_t kHeadTypical = 1024;
  std::string out;
  out.reserve(kHeadTypical + (request.body.size() <= kCopyBodyMax ? request.body.size() : 0));
  out.append(request.method).append(1, ' ').append(request.url.target).append(" HTTP/1.1\r\n");
  bool has_host = false;
  bool has_agent = false;
  for (const auto& [name, value] : request.fields) {
    has_host = has_host || equals_ignoring_case(name, "Host");
    has_agent = has_agent || equals_ignoring_case(name, "User-Agent");
    // Framing is the client's business.
    if (equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Connection") ||
        equals_ignoring_case(name, "Transfer-Encoding")) {
      continue;
    }
    append_field(out, name, value);
  }
  if (!has_host) append_field(out, "Host", request.url.authority());
  if (!has_agent) append_field(out, "User-Agent", "weft");
  bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
                  request.method == "PATCH";
  if (has_body) append_field(out, "Content-Length", request.body.size());
  out += "\r\n";
  return out;
}

}  // namespace

std::optional<std::string_view> ClientResponse::find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (equals_ignoring_case(field, name)) return value;
  }
  return {};
}

struct Client::State {
  State(Dialer& used_dialer, Clock& used_clock, Metrics& metrics, const ClientLimits& used_limits)
      : dialer(used_dialer),
        clock(used_clock),
        limits(used_limits),
        requests(metrics.counter("weft_http_client_requests_total", "Calls that got a response.")),
        failures(metrics.counter("weft_http_client_failures_total", "Calls that got none.")),
        retries(metrics.counter("weft_http_client_retries_total",
                                "Calls sent again because a kept connection had died.")),
        duration(metrics.histogram("weft_http_client_request_seconds",
                                   "Calls that got a response, from start to end.")) {}

  Dialer& dialer;
  Clock& clock;
  ClientLimits limits;
  Counter& requests;
  Counter& failures;
  Counter& retries;
  Histogram& duration;
  std::atomic<std::int64_t> retry_budget = kRetryBudgetFirst;
  // The map is shared; what it holds for a loop is used on that loop alone.
  std::mutex mutex;
  std::map<const void*, std::unique_ptr<Idle>> idle;

  Idle& idle_of(const void* loop) {
    std::lock_guard lock(mutex);
    auto& found = idle[loop];
    if (!found) found = std::make_unique<Idle>();
    return *found;
  }

  ConnectionPtr take(Idle& kept, const std::string& origin) {
    auto found = kept.pools.find(origin);
    if (found == kept.pools.end()) return nullptr;
    auto oldest = clock.mono() - limits.idle_timeout;
    while (!found->second.empty()) {
      auto connection = std::move(found->second.back());
      found->second.pop_back();
      if (connection->idle_since < oldest) {
        found->second.clear();
        return nullptr;
      }
      if (!is_alive(*connection->stream)) continue;
      connection->is_reused = true;
      return connection;
    }
    return nullptr;
  }

  void give_back(Idle& kept, const std::string& origin, ConnectionPtr connection) {
    auto& pool = kept.pools[origin];
    if (pool.size() >= limits.idle_per_origin_max) pool.erase(pool.begin());
    auto now = clock.mono();
    connection->idle_since = now;
    pool.push_back(std::move(connection));
    if (now - kept.swept >= limits.idle_timeout) sweep(kept, now);
  }

  // Origins that are called no more keep no connection either.
  void sweep(Idle& kept, MonoTime now) {
    kept.swept = now;
    auto is_old = [oldest = now - limits.idle_timeout](const ConnectionPtr& connection) {
      return connection->idle_since < oldest;
    };
    for (auto origin = kept.pools.begin(); origin != kept.pools.end();) {
      std::erase_if(origin->second, is_old);
      origin = origin->second.empty() ? kept.pools.erase(origin) : std::next(origin);
    }
  }

  void earn_retry() {
    if (retry_budget.load(std::memory_order_relaxed) < kRetryBudgetMax) retry_budget.fetch_add(1);
  }
  bool spend_retry() {
    if (retry_budget.fetch_sub(kRetryCost) >= kRetryCost) return true;
    retry_budget.fetch_add(kRetryCost);
    return false;
  }

  Task<Result<ConnectionPtr>> connect(const Url& url, Duration left) {
    auto timeout = std::min(limits.connect_timeout, left);
    net::Endpoint to{url.host, url.port};
    Result<std::unique_ptr<net::Stream>> stream = fail(ErrorCode::Internal, "not dialled");
    if (url.tls) {
      TlsClientOptions tls;
      tls.server_name = url.host;
      tls.alpn = {"http/1.1"};
      stream = co_await dialer.dial_tls(std::move(to), std::move(tls), timeout);
    } else {
      stream = co_await dialer.dial(std::move(to), timeout);
    }
    if (!stream) co_return std::unexpected(std::move(stream).error());
    co_return std::make_unique<Connection>(std::move(*stream));
  }

  Task<Result<ClientResponse>> exchange(Connection& connection, const ClientRequest& request,
                                        const std::string& head);
};

// One request and its response on a connection whose deadline is set. `head` ends with the body
// when that is short.
Task<Result<ClientResponse>> Client::State::exchange(Connection& connection,
                                                     const ClientRequest& request,
                                                     const std::string& head) {
  auto& stream = *connection.stream;
  auto& reader = connection.reader;
  reader.expect(request.method == "HEAD");
  std::array<std::string_view, 2> parts{head, request.body};
  bool is_joined = request.body.size() <= kCopyBodyMax;
  auto written = co_await stream.write(std::span(parts).first(is_joined ? 1 : 2));
  if (!written && written.error().code != ErrorCode::Unavailable) {
    co_return std::unexpected(std::move(written).error());
  }
  // A server may answer and close before it has read a long body: its answer counts.
  ClientResponse response;
  bool has_head = false;
  for (;;) {
    if (!has_head) {
      CO_TRY(has_head, reader.has_head());
      if (has_head) {
        response.status = reader.head().status;
        for (const auto& field : reader.head().fields) {
          response.fields.emplace_back(field.name, field.value);
        }
      }
    }
    while (has_head && !response.truncated) {
      CO_TRY(auto piece, reader.next_piece());
      if (piece.empty()) break;
      auto room = request.response_bytes_max - response.body.size();
      response.truncated = piece.size() > room;
      response.body +=
          piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, piece.size())));
    }
    if (response.truncated || (has_head && reader.is_done())) co_return response;
    CO_TRY(auto count, co_await stream.read_some(reader.room()));
    reader.received(count);
    if (count == 0 && reader.ended()) co_return response;
    if (count == 0) co_return fail(ErrorCode::Unavailable, "the server closed the connection");
  }
}

Client::Client(Dialer& dialer, Clock& clock, Metrics& metrics, const ClientLimits& limits)
    : state_(std::make_unique<State>(dialer, clock, metrics, limits)) {}

Client::~Client() = default;

Task<Result<ClientResponse>> Client::send(ClientRequest request) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto& pools = state_->idle_of(&executor.context());
  auto started = state_->clock.mono();
  auto deadline = started + request.timeout;
  auto origin = request.url.origin();
  auto head = head_of(request);
  if (request.body.size() <= kCopyBodyMax) head += request.body;
  state_->earn_retry();
  auto connection = state_->take(pools, origin);
  for (;;) {
    if (!connection) {
      auto made = co_await state_->connect(request.url, deadline - state_->clock.mono());
      if (!made) {
        state_->failures.add();
        co_return std::unexpected(std::move(made).error().within(origin));
      }
      connection = std::move(*made);
    }
    connection->stream->set_deadline(deadline);
    auto response = co_await state_->exchange(*connection, request, head);
    if (response) {
      response->elapsed = state_->clock.mono() - started;
      state_->requests.add();
      state_->duration.observe(response->elapsed);
      if (connection->reader.is_reusable()) {
        state_->give_back(pools, origin, std::move(connection));
      }
      co_return response;
    }
    bool has_died_unheard = connection->is_reused && !connection->reader.has_begun() &&
                            response.error().code == ErrorCode::Unavailable;
    if (!has_died_unheard || !is_idempotent(request.method) || !state_->spend_retry()) {
      state_->failures.add();
      co_return std::unexpected(std::move(response).error().within(origin));
    }
    state_->retries.add();
    connection.reset();
  }
}

}  // namespace weft::http
