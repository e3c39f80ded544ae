#include "app/node/background.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/json.h"

namespace weft::app {
namespace {

constexpr int kEndPatienceMs = 30'000;

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
  std::ifstream file(data_folder + "/node.json");
  std::stringstream content;
  content << file.rdbuf();
  auto document = JsonDocument::parse(std::move(content).str());
  const auto* pid_value = document ? document->root().find("pid") : nullptr;
  auto pid = pid_value != nullptr ? pid_value->as_int64().value_or(0) : 0;
  if (pid <= 1) {
    fmt::print(stderr, "weft: no running node in {}\n", data_folder);
    return 1;
  }
  int handle = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
  if (handle < 0 || ::kill(static_cast<pid_t>(pid), SIGTERM) != 0) {
    fmt::print(stderr, "weft: process {} of {} is not running\n", pid, data_folder);
    return 1;
  }
  pollfd waiting{handle, POLLIN, 0};
  auto ended = ::poll(&waiting, 1, kEndPatienceMs) > 0;
  ::close(handle);
  if (!ended) fmt::print(stderr, "weft: process {} still drains; look again later\n", pid);
  return ended ? 0 : 1;
}

}  // namespace weft::app
