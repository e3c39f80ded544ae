// For tests: three small kinds with a schema engine of a few lines, and documents of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "estate/change_set.h"
#include "estate/kind.h"
#include "estate/loader.h"

namespace weft::estate {

// A "schema" is a JSON object of member name -> type ("string", "integer", "array"); other members
// are refused.
class TinySchema final : public SpecValidator {
 public:
  explicit TinySchema(JsonDocument schema) : schema_(std::move(schema)) {}

  std::vector<SpecIssue> validate(const Json& spec) const override {
    std::vector<SpecIssue> issues;
    for (const auto& member : spec.members()) {
      auto pointer = "/" + escape_pointer_token(member.key());
      const auto* type = schema_.root().find(member.key());
      if (type == nullptr) {
        issues.push_back({pointer, fmt::format("unknown field \"{}\"", member.key())});
      } else if (!has_type(member.value, type->as_string())) {
        issues.push_back({pointer, fmt::format("must be of type {}", type->as_string())});
      }
    }
    return issues;
  }

 private:
  static bool has_type(const Json& value, std::string_view type) {
    if (type == "string") return value.is_string();
    if (type == "array") return value.is_array();
    return value.as_int64().has_value();
  }
  JsonDocument schema_;
};

inline SpecCompiler tiny_schemas() {
  return [](std::string_view schema) -> Result<std::unique_ptr<SpecValidator>> {
    TRY(auto document, JsonDocument::parse(std::string(schema)));
    return std::make_unique<TinySchema>(std::move(document));
  };
}

// A reference in a member of the spec that holds a name.
inline std::function<std::vector<Reference>(const Json&)> refers_to(std::string kind,
                                                                    std::string member) {
  return [kind = std::move(kind), member = std::move(member)](const Json& spec) {
    std::vector<Reference> references;
    const auto* name = spec.find(member);
    if (name != nullptr) {
      references.push_back({kind, std::string(name->as_string()), "/spec/" + member});
    }
    return references;
  };
}

// Stream {partitions, retention}: partitions cannot change, and a Stream named "doomed" is refused.
// Hook {stream, secret}: needs a Stream of at most 8 partitions. Chain {next}: needs a Chain.
inline std::vector<Kind> tiny_kind_list() {
  Kind stream{.name = "Stream",
              .summary = "Records",
              .schema = R"({"partitions": "integer", "retention": "string", "script": "string"})",
              .owner = OwnerRule::Required};
  stream.irreversible = {{"/spec/partitions", "records would move"}};
  stream.check = [](const Resource& resource, const EstateView&, Findings& findings) {
    if (resource.name() != "doomed") return;
    findings.errors.push_back(resource.at("/metadata/name", "doomed is not allowed"));
  };
  stream.check_change = [](const Resource& before, const Resource* after, const EstateView&,
                           Findings& findings) {
    if (after == nullptr) findings.warnings.push_back(before.at("", "its records are lost"));
  };
  Kind hook{.name = "Hook",
            .summary = "A subscriber",
            .schema = R"({"stream": "string", "secret": "string"})"};
  hook.references = refers_to("Stream", "stream");
  hook.secret_fields = {"/spec/secret"};
  hook.check = [](const Resource& resource, const EstateView& desired, Findings& findings) {
    auto name = resource.spec().find("stream")->as_string();
    const auto* target = desired.find(resource.tenant(), "Stream", name);
    const auto* partitions = target->spec().find("partitions");
    if (partitions == nullptr || partitions->as_int64().value_or(0) <= 8) return;
    findings.errors.push_back(resource.at("/spec/stream", "a hook reads at most 8 partitions"));
  };
  Kind chain{.name = "Chain", .summary = "A chain", .schema = R"({"next": "string"})"};
  chain.references = refers_to("Chain", "next");
  return {stream, hook, chain};
}

inline const KindSet& tiny_kinds() {
  static const KindSet kinds = *KindSet::create(tiny_kind_list(), tiny_schemas());
  return kinds;
}

inline std::string stream_yaml(std::string_view name, int partitions = 1,
                               std::string_view metadata = "owner: shop") {
  return fmt::format(
      "---\napiVersion: weft/v1\nkind: Stream\nmetadata:\n  name: {}\n  {}\n"
      "spec:\n  partitions: {}\n",
      name, metadata, partitions);
}

inline std::string hook_yaml(std::string_view name, std::string_view stream,
                             std::string_view secret = "${env:HOOK_SECRET}") {
  return fmt::format(
      "---\napiVersion: weft/v1\nkind: Hook\nmetadata:\n  name: {}\n"
      "spec:\n  stream: {}\n  secret: \"{}\"\n",
      name, stream, secret);
}

// The resources of a text that is right.
inline ChangeSet change_set(std::string yaml, Prune prune = Prune::Keep) {
  auto loaded = Loader(tiny_kinds()).load_text("test.yaml", std::move(yaml));
  ENSURE(loaded.ok(), loaded.error_text().c_str());
  ChangeSet changes;
  changes.resources = std::move(loaded.resources);
  changes.prune = prune;
  return changes;
}

}  // namespace weft::estate
