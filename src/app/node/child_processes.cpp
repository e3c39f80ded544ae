#include "app/node/child_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

namespace weft::app {
namespace {

constexpr int kPatienceMs = 5000;
constexpr int kStartPatienceMs = 10'000;
constexpr int kLookAgainMs = 10;

// Waits for the end of a process, with a limit; the descriptor becomes readable when it ends.
bool ended_within(pid_t pid, int milliseconds) {
  int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return true;
  pollfd waiting{descriptor, POLLIN, 0};
  auto ready = ::poll(&waiting, 1, milliseconds);
  ::close(descriptor);
  return ready > 0;
}

}  // namespace

ChildProcesses::~ChildProcesses() {
  stop();
}

Result<> ChildProcesses::start(const std::vector<std::string>& command,
                               const std::vector<std::pair<std::string, std::string>>& environment,
                               const std::string& log_file) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    auto replaced = false;
    for (const auto& addition : environment) {
      replaced |= std::string_view(*entry).starts_with(addition.first + "=");
    }
    if (!replaced) variables.emplace_back(*entry);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);

  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variable_pointers;
  for (auto& variable : variables) variable_pointers.push_back(variable.data());
  variable_pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = 0;
  auto error = ::posix_spawnp(&pid, command[0].c_str(), &actions, nullptr, arguments.data(),
                              variable_pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(ErrorCode::IoError, "cannot start {}: {}", command[0], std::strerror(error));
  }
  running_.push_back(pid);
  return {};
}

Result<std::string> ChildProcesses::wait_for_line(const std::string& path) const {
  for (int waited_ms = 0; waited_ms < kStartPatienceMs; waited_ms += kLookAgainMs) {
    std::ifstream file(path);
    std::string line;
    if (std::getline(file, line) && !file.eof()) return line;
    ::poll(nullptr, 0, kLookAgainMs);
  }
  return fail(ErrorCode::Unavailable,
              "a service of the demo did not start: it did not write {} within {} s", path,
              kStartPatienceMs / 1000);
}

void ChildProcesses::stop() {
  for (auto pid : running_) ::kill(pid, SIGTERM);
  for (auto pid : running_) {
    if (!ended_within(pid, kPatienceMs)) ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  running_.clear();
}

}  // namespace weft::app
