#include "delivery/edge/journal.h"

#include <algorithm>
#include <deque>
#include <string_view>

#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::delivery {

namespace {

CrashPoint before_record("delivery.before-record");
CrashPoint after_record("delivery.after-record");

// Everything is written again after a few times its own size, and much less than what the stream of
// cursors keeps.
constexpr std::uint64_t kRewriteAfterBytesMin = 8ull * 1024 * 1024;
constexpr std::uint64_t kRewriteAfterBytesMax = 24ull * 1024 * 1024;
constexpr std::uint64_t kRewriteAfterSizes = 4;
constexpr Duration kRetryDelay = 500ms;
constexpr std::size_t kEntryBytes = 2 * 1024 * 1024;

std::size_t bytes_of(const eventlog::NewRecord& record) {
  constexpr std::size_t kFraming = 16;
  return (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0) +
         kFraming;
}

std::size_t bytes_of(const AttemptOutcome& outcome) {
  return outcome.attempt_json.size() + (outcome.dead ? bytes_of(*outcome.dead) : 0);
}

}  // namespace

Journal::Journal(DeliveryContext& context, std::function<void()> wake_all,
                 std::function<std::vector<eventlog::NewRecord>()> everything)
    : context_(context),
      wake_all_(std::move(wake_all)),
      everything_(std::move(everything)),
      entries_(
          context.parts.metrics.counter("weft_delivery_journal_entries_total",
                                        "Log entries with outcomes and cursors of deliveries")),
      durations_(context.parts.metrics.histogram("weft_delivery_journal_duration_seconds",
                                                 "From the build of an entry until it is durable")),
      rewrite_after_bytes_(kRewriteAfterBytesMin) {}

void Journal::submit(AttemptOutcome outcome) {
  queue_.push_back(std::move(outcome));
  arrived_.wake();
}

void Journal::submit_cursor_record(eventlog::NewRecord record) {
  records_.push_back(std::move(record));
  arrived_.wake();
}

Task<bool> Journal::record(std::vector<eventlog::NewRecord> records) {
  auto waiter = std::make_shared<Waiter>();
  waiters_.push_back(waiter);
  records_.insert(records_.end(), std::make_move_iterator(records.begin()),
                  std::make_move_iterator(records.end()));
  arrived_.wake();
  while (!waiter->is_done) co_await waiter->wake.wait_regardless();
  co_return waiter->is_durable;
}

void Journal::mark_dirty(LanePtr lane) {
  dirty_.insert(std::move(lane));
}

void Journal::tick() {
  auto written = context_.cursor_bytes.load(std::memory_order_relaxed);
  if (written - written_at_ >= rewrite_after_bytes_) {
    written_at_ = written;
    auto all = everything_();
    std::uint64_t bytes = 0;
    for (const auto& record : all) bytes += bytes_of(record);
    rewrite_after_bytes_ =
        std::clamp(bytes * kRewriteAfterSizes, kRewriteAfterBytesMin, kRewriteAfterBytesMax);
    records_.insert(records_.end(), std::make_move_iterator(all.begin()),
                    std::make_move_iterator(all.end()));
  }
  ticked_ = !dirty_.empty() || !records_.empty();
  if (ticked_) arrived_.wake();
}

void Journal::close() {
  closed_ = true;
  is_hurried_ = true;
  arrived_.wake();
}

bool Journal::has_work() const {
  return !queue_.empty() || !records_.empty() || ((ticked_ || closed_) && !dirty_.empty());
}

Task<void> Journal::run() {
  while (true) {
    if (has_work()) {
      co_await flush();
    } else if (closed_) {
      co_return;
    } else {
      co_await arrived_.wait_regardless();
    }
  }
}

// One log entry: what outcomes and callers own is only referred to.
struct Journal::Entry {
  using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

  void add(std::vector<eventlog::BorrowedRecord>& to, const eventlog::NewRecord& record) {
    auto& borrowed = to.emplace_back();
    borrowed.key = record.key;
    borrowed.value = record.value;
    borrowed.timestamp = record.timestamp;
    if (!record.headers.empty()) {
      borrowed.headers = fields.emplace_back(record.headers.begin(), record.headers.end());
    }
  }

  std::vector<eventlog::BorrowedRecord> attempts;
  std::vector<eventlog::BorrowedRecord> dead;
  std::vector<eventlog::BorrowedRecord> cursors;
  std::deque<Fields> fields;
  std::uint64_t cursor_bytes = 0;
  std::vector<eventlog::BorrowedRecords> parts;
};

Journal::Entry Journal::build(const std::vector<AttemptOutcome>& outcomes,
                              const std::vector<eventlog::NewRecord>& records) const {
  Entry entry;
  for (const auto& record : records) {
    entry.add(entry.cursors, record);
    entry.cursor_bytes += bytes_of(record);
  }
  entry.attempts.reserve(outcomes.size());
  for (const auto& outcome : outcomes) {
    auto& attempt = entry.attempts.emplace_back();
    attempt.key = outcome.delivery.id;
    attempt.value = outcome.attempt_json;
    if (outcome.dead) entry.add(entry.dead, *outcome.dead);
    if (outcome.state) {
      entry.add(entry.cursors, *outcome.state);
      entry.cursor_bytes += bytes_of(*outcome.state);
    }
  }
  const auto share = context_.parts.share.number;
  if (!entry.attempts.empty())
    entry.parts.push_back({context_.streams.attempts, share, entry.attempts});
  if (!entry.dead.empty()) entry.parts.push_back({context_.streams.dead, share, entry.dead});
  if (!entry.cursors.empty())
    entry.parts.push_back({context_.streams.cursors, share, entry.cursors});
  return entry;
}

std::vector<AttemptOutcome> Journal::take_outcomes() {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < queue_.size() && bytes < kEntryBytes) bytes += bytes_of(queue_[count++]);
  if (count == queue_.size()) return std::exchange(queue_, {});
  auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<AttemptOutcome> out(std::make_move_iterator(queue_.begin()),
                                  std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return out;
}

// A record that continues a cursor is worth nothing after one that was not appended.
eventlog::NewRecord Journal::cursor_of(Lane& lane) const {
  bool is_hasty = context_.parts.mutant == DeliveryMutant::CursorBeforeAttempt;
  if (is_hasty) return lane.hasty_cursor_record();
  return has_given_up_ ? lane.whole_cursor_record() : lane.cursor_record();
}

Task<void> Journal::flush() {
  auto start = context_.parts.clock.mono();
  auto outcomes = take_outcomes();
  in_append_ = outcomes.size();
  for (auto& outcome : outcomes) {
    if (!outcome.lane || outcome.lane->closed) continue;
    outcome.lane->settle(outcome.offset, outcome.decision);
    dirty_.insert(outcome.lane);
  }
  auto records = std::exchange(records_, {});
  for (const auto& lane : dirty_) {
    if (lane->closed) continue;
    lane->is_dirty = false;
    records.push_back(cursor_of(*lane));
  }
  dirty_.clear();
  ticked_ = false;
  auto waiters = std::exchange(waiters_, {});
  // Settling freed room in the acknowledgement sets, and retries have their times now.
  for (auto& outcome : outcomes) {
    if (outcome.owner) outcome.owner->wake();
  }
  before_record.reached();
  auto appended = co_await append(outcomes, records);
  after_record.reached();
  if (appended)
    publish(outcomes, *appended);
  else
    has_given_up_ = true;
  for (auto& waiter : waiters) {
    waiter->is_done = true;
    waiter->is_durable = appended.has_value();
    waiter->wake.wake();
  }
  entries_.add();
  durations_.observe(context_.parts.clock.mono() - start);
  bool was_full = is_full();
  in_append_ = 0;
  if (was_full) wake_all_();
}

Task<std::optional<std::vector<eventlog::Appended>>> Journal::append(
    const std::vector<AttemptOutcome>& outcomes, const std::vector<eventlog::NewRecord>& records) {
  while (true) {
    auto entry = build(outcomes, records);
    if (entry.parts.empty()) co_return std::vector<eventlog::Appended>();
    context_.cursor_bytes.fetch_add(entry.cursor_bytes, std::memory_order_relaxed);
    auto appended = co_await context_.writer->append_borrowed(entry.parts);
    if (appended) co_return std::move(*appended);
    if (appended.error().code == ErrorCode::Conflict) {
      context_.is_fenced = true;
      context_.on_fenced();
      log_warn("delivery", "another node carries these subscriptions out now",
               {{"share", context_.parts.share.number}});
      co_return std::nullopt;
    }
    log_error("delivery", "outcomes of deliveries cannot be recorded; deliveries wait",
              {{"error", appended.error().message}});
    if (is_hurried_) co_return std::nullopt;
    auto slept = co_await context_.parts.clock.sleep_for(kRetryDelay);
    if (!slept) co_return std::nullopt;
  }
}

void Journal::publish(std::vector<AttemptOutcome>& outcomes,
                      const std::vector<eventlog::Appended>& appended) {
  if (outcomes.empty() || appended.empty()) return;
  auto now = context_.parts.clock.now();
  auto attempt = appended.front().first_offset;
  auto dead = appended.size() > 1 ? appended[1].first_offset : 0;
  for (auto& outcome : outcomes) {
    std::optional<eventlog::Offset> letter;
    if (outcome.dead) letter = dead++;
    context_.index.recorded(std::move(outcome.delivery), attempt++, letter, now);
  }
}

}  // namespace weft::delivery
