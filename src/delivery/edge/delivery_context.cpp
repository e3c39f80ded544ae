#include "delivery/edge/delivery_context.h"

#include <algorithm>

#include "delivery/core/attempt_record.h"
#include "runtime/log.h"

namespace weft::delivery {

namespace {

// Every loop writes all that it knows again before this much has passed through the stream, so the
// retained part always holds the whole state.
constexpr std::uint64_t kCursorBytesKept = 64ull * 1024 * 1024;
constexpr std::uint32_t kRestoreReadBytes = 1024 * 1024;

eventlog::StreamSettings settings_of(std::string_view name) {
  eventlog::StreamSettings settings;
  settings.tenant = kInternalTenant;
  settings.name = name;
  settings.partitions = 1;
  settings.retention = Duration::zero();
  settings.batch_bytes_max = 16 * 1024 * 1024;
  return settings;
}

Task<Result<eventlog::StreamId>> ensure_stream(eventlog::EventLog& log,
                                               eventlog::StreamSettings settings) {
  if (auto found = log.find_stream(settings.tenant, settings.name)) {
    if (found->settings != settings) CO_CHECK(co_await log.alter_stream(found->id, settings));
    co_return found->id;
  }
  CO_TRY(auto made, co_await log.create_stream(settings));
  co_return made.id;
}

Task<Result<>> ensure_streams(DeliveryContext& context) {
  auto& log = context.parts.log;
  auto attempts = settings_of(kAttemptsStream);
  attempts.retention = context.parts.limits.attempts_retention;
  attempts.retention_bytes = context.parts.limits.attempts_bytes_max;
  CO_TRY(context.attempts, co_await ensure_stream(log, attempts));
  auto cursors = settings_of(kCursorsStream);
  cursors.retention_bytes = kCursorBytesKept;
  CO_TRY(context.cursors, co_await ensure_stream(log, cursors));
  auto dead = settings_of(kDeadStream);
  dead.cleanup = eventlog::Cleanup::Compact;
  CO_TRY(context.dead, co_await ensure_stream(log, dead));
  co_return Result<>();
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

Task<Result<>> read_whole(eventlog::EventLog& log, eventlog::StreamId stream, eventlog::Offset from,
                          std::function<void(eventlog::Record)> visit) {
  eventlog::ReadRequest request;
  request.partition = {stream, 0};
  auto info = log.partition(request.partition);
  if (!info) co_return fail(ErrorCode::NotFound, "an internal stream of delivery is gone");
  request.from = std::max(from, info->start);
  request.bytes_max = kRestoreReadBytes;
  while (request.from < info->end) {
    CO_TRY(auto result, co_await log.read(request));
    if (result.next <= request.from) break;
    for (auto& record : result.records) visit(std::move(record));
    request.from = result.next;
  }
  co_return Result<>();
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
  CO_CHECK(co_await ensure_streams(context));
  auto& log = context.parts.log;
  auto keep_cursor = [&context](eventlog::Record record) {
    if (!record.key) return;
    if (record.value)
      context.saved.put(std::move(*record.key), std::move(*record.value));
    else
      context.saved.erase(*record.key);
  };
  CO_CHECK(co_await read_whole(log, context.cursors, 0, keep_cursor));

  std::map<std::string, eventlog::Record> letters;
  auto keep_letter = [&letters](eventlog::Record record) {
    if (!record.key) return;
    if (record.value)
      letters[*record.key] = std::move(record);
    else
      letters.erase(*record.key);
  };
  CO_CHECK(co_await read_whole(log, context.dead, 0, keep_letter));
  auto redrives = restore_dead_letters(context, letters);

  auto attempts = log.partition({context.attempts, 0});
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
  CO_CHECK(co_await read_whole(log, context.attempts, attempts ? attempts->end - shown : 0,
                               keep_attempt));
  for (auto& [id, redrive] : redrives) context.saved.add_redrive(std::move(redrive));
  co_return Result<>();
}

}  // namespace weft::delivery
