#include "app/load/stream_load.h"

#include <sys/resource.h>

#include "app/load/load_consumer.h"
#include "app/load/load_producer.h"
#include "runtime/thread_random.h"

namespace weft::app {
namespace {

constexpr Duration kAdminWait = 10s;
constexpr Duration kJoinWait = 60s;  // for a group to spread the partitions
constexpr Duration kLook = 20ms;
constexpr double kKeptShare = 0.99;  // of the offered rate

// Sleeps until `done` or `when`; whether it is done.
template <class Done>
bool wait_for(Clock& clock, MonoTime when, Done done) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (!done()) {
    if (clock.mono() >= when) return false;
    never.wait_for(lock, kLook);
  }
  return true;
}

// The clients of one run; ends them in order when it goes.
struct Run {
  std::vector<std::unique_ptr<LoadProducer>> producers;
  std::vector<std::unique_ptr<LoadConsumer>> consumers;
  LoadReceipts receipts;

  ~Run() {
    receipts.over = true;
    for (auto& one : consumers) one->join();
  }
};

Result<eventlog::KafkaTopicView> find_topic(const StreamLoadPlan& plan,
                                            eventlog::KafkaAdmin& admin) {
  auto found = admin.topic(plan.topic, kAdminWait);
  if (!found && found.error().code == ErrorCode::NotFound)
    found.error().message += "; --partitions N makes it";
  return found;
}

// A topic that was made a moment ago has no leaders yet at a cluster.
Result<eventlog::KafkaOffsets> offsets_of(const StreamLoadPlan& plan, std::int32_t partition,
                                          eventlog::KafkaAdmin& admin, Clock& clock) {
  Result<eventlog::KafkaOffsets> offsets;
  wait_for(clock, clock.mono() + kAdminWait, [&] {
    offsets = admin.offsets(plan.topic, partition, kAdminWait);
    return offsets || offsets.error().code != ErrorCode::Unavailable;
  });
  return offsets;
}

// A group that has just been made begins where the topic ends now.
Result<> begin_at_end(const StreamLoadPlan& plan, const std::string& group,
                      eventlog::KafkaAdmin& admin, std::int32_t partitions, Clock& clock) {
  std::vector<std::pair<std::int32_t, eventlog::Offset>> ends;
  for (std::int32_t i = 0; i < partitions; ++i) {
    TRY(const auto offsets, offsets_of(plan, i, admin, clock));
    ends.emplace_back(i, offsets.end);
  }
  auto properties = plan.client;
  properties.emplace_back("group.id", group);
  TRY(const auto client, eventlog::KafkaConsumer::open(properties, plan.topic));
  // A broker that has just started looks for the group's coordinator first.
  Result<> committed;
  wait_for(clock, clock.mono() + kAdminWait, [&] {
    committed = client->commit(ends);
    return committed || committed.error().code != ErrorCode::Unavailable;
  });
  return committed;
}

Result<> open_group(const StreamLoadPlan& plan, const std::string& group, Run& run, Clock& clock) {
  for (int i = 0; i < plan.consumers; ++i) {
    TRY(auto one, LoadConsumer::join_group(plan, group, clock));
    one->start(run.receipts);
    run.consumers.push_back(std::move(one));
  }
  return {};
}

Result<> wait_for_group(const Run& run, std::int32_t partitions, Clock& clock) {
  const auto all = static_cast<std::size_t>(partitions);
  if (wait_for(clock, clock.mono() + kJoinWait, [&] { return run.receipts.assigned == all; }))
    return {};
  return fail(ErrorCode::DeadlineExceeded,
              "the group of consumers did not take all {} partitions within {} s", partitions,
              std::chrono::duration_cast<std::chrono::seconds>(kJoinWait).count());
}

void add_errors(std::map<std::string, std::uint64_t>& all,
                const std::map<std::string, std::uint64_t>& some) {
  for (const auto& [text, count] : some) all[text] += count;
}

void add(ProduceOutcome& all, const ProduceOutcome& one) {
  all.due += one.due;
  all.acknowledged += one.acknowledged;
  all.acknowledged_then += one.acknowledged_then;
  all.failed += one.failed;
  all.unfinished += one.unfinished;
  all.latency.add(one.latency);
  all.transactions += one.transactions;
  all.aborted += one.aborted;
  all.commit.add(one.commit);
}

std::uint64_t join_producers(Run& run, StreamLoadResult& result) {
  std::uint64_t acknowledged = 0;
  for (auto& one : run.producers) {
    one->join();
    add(result.produced, one->outcome());
    add_errors(result.errors, one->errors());
    acknowledged += one->acknowledged_of_all();
  }
  return acknowledged;
}

void join_consumers(Run& run, StreamLoadResult& result) {
  run.receipts.over = true;
  for (auto& one : run.consumers) {
    one->join();
    result.consumed.received += one->outcome().received;
    result.consumed.repeated += one->outcome().repeated;
    result.consumed.end_to_end.add(one->outcome().end_to_end);
    add_errors(result.errors, one->errors());
  }
}

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double StreamLoadResult::offered_per_second() const {
  return static_cast<double>(produced.due) / seconds;
}

double StreamLoadResult::achieved_per_second() const {
  return static_cast<double>(produced.acknowledged_then) / seconds;
}

bool kept_up(const StreamLoadResult& result, Duration p99_max) {
  const auto& produced = result.produced;
  return produced.failed == 0 && produced.unfinished == 0 && produced.acknowledged > 0 &&
         result.achieved_per_second() >= kKeptShare * result.offered_per_second() &&
         produced.latency.percentile(99) <= p99_max && result.consumed.missing == 0;
}

Result<StreamLoadResult> run_stream_load(const StreamLoadPlan& plan, Clock& clock) {
  TRY(const auto admin, eventlog::KafkaAdmin::open(plan.client));
  TRY(const auto topic, find_topic(plan, *admin));
  LoadTimes times{.run = ThreadRandom().next()};
  Run run;
  if (plan.consumers > 0) {
    const auto group = fmt::format("weft-bench-{:x}", times.run);
    CHECK(begin_at_end(plan, group, *admin, topic.partitions, clock));
    CHECK(open_group(plan, group, run, clock));
    CHECK(wait_for_group(run, topic.partitions, clock));
  }
  for (int i = 0; i < plan.producers; ++i) {
    TRY(auto one, LoadProducer::open(plan, i, times.run, clock));
    run.producers.push_back(std::move(one));
  }
  times.begin = clock.mono() + kLook;
  times.measured = times.begin + plan.warm_up;
  times.end = times.measured + plan.duration;
  times.over = times.end + plan.drain;
  run.receipts.times = &times;
  for (auto& one : run.producers) one->start(times);

  StreamLoadResult result;
  result.seconds = seconds_of(plan.duration);
  wait_for(clock, times.measured, [] { return false; });
  const auto cpu = cpu_seconds();
  wait_for(clock, times.end, [] { return false; });
  result.client_cores = (cpu_seconds() - cpu) / result.seconds;

  const auto acknowledged = join_producers(run, result);
  if (plan.consumers > 0) {
    wait_for(clock, clock.mono() + plan.drain,
             [&] { return run.receipts.received >= acknowledged; });
    const std::uint64_t received = run.receipts.received;
    result.consumed.missing = acknowledged - std::min(acknowledged, received);
  }
  join_consumers(run, result);
  return result;
}

Result<CatchUpResult> run_catch_up(const StreamLoadPlan& plan, Clock& clock) {
  TRY(const auto admin, eventlog::KafkaAdmin::open(plan.client));
  TRY(const auto topic, find_topic(plan, *admin));
  Run run;
  for (int i = 0; i < std::min(plan.consumers, topic.partitions); ++i) {
    std::vector<std::int32_t> partitions;
    for (auto each = i; each < topic.partitions; each += plan.consumers) partitions.push_back(each);
    TRY(auto one, LoadConsumer::read_all(plan, partitions, clock));
    one->start(run.receipts);
    run.consumers.push_back(std::move(one));
  }
  const auto all = static_cast<std::size_t>(topic.partitions);
  const bool done = wait_for(clock, clock.mono() + kJoinWait + plan.duration,
                             [&] { return run.receipts.ended >= all; });
  run.receipts.over = true;
  CatchUpResult result;
  MonoTime first = MonoTime::max();
  MonoTime last{};
  for (auto& one : run.consumers) {
    one->join();
    add_errors(result.errors, one->errors());
    if (one->records() == 0) continue;
    result.records += one->records();
    result.bytes += one->bytes();
    first = std::min(first, one->first());
    last = std::max(last, one->last());
  }
  if (result.records > 0) result.seconds = seconds_of(last - first);
  if (done) return result;
  return fail(ErrorCode::DeadlineExceeded,
              "{} of {} partitions of {} were read to their end in time; --duration gives more",
              run.receipts.ended.load(), all, plan.topic);
}

}  // namespace weft::app
