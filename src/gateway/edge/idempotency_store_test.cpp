#include "gateway/edge/idempotency_store.h"

#include <gtest/gtest.h>

#include "eventlog/embedded/embedded_log.h"
#include "runtime/log.h"
#include "runtime/world.h"

namespace weft::gateway {
namespace {

constexpr Digest kKey = {'k'};
constexpr Digest kPayload = {'p'};

class IdempotencyStoreTest : public ::testing::Test {
 protected:
  using Outcome = IdempotencyStore::Outcome;

  IdempotencyStoreTest() {
    set_log_level(LogLevel::Error);
    eventlog::LogOptions options;
    options.folder = "/log";
    options.wal_file_bytes = 256 * 1024;
    options.wal_age_max = 100ms;
    options.maintenance_interval = 50ms;
    options.executors = eventlog::LogExecutors{world.executor(), world.executor()};
    log = *world.run(
        eventlog::EmbeddedLog::open(world.disk, world.clock, world.random, metrics, options));
    begin(1s);
  }
  ~IdempotencyStoreTest() override { world.run(closed()); }

  void begin(Duration keep) {
    IdempotencyOptions options;
    options.keep = keep;
    store = std::make_unique<IdempotencyStore>(*log, world.clock, options);
    ASSERT_TRUE(world.run(store->start()).has_value());
  }
  Task<bool> closed() {
    co_await log->close();
    co_return true;
  }

  // Claims the key and stores an answer.
  void answer() {
    auto begun = world.run(store->begin(kKey, kPayload));
    ASSERT_TRUE(begun.has_value());
    ASSERT_EQ(begun->outcome, Outcome::Mine);
    StoredAnswer stored;
    stored.payload = kPayload;
    stored.status = 201;
    std::vector<eventlog::NewRecords> entry(1);
    entry[0].stream = store->stream();
    entry[0].partition = 0;
    auto& record = entry[0].records.emplace_back();
    record.key = std::string(kKey.data(), kKey.size());
    record.value = answer_value(stored);
    auto appended = world.run(log->append(std::move(entry)));
    ASSERT_TRUE(appended.has_value());
    begun->claim.settle(appended->at(0).first_offset);
  }

  World world{1};
  Metrics metrics;
  std::unique_ptr<eventlog::EmbeddedLog> log;
  std::unique_ptr<IdempotencyStore> store;
};

// The simulation's seed 22 got 503 until the node looked for expired keys.
TEST_F(IdempotencyStoreTest, AKeyIsFreeAsSoonAsRetentionHasTakenItsAnswer) {
  answer();
  auto within = world.run(store->begin(kKey, kPayload));
  world.run_for(5s);

  auto after = world.run(store->begin(kKey, kPayload));

  ASSERT_TRUE(within.has_value());
  EXPECT_EQ(within->outcome, Outcome::Repeat);
  ASSERT_TRUE(after.has_value()) << after.error().message;
  EXPECT_EQ(after->outcome, Outcome::Mine);
}

TEST_F(IdempotencyStoreTest, AChangedTimeHoldsForTheStreamOfAnEarlierLife) {
  answer();

  begin(1h);
  world.run_for(5s);
  auto later = world.run(store->begin(kKey, kPayload));

  ASSERT_TRUE(later.has_value());
  EXPECT_EQ(later->outcome, Outcome::Repeat);
  EXPECT_EQ(log->find_stream("default", kIdempotencyStream)->settings.retention, Duration(1h));
}

TEST(AnswerValue, ComesBackAsItWasWritten) {
  StoredAnswer answer;
  for (std::size_t i = 0; i < answer.payload.size(); ++i) {
    answer.payload[i] = static_cast<char>(i * 17);
  }
  answer.status = 201;
  answer.content_type = "application/json";
  answer.body = "{\"eventId\":\"A-1\",\"note\":\"\u00e5 \\ \n\"}";
  eventlog::Record record;
  record.value = answer_value(answer);

  auto parsed = parse_answer(record);

  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->payload, answer.payload);
  EXPECT_EQ(parsed->status, answer.status);
  EXPECT_EQ(parsed->content_type, answer.content_type);
  EXPECT_EQ(parsed->body, answer.body);
}

TEST(AnswerValue, IsRefusedWhenAMemberIsMissing) {
  eventlog::Record record;
  record.value = R"({"payload":"00112233445566778899aabbccddeeff","status":201})";

  EXPECT_EQ(parse_answer(record).error().code, ErrorCode::DataLoss);
}

}  // namespace
}  // namespace weft::gateway
