#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/description.h"
#include "app/cli/output.h"
#include "app/version.h"

namespace weft::app {
namespace {

CommandLine whole_line() {
  return CommandLine(all_commands(), {});
}

int print_help(const Arguments& arguments) {
  auto line = whole_line();
  auto form = arguments.get("output");
  if (form == "json") {
    fmt::print("{}\n", description_json(line));
    return 0;
  }
  if (form != "text")
    return report(Error{ErrorCode::InvalidArgument, "--output must be text or json"});
  const auto& words = arguments.positional();
  if (words.empty()) {
    fmt::print("{}", line.help());
    return 0;
  }
  const auto* command = line.named(words);
  if (command == nullptr) return line.refuse_command(words);
  fmt::print("{}", line.help(*command));
  return 0;
}

int print_version(const Arguments&) {
  fmt::print("weft {}\n", kVersion);
  return 0;
}

int print_completion(const Arguments& arguments) {
  const auto& words = arguments.positional();
  auto line = whole_line();
  if (words.size() == 1 && words[0] == "bash")
    fmt::print("{}", bash_completion(line));
  else if (words.size() == 1 && words[0] == "zsh")
    fmt::print("{}", zsh_completion(line));
  else if (words.size() == 1 && words[0] == "fish")
    fmt::print("{}", fish_completion(line));
  else
    return report(Error{ErrorCode::InvalidArgument, "name the shell: bash, zsh or fish"});
  return 0;
}

int print_manual(const Arguments&) {
  fmt::print("{}", manual_page(whole_line()));
  return 0;
}

}  // namespace

std::vector<Command> description_commands() {
  return {
      {"help",
       "Tells about a command, or lists all",
       "[command...]",
       {{"output", "text|json", "for people, or the whole table for programs", "text", false}},
       print_help},
      {"version", "Prints the program's version", "", {}, print_version},
      {"completion",
       "Prints the script that completes weft's command line in a shell",
       "<bash|zsh|fish>",
       {},
       print_completion},
      {"man", "Prints the manual page weft(1)", "", {}, print_manual},
  };
}

}  // namespace weft::app
