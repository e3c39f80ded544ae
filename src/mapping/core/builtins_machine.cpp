// Builtins that speak with what runs the program.
#include "mapping/core/builtins.h"
#include "mapping/core/machine.h"
#include "mapping/core/number.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {
namespace {

using V = Value;
using M = Machine;

bool say(M& m, const V& value, const Node& at) {
  if (m.options().messages == nullptr) return m.spend(1, at);
  std::string text;
  if (!m.write_json(text, value, at)) return false;
  m.options().messages->push_back(std::move(text));
  return m.spend(1, at);
}

V b_debug(M& m, V* a, const Node& at) {
  V message = V::new_array(2);
  message.append(V::text("DEBUG:"));
  message.append(a[0]);
  return say(m, message, at) ? std::move(a[0]) : V();
}

V b_stderr(M& m, V* a, const Node& at) {
  return say(m, a[0], at) ? std::move(a[0]) : V();
}

V b_input(M& m, V* /*a*/, const Node& at) {
  return m.raise("input and inputs are not available: a program sees one input, as '.'", at);
}

V b_now(M& m, V* /*a*/, const Node& at) {
  if (m.options().now) return number_of(*m.options().now);
  return m.raise("now is not available here: take the time from the input", at);
}

V b_halt(M& m, V* /*a*/, const Node& /*at*/) {
  return m.halt({});
}

V b_halt_error(M& m, V* a, const Node& at) {
  if (!a[1].is_number()) return m.raise("halt_error/1: number required", at);
  JqEnd end;
  end.exit_code = static_cast<int>(whole_part(a[1]) & 0xff);
  if (a[0].is_string()) {
    end.text = a[0].text();
  } else if (!a[0].is_null()) {
    if (!m.write_json(end.text, a[0], at)) return {};
    end.text += '\n';
  }
  return m.halt(std::move(end));
}

V b_null(M& /*m*/, V* /*a*/, const Node& /*at*/) {
  return {};
}

V b_zero(M& /*m*/, V* /*a*/, const Node& /*at*/) {
  return V::integer(0);
}

V b_true(M& /*m*/, V* /*a*/, const Node& /*at*/) {
  return V::boolean(true);
}

V b_builtins(M& /*m*/, V* /*a*/, const Node& /*at*/) {
  V names = V::new_array();
  for (const std::string& name : builtin_names()) names.append(V::text(name));
  return names;
}

constexpr NativeEntry kMachineBuiltins[] = {
    {"debug", 0, b_debug},
    {"stderr", 0, b_stderr},
    {"input", 0, b_input},
    {"now", 0, b_now},
    {"halt", 0, b_halt},
    {"halt_error", 1, b_halt_error},
    {"input_filename", 0, b_null},
    {"input_line_number", 0, b_zero},
    {"have_literal_numbers", 0, b_true},
    {"have_decnum", 0, b_true},
    {"builtins", 0, b_builtins},
};

}  // namespace

std::span<const NativeEntry> machine_builtins() {
  return kMachineBuiltins;
}

}  // namespace weft::mapping
