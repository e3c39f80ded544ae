#include "app/doctor/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/settings/roles.h"
#include "app/settings/tls_settings.h"
#include "app/version.h"
#include "base/json.h"
#include "crypto/certificate.h"
#include "runtime/clock.h"
#include "runtime/net.h"

namespace weft::app {
namespace {

constexpr int kSyncProbes = 15;
// What a node needs beside its queues and caches.
constexpr std::uint64_t kOwnMemory = 128ull << 20;

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes and syncs a block a few times; the error is for a folder that cannot be written to.
Result<Duration> measure_sync(const std::string& folder) {
  auto path = folder + "/doctor.probe";
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0)
    return fail(ErrorCode::PermissionDenied, "cannot write to {}: {}", folder,
                std::strerror(errno));
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
  if (times.size() < kSyncProbes)
    return fail(ErrorCode::IoError, "a write to {} failed: {}", folder, std::strerror(error));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// Disks of virtual machines: Linux takes each for a rotating one unless the host says otherwise.
bool is_virtual(std::string_view modalias) {
  return std::ranges::any_of(std::array{"virtio:", "xen:", "vmbus:"},
                             [&](std::string_view bus) { return modalias.starts_with(bus); });
}

// The disk that holds a file, or the whole disk of its partition.
DiskFacts disk_of(dev_t device) {
  auto base = fmt::format("/sys/dev/block/{}:{}/", major(device), minor(device));
  if (text_of_file(base + "queue/rotational").empty()) base += "../";
  auto is_rotating = text_of_file(base + "queue/rotational").starts_with('1');
  return {is_rotating && !is_virtual(text_of_file(base + "device/modalias"))};
}

void examine_folder(const Settings& settings, const std::string& folder,
                    std::vector<DoctorFinding>& findings) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    findings.push_back({Verdict::Warning, "data folder", folder + " does not exist",
                        "`weft up` makes it; or name the right one with --data or --config"});
    return;
  }
  findings.push_back(
      judge_folder({folder, info.st_mode, info.st_uid == ::geteuid() || ::geteuid() == 0}));
  struct statvfs space {};
  if (::statvfs(folder.c_str(), &space) == 0) {
    findings.push_back(judge_free_space(space.f_bavail * space.f_frsize,
                                        space.f_blocks * space.f_frsize,
                                        settings.bytes("log.reserveBytes")));
  }
  std::error_code error;
  auto absolute = std::filesystem::canonical(folder, error).string();
  auto file_system = find_file_system(text_of_file("/proc/self/mountinfo"), absolute);
  if (file_system) findings.push_back(judge_file_system(*file_system));
  auto sync = measure_sync(folder);
  if (sync)
    findings.push_back(judge_sync(*sync, disk_of(info.st_dev)));
  else
    findings.push_back(
        {Verdict::Bad, "durability", sync.error().message, "run as its owner, or free the disk"});
}

void examine_clock(std::vector<DoctorFinding>& findings) {
  SystemClock clock;
  auto day = std::chrono::floor<std::chrono::days>(clock.now());
  findings.push_back(judge_clock_year(static_cast<int>(std::chrono::year_month_day(day).year())));
  timex state{};
  if (auto answer = ::adjtimex(&state); answer >= 0) {
    findings.push_back(judge_clock({answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0,
                                    std::chrono::microseconds(state.maxerror)}));
  }
}

// The smallest limit of this control group and those above it (cgroup v2), or the machine's memory.
std::uint64_t memory_limit(const std::string& process) {
  auto least = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
               static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  auto group = text_of_file("/proc/" + process + "/cgroup");
  auto at = group.find("0::");
  if (at == std::string::npos) return least;
  auto path =
      std::filesystem::path("/sys/fs/cgroup" + group.substr(at + 3, group.find('\n', at) - at - 3));
  for (; path.string().starts_with("/sys/fs/cgroup"); path = path.parent_path()) {
    auto text = text_of_file(path / "memory.max");
    std::uint64_t limit = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error == std::errc()) least = std::min(least, limit);
  }
  return least;
}

void examine_limits(const Settings& settings, const RunningNode& node,
                    std::vector<DoctorFinding>& findings) {
  auto process = node.pid > 0 ? std::to_string(node.pid) : "self";
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  auto limit =
      open_files_of_limits(text_of_file("/proc/" + process + "/limits")).value_or(files.rlim_cur);
  findings.push_back(
      judge_open_files(limit, static_cast<std::uint64_t>(settings.number("http.connectionsMax") +
                                                         settings.number("kafka.connectionsMax"))));
  findings.push_back(
      judge_memory(memory_limit(process), kOwnMemory + settings.bytes("log.queueBytesMax") +
                                              settings.bytes("log.tailBytesMax") +
                                              settings.bytes("telemetry.traceBytesMax")));
  auto maps = text_of_file("/proc/" + process + "/maps");
  if (!maps.empty()) findings.push_back(judge_mapped_libraries(maps));
}

// 0 when the address can be listened on, else why not.
int try_to_listen(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  auto any = host.empty() || host == "*" ? std::string("::") : host;
  if (::getaddrinfo(any.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return EADDRNOTAVAIL;
  int problem = 0;
  int listener = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (listener < 0 || ::bind(listener, found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(listener, 1) != 0)
    problem = errno;
  if (listener >= 0) ::close(listener);
  ::freeaddrinfo(found);
  return problem;
}

DoctorFinding examine_port(const Settings& settings, const RunningNode& node,
                           std::string_view setting, const std::string& host) {
  auto port =
      static_cast<std::uint16_t>(settings.number(setting) + settings.number("ports.offset"));
  auto endpoint = net::Endpoint{host, port}.text();
  auto ends_with_port = [&](const std::string& address) {
    return address.ends_with(fmt::format(":{}", port));
  };
  if (std::ranges::any_of(node.addresses, ends_with_port))
    return judge_port(setting, endpoint, PortHolder::ThisNode, "");
  auto problem = try_to_listen(host, port);
  auto holder = problem == 0            ? PortHolder::Nobody
                : problem == EADDRINUSE ? PortHolder::Another
                                        : PortHolder::Refused;
  return judge_port(setting, endpoint, holder, std::strerror(problem));
}

bool others_can_read(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & 07) != 0;
}

void examine_certificate(const Settings& settings, const std::string& listener,
                         const TlsContext& tls, std::vector<DoctorFinding>& findings) {
  auto prefix = settings.text("tls." + listener + ".certificateFile").empty() ? std::string("tls")
                                                                              : "tls." + listener;
  SystemClock clock;
  auto certificate = tls.certificate();
  CertificateFacts facts;
  facts.validity_warning = certificate_warning(certificate, clock.now());
  facts.is_valid_now =
      clock.now() >= certificate.not_before && clock.now() <= certificate.not_after;
  facts.key_is_public = others_can_read(settings.text(prefix + ".keyFile"));
  auto pem = text_of_file(settings.text(prefix + ".certificateFile"));
  facts.names = crypto::certificate_names(pem).value_or(std::vector<std::string>());
  if (listener == "kafka") facts.advertised = settings.text("kafka.advertisedHost");
  if (!facts.advertised.empty())
    facts.is_for_advertised = crypto::certificate_is_for(pem, facts.advertised).value_or(false);
  findings.push_back(judge_certificate(listener, facts));
}

void examine_doors(const Settings& settings, const RunningNode& node,
                   std::vector<DoctorFinding>& findings) {
  auto roles = roles_of(settings);
  if (!roles) {
    findings.push_back({Verdict::Bad, "roles", roles.error().message,
                        "mend the setting roles: Weft does not start with it"});
    return;
  }
  const bool has_fixed_ports = !settings.is_on("ports.auto");
  const auto host = settings.text("listen.address");
  if (has_fixed_ports) findings.push_back(examine_port(settings, node, "ports.ops", host));
  if (has_fixed_ports && roles->has(Role::Control) && settings.is_on("telemetry.otlpReceiver")) {
    auto found = examine_port(settings, node, "ports.otlp", otlp_address(settings));
    // A node starts all the same, and takes no telemetry from others.
    if (found.verdict == Verdict::Bad) found.verdict = Verdict::Warning;
    findings.push_back(std::move(found));
  }
  const auto tls_address = settings.text("listen.tlsAddress");
  const auto tls_host = tls_address.empty() ? host : tls_address;
  constexpr std::pair<std::string_view, Role> kListeners[] = {
      {"admin", Role::Control}, {"gateway", Role::Gateway}, {"kafka", Role::Broker}};
  for (const auto& [name, role] : kListeners) {
    if (!roles->has(role)) continue;
    std::string listener(name);
    if (has_fixed_ports)
      findings.push_back(examine_port(settings, node, "ports." + listener, host));
    auto tls = tls_of(settings, listener, {});
    if (!tls) {
      findings.push_back(
          {Verdict::Bad, listener + " certificate", tls.error().message,
           "mend the tls.* settings or the files that they name: Weft does not start with them"});
    } else if (*tls) {
      examine_certificate(settings, listener, **tls, findings);
      if (has_fixed_ports)
        findings.push_back(
            examine_port(settings, node, fmt::format("ports.{}Tls", listener), tls_host));
    }
  }
}

}  // namespace

RunningNode running_node_of(const std::string& data_folder) {
  RunningNode node;
  auto document = JsonDocument::parse(text_of_file(data_folder + "/node.json"));
  if (!document || !document->root().is_object()) return node;
  const auto* pid = document->root().find("pid");
  auto number = pid != nullptr ? pid->as_int64().value_or(0) : 0;
  // A node that was killed leaves its file behind.
  if (number <= 1 || (::kill(static_cast<pid_t>(number), 0) != 0 && errno == ESRCH)) return node;
  node.pid = static_cast<int>(number);
  for (const auto& member : document->root().members()) {
    if (!member.value.is_string()) continue;
    if (member.key() == "version")
      node.version = member.value.as_string();
    else
      node.addresses.emplace_back(member.value.as_string());
  }
  return node;
}

std::vector<DoctorFinding> examine_machine(const Settings& settings, const RunningNode& node) {
  std::vector<DoctorFinding> findings;
  findings.push_back(judge_versions(kVersion, node.version));
  examine_folder(settings, settings.text("data.folder"), findings);
  examine_clock(findings);
  examine_limits(settings, node, findings);
  examine_doors(settings, node, findings);
  return findings;
}

}  // namespace weft::app
