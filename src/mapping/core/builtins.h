// The functions that every program has: native ones by name, the rest as jq. Private to mapping.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "mapping/core/program.h"

namespace weft::mapping {

struct NativeEntry {
  std::string_view name;
  int arity;
  NativeFunction function;
};

// Each file of builtins_*.cpp gives its own.
std::span<const NativeEntry> value_builtins();
std::span<const NativeEntry> text_builtins();
std::span<const NativeEntry> collection_builtins();
std::span<const NativeEntry> path_builtins();
std::span<const NativeEntry> math_builtins();
std::span<const NativeEntry> date_builtins();
std::span<const NativeEntry> pattern_builtins();
std::span<const NativeEntry> machine_builtins();

// Null when there is none.
NativeFunction find_native(std::string_view name, int arity);
// "def name(…): …;" of a function that is defined as jq; empty when there is none.
std::string_view find_definition(std::string_view name, int arity);
// name/arity of everything that a program may call.
std::span<const std::string> builtin_names();

std::optional<Format> format_named(std::string_view name);

}  // namespace weft::mapping
