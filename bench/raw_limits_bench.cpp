// What the machine gives by itself, taken before and after other benches: fdatasync of 4 KB in a
// file that was written before, memory copy, a round trip of 100 bytes over loopback, a fixed piece
// of arithmetic. One JSON line per figure.
//
//   raw_limits_bench DIRECTORY [seconds per figure]
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;

double microseconds_since(Steady::time_point start) {
  return std::chrono::duration<double, std::micro>(Steady::now() - start).count();
}

double thread_cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

void print_percentiles(std::string_view name, std::vector<double> figures) {
  std::ranges::sort(figures);
  fmt::print(
      "{{\"bench\":\"raw_limits\",\"name\":\"{}\",\"unit\":\"us\",\"p50\":{:.1f},\"p99\":{:.1f},"
      "\"count\":{}}}\n",
      name, figures[figures.size() / 2], figures[figures.size() * 99 / 100], figures.size());
}

void sync_of_4k(const std::string& folder, double seconds) {
  constexpr std::size_t kFileBytes = 16 * 1024 * 1024;
  constexpr std::size_t kBlock = 4096;
  auto path = folder + "/raw-limits";
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::string zeros(kFileBytes, '\0');
  if (file < 0 || ::pwrite(file, zeros.data(), zeros.size(), 0) < 0 || ::fsync(file) != 0)
    std::abort();
  std::string block(kBlock, 'x');
  std::vector<double> figures;
  auto start = Steady::now();
  for (std::size_t at = 0; microseconds_since(start) < seconds * 1e6; at += kBlock) {
    auto begun = Steady::now();
    auto offset = static_cast<off_t>(at % kFileBytes);
    if (::pwrite(file, block.data(), block.size(), offset) < 0 || ::fdatasync(file) != 0)
      std::abort();
    figures.push_back(microseconds_since(begun));
  }
  ::close(file);
  ::unlink(path.c_str());
  print_percentiles("fdatasync_4k", std::move(figures));
}

void memory_copy(double seconds) {
  constexpr std::size_t kBytes = 64 * 1024 * 1024;
  std::string from(kBytes, 'a');
  std::string to(kBytes, 'b');
  std::vector<double> rates;
  auto start = Steady::now();
  for (char mark = 'c'; microseconds_since(start) < seconds * 1e6; ++mark) {
    from[kBytes / 2] = mark;
    auto begun = thread_cpu_seconds();
    std::memcpy(to.data(), from.data(), kBytes);
    auto spent = thread_cpu_seconds() - begun;
    if (to[kBytes / 2] != mark) std::abort();
    rates.push_back(static_cast<double>(kBytes) / spent / 1e9);
  }
  std::ranges::sort(rates);
  fmt::print(
      "{{\"bench\":\"raw_limits\",\"name\":\"memory_copy\",\"unit\":\"GB/"
      "s\",\"median\":{:.2f},\"least\":{:.2f}}}\n",
      rates[rates.size() / 2], rates.front());
}

// The same dependent multiplications each time: how fast a core is for us now.
void arithmetic() {
  constexpr int kSteps = 20'000'000;
  std::vector<double> figures;
  std::uint64_t value = 1;
  for (int round = 0; round < 11; ++round) {
    auto begun = thread_cpu_seconds();
    for (int i = 0; i < kSteps; ++i)
      value = value * 6364136223846793005ULL + 1442695040888963407ULL;
    figures.push_back((thread_cpu_seconds() - begun) / kSteps * 1e9);
  }
  if (value == 0) std::abort();
  std::ranges::sort(figures);
  fmt::print(
      "{{\"bench\":\"raw_limits\",\"name\":\"multiply_add\",\"unit\":\"ns\",\"median\":{:.3f},"
      "\"least\":{:.3f}}}\n",
      figures[figures.size() / 2], figures.front());
}

void echo(int listener) {
  int peer = ::accept(listener, nullptr, nullptr);
  int one = 1;
  ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char buffer[256];
  for (;;) {
    auto got = ::read(peer, buffer, sizeof buffer);
    if (got <= 0 || ::write(peer, buffer, static_cast<std::size_t>(got)) < 0) break;
  }
  ::close(peer);
}

void loopback_round_trip(double seconds) {
  constexpr std::size_t kBytes = 100;
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0) std::abort();
  ::getsockname(listener, generic, &size);
  std::jthread server(echo, listener);
  int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(client, generic, size) != 0) std::abort();
  int one = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  std::vector<double> figures;
  std::string message(kBytes, 'm');
  char buffer[256];
  auto start = Steady::now();
  while (microseconds_since(start) < seconds * 1e6) {
    auto begun = Steady::now();
    if (::write(client, message.data(), message.size()) < 0) std::abort();
    for (std::size_t got = 0; got < kBytes;) {
      auto more = ::read(client, buffer, sizeof buffer);
      if (more <= 0) std::abort();
      got += static_cast<std::size_t>(more);
    }
    figures.push_back(microseconds_since(begun));
  }
  ::close(client);
  server.join();
  ::close(listener);
  print_percentiles("loopback_round_trip_100", std::move(figures));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: raw_limits_bench DIRECTORY [seconds per figure]\n");
    return 1;
  }
  auto seconds = count > 2 ? std::atof(arguments[2]) : 1.0;
  sync_of_4k(arguments[1], seconds);
  memory_copy(seconds);
  loopback_round_trip(seconds);
  arithmetic();
}
