#include "eventlog/kafka_cluster/cluster_tail.h"

#include <algorithm>

#include "runtime/log.h"

namespace weft::eventlog {
namespace {

constexpr Duration kPollWait = 1s;
constexpr Duration kTailFetchWait = 500ms;
constexpr Duration kUnreadMax = 60s;
constexpr std::size_t kTailRecordsPerPoll = 1000;
constexpr std::size_t kFraming = 64;  // of a record in memory

std::size_t bytes_of(const Record& record) {
  auto bytes =
      kFraming + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const auto& [name, value] : record.headers) bytes += name.size() + value.size();
  return bytes;
}

void call_all(const std::vector<std::function<void()>>& wakes) {
  for (const auto& wake : wakes) wake();
}

}  // namespace

ClusterTail::ClusterTail(std::unique_ptr<KafkaReader> reader, std::size_t bytes_max, Clock& clock,
                         OnMoved moved)
    : reader_(std::move(reader)),
      bytes_max_(bytes_max),
      clock_(clock),
      moved_(std::move(moved)),
      thread_([this] { run(); }) {}

ClusterTail::~ClusterTail() {
  is_over_ = true;
  reader_->interrupt();
  thread_.join();
  Wakes wakes;
  {
    std::scoped_lock lock(mutex_);
    while (!followed_.empty()) drop(followed_.begin(), wakes);
  }
  call_all(wakes);
}

Result<std::unique_ptr<ClusterTail>> ClusterTail::open(const KafkaProperties& properties,
                                                       std::size_t bytes_max, Clock& clock,
                                                       OnMoved moved) {
  TRY(auto reader, KafkaReader::open(properties, true, kTailFetchWait));
  return std::unique_ptr<ClusterTail>(
      new ClusterTail(std::move(reader), bytes_max, clock, std::move(moved)));
}

void ClusterTail::follow(const std::string& topic, PartitionId partition, Offset from) {
  {
    std::scoped_lock lock(mutex_);
    auto [at, is_new] = followed_.try_emplace(partition);
    if (!is_new) return;
    auto& followed = at->second;
    followed.topic = topic;
    followed.tag = ++last_tag_;
    followed.first = from;
    followed.next = from;
    followed.used = clock_.mono();
    by_tag_.emplace(followed.tag, partition);
    has_changed_ = true;
  }
  reader_->interrupt();
}

std::optional<ClusterTail::Found> ClusterTail::read(const ReadRequest& request) {
  std::scoped_lock lock(mutex_);
  const auto at = followed_.find(request.partition);
  if (at == followed_.end() || request.from < at->second.first) return std::nullopt;
  auto& followed = at->second;
  followed.used = clock_.mono();
  Found found;
  found.end = followed.next;
  found.next = std::max(request.from, followed.next);
  auto record = std::ranges::lower_bound(followed.records, request.from, {},
                                         [](const auto& each) { return each->offset; });
  std::size_t bytes = 0;
  for (; record != followed.records.end(); ++record) {
    const bool is_full = found.records.size() >= request.records_max || bytes >= request.bytes_max;
    if (is_full && !found.records.empty()) {
      found.next = found.records.back().offset + 1;
      break;
    }
    bytes += bytes_of(**record);
    found.records.push_back(**record);
  }
  return found;
}

std::uint64_t ClusterTail::wait(PartitionId partition, Offset from, std::function<void()> wake) {
  {
    std::scoped_lock lock(mutex_);
    const auto at = followed_.find(partition);
    if (at != followed_.end() && at->second.next <= from) {
      at->second.waiters.push_back({++last_waiter_, from, std::move(wake)});
      return last_waiter_;
    }
  }
  wake();
  return 0;
}

void ClusterTail::end_wait(PartitionId partition, std::uint64_t number) {
  std::scoped_lock lock(mutex_);
  const auto at = followed_.find(partition);
  if (at != followed_.end())
    std::erase_if(at->second.waiters,
                  [number](const Waiter& each) { return each.number == number; });
}

void ClusterTail::forget(PartitionId partition) {
  Wakes wakes;
  {
    std::scoped_lock lock(mutex_);
    if (const auto at = followed_.find(partition); at != followed_.end()) drop(at, wakes);
  }
  call_all(wakes);
}

void ClusterTail::run() {
  while (!is_over_) {
    start_and_stop();
    reader_->poll(kPollWait, kTailRecordsPerPoll, *this);
  }
}

void ClusterTail::start_and_stop() {
  struct Start {
    std::string topic;
    PartitionId id;
    Offset from;
    std::uint64_t tag;
  };
  std::vector<Start> starts;
  std::vector<std::pair<std::string, std::int32_t>> stops;
  Wakes wakes;
  {
    std::scoped_lock lock(mutex_);
    const auto unread_before = clock_.mono() - kUnreadMax;
    for (auto at = followed_.begin(); at != followed_.end();) {
      const auto next = std::next(at);
      if (at->second.used < unread_before && at->second.waiters.empty()) drop(at, wakes);
      at = next;
    }
    stops.swap(to_stop_);
    if (std::exchange(has_changed_, false)) {
      for (auto& [id, followed] : followed_) {
        if (std::exchange(followed.is_started, true)) continue;
        starts.push_back({followed.topic, id, followed.next, followed.tag});
      }
    }
  }
  call_all(wakes);
  for (const auto& [topic, partition] : stops) reader_->stop(topic, partition);
  for (const auto& start : starts) {
    auto started = reader_->start(start.topic, start.id.partition, start.from, start.tag);
    if (!started) failed(start.tag, std::move(started).error());
  }
}

void ClusterTail::drop(std::map<PartitionId, Followed>::iterator at, Wakes& wakes) {
  auto& followed = at->second;
  for (auto& waiter : followed.waiters) wakes.push_back(std::move(waiter.wake));
  if (followed.is_started) to_stop_.emplace_back(followed.topic, at->first.partition);
  bytes_ -= followed.bytes;
  by_tag_.erase(followed.tag);
  followed_.erase(at);
}

void ClusterTail::advance(PartitionId id, Followed& followed, Offset next, Wakes& wakes) {
  if (next <= followed.next) return;
  followed.next = next;
  moved_(id, next);
  auto& waiters = followed.waiters;
  const auto rest =
      std::ranges::partition(waiters, [next](const Waiter& waiter) { return waiter.from >= next; });
  for (auto& waiter : rest) wakes.push_back(std::move(waiter.wake));
  waiters.erase(rest.begin(), rest.end());
}

// Takes the oldest away, of what has just grown first.
void ClusterTail::shrink(Followed& grown) {
  const auto take_one = [this](Followed& from) {
    const auto& oldest = *from.records.front();
    from.first = oldest.offset + 1;
    from.bytes -= bytes_of(oldest);
    bytes_ -= bytes_of(oldest);
    from.records.pop_front();
  };
  const auto share = bytes_max_ / std::max<std::size_t>(followed_.size(), 1);
  while (bytes_ > bytes_max_ && grown.bytes > share) take_one(grown);
  for (auto& [id, followed] : followed_) {
    while (bytes_ > bytes_max_ && followed.bytes > share) take_one(followed);
  }
}

void ClusterTail::record(std::uint64_t tag, const ReceivedKafkaRecord& record) {
  Wakes wakes;
  {
    std::scoped_lock lock(mutex_);
    const auto id = by_tag_.find(tag);
    if (id == by_tag_.end()) return;
    auto& followed = followed_.at(id->second);
    if (record.offset < followed.next) return;
    const auto& kept =
        followed.records.emplace_back(std::make_shared<const Record>(owned_record(record)));
    const auto bytes = bytes_of(*kept);
    followed.bytes += bytes;
    bytes_ += bytes;
    advance(id->second, followed, record.offset + 1, wakes);
    if (bytes_ > bytes_max_) shrink(followed);
  }
  call_all(wakes);
}

void ClusterTail::reached_end(std::uint64_t tag, Offset next) {
  Wakes wakes;
  {
    std::scoped_lock lock(mutex_);
    const auto id = by_tag_.find(tag);
    if (id == by_tag_.end()) return;
    advance(id->second, followed_.at(id->second), next, wakes);
  }
  call_all(wakes);
}

// Whoever reads looks at the partition again, and says what is wrong with it.
void ClusterTail::failed(std::uint64_t tag, Error error) {
  Wakes wakes;
  {
    std::scoped_lock lock(mutex_);
    const auto id = by_tag_.find(tag);
    if (id == by_tag_.end()) return;
    const auto at = followed_.find(id->second);
    log_warn(
        "eventlog", "a partition is followed no more for now",
        {{"topic", at->second.topic}, {"partition", at->first.partition}, {"why", error.message}});
    drop(at, wakes);
  }
  call_all(wakes);
}

}  // namespace weft::eventlog
