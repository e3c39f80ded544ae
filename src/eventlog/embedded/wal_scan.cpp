#include "eventlog/embedded/wal_scan.h"

#include <algorithm>
#include <charconv>

#include "eventlog/core/log_manifest.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_recovery.h"

namespace weft::eventlog {

Result<std::uint64_t> first_wal_sequence(std::string_view manifest) {
  TRY(auto decoded, decode_manifest(manifest));
  return decoded.wal_sequence;
}

std::string wal_name(std::uint64_t sequence) {
  return LogContext::wal_name(sequence);
}

std::optional<std::uint64_t> wal_sequence_of(std::string_view name) {
  constexpr std::string_view kSuffix = ".wal";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  auto digits = name.substr(0, name.size() - kSuffix.size());
  std::uint64_t sequence = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return sequence;
}

Task<Result<WalFileHeader>> read_wal_header(File& file) {
  std::string bytes(kWalHeaderBytes, '\0');
  CO_TRY(auto got, co_await file.read_at(bytes, 0));
  co_return decode_wal_header(std::string_view(bytes).substr(0, got));
}

Task<Result<WalScan>> scan_wal_file(FileSystem& files, std::string path) {
  CO_TRY(auto cut, co_await cut_wal_file(files, std::move(path), WalLimit()));
  co_return cut.kept;
}

Task<Result<WalCut>> cut_wal_file(FileSystem& files, std::string path, WalLimit limit) {
  CO_TRY(auto file, co_await files.open(path, OpenMode::Read));
  CO_TRY(auto size, co_await file->size());
  WalScan seen;
  auto header = co_await read_wal_header(*file);
  if (!header) co_return std::unexpected(std::move(header).error().within(path));
  seen.header = *header;
  seen.end = header->first_position;
  WalCut cut{seen, false};
  FileWindow window(*file, size);
  for (std::uint64_t at = kWalHeaderBytes; at + kWalEntryHeaderBytes <= size;) {
    CO_TRY(auto bytes, co_await window.view(at, kWalEntryHeaderBytes));
    auto claimed = claimed_wal_entry_bytes(bytes, seen.end);
    if (claimed == 0) break;
    CO_TRY(bytes, co_await window.view(at, claimed));
    auto entry = read_wal_entry(bytes, seen.end, seen.header.epoch);
    if (!entry) break;
    if (limit.until && entry->position + entry->bytes > *limit.until) {
      cut.is_reached = true;
      break;
    }
    auto mark = read_time_mark(*entry);
    if (mark && limit.until_ms && *mark > *limit.until_ms) {
      cut.is_reached = true;
      break;
    }
    ++seen.entries;
    at += entry->bytes;
    seen.end += entry->bytes;
    if (mark) {
      // A clock that was set back does not make the file younger.
      seen.first_ms = std::min(seen.first_ms.value_or(*mark), *mark);
      seen.last_ms = std::max(seen.last_ms.value_or(*mark), *mark);
    }
    // What no mark has closed yet may belong to a later moment.
    if (mark || !limit.until_ms) cut.kept = seen;
  }
  co_return cut;
}

}  // namespace weft::eventlog
