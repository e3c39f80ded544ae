// The last generation as one JSON text, with which a node starts when it has no database, and the
// head of the audit chain at that time. Format: docs/formats/generation-file.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "estate/audit.h"
#include "estate/view.h"

namespace weft::estate {

struct GenerationFile {
  std::uint64_t generation = 0;
  WallTime written_at;
  AuditHead audit;
  // A head that the chain once did not go through. Kept until somebody removes it by hand, so that
  // later generations do not cover it up.
  std::optional<AuditHead> broken_audit;
  std::vector<Entry> entries;
};

// What one generation changed. A large file is continued by these, one a line, in a second file.
struct GenerationStep {
  std::uint64_t generation = 0;
  WallTime written_at;
  AuditHead audit;
  std::optional<AuditHead> broken_audit;
  std::vector<Entry> put;
  std::vector<ResourceId> removed;
};

std::string encode(const GenerationFile& file);
// `base` names the file that is continued: its checksum().
std::string encode(const GenerationStep& step, std::string_view base);
// Of an encoded file: 64 hex digits, or nothing when it has none.
std::string_view checksum(std::string_view encoded);

// Brings a file to what the steps of its second file say; those of another base are passed over.
// Returns how many bytes of them are good: what follows is a line that a crash cut off. DataLoss
// when a whole line is damaged or one is missing.
Result<std::size_t> follow(GenerationFile& file, std::string_view base, std::string_view steps);

// DataLoss when the text is damaged, FailedPrecondition when a newer Weft wrote it.
Result<GenerationFile> decode_generation_file(std::string text);

}  // namespace weft::estate
