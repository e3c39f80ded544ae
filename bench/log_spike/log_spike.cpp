// The storage spike behind docs/adr/0001-log-storage.md: what one write-ahead log with group
// commit, background placement into shared segments and recovery cost on this machine. A measuring
// stick, not product code: plain POSIX calls, one JSON line per figure.
//
//   log_spike DIRECTORY
#include <fcntl.h>
#include <fmt/format.h>
#include <nmmintrin.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kRecord = 1024;
constexpr std::size_t kWalBytes = 64 * 1024 * 1024;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  auto of = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(use.ru_utime) + of(use.ru_stime);
}

// Bytes written to the whole device that holds `directory`, as the kernel counts its sectors. (The
// process's own write_bytes counts dirtied folios, which overstates small writes several times.)
std::uint64_t device_bytes_written(const std::string& directory) {
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0) return 0;
  auto path = fmt::format("/sys/dev/block/{}:{}/stat", major(info.st_dev), minor(info.st_dev));
  FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return 0;
  unsigned long long sectors = 0;
  if (std::fscanf(file, "%*u %*u %*u %*u %*u %*u %llu", &sectors) != 1) sectors = 0;
  std::fclose(file);
  return sectors * 512;
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int open_file(const std::string& path, int flags) {
  int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) die(path.c_str());
  return fd;
}

void must(bool ok, const char* what) {
  if (!ok) die(what);
}

std::uint32_t crc32c(std::string_view bytes) {
  std::uint64_t crc = 0xffffffff;
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    crc = _mm_crc32_u64(crc, word);
    bytes.remove_prefix(8);
  }
  return ~static_cast<std::uint32_t>(crc);
}

enum class Kind { Growing, Allocated, Recycled, Direct };

const char* name(Kind kind) {
  switch (kind) {
    case Kind::Growing:
      return "growing";
    case Kind::Allocated:
      return "allocated";
    case Kind::Recycled:
      return "recycled";
    case Kind::Direct:
      return "recycled+O_DIRECT";
  }
  return "";
}

int prepare(const std::string& path, Kind kind) {
  int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
  if (kind == Kind::Allocated) must(posix_fallocate(fd, 0, kWalBytes) == 0, "fallocate");
  if (kind == Kind::Recycled || kind == Kind::Direct) {
    std::string zeros(1 << 20, '\0');
    for (std::size_t at = 0; at < kWalBytes; at += zeros.size())
      must(pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0, "zero");
  }
  must(fsync(fd) == 0, "fsync");
  if (kind != Kind::Direct) return fd;
  close(fd);
  return open_file(path, O_RDWR | O_DIRECT);
}

struct Latencies {
  std::vector<double> microseconds;
  double at(double q) {
    std::sort(microseconds.begin(), microseconds.end());
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))];
  }
};

// One group of `group` records of 1 KB per write and fdatasync, until 1.5 s have passed or the file
// is full.
void group_commit(const std::string& path, Kind kind, std::size_t group) {
  int fd = prepare(path, kind);
  std::size_t bytes = group * kRecord;
  if (kind == Kind::Direct) bytes = (bytes + 4095) / 4096 * 4096;
  char* buffer = static_cast<char*>(std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096));
  std::memset(buffer, 'x', bytes);
  std::vector<iovec> parts;
  for (std::size_t at = 0; at < bytes && kind != Kind::Direct; at += kRecord)
    parts.push_back({buffer + at, kRecord});
  if (kind == Kind::Direct) parts.push_back({buffer, bytes});
  Latencies latencies;
  auto cpu = cpu_seconds();
  auto start = Steady::now();
  std::size_t at = 0;
  while (seconds_since(start) < 1.5 && at + bytes <= kWalBytes) {
    auto begun = Steady::now();
    for (std::size_t first = 0; first < parts.size(); first += 1024) {
      auto count = std::min<std::size_t>(1024, parts.size() - first);
      must(pwritev(fd, &parts[first], static_cast<int>(count),
                   static_cast<off_t>(at + first * kRecord)) > 0,
           "pwritev");
    }
    must(fdatasync(fd) == 0, "fdatasync");
    latencies.microseconds.push_back(seconds_since(begun) * 1e6);
    at += bytes;
  }
  auto took = seconds_since(start);
  auto groups = static_cast<double>(latencies.microseconds.size());
  auto records = groups * static_cast<double>(group);
  fmt::print(
      "{{\"figure\":\"group_commit\",\"file\":\"{}\",\"records\":{},\"syncs_per_s\":{:.0f},"
      "\"records_per_s\":{:.0f},\"p50_us\":{:.0f},\"p99_us\":{:.0f},\"cpu_us_per_record\":{:.2f}}}"
      "\n",
      name(kind), group, groups / took, records / took, latencies.at(0.5), latencies.at(0.99),
      (cpu_seconds() - cpu) / records * 1e6);
  std::free(buffer);
  close(fd);
  unlink(path.c_str());
}

// The alternative that the log does not use: a file and a sync per partition of a group.
void sync_per_partition(const std::string& directory, std::size_t partitions) {
  std::vector<int> files;
  for (std::size_t i = 0; i < partitions; ++i)
    files.push_back(open_file(fmt::format("{}/p{}", directory, i), O_RDWR | O_CREAT | O_TRUNC));
  std::string record(kRecord, 'x');
  auto start = Steady::now();
  std::size_t rounds = 0;
  while (seconds_since(start) < 1.5 || rounds == 0) {
    for (int fd : files)
      must(pwrite(fd, record.data(), kRecord, static_cast<off_t>(rounds * kRecord)) > 0, "pwrite");
    for (int fd : files) must(fdatasync(fd) == 0, "fdatasync");
    ++rounds;
  }
  auto took = seconds_since(start);
  fmt::print(
      "{{\"figure\":\"sync_per_partition\",\"partitions\":{},\"groups_per_s\":{:.1f},"
      "\"records_per_s\":{:.0f},\"descriptors\":{}}}\n",
      partitions, static_cast<double>(rounds) / took,
      static_cast<double>(rounds * partitions) / took, partitions);
  for (std::size_t i = 0; i < partitions; ++i) {
    close(files[i]);
    unlink(fmt::format("{}/p{}", directory, i).c_str());
  }
}

struct EntryHead {
  std::uint32_t crc;
  std::uint32_t length;
  std::uint64_t position;
  std::uint32_t partition;
  std::uint32_t reserved;
};
constexpr std::size_t kEntry = sizeof(EntryHead) + kRecord;

// Fills a WAL file with 1 KB records of `partitions` partitions in turn, then rewrites it grouped
// by partition into one shared segment, then replays it as recovery would.
void place_and_recover(const std::string& directory, std::size_t partitions) {
  auto wal_path = directory + "/wal";
  int wal = prepare(wal_path, Kind::Recycled);
  auto written = device_bytes_written(directory);
  std::size_t entries = kWalBytes / kEntry;
  std::string block;
  std::string payload(kRecord, 'y');
  for (std::size_t i = 0; i < entries; ++i) {
    EntryHead head{crc32c(payload), kRecord, i * kEntry,
                   static_cast<std::uint32_t>(i * 2654435761u % partitions), 0};
    block.append(reinterpret_cast<const char*>(&head), sizeof head).append(payload);
    if ((i + 1) % 256 != 0 && i + 1 != entries) continue;
    auto at = static_cast<off_t>((i + 1) * kEntry - block.size());
    must(pwrite(wal, block.data(), block.size(), at) > 0, "write");
    must(fdatasync(wal) == 0, "sync");
    block.clear();
  }

  std::vector<std::vector<std::uint64_t>> index(partitions);
  for (std::size_t i = 0; i < entries; ++i)
    index[i * 2654435761u % partitions].push_back(i * kEntry + sizeof(EntryHead));
  auto segment_path = directory + "/segment";
  int segment = open_file(segment_path, O_RDWR | O_CREAT | O_TRUNC);
  auto cpu = cpu_seconds();
  auto start = Steady::now();
  std::string out;
  std::size_t end = 0;
  for (const auto& positions : index) {
    for (auto position : positions) {
      auto old = out.size();
      out.resize(old + kRecord);
      must(pread(wal, out.data() + old, kRecord, static_cast<off_t>(position)) > 0, "pread");
      if (out.size() < (1 << 20)) continue;
      must(pwrite(segment, out.data(), out.size(), static_cast<off_t>(end)) > 0, "pwrite");
      end += out.size();
      out.clear();
    }
  }
  must(out.empty() || pwrite(segment, out.data(), out.size(), static_cast<off_t>(end)) > 0,
       "pwrite");
  must(fdatasync(segment) == 0, "sync");
  auto user = static_cast<double>(entries * kRecord);
  fmt::print(
      "{{\"figure\":\"placement\",\"partitions\":{},\"wal_mb\":64,\"seconds\":{:.3f},\"cpu_us_per_"
      "record\":{:.2f},"
      "\"write_amplification\":{:.2f},\"descriptors\":2}}\n",
      partitions, seconds_since(start), (cpu_seconds() - cpu) / static_cast<double>(entries) * 1e6,
      static_cast<double>(device_bytes_written(directory) - written) / user);

  for (bool cold : {false, true}) {
    if (cold) must(posix_fadvise(wal, 0, 0, POSIX_FADV_DONTNEED) == 0, "fadvise");
    std::string chunk(1 << 20, '\0');
    std::vector<std::vector<std::uint64_t>> rebuilt(partitions);
    start = Steady::now();
    std::size_t good = 0;
    for (std::size_t at = 0; at + kEntry <= kWalBytes; at += chunk.size() / kEntry * kEntry) {
      auto got = pread(wal, chunk.data(), chunk.size(), static_cast<off_t>(at));
      must(got > 0, "pread");
      for (std::size_t in = 0; in + kEntry <= static_cast<std::size_t>(got); in += kEntry) {
        EntryHead head;
        std::memcpy(&head, chunk.data() + in, sizeof head);
        if (head.crc != crc32c({chunk.data() + in + sizeof head, kRecord})) continue;
        rebuilt[head.partition].push_back(head.position);
        ++good;
      }
    }
    auto took = seconds_since(start);
    fmt::print(
        "{{\"figure\":\"recovery\",\"partitions\":{},\"cache\":\"{}\",\"entries\":{},\"seconds_per_"
        "gb\":{:.2f}}}\n",
        partitions, cold ? "cold" : "warm", good, took / (static_cast<double>(kWalBytes) / 1e9));
  }
  close(wal);
  close(segment);
  unlink(wal_path.c_str());
  unlink(segment_path.c_str());
}

void roll_cost(const std::string& directory) {
  Latencies fresh;
  int dir = open_file(directory, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 15; ++i) {
    auto path = fmt::format("{}/roll{}", directory, i);
    auto begun = Steady::now();
    int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    must(posix_fallocate(fd, 0, kWalBytes) == 0 && fsync(fd) == 0 && fsync(dir) == 0, "create");
    fresh.microseconds.push_back(seconds_since(begun) * 1e6);
    close(fd);
    unlink(path.c_str());
  }
  fmt::print("{{\"figure\":\"create_wal_file\",\"p50_us\":{:.0f},\"max_us\":{:.0f}}}\n",
             fresh.at(0.5), fresh.at(1));
  close(dir);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: log_spike DIRECTORY\n");
    return 1;
  }
  std::string directory = argv[1];
  for (int round = 0; round < 3; ++round)
    for (std::size_t group : {1, 16, 64, 256, 1024})
      for (Kind kind : {Kind::Growing, Kind::Allocated, Kind::Recycled, Kind::Direct})
        group_commit(directory + "/wal", kind, group);
  for (std::size_t partitions : {1, 100, 1000}) sync_per_partition(directory, partitions);
  for (std::size_t partitions : {1, 100, 10'000}) place_and_recover(directory, partitions);
  roll_cost(directory);
  return 0;
}
