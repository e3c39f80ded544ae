#include "eventlog/dedupe.h"

#include <algorithm>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "runtime/log.h"

namespace weft::eventlog {
namespace {

// A producer must not be able to make two of its events collide with somebody else's.
std::array<std::uint64_t, 2> hash_of(std::string_view source, std::string_view id) {
  crypto::Sha256 state;
  char size[8];
  store_be(size, static_cast<std::uint64_t>(source.size()));
  const auto digest = state.update({size, sizeof size}).update(source).update(id).digest();
  return {load_be<std::uint64_t>(digest.bytes.data()),
          load_be<std::uint64_t>(digest.bytes.data() + 8)};
}

}  // namespace

struct DedupeIndex::State {
  State(Clock& its_clock, Metrics& metrics, std::size_t most)
      : clock(its_clock),
        events_max(most),
        dropped(metrics.counter("weft_eventlog_duplicate_events_total",
                                "Events that were dropped because one of their source and id is "
                                "in the stream")),
        forgotten(metrics.counter("weft_eventlog_dedupe_forgotten_total",
                                  "Events that were forgotten before their window was over")),
        remembered(metrics.gauge("weft_eventlog_dedupe_events", "Events that are remembered")) {}
  using Key = Claims::Key;
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>(key.hash[0] ^ static_cast<std::uint64_t>(key.stream));
    }
  };
  struct Entry {
    bool is_settled = false;
    MonoTime until{};
  };

  void remember(const Key& key, MonoTime until);
  void forget_old();

  Clock& clock;
  const std::size_t events_max;
  Counter& dropped;
  Counter& forgotten;
  Gauge& remembered;
  std::mutex mutex;
  std::unordered_map<Key, Entry, KeyHash> entries;
  std::deque<std::pair<MonoTime, Key>> order;  // settled ones, in the order of settling
  bool has_warned = false;
};

void DedupeIndex::State::remember(const Key& key, MonoTime until) {
  entries[key] = {true, until};
  order.emplace_back(until, key);
  forget_old();
  remembered.set(static_cast<std::int64_t>(entries.size()));
}

// In the order in which they came: where windows differ, a short one behind a long one stays a
// little longer, which does no harm, since `until` is looked at.
void DedupeIndex::State::forget_old() {
  const auto now = clock.mono();
  while (!order.empty() && (order.front().first <= now || order.size() > events_max)) {
    const auto [until, key] = order.front();
    order.pop_front();
    const auto entry = entries.find(key);
    if (entry == entries.end() || entry->second.until != until) continue;
    if (until > now) {
      forgotten.add();
      if (!std::exchange(has_warned, true)) {
        log_warn("eventlog", "more events than streams.dedupeEventsMax: windows are cut short",
                 {{"limit", events_max}});
      }
    }
    entries.erase(entry);
  }
}

DedupeIndex::DedupeIndex(Clock& clock, Metrics& metrics, std::size_t events_max)
    : state_(std::make_shared<State>(clock, metrics, events_max)) {}
DedupeIndex::~DedupeIndex() = default;

DedupeIndex::Claims& DedupeIndex::Claims::operator=(Claims&& other) noexcept {
  if (this == &other) return *this;
  release();
  state_ = std::move(other.state_);
  keys_ = std::exchange(other.keys_, {});
  window_ = other.window_;
  return *this;
}

DedupeIndex::Claims::~Claims() {
  release();
}

void DedupeIndex::Claims::release() {
  if (keys_.empty()) return;
  const std::lock_guard lock(state_->mutex);
  for (const auto& key : keys_) state_->entries.erase(key);
  keys_.clear();
}

void DedupeIndex::Claims::settle() {
  if (keys_.empty()) return;
  const std::lock_guard lock(state_->mutex);
  const auto until = state_->clock.mono() + window_;
  for (const auto& key : keys_) state_->remember(key, until);
  keys_.clear();
}

DedupeIndex::Outcome DedupeIndex::claim(const Stream& stream, std::string_view source,
                                        std::string_view id, Claims& claims) {
  const Claims::Key key{stream.info.id, hash_of(source, id)};
  const std::lock_guard lock(state_->mutex);
  const auto [entry, is_new] = state_->entries.try_emplace(key);
  const bool is_over =
      !is_new && entry->second.is_settled && entry->second.until <= state_->clock.mono();
  if (is_new || is_over) {
    entry->second = {};
    claims.state_ = state_;
    claims.window_ = stream.declared->dedupe;
    claims.keys_.push_back(key);
    return Outcome::Mine;
  }
  const bool is_in_this_append = std::ranges::find(claims.keys_, key) != claims.keys_.end();
  if (!entry->second.is_settled && !is_in_this_append) return Outcome::UnderWay;
  state_->dropped.add();
  return Outcome::Duplicate;
}

Task<Result<>> DedupeIndex::restore(EventLog& log, std::vector<StreamRef> streams) {
  const auto now = state_->clock.now();
  const auto mono = state_->clock.mono();
  for (const auto& stream : streams) {
    const auto window = stream->declared->dedupe;
    if (window == Duration::zero()) continue;
    for (std::int32_t i = 0; i < stream->info.settings.partitions; ++i) {
      ReadRequest request;
      request.partition = {stream->info.id, i};
      const auto first = co_await log.offset_at(request.partition, now - window);
      request.from = first.value_or(0);
      while (first) {
        const auto got = co_await log.read(request);
        if (!got) {
          log_error("eventlog", "events cannot be read back: some may be stored a second time",
                    {{"stream", stream->info.settings.name}, {"why", got.error().message}});
          break;
        }
        const auto& read = *got;
        const std::lock_guard lock(state_->mutex);
        for (const auto& record : read.records) {
          const auto source = record.header("ce_source");
          const auto id = record.header("ce_id");
          const auto left = std::min<Duration>(window - (now - record.timestamp), window);
          if (!source || !id || left <= Duration::zero()) continue;
          state_->remember({stream->info.id, hash_of(*source, *id)}, mono + left);
        }
        if (read.next <= request.from) break;
        request.from = read.next;
      }
    }
  }
  co_return Result<>();
}

}  // namespace weft::eventlog
