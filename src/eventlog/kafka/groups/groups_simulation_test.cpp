// A seeded life of committed offsets: a coordinator over the log, clients that commit, delete and
// fetch, power failures, kills, failed syncs and a full disk, while the stream of offsets is
// written anew and shortened. The model is what clients were told.
#include <map>

#include "eventlog/embedded/log_life.h"
#include "eventlog/embedded/log_test_bench.h"
#include "eventlog/kafka/groups/coordinator.h"
#include "runtime/seeded_test.h"

namespace weft::kafka {
namespace {

using eventlog::LogMutant;

// Deliberate defects between the coordinator and its stream.
enum class GroupsMutant : std::uint8_t { None, StreamKeepsTooLittle };

struct GroupsTotals {
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;
  std::uint64_t crashes = 0;
};

class GroupsLife : eventlog::LogLife {
 public:
  GroupsLife(std::uint64_t seed, LogMutant log_mutant, GroupsMutant mutant, GroupsTotals& totals)
      : LogLife(seed, 0x677270, log_mutant), mutant_(mutant), totals_(totals) {
    options_.wal_file_bytes = 12 * 1024 + below(2) * 4 * 1024;
    options_.tail_bytes_max = below(2) * 8 * 1024;
    options_.small_segment_bytes = 16 * 1024;
    options_.wal_age_max = 10ms;
    options_.maintenance_interval = 4ms;
    coordinator_options_.snapshot_bytes = 1'500 + below(1'500);
    for (int i = 0; i < kGroups; ++i) groups_[{"default", fmt::format("group-{}", i)}];
  }

  std::optional<std::string> run() {
    const auto lives = 2 + below(4);
    for (std::uint64_t life = 0; life < lives && violations_.empty(); ++life) live();
    if (violations_.empty()) inspect();
    return verdict();
  }

 private:
  static constexpr int kGroups = 3;
  static constexpr std::int32_t kPartitions = 4;
  static constexpr Duration kLifeMax = 100ms;

  // What was asked for of one offset, oldest first; absent: none, or deleted. Each has a client of
  // its own, which asks for one thing after the other.
  struct History {
    std::vector<std::optional<eventlog::Offset>> values{std::nullopt};
    std::size_t promised = 0;  // nothing older may be found
  };
  using Group = std::map<std::int32_t, History>;  // by partition

  void live() {
    world_.disk.set_faults(DiskFaults());
    DiskFaults faults;
    faults.delay_min = 20us;
    faults.delay_max = one_in(4) ? Duration(5ms) : Duration(300us);
    if (one_in(4)) faults.sync_fails = 0.005;
    if (one_in(6)) faults.write_fails = 0.005;
    if (one_in(6)) faults.bytes_max = 40 * 1024 + below(60 * 1024);
    if (!one_in(3)) world_.disk.set_faults(faults);
    if (one_in(4)) world_.disk.lose_power_after(below(250));
    if (open()) {
      look_back();
      for (auto& [key, group] : groups_) {
        world_.spawn(commit(key, group));
        world_.spawn(fetch(key, group));
      }
      world_.run_for(life_time(kLifeMax));
    }
    end();
  }

  void end() {
    if (coordinator_) world_.run(stopped());
    if (end_life()) ++totals_.crashes;
    coordinator_.reset();
  }

  Task<bool> stopped() {
    co_await coordinator_->stop();
    co_return true;
  }

  bool open() {
    if (!open_log()) return false;
    coordinator_ = std::make_unique<GroupCoordinator>(coordinator_options_, *log_, world_.clock,
                                                      world_.random, world_.executor());
    auto started = world_.run(coordinator_->start());
    if (!started) {
      last_error_ = started.error().message;
      const bool has_power = !world_.disk.is_down();
      if (has_power && started.error().code == ErrorCode::DataLoss) violate(last_error_);
      return false;
    }
    return mutant_ != GroupsMutant::StreamKeepsTooLittle || shorten_stream();
  }

  bool shorten_stream() {
    auto info = log_->find_stream("default", kGroupsStream);
    if (!info) return false;
    auto settings = info->settings;
    settings.retention_bytes = 1;
    return world_.run(log_->alter_stream(info->id, std::move(settings))).has_value();
  }

  static OffsetKey place(std::int32_t partition) { return {Uuid::v4(0x746f, 0x706963), partition}; }

  // What a start did not find of what was never answered is lost for ever.
  void look_back() {
    for (auto& [key, group] : groups_) {
      auto found = world_.run(coordinator_->offsets(key));
      for (auto& [partition, history] : group) {
        auto at = find(key, partition, history, history.promised, found);
        if (at) history.values.resize(*at + 1);
      }
    }
  }

  Task<void> commit(GroupKey key, Group& group) {
    while (!over_) {
      CommitRequest request;
      std::vector<std::int32_t> which;
      for (auto left = 1 + below(2); left > 0; --left) {
        const auto partition = static_cast<std::int32_t>(below(kPartitions));
        if (std::ranges::find(which, partition) == which.end()) which.push_back(partition);
      }
      const bool deletes = one_in(8);
      for (auto partition : which) {
        const auto value = deletes ? std::nullopt : std::optional(++next_offset_);
        group[partition].values.push_back(value);
        CommittedOffset offset;
        offset.offset = value.value_or(-1);
        offset.metadata.assign(below(20), 'm');
        request.offsets.emplace_back(place(partition), std::move(offset));
      }
      const auto done = co_await carry_out(key, std::move(request), deletes);
      for (auto partition : which) {
        auto& history = group[partition];
        if (done == KafkaError::None) history.promised = history.values.size() - 1;
      }
      if (!co_await world_.clock.sleep_for(Duration(below(700'000)))) co_return;
    }
  }

  Task<KafkaError> carry_out(GroupKey key, CommitRequest request, bool deletes) {
    auto outcome = KafkaError::None;
    if (deletes) {
      std::vector<OffsetKey> which;
      for (const auto& [at, offset] : request.offsets) which.push_back(at);
      outcome = co_await coordinator_->delete_offsets(std::move(key), std::move(which));
    } else {
      outcome = co_await coordinator_->commit(std::move(key), std::move(request));
    }
    if (outcome == KafkaError::None) {
      ++totals_.committed;
    } else if (outcome == KafkaError::CoordinatorNotAvailable ||
               (deletes && outcome == KafkaError::GroupIdNotFound)) {
      ++totals_.refused;
    } else {
      violate(fmt::format("a commit was answered with {}", static_cast<int>(outcome)));
    }
    co_return outcome;
  }

  Task<void> fetch(GroupKey key, Group& group) {
    while (!over_) {
      std::map<std::int32_t, std::size_t> promised;
      for (const auto& [partition, history] : group) promised[partition] = history.promised;
      auto found = co_await coordinator_->offsets(key);
      if (over_ || world_.disk.is_down()) co_return;
      for (const auto& [partition, from] : promised) {
        auto& history = group[partition];
        auto at = find(key, partition, history, from, found);
        // Who was shown an offset may count on it.
        if (at) history.promised = std::max(history.promised, *at);
      }
      if (!co_await world_.clock.sleep_for(Duration(below(2'000'000)))) co_return;
    }
  }

  // Where in the history the coordinator stands; a violation when it is behind `from`.
  std::optional<std::size_t> find(const GroupKey& key, std::int32_t partition,
                                  const History& history, std::size_t from,
                                  const GroupOffsets& offsets) {
    std::optional<eventlog::Offset> value;
    const auto committed = offsets.committed.find(place(partition));
    if (committed != offsets.committed.end()) value = committed->second.offset;
    for (auto i = from; i < history.values.size(); ++i) {
      if (history.values[i] == value) return i;
    }
    violate(fmt::format("{} partition {} stands at {}, promised was {}", key.group, partition,
                        value.value_or(-1), history.values[from].value_or(-1)));
    return std::nullopt;
  }

  // The last life, on a good disk: twice, since the first one may write everything anew.
  void inspect() {
    for (int i = 0; i < 2 && violations_.empty(); ++i) {
      world_.disk.set_faults(DiskFaults());
      if (!open()) return violate("the coordinator does not open: " + last_error_);
      look_back();
      if (!world_.run(log_->tidy())) violate("tidying failed");
      world_.run_for(10ms);
      look_back();
      end();
    }
  }

  GroupsMutant mutant_;
  GroupsTotals& totals_;
  CoordinatorOptions coordinator_options_;
  std::unique_ptr<GroupCoordinator> coordinator_;
  std::map<GroupKey, Group> groups_;
  eventlog::Offset next_offset_ = 0;
};

TEST(GroupsSimulation, LosesNoCommittedOffsetForAllSeeds) {
  GroupsTotals totals;

  auto seeds = for_each_seed(150, [&](std::uint64_t seed) {
    GroupsLife life(seed, LogMutant::None, GroupsMutant::None, totals);
    auto violation = life.run();
    EXPECT_EQ(violation, std::nullopt) << *violation;
  });

  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(totals.committed, 1'000u);
    EXPECT_GT(totals.crashes, 0u);
  }
  fmt::print("simulated: {} committed, {} refused, {} crashes\n", totals.committed, totals.refused,
             totals.crashes);
}

void expect_groups_found(std::string_view what, LogMutant log_mutant, GroupsMutant mutant) {
  GroupsTotals totals;
  expect_found(what, [&](std::uint64_t seed) {
    GroupsLife life(seed, log_mutant, mutant, totals);
    return life.run();
  });
}

TEST(GroupsMutants, AnswersBeforeItSyncs) {
  expect_groups_found("a committed offset is acknowledged before it is synced",
                      LogMutant::AcknowledgeBeforeSync, GroupsMutant::None);
}

TEST(GroupsMutants, KeepsTooLittle) {
  expect_groups_found("the stream of offsets is shortened before they are written anew",
                      LogMutant::None, GroupsMutant::StreamKeepsTooLittle);
}

}  // namespace
}  // namespace weft::kafka
