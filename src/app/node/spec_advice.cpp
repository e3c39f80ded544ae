#include "app/node/spec_advice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/json_members.h"
#include "base/suggestion.h"

namespace weft::app {
namespace {

std::string last_token(std::string_view pointer) {
  std::string token;
  auto rest = pointer.substr(pointer.rfind('/') + 1);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool is_escape = rest[i] == '~' && i + 1 < rest.size();
    if (is_escape) ++i;
    token += !is_escape ? rest[i] : rest[i] == '1' ? '/' : '~';
  }
  return token;
}

std::string unknown_field(const Json& schema, const std::string& field) {
  std::vector<std::string> known;
  if (const auto* properties = schema.find("properties")) {
    for (const auto& member : properties->members()) known.emplace_back(member.key());
  }
  return fmt::format("unknown field \"{}\"{}; known fields: {}", field, did_you_mean(field, known),
                     fmt::join(known, ", "));
}

// The fields of a oneOf that says no more than which of them must be there; else nothing.
std::vector<std::string> alternatives(const Json& schema) {
  std::vector<std::string> fields;
  for (const auto& branch : schema.find("oneOf")->elements()) {
    const auto* required = branch.find("required");
    const bool is_one_field =
        branch.is_object() && branch.size() == 1 && required != nullptr && required->size() == 1;
    if (!is_one_field) return {};
    std::string field(required->elements()[0].as_string());
    const auto* declared = schema.at_pointer("/properties/" + field);
    auto description = declared == nullptr ? std::string() : text_of(*declared, "description");
    fields.push_back(description.empty() ? field : fmt::format("{} ({})", field, description));
  }
  return fields;
}

}  // namespace

std::string spec_advice(const Json& schema, const contracts::Violation& violation) {
  auto slash = violation.schema.rfind('/');
  if (!violation.schema.starts_with('#') || slash == std::string::npos) return violation.message;
  const auto* parent = schema.at_pointer(violation.schema.substr(1, slash - 1));
  if (parent == nullptr || !parent->is_object()) return violation.message;
  auto keyword = violation.schema.substr(slash + 1);
  if (keyword == "additionalProperties")
    return unknown_field(*parent, last_token(violation.instance));
  if (keyword == "oneOf") {
    auto fields = alternatives(*parent);
    if (fields.empty()) return violation.message;
    const bool has_none = violation.message.ends_with("none");
    return fmt::format("{} one of these fields: {}", has_none ? "needs" : "takes only",
                       fmt::join(fields, ", "));
  }
  auto description = keyword == "pattern" ? text_of(*parent, "description") : std::string();
  if (description.empty()) return violation.message;
  return fmt::format("{}: {}", violation.message, description);
}

}  // namespace weft::app
