#include "app/node/doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "app/cli/admin_client.h"
#include "app/cli/output.h"
#include "runtime/clock.h"

namespace weft::app {
namespace {

constexpr int kSyncProbes = 15;
constexpr std::uint64_t kGiB = 1ull << 30;

// Writes and syncs a block a few times; the error is for a folder that cannot be written to.
Result<Duration> measure_sync(const std::string& folder) {
  auto path = folder + "/doctor.probe";
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(ErrorCode::PermissionDenied, "cannot write to {}: {}", folder, std::strerror(errno));
  SystemClock clock;
  std::vector<Duration> times;
  std::string block(4096, 'x');
  for (int i = 0; i < kSyncProbes; ++i) {
    auto began = clock.mono();
    if (::pwrite(file, block.data(), block.size(), 0) < 0 || ::fdatasync(file) != 0) break;
    times.push_back(clock.mono() - began);
  }
  auto error = errno;
  ::close(file);
  ::unlink(path.c_str());
  if (times.size() < kSyncProbes) return fail(ErrorCode::IoError, "a write to {} failed: {}", folder, std::strerror(error));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::vector<DoctorFinding> examine_machine(const std::string& folder) {
  std::vector<DoctorFinding> findings;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  findings.push_back(judge_open_files(files.rlim_cur));
  SystemClock clock;
  auto day = std::chrono::floor<std::chrono::days>(clock.now());
  findings.push_back(judge_clock_year(static_cast<int>(std::chrono::year_month_day(day).year())));

  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    findings.push_back({Verdict::Warning, "data folder", folder + " does not exist",
                        "`weft up` makes it; or name the right one with --data"});
    return findings;
  }
  struct statvfs space {};
  if (::statvfs(folder.c_str(), &space) == 0) {
    findings.push_back(judge_free_space(space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize));
  }
  if ((info.st_mode & 077) != 0) {
    findings.push_back({Verdict::Warning, "data folder", "readable by other users of this machine",
                        "chmod 700 " + folder});
  }
  auto sync = measure_sync(folder);
  if (sync) findings.push_back(judge_sync(*sync));
  else findings.push_back({Verdict::Bad, "data folder", sync.error().message, "run as its owner, or free the disk"});
  return findings;
}

void examine_node(const Arguments& arguments, std::vector<DoctorFinding>& findings) {
  auto client = AdminClient::connect(arguments);
  if (!client) {
    findings.push_back({Verdict::Warning, "node", client.error().message, "start one with `weft up`"});
    return;
  }
  auto health = client->expect("GET", "/health");
  if (!health) {
    findings.push_back({Verdict::Bad, "node", health.error().message, "look at its log"});
    return;
  }
  for (const auto& check : health->json.root().find("checks")->elements()) {
    const auto* status = check.find("status");
    const auto* message = check.find("message");
    auto verdict = status->as_string() == "pass" ? Verdict::Good
                   : status->as_string() == "warn" ? Verdict::Warning : Verdict::Bad;
    findings.push_back({verdict, "node: " + std::string(check.find("name")->as_string()),
                        message != nullptr ? std::string(message->as_string()) : std::string(status->as_string()),
                        ""});
  }
}

}  // namespace

DoctorFinding judge_free_space(std::uint64_t free_bytes, std::uint64_t total_bytes) {
  auto observed = fmt::format("{:.1f} GiB of {:.1f} GiB free", static_cast<double>(free_bytes) / kGiB,
                              static_cast<double>(total_bytes) / kGiB);
  if (free_bytes < kGiB / 4) {
    return {Verdict::Bad, "disk", observed, "appends are refused below log.reserveBytes: free space or shorten a retention"};
  }
  if (free_bytes < 2 * kGiB || free_bytes < total_bytes / 20) {
    return {Verdict::Warning, "disk", observed, "free space, or shorten a retention"};
  }
  return {Verdict::Good, "disk", observed, ""};
}

DoctorFinding judge_open_files(std::uint64_t limit) {
  auto observed = fmt::format("{} open files allowed", limit);
  if (limit >= 4096) return {Verdict::Good, "open files", observed, ""};
  return {Verdict::Warning, "open files", observed,
          "each connection needs one: raise it with ulimit -n 65536 or LimitNOFILE="};
}

DoctorFinding judge_sync(Duration median) {
  auto microseconds = std::chrono::duration<double, std::micro>(median).count();
  auto observed = fmt::format("fdatasync takes {:.0f} µs", microseconds);
  if (microseconds < 15) {
    return {Verdict::Warning, "durability", observed,
            "that is faster than a medium can be: the data folder seems to lie in memory, or the disk acknowledges early"};
  }
  if (microseconds > 20'000) {
    return {Verdict::Warning, "durability", observed, "every acknowledged write waits that long: use a faster disk"};
  }
  return {Verdict::Good, "durability", observed, ""};
}

DoctorFinding judge_clock_year(int year) {
  auto observed = fmt::format("the clock says {}", year);
  if (year >= 2025 && year < 2100) return {Verdict::Good, "clock", observed, ""};
  return {Verdict::Bad, "clock", observed, "set the clock: retention and signatures depend on it"};
}

int run_doctor(const Arguments& arguments) {
  auto findings = examine_machine(arguments.get("data"));
  examine_node(arguments, findings);
  auto worst = Verdict::Good;
  for (const auto& finding : findings) {
    worst = std::max(worst, finding.verdict);
    auto mark = finding.verdict == Verdict::Good ? "ok  " : finding.verdict == Verdict::Warning ? "warn" : "BAD ";
    fmt::print("{}  {:<16} {}\n", mark, finding.subject, finding.observed);
    if (!finding.advice.empty()) fmt::print("      {:<16} → {}\n", "", finding.advice);
  }
  return worst == Verdict::Bad ? 1 : 0;
}

}  // namespace weft::app
