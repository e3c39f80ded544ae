#include "delivery/edge/delivery_context.h"

#include <algorithm>

#include "delivery/core/attempt_record.h"
#include "eventlog/ensure_stream.h"
#include "runtime/log.h"

namespace weft::delivery {

namespace {

// Every loop writes all that it knows again before this much has passed through the stream, so the
// retained part always holds the whole state.
constexpr std::uint64_t kCursorBytesKept = 64ull * 1024 * 1024;
constexpr std::uint32_t kRestoreReadBytes = 1024 * 1024;

eventlog::StreamSettings settings_of(std::string_view name, std::int32_t shares) {
  eventlog::StreamSettings settings;
  settings.tenant = kInternalTenant;
  settings.name = name;
  settings.partitions = shares;
  settings.retention = Duration::zero();
  settings.batch_bytes_max = 16 * 1024 * 1024;
  return settings;
}

using Redrives = std::map<std::string, Redrive>;  // by delivery id

// Those that were under way are given back.
Redrives restore_dead_letters(DeliveryContext& context,
                              std::map<std::string, eventlog::Record>& letters) {
  Redrives redrives;
  for (auto& [id, record] : letters) {
    auto letter = parse_dead_letter(record);
    if (!letter) {
      log_error("delivery", "a dead letter cannot be read",
                {{"delivery", id}, {"error", letter.error().message}});
      continue;
    }
    context.index.restored(letter->delivery, std::nullopt, record.offset);
    if (letter->state != DeadState::Redriving) continue;
    Redrive redrive;
    redrive.delivery = std::move(letter->delivery);
    redrive.dead_letter = record.offset;
    redrive.attempts_before = redrive.delivery.attempts;
    redrive.since = letter->since;
    redrive.due = context.parts.clock.now();
    redrives.emplace(id, std::move(redrive));
  }
  return redrives;
}

// An attempt that an earlier life made since the redrive: it counts, and the next one is not due
// before its time.
void count_attempt(Redrive& redrive, const AttemptDetail& attempt) {
  if (attempt.number <= redrive.attempts_before + redrive.attempts) return;
  redrive.attempts = attempt.number - redrive.attempts_before;
  if (attempt.next_attempt) redrive.due = *attempt.next_attempt;
}

}  // namespace

Task<Result<InternalStreams>> ensure_streams(eventlog::EventLog& log, DeliveryLimits limits,
                                             std::int32_t shares) {
  InternalStreams streams;
  auto attempts = settings_of(kAttemptsStream, shares);
  attempts.retention = limits.attempts_retention;
  attempts.retention_bytes = limits.attempts_bytes_max;
  CO_TRY(const auto attempts_made, co_await eventlog::ensure_stream(log, std::move(attempts)));
  streams.attempts = attempts_made.id;
  auto cursors = settings_of(kCursorsStream, shares);
  cursors.retention_bytes = kCursorBytesKept;
  CO_TRY(const auto cursors_made, co_await eventlog::ensure_stream(log, std::move(cursors)));
  streams.cursors = cursors_made.id;
  auto dead = settings_of(kDeadStream, shares);
  dead.cleanup = eventlog::Cleanup::Compact;
  CO_TRY(const auto dead_made, co_await eventlog::ensure_stream(log, std::move(dead)));
  streams.dead = dead_made.id;
  co_return streams;
}

void SavedState::put(std::string key, std::string value) {
  std::lock_guard lock(mutex_);
  auto& records = records_[std::move(key)];
  bool continues = continues_cursor(value);
  if (!continues) records.clear();
  if (!continues || !records.empty()) records.push_back(std::move(value));
}

void SavedState::erase(std::string_view key) {
  std::lock_guard lock(mutex_);
  if (auto found = records_.find(key); found != records_.end()) records_.erase(found);
}

std::vector<std::string> SavedState::take(std::string_view key) {
  std::lock_guard lock(mutex_);
  auto found = records_.find(key);
  if (found == records_.end()) return {};
  auto values = std::move(found->second);
  records_.erase(found);
  return values;
}

bool SavedState::contains(std::string_view key) const {
  std::lock_guard lock(mutex_);
  return records_.contains(key);
}

std::vector<std::pair<std::string, std::string>> SavedState::all() const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, values] : records_) {
    for (const auto& value : values) out.emplace_back(key, value);
  }
  return out;
}

void SavedState::add_redrive(Redrive redrive) {
  std::lock_guard lock(mutex_);
  redrives_.push_back(std::move(redrive));
}

std::vector<Redrive> SavedState::take_redrives(std::string_view tenant,
                                               std::string_view subscription) {
  std::lock_guard lock(mutex_);
  auto is_ours = [&](const Redrive& redrive) {
    return redrive.delivery.tenant == tenant && redrive.delivery.subscription == subscription;
  };
  auto ours = std::ranges::partition(redrives_, std::not_fn(is_ours));
  std::vector<Redrive> out(std::make_move_iterator(ours.begin()),
                           std::make_move_iterator(ours.end()));
  redrives_.erase(ours.begin(), ours.end());
  return out;
}

std::string cursor_key(std::string_view tenant, std::string_view subscription, const Uuid& topic_id,
                       std::int32_t partition) {
  return fmt::format("cursor/{}/{}/{}/{}", tenant, subscription, topic_id.text(), partition);
}

std::string state_key(std::string_view tenant, std::string_view subscription) {
  return fmt::format("state/{}/{}", tenant, subscription);
}

Task<Result<>> read_whole(eventlog::EventLog& log, eventlog::PartitionId partition,
                          eventlog::Offset from, std::function<void(eventlog::Record)> visit) {
  eventlog::ReadRequest request;
  request.partition = partition;
  auto info = log.partition(partition);
  if (!info) co_return fail(ErrorCode::NotFound, "an internal stream of delivery is gone");
  request.from = std::max(from, info->start);
  request.bytes_max = kRestoreReadBytes;
  // The end as the first read knows it: what partition() says may be older than the writer.
  std::optional<eventlog::Offset> end;
  for (;;) {
    CO_TRY(auto result, co_await log.read(request));
    if (!end) end = result.partition.stable_end;
    for (auto& record : result.records) visit(std::move(record));
    if (result.next <= request.from || result.next >= *end) co_return Result<>();
    request.from = result.next;
  }
}

Task<Result<eventlog::Record>> read_one(eventlog::EventLog& log, eventlog::PartitionId partition,
                                        eventlog::Offset offset) {
  eventlog::ReadRequest request;
  request.partition = partition;
  request.from = offset;
  request.bytes_max = 1;
  request.records_max = 1;
  auto result = co_await log.read(request);
  if (!result) {
    auto error = std::move(result).error();
    if (error.code == ErrorCode::OutOfRange) error.code = ErrorCode::NotFound;
    co_return std::unexpected(std::move(error));
  }
  for (auto& record : result->records) {
    if (record.offset == offset) co_return std::move(record);
  }
  co_return fail(ErrorCode::NotFound, "the record at offset {} is gone", offset);
}

Task<Result<>> restore_state(DeliveryContext& context) {
  auto& log = context.parts.log;
  const auto shares = context.parts.share.count;
  CO_TRY(context.streams, co_await ensure_streams(log, context.parts.limits, shares));
  auto name = fmt::format("delivery-{}", context.parts.share.number);
  CO_TRY(context.writer, co_await log.open_writer(std::move(name)));
  auto keep_cursor = [&context](eventlog::Record record) {
    if (!record.key) return;
    if (record.value)
      context.saved.put(std::move(*record.key), std::move(*record.value));
    else
      context.saved.erase(*record.key);
  };
  CO_CHECK(co_await read_whole(log, context.part_of(context.streams.cursors), 0, keep_cursor));

  std::map<std::string, eventlog::Record> letters;
  auto keep_letter = [&letters](eventlog::Record record) {
    if (!record.key) return;
    if (record.value)
      letters[*record.key] = std::move(record);
    else
      letters.erase(*record.key);
  };
  CO_CHECK(co_await read_whole(log, context.part_of(context.streams.dead), 0, keep_letter));
  auto redrives = restore_dead_letters(context, letters);

  auto attempts = log.partition(context.part_of(context.streams.attempts));
  auto shown = static_cast<eventlog::Offset>(context.parts.limits.delivered_shown_max);
  auto keep_attempt = [&context, &redrives](eventlog::Record record) {
    auto parsed = parse_attempt(record.value.value_or(""));
    if (!parsed) return;
    auto redrive = redrives.find(parsed->delivery.id);
    if (redrive != redrives.end()) count_attempt(redrive->second, parsed->attempt);
    // A dead letter's own record is later news than its last attempt.
    if (auto letter = context.index.find(parsed->delivery.id); letter && letter->dead_letter) {
      parsed->delivery = letter->delivery;
    } else if (parsed->delivery.status == DeliveryStatus::Dead) {
      return;
    }
    context.index.restored(parsed->delivery, record.offset, std::nullopt);
  };
  CO_CHECK(co_await read_whole(log, context.part_of(context.streams.attempts),
                               attempts ? attempts->end - shown : 0, keep_attempt));
  for (auto& [id, redrive] : redrives) context.saved.add_redrive(std::move(redrive));
  co_return Result<>();
}

}  // namespace weft::delivery
