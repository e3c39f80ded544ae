// A seeded life of transactions in the log: producers that commit, abort, die and are fenced,
// beside records outside of transactions; power failures, kills, torn and lost writes, failed
// syncs. The model is what the producers were told.
#include <map>
#include <set>

#include "eventlog/embedded/log_life.h"
#include "eventlog/embedded/log_test_bench.h"
#include "runtime/seeded_test.h"

namespace weft::eventlog {
namespace {

enum class Fate : std::uint8_t { Open, Committing, Committed, Aborting, Aborted };

struct ModelTransaction {
  Fate fate = Fate::Open;
  std::map<PartitionId, std::vector<std::string>> values;  // sent and, once it ends, acknowledged
};

struct TransactionClient {
  int number = 0;
  TransactionalProducer known;  // what it was granted
  std::map<PartitionId, std::int32_t> sequences;
  std::string transaction;  // its name; empty: none
  bool lost_track = false;  // a batch may have been stored or not: only a new epoch helps
};

struct TransactionTotals {
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t crashes = 0;
};

class TransactionLife : LogLife {
 public:
  TransactionLife(std::uint64_t seed, LogMutant mutant, TransactionTotals& totals)
      : LogLife(seed, 0x74786e, mutant), totals_(totals) {
    options_.wal_file_bytes = 12 * 1024;
    options_.tail_bytes_max = below(2) * 8 * 1024;
    options_.wal_age_max = 10ms;
    options_.maintenance_interval = 4ms;
    for (int i = 0; i < kProducers; ++i) producers_.emplace_back().number = i;
  }

  std::optional<std::string> run() {
    const auto lives = 2 + below(4);
    for (std::uint64_t life = 0; life < lives && violations_.empty(); ++life) live();
    if (violations_.empty()) inspect();
    return verdict();
  }

 private:
  static constexpr std::int32_t kPartitions = 3;
  static constexpr int kProducers = 3;
  static constexpr Duration kLifeMax = 120ms;

  void live() {
    world_.disk.set_faults(DiskFaults());
    DiskFaults faults;
    faults.delay_min = 20us;
    faults.delay_max = 400us;
    if (one_in(4)) faults.sync_fails = 0.003;
    if (one_in(6)) faults.write_fails = 0.003;
    if (!one_in(3)) world_.disk.set_faults(faults);
    if (one_in(4)) world_.disk.lose_power_after(below(400));
    if (open()) {
      for (auto& producer : producers_) world_.spawn(work(producer));
      world_.spawn(append_plain());
      for (std::int32_t i = 0; i < kPartitions; ++i) world_.spawn(follow({stream_, i}));
      world_.run_for(life_time(kLifeMax));
    }
    if (end_life()) ++totals_.crashes;
  }

  bool open() {
    auto data = stream_named("data", kPartitions);
    auto state = stream_named("state");
    return open_log() && ensure(stream_, data) && ensure(state_, state) && world_.run(prepare());
  }

  // What a coordinator does at its start: it reads which epochs count.
  Task<bool> prepare() {
    auto granted = co_await read_all({state_, 0});
    if (!granted) co_return false;
    std::map<std::int64_t, std::int16_t> epochs;
    for (const auto& value : *granted) {
      if (!value.starts_with("grant ")) continue;
      const auto slash = value.find('/');
      epochs[std::stoll(value.substr(6))] =
          static_cast<std::int16_t>(std::stoi(value.substr(slash + 1)));
    }
    std::vector<AdmittedProducer> admitted;
    for (const auto& [id, epoch] : epochs) admitted.push_back({{id, epoch}, "default"});
    auto done = co_await log_->admit_producers(std::move(admitted));
    for (auto& producer : producers_) {
      const auto found = epochs.find(producer.known.id);
      // A grant whose answer was lost: whoever comes next asks again.
      if (found != epochs.end() && found->second != producer.known.epoch) {
        producer.lost_track = true;
        producer.known.epoch = found->second;
      }
    }
    co_return done.has_value();
  }

  std::vector<NewRecords> note(std::string text) {
    return one_record(state_, std::move(text), std::nullopt, 0);
  }

  // As InitProducerId: the next epoch, and the abort of what is open.
  Task<bool> fence(TransactionClient& producer) {
    auto next = producer.known;
    ++next.epoch;
    if (producer.known.id < 0) {
      auto id = co_await log_->new_producer_id();
      if (!id) co_return false;
      next = {*id, 0};
      producer.known.id = *id;
    }
    TransactionEnd end;
    end.producer = next;
    end.with = note(fmt::format("grant {}/{}", next.id, next.epoch));
    auto ended = co_await log_->end_transaction(std::move(end));
    if (!ended) co_return false;
    producer.known = next;
    producer.sequences.clear();
    producer.lost_track = false;
    if (!producer.transaction.empty()) {
      auto& transaction = transactions_[producer.transaction];
      // A commit that was asked for may have been done before.
      if (transaction.fate != Fate::Committing) transaction.fate = Fate::Aborted;
      if (transaction.fate == Fate::Aborted) ++totals_.aborted;
    }
    producer.transaction.clear();
    co_return true;
  }

  Task<void> work(TransactionClient& producer) {
    while (!over_) {
      const bool stays = !producer.lost_track && producer.known.epoch >= 0;
      bool went_on = true;
      if (!stays || (producer.transaction.empty() && one_in(8))) {
        went_on = co_await fence(producer);
      } else if (producer.transaction.empty()) {
        producer.transaction = fmt::format("t{}-{}", producer.number, next_transaction_++);
        transactions_[producer.transaction];
      } else {
        went_on = co_await go_on(producer);
      }
      if (!went_on || !co_await world_.clock.sleep_for(Duration(below(2'000'000)))) co_return;
    }
  }

  Task<bool> go_on(TransactionClient& producer) {
    auto& transaction = transactions_[producer.transaction];
    // What was asked for once is asked for again until it is answered.
    if (transaction.fate == Fate::Committing) co_return co_await end(producer, true);
    if (transaction.fate == Fate::Aborting) co_return co_await end(producer, false);
    if (one_in(4)) co_return co_await end(producer, !one_in(3));
    const PartitionId partition{stream_, static_cast<std::int32_t>(below(kPartitions))};
    std::vector<PartitionId> which{partition};
    auto enlisted = co_await log_->enlist(producer.known, std::move(which));
    if (!enlisted) co_return false;
    std::vector<std::string> values;
    for (auto left = 1 + below(3); left > 0; --left) {
      auto value = fmt::format("{}/{}", producer.transaction, next_value_++);
      value.resize(value.size() + below(200), '.');
      transaction.values[partition].push_back(value);
      values.push_back(std::move(value));
    }
    BatchOptions options;
    options.producer_id = producer.known.id;
    options.producer_epoch = producer.known.epoch;
    auto& sequence = producer.sequences[partition];
    options.base_sequence = sequence;
    options.is_transactional = true;
    producer.lost_track = true;  // until it is answered
    auto outcomes = co_await log_->append(one_batch(partition, batch_of(values, options)));
    switch (outcomes.at(0).status) {
      case AppendStatus::Appended:
        sequence += static_cast<std::int32_t>(values.size());
        producer.lost_track = false;
        co_return true;
      case AppendStatus::Stopped:
      case AppendStatus::Overloaded:
      case AppendStatus::DiskFull:
        co_return false;
      default:
        violate(fmt::format("a batch of an open transaction was answered with {}",
                            static_cast<int>(outcomes.at(0).status)));
        co_return false;
    }
  }

  Task<bool> end(TransactionClient& producer, bool commits) {
    const auto name = producer.transaction;
    auto& transaction = transactions_[name];
    TransactionEnd end;
    end.producer = producer.known;
    end.commits = commits;
    if (commits) {
      end.with = note("commit " + name);
      if (transaction.fate != Fate::Committing) ++totals_.in_doubt;
    }
    transaction.fate = commits ? Fate::Committing : Fate::Aborting;
    auto ended = co_await log_->end_transaction(std::move(end));
    if (!ended) co_return false;
    transaction.fate = commits ? Fate::Committed : Fate::Aborted;
    if (commits) {
      --totals_.in_doubt;
      ++totals_.committed;
    } else {
      ++totals_.aborted;
    }
    producer.transaction.clear();
    co_return true;
  }

  Task<void> append_plain() {
    while (!over_) {
      auto value = fmt::format("plain/{}", next_value_++);
      const auto partition = static_cast<std::int32_t>(below(kPartitions));
      auto appended = co_await log_->append(one_record(stream_, value, std::nullopt, partition));
      if (appended) plain_[{stream_, partition}].insert(value);
      if (!co_await world_.clock.sleep_for(Duration(below(5'000'000)))) co_return;
    }
  }

  Task<void> follow(PartitionId partition) {
    ReadRequest request;
    request.partition = partition;
    request.wait = 50ms;
    request.bytes_max = 2048;
    while (!over_) {
      auto result = co_await log_->read(request);
      if (over_ || world_.disk.is_down()) co_return;
      if (!result) {
        violate("reading failed: " + result.error().message);
        co_return;
      }
      for (const auto& record : result->records) serve(partition, record);
      request.from = result->next;
      if (!co_await world_.clock.sleep_for(100us)) co_return;
    }
  }

  std::string transaction_of(const std::string& value) { return value.substr(0, value.find('/')); }

  void serve(PartitionId partition, const Record& record) {
    const auto value = record.value.value_or("");
    served_[partition].insert(value);
    const auto name = transaction_of(value);
    if (name == "plain") return;
    const auto fate = transactions_[name].fate;
    if (fate != Fate::Committed && fate != Fate::Committing) {
      violate("a record of a transaction that was not committed was read: " + value);
    }
  }

  Task<Result<std::vector<std::string>>> read_all(PartitionId partition) {
    std::vector<std::string> values;
    ReadRequest request;
    request.partition = partition;
    for (;;) {
      CO_TRY(auto result, co_await log_->read(request));
      for (const auto& record : result.records) values.push_back(record.value.value_or(""));
      if (result.next >= result.partition.stable_end) co_return values;
      request.from = result.next;
    }
  }

  Task<bool> fence_all() {
    for (auto& producer : producers_) {
      const bool is_fenced = co_await fence(producer);
      if (!is_fenced) co_return false;
    }
    co_return true;
  }

  // The last life, on a good disk. What is open first stays unseen, then is aborted.
  void inspect() {
    world_.disk.set_faults(DiskFaults());
    if (!open()) return violate("the log does not open: " + last_error_);
    if (one_in(2) && !world_.run(log_->tidy())) violate("tidying failed");
    compare();
    if (!world_.run(fence_all())) violate("open transactions cannot be aborted");
    compare();
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      const auto info = log_->partition({stream_, i});
      if (info->stable_end != info->end) violate("a transaction was left open");
    }
    close();
  }

  void compare() {
    std::map<PartitionId, std::multiset<std::string>> stored;
    std::map<std::string, std::size_t> seen;  // records of each transaction
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      auto all = world_.run(read_all({stream_, i}));
      if (!all) return violate("reading failed: " + all.error().message);
      auto& records = stored[{stream_, i}];
      for (auto& value : *all) {
        ++seen[transaction_of(value)];
        records.insert(std::move(value));
      }
    }
    auto notes = world_.run(read_all({state_, 0}));
    if (!notes) return violate("reading failed: " + notes.error().message);
    const std::set<std::string> noted(notes->begin(), notes->end());
    for (const auto& [name, transaction] : transactions_) {
      const bool is_noted = noted.contains("commit " + name);
      check(name, transaction, stored, seen[name], is_noted);
    }
    for (const auto& [partition, values] : served_) {
      for (const auto& value : values) {
        if (stored[partition].count(value) != 1)
          violate("what was read is lost or twice: " + value);
      }
    }
    // Behind an open transaction nothing is seen, so what is promised is looked for at the end.
    for (const auto& [partition, values] : plain_) {
      const auto info = log_->partition(partition);
      for (const auto& value : values) {
        if (info->stable_end == info->end && stored[partition].count(value) != 1)
          violate("an acknowledged record is lost or twice: " + value);
      }
    }
  }

  void check(const std::string& name, const ModelTransaction& transaction,
             std::map<PartitionId, std::multiset<std::string>>& stored, std::size_t seen,
             bool is_noted) {
    std::size_t expected = 0;
    for (const auto& [partition, values] : transaction.values) expected += values.size();
    const bool must = transaction.fate == Fate::Committed;
    const bool may = must || transaction.fate == Fate::Committing;
    if (!may && (seen > 0 || is_noted)) violate("not committed, but seen: " + name);
    if (must && !is_noted) violate("a commit lost what came with it: " + name);
    if (!is_noted && seen > 0) violate("committed without what came with it: " + name);
    if (!is_noted) return;
    // Records behind another one's open transaction are seen later.
    for (const auto& [partition, values] : transaction.values) {
      const auto info = log_->partition(partition);
      if (info->stable_end != info->end) continue;
      for (const auto& value : values) {
        if (stored[partition].count(value) != 1)
          violate(fmt::format("a committed record is there {} times: {}",
                              stored[partition].count(value), value));
      }
    }
    if (seen > expected) violate("more than was sent: " + name);
  }

  TransactionTotals& totals_;
  StreamId stream_{};
  StreamId state_{};
  std::vector<TransactionClient> producers_;
  std::map<std::string, ModelTransaction> transactions_;
  std::map<PartitionId, std::set<std::string>> plain_;
  std::map<PartitionId, std::set<std::string>> served_;
  int next_transaction_ = 0;
  int next_value_ = 0;
};

std::optional<std::string> simulate_transactions(std::uint64_t seed, LogMutant mutant,
                                                 TransactionTotals& totals) {
  TransactionLife life(seed, mutant, totals);
  return life.run();
}

TEST(TransactionSimulation, KeepsEveryPromiseForAllSeeds) {
  TransactionTotals totals;

  auto seeds = for_each_seed(150, [&](std::uint64_t seed) {
    auto violation = simulate_transactions(seed, LogMutant::None, totals);
    EXPECT_EQ(violation, std::nullopt) << *violation;
  });

  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(totals.committed, 100u);
    EXPECT_GT(totals.aborted, 100u);
    EXPECT_GT(totals.crashes, 0u);
  }
  fmt::print("simulated: {} committed, {} aborted, {} in doubt, {} crashes\n", totals.committed,
             totals.aborted, totals.in_doubt, totals.crashes);
}

void expect_transaction_found(std::string_view what, LogMutant mutant) {
  TransactionTotals totals;
  expect_found(what,
               [&](std::uint64_t seed) { return simulate_transactions(seed, mutant, totals); });
}

TEST(TransactionMutants, OpenOnesAreForgottenAtAStart) {
  expect_transaction_found("transactions that are open are forgotten at a start",
                           LogMutant::OpenTransactionsForgotten);
}

TEST(TransactionMutants, AcknowledgesBeforeItSyncs) {
  expect_transaction_found("a commit is acknowledged before it is synced",
                           LogMutant::AcknowledgeBeforeSync);
}

}  // namespace
}  // namespace weft::eventlog
