#include "eventlog/embedded/log_simulation.h"

#include <algorithm>
#include <map>
#include <set>

#include "eventlog/core/log_producers.h"
#include "eventlog/embedded/log_life.h"
#include "eventlog/embedded/log_test_bench.h"
#include "eventlog/embedded/simulated_archive.h"
#include "runtime/seeded_test.h"

namespace weft::eventlog {
namespace {

constexpr int kStreams = 2;
constexpr std::int32_t kPartitions = 2;
constexpr int kProducers = 3;
constexpr Duration kLifeMax = 120ms;
constexpr Duration kDelayMax = 20ms;  // of an operation of a slow disk

// What clients know: the truth that the log must not contradict.
struct Model {
  // Per partition: what a reader was given, and what an acknowledgement promised.
  std::map<PartitionId, std::map<Offset, std::string>> served;
  std::map<PartitionId, std::map<Offset, std::string>> acknowledged;
  std::map<std::string, PartitionId> sent;
  std::set<std::string> pairs;  // ids of entries with one record in each stream
  std::vector<std::string> violations;

  void violate(std::string what) { violations.push_back(std::move(what)); }

  void promise(PartitionId partition, Offset offset, const std::string& value) {
    auto [at, fresh] = acknowledged[partition].try_emplace(offset, value);
    if (!fresh && at->second != value) {
      violate(fmt::format("offset {} was given to {} and to {}", offset, at->second, value));
    }
  }
  void serve(PartitionId partition, Offset offset, const std::string& value) {
    if (!sent.contains(value)) violate(fmt::format("invented record at {}: {}", offset, value));
    auto [at, fresh] = served[partition].try_emplace(offset, value);
    if (!fresh && at->second != value) {
      violate(fmt::format("offset {} was read as {}, then as {}", offset, at->second, value));
    }
  }
};

// A producer that never gives a batch up: it sends the same sequence until it is acknowledged.
struct Producer {
  std::int64_t id = -1;
  struct Lane {
    std::int32_t sequence = 0;
    std::vector<std::string> waiting;  // not acknowledged yet
    int sent = 0;
  };
  std::map<PartitionId, Lane> lanes;
};

class Simulation : LogLife {
 public:
  Simulation(std::uint64_t seed, LogMutant mutant, SimulationTotals& totals)
      : LogLife(seed, 0x6c6f67, mutant), totals_(totals), archive_(world_, seed) {
    if (seed % 2 == 0) options_.archive = &archive_;
    options_.wal_file_bytes = 12 * 1024 + below(3) * 4 * 1024;
    options_.tail_bytes_max = below(2) * 8 * 1024;
    options_.small_segment_bytes = 32 * 1024;
    options_.open_files_max = 3;
    options_.wal_age_max = 10ms;
    options_.maintenance_interval = 4ms;
  }

  std::optional<std::string> run() {
    auto lives = 2 + below(4);
    for (std::uint64_t life = 0; life < lives && model_.violations.empty(); ++life) live();
    if (model_.violations.empty()) inspect();
    if (model_.violations.empty()) return std::nullopt;
    return model_.violations.front();
  }

 private:
  DiskFaults faults() {
    DiskFaults faults;
    faults.delay_min = 20us;
    faults.delay_max = one_in(4) ? kDelayMax : Duration(400us);
    if (one_in(4)) faults.sync_fails = 0.003;
    if (one_in(6)) faults.write_fails = 0.003;
    if (one_in(4)) faults.name_fails = 0.05;
    return faults;
  }

  bool open() {
    if (!open_log()) return false;
    totals_.torn_tails += log_->status().cut_bytes > 0 ? 1 : 0;
    if (log_->status().damaged_ranges > 0) model_.violate("damage was seen where there was none");
    return true;
  }

  void live() {
    world_.disk.set_faults(DiskFaults());
    if (!one_in(3)) world_.disk.set_faults(faults());
    if (one_in(5)) world_.disk.lose_power_after(below(400));
    if (open()) {
      world_.run(prepare_all());
      const bool is_limited = one_in(6);
      if (is_limited) limit_disk();
      for (auto& producer : producers_) world_.spawn(produce(producer));
      world_.spawn(append_pairs());
      for (auto stream : streams_) {
        for (std::int32_t i = 0; i < kPartitions; ++i) world_.spawn(follow({stream, i}));
      }
      world_.run_for(life_time(kLifeMax));
      if (is_limited) expect_appends_go_on();
    }
    if (log_ && log_->status().stopped) ++totals_.stops;
    if (end_life()) ++totals_.crashes;
  }

  void limit_disk() {
    auto free = world_.run(world_.disk.free_bytes("/data/log"));
    if (!free) return;
    DiskFaults full = faults();
    full.sync_fails = full.write_fails = full.name_fails = 0;
    full.bytes_max = used_bytes() + below(64 * 1024);
    world_.disk.set_faults(full);
  }

  // Space that comes back is used again, without a restart: by the second round of maintenance
  // after what was under way, which is as slow as the disk was then.
  void expect_appends_go_on() {
    world_.disk.set_faults(DiskFaults());
    world_.run_for(kDelayMax + 2 * options_.maintenance_interval);
    if (streams_.empty() || log_->status().stopped || world_.disk.is_down()) return;
    const PartitionId partition{streams_[0], 0};
    const std::string value = fmt::format("after-full-{}", next_pair_++);
    model_.sent[value] = partition;
    auto appended = world_.run(log_->append(one_record(streams_[0], value, std::nullopt, 0)));
    if (world_.disk.is_down()) return;
    if (!appended) {
      model_.violate("appends are refused though there is space: " + appended.error().message);
      return;
    }
    model_.promise(partition, appended->at(0).first_offset, value);
  }

  std::uint64_t used_bytes() {
    std::uint64_t used = 0;
    for (const char* folder : {"/data/log/wal", "/data/log/segments", "/data/log"}) {
      auto names = world_.run(world_.disk.list(folder));
      for (const auto& name : names.value_or(std::vector<std::string>())) {
        auto file = world_.run(world_.disk.open(std::string(folder) + "/" + name, OpenMode::Read));
        if (file) used += world_.run((*file)->size()).value_or(0);
      }
    }
    return used;
  }

  Task<bool> prepare_all() {
    co_await prepare();
    co_return true;
  }

  // Streams and producer ids, as far as this life's disk lets them be made.
  Task<void> prepare() {
    for (int i = 0; i < kStreams; ++i) {
      auto name = fmt::format("stream-{}", i);
      auto known = log_->find_stream("default", name);
      if (!known && static_cast<std::size_t>(i) < streams_.size()) {
        model_.violate("an acknowledged stream is gone");
      }
      if (known && static_cast<std::size_t>(i) == streams_.size()) streams_.push_back(known->id);
      if (known) continue;
      auto settings = stream_named(name, kPartitions);
      auto created = co_await log_->create_stream(std::move(settings));
      if (!created) co_return;
      streams_.push_back(created->id);
    }
    while (producers_.size() < kProducers) {
      auto id = co_await log_->new_producer_id();
      if (!id) co_return;
      if (!ids_.insert(*id).second) model_.violate("a producer id was given twice");
      producers_.push_back(Producer{*id, {}});
    }
  }

  PartitionId any_partition() {
    auto stream = streams_[below(streams_.size())];
    return {stream, static_cast<std::int32_t>(below(kPartitions))};
  }

  Task<void> produce(Producer& producer) {
    while (!over_) {
      if (streams_.empty()) co_return;
      auto partition = any_partition();
      auto& lane = producer.lanes[partition];
      if (lane.waiting.empty()) fill(producer, partition, lane);
      auto batch = sequenced(producer.id, 0, lane.sequence, lane.waiting);
      auto outcomes = co_await log_->append(one_batch(partition, std::move(batch)));
      settle(partition, lane, outcomes.at(0));
      auto pause = Duration(below(3'000'000));
      if (!co_await world_.clock.sleep_for(pause)) co_return;
    }
  }

  void fill(const Producer& producer, PartitionId partition, Producer::Lane& lane) {
    auto count = 1 + below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      auto value = fmt::format("{}/{}/{}/{}", producer.id, static_cast<unsigned>(partition.stream),
                               partition.partition, lane.sent++);
      value.resize(value.size() + below(300), '.');
      model_.sent[value] = partition;
      lane.waiting.push_back(std::move(value));
    }
  }

  void settle(PartitionId partition, Producer::Lane& lane, const AppendedBatch& outcome) {
    switch (outcome.status) {
      case AppendStatus::Appended:
      case AppendStatus::Duplicate:
        break;
      case AppendStatus::DiskFull:
        ++totals_.disk_full;
        return;
      case AppendStatus::Stopped:
      case AppendStatus::Overloaded:
        return;
      default:
        model_.violate(fmt::format("status {} at sequence {}", static_cast<int>(outcome.status),
                                   lane.sequence));
        return;
    }
    if (outcome.status == AppendStatus::Duplicate) ++totals_.duplicates;
    totals_.acknowledged += lane.waiting.size();
    auto offset = outcome.base_offset;
    for (const auto& value : lane.waiting) model_.promise(partition, offset++, value);
    lane.sequence = advance_sequence(lane.sequence, static_cast<std::int32_t>(lane.waiting.size()));
    lane.waiting.clear();
  }

  // Entries with one record in each stream: both or none.
  Task<void> append_pairs() {
    while (!over_) {
      if (streams_.size() < kStreams) co_return;
      auto id = fmt::format("pair-{}", next_pair_++);
      std::vector<NewRecords> entry;
      for (std::size_t i = 0; i < kStreams; ++i) {
        auto value = fmt::format("{}-{}", id, i);
        auto partition = static_cast<std::int32_t>(below(kPartitions));
        model_.sent[value] = {streams_[i], partition};
        entry.push_back(one_record(streams_[i], value, std::nullopt, partition).at(0));
      }
      model_.pairs.insert(id);
      auto appended = co_await log_->append(std::move(entry));
      for (std::size_t i = 0; appended && i < kStreams; ++i) {
        model_.promise(appended->at(i).partition, appended->at(i).first_offset,
                       fmt::format("{}-{}", id, i));
        ++totals_.acknowledged;
      }
      auto pause = Duration(below(5'000'000));
      if (!co_await world_.clock.sleep_for(pause)) co_return;
    }
  }

  Task<void> follow(PartitionId partition) {
    ReadRequest request;
    request.partition = partition;
    request.wait = 50ms;
    request.bytes_max = 2048;
    if (one_in(2) && !model_.served[partition].empty()) {
      request.from = model_.served[partition].rbegin()->first + 1;
    }
    while (!over_) {
      auto result = co_await log_->read(request);
      if (over_ || world_.disk.is_down()) co_return;
      if (!result) {
        model_.violate("reading failed: " + result.error().message);
        co_return;
      }
      for (const auto& record : result->records) {
        model_.serve(partition, record.offset, record.value.value_or(""));
      }
      request.from = result->next;
      if (!co_await world_.clock.sleep_for(100us)) co_return;
    }
  }

  // The last life, on a good disk: everything promised must be there, and nothing else.
  void inspect() {
    world_.disk.set_faults(DiskFaults());
    if (!open()) {
      model_.violate("the log does not open: " + last_error_);
      return;
    }
    compare(read_whole());
    if (options_.archive != nullptr) world_.run(hand_everything_over());
    close();
    if (options_.archive != nullptr) inspect_archive();
  }

  Task<bool> hand_everything_over() {
    auto tidied = co_await log_->tidy();
    if (!tidied) model_.violate("tidying failed: " + tidied.error().message);
    while (log_->status().archive->waiting_bytes > 0) {
      auto slept = co_await world_.clock.sleep_for(options_.maintenance_interval);
      if (!slept) co_return false;
    }
    co_return true;
  }

  // What was archived is a log of its own that holds every promise.
  void inspect_archive() {
    const std::string folder = "/data/restored";
    auto laid = world_.run(archive_.lay(folder));
    if (!laid) model_.violate("the archive cannot be laid: " + laid.error().message);
    if (archive_.violation()) model_.violate(*archive_.violation());
    if (!model_.violations.empty()) return;
    options_.folder = folder;
    options_.archive = nullptr;
    if (!open()) {
      model_.violate("the archive does not open: " + last_error_);
      return;
    }
    auto restored = read_whole();
    close();
    compare(restored);
  }

  std::map<PartitionId, std::map<Offset, std::string>> read_whole() {
    std::map<PartitionId, std::map<Offset, std::string>> stored;
    for (auto stream : streams_) {
      for (std::int32_t i = 0; i < kPartitions; ++i) {
        auto all = world_.run(read_all({stream, i}));
        if (!all) {
          model_.violate("reading failed: " + all.error().message);
        } else {
          stored[{stream, i}] = *std::move(all);
        }
      }
    }
    return stored;
  }

  Task<Result<std::map<Offset, std::string>>> read_all(PartitionId partition) {
    std::map<Offset, std::string> all;
    ReadRequest request;
    request.partition = partition;
    for (;;) {
      CO_TRY(auto result, co_await log_->read(request));
      for (auto& record : result.records) {
        if (!all.try_emplace(record.offset, record.value.value_or("")).second) {
          co_return fail(ErrorCode::DataLoss, "offset {} twice", record.offset);
        }
      }
      if (result.next >= result.partition.end) co_return all;
      request.from = result.next;
    }
  }

  void compare(const std::map<PartitionId, std::map<Offset, std::string>>& stored) {
    std::map<std::string, int> seen;
    for (const auto& [partition, records] : stored) {
      std::map<std::string, int> last;
      for (const auto& [offset, value] : records) {
        auto sent = model_.sent.find(value);
        if (sent == model_.sent.end())
          model_.violate("invented record: " + value);
        else if (sent->second != partition)
          model_.violate("record in a foreign partition: " + value);
        if (++seen[value] > 1) model_.violate("stored twice: " + value);
        check_order(value, last);
      }
      expect_all(model_.acknowledged[partition], records, "acknowledged record is lost");
      expect_all(model_.served[partition], records, "record that was read is lost");
    }
    for (const auto& id : model_.pairs) {
      auto first = seen.contains(id + "-0");
      if (first != seen.contains(id + "-1")) model_.violate("half of an entry is there: " + id);
    }
  }

  void check_order(const std::string& value, std::map<std::string, int>& last) {
    if (!value.contains('/')) return;
    auto slash = value.rfind('/');
    auto number = std::atoi(value.c_str() + slash + 1);
    auto& before = last.try_emplace(value.substr(0, slash), -1).first->second;
    if (number <= before) model_.violate("out of order: " + value);
    before = number;
  }

  void expect_all(const std::map<Offset, std::string>& expected,
                  const std::map<Offset, std::string>& records, std::string_view what) {
    for (const auto& [offset, value] : expected) {
      auto found = records.find(offset);
      if (found == records.end() || found->second != value) {
        model_.violate(fmt::format("{}: offset {} {}, found {}", what, offset, value,
                                   found == records.end() ? "nothing" : found->second));
      }
    }
  }

  SimulationTotals& totals_;
  SimulatedArchive archive_;
  Model model_;
  std::vector<StreamId> streams_;
  std::vector<Producer> producers_;
  std::set<std::int64_t> ids_;
  int next_pair_ = 0;
};

}  // namespace

std::optional<std::string> simulate_log(std::uint64_t seed, LogMutant mutant,
                                        SimulationTotals& totals) {
  Simulation simulation(seed, mutant, totals);
  return simulation.run();
}

namespace {

TEST(LogSimulation, KeepsEveryPromiseForAllSeeds) {
  SimulationTotals totals;

  auto seeds = for_each_seed(150, [&](std::uint64_t seed) {
    auto violation = simulate_log(seed, LogMutant::None, totals);
    EXPECT_EQ(violation, std::nullopt) << *violation;
  });

  // The faults that the promise is about did happen.
  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(totals.acknowledged, 1000u);
    EXPECT_GT(totals.crashes, 0u);
  }
  fmt::print(
      "simulated: {} acknowledged, {} duplicates, {} crashes, {} stops, {} refused for space, "
      "{} torn tails\n",
      totals.acknowledged, totals.duplicates, totals.crashes, totals.stops, totals.disk_full,
      totals.torn_tails);
}

void expect_log_found(std::string_view what, LogMutant mutant) {
  SimulationTotals totals;
  expect_found(what, [&](std::uint64_t seed) { return simulate_log(seed, mutant, totals); });
}

TEST(LogMutants, AcknowledgesBeforeItSyncs) {
  expect_log_found("the log acknowledges before it syncs", LogMutant::AcknowledgeBeforeSync);
}

TEST(LogMutants, ForgetsAtAStartWhatWasNotArchived) {
  expect_log_found("the log forgets at a start what was not archived",
                   LogMutant::UnarchivedForgotten);
}

TEST(LogMutants, ForgetsProducersAtAStart) {
  expect_log_found("producers are forgotten at a start", LogMutant::ProducersForgotten);
}

TEST(LogMutants, AcknowledgesAfterAFailedSync) {
  expect_log_found("what a failed sync was to store is acknowledged",
                   LogMutant::FailedSyncAcknowledged);
}

TEST(LogMutants, StaysFull) {
  expect_log_found("appends are refused for ever once the disk was full", LogMutant::FullForEver);
}

TEST(LogMutants, DoesNotSyncSegments) {
  expect_log_found("segments are not synced", LogMutant::SegmentUnsynced);
}

TEST(LogMutants, RemovesPlacedFilesBeforeTheManifest) {
  expect_log_found("write-ahead files go before the manifest names their segments",
                   LogMutant::PlacedFilesGoEarly);
}

TEST(LogMutants, AcceptsATornTail) {
  expect_log_found("the log accepts a torn tail", LogMutant::TornTailAccepted);
}

}  // namespace
}  // namespace weft::eventlog
