#include "app/watch/stream_rates.h"

#include <gtest/gtest.h>

#include <map>

namespace weft::app {
namespace {

using eventlog::StreamId;

constexpr StreamId kOrders{7};
constexpr StreamId kJournal{8};

// A log of streams with one partition each, whose ends are set by hand.
class Ends final : public eventlog::EventLog {
 public:
  std::map<StreamId, eventlog::Offset> ends;

  std::optional<eventlog::StreamInfo> stream(StreamId id) const override {
    if (!ends.contains(id)) return std::nullopt;
    eventlog::StreamInfo info;
    info.id = id;
    info.settings.name = id == kJournal ? "__weft.journal" : "orders";
    return info;
  }
  std::vector<eventlog::StreamInfo> streams() const override {
    std::vector<eventlog::StreamInfo> all;
    for (const auto& [id, end] : ends) all.push_back(*stream(id));
    return all;
  }
  std::optional<eventlog::PartitionInfo> partition(eventlog::PartitionId id) const override {
    eventlog::PartitionInfo info;
    info.end = ends.at(id.stream);
    return info;
  }

  Task<Result<std::vector<eventlog::Appended>>> append(std::vector<eventlog::NewRecords>) override {
    co_return fail(ErrorCode::Unsupported, "no append");
  }
  Task<Result<eventlog::ReadResult>> read(eventlog::ReadRequest) override {
    co_return fail(ErrorCode::Unsupported, "no read");
  }
  Task<Result<eventlog::Offset>> offset_at(eventlog::PartitionId, WallTime) override {
    co_return fail(ErrorCode::Unsupported, "no time");
  }
  std::optional<eventlog::StreamInfo> find_stream(std::string_view,
                                                  std::string_view) const override {
    return std::nullopt;
  }
  Task<Result<eventlog::StreamInfo>> create_stream(eventlog::StreamSettings) override {
    co_return fail(ErrorCode::Unsupported, "no streams");
  }
  Task<Result<eventlog::StreamInfo>> alter_stream(StreamId, eventlog::StreamSettings) override {
    co_return fail(ErrorCode::Unsupported, "no streams");
  }
  Task<Result<>> retire_stream(StreamId, std::optional<WallTime>) override {
    co_return fail(ErrorCode::Unsupported, "no streams");
  }
  Task<Result<>> delete_stream(StreamId) override {
    co_return fail(ErrorCode::Unsupported, "no streams");
  }
};

class StreamRatesTest : public testing::Test {
 protected:
  double rate(Duration at) { return rates_.per_second(start_ + at, log_, kOrders); }
  std::uint64_t sample(Duration at) { return rates_.sample(start_ + at, log_); }

  MonoTime start_{1'000s};
  Ends log_;
  StreamRates rates_;
};

TEST_F(StreamRatesTest, CountsFromTheFirstMarkWhileAMinuteIsNotOver) {
  log_.ends[kOrders] = 100;
  sample(0s);
  log_.ends[kOrders] = 150;

  EXPECT_DOUBLE_EQ(rate(10s), 5.0);
}

TEST_F(StreamRatesTest, ForgetsWhatIsOlderThanAMinute) {
  log_.ends[kOrders] = 0;
  sample(0s);
  log_.ends[kOrders] = 6000;
  for (auto at = 5s; at <= 100s; at += 5s) sample(at);
  log_.ends[kOrders] = 6060;

  EXPECT_DOUBLE_EQ(rate(100s), 1.0);
}

TEST_F(StreamRatesTest, CountsAStreamThatCameLaterFromTheSampleBefore) {
  sample(0s);
  log_.ends[kOrders] = 40;

  EXPECT_DOUBLE_EQ(rate(4s), 10.0);
  sample(5s);
  EXPECT_DOUBLE_EQ(rate(8s), 5.0);
}

TEST_F(StreamRatesTest, CountsWhatInternalStreamsTakeOnlyForThemselves) {
  log_.ends = {{kOrders, 5}, {kJournal, 90}};

  EXPECT_EQ(sample(0s), 5u);
  log_.ends[kJournal] = 100;
  EXPECT_DOUBLE_EQ(rates_.per_second(start_ + 10s, log_, kJournal), 1.0);
}

TEST_F(StreamRatesTest, IsZeroBeforeTheFirstSampleAndForAStreamThatIsGone) {
  log_.ends[kOrders] = 40;
  EXPECT_EQ(rate(1s), 0.0);

  sample(2s);
  log_.ends.clear();
  EXPECT_EQ(rate(3s), 0.0);
}

}  // namespace
}  // namespace weft::app
