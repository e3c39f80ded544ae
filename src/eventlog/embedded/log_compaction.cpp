#include "eventlog/embedded/log_compaction.h"

#include <algorithm>

#include "eventlog/embedded/extent_scan.h"
#include "runtime/log.h"

namespace weft::eventlog {

namespace {

std::uint64_t bytes_in(const std::vector<std::shared_ptr<const Extent>>& extents) {
  std::uint64_t bytes = 0;
  for (const auto& extent : extents) bytes += extent->bytes;
  return bytes;
}

}  // namespace

bool LogCompaction::is_due(const Extents& extents, Offset cleaned) const {
  std::uint64_t fresh = 0;
  for (const auto& extent : extents) {
    if (extent->end > cleaned) fresh += extent->bytes;
  }
  const auto& options = context_.options;
  return fresh > 0 && fresh >= options.compaction_bytes_min &&
         fresh * 100 >= bytes_in(extents) * options.compaction_percent;
}

Task<Result<Offset>> LogCompaction::note(const Extents& extents, Offset from,
                                         const CompactionRules& rules, LatestOffsets& latest) {
  for (const auto& extent : extents) {
    if (extent->end <= from || extent->first >= rules.limit) continue;
    ExtentScan scan(reader_, *extent, from);
    for (;;) {
      CO_TRY(bool any, co_await scan.more());
      if (!any) break;
      for (const auto& batch : scan.batches()) {
        auto has_room = note_keys(*batch, rules, latest);
        // A batch that cannot be read is kept whole; its keys supersede nothing.
        if (!has_room || *has_room) continue;
        CO_TRY(auto header, read_batch_header(*batch));
        co_return header.base_offset;
      }
    }
  }
  co_return rules.limit;
}

Task<Result<bool>> LogCompaction::run(Partition& partition, LogPlacement& placement) {
  auto extents = partition.extents();
  auto cleaned = partition.cleaned();
  if (!is_due(extents, cleaned.end())) co_return false;
  auto now = context_.clock.now();
  auto settled = to_unix_ms(now - context_.options.deletions_retention);
  CompactionRules rules;
  rules.limit = std::min(extents.back()->end, partition.info().stable_end);
  rules.deletions_before = cleaned.cleaned_since(settled);
  if (context_.options.mutant != LogMutant::AbortedRecordsCompact) {
    rules.aborted = partition.aborted_in(0, rules.limit);
  }
  if (rules.limit <= cleaned.end()) co_return false;
  LatestOffsets latest(context_.options.compaction_memory_bytes);
  CO_TRY(rules.limit, co_await note(extents, cleaned.end(), rules, latest));
  if (rules.limit <= cleaned.end()) {
    log_warn("eventlog", "a partition cannot be compacted: the keys of one batch need more memory",
             {{"stream", static_cast<unsigned>(partition.id.stream)},
              {"partition", partition.id.partition},
              {"memory", context_.options.compaction_memory_bytes}});
    co_return false;
  }

  CO_CHECK(co_await placement.compact(partition, rules, latest));
  CO_CHECK(co_await placement.finish());
  Extents after;
  if (auto found = placement.extents().find(partition.id); found != placement.extents().end()) {
    after = found->second;
  }
  auto bytes_before = bytes_in(extents);
  auto bytes_after = bytes_in(after);
  cleaned.add({rules.limit, to_unix_ms(now)}, settled);
  partition.compacted({std::move(extents), std::move(after), placement.segments().front(),
                       std::move(cleaned), rules.deletions_before});
  context_.metrics.compacted_bytes.add(bytes_before - std::min(bytes_after, bytes_before));
  log_info("eventlog", "a partition was compacted",
           {{"stream", static_cast<unsigned>(partition.id.stream)},
            {"partition", partition.id.partition},
            {"keys", latest.size()},
            {"bytes_before", bytes_before},
            {"bytes", bytes_after}});
  co_return true;
}

Task<Result<>> LogPlacement::compact(const Partition& partition, const CompactionRules& rules,
                                     const LatestOffsets& latest) {
  auto extents = partition.extents();
  auto start = partition.info().start;
  CO_TRY(auto* writer, co_await writer_for(bytes_in(extents)));
  writer->begin_extent(partition.id, bytes_in(extents));
  auto begun = writer->bytes();
  bool is_beyond = false;
  std::string rebuilt;
  for (const auto& extent : extents) {
    ExtentScan scan(reader_, *extent, start);
    for (;;) {
      CO_TRY(bool any, co_await scan.more());
      if (!any) break;
      for (const auto& batch : scan.batches()) {
        CO_TRY(auto header, read_batch_header(*batch));
        if (header.last_offset() < start) continue;
        // What is not compacted yet is an extent of its own, so that the next turn knows it.
        bool beyond = header.base_offset >= rules.limit;
        if (beyond != is_beyond || writer->bytes() - begun >= kExtentBytesMax) {
          writer->end_extent();
          writer->begin_extent(partition.id, bytes_in(extents));
          begun = writer->bytes();
          is_beyond = beyond;
        }
        auto left = compact_batch(*batch, rules, latest, rebuilt);
        // What cannot be read stays as it is.
        auto stays = left ? *left : std::string_view(*batch);
        if (!stays.empty()) CO_CHECK(co_await writer->add(stays));
      }
    }
  }
  writer->end_extent();
  co_return Result<>();
}

}  // namespace weft::eventlog
