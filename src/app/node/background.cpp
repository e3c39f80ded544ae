#include "app/node/background.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/json.h"
#include "runtime/disk.h"
#include "runtime/run_until_done.h"

namespace weft::app {
namespace {

constexpr int kEndPatienceMs = 30'000;
constexpr std::uint64_t kLockBytesMax = 64;

// All that the child says until it closes its end.
std::string read_all(int descriptor) {
  std::string text;
  char buffer[4096];
  for (;;) {
    auto count = ::read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

void say(int descriptor, std::string_view text) {
  while (!text.empty()) {
    auto count = ::write(descriptor, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// The child: a session of its own; what it prints before it is ready reaches the terminal through
// the pipe, what comes later goes to weft.log.
int run_child(const NodeStart& start, int to_parent) {
  ::setsid();
  int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(to_parent, 1);
  ::dup2(to_parent, 2);
  ::fcntl(to_parent, F_SETFD, FD_CLOEXEC);
  auto status = run_node(start, [to_parent](std::string_view banner) {
    say(to_parent, banner);
    say(to_parent, std::string_view("\0ready", 6));
    int log = ::open("/dev/null", O_WRONLY);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::close(to_parent);
  });
  return status;
}

// The process that node.json names; 0 when there is none.
pid_t named_process(const std::string& data_folder) {
  std::ifstream file(data_folder + "/node.json");
  std::stringstream content;
  content << file.rdbuf();
  auto document = JsonDocument::parse(std::move(content).str());
  const auto* pid = document ? document->root().find("pid") : nullptr;
  auto number = pid != nullptr ? pid->as_int64().value_or(0) : 0;
  bool is_possible = number > 0 && number <= std::numeric_limits<pid_t>::max();
  return is_possible ? static_cast<pid_t>(number) : 0;
}

// node.json outlives a node that was killed, and the process of that id may be anybody's by now:
// the node is who holds the folder's lock.
Result<> check_is_node(const std::string& data_folder, pid_t pid) {
  PosixFileSystem files;
  auto lock_path = data_folder + "/LOCK";
  auto locked = run_until_done(files.lock(lock_path));
  if (locked) {
    CHECK(run_until_done(files.remove(data_folder + "/node.json")));
    return fail(
        ErrorCode::NotFound,
        "no running node in {}: the last one did not end in order; its node.json is removed, "
        "process {} is left alone",
        data_folder, pid);
  }
  if (locked.error().code != ErrorCode::AlreadyExists) return Failure(std::move(locked).error());
  TRY(auto holder, run_until_done(read_file(files, lock_path, kLockBytesMax)));
  if (holder == fmt::format("{}\n", pid)) return {};
  return fail(ErrorCode::Conflict,
              "node.json of {} names process {}, but another one holds the folder: try again when "
              "its node has started",
              data_folder, pid);
}

Result<> end_node(const std::string& data_folder, pid_t pid, int process) {
  CHECK(check_is_node(data_folder, pid));
  if (process < 0) {
    return fail(ErrorCode::NotFound, "process {} of {} is not running", pid, data_folder);
  }
  if (::syscall(SYS_pidfd_send_signal, process, SIGTERM, nullptr, 0) != 0) {
    return fail(ErrorCode::IoError, "cannot end process {} of {}: {}", pid, data_folder,
                std::strerror(errno));
  }
  pollfd waiting{process, POLLIN, 0};
  if (::poll(&waiting, 1, kEndPatienceMs) > 0) return {};
  return fail(ErrorCode::DeadlineExceeded, "process {} still drains; look again later", pid);
}

}  // namespace

int start_in_background(const NodeStart& start) {
  int ends[2];
  if (::pipe(ends) != 0) {
    fmt::print(stderr, "weft: no pipe: {}\n", std::strerror(errno));
    return 1;
  }
  auto child = ::fork();
  if (child < 0) {
    fmt::print(stderr, "weft: cannot start a process: {}\n", std::strerror(errno));
    return 1;
  }
  if (child == 0) {
    ::close(ends[0]);
    std::_Exit(run_child(start, ends[1]));
  }
  ::close(ends[1]);
  auto said = read_all(ends[0]);
  ::close(ends[0]);
  auto mark = said.find(std::string_view("\0ready", 6));
  if (mark == std::string::npos) {
    int status = 0;
    ::waitpid(child, &status, 0);
    fmt::print(stderr, "{}", said);
    return 1;
  }
  fmt::print("{}", std::string_view(said).substr(0, mark));
  return 0;
}

int stop_background(const std::string& data_folder) {
  auto pid = named_process(data_folder);
  if (pid <= 1) {
    fmt::print(stderr, "weft: no running node in {}\n", data_folder);
    return 1;
  }
  // Before anything is judged: from here on the process is meant, whatever becomes of its id.
  int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  auto ended = end_node(data_folder, pid, process);
  if (process >= 0) ::close(process);
  if (!ended) fmt::print(stderr, "weft: {}\n", ended.error().message);
  return ended ? 0 : 1;
}

}  // namespace weft::app
