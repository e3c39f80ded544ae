#include "delivery/core/delivery_index.h"

#include <algorithm>
#include <charconv>

namespace weft::delivery {

namespace {

constexpr std::size_t kPageMax = 1000;

std::string key_of(std::string_view tenant, std::string_view subscription) {
  std::string key(tenant);
  key.append(1, '/').append(subscription);
  return key;
}

std::int64_t minute_of(WallTime time) {
  return to_unix_ms(time) / 60'000;
}

bool matches(const DeliveryQuery& query, const DeliverySummary& delivery) {
  return (query.tenant.empty() || delivery.tenant == query.tenant) &&
         (query.subscription.empty() || delivery.subscription == query.subscription) &&
         (!query.status || delivery.status == *query.status) &&
         (query.event_id.empty() || delivery.event_id == query.event_id);
}

}  // namespace

DeliveryIndex::Counters& DeliveryIndex::counters(const DeliverySummary& delivery) {
  return counters_[key_of(delivery.tenant, delivery.subscription)];
}

std::uint64_t& DeliveryIndex::count_of(Entry& entry) {
  auto& counts = entry.counters->counts;
  switch (entry.delivery.status) {
    case DeliveryStatus::Pending:
      return counts.pending;
    case DeliveryStatus::Failing:
      return counts.failing;
    case DeliveryStatus::Dead:
      return counts.dead;
    case DeliveryStatus::Delivered:
      break;
  }
  return uncounted_;
}

DeliveryIndex::Entry& DeliveryIndex::put(DeliverySummary delivery) {
  auto [known, is_new] = by_id_.try_emplace(delivery.id, next_);
  if (is_new) return add(std::move(delivery));
  auto sequence = known->second;
  auto& entry = entries_.at(sequence);
  change(entry, std::move(delivery), sequence);
  return entry;
}

DeliveryIndex::Entry& DeliveryIndex::add(DeliverySummary delivery) {
  auto sequence = next_++;
  auto& entry = entries_.emplace_hint(entries_.end(), sequence, Entry())->second;
  entry.counters = &counters(delivery);
  entry.delivery = std::move(delivery);
  ++count_of(entry);
  if (entry.delivery.status == DeliveryStatus::Delivered) keep_delivered(sequence);
  return entry;
}

void DeliveryIndex::change(Entry& entry, DeliverySummary to, std::uint64_t sequence) {
  --count_of(entry);
  if (to.trace_id.empty()) to.trace_id = std::move(entry.delivery.trace_id);
  entry.delivery = std::move(to);
  ++count_of(entry);
  if (entry.delivery.status == DeliveryStatus::Delivered) keep_delivered(sequence);
}

void DeliveryIndex::keep_delivered(std::uint64_t sequence) {
  delivered_.push_back(sequence);
  evict();
}

void DeliveryIndex::evict() {
  while (delivered_.size() > limits_.delivered_max) {
    auto oldest = entries_.find(delivered_.front());
    delivered_.pop_front();
    if (oldest == entries_.end() || oldest->second.delivery.status != DeliveryStatus::Delivered)
      continue;
    by_id_.erase(oldest->second.delivery.id);
    entries_.erase(oldest);
  }
}

void DeliveryIndex::count_attempt(Entry& entry, WallTime now) {
  const auto& delivery = entry.delivery;
  auto& counters = *entry.counters;
  auto& counts = counters.counts;
  bool delivered = delivery.status == DeliveryStatus::Delivered;
  auto number = minute_of(now);
  auto& minute = counters.minutes[static_cast<std::size_t>(number) % counters.minutes.size()];
  if (minute.number != number) minute = {number, 0, 0};
  ++minute.attempts;
  minute.failures += delivered ? 0 : 1;
  ++(delivered ? counts.delivered : counts.failed_attempts);
  counts.last_attempt = delivery.last_attempt;
  (delivered ? counts.last_success : counts.last_failure) = delivery.last_attempt;
  if (!delivered) counts.last_error = delivery.last_error;
}

void DeliveryIndex::started(const DeliverySummary& delivery) {
  std::lock_guard lock(mutex_);
  if (!by_id_.try_emplace(delivery.id, next_).second) return;
  auto shown = delivery;
  // The attempt under way counts when it has ended.
  if (shown.attempts > 0) --shown.attempts;
  if (shown.attempts == 0) shown.last_attempt.reset();
  add(std::move(shown));
}

void DeliveryIndex::recorded(DeliverySummary delivery, eventlog::Offset attempt,
                             std::optional<eventlog::Offset> dead_letter, WallTime now) {
  std::lock_guard lock(mutex_);
  auto& entry = put(std::move(delivery));
  count_attempt(entry, now);
  if (entry.attempts.size() < limits_.attempts_per_delivery) entry.attempts.push_back(attempt);
  if (dead_letter) entry.dead_letter = dead_letter;
}

void DeliveryIndex::restored(const DeliverySummary& delivery,
                             std::optional<eventlog::Offset> attempt,
                             std::optional<eventlog::Offset> dead_letter) {
  std::lock_guard lock(mutex_);
  auto& entry = put(delivery);
  if (attempt && entry.attempts.size() < limits_.attempts_per_delivery)
    entry.attempts.push_back(*attempt);
  if (dead_letter) entry.dead_letter = dead_letter;
}

void DeliveryIndex::forget(std::string_view id) {
  std::lock_guard lock(mutex_);
  auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  auto entry = entries_.find(known->second);
  --count_of(entry->second);
  entries_.erase(entry);
  by_id_.erase(known);
}

void DeliveryIndex::forget_if(const std::function<bool(const DeliverySummary&)>& is_gone) {
  std::lock_guard lock(mutex_);
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (!is_gone(at->second.delivery)) {
      ++at;
      continue;
    }
    --count_of(at->second);
    by_id_.erase(at->second.delivery.id);
    at = entries_.erase(at);
  }
  std::erase_if(delivered_,
                [this](std::uint64_t sequence) { return !entries_.contains(sequence); });
}

std::optional<eventlog::Offset> DeliveryIndex::claim_dead(std::string_view id) {
  std::lock_guard lock(mutex_);
  auto known = by_id_.find(id);
  if (known == by_id_.end()) return std::nullopt;
  auto& entry = entries_.at(known->second);
  if (entry.delivery.status != DeliveryStatus::Dead || !entry.dead_letter) return std::nullopt;
  --count_of(entry);
  entry.delivery.status = DeliveryStatus::Pending;
  ++count_of(entry);
  return entry.dead_letter;
}

void DeliveryIndex::unclaim_dead(std::string_view id) {
  std::lock_guard lock(mutex_);
  auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  auto& entry = entries_.at(known->second);
  --count_of(entry);
  entry.delivery.status = DeliveryStatus::Dead;
  ++count_of(entry);
}

void DeliveryIndex::redriving(std::string_view id, eventlog::Offset dead_letter) {
  std::lock_guard lock(mutex_);
  auto known = by_id_.find(id);
  if (known != by_id_.end()) entries_.at(known->second).dead_letter = dead_letter;
}

std::optional<IndexedDelivery> DeliveryIndex::find(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto known = by_id_.find(id);
  if (known == by_id_.end()) return std::nullopt;
  return entries_.at(known->second);
}

DeliveryPage DeliveryIndex::list(const DeliveryQuery& query) const {
  std::uint64_t before = UINT64_MAX;
  std::from_chars(query.cursor.data(), query.cursor.data() + query.cursor.size(), before);
  auto limit = std::clamp<std::size_t>(query.limit, 1, kPageMax);

  std::lock_guard lock(mutex_);
  DeliveryPage page;
  for (auto at = std::make_reverse_iterator(entries_.lower_bound(before)); at != entries_.rend();
       ++at) {
    if (!matches(query, at->second.delivery)) continue;
    if (page.items.size() == limit) {
      page.next_cursor = std::to_string(before);
      break;
    }
    page.items.push_back(at->second.delivery);
    before = at->first;
    page.positions.push_back(std::to_string(before));
  }
  return page;
}

std::vector<std::string> DeliveryIndex::dead_ids(std::string_view tenant,
                                                 std::string_view subscription) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [sequence, entry] : entries_) {
    const auto& delivery = entry.delivery;
    if (delivery.status == DeliveryStatus::Dead && delivery.tenant == tenant &&
        delivery.subscription == subscription) {
      out.push_back(delivery.id);
    }
  }
  return out;
}

SubscriptionCounts DeliveryIndex::counts(std::string_view tenant, std::string_view subscription,
                                         WallTime now) const {
  std::lock_guard lock(mutex_);
  auto found = counters_.find(key_of(tenant, subscription));
  if (found == counters_.end()) return {};
  auto out = found->second.counts;
  for (const auto& minute : found->second.minutes) {
    if (minute.number < 0 || minute.number + static_cast<std::int64_t>(kMinutes) <= minute_of(now))
      continue;
    out.attempts_recent += minute.attempts;
    out.failures_recent += minute.failures;
  }
  return out;
}

std::size_t DeliveryIndex::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace weft::delivery
