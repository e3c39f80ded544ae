// Committed offsets through restarts, where commits, removals and the rewriting of the stream meet.
#include "eventlog/embedded/log_life.h"
#include "eventlog/embedded/log_test_bench.h"
#include "eventlog/kafka/groups/coordinator.h"

namespace weft::kafka {
namespace {

const GroupKey kGroup{"default", "group"};

OffsetKey place(std::int32_t partition) {
  return {Uuid::v4(0x746f, 0x706963), partition};
}

// A coordinator over a log whose disk takes a millisecond for everything.
class OffsetsDurability : public testing::Test, protected eventlog::LogLife {
 protected:
  OffsetsDurability() : LogLife(1, 0, eventlog::LogMutant::None) {
    options_.wal_file_bytes = 64 * 1024;
    coordinator_options_.snapshot_bytes = 4096;
    DiskFaults slow;
    slow.delay_min = slow.delay_max = 1ms;
    world_.disk.set_faults(slow);
    open();
  }
  ~OffsetsDurability() override { end(); }

  void open() {
    ASSERT_TRUE(open_log()) << last_error_;
    coordinator_ = std::make_unique<GroupCoordinator>(coordinator_options_, *log_, world_.clock,
                                                      world_.random, world_.executor());
    ASSERT_TRUE(world_.run(coordinator_->start()).has_value());
  }
  void end() {
    world_.run(stopped());
    close();
    coordinator_.reset();
    log_.reset();
  }
  void restart() {
    end();
    open();
  }

  Task<bool> stopped() {
    co_await coordinator_->stop();
    co_return true;
  }

  Task<void> commit(std::int32_t partition, eventlog::Offset value, std::size_t note = 0) {
    CommitRequest request;
    CommittedOffset offset;
    offset.offset = value;
    offset.metadata.assign(note, 'n');
    request.offsets.emplace_back(place(partition), std::move(offset));
    outcomes_.push_back(co_await coordinator_->commit(kGroup, std::move(request)));
  }

  Task<void> remove(std::int32_t partition) {
    std::vector<OffsetKey> which{place(partition)};
    outcomes_.push_back(co_await coordinator_->delete_offsets(kGroup, std::move(which)));
  }

  eventlog::Offset committed(std::int32_t partition) {
    auto found = world_.run(coordinator_->offsets(kGroup));
    auto at = found.committed.find(place(partition));
    return at == found.committed.end() ? -1 : at->second.offset;
  }

  void expect_all_done() {
    world_.run_for(1s);
    for (auto outcome : outcomes_) EXPECT_EQ(outcome, KafkaError::None);
  }

  CoordinatorOptions coordinator_options_;
  std::unique_ptr<GroupCoordinator> coordinator_;
  std::vector<KafkaError> outcomes_;
};

TEST_F(OffsetsDurability, ARemovedOffsetStaysGoneWhenAllAreWrittenAnewMeanwhile) {
  world_.spawn(commit(0, 10));
  expect_all_done();

  // The large one calls for a snapshot. The removal comes while it is written, so it is in the
  // group after it, still under way when the snapshot is made.
  world_.spawn(commit(1, 20, 4000));
  world_.run_for(1ms);
  world_.spawn(remove(0));
  expect_all_done();

  EXPECT_EQ(committed(0), -1);
  restart();
  EXPECT_EQ(committed(0), -1);
  EXPECT_EQ(committed(1), 20);
}

TEST_F(OffsetsDurability, ARefusedCommitDoesNotUndoAnEarlierOneThatIsUnderWay) {
  options_.queue_requests_max = 1;
  restart();

  // The first is being written, the second waits, the third finds no room in the queue.
  for (std::int32_t partition : {0, 1}) {
    if (partition == 0) world_.spawn(commit(partition, 10));
    world_.run_for(1s);
    outcomes_.clear();
    world_.spawn(commit(partition, 11));
    world_.run_for(1ms);
    world_.spawn(commit(2, 5));
    world_.spawn(commit(partition, 12));
    world_.run_for(1s);

    EXPECT_THAT(outcomes_, testing::UnorderedElementsAre(KafkaError::None, KafkaError::None,
                                                         KafkaError::CoordinatorNotAvailable));
    EXPECT_EQ(committed(partition), 11);
  }
  outcomes_.clear();
  world_.spawn(commit(3, 20, 4000));
  expect_all_done();
  restart();
  EXPECT_EQ(committed(0), 11);
  EXPECT_EQ(committed(1), 11);
}

TEST_F(OffsetsDurability, ACommitBehindARemovalStays) {
  world_.spawn(commit(0, 10));
  expect_all_done();

  world_.spawn(remove(0));
  world_.spawn(commit(0, 11));
  expect_all_done();

  EXPECT_EQ(committed(0), 11);
  restart();
  EXPECT_EQ(committed(0), 11);
}

}  // namespace
}  // namespace weft::kafka
