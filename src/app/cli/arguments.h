// The command line's own description: every command with its flags, positional arguments and help,
// from which parsing, `weft help`, completion and the manual page follow.
//
// What a value is called also says what it can be: FILE and FOLDER are paths, lower-case words with
// "|" between them are all there are ("table|json|yaml"), anything else is free text. Positional
// arguments are written <needed>, [optional] and [several...].
//
// Flags are written --name value, --name=value or, for switches, --name. Values; one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::app {

struct FlagSpec {
  std::string name;   // without dashes
  std::string value;  // what the value is called in help; empty: a switch
  std::string help;
  std::string fallback;  // default, shown in help
  bool repeats = false;  // may be given several times
};

enum class ValueShape : unsigned char { Free, File, Folder, Choice };

// What can stand for a value that help calls `name` ("FILE", "folder", "table|json|yaml").
ValueShape value_shape(std::string_view name);
// The words of a Choice.
std::vector<std::string> choices_of(std::string_view name);
// How a flag is written: --output and -o.
std::vector<std::string> spellings(const FlagSpec& flag);
// The environment variable that stands in for a flag: WEFT_PORT_OFFSET for port-offset.
std::string flag_variable(std::string_view flag);

class Arguments {
 public:
  bool has(std::string_view flag) const;
  // The flag's value: command line, then environment (WEFT_ and the name in upper case with "_"),
  // then default.
  std::string get(std::string_view flag) const;
  std::vector<std::string> all(std::string_view flag) const;
  // A whole number between the bounds; the error names the flag.
  Result<std::int64_t> number(std::string_view flag, std::int64_t least, std::int64_t most) const;
  const std::vector<std::string>& positional() const { return positional_; }
  // The same with another value of one flag.
  Arguments with(std::string_view flag, std::string value) const;

 private:
  friend class CommandLine;
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::map<std::string, std::string, std::less<>> fallback_;
  std::vector<std::string> positional_;
};

// One positional argument of a command.
struct Positional {
  std::string name;  // without its brackets
  bool optional = false;
  bool repeats = false;
};

struct Command {
  std::string name;        // "stream list"
  std::string summary;     // one line
  std::string positional;  // "<stream>", "[folder]"; empty: none
  std::vector<FlagSpec> flags;
  std::function<int(const Arguments&)> run;  // exit status: 0 ok, 1 error, 2 changes pending
  bool own_flags = false;                    // reads its words itself: all of them are positional
};

class CommandLine {
 public:
  CommandLine(std::vector<Command> commands, std::vector<FlagSpec> global_flags);

  // Runs what the words ask for. Unknown words are answered with the nearest known one, status 1.
  int run(const std::vector<std::string>& words) const;
  std::string help() const;
  std::string help(const Command& command) const;
  const std::vector<Command>& commands() const { return commands_; }
  const std::vector<FlagSpec>& global_flags() const { return global_flags_; }
  // The command that all of these words name; null when none has that name.
  const Command* named(const std::vector<std::string>& words) const;
  // Tells on standard error that there is no such command, with the nearest one; returns status 1.
  int refuse_command(const std::vector<std::string>& words) const;

 private:
  const Command* find(const std::vector<std::string>& words, std::size_t& used) const;
  Result<Arguments> parse(const Command& command, const std::vector<std::string>& words,
                          std::size_t from) const;
  const FlagSpec* find_flag(const Command& command, std::string_view name) const;

  std::vector<Command> commands_;
  std::vector<FlagSpec> global_flags_;
};

std::vector<Positional> positionals_of(const Command& command);

}  // namespace weft::app
