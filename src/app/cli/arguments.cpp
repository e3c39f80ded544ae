#include "app/cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include "base/suggestion.h"

namespace weft::app {
namespace {

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    auto end = text.find(' ');
    if (end != 0) words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return words;
}

void append_flags(std::string& out, const std::vector<FlagSpec>& flags) {
  for (const auto& flag : flags) {
    auto left = "--" + flag.name + (flag.value.empty() ? "" : " " + flag.value);
    auto help = flag.help + (flag.fallback.empty() ? "" : " (default " + flag.fallback + ")");
    out += fmt::format("  {:<28} {}\n", left, help);
  }
}

}  // namespace

std::string flag_variable(std::string_view flag) {
  std::string name = "WEFT_";
  for (char c : flag) name += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

std::vector<std::string> choices_of(std::string_view name) {
  std::vector<std::string> words;
  for (;;) {
    auto end = name.find('|');
    words.emplace_back(name.substr(0, end));
    if (end == std::string_view::npos) return words;
    name.remove_prefix(end + 1);
  }
}

ValueShape value_shape(std::string_view name) {
  if (name == "FILE" || name == "file") return ValueShape::File;
  if (name == "FOLDER" || name == "folder") return ValueShape::Folder;
  return name.find('|') != std::string_view::npos || name == "auto" ? ValueShape::Choice
                                                                    : ValueShape::Free;
}

std::vector<std::string> spellings(const FlagSpec& flag) {
  std::vector<std::string> written{"--" + flag.name};
  if (flag.name == "output") written.emplace_back("-o");
  return written;
}

std::vector<Positional> positionals_of(const Command& command) {
  std::vector<Positional> all;
  std::string_view rest = command.positional;
  while (!rest.empty()) {
    auto begin = rest.find_first_of("<[");
    if (begin == std::string_view::npos) break;
    auto end = rest.find_first_of(">]", begin);
    ENSURE(end != std::string_view::npos,
           "positional arguments are written <needed> or [optional]");
    Positional one{std::string(rest.substr(begin + 1, end - begin - 1)), rest[begin] == '[', false};
    if (one.name.ends_with("...")) {
      one.name.resize(one.name.size() - 3);
      one.repeats = true;
    }
    all.push_back(std::move(one));
    rest.remove_prefix(end + 1);
  }
  return all;
}

bool Arguments::has(std::string_view flag) const {
  return given_.contains(flag) || std::getenv(flag_variable(flag).c_str()) != nullptr;
}

std::string Arguments::get(std::string_view flag) const {
  if (auto it = given_.find(flag); it != given_.end()) return it->second.back();
  if (const char* value = std::getenv(flag_variable(flag).c_str())) return value;
  if (auto it = fallback_.find(flag); it != fallback_.end()) return it->second;
  return {};
}

std::vector<std::string> Arguments::all(std::string_view flag) const {
  if (auto it = given_.find(flag); it != given_.end()) return it->second;
  auto single = get(flag);
  return single.empty() ? std::vector<std::string>{} : std::vector<std::string>{single};
}

Arguments Arguments::with(std::string_view flag, std::string value) const {
  auto other = *this;
  other.given_[std::string(flag)] = {std::move(value)};
  return other;
}

Result<std::int64_t> Arguments::number(std::string_view flag, std::int64_t least,
                                       std::int64_t most) const {
  auto text = get(flag);
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return fail(ErrorCode::InvalidArgument, "--{} must be a whole number from {} to {}, not '{}'",
                flag, least, most, text);
  }
  return value;
}

CommandLine::CommandLine(std::vector<Command> commands, std::vector<FlagSpec> global_flags)
    : commands_(std::move(commands)), global_flags_(std::move(global_flags)) {}

const Command* CommandLine::find(const std::vector<std::string>& words, std::size_t& used) const {
  const Command* best = nullptr;
  used = 0;
  for (const auto& command : commands_) {
    auto parts = split_words(command.name);
    if (parts.size() <= words.size() && parts.size() > used &&
        std::equal(parts.begin(), parts.end(), words.begin())) {
      best = &command;
      used = parts.size();
    }
  }
  return best;
}

const FlagSpec* CommandLine::find_flag(const Command& command, std::string_view name) const {
  for (const auto* flags : {&command.flags, &global_flags_}) {
    for (const auto& flag : *flags) {
      if (flag.name == name) return &flag;
    }
  }
  return nullptr;
}

Result<Arguments> CommandLine::parse(const Command& command, const std::vector<std::string>& words,
                                     std::size_t from) const {
  Arguments arguments;
  for (const auto* flags : {&command.flags, &global_flags_}) {
    for (const auto& flag : *flags) arguments.fallback_[flag.name] = flag.fallback;
  }
  if (command.own_flags) {
    arguments.positional_.assign(words.begin() + static_cast<std::ptrdiff_t>(from), words.end());
    return arguments;
  }
  for (auto i = from; i < words.size(); ++i) {
    std::string_view word = words[i];
    auto is_short_output = word == "-o";
    if (!is_short_output && (!word.starts_with("--") || word == "--")) {
      if (command.positional.empty()) {
        return fail(ErrorCode::InvalidArgument, "weft {} takes no argument '{}'", command.name,
                    word);
      }
      arguments.positional_.emplace_back(word);
      continue;
    }
    auto name = is_short_output ? std::string_view("output") : word.substr(2);
    auto equals = name.find('=');
    auto inline_value = equals != std::string_view::npos;
    const auto* flag = find_flag(command, name.substr(0, equals));
    if (flag == nullptr) {
      std::vector<std::string> known;
      for (const auto& f : command.flags) known.push_back(f.name);
      for (const auto& f : global_flags_) known.push_back(f.name);
      auto hint = closest(name.substr(0, equals), known);
      return fail(ErrorCode::InvalidArgument, "weft {} has no flag {}{}", command.name, word,
                  hint ? "; did you mean --" + *hint + "?" : "");
    }
    if (flag->value.empty() && inline_value) {
      return fail(ErrorCode::InvalidArgument, "--{} is a switch and takes no value", flag->name);
    }
    std::string value = "true";
    if (inline_value) {
      value = name.substr(equals + 1);
    } else if (!flag->value.empty()) {
      if (++i == words.size()) {
        return fail(ErrorCode::InvalidArgument, "--{} needs a value: {}", flag->name, flag->value);
      }
      value = words[i];
    }
    auto& values = arguments.given_[flag->name];
    if (!values.empty() && !flag->repeats) {
      return fail(ErrorCode::InvalidArgument, "--{} is given twice", flag->name);
    }
    values.push_back(std::move(value));
  }
  return arguments;
}

const Command* CommandLine::named(const std::vector<std::string>& words) const {
  std::size_t used = 0;
  const auto* command = find(words, used);
  return used == words.size() ? command : nullptr;
}

int CommandLine::refuse_command(const std::vector<std::string>& words) const {
  std::vector<std::string> known;
  for (const auto& command : commands_) known.push_back(command.name);
  auto asked = words.size() > 1 ? words[0] + " " + words[1] : words[0];
  auto hint = closest(asked, known);
  if (!hint) hint = closest(words[0], known);
  fmt::print(stderr, "weft: no command '{}'{}; `weft help` lists them\n", asked,
             hint ? ", did you mean `weft " + *hint + "`?" : "");
  return 1;
}

int CommandLine::run(const std::vector<std::string>& words) const {
  auto asks_help = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (words.empty() || asks_help(words[0])) {
    fmt::print("{}", help());
    return 0;
  }
  std::size_t used = 0;
  const auto* command = find(words, used);
  if (command == nullptr) return refuse_command(words);
  if (std::any_of(words.begin(), words.end(), asks_help)) {
    fmt::print("{}", help(*command));
    return 0;
  }
  auto arguments = parse(*command, words, used);
  if (!arguments) {
    fmt::print(stderr, "weft: {}\n", arguments.error().message);
    return 1;
  }
  return command->run(*arguments);
}

std::string CommandLine::help() const {
  std::string out =
      "weft: API gateway, durable event log, contracts and webhook delivery in one process\n\n";
  for (const auto& command : commands_) {
    auto left = command.name + (command.positional.empty() ? "" : " " + command.positional);
    out += fmt::format("  {:<34} {}\n", left, command.summary);
  }
  if (!global_flags_.empty()) out += "\nFlags of every command:\n";
  append_flags(out, global_flags_);
  out += "\n`weft help COMMAND` tells more. Exit status: 0 ok, 1 error, 2 changes pending.\n";
  return out;
}

std::string CommandLine::help(const Command& command) const {
  auto out = fmt::format("weft {}{}{}\n\n{}\n", command.name, command.positional.empty() ? "" : " ",
                         command.positional, command.summary);
  if (!command.flags.empty()) out += "\nFlags:\n";
  append_flags(out, command.flags);
  if (!global_flags_.empty()) out += "\nFlags of every command:\n";
  append_flags(out, global_flags_);
  return out;
}

}  // namespace weft::app
