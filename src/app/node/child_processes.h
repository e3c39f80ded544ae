// The demo's services, run as processes of their own on public interfaces only. Ended, by process
// id, when the owner is destroyed. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::app {

class ChildProcesses {
 public:
  ChildProcesses() = default;
  ~ChildProcesses();
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  // Starts a program (found by PATH) with the environment of this process and these additions; its
  // output goes to `log_file`, appended.
  Result<> start(const std::vector<std::string>& command,
                 const std::vector<std::pair<std::string, std::string>>& environment,
                 const std::string& log_file);

  // The first line of a file that a child writes once it is up; the error is for one that does not
  // within ten seconds.
  Result<std::string> wait_for_line(const std::string& path) const;

  // SIGTERM to each, then waits for its end; SIGKILL for one that takes longer than five seconds.
  void stop();

 private:
  std::vector<pid_t> running_;
};

}  // namespace weft::app
