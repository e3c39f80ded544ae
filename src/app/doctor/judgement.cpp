#include "app/doctor/judgement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace weft::app {
namespace {

constexpr std::uint64_t kGibibyte = 1ull << 30;
constexpr std::uint64_t kMebibyte = 1ull << 20;
constexpr std::uint64_t kFewFiles = 4096;
constexpr auto kSoonestSync = std::chrono::microseconds(15);
constexpr auto kSoonestTurn = std::chrono::microseconds(500);
constexpr auto kSlowSync = std::chrono::milliseconds(20);
constexpr auto kClockErrorMax = std::chrono::seconds(1);

std::string gib(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / kGibibyte);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool has_option(const FileSystemFacts& facts, std::string_view wanted) {
  return std::ranges::any_of(split(facts.options, ','),
                             [&](std::string_view option) { return option == wanted; });
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> known) {
  return std::ranges::find(known, text) != known.end();
}

// Mount points write a blank as \040, and so on.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ec == std::errc()) {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_below(std::string_view folder, std::string_view mount_point) {
  if (mount_point == "/") return folder.starts_with('/');
  return folder.starts_with(mount_point) &&
         (folder.size() == mount_point.size() || folder[mount_point.size()] == '/');
}

}  // namespace

DoctorFinding judge_free_space(std::uint64_t free_bytes, std::uint64_t total_bytes,
                               std::uint64_t reserve_bytes) {
  auto observed = fmt::format("{} of {} free", gib(free_bytes), gib(total_bytes));
  if (free_bytes < reserve_bytes) {
    return {
        Verdict::Bad, "disk space", observed,
        fmt::format(
            "appends are refused below log.reserveBytes ({} MiB): free space or shorten a retention",
            reserve_bytes / kMebibyte)};
  }
  if (free_bytes < 2 * kGibibyte || free_bytes < total_bytes / 20) {
    return {Verdict::Warning, "disk space", observed, "free space, or shorten a retention"};
  }
  return {Verdict::Good, "disk space", observed, ""};
}

std::optional<FileSystemFacts> find_file_system(std::string_view mountinfo,
                                                std::string_view folder) {
  std::optional<FileSystemFacts> best;
  std::size_t longest = 0;
  for (auto line : split(mountinfo, '\n')) {
    auto parts = split(line, ' ');
    auto dash = std::ranges::find(parts, "-");
    if (parts.size() < 10 || parts.end() - dash < 4) continue;
    auto point = unescaped(parts[4]);
    // A later line of the same point hides the earlier one.
    if (!is_below(folder, point) || point.size() < longest) continue;
    longest = point.size();
    best = FileSystemFacts{std::string(dash[1]), fmt::format("{},{}", parts[5], dash[3])};
  }
  return best;
}

DoctorFinding judge_file_system(const FileSystemFacts& facts) {
  auto with = [&](Verdict verdict, std::string advice) {
    return DoctorFinding{verdict, "file system", facts.type, std::move(advice)};
  };
  if (has_option(facts, "ro")) {
    return {Verdict::Bad, "file system", facts.type + ", mounted read-only",
            "mount it so that it can be written to"};
  }
  if (is_one_of(facts.type, {"tmpfs", "ramfs"})) {
    return with(
        Verdict::Bad,
        "it is memory: everything is lost at the next start of the machine; name a folder on a disk");
  }
  if (has_option(facts, "nobarrier") || has_option(facts, "barrier=0")) {
    return {Verdict::Bad, "file system", facts.type + " without write barriers",
            "a power cut loses acknowledged records: mount it without nobarrier"};
  }
  if (is_one_of(facts.type, {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph"}) ||
      facts.type.starts_with("fuse")) {
    return with(Verdict::Warning,
                "locks and fsync depend on another machine: use a local disk or a block device");
  }
  if (facts.type == "overlay") {
    return with(
        Verdict::Warning,
        "it is a container's own layer, which ends with the container: mount a volume there");
  }
  return with(Verdict::Good, "");
}

DoctorFinding judge_sync(Duration median, DiskFacts disk) {
  auto microseconds = std::chrono::duration<double, std::micro>(median).count();
  auto observed = fmt::format("fdatasync takes {:.0f} µs", microseconds);
  if (median < kSoonestSync) {
    return {
        Verdict::Warning, "durability", observed,
        "that is faster than a medium can be: the data folder lies in memory, or something acknowledges without "
        "writing (a preloaded library, a virtual disk with cache=unsafe)"};
  }
  if (disk.is_rotating && median < kSoonestTurn) {
    return {
        Verdict::Warning, "durability", observed + " on a rotating disk",
        "a platter does not turn that fast: its write cache acknowledges early; unless a battery backs it, turn it "
        "off (hdparm -W0)"};
  }
  if (median > kSlowSync) {
    return {Verdict::Warning, "durability", observed,
            "every acknowledged write waits that long: use a faster disk"};
  }
  return {Verdict::Good, "durability", observed, ""};
}

DoctorFinding judge_mapped_libraries(std::string_view maps) {
  for (std::string_view library : {"libeatmydata", "libnosync", "libfakesync"}) {
    if (maps.contains(library)) {
      return {Verdict::Bad, "preloaded library",
              fmt::format("{} is loaded: fsync does nothing", library),
              "start Weft without LD_PRELOAD: acknowledged records do not survive a power cut"};
    }
  }
  return {Verdict::Good, "preloaded library", "nothing stands between Weft and fsync", ""};
}

DoctorFinding judge_clock_year(int year) {
  auto observed = fmt::format("it is the year {}", year);
  if (year >= 2025 && year < 2100) return {Verdict::Good, "calendar", observed, ""};
  return {Verdict::Bad, "calendar", observed,
          "set the clock: retention and signatures depend on it"};
}

DoctorFinding judge_clock(ClockFacts facts) {
  auto milliseconds = std::chrono::duration<double, std::milli>(facts.error_max).count();
  if (!facts.is_synchronised) {
    return {
        Verdict::Warning, "clock", "not synchronised",
        "run chrony or systemd-timesyncd: signatures of webhooks and tokens are refused when it is off by minutes"};
  }
  auto observed = fmt::format("synchronised, off by at most {:.0f} ms", milliseconds);
  if (facts.error_max > kClockErrorMax) {
    return {Verdict::Warning, "clock", observed,
            "look at the time service (chronyc tracking, timedatectl)"};
  }
  return {Verdict::Good, "clock", observed, ""};
}

DoctorFinding judge_open_files(std::uint64_t limit, std::uint64_t connections_max) {
  auto observed = fmt::format("{} allowed, settings allow {} connections", limit, connections_max);
  if (limit < kFewFiles || limit < connections_max) {
    return {
        Verdict::Warning, "open files", observed,
        "each connection needs one: raise it with ulimit -n 65536 or LimitNOFILE=, or lower http.connectionsMax and "
        "kafka.connectionsMax"};
  }
  return {Verdict::Good, "open files", observed, ""};
}

std::optional<std::uint64_t> open_files_of_limits(std::string_view limits) {
  constexpr std::string_view kName = "Max open files";
  auto at = limits.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  auto rest = limits.substr(at + kName.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (rest.starts_with("unlimited")) return std::numeric_limits<std::uint64_t>::max();
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

DoctorFinding judge_memory(std::uint64_t limit_bytes, std::uint64_t wanted_bytes) {
  auto observed = fmt::format("{} MiB allowed, settings let queues and caches grow to {} MiB",
                              limit_bytes / kMebibyte, wanted_bytes / kMebibyte);
  if (limit_bytes < wanted_bytes) {
    return {Verdict::Warning, "memory", observed,
            "the kernel may end Weft under load: raise the limit, or lower log.queueBytesMax"};
  }
  return {Verdict::Good, "memory", observed, ""};
}

DoctorFinding judge_port(std::string_view setting, std::string_view endpoint, PortHolder holder,
                         std::string_view why) {
  auto subject = std::string(setting);
  switch (holder) {
    case PortHolder::Nobody:
      return {Verdict::Good, subject, fmt::format("{} is free", endpoint), ""};
    case PortHolder::ThisNode:
      return {Verdict::Good, subject, fmt::format("{} is held by this node", endpoint), ""};
    case PortHolder::Another:
      return {Verdict::Bad, subject, fmt::format("{} is held by another process", endpoint),
              fmt::format("end it (`ss -ltnp` names it), or set {} or ports.offset", setting)};
    case PortHolder::Refused:
      return {
          Verdict::Bad, subject, fmt::format("{} cannot be listened on: {}", endpoint, why),
          fmt::format(
              "set listen.address to an address of this machine and {} to a port that its user may take",
              setting)};
  }
  return {};
}

DoctorFinding judge_certificate(std::string_view listener, const CertificateFacts& facts) {
  auto subject = fmt::format("{} certificate", listener);
  auto observed = facts.names.empty() ? std::string("names no host")
                                      : fmt::format("for {}", fmt::join(facts.names, ", "));
  if (!facts.is_valid_now) {
    return {Verdict::Bad, subject, facts.validity_warning, "renew it and start Weft again"};
  }
  if (facts.key_is_public) {
    return {Verdict::Bad, subject, "other users of this machine can read its private key",
            "chmod 640 the key file and give it to Weft's group"};
  }
  if (facts.names.empty()) {
    return {
        Verdict::Warning, subject, observed,
        "clients look at subject alternative names alone: issue one with -addext subjectAltName=DNS:…"};
  }
  if (!facts.is_for_advertised) {
    return {Verdict::Warning, subject,
            fmt::format("{}, but clients are sent to {}", observed, facts.advertised),
            "issue one that names it, or set kafka.advertisedHost to a name that it has"};
  }
  if (!facts.validity_warning.empty()) {
    return {Verdict::Warning, subject, facts.validity_warning, "renew it and start Weft again"};
  }
  return {Verdict::Good, subject, observed, ""};
}

DoctorFinding judge_folder(const FolderFacts& facts) {
  if (!facts.is_own) {
    return {Verdict::Warning, "data folder", facts.path + " belongs to another user",
            "run weft doctor as that user to check all of it"};
  }
  if ((facts.mode & 077) != 0) {
    return {Verdict::Warning, "data folder",
            facts.path + " can be entered by other users of this machine",
            "chmod 700 " + facts.path};
  }
  return {Verdict::Good, "data folder", facts.path + " is its owner's alone", ""};
}

DoctorFinding judge_versions(std::string_view own, std::string_view running) {
  if (running.empty()) return {Verdict::Good, "version", fmt::format("weft {}", own), ""};
  if (running == own)
    return {Verdict::Good, "version", fmt::format("weft {}, also the node that runs", own), ""};
  return {Verdict::Warning, "version",
          fmt::format("weft {}, but the node that runs is {}", own, running),
          "start it again to finish the upgrade"};
}

}  // namespace weft::app
