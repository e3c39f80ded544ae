#include "estate/resource.h"

#include <algorithm>

#include "estate/core/canonical_json.h"
#include "estate/core/sha256_hex.h"

namespace weft::estate {

namespace {

constexpr std::size_t kResourceNameMax = 249;
constexpr std::size_t kTenantNameMax = 63;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_word(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

// The text of a string at a pointer; empty when there is none.
std::string text_at(const Json& root, std::string_view pointer) {
  const auto* found = root.at_pointer(pointer);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : "";
}

StringMap map_at(const Json& root, std::string_view pointer) {
  StringMap map;
  const auto* found = root.at_pointer(pointer);
  if (found == nullptr || !found->is_object()) return map;
  for (const auto& member : found->members()) {
    if (member.value.is_string()) map.emplace(member.key(), member.value.as_string());
  }
  return map;
}

const Json& empty_object() {
  static const JsonDocument empty = *JsonDocument::parse("{}");
  return empty.root();
}

}  // namespace

std::string ResourceId::text() const {
  auto text = fmt::format("{} {}", kind, name);
  return tenant == kDefaultTenant ? text : fmt::format("{} in tenant {}", text, tenant);
}

bool is_resource_name(std::string_view name) {
  if (name.empty() || name.size() > kResourceNameMax || !is_word(name.front())) return false;
  return std::ranges::all_of(name, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_tenant_name(std::string_view name) {
  if (name.empty() || name.size() > kTenantNameMax || name.front() == '-') return false;
  return std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

Result<ResourcePtr> Resource::from_envelope(const Json& envelope, SourcePtr source) {
  return from_text(canonical_json(envelope), std::move(source));
}

Result<ResourcePtr> Resource::from_text(std::string canonical_text, SourcePtr source) {
  auto hash = sha256_hex(canonical_text);
  auto document = JsonDocument::parse(std::move(canonical_text));
  if (!document) return Failure(std::move(document).error().within("stored resource"));
  std::shared_ptr<Resource> made(new Resource);
  made->document_ = *std::move(document);
  const auto& root = made->document_.root();
  made->id_ = {text_at(root, "/metadata/tenant"), text_at(root, "/kind"),
               text_at(root, "/metadata/name")};
  if (made->id_.tenant.empty()) made->id_.tenant = kDefaultTenant;
  if (made->id_.kind.empty() || made->id_.name.empty()) {
    return fail(ErrorCode::DataLoss, "stored resource: no kind or no name");
  }
  made->owner_ = text_at(root, "/metadata/owner");
  made->labels_ = map_at(root, "/metadata/labels");
  made->annotations_ = map_at(root, "/metadata/annotations");
  const auto* spec = root.find("spec");
  made->spec_ = spec != nullptr && spec->is_object() ? spec : &empty_object();
  made->hash_ = std::move(hash);
  made->source_ = std::move(source);
  return made;
}

Diagnostic Resource::at(std::string pointer, std::string message) const {
  if (!source_) return {id_.text(), 0, 0, std::move(pointer), std::move(message)};
  // What is missing is reported at the nearest place above it that is there.
  auto place = pointer;
  const auto* value = source_->root().at_pointer(place);
  while (value == nullptr && !place.empty()) {
    place.resize(place.rfind('/'));
    value = source_->root().at_pointer(place);
  }
  auto diagnostic = source_->at(value == nullptr ? source_->root() : *value, std::move(message));
  diagnostic.pointer = std::move(pointer);
  return diagnostic;
}

Diagnostic Resource::at(const Json& value, std::string message) const {
  // A copy of a value is known by where it stands in the text.
  auto pointer = pointer_of(root(), value);
  if (!pointer) pointer = pointer_at(root(), value.offset());
  return at(*std::move(pointer), std::move(message));
}

}  // namespace weft::estate
