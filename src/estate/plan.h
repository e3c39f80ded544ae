// What a change set would do: the difference between the desired estate and the current generation,
// with everything that speaks against it. Pure values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "estate/kind.h"
#include "estate/resource.h"

namespace weft::estate {

enum class ChangeAction : std::uint8_t { Create, Update, Delete, Unchanged };
std::string_view name(ChangeAction action);  // "create" …

// One difference. The values are JSON text, absent where nothing stands; a secret is
// "\"[redacted]\"".
struct FieldChange {
  std::string pointer;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

struct PlannedChange {
  ChangeAction action = ChangeAction::Unchanged;
  ResourceId id;
  ResourcePtr before;  // null for Create
  ResourcePtr after;   // null for Delete
  std::string managed_by;
  std::vector<FieldChange> fields;  // of an Update
};

struct Plan {
  std::uint64_t generation = 0;        // that the plan is based on
  std::vector<PlannedChange> changes;  // sorted by kind, tenant, name; unchanged ones too
  Findings findings;

  bool has_changes() const;
  bool is_refused() const { return !findings.errors.empty(); }
  std::size_t count(ChangeAction action) const;
};

// For people: one line per change (+ ~ -), its fields below, warnings and errors, and a summary.
std::string to_text(const Plan& plan);
// {"generation", "changes": [{"action", "kind", "name", "tenant", "fields": [{"pointer", "before",
// "after"}]}], "warnings": […], "errors": [{"file", "line", "column", "pointer", "message"}]}.
// Unchanged resources are left out.
void write_json(JsonWriter& out, const Plan& plan);
void write_json(JsonWriter& out, const Diagnostic& diagnostic);

}  // namespace weft::estate
