#include "eventlog/embedded/log_scrub.h"

#include "runtime/log.h"

namespace weft::eventlog {
namespace {

// A node that has just started has more important things to read.
constexpr Duration kFirstAfter = std::chrono::minutes(10);

}  // namespace

LogScrub::LogScrub(LogContext& context, const LogMaintenance& maintenance)
    : context_(context), maintenance_(maintenance) {}

Task<void> LogScrub::run() {
  auto rest = kFirstAfter;
  while (true) {
    const auto slept = co_await context_.clock.sleep_for(rest);
    if (!slept) break;
    const auto begun = context_.clock.mono();
    const auto passed = co_await pass();
    if (!passed) break;
    const auto taken = context_.clock.mono() - begun;
    rest = std::max<Duration>(context_.options.scrub_interval - taken, kFirstAfter);
  }
}

Task<Result<>> LogScrub::pass() {
  Pacer pacer(context_.clock, context_.options.scrub_bytes_per_second);
  std::uint64_t damaged = 0;
  for (const auto segment : maintenance_.segments()) {
    if (context_.closing) break;
    CO_TRY(const auto found, co_await look_at(segment, pacer));
    damaged += found;
    if (damaged > damaged_) damaged_ = damaged;
  }
  damaged_ = damaged;
  context_.metrics.scrub_damaged.set(static_cast<std::int64_t>(damaged));
  context_.metrics.scrub_passes.add();
  co_return Result<>();
}

void LogScrub::tell_readers(std::uint64_t segment, const SegmentCheck& checked) {
  for (const auto& seen : checked.extents) {
    const auto partition = context_.streams.find(seen.partition);
    if (!partition) continue;
    for (const auto& extent : partition->extents()) {
      if (extent->segment != segment || extent->at != seen.at) continue;
      if (seen.is_intact) {
        extent->intact.saw(0, extent->bytes);
      } else {
        extent->intact.forget(0);
      }
    }
  }
}

Task<Result<std::uint64_t>> LogScrub::look_at(std::uint64_t segment, Pacer& pacer) {
  auto path = context_.segment_path(segment);
  const auto checked = co_await check_segment_file(context_.files, std::move(path), segment, pacer);
  if (!checked) {
    const auto& error = checked.error();
    if (error.code == ErrorCode::Cancelled) co_return std::unexpected(error);
    // Retention or compaction removed it meanwhile.
    if (error.code == ErrorCode::NotFound) co_return 0;
    log_error("eventlog", "the scrub cannot read a segment",
              {{"file", LogContext::segment_name(segment)}, {"why", error.message}});
    co_return 1;
  }
  context_.metrics.scrubbed_bytes.add(checked->bytes);
  tell_readers(segment, *checked);
  for (const auto& what : checked->damage) {
    log_error("eventlog", "the scrub found damage: restore the records from a backup",
              {{"file", LogContext::segment_name(segment)}, {"what", what}});
  }
  co_return checked->damage.size();
}

}  // namespace weft::eventlog
