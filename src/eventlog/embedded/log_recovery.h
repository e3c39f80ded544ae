// Start-up: reads the manifest, the segments' footers and the write-ahead files, tells a torn tail
// from damage, and starts the next write-ahead file. Runs once, before anything else of the log.
//
// What nobody has confirmed as durable (the last group, if the process died before the next one) is
// written again into the new file and synced, so nothing is served that a power failure could take
// away. Fails, and changes nothing, when the folder is in use, of a newer version or of another
// log.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventlog/core/log_manifest.h"
#include "eventlog/embedded/log_writer.h"

namespace weft::eventlog {

struct RecoveryReport {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t cut_bytes = 0;      // a torn tail
  std::uint64_t damaged_bytes = 0;  // set aside in quarantine/
  std::uint32_t damaged_ranges = 0;
};

class FileWindow;

class LogRecovery {
 public:
  LogRecovery(LogContext& context, LogWriter& writer) : context_(context), writer_(writer) {}

  // The number for the next segment.
  Task<Result<std::uint64_t>> run();
  const RecoveryReport& report() const { return report_; }
  const std::vector<std::uint64_t>& segments() const { return segments_; }
  const std::vector<std::uint64_t>& unreadable_segments() const { return unreadable_; }

 private:
  // A write-ahead file of the chain.
  struct WalFile {
    std::uint64_t sequence = 0;
    std::unique_ptr<File> file;  // null: missing
    std::uint64_t bytes = 0;
    bool has_header = false;
    bool is_prepared = false;  // copies that never counted
    WalFileHeader header;
  };
  // An entry that no later one has confirmed yet.
  struct PendingEntry {
    WalKind kind;
    WalPosition position;
    std::uint64_t sequence;
    std::uint32_t at;  // of the entry in its file
    bool is_change;    // not in the manifest's state yet
    std::string payload;
    bool says_nothing() const { return kind == WalKind::Marker && payload.empty(); }
  };

  Task<Result<Manifest>> read_manifest();
  Task<Result<std::uint64_t>> replay_all(const Manifest& manifest);
  void end_sealed_at(WalPosition position);
  Task<Result<>> go_on_after(std::uint64_t last_used);
  void restore(const Manifest& manifest);
  Task<Result<>> load_segments(const Manifest& manifest);
  Task<Result<>> load_segment(std::uint64_t segment);
  Task<Result<std::vector<WalFile>>> find_wal_files(const Manifest& manifest);
  Task<Result<WalFile>> open_wal_file(std::uint64_t sequence);
  Task<Result<>> replay(WalFile& file, const WalFile* next);
  Task<Result<bool>> was_used(WalFile& file, WalPosition first);
  Task<Result<>> set_aside(WalFile& file, std::uint64_t at, std::uint64_t bytes);
  void remember_ends(std::uint64_t damaged_bytes);
  Task<Result<>> forget_copied(FileWindow& window);
  void keep_pending(const WalEntry& entry, const WalFile& file, std::uint64_t at);
  void confirm(WalPosition durable);
  void apply(const PendingEntry& entry);
  void apply_batches(const PendingEntry& entry);
  Task<Result<>> rewrite_pending();
  std::vector<LogCommand> skips() const;

  LogContext& context_;
  LogWriter& writer_;
  RecoveryReport report_;
  std::vector<std::uint64_t> segments_;
  std::vector<std::uint64_t> unreadable_;
  WalPosition state_position_ = 0;
  WalPosition position_ = 0;  // where the next entry is expected
  WalPosition confirmed_ = 0;
  std::uint32_t epoch_ = 0;         // entries of an older process are leftovers
  std::uint32_t entry_epoch_ = 0;   // of the last entry
  WalPosition positions_used_ = 0;  // by a start that did not come to its end
  std::uint32_t epochs_used_ = 0;   // the highest of all
  std::int32_t leader_epoch_ = 0;
  // Of the last file that was found to begin with what stands before it, too.
  struct Copies {
    WalPosition first;
    WalPosition original;
  };
  std::optional<Copies> copies_;
  std::deque<PendingEntry> pending_;
  std::map<PartitionId, std::pair<Offset, std::uint64_t>> ends_at_damage_;
};

// Reads a file front to back through a window.
class FileWindow {
 public:
  FileWindow(File& file, std::uint64_t bytes) : file_(file), bytes_(bytes) {}
  // At least `wanted` bytes from `at`, fewer only at the end of the file. Valid until the next
  // call.
  Task<Result<std::string_view>> view(std::uint64_t at, std::size_t wanted);

 private:
  File& file_;
  std::uint64_t bytes_;
  std::string window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace weft::eventlog
