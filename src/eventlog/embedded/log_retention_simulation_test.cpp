// A seeded life of streams with a retention by age, by size or both, beside a stream that keeps all
// and shares their segments: writers, readers, power failures, failed syncs and a full disk. The
// model knows which records may be gone: those that are too old, or that enough later ones follow.
#include <map>

#include "eventlog/embedded/log_life.h"
#include "eventlog/embedded/log_test_bench.h"
#include "runtime/seeded_test.h"

namespace weft::eventlog {
namespace {

struct RetentionTotals {
  std::uint64_t written = 0;
  std::uint64_t removed = 0;
  std::uint64_t crashes = 0;
};

class RetentionLife : LogLife {
 public:
  RetentionLife(std::uint64_t seed, LogMutant mutant, RetentionTotals& totals)
      : LogLife(seed, 0x726574, mutant), totals_(totals) {
    options_.wal_file_bytes = 12 * 1024 + below(2) * 4 * 1024;
    options_.tail_bytes_max = below(2) * 8 * 1024;
    options_.small_segment_bytes = 16 * 1024;
    options_.wal_age_max = 8ms;
    options_.maintenance_interval = 3ms;
    const auto kind = below(3);
    if (kind != 0) retention_ = Duration(5ms) + Duration(below(15'000'000));
    if (kind != 1) retention_bytes_ = 1'000 + below(4'000);
    batch_bytes_ = batch_of({std::string(kValueBytes, '.')}).size();
  }

  std::optional<std::string> run() {
    const auto lives = 2 + below(4);
    for (std::uint64_t life = 0; life < lives && violations_.empty(); ++life) live();
    if (violations_.empty()) inspect();
    return verdict();
  }

 private:
  static constexpr std::int32_t kPartitions = 2;
  static constexpr std::size_t kValueBytes = 150;
  static constexpr Duration kLifeMax = 100ms;

  struct Sent {
    std::string value;
    WallTime time;  // no later than the record's
  };
  // Of one partition with a retention.
  struct Place {
    std::map<Offset, Sent> acknowledged;
    Offset start = 0;  // the highest that was seen
  };

  void live() {
    world_.disk.set_faults(DiskFaults());
    DiskFaults faults;
    faults.delay_min = 20us;
    faults.delay_max = one_in(4) ? Duration(5ms) : Duration(300us);
    if (one_in(4)) faults.sync_fails = 0.005;
    if (one_in(6)) faults.write_fails = 0.005;
    if (one_in(4)) faults.name_fails = 0.05;
    if (!one_in(3)) world_.disk.set_faults(faults);
    if (one_in(4)) world_.disk.lose_power_after(below(250));
    if (open()) {
      for (std::int32_t i = 0; i < kPartitions; ++i) {
        see_start(i);
        world_.spawn(write(i));
        world_.spawn(follow(i));
      }
      world_.spawn(write_kept());
      world_.run_for(life_time(kLifeMax));
      for (std::int32_t i = 0; i < kPartitions; ++i) see_start(i);
    }
    if (end_life()) ++totals_.crashes;
  }

  bool open() {
    auto brief = stream_named("brief", kPartitions);
    brief.retention = retention_;
    brief.retention_bytes = retention_bytes_;
    return open_log() && ensure(brief_, brief) && ensure(kept_, stream_named("kept"));
  }

  std::string next_value(std::int32_t partition) {
    auto value = fmt::format("{}/{}", partition, next_value_++);
    value.resize(kValueBytes, '.');
    sent_[value] = partition;
    return value;
  }

  Task<void> write(std::int32_t partition) {
    while (!over_) {
      Sent sent{next_value(partition), world_.clock.now()};
      auto appended =
          co_await log_->append(one_record(brief_, sent.value, std::nullopt, partition));
      if (appended) {
        places_[partition].acknowledged[appended->at(0).first_offset] = sent;
        ++totals_.written;
      }
      if (!co_await world_.clock.sleep_for(Duration(below(1'000'000)))) co_return;
    }
  }

  Task<void> write_kept() {
    while (!over_) {
      auto value = fmt::format("kept/{}", next_value_++);
      auto appended = co_await log_->append(one_record(kept_, value, std::nullopt, 0));
      if (appended) kept_values_[appended->at(0).first_offset] = value;
      if (!co_await world_.clock.sleep_for(Duration(below(3'000'000)))) co_return;
    }
  }

  // Falls behind now and then, so that what it is about to read goes.
  Task<void> follow(std::int32_t partition) {
    ReadRequest request;
    request.partition = {brief_, partition};
    request.wait = 10ms;
    request.bytes_max = 1024;
    request.from = places_[partition].start;
    while (!over_) {
      auto result = co_await log_->read(request);
      if (over_ || world_.disk.is_down()) co_return;
      see_start(partition);
      if (!result && result.error().code == ErrorCode::OutOfRange) {
        request.from = places_[partition].start;
      } else if (!result) {
        violate("reading failed: " + result.error().message);
        co_return;
      } else {
        for (const auto& record : result->records) check_record(partition, record);
        request.from = result->next;
      }
      auto pause = one_in(8) ? Duration(8ms) : Duration(100us);
      if (!co_await world_.clock.sleep_for(pause)) co_return;
    }
  }

  void check_record(std::int32_t partition, const Record& record) {
    const auto value = record.value.value_or("");
    const auto sent = sent_.find(value);
    if (sent == sent_.end() || sent->second != partition) {
      violate(fmt::format("a foreign record at {}: {}", record.offset, value));
    }
    const auto& acknowledged = places_[partition].acknowledged;
    const auto found = acknowledged.find(record.offset);
    if (found != acknowledged.end() && found->second.value != value) {
      violate(fmt::format("offset {} was given to {}, but holds {}", record.offset,
                          found->second.value, value));
    }
  }

  // Where the partition begins now: never before where it began, and behind nothing that must stay.
  void see_start(std::int32_t partition) {
    const auto info = log_->partition({brief_, partition});
    auto& place = places_[partition];
    if (info->start < place.start) {
      violate(fmt::format("records that were gone are back: the start went from {} to {}",
                          place.start, info->start));
    }
    if (info->start <= place.start) return;
    const auto behind = static_cast<std::uint64_t>(info->end - info->start) * batch_bytes_;
    const bool is_followed = retention_bytes_ != 0 && behind >= retention_bytes_;
    const auto now = world_.clock.now();
    auto at = place.acknowledged.lower_bound(place.start);
    for (; at != place.acknowledged.end() && at->first < info->start; ++at) {
      const bool is_old = retention_ != Duration::zero() && at->second.time + retention_ < now;
      if (!is_old && !is_followed) violate("a record is gone before its time: " + at->second.value);
      ++totals_.removed;
    }
    place.start = info->start;
  }

  Task<Result<std::map<Offset, std::string>>> read_all(PartitionId partition) {
    std::map<Offset, std::string> all;
    ReadRequest request;
    request.partition = partition;
    request.from = log_->partition(partition)->start;
    for (;;) {
      CO_TRY(auto result, co_await log_->read(request));
      for (const auto& record : result.records) {
        if (!all.try_emplace(record.offset, record.value.value_or("")).second) {
          co_return fail(ErrorCode::DataLoss, "offset {} twice", record.offset);
        }
      }
      if (result.next >= result.partition.end) co_return all;
      request.from = result.next;
    }
  }

  // The last life, on a good disk: first what is there, then that what is too old goes.
  void inspect() {
    world_.disk.set_faults(DiskFaults());
    if (!open()) return violate("the log does not open: " + last_error_);
    compare();
    world_.run_for(retention_);
    // The first seals and places what was written, the second takes it.
    for (int i = 0; i < 2; ++i) {
      world_.run_for(5ms);
      if (!world_.run(log_->tidy())) violate("tidying failed");
    }
    compare();
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      const auto info = log_->partition({brief_, i});
      if (retention_ != Duration::zero() && info->start != info->end) {
        violate(fmt::format("{} records are kept beyond their time", info->end - info->start));
      }
    }
    close();
  }

  void compare() {
    std::map<std::string, int> seen;
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      see_start(i);
      auto all = world_.run(read_all({brief_, i}));
      if (!all) return violate("reading failed: " + all.error().message);
      for (const auto& [offset, value] : *all) {
        if (++seen[value] > 1) violate("stored twice: " + value);
      }
      const auto& place = places_[i];
      for (auto at = place.acknowledged.lower_bound(place.start); at != place.acknowledged.end();
           ++at) {
        const auto found = all->find(at->first);
        if (found == all->end() || found->second != at->second.value) {
          violate("an acknowledged record is lost: " + at->second.value);
        }
      }
    }
    auto kept = world_.run(read_all({kept_, 0}));
    if (!kept) return violate("reading failed: " + kept.error().message);
    for (const auto& [offset, value] : kept_values_) {
      const auto found = kept->find(offset);
      if (found == kept->end() || found->second != value) {
        violate("a record of the stream that keeps all is lost: " + value);
      }
    }
  }

  RetentionTotals& totals_;
  Duration retention_{};
  std::uint64_t retention_bytes_ = 0;
  std::size_t batch_bytes_ = 0;
  StreamId brief_{};
  StreamId kept_{};
  std::map<std::int32_t, Place> places_;
  std::map<std::string, std::int32_t> sent_;
  std::map<Offset, std::string> kept_values_;
  int next_value_ = 0;
};

TEST(RetentionSimulation, TakesWhatIsDueAndNothingElseForAllSeeds) {
  RetentionTotals totals;

  auto seeds = for_each_seed(150, [&](std::uint64_t seed) {
    RetentionLife life(seed, LogMutant::None, totals);
    auto violation = life.run();
    EXPECT_EQ(violation, std::nullopt) << *violation;
  });

  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(totals.written, 1'000u);
    EXPECT_GT(totals.removed, 500u);
    EXPECT_GT(totals.crashes, 0u);
  }
  fmt::print("simulated: {} written, {} removed, {} crashes\n", totals.written, totals.removed,
             totals.crashes);
}

void expect_retention_found(std::string_view what, LogMutant mutant) {
  RetentionTotals totals;
  expect_found(what, [&](std::uint64_t seed) {
    RetentionLife life(seed, mutant, totals);
    return life.run();
  });
}

TEST(RetentionMutants, MovesAStartUnsynced) {
  expect_retention_found("retention does not store how far it came", LogMutant::RetentionUnsynced);
}

TEST(RetentionMutants, TakesTooMuch) {
  expect_retention_found("retention takes records before their time", LogMutant::RetentionTooEager);
}

}  // namespace
}  // namespace weft::eventlog
