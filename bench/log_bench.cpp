// The embedded log under 1, 64 and 256 concurrent writers of 1 KB records, one JSON line per run:
// records per second, CPU per record of the callers' loop and of the log's own threads, syncs and
// allocations per record. The raw fdatasync of the same folder is measured before and after.
//
//   log_bench DIRECTORY [seconds]
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <new>
#include <vector>

#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/embedded_log.h"
#include "runtime/run_until_done.h"
#include "runtime/task_group.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Not inlined: g++ 12 would see malloc meet delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace weft::eventlog {
namespace {

constexpr std::size_t kRecordBytes = 1024;
constexpr std::int32_t kPartitions = 16;

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

// CPU seconds of each thread of this process.
std::map<int, double> thread_seconds() {
  std::map<int, double> seconds;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    auto path = task.path() / "schedstat";
    FILE* file = std::fopen(path.c_str(), "r");
    if (file == nullptr) continue;
    unsigned long long nanoseconds = 0;
    if (std::fscanf(file, "%llu", &nanoseconds) == 1) {
      seconds[std::atoi(task.path().filename().c_str())] = static_cast<double>(nanoseconds) / 1e9;
    }
    std::fclose(file);
  }
  return seconds;
}

// What the kernel alone costs: one write and one fdatasync of `records` records of 1 KB, in a file
// that was written before.
void raw_sync(const std::string& folder, std::size_t records) {
  constexpr std::size_t kFileBytes = 32 * 1024 * 1024;
  auto path = folder + "/raw";
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::string zeros(kFileBytes, '\0');
  if (file < 0 || ::pwrite(file, zeros.data(), zeros.size(), 0) < 0 || ::fsync(file) != 0)
    std::abort();
  std::string group(records * kRecordBytes, 'x');
  std::vector<double> microseconds;
  auto thread = static_cast<int>(::syscall(SYS_gettid));
  auto cpu = thread_seconds()[thread];
  auto start = Steady::now();
  for (std::size_t at = 0; seconds_since(start) < 1; at += group.size()) {
    if (at + group.size() > kFileBytes) at = 0;
    auto begun = Steady::now();
    if (::pwrite(file, group.data(), group.size(), static_cast<off_t>(at)) < 0 ||
        ::fdatasync(file) != 0) {
      std::abort();
    }
    microseconds.push_back(seconds_since(begun) * 1e6);
  }
  cpu = thread_seconds()[thread] - cpu;
  ::close(file);
  ::unlink(path.c_str());
  auto written = static_cast<double>(records * microseconds.size());
  std::ranges::sort(microseconds);
  fmt::print(
      "{{\"bench\":\"raw_fdatasync\",\"records\":{},\"p50_us\":{:.0f},\"p99_us\":{:.0f},"
      "\"cpu_us_per_record\":{:.2f}}}\n",
      records, microseconds[microseconds.size() / 2], microseconds[microseconds.size() * 99 / 100],
      cpu / written * 1e6);
}

void raw_syncs(const std::string& folder) {
  for (std::size_t records : {1, 64, 256}) raw_sync(folder, records);
}

struct Run {
  EmbeddedLog& log;
  StreamId stream;
  bool stopping = false;
  std::uint64_t records = 0;
  std::vector<float> microseconds;
};

Task<void> write_batches(Run& run, std::int32_t partition) {
  BatchBuilder builder;
  builder.add(1'700'000'000'000, std::nullopt, std::string(kRecordBytes, 'v'));
  auto batch = builder.finish().value();
  while (!run.stopping) {
    std::vector<BatchToAppend> batches;
    batches.push_back({{run.stream, partition}, batch});
    auto begun = Steady::now();
    auto outcomes = co_await run.log.append(std::move(batches));
    if (outcomes.at(0).status != AppendStatus::Appended) std::abort();
    run.microseconds.push_back(static_cast<float>(seconds_since(begun) * 1e6));
    ++run.records;
  }
}

Task<void> write_records(Run& run, std::int32_t partition) {
  while (!run.stopping) {
    NewRecords records;
    records.stream = run.stream;
    records.partition = partition;
    NewRecord record;
    record.value = std::string(kRecordBytes, 'v');
    records.records.push_back(std::move(record));
    std::vector<NewRecords> entry;
    entry.push_back(std::move(records));
    auto begun = Steady::now();
    auto appended = co_await run.log.append(std::move(entry));
    if (!appended) std::abort();
    run.microseconds.push_back(static_cast<float>(seconds_since(begun) * 1e6));
    ++run.records;
  }
}

Task<void> writers(Run& run, int count, bool through_records, Clock& clock, Duration time) {
  TaskGroup group(co_await boost::asio::this_coro::executor, "writers", 1000);
  for (int i = 0; i < count; ++i) {
    auto partition = static_cast<std::int32_t>(i % kPartitions);
    if (through_records)
      group.spawn(write_records(run, partition));
    else
      group.spawn(write_batches(run, partition));
  }
  [[maybe_unused]] auto slept = co_await clock.sleep_for(time);
  run.stopping = true;
  co_await group.join();
}

void measure(EmbeddedLog& log, StreamId stream, Metrics& metrics, Clock& clock, IoContext& loop,
             int count, bool through_records, Duration time) {
  Run run{log, stream, false, 0, {}};
  run.microseconds.reserve(10'000'000);
  auto& fsyncs = metrics.counter("weft_log_fsyncs_total", "");
  auto syncs = fsyncs.value();
  auto allocated = allocations.load();
  auto before = thread_seconds();
  auto start = Steady::now();
  run_until_done(loop, writers(run, count, through_records, clock, time));
  auto took = seconds_since(start);
  auto after = thread_seconds();
  auto allocated_now = allocations.load();
  double caller = 0;
  double own = 0;   // the log's busiest thread: the log thread
  double rest = 0;  // placement and cold reads
  for (const auto& [thread, seconds] : after) {
    auto used = seconds - (before.contains(thread) ? before[thread] : 0);
    if (thread == static_cast<int>(::syscall(SYS_gettid)))
      caller = used;
    else if (used > own)
      rest += std::exchange(own, used);
    else
      rest += used;
  }
  auto records = static_cast<double>(run.records);
  std::ranges::sort(run.microseconds);
  fmt::print(
      "{{\"bench\":\"log_append\",\"face\":\"{}\",\"writers\":{},\"records_per_s\":{:.0f},"
      "\"p50_us\":{:.0f},\"p99_us\":{:.0f},\"fsyncs_per_record\":{:.4f},"
      "\"caller_cpu_us_per_record\":{:.2f},\"log_thread_cpu_us_per_record\":{:.2f},"
      "\"background_cpu_us_per_record\":{:.2f},\"allocations_per_record\":{:.1f}}}\n",
      through_records ? "records" : "batches", count, records / took,
      run.microseconds[run.microseconds.size() / 2],
      run.microseconds[run.microseconds.size() * 99 / 100],
      static_cast<double>(fsyncs.value() - syncs) / records, caller / records * 1e6,
      own / records * 1e6, rest / records * 1e6,
      static_cast<double>(allocated_now - allocated) / records);
  std::fflush(stdout);
}

int run_all(const std::string& directory, Duration time) {
  auto folder = directory + "/log-bench";
  std::filesystem::remove_all(folder);
  IoContext loop;
  PosixFileSystem files;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  LogOptions options;
  options.folder = folder;
  raw_syncs(directory);
  auto opened = run_until_done(loop, EmbeddedLog::open(files, clock, random, metrics, options));
  if (!opened) {
    fmt::print(stderr, "log_bench: {}\n", opened.error().message);
    return 1;
  }
  auto& log = **opened;
  StreamSettings settings;
  settings.name = "bench.record.written.v1";
  settings.partitions = kPartitions;
  settings.retention_bytes = 8 * 1024 * 1024;
  auto stream = run_until_done(loop, log.create_stream(settings)).value().id;
  for (bool through_records : {false, true}) {
    for (int count : {1, 64, 256}) {
      measure(log, stream, metrics, clock, loop, count, through_records, time);
    }
  }
  run_until_done(loop, log.close());
  raw_syncs(directory);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace weft::eventlog

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: log_bench DIRECTORY [seconds]\n");
    return 1;
  }
  auto seconds = argc > 2 ? std::atof(argv[2]) : 3.0;
  auto time = std::chrono::duration_cast<weft::Duration>(std::chrono::duration<double>(seconds));
  return weft::eventlog::run_all(argv[1], time);
}
