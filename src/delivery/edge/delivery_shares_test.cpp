#include "delivery/delivery_shares.h"

#include "delivery/edge/delivery_fixture.h"
#include "eventlog/forwarding_log.h"

namespace weft::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::int32_t kShares = 4;

// A process among several that work over the log of the fixture.
struct Process {
  Process(World& world, SimulatedEndpoints& endpoints, eventlog::EventLog& log)
      : shares({log,
                endpoints,
                secrets,
                world.clock,
                world.random,
                metrics,
                nullptr,
                {world.executor()}},
               kShares) {}

  NoSecrets secrets;
  Metrics metrics;
  DeliveryShares shares;
};

class DeliverySharesTest : public Delivery {
 protected:
  DeliverySharesTest() : a(world, endpoints, *life->log), b(world, endpoints, *life->log) {
    // Names that fall into different shares.
    for (int i = 0; names.size() < 2; ++i) {
      auto name = fmt::format("s{}", i);
      if (names.empty() || share(name) != share(names[0])) names.push_back(std::move(name));
    }
    for (auto* process : {&a, &b}) process->shares.set_subscriptions(subscriptions());
  }
  ~DeliverySharesTest() override {
    for (auto* process : {&a, &b}) {
      for (const auto number : process->shares.held()) give_up(*process, number);
    }
  }

  static std::int32_t share(const std::string& name) { return share_of("default", name, kShares); }
  std::vector<SubscriptionRef> subscriptions() const {
    std::vector<SubscriptionRef> out;
    for (const auto& name : names)
      out.push_back(std::make_shared<const Subscription>(subscription_to(name, name)));
    return out;
  }
  static Task<bool> ended(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
  void take(Process& process, std::int32_t number) {
    process.shares.take(number);
    world.run_for(100ms);
  }
  void give_up(Process& process, std::int32_t number) {
    world.run(ended(process.shares.give_up({number})));
  }
  SubscriptionStatus status_at(Process& process, const std::string& name) {
    auto found = world.run(process.shares.subscription("default", name));
    EXPECT_TRUE(found.has_value());
    return found.value_or(SubscriptionStatus());
  }

  std::vector<std::string> names;
  Process a;
  Process b;
};

TEST_F(DeliverySharesTest, EachProcessCarriesOutTheSharesThatItHolds) {
  take(a, share(names[0]));
  take(b, share(names[1]));

  publish("1");
  world.run_for(5s);

  EXPECT_THAT(data_of(endpoints.at(names[0]).accepted), ElementsAre("1"));
  EXPECT_THAT(data_of(endpoints.at(names[1]).accepted), ElementsAre("1"));
  EXPECT_EQ(status_at(a, names[0]).delivered, 1u);
  EXPECT_EQ(status_at(a, names[1]).state, SubscriptionState::Elsewhere);
  EXPECT_EQ(status_at(b, names[0]).state, SubscriptionState::Elsewhere);
  EXPECT_EQ(status_at(b, names[1]).delivered, 1u);
}

TEST_F(DeliverySharesTest, AShareThatChangesHandsGoesOnWhereItStood) {
  auto& endpoint = endpoints.at(names[0]);
  take(a, share(names[0]));
  publish("1");
  world.run_for(5s);
  endpoint.then(Endpoint::status(503));
  publish("2");
  world.run_for(100ms);

  give_up(a, share(names[0]));
  publish("3");
  world.run_for(5s);
  EXPECT_THAT(data_of(endpoint.accepted), ElementsAre("1")) << "nobody has the share";
  take(b, share(names[0]));
  world.run_for(10s);

  EXPECT_THAT(data_of(endpoint.accepted), UnorderedElementsAre("1", "2", "3"));
  EXPECT_THAT(a.shares.list(DeliveryQuery()).items, SizeIs(0));
  EXPECT_EQ(b.shares.list(DeliveryQuery()).items[0].status, DeliveryStatus::Delivered);
  for (const auto& delivery : b.shares.list(DeliveryQuery()).items) {
    EXPECT_EQ(delivery.attempts, delivery.offset == 1 ? 2u : 1u) << "a retry goes on counting";
  }
}

TEST_F(DeliverySharesTest, DeadLettersAreRedrivenWhereTheirShareIs) {
  endpoints.at(names[0]).then(Endpoint::status(400));
  take(a, share(names[0]));
  publish("1");
  world.run_for(5s);
  give_up(a, share(names[0]));
  take(b, share(names[0]));

  EXPECT_EQ(world.run(a.shares.redrive_all("default", names[0], "user:admin")).error().code,
            ErrorCode::FailedPrecondition);
  EXPECT_EQ(world.run(a.shares.redrive_all("default", "unknown", "user:admin")).error().code,
            ErrorCode::NotFound);
  auto dead = b.shares.list(DeliveryQuery()).items;
  ASSERT_THAT(dead, SizeIs(1));
  auto redriven = world.run(b.shares.redrive("default", dead[0].id, "user:admin"));
  ASSERT_TRUE(redriven) << redriven.error().message;
  world.run_for(5s);

  EXPECT_THAT(data_of(endpoints.at(names[0]).accepted), ElementsAre("1"));
  EXPECT_EQ(status_at(b, names[0]).dead, 0u);
}

// A log in which a writer that was opened again refuses its older self, as a cluster does.
class FencingLog final : public eventlog::ForwardingLog {
 public:
  using ForwardingLog::ForwardingLog;

  class Writer final : public eventlog::EventWriter {
   public:
    Writer(eventlog::EventLog& log, int& newest) : log_(log), newest_(newest), mine_(++newest) {}
    Task<Result<std::vector<eventlog::Appended>>> append_borrowed(
        std::span<const eventlog::BorrowedRecords> entry) override {
      if (mine_ != newest_) co_return fail(ErrorCode::Conflict, "fenced");
      co_return co_await log_.append_borrowed(entry);
    }

   private:
    eventlog::EventLog& log_;
    int& newest_;
    const int mine_;
  };

  Task<Result<std::unique_ptr<eventlog::EventWriter>>> open_writer(std::string name) override {
    co_return std::make_unique<Writer>(log_, newest_[std::move(name)]);
  }

 private:
  std::map<std::string, int> newest_;
};

TEST_F(DeliverySharesTest, AProcessThatWasTakenForDeadRecordsNothingAndLosesNothing) {
  FencingLog log(*life->log);
  Process old(world, endpoints, log);
  Process next(world, endpoints, log);
  auto& endpoint = endpoints.at(names[0]);
  for (auto* process : {&old, &next}) process->shares.set_subscriptions(subscriptions());
  take(old, share(names[0]));
  publish("1");
  world.run_for(5s);

  // Both believe that it is theirs; the old one learns the truth when it records something.
  take(next, share(names[0]));
  publish("2");
  world.run_for(500ms);
  give_up(old, share(names[0]));
  world.run_for(10s);
  publish("3");
  world.run_for(10s);

  EXPECT_EQ(status_at(old, names[0]).state, SubscriptionState::Elsewhere);
  const auto taken = data_of(endpoint.accepted);
  for (const auto* one : {"1", "2", "3"}) EXPECT_THAT(taken, ::testing::Contains(one));
  EXPECT_EQ(std::ranges::count(taken, "3"), 1);
  give_up(next, share(names[0]));
}

}  // namespace
}  // namespace weft::delivery
