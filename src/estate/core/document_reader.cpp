#include "estate/core/document_reader.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/suggestion.h"
#include "estate/core/canonical_json.h"
#include "estate/core/pointer_pattern.h"
#include "estate/core/reference_text.h"

namespace weft::estate {

namespace {

const std::vector<std::string> kEnvelopeMembers = {"apiVersion", "kind", "metadata", "spec"};
const std::vector<std::string> kMetadataMembers = {"name", "tenant", "owner", "labels",
                                                   "annotations"};

std::string listed(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string place(const Diagnostic& diagnostic) {
  return fmt::format("{}:{}:{}", diagnostic.file, diagnostic.line, diagnostic.column);
}

// Where references in strings are resolved. Names, kinds and tenants are always written out.
bool may_hold_references(const std::string& pointer) {
  return pointer.starts_with("/spec/") || pointer == "/metadata/owner" ||
         pointer.starts_with("/metadata/labels/") || pointer.starts_with("/metadata/annotations/");
}

void collect_file_references(const Json& value, std::vector<std::string>& paths) {
  if (value.is_string()) {
    if (auto path = file_reference(value.as_string())) paths.push_back(*std::move(path));
  } else if (value.is_array()) {
    for (const auto& element : value.elements()) collect_file_references(element, paths);
  } else if (value.is_object()) {
    for (const auto& member : value.members()) collect_file_references(member.value, paths);
  }
}

}  // namespace

bool looks_like_resource(const Json& root) {
  return std::ranges::any_of(kEnvelopeMembers, [&](const std::string& member) {
    return member != "spec" && root.find(member) != nullptr;
  });
}

std::vector<std::string> file_references(const Json& root) {
  std::vector<std::string> paths;
  collect_file_references(root, paths);
  return paths;
}

std::string document_text(const Resource& resource, const KindSet& kinds) {
  if (resource.text().find("${") == std::string_view::npos) return std::string(resource.text());
  const auto* kind = kinds.find(resource.kind());
  return canonical_json(resource.root(), [&](const std::string& pointer, const Json& value) {
    const bool is_resolved = value.is_string() && may_hold_references(pointer) &&
                             !(kind != nullptr && is_at_or_below_any(pointer, kind->secret_fields));
    if (!is_resolved) return std::optional<std::string>();
    return std::optional(json_quoted(escape_references(value.as_string())));
  });
}

void DocumentReader::read(const SourcePtr& document, const FileTexts& files) {
  const auto& root = document->root();
  if (!root.is_object() || !looks_like_resource(root)) {
    error(document->at(root,
                       "not a resource: a resource has apiVersion, kind, metadata and spec; a file "
                       "that only belongs to one is named there as ${file:path}"));
    return;
  }
  auto errors_before = out_.findings.errors.size();
  const auto* kind = read_kind(*document);
  check_members(*document, root, kEnvelopeMembers);
  check_metadata(*document, kind);
  const auto* spec = root.find("spec");
  if (spec != nullptr && !spec->is_object()) {
    error(document->at(*spec, "spec must be an object"));
  }
  if (kind == nullptr) return;
  auto text = canonical_text(*document, *kind, files);
  if (out_.findings.errors.size() > errors_before) return;

  auto resource = Resource::from_text(std::move(text), document);
  if (!resource) {
    error(document->at(root, resource.error().message));
    return;
  }
  take(*std::move(resource));
}

void DocumentReader::take(ResourcePtr resource) {
  const auto& id = resource->id();
  if (auto [first, is_new] = seen_.emplace(id, resource); !is_new) {
    auto place_of_first = place(first->second->at("/metadata/name", ""));
    error(resource->at("/metadata/name", fmt::format("{} is declared twice; first at {}", id.text(),
                                                     place_of_first)));
    return;
  }
  out_.resources.push_back(std::move(resource));
}

const Kind* DocumentReader::read_kind(const SourceDocument& document) {
  const auto& root = document.root();
  const auto* version = root.find("apiVersion");
  if (version == nullptr) {
    error(
        document.at(root, fmt::format("apiVersion is missing; write apiVersion: {}", kApiVersion)));
  } else if (!version->is_string() || version->as_string() != kApiVersion) {
    error(document.at(*version, fmt::format("apiVersion must be {}", kApiVersion)));
  }
  const auto* kind = root.find("kind");
  auto names = kinds_.names();
  if (kind == nullptr) {
    error(document.at(root, fmt::format("kind is missing; known kinds: {}", listed(names))));
    return nullptr;
  }
  if (!kind->is_string()) {
    error(document.at(*kind, fmt::format("kind must be a string; known kinds: {}", listed(names))));
    return nullptr;
  }
  const auto* found = kinds_.find(kind->as_string());
  if (found == nullptr) {
    error(
        document.at(*kind, fmt::format("unknown kind \"{}\"{}; known kinds: {}", kind->as_string(),
                                       did_you_mean(kind->as_string(), names), listed(names))));
  }
  return found;
}

void DocumentReader::check_members(const SourceDocument& document, const Json& object,
                                   const std::vector<std::string>& known) {
  for (const auto& member : object.members()) {
    if (std::ranges::find(known, member.key()) != known.end()) continue;
    error(document.at(member.key_value,
                      fmt::format("unknown field \"{}\"{}; known fields: {}", member.key(),
                                  did_you_mean(member.key(), known), listed(known))));
  }
}

void DocumentReader::check_metadata(const SourceDocument& document, const Kind* kind) {
  const auto* metadata = document.root().find("metadata");
  if (metadata == nullptr || !metadata->is_object()) {
    error(document.at(metadata == nullptr ? document.root() : *metadata,
                      "metadata must be an object with a name"));
    return;
  }
  check_members(document, *metadata, kMetadataMembers);
  const auto* name = metadata->find("name");
  if (name == nullptr) {
    error(document.at(*metadata, "metadata.name is missing"));
  } else if (!name->is_string() || !is_resource_name(name->as_string())) {
    error(document.at(*name,
                      "metadata.name must be 1 to 249 characters of A-Z a-z 0-9 . _ - and begin "
                      "with a letter, digit or underscore"));
  }
  const auto* tenant = metadata->find("tenant");
  if (tenant != nullptr && (!tenant->is_string() || !is_tenant_name(tenant->as_string()))) {
    error(document.at(*tenant,
                      "metadata.tenant must be 1 to 63 characters of a-z 0-9 - and begin with a "
                      "letter or digit"));
  }
  const auto* owner = metadata->find("owner");
  if (owner != nullptr && (!owner->is_string() || owner->as_string().empty())) {
    error(document.at(*owner, "metadata.owner must be a non-empty string"));
  } else if (owner == nullptr && kind != nullptr && kind->owner == OwnerRule::Required) {
    error(document.at(*metadata,
                      fmt::format("metadata.owner is missing: every {} has an owner", kind->name)));
  }
  check_texts(document, *metadata, "labels");
  check_texts(document, *metadata, "annotations");
}

void DocumentReader::check_texts(const SourceDocument& document, const Json& metadata,
                                 std::string_view field) {
  const auto* texts = metadata.find(field);
  if (texts == nullptr) return;
  if (!texts->is_object()) {
    error(document.at(*texts, fmt::format("metadata.{} must be an object of strings", field)));
    return;
  }
  for (const auto& member : texts->members()) {
    if (member.value.is_string()) continue;
    error(document.at(member.value, fmt::format("metadata.{} holds strings only: put quotes "
                                                "around this value",
                                                field)));
  }
}

std::string DocumentReader::canonical_text(const SourceDocument& document, const Kind& kind,
                                           const FileTexts& files) {
  return canonical_json(document.root(), [&](const std::string& pointer, const Json& value) {
    return resolved(document, kind, files, pointer, value);
  });
}

std::optional<std::string> DocumentReader::resolved(const SourceDocument& document,
                                                    const Kind& kind, const FileTexts& files,
                                                    const std::string& pointer, const Json& value) {
  if (!value.is_string() || !may_hold_references(pointer)) return {};
  auto text = value.as_string();
  if (is_at_or_below_any(pointer, kind.secret_fields)) {
    if (is_secret_reference(text)) return {};
    out_.findings.warnings.push_back(document.at(
        value, "a secret is written into the document; write a reference such as ${env:NAME}"));
    return {};
  }
  if (text.find("${") == std::string_view::npos) return {};
  auto path = file_reference(text);
  auto expanded = path ? files(*path) : expand_references(text, environment_);
  if (expanded) return json_quoted(*expanded);
  error(document.at(value, expanded.error().message));
  return {};
}

}  // namespace weft::estate
