// The acknowledgement set with a million records in flight, with and without order keys: what each
// record costs in memory, in CPU time to take and settle, and in bytes of journal. One JSON line
// per figure.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "eventlog/ack_set.h"

namespace {

using namespace weft;
using eventlog::AckSet;
using eventlog::Offset;

constexpr std::uint32_t kInFlight = 1'000'000;

double cpu_ns() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) * 1e9 + static_cast<double>(spent.tv_nsec);
}

double resident_mb() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) * 1024 / 1e6;
  }
  return 0;
}

void report(std::string_view order, std::string_view name, double value, std::string_view unit) {
  fmt::print(
      "{{\"bench\":\"acks\",\"order\":\"{}\",\"name\":\"{}\",\"value\":{:.1f},\"unit\":\"{}\"}}\n",
      order, name, value, unit);
}

// `keys` of 0: none.
void measure(std::string_view order, std::uint64_t keys) {
  std::mt19937_64 chance(7);
  std::vector<Offset> settling(kInFlight);
  for (Offset i = 0; i < kInFlight; ++i) settling[static_cast<std::size_t>(i)] = i;
  std::ranges::shuffle(settling, chance);
  auto key_of = [keys](Offset offset) {
    if (keys == 0) return eventlog::OrderKey::None;
    auto key = static_cast<std::uint64_t>(offset) % keys;
    return eventlog::order_key(std::string_view(reinterpret_cast<const char*>(&key), sizeof key));
  };

  auto resident = resident_mb();
  AckSet set(0, eventlog::AckLimits{kInFlight});
  auto start = cpu_ns();
  for (Offset offset = 0; offset < kInFlight; ++offset) {
    auto deadline = WallTime(std::chrono::seconds(1'700'000'000 + offset % 3600));
    if (!set.acquire(offset, key_of(offset), deadline)) return;
  }
  report(order, "acquire", (cpu_ns() - start) / kInFlight, "ns/record");
  report(order, "memory", static_cast<double>(set.memory_bytes()) / 1e6, "MB");
  report(order, "resident", resident_mb() - resident, "MB");

  start = cpu_ns();
  auto snapshot = set.snapshot();
  report(order, "snapshot", (cpu_ns() - start) / 1e6, "ms");
  report(order, "snapshot_bytes", static_cast<double>(snapshot.size()) / kInFlight, "bytes/record");
  start = cpu_ns();
  bool is_restored = AckSet::restore(snapshot, eventlog::AckLimits{kInFlight}).has_value();
  if (is_restored) report(order, "restore", (cpu_ns() - start) / 1e6, "ms");

  // A thousand settled and taken between two pieces of the journal.
  start = cpu_ns();
  std::size_t bytes = 0;
  double writing = 0;
  for (std::uint32_t i = 0; i < kInFlight; ++i) {
    set.ack(settling[i]);
    if (i % 1000 != 999) continue;
    auto before = cpu_ns();
    bytes += set.journal().size();
    writing += cpu_ns() - before;
  }
  // Those that were held back are left: they are settled as their turn comes.
  for (auto taken = set.acquire_due(WallTime::max()); taken;
       taken = set.acquire_due(WallTime::max())) {
    set.ack(taken->offset);
  }
  report(order, "settle", (cpu_ns() - start - writing) / kInFlight, "ns/record");
  report(order, "journal", writing / kInFlight, "ns/record");
  report(order, "journal_bytes", static_cast<double>(bytes) / kInFlight, "bytes/record");
}

}  // namespace

int main() {
  for (int round = 0; round < 3; ++round) {
    measure("none", 0);
    measure("key", 2 * std::uint64_t{kInFlight});
    measure("few-keys", 100'000);
  }
}
