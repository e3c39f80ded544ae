// The write-ahead log's bytes: file header, entries, and how a reader tells the end of the log from
// damage. Format: docs/formats/wal.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/types.h"

namespace weft::eventlog {

inline constexpr std::uint32_t kWalFormat = 1;
inline constexpr std::size_t kWalHeaderBytes = 4096;
inline constexpr std::size_t kWalEntryHeaderBytes = 32;
inline constexpr std::size_t kWalItemHeaderBytes = 16;
inline constexpr std::size_t kWalAlignment = 8;

// A byte's place in the log as a whole; it rises over all files and is never written twice by one
// epoch.
using WalPosition = std::uint64_t;

// Prepared: recovery still copies the last group of the file before into this one; until it is
// Active, the file before is the one that counts.
enum class WalFileState : std::uint32_t { Active = 0, Prepared = 1 };

struct WalFileHeader {
  Uuid cluster;
  std::uint64_t sequence = 0;      // agrees with the file's name, else the file was never used
  WalPosition first_position = 0;  // of the first entry; never used before, by anyone
  WalPosition previous_end = 0;    // the file before ends here, whatever stands in it
  std::uint32_t epoch = 0;         // of the process that wrote the file; rises at each start
  std::int32_t leader_epoch = 0;   // what batches of this file carry; rises when a tail was cut
  std::int64_t created_ms = 0;
  WalFileState state = WalFileState::Active;
  std::uint64_t key_id = 0;     // reserved: encryption at rest; 0: plain
  std::uint64_t tenant_id = 0;  // reserved: a log of one tenant; 0: shared
};

std::string encode_wal_header(const WalFileHeader& header);
// DataLoss when damaged or never written, FailedPrecondition when a newer version wrote it.
Result<WalFileHeader> decode_wal_header(std::string_view bytes);

enum class WalKind : std::uint8_t { Batches = 1, Command = 2, Marker = 3 };

struct WalEntry {
  WalPosition position = 0;
  WalPosition durable = 0;  // everything before this was on the medium when the entry was written
  std::uint32_t epoch = 0;
  WalKind kind = WalKind::Marker;
  std::string_view payload;
  std::size_t bytes = 0;  // in the file, padding included
};

enum class WalCheck : std::uint8_t { Full, WithoutChecksum };

// The entry at the front of `bytes`, if it is whole, undamaged, at its place and of an epoch not
// below `epoch_min`. `bytes` may hold more than the entry.
std::optional<WalEntry> read_wal_entry(std::string_view bytes, WalPosition position,
                                       std::uint32_t epoch_min, WalCheck check = WalCheck::Full);
// When the group that the mark ends was written, in milliseconds since 1970: everything before it
// that no earlier mark covers was asked for before that, and answered after it. Absent for other
// entries, and for marks of logs without an archive.
std::optional<std::int64_t> read_time_mark(const WalEntry& entry);
std::string encode_time_mark(std::int64_t unix_ms);
inline constexpr std::size_t kWalTimeMarkBytes = kWalEntryHeaderBytes + 8;
// How many bytes the entry at the front of `bytes` claims to take, if its place is right; 0 if not.
std::size_t claimed_wal_entry_bytes(std::string_view bytes, WalPosition position);

// One batch of a Batches entry.
struct WalItem {
  PartitionId partition;
  WalPosition position = 0;  // of the batch's first byte
  std::string_view batch;
};
// DataLoss when the payload is not what an entry's writer makes.
Result<std::vector<WalItem>> read_wal_items(const WalEntry& entry);

// Builds the bytes of one commit: entries one after another. Small batches are copied into one
// buffer, large ones are referred to and must stay alive until the write is done.
class WalGroup {
 public:
  // All entries of the group say that what lies before `position` is durable.
  void start(WalPosition position, std::uint32_t epoch);

  void begin_entry(WalKind kind);
  // The batch's position. Requires an open Batches entry.
  WalPosition add_batch(PartitionId partition, std::string_view batch);
  void add_payload(std::string_view payload);
  void end_entry();
  // Forgets the open entry.
  void drop_entry();

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  WalPosition position() const { return first_ + bytes_; }  // where the next entry goes
  // What to write, in order; valid until the group changes. The first part is `prefix` if given.
  std::span<const std::string_view> parts(std::string_view prefix = {});

  static constexpr std::size_t kCopyBelow = 16 * 1024;
  static constexpr std::size_t kKeepCapacity = 1024 * 1024;

 private:
  struct Part {
    std::size_t at;  // in buffer_, when `outside` is empty
    std::size_t size;
    std::string_view outside;
  };
  void append(std::string_view bytes);
  void refer(std::string_view bytes);

  std::string buffer_;
  std::vector<Part> done_;
  std::vector<std::string_view> views_;
  WalPosition first_ = 0;
  std::uint32_t epoch_ = 0;
  std::size_t bytes_ = 0;     // of finished entries
  std::size_t buffered_ = 0;  // of buffer_, covered by done_
  // The open entry.
  std::size_t header_at_ = 0;
  std::size_t parts_before_ = 0;
  std::size_t payload_bytes_ = 0;
  std::uint32_t payload_crc_ = 0;
  WalKind kind_ = WalKind::Marker;
};

}  // namespace weft::eventlog
