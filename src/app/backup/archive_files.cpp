#include "app/backup/archive_files.h"

#include <algorithm>
#include <filesystem>

#include "app/backup/file_copy.h"
#include "app/backup/newer_format.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "eventlog/embedded/wal_scan.h"

namespace weft::app {
namespace {

constexpr std::int64_t kNoteFormat = 1;
constexpr std::size_t kSha256Digits = 64;
constexpr std::string_view kNoteEnding = ".json";

Failure no_note(std::string_view why) {
  return fail(ErrorCode::DataLoss, "not the note of an archived file: {}", why);
}

Result<JsonDocument> open_note(std::string_view json) {
  auto document = JsonDocument::parse(std::string(json));
  if (!document) return no_note(document.error().message);
  auto format = member_integer(document->root(), "format");
  if (!format) return no_note("it has no format");
  if (*format > kNoteFormat) return newer_format("the note of an archived file", *format);
  return document;
}

// The note of folder/kind/name, parsed; a failure names it.
template <class T>
Result<T> read_note(const std::string& folder, std::string_view kind, std::string_view name,
                    Result<T> (*parse)(std::string_view)) {
  auto path = archive_path(folder, kind, name) + std::string(kNoteEnding);
  TRY(auto text, read_text(path));
  auto note = parse(text);
  if (!note) return std::unexpected(std::move(note).error().within(path));
  return note;
}

}  // namespace

std::string archived_wal_json(const ArchivedWal& file) {
  JsonWriter out;
  out.object()
      .member("format", kNoteFormat)
      .member("sequence", file.sequence)
      .member("bytes", file.bytes)
      .member("sha256", file.sha256)
      .member("previousEnd", file.previous_end)
      .member("firstPosition", file.first)
      .member("endPosition", file.end)
      .member("createdAt", to_rfc3339(file.created));
  if (file.first_time) out.member("firstTime", to_rfc3339(*file.first_time));
  if (file.last_time) out.member("lastTime", to_rfc3339(*file.last_time));
  out.end();
  return std::move(out).text();
}

Result<ArchivedWal> parse_archived_wal(std::string_view json) {
  TRY(auto document, open_note(json));
  const auto& root = document.root();
  auto sequence = member_count(root, "sequence");
  auto bytes = member_count(root, "bytes");
  auto previous_end = member_count(root, "previousEnd");
  auto first = member_count(root, "firstPosition");
  auto end = member_count(root, "endPosition");
  auto created = member_time(root, "createdAt");
  if (!sequence || !bytes || !previous_end || !first || !end || !created)
    return no_note("a member is missing");
  ArchivedWal file;
  file.sequence = *sequence;
  file.bytes = *bytes;
  file.sha256 = text_of(root, "sha256");
  file.previous_end = *previous_end;
  file.first = *first;
  file.end = *end;
  file.created = *created;
  file.first_time = member_time(root, "firstTime");
  file.last_time = member_time(root, "lastTime");
  if (file.sha256.size() != kSha256Digits) return no_note("no SHA-256");
  if (file.end < file.first || file.bytes != eventlog::kWalHeaderBytes + (file.end - file.first)) {
    return no_note("its size is not that of its positions");
  }
  return file;
}

std::string archived_state_json(const ArchivedState& state) {
  JsonWriter out;
  out.object()
      .member("format", kNoteFormat)
      .member("takenAt", to_rfc3339(state.taken))
      .member("bytes", state.bytes)
      .member("sha256", state.sha256)
      .end();
  return std::move(out).text();
}

Result<ArchivedState> parse_archived_state(std::string_view json) {
  TRY(auto document, open_note(json));
  const auto& root = document.root();
  auto taken = member_time(root, "takenAt");
  auto bytes = member_count(root, "bytes");
  if (!taken || !bytes) return no_note("a member is missing");
  ArchivedState state;
  state.taken = *taken;
  state.bytes = *bytes;
  state.sha256 = text_of(root, "sha256");
  if (state.sha256.size() != kSha256Digits) return no_note("no SHA-256");
  return state;
}

std::string archived_wal_name(std::uint64_t sequence) {
  return fmt::format("{:016x}", sequence);
}

std::string archived_state_name(WallTime taken) {
  auto name = to_rfc3339(taken);
  std::ranges::replace(name, ':', '-');
  return name;
}

std::string archive_path(std::string_view folder, std::string_view kind, std::string_view name) {
  return fmt::format("{}/{}/{}", folder, kind, name);
}

Result<std::vector<std::string>> archived_names(const std::string& folder, std::string_view kind) {
  std::vector<std::string> names;
  auto place = fmt::format("{}/{}", folder, kind);
  std::error_code error;
  if (!std::filesystem::exists(place, error) && !error) return names;
  std::filesystem::directory_iterator at(place, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    auto path = at->path();
    if (path.extension() == kNoteEnding) names.push_back(path.stem().string());
  }
  if (error) return fail(ErrorCode::IoError, "cannot list {}: {}", place, error.message());
  std::ranges::sort(names);
  return names;
}

Result<ArchivedWal> read_archived_wal(const std::string& folder, std::uint64_t sequence) {
  return read_note(folder, "wal", archived_wal_name(sequence), &parse_archived_wal);
}

Result<ArchivedState> read_archived_state(const std::string& folder, const std::string& name) {
  TRY(auto state, read_note(folder, "state", name, &parse_archived_state));
  state.name = name;
  return state;
}

Result<std::map<std::uint64_t, ArchivedWal>> archived_wal_from(const std::string& folder,
                                                               std::uint64_t first) {
  std::map<std::uint64_t, ArchivedWal> files;
  TRY(auto names, archived_names(folder, "wal"));
  for (const auto& name : names) {
    auto sequence = eventlog::wal_sequence_of(name + ".wal");
    if (!sequence || *sequence < first) continue;
    TRY(files[*sequence], read_archived_wal(folder, *sequence));
    if (files[*sequence].sequence != *sequence) {
      return fail(ErrorCode::DataLoss, "{} is the note of another file",
                  archive_path(folder, "wal", name));
    }
  }
  return files;
}

}  // namespace weft::app
