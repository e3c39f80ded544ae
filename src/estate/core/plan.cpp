#include "estate/plan.h"

#include <algorithm>

#include "base/json_writer.h"

namespace weft::estate {

namespace {

constexpr std::size_t kShownValueMax = 120;  // characters of a value in the text form

char sign(ChangeAction action) {
  switch (action) {
    case ChangeAction::Create:
      return '+';
    case ChangeAction::Update:
      return '~';
    case ChangeAction::Delete:
      return '-';
    case ChangeAction::Unchanged:
      return ' ';
  }
  return ' ';
}

std::string shown(const std::optional<std::string>& value) {
  if (!value) return "(nothing)";
  if (value->size() <= kShownValueMax) return *value;
  auto end = kShownValueMax;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>((*value)[end]) & 0xc0) == 0x80) --end;
  return value->substr(0, end) + "…";
}

void write_json(JsonWriter& out, const PlannedChange& change) {
  out.object().member("action", name(change.action));
  out.member("kind", change.id.kind).member("name", change.id.name);
  out.member("tenant", change.id.tenant).member("managedBy", change.managed_by);
  out.key("fields").array();
  for (const auto& field : change.fields) {
    out.object().member("pointer", field.pointer);
    if (field.before) out.key("before").raw(*field.before);
    if (field.after) out.key("after").raw(*field.after);
    out.end();
  }
  out.end().end();
}

}  // namespace

std::string_view name(ChangeAction action) {
  switch (action) {
    case ChangeAction::Create:
      return "create";
    case ChangeAction::Update:
      return "update";
    case ChangeAction::Delete:
      return "delete";
    case ChangeAction::Unchanged:
      return "unchanged";
  }
  return "unchanged";
}

bool Plan::has_changes() const {
  return count(ChangeAction::Unchanged) != changes.size();
}

std::size_t Plan::count(ChangeAction action) const {
  return static_cast<std::size_t>(std::ranges::count(changes, action, &PlannedChange::action));
}

std::string to_text(const Plan& plan) {
  std::string text;
  for (const auto& change : plan.changes) {
    if (change.action == ChangeAction::Unchanged) continue;
    text += fmt::format("{} {}\n", sign(change.action), change.id.text());
    for (const auto& field : change.fields) {
      text +=
          fmt::format("    {}: {} -> {}\n", field.pointer, shown(field.before), shown(field.after));
    }
  }
  for (const auto& warning : plan.findings.warnings) {
    text += fmt::format("warning: {}\n", warning.text());
  }
  for (const auto& error : plan.findings.errors) text += fmt::format("error: {}\n", error.text());
  text += fmt::format("{} to create, {} to update, {} to delete, {} unchanged",
                      plan.count(ChangeAction::Create), plan.count(ChangeAction::Update),
                      plan.count(ChangeAction::Delete), plan.count(ChangeAction::Unchanged));
  if (plan.is_refused()) text += fmt::format("; refused: {} errors", plan.findings.errors.size());
  return text + "\n";
}

void write_json(JsonWriter& out, const Diagnostic& diagnostic) {
  out.object().member("file", diagnostic.file).member("line", diagnostic.line);
  out.member("column", diagnostic.column).member("pointer", diagnostic.pointer);
  out.member("message", diagnostic.message).end();
}

void write_json(JsonWriter& out, const Plan& plan) {
  out.object().member("generation", plan.generation).key("changes").array();
  for (const auto& change : plan.changes) {
    if (change.action != ChangeAction::Unchanged) write_json(out, change);
  }
  out.end().key("warnings").array();
  for (const auto& warning : plan.findings.warnings) write_json(out, warning);
  out.end().key("errors").array();
  for (const auto& error : plan.findings.errors) write_json(out, error);
  out.end().end();
}

}  // namespace weft::estate
