// What `weft doctor` makes of what it observed: good, a warning or bad, with what to do about it.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace weft::app {

enum class Verdict : unsigned char { Good, Warning, Bad };

struct DoctorFinding {
  Verdict verdict = Verdict::Good;
  std::string subject;
  std::string observed;
  std::string advice;  // empty when good
};

// Below `reserve_bytes` (log.reserveBytes) appends are refused.
DoctorFinding judge_free_space(std::uint64_t free_bytes, std::uint64_t total_bytes,
                               std::uint64_t reserve_bytes);

// The file system below the data folder, as /proc/self/mountinfo tells it.
struct FileSystemFacts {
  std::string type;     // "ext4"
  std::string options;  // of the mount and of the file system, with commas between them
};
// The line of `mountinfo` whose mount point is nearest above `folder` (absolute).
std::optional<FileSystemFacts> find_file_system(std::string_view mountinfo,
                                                std::string_view folder);
DoctorFinding judge_file_system(const FileSystemFacts& facts);

// The disk below the data folder, as far as /sys tells it.
struct DiskFacts {
  bool is_rotating = false;
};
// The median of a few fdatasync calls. A medium that answers within microseconds does not write;
// one that turns needs a good part of a revolution for a block that it has just written.
DoctorFinding judge_sync(Duration median, DiskFacts disk);
// A process whose mapped files (/proc/PID/maps) hold a library that makes fsync do nothing.
DoctorFinding judge_mapped_libraries(std::string_view maps);

DoctorFinding judge_clock_year(int year);
struct ClockFacts {
  bool is_synchronised = false;
  Duration error_max{};  // what the kernel takes the clock to be off by at most
};
DoctorFinding judge_clock(ClockFacts facts);

// `connections_max`: what the settings allow at once.
DoctorFinding judge_open_files(std::uint64_t limit, std::uint64_t connections_max);
// "Max open files" of /proc/PID/limits.
std::optional<std::uint64_t> open_files_of_limits(std::string_view limits);
// `wanted_bytes`: what the settings allow queues and caches to hold. `limit_bytes`: of the machine
// or its cgroup.
DoctorFinding judge_memory(std::uint64_t limit_bytes, std::uint64_t wanted_bytes);

enum class PortHolder : unsigned char { Nobody, ThisNode, Another, Refused };
DoctorFinding judge_port(std::string_view setting, std::string_view endpoint, PortHolder holder,
                         std::string_view why);

struct CertificateFacts {
  std::string validity_warning;  // of certificate_warning(); empty: none
  bool is_valid_now = true;
  std::vector<std::string> names;
  std::string advertised;  // the name under which clients are sent here; empty: not known
  bool is_for_advertised = true;
  bool key_is_public = false;  // other users of this machine can read the private key
};
DoctorFinding judge_certificate(std::string_view listener, const CertificateFacts& facts);

struct FolderFacts {
  std::string path;
  unsigned mode = 0;  // as stat gives it
  bool is_own = true;
};
DoctorFinding judge_folder(const FolderFacts& facts);

// `running` empty: no node runs.
DoctorFinding judge_versions(std::string_view own, std::string_view running);

}  // namespace weft::app
