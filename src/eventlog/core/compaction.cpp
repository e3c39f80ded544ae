#include "eventlog/core/compaction.h"

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "eventlog/core/record_batch.h"

namespace weft::eventlog {

Offset CleanMarks::cleaned_since(std::int64_t limit_ms) const {
  auto after = std::ranges::upper_bound(marks_, limit_ms, {}, &CleanMark::unix_ms);
  return after == marks_.begin() ? 0 : (after - 1)->end;
}

void CleanMarks::add(CleanMark mark, std::int64_t limit_ms) {
  if (mark.end <= end()) return;
  auto after = std::ranges::upper_bound(marks_, limit_ms, {}, &CleanMark::unix_ms);
  if (after - marks_.begin() > 1) marks_.erase(marks_.begin(), after - 1);
  marks_.push_back(mark);
  if (marks_.size() <= kMarksMax) return;
  // Half of them: what an erased one stood for counts as compacted when the next one was, later.
  std::vector<CleanMark> kept;
  for (std::size_t i = 1; i < marks_.size(); i += 2) kept.push_back(marks_[i]);
  if (kept.back() != mark) kept.push_back(mark);
  marks_ = std::move(kept);
}

bool LatestOffsets::put(std::string_view key, Offset offset) {
  auto known = offsets_.find(key);
  if (known != offsets_.end()) {
    known->second = std::max(known->second, offset);
    return true;
  }
  constexpr std::size_t kEntryBytes = 80;  // about: node, text, place in the table
  auto cost = key.size() + kEntryBytes;
  if (bytes_ + cost > bytes_max_) return false;
  bytes_ += cost;
  offsets_.emplace(key, offset);
  return true;
}

bool LatestOffsets::is_latest(std::string_view key, Offset offset) const {
  auto known = offsets_.find(key);
  return known == offsets_.end() || known->second <= offset;
}

namespace {

bool is_out_of_reach(const BatchHeader& header, const CompactionRules& rules) {
  return header.last_offset() >= rules.limit;
}

bool is_aborted_data(const BatchHeader& header, const CompactionRules& rules) {
  return header.is_transactional() && !header.is_control() &&
         is_aborted(rules.aborted, header.producer_id, header.base_offset);
}

bool stays(const RecordView& record, const CompactionRules& rules, const LatestOffsets& latest) {
  if (!record.key) return true;
  if (!latest.is_latest(*record.key, record.offset)) return false;
  return record.value || record.offset >= rules.deletions_before;
}

}  // namespace

Result<bool> note_keys(std::string_view batch, const CompactionRules& rules,
                       LatestOffsets& latest) {
  TRY(auto header, read_batch_header(batch));
  if (header.is_control() || is_out_of_reach(header, rules) || is_aborted_data(header, rules)) {
    return true;
  }
  std::string scratch;
  TRY(auto records, batch_records(batch, scratch, std::numeric_limits<std::uint32_t>::max()));
  RecordReader reader(header, records);
  RecordView record;
  for (;;) {
    TRY(bool more, reader.next(record));
    if (!more) return true;
    if (record.key && !latest.put(*record.key, record.offset)) return false;
  }
}

Result<std::string_view> compact_batch(std::string_view batch, const CompactionRules& rules,
                                       const LatestOffsets& latest, std::string& rebuilt) {
  TRY(auto header, read_batch_header(batch));
  if (is_out_of_reach(header, rules)) return batch;
  if (header.is_control()) {
    return header.last_offset() < rules.deletions_before ? std::string_view() : batch;
  }
  if (is_aborted_data(header, rules) || header.record_count == 0) return std::string_view();
  std::string scratch;
  TRY(auto records, batch_records(batch, scratch, std::numeric_limits<std::uint32_t>::max()));
  RecordReader reader(header, records);
  RecordView record;
  KeptRecords kept;
  for (;;) {
    TRY(bool more, reader.next(record));
    if (!more) break;
    if (stays(record, rules, latest)) kept.add(reader.raw(), record.timestamp);
  }
  if (kept.count == header.record_count) return batch;
  if (kept.count == 0) return std::string_view();
  TRY(rebuilt, with_records(batch, kept));
  return std::string_view(rebuilt);
}

}  // namespace weft::eventlog
