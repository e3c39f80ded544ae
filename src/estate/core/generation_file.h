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

std::string encode(const GenerationFile& file);
// DataLoss when the text is damaged, FailedPrecondition when a newer Weft wrote it.
Result<GenerationFile> decode_generation_file(std::string text);

}  // namespace weft::estate
