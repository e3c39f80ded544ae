// Ring 4: lives that end in crashes, a disk that loses what was not synced, an endpoint that fails.
// What must hold for every seed: each event that was acknowledged is accepted by the endpoint at
// least once, or is a dead letter with a reason; all attempts at one event carry one id, and no two
// events share one.
#include "delivery/edge/delivery_bench.h"
#include "runtime/seeded_test.h"

namespace weft::delivery {
namespace {

constexpr int kLives = 3;

class CrashingDelivery {
 public:
  CrashingDelivery(std::uint64_t seed, DeliveryMutant mutant)
      : world_(seed), endpoints_(world_.clock), mutant_(mutant) {
    auto& crm = endpoints_.at("crm");
    crm.delay = [this] { return Duration(1ms) * (1 + static_cast<int>(world_.random.below(40))); };
    crm.otherwise = [this] { return some_answer(); };
    DiskFaults slow;
    slow.delay_min = 100us;
    slow.delay_max = 8ms;
    world_.disk.set_faults(slow);
  }

  // The first thing that is not as it must be; empty when all is well.
  std::string run() {
    for (int life = 0; life < kLives; ++life) {
      if (auto problem = live_and_crash(); !problem.empty()) return problem;
    }
    return live_to_the_end();
  }

  // Whether the run was worth something.
  std::size_t published() const { return published_.size(); }

 private:
  Endpoint::Answer some_answer() {
    if (is_mended_) return Endpoint::status(204);
    auto draw = world_.random.below(100);
    if (draw < 55) return Endpoint::status(200);
    if (draw < 75) return Endpoint::status(500);
    if (draw < 85) return Endpoint::refused();
    if (draw < 90) return Endpoint::status(429, {{"Retry-After", "1"}});
    if (draw < 94) return Endpoint::status(410);
    return Endpoint::status(422);
  }

  Subscription subscription() {
    auto out = subscription_to("crm");
    out.filter.conditions = {{"type", {"wanted"}}};
    out.concurrency = 1 + static_cast<std::uint32_t>(world_.random.below(8));
    out.retry.initial_delay = 100ms;
    out.retry.attempts_max = 4;
    return out;
  }

  std::unique_ptr<DeliveryLife> begin() {
    auto life = std::make_unique<DeliveryLife>(world_, endpoints_, DeliveryLimits(), mutant_);
    if (!life->is_up()) return life;
    if (!life->log->find_stream("default", "orders")) {
      eventlog::StreamSettings settings;
      settings.name = "orders";
      settings.partitions = 2;
      auto made = world_.run(life->log->create_stream(settings));
      if (!made) life->error = made.error().message;
    }
    std::vector<SubscriptionRef> subscriptions;
    subscriptions.push_back(shared(subscription()));
    life->service->set_subscriptions(std::move(subscriptions));
    return life;
  }

  static Task<void> publish(CrashingDelivery& self, eventlog::EventLog& log, std::string value,
                            bool is_wanted) {
    eventlog::NewRecords records;
    records.stream = log.find_stream("default", "orders")->id;
    auto& record = records.records.emplace_back();
    record.value = value;
    record.headers = {{"ce_type", is_wanted ? "wanted" : "other"}, {"ce_id", value}};
    std::vector<eventlog::NewRecords> entry;
    entry.push_back(std::move(records));
    auto appended = co_await log.append(std::move(entry));
    if (appended && is_wanted) self.published_.insert(value);
  }

  std::string live_and_crash() {
    auto life = begin();
    if (!life->is_up()) return "a life does not begin: " + life->error;
    auto steps = 5 + world_.random.below(25);
    for (std::uint64_t i = 0; i < steps; ++i) {
      auto is_wanted = world_.random.below(5) != 0;
      world_.spawn(publish(*this, *life->log, std::to_string(next_++), is_wanted));
      world_.run_for(Duration(1ms) * static_cast<int>(world_.random.below(60)));
      if (world_.random.below(12) == 0) act(*life);
    }
    world_.run_for(Duration(1ms) * static_cast<int>(world_.random.below(800)));
    life->crash();
    return "";
  }

  // An operator at work: enables what was disabled, redrives what is dead.
  void act(DeliveryLife& life) {
    world_.spawn(enable(*life.service));
    if (world_.random.below(2) == 0) world_.spawn(redrive_all(*life.service));
  }
  static Task<void> enable(DeliveryService& service) {
    auto done = co_await service.enable("default", "crm");
    std::ignore = done;
  }
  static Task<void> redrive_all(DeliveryService& service) {
    auto done = co_await service.redrive_all("default", "crm", "user:admin");
    std::ignore = done;
  }

  std::string live_to_the_end() {
    is_mended_ = true;
    auto life = begin();
    if (!life->is_up()) return "the last life does not begin: " + life->error;
    world_.run_for(2s);
    auto enabled = world_.run(life->service->enable("default", "crm"));
    if (!enabled) return "cannot enable: " + enabled.error().message;
    std::string problem = "nothing was looked at";
    for (int looks = 0; looks < 60 && !problem.empty(); ++looks) {
      world_.run_for(2s);
      problem = judge(*life);
    }
    life->end();
    return problem;
  }

  std::string judge(DeliveryLife& life) {
    std::set<std::string> settled;
    for (const auto& request : endpoints_.at("crm").accepted) settled.insert(event_of(request));
    DeliveryQuery query;
    query.status = DeliveryStatus::Dead;
    query.limit = 1000;
    for (const auto& dead : life.service->list(query).items) {
      if (dead.dead_reason.empty()) return "a dead letter without a reason: " + dead.id;
      settled.insert(dead.event_id);
    }
    for (const auto& event : published_) {
      if (!settled.contains(event))
        return "event " + event + " is neither delivered nor a dead letter";
    }
    return judge_ids();
  }

  std::string judge_ids() {
    std::map<std::string, std::string> id_of_event;
    std::map<std::string, std::string> event_of_id;
    for (const auto& request : endpoints_.at("crm").requests) {
      auto event = event_of(request);
      if (event.empty()) return "a request without an event: " + request.request.body;
      auto [known_id, is_new] = id_of_event.emplace(event, request.id());
      if (!is_new && known_id->second != request.id()) return "two ids for event " + event;
      auto [known_event, is_fresh] = event_of_id.emplace(request.id(), event);
      if (!is_fresh && known_event->second != event)
        return "one id for two events: " + request.id();
    }
    return "";
  }

  static std::string event_of(const ReceivedRequest& request) {
    auto document = JsonDocument::parse(request.request.body);
    if (!document) return "";
    const auto* id = document->root().find("id");
    return id ? std::string(id->as_string()) : "";
  }

  World world_;
  SimulatedEndpoints endpoints_;
  DeliveryMutant mutant_;
  std::set<std::string> published_;
  std::uint64_t next_ = 0;
  bool is_mended_ = false;
};

TEST(DeliverySimulation, EveryAcknowledgedEventIsDeliveredOrDeadWhateverCrashes) {
  std::size_t published = 0;

  for_each_seed(200, [&](std::uint64_t seed) {
    CrashingDelivery simulation(seed, DeliveryMutant::None);
    ASSERT_EQ(simulation.run(), "");
    published += simulation.published();
  });

  bool is_single = std::getenv("WEFT_SEED") != nullptr;
  EXPECT_GT(published, is_single ? 0u : 1000u) << "too few events to mean anything";
}

TEST(DeliverySimulation, FindsACursorThatIsRecordedBeforeItsAttempt) {
  std::uint64_t found_at = 0;

  for (std::uint64_t seed = 1; seed <= 1000 && found_at == 0; ++seed) {
    CrashingDelivery simulation(seed, DeliveryMutant::CursorBeforeAttempt);
    if (!simulation.run().empty()) found_at = seed;
  }

  EXPECT_GT(found_at, 0u) << "the mutant survived 1,000 seeds";
  RecordProperty("found_at_seed", std::to_string(found_at));
}

}  // namespace
}  // namespace weft::delivery
