#include <csignal>

#include "app/cli/commands.h"

int main(int count, char** words) {
  // A peer that closed its socket is an error code, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() == 1 && arguments[0] == "--version") arguments[0] = "version";
  weft::app::CommandLine command_line(weft::app::all_commands(), {});
  return command_line.run(arguments);
}
