#include "estate/core/generation_file.h"

#include "base/json_members.h"
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

// A complete object with its checksum as the last member, on a line.
std::string sealed(std::string text) {
  auto hash = sha256_hex(text);
  text.pop_back();
  return text.append(kChecksumField).append(hash).append("\"}\n");
}

// The text without its checksum.
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
  const auto manager = member_text(value, "managedBy");
  auto generation = number_at(value, "/generation");
  if (resource == nullptr || !manager || !generation) {
    return damaged("a resource");
  }
  TRY(auto made, Resource::from_envelope(*resource));
  return Entry{std::move(made), std::string(*manager), *generation};
}

// What a file and a step have in common.
template <class T>
void write_state(JsonWriter& out, const T& state) {
  out.member("generation", state.generation).member("writtenAt", to_rfc3339(state.written_at));
  write_head(out, "audit", state.audit);
  if (state.broken_audit) write_head(out, "brokenAudit", *state.broken_audit);
}

void write_entries(JsonWriter& out, std::string_view key, const std::vector<Entry>& entries) {
  out.key(key).array();
  for (const auto& entry : entries) {
    out.object().member("managedBy", entry.managed_by).member("generation", entry.generation);
    out.key("resource").raw(entry.resource->text()).end();
  }
  out.end();
}

template <class T>
Result<> read_state(const Json& root, T& state) {
  auto generation = number_at(root, "/generation");
  const auto written_at = member_text(root, "writtenAt");
  if (!generation || !written_at) {
    return damaged("a field is missing");
  }
  state.generation = *generation;
  TRY(state.written_at, parse_rfc3339(*written_at));
  TRY(state.audit, read_head(root, "audit"));
  if (root.find("brokenAudit") != nullptr) {
    TRY(state.broken_audit, read_head(root, "brokenAudit"));
  }
  return {};
}

Result<std::vector<Entry>> read_entries(const Json& root, std::string_view key) {
  const auto* list = root.find(key);
  if (list == nullptr || !list->is_array()) return damaged("a field is missing");
  std::vector<Entry> entries;
  for (const auto& element : list->elements()) {
    TRY(auto entry, read_entry(element));
    entries.push_back(std::move(entry));
  }
  return entries;
}

// Absent when the step continues another file.
Result<std::optional<GenerationStep>> decode_step(const std::string& line, std::string_view base) {
  TRY(auto content, verified(line));
  auto parsed = JsonDocument::parse(std::move(content));
  if (!parsed) return damaged(parsed.error().message);
  const auto& root = parsed->root();
  const auto continued = member_text(root, "base");
  const auto* removed = root.find("removed");
  if (!continued || removed == nullptr || !removed->is_array()) {
    return damaged("a field is missing");
  }
  if (*continued != base) return std::optional<GenerationStep>();
  GenerationStep step;
  CHECK(read_state(root, step));
  TRY(step.put, read_entries(root, "put"));
  for (const auto& id : removed->elements()) {
    if (!id.is_array() || id.size() != 3) return damaged("a name");
    auto part = [&](std::size_t i) { return std::string(id.elements()[i].as_string()); };
    step.removed.push_back({part(0), part(1), part(2)});
  }
  return std::optional(std::move(step));
}

}  // namespace

std::string encode(const GenerationFile& file) {
  JsonWriter out;
  out.object().member("format", kFormat);
  write_state(out, file);
  write_entries(out, "resources", file.entries);
  return sealed(std::move(out.end()).text());
}

std::string encode(const GenerationStep& step, std::string_view base) {
  JsonWriter out;
  out.object().member("base", base);
  write_state(out, step);
  write_entries(out, "put", step.put);
  out.key("removed").array();
  for (const auto& id : step.removed) {
    out.array().value(id.tenant).value(id.kind).value(id.name).end();
  }
  return sealed(std::move(out.end().end()).text());
}

std::string_view checksum(std::string_view encoded) {
  auto at = encoded.rfind(kChecksumField);
  return at == std::string_view::npos ? "" : encoded.substr(at + kChecksumField.size(), 64);
}

Result<std::size_t> follow(GenerationFile& file, std::string_view base, std::string_view steps) {
  ViewBuilder builder;
  for (auto& entry : file.entries) builder.put(std::move(entry));
  std::size_t good = 0;
  for (auto end = steps.find('\n'); end != std::string_view::npos; end = steps.find('\n', good)) {
    TRY(auto step, decode_step(std::string(steps.substr(good, end + 1 - good)), base));
    good = end + 1;
    if (!step) continue;
    if (step->generation != file.generation + 1) return damaged("a generation is missing");
    file.generation = step->generation;
    file.written_at = step->written_at;
    file.audit = step->audit;
    file.broken_audit = step->broken_audit;
    for (auto& entry : step->put) builder.put(std::move(entry));
    for (const auto& id : step->removed) builder.remove(id);
  }
  file.entries = std::move(builder).build(file.generation).entries();
  return good;
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
  CHECK(read_state(root, file));
  TRY(file.entries, read_entries(root, "resources"));
  return file;
}

}  // namespace weft::estate
