// Compacts the placed part of one partition: of each key the latest record stays. Runs on the
// background loop, between two rounds of placement; readers go on with the old files.
#pragma once

#include "eventlog/core/compaction.h"
#include "eventlog/embedded/log_placement.h"

namespace weft::eventlog {

class LogCompaction {
 public:
  LogCompaction(LogContext& context, LogReader& reader) : context_(context), reader_(reader) {}

  // False when it is not worth it yet. Otherwise the partition is read from the new files from now
  // on, and the caller writes the manifest that names them.
  Task<Result<bool>> run(Partition& partition, LogPlacement& placement);

 private:
  using Extents = std::vector<std::shared_ptr<const Extent>>;

  bool is_due(const Extents& extents, Offset cleaned) const;
  // Notes the keys from `from` on, as far as there is room; up to where.
  Task<Result<Offset>> note(const Extents& extents, Offset from, const CompactionRules& rules,
                            LatestOffsets& latest);

  LogContext& context_;
  LogReader& reader_;
};

}  // namespace weft::eventlog
