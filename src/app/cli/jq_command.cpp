// `weft jq`: programs of mappings on the command line, with jq's own options and exit statuses.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "app/cli/commands.h"
#include "base/json_writer.h"
#include "mapping/jq.h"
#include "runtime/clock.h"

namespace weft::app {
namespace {

constexpr int kWrongUse = 2;
constexpr int kWrongProgram = 3;
constexpr int kNoOutput = 4;
constexpr int kFailedRun = 5;

constexpr std::string_view kJqHelp = R"(
usage: weft jq [OPTION...] PROGRAM [FILE...]

  -c, --compact-output   one line per output
  -r, --raw-output       strings without quotes
  -j, --join-output      the same without line ends
      --raw-output0      the same with a NUL instead of a line end
  -a, --ascii-output     \u escapes beyond ASCII
  -S, --sort-keys        members sorted by name
      --tab, --indent N  a tab, or N spaces (0 to 7), per level
  -n, --null-input       run once on null
  -s, --slurp            run once on the array of all inputs
  -R, --raw-input        each line is a string
  -f, --from-file FILE   the program stands in FILE
      --arg NAME VALUE   $NAME is the string VALUE
      --argjson NAME JSON
      --slurpfile NAME FILE   $NAME is the array of the JSON texts in FILE
      --rawfile NAME FILE     $NAME is the text of FILE
      --args, --jsonargs      what follows is no file but in $ARGS.positional; $ARGS.named has the others
      --exact            rounding is an error, as in flows
  -e, --exit-status      1 when the last output is false or null, 4 when there is none
Exit status: 2 wrong use, 3 the program does not compile, 5 a run failed. Language: docs/jq.md
)";

struct JqCall {
  mapping::JqStyle style{.indent = 2};
  mapping::JqArithmetic arithmetic = mapping::JqArithmetic::Rounding;
  bool raw = false;
  std::string_view line_end = "\n";
  bool null_input = false;
  bool slurp = false;
  bool raw_input = false;
  bool exit_status = false;
  std::optional<std::string> program;
  std::vector<std::string> files;
  std::vector<std::string> names;
  std::string values;      // of the names: JSON texts with commas between
  std::string named;       // the same as members
  std::string positional;  // JSON texts with commas between
};

void add_item(std::string& list, const std::string& json) {
  if (!list.empty()) list += ',';
  list += json;
}

std::vector<std::string> json_texts(std::string_view rest);
std::string joined(const std::vector<std::string>& texts);

Result<std::string> file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) return fail(ErrorCode::NotFound, "{} cannot be read", path);
  return text;
}

class JqWords {
 public:
  explicit JqWords(const std::vector<std::string>& words) : words_(words) {}

  Result<JqCall> read() {
    bool options = true;
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (options && word == "--") {
        options = false;
      } else if (options && word.starts_with("--")) {
        CHECK(long_option(word));
      } else if (options && word.size() > 1 && word[0] == '-') {
        for (const char letter : word.substr(1)) CHECK(short_option(letter));
      } else if (!call_.program) {
        call_.program = word;
      } else if (rest_ == Rest::Files) {
        call_.files.push_back(word);
      } else {
        CHECK(check_json("--jsonargs", rest_ == Rest::Json ? word : "null"));
        add_item(call_.positional, rest_ == Rest::Json ? word : json_quoted(word));
      }
    }
    if (!call_.program) return fail(ErrorCode::InvalidArgument, "no program is given");
    const std::string named = call_.named;
    add_variable("ARGS",
                 fmt::format(R"({{"positional":[{}],"named":{{{}}}}})", call_.positional, named));
    return std::move(call_);
  }

 private:
  enum class Rest : std::uint8_t { Files, Texts, Json };

  static Result<void> check_json(std::string_view option, const std::string& text) {
    if (auto parsed = JsonDocument::parse(text); !parsed)
      return std::unexpected(std::move(parsed).error().within(option));
    return {};
  }

  Result<std::string> value(std::string_view option) {
    if (at_ == words_.size()) return fail(ErrorCode::InvalidArgument, "{} needs a value", option);
    return words_[at_++];
  }

  Result<void> short_option(char letter) {
    constexpr std::pair<char, std::string_view> kLong[] = {
        {'c', "--compact-output"}, {'r', "--raw-output"}, {'j', "--join-output"},
        {'a', "--ascii-output"},   {'S', "--sort-keys"},  {'n', "--null-input"},
        {'s', "--slurp"},          {'R', "--raw-input"},  {'f', "--from-file"},
        {'e', "--exit-status"},    {'M', "--monochrome"}};
    for (const auto& [known, name] : kLong)
      if (known == letter) return long_option(name);
    return fail(ErrorCode::InvalidArgument, "there is no option -{}", letter);
  }

  Result<void> long_option(std::string_view word) {
    const std::pair<std::string_view, bool*> switches[] = {{"--raw-output", &call_.raw},
                                                           {"--null-input", &call_.null_input},
                                                           {"--slurp", &call_.slurp},
                                                           {"--raw-input", &call_.raw_input},
                                                           {"--exit-status", &call_.exit_status},
                                                           {"--ascii-output", &call_.style.ascii},
                                                           {"--sort-keys", &call_.style.sort_keys},
                                                           {"--tab", &call_.style.tabs}};
    for (const auto& [name, target] : switches) {
      if (name != word) continue;
      *target = true;
      return {};
    }
    if (word == "--compact-output") {
      call_.style.indent = 0;
    } else if (word == "--join-output") {
      call_.raw = true;
      call_.line_end = "";
    } else if (word == "--raw-output0") {
      call_.raw = true;
      call_.line_end = std::string_view("\0", 1);
    } else if (word == "--args") {
      rest_ = Rest::Texts;
    } else if (word == "--jsonargs") {
      rest_ = Rest::Json;
    } else if (word == "--exact") {
      call_.arithmetic = mapping::JqArithmetic::Exact;
    } else if (word == "--indent") {
      TRY(const std::string width, value(word));
      if (width.size() != 1 || width[0] < '0' || width[0] > '7')
        return fail(ErrorCode::InvalidArgument, "--indent takes 0 to 7");
      call_.style.indent = width[0] - '0';
    } else if (word == "--from-file") {
      TRY(const std::string path, value(word));
      TRY(call_.program, file_text(path));
    } else if (word == "--arg" || word == "--argjson" || word == "--slurpfile" ||
               word == "--rawfile") {
      CHECK(named_option(word));
    } else if (word != "--monochrome") {
      return fail(ErrorCode::InvalidArgument, "there is no option {}", word);
    }
    return {};
  }

  Result<void> named_option(std::string_view word) {
    TRY(const std::string name, value(word));
    TRY(std::string text, value(word));
    if (word.ends_with("file")) {
      TRY(text, file_text(text));
    }
    if (word == "--slurpfile") text = joined(json_texts(text));
    if (word == "--arg" || word == "--rawfile") text = json_quoted(text);
    CHECK(check_json(word, text));
    add_variable(name, text);
    return {};
  }

  // The first of one name counts, as in jq.
  void add_variable(const std::string& name, const std::string& json) {
    if (std::ranges::find(call_.names, name) != call_.names.end()) return;
    call_.names.push_back(name);
    add_item(call_.values, json);
    add_item(call_.named, json_quoted(name) + ':' + json);
  }

  Rest rest_ = Rest::Files;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  JqCall call_;
};

// Takes the first of several JSON texts that stand one after another; the parser judges it later.
std::string_view take_text(std::string_view& rest) {
  constexpr std::string_view kSpace = " \t\r\n";
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(kSpace)));
  std::size_t depth = 0;
  bool in_string = false;
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (in_string) {
      if (c == '\\') {
        ++at;
      } else if (c == '"') {
        in_string = false;
        if (depth == 0) break;
      }
    } else if (c == '"') {
      if (at > 0 && depth == 0) return std::exchange(rest, rest.substr(at)).substr(0, at);
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (at > 0 && depth == 0) return std::exchange(rest, rest.substr(at)).substr(0, at);
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth <= 1) break;
      --depth;
    } else if (depth == 0 && kSpace.contains(c)) {
      break;
    }
  }
  const std::size_t length = std::min(rest.size(), at + 1);
  return std::exchange(rest, rest.substr(length)).substr(0, length);
}

std::vector<std::string> json_texts(std::string_view rest) {
  std::vector<std::string> texts;
  while (rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
    texts.emplace_back(take_text(rest));
  return texts;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) add_item(all, text);
  return '[' + all + ']';
}

class JqPrinter : public mapping::JqSink {
 public:
  explicit JqPrinter(const JqCall& call) : call_(call) {}

  bool take(const mapping::JqOutput& output) override {
    line_.clear();
    if (call_.raw && output.is_string())
      line_ = output.string();
    else if (!output.append_json(line_, call_.style))
      return false;
    line_ += call_.line_end;
    any_ = true;
    last_is_false_ = output.is_null_or_false();
    std::cout.write(line_.data(), static_cast<std::streamsize>(line_.size()));
    return std::cout.good();
  }
  int status() const {
    if (!call_.exit_status) return 0;
    return any_ ? (last_is_false_ ? 1 : 0) : kNoOutput;
  }

 private:
  const JqCall& call_;
  std::string line_;
  bool any_ = false;
  bool last_is_false_ = false;
};

class JqSession {
 public:
  JqSession(const JqCall& call, mapping::JqProgram program, JsonDocument variables)
      : program_(std::move(program)), variables_(std::move(variables)), printer_(call) {
    mapping::JqOptions options;
    options.arithmetic = call.arithmetic;
    options.now = std::chrono::duration<double>(SystemClock().now().time_since_epoch()).count();
    options.messages = &messages_;
    runner_ = mapping::JqRunner(options);
  }

  // The status when the whole command ends here.
  std::optional<int> run(std::string text) {
    const auto input = JsonDocument::parse(std::move(text));
    if (!input) return complain(input.error(), kWrongUse);
    const auto end = runner_.run(program_, input->root(), printer_, variables_.root().elements());
    for (const std::string& message : messages_) fmt::print(stderr, "{}\n", message);
    messages_.clear();
    if (!end) {
      status_ = complain(end.error(), kFailedRun);
      return std::nullopt;
    }
    if (!end->halted) return std::nullopt;
    fmt::print(stderr, "{}", end->text);
    return end->exit_code;
  }
  int status() const { return status_ != 0 ? status_ : printer_.status(); }

 private:
  static int complain(const Error& error, int status) {
    std::cout.flush();
    fmt::print(stderr, "weft jq: {}\n", error.message);
    return status;
  }

  mapping::JqProgram program_;
  JsonDocument variables_;
  JqPrinter printer_;
  std::vector<std::string> messages_;
  mapping::JqRunner runner_;
  int status_ = 0;
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(json_quoted(text.substr(0, end)));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

std::vector<std::string> inputs_of(const JqCall& call, const std::string& text) {
  if (call.null_input) return {"null"};
  if (call.raw_input) return call.slurp ? std::vector{json_quoted(text)} : lines_of(text);
  std::vector<std::string> inputs = json_texts(text);
  if (call.slurp) inputs = {joined(inputs)};
  return inputs;
}

int wrong_use(const Error& error) {
  fmt::print(stderr, "weft jq: {}{}", error.message, kJqHelp);
  return kWrongUse;
}

int run_jq(const Arguments& arguments) {
  auto call = JqWords(arguments.positional()).read();
  if (!call) return wrong_use(call.error());
  auto variables = JsonDocument::parse("[" + call->values + "]");
  if (!variables) return wrong_use(variables.error());
  auto program = mapping::JqProgram::compile(*call->program, call->names);
  if (!program) {
    fmt::print(stderr, "weft jq: {}\n", program.error().message);
    return kWrongProgram;
  }
  std::string text;
  for (const std::string& file : call->files) {
    auto read = file_text(file);
    if (!read) return wrong_use(read.error());
    text += *read + '\n';
  }
  if (call->files.empty() && !call->null_input)
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  JqSession session(*call, *std::move(program), *std::move(variables));
  for (std::string& input : inputs_of(*call, text))
    if (const auto ended = session.run(std::move(input))) {
      std::cout.flush();
      return *ended;
    }
  std::cout.flush();
  return session.status();
}

}  // namespace

std::vector<Command> jq_commands() {
  return {{"jq",
           "Runs a jq program over JSON, as mappings do",
           "[options] <program> [file...]",
           {},
           run_jq,
           true}};
}

}  // namespace weft::app
