// weft(1), from the command table. See man(7) of groff for the macros.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/cli/description.h"
#include "app/version.h"
#include "base/json_writer.h"

namespace weft::app {
namespace {

// So many commands have a flag before it is told once for all of them.
constexpr std::ptrdiff_t kSharedBy = 4;

// The bytes of the UTF-8 character that begins with `first`; 1 for what begins none.
std::size_t character_bytes(unsigned char first) {
  if (first >= 0xF0) return 4;
  if (first >= 0xE0) return 3;
  return first >= 0xC0 ? 2 : 1;
}

// Text as roff reads it: no control lines, real hyphens, other characters by their code.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto bytes = std::min(character_bytes(static_cast<unsigned char>(text[i])), text.size() - i);
    if (bytes > 1) {
      auto code =
          static_cast<unsigned>(static_cast<unsigned char>(text[i])) & (0xFFu >> (bytes + 1));
      for (std::size_t k = 1; k < bytes; ++k) {
        code = code << 6 | (static_cast<unsigned>(static_cast<unsigned char>(text[i + k])) & 0x3Fu);
      }
      out += fmt::format("\\[u{:04X}]", code);
    } else if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else if (text[i] == '`') {
      out += "\\(ga";
    } else if (text[i] == '\'') {
      out += "\\(aq";
    } else {
      out += text[i];
    }
    i += bytes;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

bool same(const FlagSpec& a, const FlagSpec& b) {
  return a.name == b.name && a.value == b.value && a.help == b.help && a.fallback == b.fallback;
}

std::vector<FlagSpec> shared_flags(const CommandLine& line) {
  std::vector<FlagSpec> shared;
  for (const auto& command : line.commands()) {
    for (const auto& flag : command.flags) {
      auto has_it = [&](const Command& other) {
        return std::ranges::any_of(other.flags, [&](const FlagSpec& f) { return same(f, flag); });
      };
      auto is_known = std::ranges::any_of(shared, [&](const FlagSpec& f) { return same(f, flag); });
      if (!is_known && std::ranges::count_if(line.commands(), has_it) >= kSharedBy)
        shared.push_back(flag);
    }
  }
  return shared;
}

std::string flag_entry(const FlagSpec& flag) {
  std::vector<std::string> written;
  for (const auto& spelling : spellings(flag))
    written.push_back(fmt::format("\\fB{}\\fR", roff(spelling)));
  auto head = fmt::format("{}", fmt::join(written, ", "));
  if (!flag.value.empty()) head += fmt::format(" \\fI{}\\fR", roff(flag.value));
  auto text = roff(flag.help);
  if (!flag.fallback.empty()) text += fmt::format(" (default {})", roff(flag.fallback));
  if (flag.repeats) text += "; may be given several times";
  return fmt::format(".TP\n{}\n{}.\n", head, text);
}

std::string command_entry(const Command& command, const std::vector<FlagSpec>& shared) {
  auto out = fmt::format(".SS \\fBweft {}\\fR", roff(command.name));
  if (!command.positional.empty()) out += fmt::format(" \\fI{}\\fR", roff(command.positional));
  out += fmt::format("\n{}.\n", roff(command.summary));
  std::vector<std::string> below;
  for (const auto& flag : command.flags) {
    if (std::ranges::any_of(shared, [&](const FlagSpec& f) { return same(f, flag); })) {
      below.push_back(fmt::format("\\fB\\-\\-{}\\fR", roff(flag.name)));
    } else {
      out += flag_entry(flag);
    }
  }
  if (!below.empty()) out += fmt::format(".PP\nAlso {}: see OPTIONS.\n", fmt::join(below, ", "));
  return out;
}

}  // namespace

std::string manual_page(const CommandLine& line) {
  auto out = fmt::format(
      ".\\\" Made by `weft man` from the program's own description.\n"
      ".TH WEFT 1 \"\" \"weft {}\" \"Weft\"\n"
      ".SH NAME\nweft \\- integration fabric: API gateway, durable event log, contracts and webhook delivery\n"
      ".SH SYNOPSIS\n.B weft\n.I command\n.RI [ flag ...]\n.RI [ argument ...]\n"
      ".SH DESCRIPTION\n"
      "Weft is one process. \\fBweft up\\fR starts it; the other commands talk to the node that runs on this\n"
      "machine or to the one that \\fB\\-\\-server\\fR names. Flags are written \\fB\\-\\-name\\fR \\fIvalue\\fR or\n"
      "\\fB\\-\\-name=\\fR\\fIvalue\\fR.\n"
      ".SH COMMANDS\n",
      roff(kVersion));
  auto shared = shared_flags(line);
  for (const auto& command : line.commands()) out += command_entry(command, shared);
  out += ".SH OPTIONS\nOf several commands, each of which names them.\n";
  for (const auto& flag : shared) out += flag_entry(flag);
  for (const auto& flag : line.global_flags()) out += flag_entry(flag);
  out += fmt::format(
      ".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nAn error, told on standard error.\n"
      ".TP\n2\nChanges are pending: \\fBweft plan\\fR found something to apply.\n"
      ".SH ENVIRONMENT\n.TP\n\\fBWEFT_\\fR\\fIFLAG\\fR\n"
      "Stands in for a flag: \\fB{}\\fR for \\fB\\-\\-token\\-file\\fR.\n"
      ".TP\n\\fBWEFT_\\fR\\fISECTION\\fR\\fB__\\fR\\fISETTING\\fR\n"
      "Stands in for a setting of the node; \\fBweft settings\\fR lists them.\n"
      ".SH FILES\n.TP\n.I weft.yaml\nSettings of the node, from the folder in which it starts unless\n"
      "\\fB\\-\\-config\\fR names another file.\n.TP\n.I weft\\-data\nThe data folder, unless a setting says otherwise.\n",
      roff(flag_variable("token-file")));
  return out;
}

std::string description_json(const CommandLine& line) {
  JsonWriter out;
  out.object().member("version", kVersion).key("commands").array();
  for (const auto& command : line.commands()) {
    out.object().member("name", command.name).member("summary", command.summary);
    out.member("positional", command.positional).key("flags").array();
    for (const auto* flags : {&command.flags, &line.global_flags()}) {
      for (const auto& flag : *flags) {
        out.object()
            .member("name", flag.name)
            .member("value", flag.value)
            .member("help", flag.help);
        out.member("default", flag.fallback).member("repeats", flag.repeats);
        out.member("variable", flag_variable(flag.name)).end();
      }
    }
    out.end().end();
  }
  out.end().end();
  return std::move(out).text();
}

}  // namespace weft::app
