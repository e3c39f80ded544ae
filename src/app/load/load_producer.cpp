#include "app/load/load_producer.h"

#include "app/load/load_record.h"

namespace weft::app {
namespace {

constexpr Duration kServe = 50ms;
// Records that are due within one of these leave together, so that waking up does not cost more
// than sending. Their latency still counts from the moment due.
constexpr Duration kTick = 100us;
constexpr Duration kTransactionWait = 60s;

std::uint64_t tag_of(MonoTime due) {
  return static_cast<std::uint64_t>(due.time_since_epoch().count());
}

MonoTime due_of_tag(std::uint64_t tag) {
  return MonoTime(Duration(static_cast<std::int64_t>(tag)));
}

}  // namespace

LoadProducer::LoadProducer(const StreamLoadPlan& plan, int number, Clock& clock)
    : plan_(plan), number_(number), clock_(clock), value_(filler(plan.record_bytes)) {}

LoadProducer::~LoadProducer() {
  join();
}

Result<std::unique_ptr<LoadProducer>> LoadProducer::open(const StreamLoadPlan& plan, int number,
                                                         std::uint64_t run, Clock& clock) {
  std::unique_ptr<LoadProducer> made(new LoadProducer(plan, number, clock));
  auto properties = plan.client;
  properties.insert(properties.end(), plan.producer.begin(), plan.producer.end());
  if (plan.transaction_records > 0) {
    properties.emplace_back("transactional.id", fmt::format("weft-bench-{:x}-{}", run, number));
  }
  auto take = [at = made.get()](const eventlog::KafkaOutcome& outcome) { at->take(outcome); };
  TRY(made->client_, eventlog::KafkaProducer::open(properties, take));
  TRY(made->topic_, made->client_->topic(plan.topic));
  if (plan.transaction_records > 0) CHECK(made->client_->init_transactions(kTransactionWait));
  return made;
}

void LoadProducer::start(const LoadTimes& times) {
  times_ = times;
  schedule_ = {times.begin, plan_.per_second, plan_.producers, number_};
  serving_ = std::jthread([this] { serve(); });
  sending_ = std::jthread([this] { send_all(); });
}

void LoadProducer::join() {
  if (sending_.joinable()) sending_.join();
  if (serving_.joinable()) serving_.join();
}

void LoadProducer::send_all() {
  if (plan_.transaction_records > 0)
    send_transactions();
  else
    send_records();
  std::scoped_lock lock(mutex_);
  sent_all_ = true;
}

void LoadProducer::wait_until(MonoTime when) {
  std::unique_lock lock(mutex_);
  ticks_.wait_until(lock, when, [&] { return clock_.mono() >= when; });
}

// Sleeps until the next record of the schedule is due, or until the broker has answered enough of
// those before; absent when there is none any more.
std::optional<MonoTime> LoadProducer::next_due() {
  auto now = clock_.mono();
  if (plan_.per_second > 0) {
    const auto due = schedule_.due(sent_);
    if (due >= times_.end || now >= times_.over) return std::nullopt;
    if (due > now) wait_until(std::max(due, now + kTick));
    return due;
  }
  std::unique_lock lock(mutex_);
  const auto room = [&] {
    return sent_ - answered_ < static_cast<std::uint64_t>(plan_.outstanding_max);
  };
  if (!room()) {
    if (!answers_.wait_until(lock, times_.end, room)) return std::nullopt;
    now = clock_.mono();
  }
  if (now >= times_.end) return std::nullopt;
  return now;
}

bool LoadProducer::send(MonoTime due) {
  stamp(value_, times_.run, due);
  std::string key;
  eventlog::KafkaRecord record;
  record.value = value_;
  record.tag = tag_of(due);
  if (plan_.keys > 0) {
    // Neighbours in time have keys that are far apart.
    key = fmt::format(
        "key-{}", (sent_.load() * 2'654'435'761U + static_cast<unsigned>(number_)) % plan_.keys);
    record.key = key;
  }
  for (;;) {
    auto taken = client_->send(*topic_, record);
    if (taken) break;
    if (taken.error().code != ErrorCode::ResourceExhausted || clock_.mono() >= times_.over) {
      std::scoped_lock lock(mutex_);
      ++errors_[taken.error().message];
      return false;
    }
    wait_until(clock_.mono() + kTick);  // the library's queue is full: what waits is late already
  }
  ++sent_;
  return true;
}

void LoadProducer::send_records() {
  while (const auto due = next_due()) {
    if (!send(*due)) return;
  }
}

bool LoadProducer::begin_transaction() {
  auto begun = client_->begin_transaction();
  if (begun) return true;
  std::scoped_lock lock(mutex_);
  ++errors_[begun.error().message];
  return false;
}

void LoadProducer::send_transactions() {
  std::vector<MonoTime> due;
  while (const auto first = next_due()) {
    if (!begin_transaction()) return;
    due.assign(1, *first);
    if (!send(*first)) return;
    while (due.size() < plan_.transaction_records) {
      const auto one = next_due();
      if (!one) break;
      if (!send(*one)) return;
      due.push_back(*one);
    }
    finish_transaction(due);
  }
}

void LoadProducer::finish_transaction(std::vector<MonoTime>& due) {
  const auto asked = clock_.mono();
  auto committed = client_->commit_transaction(kTransactionWait);
  const auto now = clock_.mono();
  std::string error = committed ? std::string() : committed.error().message;
  if (!committed) {
    if (auto aborted = client_->abort_transaction(kTransactionWait); !aborted) {
      error += "; " + aborted.error().message;
    }
  }
  std::scoped_lock lock(mutex_);
  if (!transaction_error_.empty()) error = std::exchange(transaction_error_, {});
  if (now >= times_.measured && now < times_.end) {
    committed ? ++outcome_.transactions : ++outcome_.aborted;
    if (committed) outcome_.commit.add(now - asked);
  }
  for (const auto one : due) settle(one, error.empty() ? nullptr : &error);
}

void LoadProducer::serve() {
  for (;;) {
    client_->serve(kServe);
    std::scoped_lock lock(mutex_);
    answers_.notify_one();
    if (sent_all_ && (answered_ == sent_ || clock_.mono() >= times_.over)) break;
    if (sent_all_ && client_->fatal()) break;
  }
  count_unfinished();
}

void LoadProducer::take(const eventlog::KafkaOutcome& outcome) {
  std::scoped_lock lock(mutex_);
  ++answered_;
  if (plan_.transaction_records > 0) {
    if (outcome.error != nullptr) transaction_error_ = outcome.error->message;
    return;
  }
  settle(due_of_tag(outcome.tag), outcome.error != nullptr ? &outcome.error->message : nullptr);
}

void LoadProducer::settle(MonoTime due, const std::string* error) {
  const auto now = clock_.mono();
  if (error != nullptr) {
    ++errors_[*error];
    if (times_.measures(due)) ++outcome_.failed;
    return;
  }
  ++acknowledged_of_all_;
  if (now >= times_.measured && now < times_.end) ++outcome_.acknowledged_then;
  if (!times_.measures(due)) return;
  ++outcome_.acknowledged;
  outcome_.latency.add(now - due);
}

// What was due and has no outcome is as late as it is old: left out, it would flatter.
void LoadProducer::count_unfinished() {
  std::scoped_lock lock(mutex_);
  const auto now = clock_.mono();
  if (plan_.per_second > 0) {
    const auto last = schedule_.count_before(times_.end);
    const auto first = schedule_.count_before(times_.measured);
    outcome_.due = last - first;
  } else {
    outcome_.due = outcome_.acknowledged + outcome_.failed + (sent_ - answered_);
  }
  outcome_.unfinished = outcome_.due - outcome_.acknowledged - outcome_.failed;
  if (outcome_.unfinished > 0) outcome_.latency.add(now - times_.end, outcome_.unfinished);
}

}  // namespace weft::app
