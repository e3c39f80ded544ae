#include "estate/core/generation_file.h"

#include "base/json_writer.h"
#include "estate/core/sha256_hex.h"

namespace weft::estate {

namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kChecksumField = ",\"sha256\":\"";

void write_head(JsonWriter& out, std::string_view key, const AuditHead& head) {
  out.key(key).object().member("count", head.count).member("hash", head.hash).end();
}

Failure damaged(std::string_view what) {
  return fail(ErrorCode::DataLoss, "generation.json is damaged: {}", what);
}

// The text without its checksum; the checksum is the last member.
Result<std::string> verified(const std::string& text) {
  auto at = text.rfind(kChecksumField);
  if (at == std::string::npos) return damaged("no checksum");
  auto content = text.substr(0, at) + "}";
  auto end = fmt::format("{}{}\"}}\n", kChecksumField, sha256_hex(content));
  if (text.substr(at) != end) return damaged("the checksum is wrong");
  return content;
}

std::optional<std::uint64_t> number_at(const Json& root, std::string_view pointer) {
  const auto* value = root.at_pointer(pointer);
  auto number = value == nullptr ? std::nullopt : value->as_int64();
  if (!number || *number < 0) return {};
  return static_cast<std::uint64_t>(*number);
}

Result<AuditHead> read_head(const Json& root, const std::string& field) {
  auto count = number_at(root, "/" + field + "/count");
  const auto* hash = root.at_pointer("/" + field + "/hash");
  if (!count || hash == nullptr || !hash->is_string()) return damaged(field);
  return AuditHead{*count, std::string(hash->as_string())};
}

Result<Entry> read_entry(const Json& value) {
  const auto* resource = value.find("resource");
  const auto* manager = value.find("managedBy");
  auto generation = number_at(value, "/generation");
  if (resource == nullptr || manager == nullptr || !manager->is_string() || !generation) {
    return damaged("a resource");
  }
  TRY(auto made, Resource::from_envelope(*resource));
  return Entry{std::move(made), std::string(manager->as_string()), *generation};
}

}  // namespace

std::string encode(const GenerationFile& file) {
  JsonWriter out;
  out.object().member("format", kFormat).member("generation", file.generation);
  out.member("writtenAt", to_rfc3339(file.written_at));
  write_head(out, "audit", file.audit);
  if (file.broken_audit) write_head(out, "brokenAudit", *file.broken_audit);
  out.key("resources").array();
  for (const auto& entry : file.entries) {
    out.object().member("managedBy", entry.managed_by).member("generation", entry.generation);
    out.key("resource").raw(entry.resource->text()).end();
  }
  auto text = std::move(out.end().end()).text();
  auto hash = sha256_hex(text);
  text.pop_back();
  return text.append(kChecksumField).append(hash).append("\"}\n");
}

Result<GenerationFile> decode_generation_file(std::string text) {
  TRY(auto content, verified(text));
  auto parsed = JsonDocument::parse(std::move(content));
  if (!parsed) return damaged(parsed.error().message);
  const auto& root = parsed->root();
  auto format = number_at(root, "/format");
  if (!format) return damaged("no format");
  if (*format > kFormat) {
    return fail(ErrorCode::FailedPrecondition,
                "generation.json was written by a newer version of Weft (format {}, this program "
                "knows {})",
                *format, kFormat);
  }
  GenerationFile file;
  auto generation = number_at(root, "/generation");
  const auto* written_at = root.find("writtenAt");
  const auto* resources = root.find("resources");
  if (!generation || written_at == nullptr || resources == nullptr || !resources->is_array()) {
    return damaged("a field is missing");
  }
  file.generation = *generation;
  TRY(file.written_at, parse_rfc3339(written_at->as_string()));
  TRY(file.audit, read_head(root, "audit"));
  if (root.find("brokenAudit") != nullptr) {
    TRY(file.broken_audit, read_head(root, "brokenAudit"));
  }
  for (const auto& element : resources->elements()) {
    TRY(auto entry, read_entry(element));
    file.entries.push_back(std::move(entry));
  }
  return file;
}

}  // namespace weft::estate
