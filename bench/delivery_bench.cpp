// Signed deliveries over loopback sockets to a receiver of its own process: CPU of this process per
// delivery (log, journal, trace and HTTP client included), deliveries per second, log entries and
// log syncs per delivery. One JSON line per round.
//
//   delivery_bench DIRECTORY [deliveries] [rounds] [concurrency]
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include "delivery/delivery_service.h"
#include "eventlog/embedded/embedded_log.h"
#include "runtime/dialer.h"
#include "runtime/on_loop.h"
#include "runtime/socket_network.h"
#include "runtime/task_group.h"
#include "telemetry/trace_store.h"

namespace {

using namespace weft;

constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";

// Answers each request with 204; looks for the end of the head and Content-Length, no more.
struct Peer {
  int socket = -1;
  std::string input;

  bool serve() {
    char buffer[65536];
    auto got = ::read(socket, buffer, sizeof buffer);
    if (got <= 0) return false;
    input.append(buffer, static_cast<std::size_t>(got));
    while (true) {
      auto head = input.find("\r\n\r\n");
      if (head == std::string::npos) return true;
      auto length_at = input.find("ontent-Length: ");
      if (length_at == std::string::npos) length_at = input.find("ontent-length: ");
      auto length = static_cast<std::size_t>(std::atoll(input.c_str() + length_at + 15));
      if (input.size() < head + 4 + length) return true;
      input.erase(0, head + 4 + length);
      if (::write(socket, kAnswer.data(), kAnswer.size()) < 0) return false;
    }
  }
};

[[noreturn]] void receive(int listener) {
  std::vector<Peer> peers;
  while (true) {
    std::vector<pollfd> polled = {{listener, POLLIN, 0}};
    for (const auto& peer : peers) polled.push_back({peer.socket, POLLIN, 0});
    ::poll(polled.data(), polled.size(), -1);
    for (std::size_t i = peers.size(); i > 0; --i) {
      if (polled[i].revents == 0 || peers[i - 1].serve()) continue;
      ::close(peers[i - 1].socket);
      peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i) - 1);
    }
    if (polled[0].revents != 0) peers.push_back({::accept(listener, nullptr, nullptr), {}});
  }
}

int listen_on_loopback(std::uint16_t& port) {
  int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 1024) != 0) {
    std::abort();
  }
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return listener;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class NoSecrets final : public estate::SecretSource {
 public:
  Result<std::string> reveal(std::string_view text) const override { return std::string(text); }
};

std::string order(int number) {
  std::string lines;
  for (int line = 1; line <= 8; ++line) {
    lines += fmt::format(
        "{}{{\"line\":{},\"sku\":\"TEA-0042\",\"description\":\"Earl Grey, loose "
        "leaf\",\"quantity\":2,"
        "\"unitPrice\":9.95}}",
        line == 1 ? "" : ",", line);
  }
  return fmt::format(
      "{{\"orderId\":\"SO-{:08}\",\"currency\":\"EUR\",\"customer\":{{\"name\":\"Zoë "
      "Åkesson\"}},\"lines\":[{}]}}",
      number, lines);
}

struct Bench {
  Loops loops{1};
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  SocketNetwork network;
  PosixFileSystem files;
  NoSecrets secrets;
  telemetry::TraceStore traces;
  std::unique_ptr<eventlog::EmbeddedLog> log;
  std::unique_ptr<Dialer> dialer;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<delivery::ClientSender> sender;
  std::unique_ptr<delivery::DeliveryService> service;
  std::unique_ptr<TaskGroup> calls;
  eventlog::StreamId orders{};

  template <class T>
  static Task<void> keep(std::promise<T>& promise, Task<T> task) {
    promise.set_value(co_await std::move(task));
  }

  template <class T>
  T run(Task<T> task) {
    std::promise<T> promise;
    post_to(loops.at(0), [this, &promise, task = std::move(task)]() mutable {
      if (!calls) calls = std::make_unique<TaskGroup>(loops.at(0), "bench calls", 100);
      calls->spawn(keep(promise, std::move(task)));
    });
    return promise.get_future().get();
  }

  Task<bool> open(std::string folder) {
    eventlog::LogOptions options;
    options.folder = folder;
    log = *co_await eventlog::EmbeddedLog::open(files, clock, random, metrics, options);
    EgressPolicy policy;
    policy.allow_all = true;
    dialer = std::make_unique<Dialer>(network, clock, policy);
    http::ClientLimits limits;
    limits.idle_per_origin_max = 256;
    client = std::make_unique<http::Client>(*dialer, clock, metrics, limits);
    sender = std::make_unique<delivery::ClientSender>(*client);
    delivery::DeliveryParts parts{*log,   *sender, secrets, clock,
                                  random, metrics, &traces, {loops.at(0)}};
    service = std::make_unique<delivery::DeliveryService>(std::move(parts));
    eventlog::StreamSettings settings;
    settings.name = "orders";
    orders = (co_await log->create_stream(settings))->id;
    auto started = co_await service->start();
    co_return started.has_value();
  }

  Task<bool> publish(int first, int count) {
    for (int at = 0; at < count; at += 100) {
      eventlog::NewRecords records;
      records.stream = orders;
      records.partition = 0;
      for (int i = at; i < std::min(at + 100, count); ++i) {
        auto& record = records.records.emplace_back();
        record.key = fmt::format("SO-{:08}", first + i);
        record.value = order(first + i);
        record.headers = {{"ce_specversion", "1.0"},
                          {"ce_id", random.uuid_v7(clock.now()).text()},
                          {"ce_source", "/apis/orders"},
                          {"ce_type", "orders"},
                          {"content-type", "application/json"},
                          {"traceparent", TraceContext::start(random).traceparent()}};
      }
      std::vector<eventlog::NewRecords> entry;
      entry.push_back(std::move(records));
      if (!co_await log->append(std::move(entry))) co_return false;
    }
    co_return true;
  }

  Task<std::uint64_t> delivered() {
    auto status = co_await service->subscription("default", "crm");
    co_return status ? status->delivered : 0;
  }
  Task<bool> close() {
    co_await log->close();
    co_return true;
  }
  Task<void> serve(std::latch& ended) {
    co_await service->run(0);
    ended.count_down();
  }
};

delivery::Subscription subscription(std::uint16_t port, std::uint32_t concurrency, bool paused) {
  delivery::Subscription out;
  out.tenant = "default";
  out.name = "crm";
  out.streams = {"orders"};
  out.from = delivery::StartFrom::Earliest;
  out.url_text = fmt::format("http://127.0.0.1:{}/hooks/orders", port);
  out.url = *http::Url::parse(out.url_text);
  out.keys.push_back(*delivery::SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  out.concurrency = concurrency;
  out.paused = paused;
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "delivery_bench DIRECTORY [deliveries] [rounds] [concurrency]\n");
    return 1;
  }
  auto argument = [&](int at, int otherwise) {
    return count > at ? std::atoi(arguments[at]) : otherwise;
  };
  const int deliveries = argument(2, 20'000);
  const int rounds = argument(3, 5);
  const auto concurrency = static_cast<std::uint32_t>(argument(4, 64));
  std::uint16_t port = 0;
  int listener = listen_on_loopback(port);
  auto receiver = ::fork();
  if (receiver == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    receive(listener);
  }
  ::close(listener);

  std::string folder = std::string(arguments[1]) + "/delivery-bench";
  std::filesystem::remove_all(folder);
  {
    Bench bench;
    std::jthread thread([&bench] { bench.loops.run(); });
    if (!bench.run(bench.open(folder))) return 1;
    std::latch ended(1);
    std::unique_ptr<TaskGroup> group;
    post_to(bench.loops.at(0), [&] {
      group = std::make_unique<TaskGroup>(bench.loops.at(0), "bench", 1);
      group->spawn(bench.serve(ended));
    });
    auto apply = [&](bool paused) {
      std::vector<delivery::SubscriptionRef> all = {
          std::make_shared<const delivery::Subscription>(subscription(port, concurrency, paused))};
      bench.service->set_subscriptions(std::move(all));
    };
    for (int round = 0; round < rounds; ++round) {
      apply(true);
      if (!bench.run(bench.publish(round * deliveries, deliveries))) return 1;
      auto& entries = bench.metrics.counter("weft_delivery_journal_entries_total", "");
      auto entries_before = entries.value();
      auto done_before = bench.run(bench.delivered());
      auto cpu = cpu_seconds();
      auto start = std::chrono::steady_clock::now();
      apply(false);
      while (bench.run(bench.delivered()) < done_before + static_cast<std::uint64_t>(deliveries)) {
        std::this_thread::sleep_for(20ms);
      }
      auto spent = cpu_seconds() - cpu;
      auto elapsed =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      fmt::print(
          "{{\"bench\":\"delivery\",\"deliveries\":{},\"concurrency\":{},\"cpu_us_per_delivery\":{:"
          ".2f},"
          "\"per_second\":{:.0f},\"log_entries_per_delivery\":{:.4f}}}\n",
          deliveries, concurrency, spent * 1e6 / deliveries, deliveries / elapsed,
          static_cast<double>(entries.value() - entries_before) / deliveries);
      std::fflush(stdout);
    }
    bench.service->stop();
    ended.wait();
    std::latch joined(1);
    post_to(bench.loops.at(0), [&] {
      group->cancel();
      joined.count_down();
    });
    joined.wait();
    std::this_thread::sleep_for(50ms);
    bench.run(bench.close());
    std::latch freed(1);
    post_to(bench.loops.at(0), [&] {
      group.reset();
      bench.calls.reset();
      bench.service.reset();
      bench.client.reset();
      freed.count_down();
    });
    freed.wait();
    bench.loops.stop();
  }
  std::filesystem::remove_all(folder);
  ::kill(receiver, SIGKILL);
  ::waitpid(receiver, nullptr, 0);
  return 0;
}
