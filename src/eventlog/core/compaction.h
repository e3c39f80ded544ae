// Compaction: of each key the latest record stays. What goes and what stays of a batch, apart from
// any file. Offsets never change: what is left out is a hole (docs/streams.md). Pure; background.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "eventlog/core/transaction_index.h"
#include "eventlog/types.h"

namespace weft::eventlog {

// Up to `end` a partition was compacted, for the first time at that moment.
struct CleanMark {
  Offset end = 0;
  std::int64_t unix_ms = 0;
  bool operator==(const CleanMark&) const = default;
};

// By rising end and time.
class CleanMarks {
 public:
  CleanMarks() = default;
  explicit CleanMarks(std::vector<CleanMark> marks) : marks_(std::move(marks)) {}

  Offset end() const { return marks_.empty() ? 0 : marks_.back().end; }
  // Below this offset everything has been compacted since `limit_ms` or before.
  Offset cleaned_since(std::int64_t limit_ms) const;
  // Marks from `limit_ms` or before are only kept as far as they tell something.
  void add(CleanMark mark, std::int64_t limit_ms);

  const std::vector<CleanMark>& all() const { return marks_; }
  bool operator==(const CleanMarks&) const = default;

 private:
  static constexpr std::size_t kMarksMax = 128;
  std::vector<CleanMark> marks_;
};

// The latest offset of each key of a range. Keys are kept whole: two keys are never taken for one.
class LatestOffsets {
 public:
  explicit LatestOffsets(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // False, and nothing is kept, when there is no room for another key.
  bool put(std::string_view key, Offset offset);
  // Whether no later record of the key is known.
  bool is_latest(std::string_view key, Offset offset) const;
  std::size_t size() const { return offsets_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };
  std::unordered_map<std::string, Offset, Hash, std::equal_to<>> offsets_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
};

struct CompactionRules {
  Offset limit = 0;  // of batches at or beyond it nothing is taken
  // Records without a value, and markers of transactions, go below this offset: whoever follows the
  // partition has had time to see them.
  Offset deletions_before = 0;
  std::vector<AbortedTransaction> aborted;
};

// Notes the keys of a batch. False when there was no room for all of them.
Result<bool> note_keys(std::string_view batch, const CompactionRules& rules, LatestOffsets& latest);

// What is left of a batch: all of it, a smaller one (in `rebuilt`), or nothing (empty).
Result<std::string_view> compact_batch(std::string_view batch, const CompactionRules& rules,
                                       const LatestOffsets& latest, std::string& rebuilt);

}  // namespace weft::eventlog
