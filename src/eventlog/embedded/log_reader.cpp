#include "eventlog/embedded/log_reader.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/intact_run.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"
#include "runtime/with_timeout.h"

namespace weft::eventlog {

namespace {

constexpr std::uint64_t kChunkBytes = 1024 * 1024;
// A shorter rest of an extent is copied: one more system call would cost more.
constexpr std::uint64_t kFileRunMin = 64 * 1024;
constexpr std::uint32_t kGapMax = 4096;  // foreign bytes between two batches that are read along

using SharedBytes = std::shared_ptr<const std::string>;

bool is_intact(std::string_view batch, Offset base) {
  auto header = read_batch_header(batch);
  return header && header->bytes() == batch.size() && header->base_offset == base &&
         verify_batch_checksum(batch).has_value();
}

// How many of `refs` to read in one go: neighbours in the file.
std::size_t run_length(std::span<const BatchRef> refs) {
  std::size_t count = 1;
  while (count < refs.size()) {
    auto end = refs[count - 1].at + refs[count - 1].bytes;
    if (refs[count].at < end || refs[count].at - end > kGapMax) break;
    if (refs[count].at + refs[count].bytes - refs[0].at > kChunkBytes) break;
    ++count;
  }
  return count;
}

Result<std::size_t> read_blocking(const File& file, std::span<char> into, std::uint64_t offset,
                                  int flags) {
  std::size_t done = 0;
  while (done < into.size()) {
    iovec part{into.data() + done, into.size() - done};
    auto got = ::preadv2(file.descriptor(), &part, 1, static_cast<off_t>(offset + done), flags);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && flags != 0) return done;  // would block, or is not supported
    if (got < 0) {
      return fail(ErrorCode::IoError, "cannot read: {}", std::generic_category().message(errno));
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

LogReader::LogReader(LogContext& context)
    : context_(context),
      pool_(std::make_unique<BlockingPool>("log-read", context.options.cold_read_threads,
                                           context.options.cold_reads_queued_max)) {}

Task<Result<std::size_t>> LogReader::read_bytes(std::shared_ptr<File> file, std::span<char> into,
                                                std::uint64_t offset) {
  if (file->descriptor() < 0) co_return co_await file->read_at(into, offset);
  CO_TRY(auto warm, read_blocking(*file, into, offset, RWF_NOWAIT));
  if (warm == into.size()) co_return warm;
  context_.metrics.cold_reads.add();
  std::function<Result<std::size_t>()> rest = [file, into, offset, warm] {
    return read_blocking(*file, into.subspan(warm), offset + warm, 0);
  };
  CO_TRY(auto cold, co_await pool_->run<std::size_t>(std::move(rest)));
  co_return warm + cold;
}

Task<Result<std::string>> LogReader::read_range(std::string path, std::uint64_t at,
                                                std::uint64_t bytes) {
  CO_TRY(auto file, co_await context_.cache.open(std::move(path)));
  co_return co_await read_range(std::move(file), at, bytes);
}

Task<Result<std::string>> LogReader::read_range(std::shared_ptr<File> file, std::uint64_t at,
                                                std::uint64_t bytes) {
  std::string range;
  range.resize_and_overwrite(bytes, [](char*, std::size_t size) { return size; });
  CO_TRY(auto got, co_await read_bytes(file, range, at));
  range.resize(got);
  co_return range;
}

void LogReader::report_damage(PartitionId id, Offset offset, const std::string& path) {
  context_.metrics.damaged_bytes.add();
  log_error("eventlog", "a damaged batch was skipped: its records are a hole",
            {{"stream", static_cast<unsigned>(id.stream)},
             {"partition", id.partition},
             {"offset", static_cast<long>(offset)},
             {"file", path}});
}

Task<Result<std::vector<SharedBytes>>> LogReader::read_wal(std::uint64_t sequence,
                                                           std::vector<BatchRef> refs) {
  std::vector<SharedBytes> batches;
  auto path = context_.wal_path(sequence);
  for (std::size_t i = 0; i < refs.size();) {
    auto count = run_length(std::span(refs).subspan(i));
    auto at = refs[i].at;
    const auto& last = refs[i + count - 1];
    CO_TRY(auto range, co_await read_range(path, at, last.at + last.bytes - at));
    for (auto end = i + count; i < end; ++i) {
      auto in = refs[i].at - at;
      auto batch = in < range.size() ? std::string_view(range).substr(in, refs[i].bytes)
                                     : std::string_view();
      bool good = is_intact(batch, refs[i].base);
      if (!good) report_damage({}, refs[i].base, path);
      batches.push_back(good ? std::make_shared<const std::string>(batch) : nullptr);
    }
  }
  co_return batches;
}

Task<Result<>> LogReader::set_aside(std::string path, std::uint64_t at, std::uint64_t bytes) {
  CO_TRY(auto damaged, co_await read_range(path, at, bytes));
  auto name = path.substr(path.rfind('/') + 1);
  auto copy = fmt::format("{}/{}-{:x}.damaged", context_.quarantine_folder(), name, at);
  co_return co_await write_file_durably(context_.files, copy, std::move(damaged));
}

namespace {

enum class Step : std::uint8_t { Batch, Incomplete, Damaged };

// What stands at the front of `bytes`, of which `left` belong to the extent.
Step look(std::string_view bytes, std::uint64_t left, std::optional<BatchHeader>& header) {
  header.reset();
  auto read = read_batch_header(bytes);
  if (!read)
    return bytes.size() < kBatchHeaderBytes && left > bytes.size() ? Step::Incomplete
                                                                   : Step::Damaged;
  if (read->bytes() > left) return Step::Damaged;
  if (read->bytes() > bytes.size()) return Step::Incomplete;
  if (!verify_batch_checksum(bytes.substr(0, read->bytes()))) return Step::Damaged;
  header = *read;
  return Step::Batch;
}

// Behind what is there, as one run where the batch before it ends there.
void add_from_file(FetchedPartition& into, const std::shared_ptr<File>& file, std::uint64_t at,
                   std::uint64_t size) {
  if (!into.files.empty()) {
    auto& last = into.files.back();
    if (last.index == into.batches.size() && last.bytes.file == file &&
        last.bytes.at + last.bytes.size == at) {
      last.bytes.size += size;
      return;
    }
  }
  into.files.push_back({into.batches.size(), {file, at, size}});
}

// What the medium has to bring again is not known to be what was written.
void forget_cold(const File& file, const Extent& extent, std::uint64_t at, std::uint64_t bytes) {
  const bool is_known = file.descriptor() >= 0 && at < extent.intact.bytes();
  if (is_known && !is_warm(file, extent.at + at, bytes)) extent.intact.forget(at);
}

// Adds the next bytes without a look at them, if so many are known to be intact that it pays.
// Where to go on in the extent; `begin` when none were added.
std::uint64_t add_unread(LogReader::Batches& into, const std::shared_ptr<File>& file,
                         const Extent& extent, std::uint64_t begin, Offset from,
                         std::uint64_t bytes_max) {
  const auto room = bytes_max - std::min(into.bytes, bytes_max);
  const auto run = intact_run(*file, extent, from, room, into.limit);
  if (!run || run->bytes < kFileRunMin) return begin;
  if (!is_warm(*file, extent.at + run->at, run->bytes)) {
    extent.intact.forget(run->at);
    return begin;
  }
  add_from_file(into.fetched, file, extent.at + run->at, run->bytes);
  into.bytes += run->bytes;
  into.next = run->next;
  into.is_cut = run->is_cut;
  return run->at + run->bytes;
}

}  // namespace

Task<Result<std::uint64_t>> LogReader::skip_damage(const Extent& extent, std::uint64_t at,
                                                   Batches& into) {
  auto path = context_.segment_path(extent.segment);
  report_damage(extent.partition, into.next, path);
  // Behind it, if its length may be true; else the next place where a batch is known to begin.
  CO_TRY(auto bytes,
         co_await read_range(path, extent.at + at,
                             std::min<std::uint64_t>(kBatchHeaderBytes, extent.bytes - at)));
  auto header = read_batch_header(bytes);
  if (header && header->bytes() <= extent.bytes - at && header->base_offset >= extent.first &&
      header->next_offset() <= extent.end) {
    if (into.sets_damage_aside) CO_CHECK(co_await set_aside(path, extent.at + at, header->bytes()));
    into.next = std::max(into.next, header->next_offset());
    co_return at + header->bytes();
  }
  auto point = std::ranges::upper_bound(extent.points, at, {}, &IndexPoint::at);
  bool last = point == extent.points.end();
  auto end = last ? extent.bytes : point->at;
  if (into.sets_damage_aside) CO_CHECK(co_await set_aside(path, extent.at + at, end - at));
  into.next = last ? extent.end : std::max(into.next, point->base_offset);
  co_return end;
}

Task<Result<bool>> LogReader::read_extent(const Extent& extent, Offset from,
                                          std::uint64_t bytes_max, Batches& into) {
  auto path = context_.segment_path(extent.segment);
  auto wanted = std::min(std::max(bytes_max, kIndexInterval), kChunkBytes);
  CO_TRY(auto file, co_await context_.cache.open(path));
  const bool from_file = into.from_files && file->descriptor() >= 0;
  auto at = std::uint64_t{extent.point_before(from).at};
  into.is_cut = false;
  if (from_file) {
    at = add_unread(into, file, extent, at, from, bytes_max);
    if (into.is_cut) co_return false;
  }
  const bool stays = from_file && std::min(extent.bytes - at, bytes_max) >= kFileRunMin;
  while (at < extent.bytes) {
    auto size = std::min(wanted, extent.bytes - at);
    forget_cold(*file, extent, at, size);
    CO_TRY(auto range, co_await read_range(file, extent.at + at, size));
    if (range.size() < size) co_return fail(ErrorCode::DataLoss, "{} is too short", path);
    std::size_t in = 0;
    auto step = Step::Batch;
    while (in < range.size()) {
      std::optional<BatchHeader> header;
      step = look(std::string_view(range).substr(in), extent.bytes - at - in, header);
      if (step != Step::Batch) break;
      extent.intact.saw(at + in, at + in + header->bytes());
      if (header->base_offset >= into.limit) co_return false;
      if (header->last_offset() >= from) {
        into.is_cut = into.bytes > 0 && into.bytes + header->bytes() > bytes_max;
        if (into.is_cut) co_return false;
        if (stays) {
          add_from_file(into.fetched, file, extent.at + at + in, header->bytes());
        } else {
          auto batch = std::make_shared<const std::string>(range, in, header->bytes());
          into.fetched.batches.push_back(std::move(batch));
        }
        into.bytes += header->bytes();
        into.next = header->next_offset();
      }
      in += header->bytes();
    }
    if (step == Step::Incomplete && in == 0) wanted *= 4;
    at += in;
    if (step == Step::Damaged) {
      extent.intact.forget(at);
      CO_TRY(at, co_await skip_damage(extent, at, into));
    }
    into.is_cut = into.bytes >= bytes_max;
    if (into.is_cut) co_return false;
  }
  into.next = std::max(into.next, std::min(extent.end, into.limit));
  co_return true;
}

namespace {

// Takes what fits; the first of all always does. False when one did not.
bool take(LogReader::Batches& into, std::vector<SharedBytes> batches, std::uint64_t bytes_max) {
  for (auto& batch : batches) {
    if (!batch) continue;
    into.is_cut = into.bytes > 0 && into.bytes + batch->size() > bytes_max;
    if (into.is_cut) return false;
    auto header = read_batch_header(*batch);
    if (!header) continue;
    if (header->base_offset >= into.limit) return false;
    into.bytes += batch->size();
    into.next = header->next_offset();
    into.fetched.batches.push_back(std::move(batch));
  }
  return true;
}

}  // namespace

Task<Result<bool>> LogReader::follow(ReadPlan plan, std::uint64_t bytes_max, Batches& into) {
  if (plan.extent) {
    co_return co_await read_extent(*plan.extent, into.next, bytes_max, into);
  }
  auto batches = std::move(plan.batches);
  if (plan.wal_sequence != 0) {
    CO_TRY(batches, co_await read_wal(plan.wal_sequence, std::move(plan.refs)));
  }
  if (!take(into, std::move(batches), bytes_max)) co_return false;
  into.next = std::max(into.next, std::min(plan.next, into.limit));
  co_return true;
}

Task<LogReader::Batches> LogReader::read(PartitionId id, Offset from, std::uint64_t bytes_max,
                                         ReadOptions options) {
  constexpr int kPlansMax = 3;
  Batches result;
  result.fetched.partition = id;
  result.next = from;
  result.from_files = options.from_files;
  auto partition = context_.streams.find(id);
  if (!partition) {
    result.fetched.error = ErrorCode::NotFound;
    co_return result;
  }
  std::uint64_t compactions = 0;
  for (int failures = 0;;) {
    auto room = bytes_max - std::min(result.bytes, bytes_max);
    auto plan = partition->plan(result.next, room, options.committed_only);
    result.fetched.info = plan.info;
    result.limit = plan.limit;
    if (!result.fetched.is_empty() && plan.compactions != compactions) co_return result;
    compactions = plan.compactions;
    auto aborted = std::move(plan.aborted);
    if (result.fetched.is_empty()) result.fetched.error = plan.error;
    if (plan.error || result.next >= plan.limit) co_return result;
    auto before = result.next;
    auto all = co_await follow(std::move(plan), bytes_max, result);
    if (!all) {
      // The file was placed and recycled since the plan was made: plan again.
      if (all.error().code == ErrorCode::NotFound && ++failures < kPlansMax) continue;
      if (result.fetched.is_empty()) result.fetched.error = ErrorCode::DataLoss;
      log_error("eventlog", "cannot read stored records", {{"error", all.error().message}});
      co_return result;
    }
    for (const auto& each : aborted) {
      auto& known = result.fetched.aborted;
      if (std::ranges::find(known, each) == known.end()) known.push_back(each);
    }
    if (!*all || result.bytes >= bytes_max || result.next == before) co_return result;
  }
}

namespace {

// A small Result-returning face for with_timeout.
Task<Result<>> wait_for_wake(std::shared_ptr<FetchWaiter> waiter) {
  // A wake that came before the wait is only to be seen here.
  if (waiter->signalled) co_return Result<>();
  co_return co_await waiter->wake.wait();
}

}  // namespace

Task<void> LogReader::wait_for_more(std::vector<std::pair<std::shared_ptr<Partition>, Offset>> ends,
                                    std::int64_t bytes, Duration wait, bool committed_only) {
  auto loop = co_await current_loop();
  auto waiter = std::make_shared<FetchWaiter>(loop, bytes);
  waiter->committed_only = committed_only;
  bool registered = true;
  for (const auto& [partition, end] : ends) {
    registered = registered && partition->wait(waiter, end);
  }
  if (registered && !context_.closing) {
    [[maybe_unused]] auto woken =
        co_await with_timeout(context_.clock, wait, wait_for_wake(waiter));
  }
  for (const auto& [partition, end] : ends) partition->stop_waiting(*waiter);
}

Task<std::vector<FetchedPartition>> LogReader::fetch(std::vector<FetchItem> items,
                                                     FetchOptions options) {
  auto deadline = context_.clock.mono() + options.wait;
  ReadOptions how;
  how.committed_only = options.committed_only;
  how.from_files = options.from_files;
  for (;;) {
    std::vector<FetchedPartition> fetched;
    std::vector<std::pair<std::shared_ptr<Partition>, Offset>> ends;
    std::uint64_t bytes = 0;
    bool answer_now = items.empty();
    for (const auto& item : items) {
      auto room = options.bytes_max - std::min<std::uint64_t>(bytes, options.bytes_max);
      auto limit = std::min<std::uint64_t>(item.bytes_max, room);
      auto batches = co_await read(item.partition, item.from, limit, how);
      // The first batch of all always goes; later ones only as far as they fit.
      if (bytes > 0 && batches.bytes > room) {
        batches.fetched.batches.clear();
        batches.fetched.files.clear();
        batches.bytes = 0;
        batches.next = item.from;
        answer_now = true;
      }
      bytes += batches.bytes;
      batches.fetched.next = batches.next;
      answer_now = answer_now || batches.is_cut || batches.fetched.error.has_value();
      if (auto partition = context_.streams.find(item.partition)) {
        const auto& info = batches.fetched.info;
        auto end = options.committed_only ? info.stable_end : info.end;
        ends.emplace_back(std::move(partition), end);
      }
      fetched.push_back(std::move(batches.fetched));
    }
    auto now = context_.clock.mono();
    if (answer_now || bytes >= options.bytes_min || now >= deadline || context_.closing) {
      co_return fetched;
    }
    auto missing = static_cast<std::int64_t>(options.bytes_min - bytes);
    co_await wait_for_more(std::move(ends), missing, deadline - now, options.committed_only);
    if (co_await is_cancelled()) co_return fetched;
  }
}

}  // namespace weft::eventlog
