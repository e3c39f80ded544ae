#include "delivery/edge/subscription_worker.h"

#include <algorithm>

#include "base/json_members.h"
#include "base/json_writer.h"
#include "delivery/core/filter.h"
#include "runtime/log.h"

namespace weft::delivery {

namespace {

eventlog::OrderKey order_of(const eventlog::Record& record, Ordering ordering) {
  switch (ordering) {
    case Ordering::None:
      return eventlog::OrderKey::None;
    case Ordering::Key:
      return record.key ? eventlog::order_key(*record.key) : eventlog::OrderKey::None;
    case Ordering::Partition:
      break;
  }
  return eventlog::order_key("");
}

}  // namespace

SubscriptionWorker::SubscriptionWorker(LoopParts parts, SubscriptionRef subscription)
    : parts_(parts), spec_(std::move(subscription)) {
  auto& metrics = parts_.context.parts.metrics;
  Labels labels = {{"tenant", spec_->tenant}, {"subscription", spec_->name}};
  auto outcome = [&](std::string_view value) {
    auto with = labels;
    with.emplace_back("outcome", value);
    return &metrics.counter("weft_delivery_attempts_total", "Attempts by what came of them", with);
  };
  delivered_ = outcome("delivered");
  failed_ = outcome("failed");
  given_up_ = &metrics.counter("weft_delivery_given_up_total", "Events given up on", labels);
  skipped_ = &metrics.counter("weft_delivery_skipped_records_total",
                              "Records that retention removed before they were read", labels);
  expired_ = &metrics.counter("weft_delivery_expired_events_total",
                              "Events that were not delivered because they are older than the "
                              "ttl of their stream",
                              labels);
  dead_letters_ = &metrics.gauge("weft_delivery_dead_letters", "Dead letters that wait", labels);
  failing_ = &metrics.gauge("weft_delivery_failing_deliveries",
                            "Deliveries that wait for another attempt", labels);
  lag_ =
      &metrics.gauge("weft_delivery_lag_records", "Records not yet taken from the streams", labels);
  durations_ = &metrics.histogram("weft_delivery_attempt_duration_seconds",
                                  "From the request to its answer or failure", labels);
  active_since_ = parts_.context.parts.clock.now();
}

Task<void> SubscriptionWorker::run(std::shared_ptr<SubscriptionWorker> self) {
  restore_state_record();
  auto& context = parts_.context;
  for (auto& redrive : context.saved.take_redrives(spec_->tenant, spec_->name)) {
    queue_redrive(std::move(redrive));
  }
  while (!self->stopped_) {
    woken_ = false;
    if (lanes_are_stale_) {
      lanes_are_stale_ = false;
      if (!co_await open_lanes()) lanes_are_stale_ = true;
    }
    auto now = context.parts.clock.now();
    while (may_start(now)) {
      auto job = next_job(now);
      if (!job) break;
      start(std::move(*job));
    }
    if (auto due = next_due()) parts_.wake_at(*due);
    if (!woken_ && !stopped_) co_await wake_.wait_regardless();
  }
}

void SubscriptionWorker::wake() {
  woken_ = true;
  wake_.wake();
}

void SubscriptionWorker::update(SubscriptionRef subscription) {
  bool has_new_endpoint = subscription->url_text != spec_->url_text;
  spec_ = std::move(subscription);
  lanes_are_stale_ = true;
  if (has_new_endpoint && disabled_) {
    enable();
  } else {
    for (auto& lane : lanes_) lane->room.wake();
    wake();
  }
}

void SubscriptionWorker::stop() {
  stopped_ = true;
  for (auto* gauge : {dead_letters_, failing_, lag_}) gauge->set(0);
  wake();
}

void SubscriptionWorker::retire() {
  retired_ = true;
  for (auto& lane : lanes_) close_lane(*lane);
  eventlog::NewRecord end;
  end.key = state_key(spec_->tenant, spec_->name);
  parts_.journal.submit_cursor_record(std::move(end));
  stop();
}

void SubscriptionWorker::redrive(Redrive redrive) {
  queue_redrive(std::move(redrive));
  wake();
}

void SubscriptionWorker::enable() {
  disabled_ = false;
  disabled_reason_.clear();
  held_until_.reset();
  active_since_ = parts_.context.parts.clock.now();
  parts_.journal.submit_cursor_record(state_record());
  log_info("delivery", "subscription enabled",
           {{"tenant", spec_->tenant}, {"subscription", spec_->name}});
  for (auto& lane : lanes_) lane->room.wake();
  wake();
}

void SubscriptionWorker::set_disabled(std::string reason) {
  disabled_ = true;
  disabled_reason_ = std::move(reason);
  log_warn(
      "delivery", "subscription disabled: the endpoint is gone",
      {{"tenant", spec_->tenant}, {"subscription", spec_->name}, {"reason", disabled_reason_}});
}

eventlog::NewRecord SubscriptionWorker::state_record() const {
  JsonWriter out;
  out.object().member("state", disabled_ ? "disabled" : "active");
  if (disabled_) out.member("reason", disabled_reason_);
  out.member("since", to_rfc3339(active_since_)).member("url", spec_->url_text).end();
  eventlog::NewRecord record;
  record.key = state_key(spec_->tenant, spec_->name);
  record.value = std::move(out).text();
  return record;
}

void SubscriptionWorker::restore_state_record() {
  auto saved = parts_.context.saved.take(state_key(spec_->tenant, spec_->name));
  if (saved.empty()) return;
  is_known_ = true;
  auto document = JsonDocument::parse(std::move(saved.front()));
  if (!document) return;
  if (auto since = parse_rfc3339(text_of(document->root(), "since"))) active_since_ = *since;
  bool was_disabled = text_of(document->root(), "state") == "disabled";
  if (!was_disabled) return;
  disabled_ = true;
  disabled_reason_ = text_of(document->root(), "reason");
  if (text_of(document->root(), "url") != spec_->url_text) enable();
}

bool SubscriptionWorker::may_start(WallTime now) const {
  return !stopped_ && !disabled_ && !spec_->paused && in_flight_ < spec_->concurrency &&
         (!held_until_ || *held_until_ <= now) && !parts_.journal.is_full() &&
         parts_.attempts.size() < parts_.context.parts.limits.attempts_max;
}

std::optional<SubscriptionWorker::Job> SubscriptionWorker::next_job(WallTime now) {
  if (auto job = next_redrive(now)) return job;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    turn_ = (turn_ + 1) % lanes_.size();
    if (auto job = next_of_lane(lanes_[turn_], now)) return job;
  }
  return std::nullopt;
}

std::optional<SubscriptionWorker::Job> SubscriptionWorker::next_redrive(WallTime now) {
  if (redrives_.empty() || redrives_.begin()->first > now) return std::nullopt;
  Job job;
  job.redrive = std::move(redrives_.begin()->second);
  redrives_.erase(redrives_.begin());
  job.attempt = ++job.redrive->attempts;
  return job;
}

std::optional<SubscriptionWorker::Job> SubscriptionWorker::next_of_lane(const LanePtr& lane,
                                                                        WallTime now) {
  Job job;
  job.lane = lane;
  if (auto due = lane->acks.acquire_due(now)) {
    job.offset = due->offset;
    job.attempt = due->deliveries;
    return job;
  }
  if (has_too_many_dead_) return std::nullopt;
  job.record = take_new(*lane);
  if (wants_more(*lane)) lane->room.wake();
  if (!job.record) return std::nullopt;
  job.offset = job.record->offset;
  return job;
}

// What is held back for its order is read again when its turn comes.
std::optional<eventlog::Record> SubscriptionWorker::take_new(Lane& lane) {
  while (!lane.ready.empty() && !lane.acks.is_full()) {
    auto record = std::move(lane.ready.front());
    lane.ready.pop_front();
    if (!spec_->keeps_expired && is_expired(lane, record)) {
      expired_->add();
      lane.pass_filtered();
      continue;
    }
    auto taken = lane.acks.acquire(record.offset, order_of(record, spec_->ordering));
    ENSURE(taken.has_value(), "records are taken in order, each once");
    lane.pass_filtered();
    if (*taken) return record;
  }
  return std::nullopt;
}

void SubscriptionWorker::start(Job job) {
  ++in_flight_;
  auto self = shared_from_this();
  if (!parts_.attempts.spawn(attempt(self, std::move(job)))) --in_flight_;
}

void SubscriptionWorker::queue_redrive(Redrive redrive) {
  auto due = redrive.due;
  redrives_.emplace(due, std::move(redrive));
}

void SubscriptionWorker::give_back(Job& job, WallTime when) {
  if (job.lane) {
    job.lane->acks.release(job.offset, when);
  } else {
    --job.redrive->attempts;
    job.redrive->due = when;
    queue_redrive(std::move(*job.redrive));
  }
}

std::optional<WallTime> SubscriptionWorker::next_due() {
  if (stopped_ || disabled_ || spec_->paused || in_flight_ >= spec_->concurrency)
    return std::nullopt;
  std::optional<WallTime> due;
  auto consider = [&due](WallTime time) { due = due ? std::min(*due, time) : time; };
  for (auto& lane : lanes_) {
    if (auto next = lane->acks.next_deadline()) consider(*next);
    if (!lane->ready.empty() && !lane->acks.is_full() && held_until_) consider(*held_until_);
  }
  if (!redrives_.empty()) consider(redrives_.begin()->first);
  if (due && held_until_) due = std::max(*due, *held_until_);
  return due;
}

void SubscriptionWorker::look_around() {
  auto& context = parts_.context;
  auto now = context.parts.clock.now();
  auto counts = context.index.counts(spec_->tenant, spec_->name, now);
  has_too_many_dead_ = counts.dead >= context.parts.limits.dead_letters_max;
  dead_letters_->set(static_cast<std::int64_t>(counts.dead));
  failing_->set(static_cast<std::int64_t>(counts.failing));
  lag_->set(static_cast<std::int64_t>(lag_records()));
  for (const auto& name : spec_->streams) {
    auto stream = context.parts.log.find_stream(spec_->tenant, name);
    if (!stream || find_lane({stream->id, stream->settings.partitions - 1}) == nullptr) {
      lanes_are_stale_ = true;
    }
  }
  wake();
}

std::vector<eventlog::NewRecord> SubscriptionWorker::everything() const {
  std::vector<eventlog::NewRecord> out;
  if (retired_ || !is_known_) return out;
  out.push_back(state_record());
  for (const auto& lane : lanes_) {
    if (!lane->closed) out.push_back(lane->whole_cursor_record());
  }
  return out;
}

std::uint64_t SubscriptionWorker::lag_records() const {
  std::uint64_t lag = 0;
  for (const auto& lane : lanes_) lag += lag_of(*lane);
  return lag;
}

std::uint64_t SubscriptionWorker::lag_of(const Lane& lane) const {
  auto info = parts_.context.parts.log.partition(lane.partition);
  if (!info) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(info->end - lane.acks.next(), 0));
}

SubscriptionStatus SubscriptionWorker::status() const {
  auto& context = parts_.context;
  auto now = context.parts.clock.now();
  auto counts = context.index.counts(spec_->tenant, spec_->name, now);
  SubscriptionStatus out;
  out.tenant = spec_->tenant;
  out.name = spec_->name;
  out.owner = spec_->owner;
  out.streams = spec_->streams;
  out.url = spec_->url_text;
  out.filter = spec_->filter.text();
  if (disabled_) {
    out.state = SubscriptionState::Disabled;
    out.state_reason = disabled_reason_;
  } else if (spec_->paused) {
    out.state = SubscriptionState::Paused;
    out.state_reason = "paused by its document";
  } else if (has_too_many_dead_) {
    out.state = SubscriptionState::Paused;
    out.state_reason = fmt::format("{} dead letters wait; redrive them to go on", counts.dead);
  }
  if (held_until_ && *held_until_ > now) out.held_until = held_until_;
  out.in_flight = in_flight_;
  out.failing = counts.failing;
  out.dead = counts.dead;
  out.delivered = counts.delivered;
  out.failed_attempts = counts.failed_attempts;
  out.attempts_recent = counts.attempts_recent;
  out.failures_recent = counts.failures_recent;
  out.last_attempt = counts.last_attempt;
  out.last_success = counts.last_success;
  out.last_failure = counts.last_failure;
  out.last_error = std::move(counts.last_error);
  out.attempts_max = spec_->retry.attempts_max;
  out.age_max = spec_->retry.age_max;
  for (const auto& lane : lanes_) {
    auto lag = lag_of(*lane);
    out.lag_records += lag;
    out.held += lane->acks.held();
    out.positions.push_back({lane->partition, lane->acks.next(), lag});
    if (lane->ready.empty()) continue;
    auto age = now - lane->ready.front().timestamp;
    out.lag_time = out.lag_time ? std::max(*out.lag_time, Duration(age)) : Duration(age);
  }
  return out;
}

}  // namespace weft::delivery
