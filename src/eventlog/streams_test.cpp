#include "eventlog/streams.h"

#include <gmock/gmock.h>

#include "estate/loader.h"
#include "eventlog/embedded/log_test_bench.h"
#include "runtime/log.h"

namespace weft::eventlog {
namespace {

using testing::ElementsAre;

class AcceptedSpec final : public estate::SpecValidator {
 public:
  std::vector<estate::SpecIssue> validate(const Json&) const override { return {}; }
};

class StreamCatalogueTest : public testing::Test {
 protected:
  StreamCatalogueTest() : log_(folder_.path()) {
    set_log_level(LogLevel::Error);
    open();
  }
  ~StreamCatalogueTest() override { log_.close(); }

  void open() {
    EXPECT_TRUE(log_.open());
    streams_ = std::make_unique<StreamCatalogue>(*log_.log);
  }
  void restart() {
    streams_.reset();
    log_.close();
    open();
  }

  // What an apply of these streams does.
  void declare(const std::vector<std::string>& names, WallTime now) {
    std::string text;
    for (const auto& name : names) {
      text += "---\napiVersion: weft/v1\nkind: Stream\nmetadata: {name: " + name +
              ", owner: shop}\nspec: {opaque: true, retention: forever}\n";
    }
    auto any = [](std::string_view) -> Result<std::unique_ptr<estate::SpecValidator>> {
      return std::make_unique<AcceptedSpec>();
    };
    auto kinds = estate::KindSet::create(eventlog_kinds(), any);
    estate::ViewBuilder builder;
    if (!text.empty()) {
      auto loaded = estate::Loader(*kinds).load_text("estate.yaml", text);
      ASSERT_TRUE(loaded.ok()) << loaded.error_text();
      for (auto& resource : loaded.resources) builder.put({resource, "test", 1});
    }
    auto compiled = streams_->compile(std::move(builder).build(++generation_));
    ASSERT_TRUE(compiled) << compiled.error().message;
    streams_->publish(generation_, *compiled);
    auto reconciled = log_.run(streams_->reconcile(now));
    ASSERT_TRUE(reconciled) << reconciled.error().message;
  }
  StreamInfo in_log(const std::string& name) {
    return log_.log->find_stream("default", name).value_or(StreamInfo{});
  }

  const WallTime monday_ = from_unix_ms(1'700'000'000'000);
  TemporaryFolder folder_;
  LogOnDisk log_;
  std::unique_ptr<StreamCatalogue> streams_;
  std::uint64_t generation_ = 0;
};

TEST_F(StreamCatalogueTest, KeepsTheRecordsOfAStreamThatIsDeclaredNoMore) {
  declare({"orders", "returns"}, monday_);
  auto id = in_log("orders").id;
  log_.append(id, "kept");

  declare({"returns"}, monday_ + 1h);

  EXPECT_EQ(streams_->find("default", "orders"), nullptr);
  EXPECT_EQ(in_log("orders").retired, monday_ + 1h);
  EXPECT_FALSE(in_log("returns").retired);
  EXPECT_THAT(log_.values({id, 0}), ElementsAre("kept"));
}

TEST_F(StreamCatalogueTest, GivesAStreamBackThatIsDeclaredAgainInTime) {
  declare({"orders"}, monday_);
  auto before = in_log("orders");
  log_.append(before.id, "kept");
  declare({}, monday_);

  declare({"orders"}, monday_ + 24h);
  ASSERT_TRUE(log_.run(streams_->remove_retired(monday_ + 100h)));

  ASSERT_NE(streams_->find("default", "orders"), nullptr);
  EXPECT_EQ(in_log("orders").topic_id, before.topic_id);
  EXPECT_FALSE(in_log("orders").retired);
  EXPECT_THAT(log_.values({before.id, 0}), ElementsAre("kept"));
}

TEST_F(StreamCatalogueTest, RemovesAStreamWhenItsTimeOfGraceIsOver) {
  declare({"orders"}, monday_);
  declare({}, monday_);

  ASSERT_TRUE(log_.run(streams_->remove_retired(monday_)));
  EXPECT_TRUE(log_.log->find_stream("default", "orders"));
  ASSERT_TRUE(log_.run(streams_->remove_retired(monday_ + 1ms)));

  EXPECT_FALSE(log_.log->find_stream("default", "orders"));
}

TEST_F(StreamCatalogueTest, RemembersTheMomentAfterARestartFromEntryAndFromManifest) {
  declare({"orders"}, monday_);
  declare({}, monday_ + 1h);

  restart();
  EXPECT_EQ(in_log("orders").retired, monday_ + 1h);
  ASSERT_TRUE(log_.run(log_.log->tidy()));
  restart();
  EXPECT_EQ(in_log("orders").retired, monday_ + 1h);

  declare({}, monday_ + 2h);
  EXPECT_EQ(in_log("orders").retired, monday_ + 1h) << "the first moment counts";
}

TEST_F(StreamCatalogueTest, LeavesInternalStreamsAlone) {
  log_.create("__weft.internal");

  declare({}, monday_);
  ASSERT_TRUE(log_.run(streams_->remove_retired(monday_ + 1000h)));

  EXPECT_TRUE(log_.log->find_stream("default", "__weft.internal"));
}

}  // namespace
}  // namespace weft::eventlog
