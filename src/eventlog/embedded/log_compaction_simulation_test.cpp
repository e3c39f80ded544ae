// A seeded life of a stream that compacts: writers of few keys, deletions, transactions that are
// committed or aborted, readers, power failures. The model is the latest acknowledged value of each
// key.
#include <map>

#include "eventlog/embedded/log_life.h"
#include "eventlog/embedded/log_test_bench.h"
#include "runtime/seeded_test.h"

namespace weft::eventlog {
namespace {

struct CompactionTotals {
  std::uint64_t written = 0;
  std::uint64_t crashes = 0;
  std::uint64_t compacted_bytes = 0;
};

class CompactionLife : LogLife {
 public:
  CompactionLife(std::uint64_t seed, LogMutant mutant, CompactionTotals& totals)
      : LogLife(seed, 0x636f6d, mutant), totals_(totals) {
    options_.wal_file_bytes = 12 * 1024;
    options_.tail_bytes_max = below(2) * 8 * 1024;
    options_.wal_age_max = 10ms;
    options_.maintenance_interval = 5ms;
    options_.compaction_bytes_min = 1;
    options_.compaction_memory_bytes = one_in(2) ? 700 : 1 << 20;
    options_.deletions_retention = one_in(2) ? Duration(50ms) : Duration(std::chrono::hours(24));
  }

  std::optional<std::string> run() {
    const auto lives = 2 + below(4);
    for (std::uint64_t life = 0; life < lives && violations_.empty(); ++life) live();
    if (violations_.empty()) inspect();
    // It counts on through all lives.
    totals_.compacted_bytes += metrics_.counter("weft_log_compacted_bytes_total", "").value();
    return verdict();
  }

 private:
  static constexpr int kKeys = 12;

  // What a key may hold: the last acknowledged value, or one written later whose answer was lost.
  // An absent value is a deletion.
  struct Key {
    std::optional<std::string> acknowledged;
    std::vector<std::optional<std::string>> in_doubt;
  };

  void live() {
    world_.disk.set_faults(DiskFaults());
    DiskFaults faults;
    faults.delay_min = 20us;
    faults.delay_max = 300us;
    if (one_in(4)) faults.sync_fails = 0.002;
    if (one_in(4)) faults.name_fails = 0.02;
    if (!one_in(3)) world_.disk.set_faults(faults);
    if (one_in(4)) world_.disk.lose_power_after(below(400));
    if (open()) {
      world_.spawn(write());
      world_.spawn(keep_segments());
      world_.spawn(transact());
      world_.spawn(follow());
      world_.run_for(life_time(150ms));
    }
    if (end_life()) ++totals_.crashes;
  }

  bool open() {
    auto table = stream_named("table");
    table.cleanup = Cleanup::Compact;
    return open_log() && ensure(stream_, table) && ensure(other_, stream_named("other"));
  }

  std::string any_key() { return fmt::format("key-{}", below(kKeys)); }

  std::optional<std::string> any_value() {
    if (one_in(5)) return std::nullopt;
    auto value = fmt::format("{}", next_value_++);
    value.resize(value.size() + below(150), '.');
    return value;
  }

  // Records of another stream share the segments, which therefore stay.
  Task<void> keep_segments() {
    while (!over_) {
      auto appended = co_await log_->append(one_record(other_, "kept", std::nullopt, 0));
      if (!appended || !co_await world_.clock.sleep_for(Duration(below(2'000'000)))) co_return;
    }
  }

  Task<void> write() {
    while (!over_) {
      const auto name = any_key();
      auto value = any_value();
      auto entry = one_record(stream_, "", name, 0);
      entry[0].records[0].value = value;
      auto& key = keys_[name];
      key.in_doubt.push_back(value);
      auto appended = co_await log_->append(std::move(entry));
      if (appended) {
        key.acknowledged = value;
        key.in_doubt.clear();
        ++totals_.written;
      }
      if (!co_await world_.clock.sleep_for(Duration(below(1'000'000)))) co_return;
    }
  }

  // Aborted ones leave no trace; keys of their own, so that the order of two writers is no matter.
  Task<void> transact() {
    auto id = co_await log_->new_producer_id();
    if (!id) co_return;
    TransactionEnd begin;
    begin.producer = {*id, 0};
    auto begun = co_await log_->end_transaction(std::move(begin));
    std::int32_t sequence = 0;
    while (begun && !over_) {
      std::vector<PartitionId> which{PartitionId{stream_, 0}};
      auto enlisted = co_await log_->enlist({*id, 0}, std::move(which));
      if (!enlisted) co_return;
      const auto name = fmt::format("transactional-{}", below(4));
      const auto value = fmt::format("{}", next_value_++);
      BatchOptions options;
      options.producer_id = *id;
      options.producer_epoch = 0;
      options.base_sequence = sequence++;
      options.is_transactional = true;
      BatchBuilder builder(options);
      builder.add(1, name, value);
      auto batch = builder.finish();
      auto sent = co_await log_->append(one_batch({stream_, 0}, *std::move(batch)));
      if (sent.at(0).status != AppendStatus::Appended) co_return;
      TransactionEnd end;
      end.producer = {*id, 0};
      end.commits = one_in(2);
      const bool commits = end.commits;
      auto& key = keys_[name];
      if (commits) key.in_doubt.push_back(value);
      auto ended = co_await log_->end_transaction(std::move(end));
      if (!ended) co_return;
      if (commits) {
        key.acknowledged = value;
        key.in_doubt.clear();
      }
      if (!co_await world_.clock.sleep_for(Duration(below(3'000'000)))) co_return;
    }
  }

  Task<void> follow() {
    ReadRequest request;
    request.partition = {stream_, 0};
    request.wait = 50ms;
    request.bytes_max = 2048;
    Offset last = -1;
    while (!over_) {
      auto result = co_await log_->read(request);
      if (over_ || world_.disk.is_down()) co_return;
      if (!result) {
        violate("reading failed: " + result.error().message);
        co_return;
      }
      for (const auto& record : result->records) {
        if (record.offset <= last) violate("an offset was read twice, or backwards");
        last = record.offset;
      }
      request.from = result->next;
      if (!co_await world_.clock.sleep_for(100us)) co_return;
    }
  }

  Task<Result<std::map<std::string, std::optional<std::string>>>> table() {
    std::map<std::string, std::optional<std::string>> values;
    ReadRequest request;
    request.partition = {stream_, 0};
    Offset last = -1;
    for (;;) {
      CO_TRY(auto result, co_await log_->read(request));
      for (const auto& record : result.records) {
        if (record.offset <= last) co_return fail(ErrorCode::DataLoss, "offset {} again", last);
        last = record.offset;
        values[*record.key] = record.value;
      }
      if (result.next >= result.partition.stable_end) co_return values;
      request.from = result.next;
    }
  }

  Task<bool> abort_open() {
    auto open = co_await log_->open_transactions();
    for (const auto& each : *open) {
      TransactionEnd end;
      end.producer = each.producer;
      auto ended = co_await log_->end_transaction(std::move(end));
      if (!ended) co_return false;
    }
    co_return true;
  }

  void inspect() {
    world_.disk.set_faults(DiskFaults());
    if (!open()) return violate("the log does not open");
    if (!world_.run(abort_open())) violate("open transactions cannot be aborted");
    for (int i = 0; i < 3; ++i) {
      if (!world_.run(log_->tidy())) violate("tidying failed");
      world_.run_for(60ms);
      compare();
    }
    close();
  }

  void compare() {
    auto values = world_.run(table());
    if (!values) return violate("reading failed: " + values.error().message);
    for (const auto& [name, key] : keys_) {
      auto found = values->find(name);
      // A deletion may be there as such, or be gone itself.
      auto value = found == values->end() ? std::nullopt : found->second;
      bool fits =
          value == key.acknowledged || std::ranges::find(key.in_doubt, value) != key.in_doubt.end();
      if (!fits) {
        violate(fmt::format("{} holds {}, acknowledged was {}", name, value.value_or("nothing"),
                            key.acknowledged.value_or("nothing")));
      }
    }
    for (const auto& [name, value] : *values) {
      if (!keys_.contains(name)) violate("an invented or aborted key: " + name);
    }
  }

  CompactionTotals& totals_;
  StreamId stream_{};
  StreamId other_{};
  std::map<std::string, Key> keys_;
  int next_value_ = 0;
};

TEST(CompactionSimulation, KeepsTheLatestOfEachKeyForAllSeeds) {
  CompactionTotals totals;

  auto seeds = for_each_seed(150, [&](std::uint64_t seed) {
    CompactionLife life(seed, LogMutant::None, totals);
    auto violation = life.run();
    EXPECT_EQ(violation, std::nullopt) << *violation;
  });

  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(totals.written, 1'000u);
    EXPECT_GT(totals.compacted_bytes, 10'000u);
    EXPECT_GT(totals.crashes, 0u);
  }
  fmt::print("simulated: {} written, {} bytes compacted away, {} crashes\n", totals.written,
             totals.compacted_bytes, totals.crashes);
}

void expect_compaction_found(std::string_view what, LogMutant mutant) {
  CompactionTotals totals;
  expect_found(what, [&](std::uint64_t seed) {
    CompactionLife life(seed, mutant, totals);
    return life.run();
  });
}

TEST(CompactionMutants, AbortedRecordsSupersedeOthers) {
  expect_compaction_found("records of aborted transactions supersede others",
                          LogMutant::AbortedRecordsCompact);
}

TEST(CompactionMutants, AcknowledgesBeforeItSyncs) {
  expect_compaction_found("a compacting stream acknowledges before it syncs",
                          LogMutant::AcknowledgeBeforeSync);
}

}  // namespace
}  // namespace weft::eventlog
