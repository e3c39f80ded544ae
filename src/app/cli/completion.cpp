// Completion for bash, zsh and fish. The scripts hold the table's words and nothing else of their
// own: they find the command that is being written, word by word, and offer what may follow it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "app/cli/description.h"

namespace weft::app {
namespace {

// A word that may follow the words of a command so far.
struct NextWord {
  std::string word;
  std::string help;
};

std::string first_word(std::string_view text) {
  return std::string(text.substr(0, text.find(' ')));
}

// What may follow `at` ("", "stream", "client key"), in the order of the table.
std::vector<NextWord> next_words(const CommandLine& line, const std::string& at) {
  std::vector<NextWord> words;
  auto prefix = at.empty() ? at : at + " ";
  for (const auto& command : line.commands()) {
    if (!command.name.starts_with(prefix) || command.name == at) continue;
    auto rest = command.name.substr(prefix.size());
    auto word = first_word(rest);
    auto known = std::ranges::find(words, word, &NextWord::word);
    const bool is_whole = word == rest;
    if (known == words.end()) {
      words.push_back(
          {word, is_whole ? command.summary : fmt::format("commands about {}", prefix + word)});
    } else if (is_whole) {
      known->help = command.summary;
    }
  }
  return words;
}

// Every beginning of a command's name after which more can follow, "" first.
std::vector<std::string> places(const CommandLine& line) {
  std::vector<std::string> all{""};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& next : next_words(line, all[i])) {
      auto place = all[i].empty() ? next.word : all[i] + " " + next.word;
      if (!next_words(line, place).empty()) all.push_back(place);
    }
  }
  return all;
}

// "PLACE WORD" for each word that makes a longer place or a command, as a shell pattern.
std::string steps(const CommandLine& line, std::string_view separator) {
  std::set<std::string> all;
  for (const auto& place : places(line)) {
    for (const auto& next : next_words(line, place))
      all.insert(fmt::format("'{} {}'", place, next.word));
  }
  return fmt::format("{}", fmt::join(all, separator));
}

std::vector<FlagSpec> flags_of(const CommandLine& line, const Command& command) {
  auto flags = command.flags;
  flags.insert(flags.end(), line.global_flags().begin(), line.global_flags().end());
  return flags;
}

// In single quotes for bash and zsh.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string words_of(const std::vector<NextWord>& words) {
  std::vector<std::string> all;
  for (const auto& word : words) all.push_back(word.word);
  return fmt::format("{}", fmt::join(all, " "));
}

// The bash command that offers values of this shape, or nothing.
std::string bash_values(std::string_view value_name) {
  switch (value_shape(value_name)) {
    case ValueShape::File:
      return "_weft_paths -f";
    case ValueShape::Folder:
      return "_weft_paths -d";
    case ValueShape::Choice:
      return fmt::format("_weft_words {}",
                         shell_quoted(fmt::format("{}", fmt::join(choices_of(value_name), " "))));
    case ValueShape::Free:
      return "";
  }
  return "";
}

std::string bash_cases(const CommandLine& line) {
  std::string values;
  std::string flags;
  std::string positionals;
  for (const auto& command : line.commands()) {
    std::vector<std::string> written;
    for (const auto& flag : flags_of(line, command)) {
      for (const auto& spelling : spellings(flag)) {
        written.push_back(spelling);
        if (flag.value.empty()) continue;
        values +=
            fmt::format("    {}) {}{}return ;;\n", shell_quoted(command.name + " " + spelling),
                        bash_values(flag.value), bash_values(flag.value).empty() ? "" : "; ");
      }
    }
    flags += fmt::format("      {}) _weft_words {} ;;\n", shell_quoted(command.name),
                         shell_quoted(fmt::format("{}", fmt::join(written, " "))));
    for (const auto& positional : positionals_of(command)) {
      auto offered = bash_values(positional.name);
      if (!offered.empty())
        positionals += fmt::format("    {}) {} ;;\n", shell_quoted(command.name), offered);
    }
  }
  std::string next;
  for (const auto& place : places(line)) {
    next += fmt::format("      {}) _weft_words {} ;;\n", shell_quoted(place),
                        shell_quoted(words_of(next_words(line, place))));
  }
  return fmt::format(
      "  case \"$at $prev\" in\n{}  esac\n"
      "  if [[ $cur == -* ]]; then\n    case $at in\n{}    esac\n    return\n  fi\n"
      "  if ((i == COMP_CWORD)); then\n    case $at in\n{}    esac\n  fi\n"
      "  case $at in\n{}    *) ;;\n  esac\n",
      values, flags, next, positionals);
}

std::string zsh_values(std::string_view value_name) {
  switch (value_shape(value_name)) {
    case ValueShape::File:
      return "_files";
    case ValueShape::Folder:
      return "_files -/";
    case ValueShape::Choice:
      return fmt::format("({})", fmt::join(choices_of(value_name), " "));
    case ValueShape::Free:
      return "()";
  }
  return "";
}

// Colons and brackets have a meaning in the specifications of _arguments and _describe.
std::string zsh_escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_arguments(const CommandLine& line, const Command& command) {
  std::vector<std::string> specs;
  for (const auto& flag : flags_of(line, command)) {
    for (const auto& spelling : spellings(flag)) {
      auto spec = (flag.repeats ? "*" : "") + spelling;
      if (!flag.value.empty() && spelling.starts_with("--")) spec += '=';
      spec += fmt::format("[{}]", zsh_escaped(flag.help));
      if (!flag.value.empty())
        spec += fmt::format(":{}:{}", zsh_escaped(flag.value), zsh_values(flag.value));
      specs.push_back(shell_quoted(spec));
    }
  }
  for (const auto& positional : positionals_of(command)) {
    specs.push_back(
        shell_quoted(fmt::format("{}:{}:{}",
                                 positional.repeats    ? "*"
                                 : positional.optional ? ":"
                                                       : "",
                                 zsh_escaped(positional.name), zsh_values(positional.name))));
  }
  return fmt::format("{}", fmt::join(specs, " "));
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_values(std::string_view value_name) {
  switch (value_shape(value_name)) {
    case ValueShape::File:
      return " -F";
    case ValueShape::Folder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueShape::Choice:
      return " -x -a " + fish_quoted(fmt::format("{}", fmt::join(choices_of(value_name), " ")));
    case ValueShape::Free:
      return " -x";
  }
  return "";
}

std::string fish_command(const CommandLine& line, const Command& command) {
  std::string out;
  auto here = fmt::format("complete -c weft -n {}",
                          fish_quoted(fmt::format("__weft_at '{}'", command.name)));
  for (const auto& flag : flags_of(line, command)) {
    auto short_form = flag.name == "output" ? " -s o" : "";
    auto value = flag.value.empty() ? std::string() : " -r" + fish_values(flag.value);
    out += fmt::format("{} -l {}{}{} -d {}\n", here, flag.name, short_form, value,
                       fish_quoted(flag.help));
  }
  for (const auto& positional : positionals_of(command)) {
    auto offered = fish_values(positional.name);
    if (value_shape(positional.name) != ValueShape::Free) out += here + offered + "\n";
  }
  return out;
}

}  // namespace

std::string bash_completion(const CommandLine& line) {
  return fmt::format(
      "# Completion of weft for bash, made by `weft completion bash`.\n"
      "_weft_words() {{ mapfile -t -O \"${{#COMPREPLY[@]}}\" COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }}\n"
      "_weft_paths() {{\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  mapfile -t -O \"${{#COMPREPLY[@]}}\" COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
      "}}\n"
      "_weft() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} at= i\n"
      "  # The shell takes the sign of --flag=value for a word.\n"
      "  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${{COMP_WORDS[COMP_CWORD - 2]}}; fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$at ${{COMP_WORDS[i]}}\" in\n      {}) at=${{at:+$at }}${{COMP_WORDS[i]}} ;;\n"
      "      *) break ;;\n    esac\n  done\n"
      "  COMPREPLY=()\n{}}}\ncomplete -F _weft weft\n",
      steps(line, " | "), bash_cases(line));
}

std::string zsh_completion(const CommandLine& line) {
  std::string next;
  for (const auto& place : places(line)) {
    next += fmt::format("      {}) next=(", shell_quoted(place));
    for (const auto& word : next_words(line, place)) {
      next +=
          fmt::format("{} ", shell_quoted(zsh_escaped(word.word) + ":" + zsh_escaped(word.help)));
    }
    next += ") ;;\n";
  }
  std::string commands;
  for (const auto& command : line.commands()) {
    commands += fmt::format("    {}) _arguments -S {} ;;\n", shell_quoted(command.name),
                            zsh_arguments(line, command));
  }
  return fmt::format(
      "#compdef weft\n# Completion of weft for zsh, made by `weft completion zsh`.\n"
      "_weft() {{\n  local at= i=2\n  local -a next\n"
      "  while ((i < CURRENT)); do\n    case \"$at ${{words[i]}}\" in\n"
      "      {}) at=${{at:+$at }}${{words[i]}} ;;\n      *) break ;;\n    esac\n    ((i++))\n  done\n"
      "  if ((i == CURRENT)) && [[ ${{words[CURRENT]}} != -* ]]; then\n    case $at in\n{}    esac\n"
      "    (($#next)) && _describe -t commands command next\n  fi\n"
      "  words=(\"weft $at\" \"${{(@)words[i,-1]}}\")\n  ((CURRENT -= i - 2))\n"
      "  case $at in\n{}  esac\n}}\n"
      "if [[ ${{funcstack[1]}} == _weft ]]; then _weft \"$@\"; else compdef _weft weft; fi\n",
      steps(line, "|"), next, commands);
}

std::string fish_completion(const CommandLine& line) {
  auto out = fmt::format(
      "# Completion of weft for fish, made by `weft completion fish`.\n"
      "# The words of the command that is being written.\n"
      "function __weft_place\n    set -l words (commandline -opc)\n    set -e words[1]\n    set -l at ''\n"
      "    for word in $words\n        switch \"$at $word\"\n"
      "            case {}\n                set at (string trim -- \"$at $word\")\n"
      "            case '*'\n                break\n        end\n    end\n    echo \"$at\"\nend\n"
      "function __weft_at\n    test (__weft_place) = \"$argv[1]\"\nend\n"
      "# Nothing but the words of the command stands there.\n"
      "function __weft_next\n    set -l words (commandline -opc)\n    set -e words[1]\n"
      "    test (__weft_place) = \"$argv[1]\" -a \"$words\" = \"$argv[1]\"\nend\n"
      "complete -c weft -f\n",
      steps(line, " "));
  for (const auto& place : places(line)) {
    auto here =
        fmt::format("complete -c weft -n {}", fish_quoted(fmt::format("__weft_next '{}'", place)));
    for (const auto& word : next_words(line, place)) {
      out += fmt::format("{} -a {} -d {}\n", here, fish_quoted(word.word), fish_quoted(word.help));
    }
  }
  for (const auto& command : line.commands()) out += fish_command(line, command);
  return out;
}

}  // namespace weft::app
