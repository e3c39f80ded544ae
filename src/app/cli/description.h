// The command table in the forms in which other programs want it: completion for shells, a manual
// page, JSON. Each follows from the table alone, so a new command or flag is in all of them. Pure.
#pragma once

#include <string>

#include "app/cli/arguments.h"

namespace weft::app {

// A script that teaches the shell to complete weft's commands, flags and values. Source it, or
// install it where the shell looks: docs/operation.md.
std::string bash_completion(const CommandLine& line);
std::string zsh_completion(const CommandLine& line);
std::string fish_completion(const CommandLine& line);

// weft(1), in roff with the man macros.
std::string manual_page(const CommandLine& line);

// {"version", "commands": [{"name", "summary", "positional", "flags": [{"name", "value", "help",
// "default", "repeats", "variable"}]}]}
std::string description_json(const CommandLine& line);

}  // namespace weft::app
