// Ring 4: lives that end in crashes, a disk that loses what was not synced or fails, an endpoint
// that fails, an operator who redrives. What must hold for every seed:
//
//   - an event in the log that the filter wants is accepted by the endpoint at least once, or is a
//     dead letter with a reason; when all are redriven to an endpoint that works, all are accepted
//   - nothing is sent that is not in the log for good, or that the filter does not want
//   - all attempts at one event carry one id, no two events share one, no two attempts at one event
//     overlap; the numbers of their records rise through all lives, with a gap only where a crash
//     cut an attempt off, and none follows a success
//   - what was recorded as delivered is never sent again, nor is what was accepted in the same life
//   - with an order, within a life: no event is sent after a later one of its order, and no two of
//   one
//     order are under way at once, unless one of them was dead and is redriven
#include "delivery/core/attempt_record.h"
#include "delivery/edge/delivery_bench.h"
#include "delivery/edge/delivery_context.h"
#include "runtime/seeded_test.h"

namespace weft::delivery {
namespace {

constexpr std::uint64_t kWalFileBytes = 256 * 1024;
constexpr std::uint64_t kKeys = 4;

// No is a mutant: an order is expected, and the subscription does not ask for it.
enum class OrderDeclared : std::uint8_t { Yes, No };

class CrashingDelivery {
 public:
  CrashingDelivery(std::uint64_t seed, DeliveryMutant mutant,
                   OrderDeclared order_declared = OrderDeclared::Yes)
      : world_(seed),
        endpoints_(world_.clock),
        crm_(endpoints_.at("crm")),
        mutant_(mutant),
        order_declared_(order_declared) {
    crm_.delay = [this] {
      watch_order(crm_.requests.back());
      return Duration(1ms) * (1 + static_cast<int>(below(40)));
    };
    crm_.otherwise = [this] { return some_answer(); };
    ordering_ = static_cast<Ordering>(below(3));
  }

  // The first thing that is not as it must be.
  std::optional<std::string> run() {
    auto lives = 2 + below(3);
    for (std::uint64_t life = 0; life < lives && problem_.empty(); ++life) live_and_crash();
    if (problem_.empty()) live_to_the_end();
    if (problem_.empty()) return std::nullopt;
    return problem_;
  }

  // Whether the run was worth something.
  std::size_t published() const { return published_.size(); }
  std::size_t dead() const { return dead_.size(); }

 private:
  std::uint64_t below(std::uint64_t bound) { return world_.random.below(bound); }
  void complain(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }

  Endpoint::Answer some_answer() {
    if (is_mended_) return Endpoint::status(204);
    auto draw = below(100);
    if (draw < 55) return Endpoint::status(200);
    if (draw < 75) return Endpoint::status(500);
    if (draw < 85) return Endpoint::refused();
    if (draw < 90) return Endpoint::status(429, {{"Retry-After", "1"}});
    if (draw < 94) return Endpoint::status(410);
    return Endpoint::status(422);
  }

  // A slow disk, and in some lives one that fails. The log then stops until the next life.
  DiskFaults faults(bool may_fail) {
    DiskFaults faults;
    faults.delay_min = 100us;
    faults.delay_max = 8ms;
    if (may_fail && below(4) == 0) faults.sync_fails = 0.01;
    if (may_fail && below(6) == 0) faults.write_fails = 0.01;
    return faults;
  }

  Subscription subscription() {
    auto out = subscription_to("crm");
    out.filter.conditions = {{"type", {"wanted"}}};
    out.ordering = order_declared_ == OrderDeclared::Yes ? ordering_ : Ordering::None;
    out.concurrency = 1 + static_cast<std::uint32_t>(below(8));
    out.retry.initial_delay = 100ms;
    out.retry.attempts_max = 4;
    return out;
  }

  std::unique_ptr<DeliveryLife> begin() {
    world_.disk.set_faults(faults(false));
    DeliveryLimits limits;
    if (below(3) == 0) limits.unsettled_max = 3;
    auto life = std::make_unique<DeliveryLife>(world_, endpoints_, limits, mutant_, kWalFileBytes);
    if (!life->is_up()) {
      complain("a life does not begin: " + life->error);
      return life;
    }
    if (!life->log->find_stream("default", "orders")) {
      eventlog::StreamSettings settings;
      settings.name = "orders";
      settings.partitions = 2;
      auto made = world_.run(life->log->create_stream(settings));
      if (!made) complain("no stream: " + made.error().message);
    }
    newest_sent_.clear();
    requests_before_ = crm_.requests.size();
    accepted_before_ = crm_.accepted.size();
    check_records(*life);
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
    record.key = fmt::format("key-{}", key_of(value));
    record.headers = {{"ce_type", is_wanted ? "wanted" : "other"}, {"ce_id", value}};
    std::vector<eventlog::NewRecords> entry;
    entry.push_back(std::move(records));
    auto appended = co_await log.append(std::move(entry));
    if (appended && is_wanted) self.published_.insert(value);
  }

  void live_and_crash() {
    auto life = begin();
    if (problem_.empty()) {
      world_.disk.set_faults(faults(true));
      if (below(6) == 0) world_.disk.lose_power_after(below(200));
      auto steps = 5 + below(25);
      for (std::uint64_t i = 0; i < steps; ++i) {
        auto is_wanted = below(5) != 0;
        world_.spawn(publish(*this, *life->log, std::to_string(next_++), is_wanted));
        world_.run_for(Duration(1ms) * static_cast<int>(below(60)));
        if (below(12) == 0) act(*life);
      }
      world_.run_for(Duration(1ms) * static_cast<int>(below(800)));
    }
    check_requests_of_life();
    ++lives_;
    // A power failure, a killed process, or a clean end.
    auto kind = below(4);
    if (kind == 0 && !world_.disk.is_down()) {
      life->end();
      check_requests_of_life();
      life.reset();
      world_.crash(CrashKeeps::Everything);
    } else {
      life->crash(kind == 1 ? CrashKeeps::Everything : CrashKeeps::Random);
    }
  }

  // An operator at work: enables what was disabled, redrives what is dead.
  void act(DeliveryLife& life) {
    world_.spawn(enable(*life.service));
    if (below(2) == 0) world_.spawn(redrive_all(*life.service));
  }
  static Task<void> enable(DeliveryService& service) {
    auto done = co_await service.enable("default", "crm");
    std::ignore = done;
  }
  static Task<void> redrive_all(DeliveryService& service) {
    auto done = co_await service.redrive_all("default", "crm", "user:admin");
    std::ignore = done;
  }

  void live_to_the_end() {
    is_mended_ = true;
    auto life = begin();
    if (problem_.empty()) settle_everything(*life);
    if (problem_.empty()) check_ids();
    check_requests_of_life();
    check_records(*life);
    check_order();
    life->end();
  }

  void settle_everything(DeliveryLife& life) {
    auto wanted = wanted_events(life);
    for (const auto& event : published_) {
      if (!wanted.contains(event)) complain("an acknowledged event is lost: " + event);
    }
    for (const auto& request : crm_.requests) {
      auto event = event_of(request);
      if (!wanted.contains(event)) complain("sent, though not stored or not wanted: " + event);
    }
    std::string missing = "nothing was looked at";
    for (int looks = 0; looks < 60 && !missing.empty() && problem_.empty(); ++looks) {
      world_.run_for(2s);
      auto enabled = world_.run(life.service->enable("default", "crm"));
      if (!enabled) complain("cannot enable: " + enabled.error().message);
      missing = first_missing(life, wanted);
    }
    complain(std::move(missing));
    // Whatever is dead now is accepted once it is redriven.
    for (int looks = 0; looks < 60 && !dead_letters(life).empty(); ++looks) {
      auto redriven = world_.run(life.service->redrive_all("default", "crm", "user:admin"));
      if (!redriven) complain("cannot redrive: " + redriven.error().message);
      world_.run_for(2s);
    }
    if (!dead_letters(life).empty()) complain("dead letters remain");
    for (const auto& request : crm_.accepted) wanted.erase(event_of(request));
    if (!wanted.empty()) complain("never accepted: event " + *wanted.begin());
  }

  std::vector<DeliverySummary> dead_letters(DeliveryLife& life) {
    DeliveryQuery query;
    query.status = DeliveryStatus::Dead;
    query.limit = 1000;
    return life.service->list(query).items;
  }

  // What is neither accepted nor dead.
  std::string first_missing(DeliveryLife& life, const std::set<std::string>& wanted) {
    std::set<std::string> settled;
    for (const auto& request : crm_.accepted) settled.insert(event_of(request));
    for (const auto& dead : dead_letters(life)) {
      if (dead.dead_reason.empty()) complain("a dead letter without a reason: " + dead.id);
      settled.insert(dead.event_id);
      dead_.insert(dead.event_id);
    }
    for (const auto& event : wanted) {
      if (!settled.contains(event)) {
        return "event " + event + " is neither delivered nor a dead letter";
      }
    }
    return "";
  }

  std::set<std::string> wanted_events(DeliveryLife& life) {
    std::set<std::string> wanted;
    auto stream = life.log->find_stream("default", "orders")->id;
    for (std::int32_t i = 0; i < 2; ++i) {
      for (const auto& record : read_all(life, {stream, i})) {
        if (record.header("ce_type") == "wanted") wanted.insert(record.value.value_or(""));
      }
    }
    return wanted;
  }

  static Task<Result<std::vector<eventlog::Record>>> read(eventlog::EventLog& log,
                                                          eventlog::PartitionId partition) {
    std::vector<eventlog::Record> all;
    eventlog::ReadRequest request;
    request.partition = partition;
    for (;;) {
      CO_TRY(auto result, co_await log.read(request));
      for (auto& record : result.records) all.push_back(std::move(record));
      if (result.next >= result.partition.end) co_return all;
      request.from = result.next;
    }
  }
  std::vector<eventlog::Record> read_all(DeliveryLife& life, eventlog::PartitionId partition) {
    auto all = world_.run(read(*life.log, partition));
    if (!all) complain("reading failed: " + all.error().message);
    return all.value_or(std::vector<eventlog::Record>());
  }

  // The records of attempts, as this life finds them.
  void check_records(DeliveryLife& life) {
    auto stream = life.log->find_stream(kInternalTenant, kAttemptsStream);
    if (!stream) return;
    std::map<std::string, std::uint32_t> last;
    std::set<std::string> delivered;
    for (const auto& record : read_all(life, {stream->id, 0})) {
      auto attempt = parse_attempt(record.value.value_or(""));
      if (!attempt) return complain("an attempt that cannot be read: " + attempt.error().message);
      const auto& id = attempt->delivery.id;
      auto number = attempt->attempt.number;
      if (number <= last[id] || number > last[id] + 1 + lives_) {
        complain(fmt::format("attempt {} follows attempt {} of {}", number, last[id], id));
      }
      last[id] = number;
      if (delivered.contains(id)) complain("an attempt after the recorded success of " + id);
      if (attempt->attempt.delivered) delivered.insert(id);
      if (attempt->delivery.status == DeliveryStatus::Dead) ever_dead_.insert(id);
    }
    for (const auto& id : recorded_) {
      if (!delivered.contains(id)) complain("the record of a success is lost: " + id);
    }
    recorded_ = std::move(delivered);
  }

  // What the endpoint saw of this life.
  void check_requests_of_life() {
    std::set<std::string> accepted;
    for (auto i = accepted_before_; i < crm_.accepted.size(); ++i) {
      if (!accepted.insert(crm_.accepted[i].id()).second) {
        complain("accepted twice in one life: " + crm_.accepted[i].id());
      }
    }
    for (auto i = requests_before_; i < crm_.requests.size(); ++i) {
      if (recorded_.contains(crm_.requests[i].id())) {
        complain("sent again after its success was recorded: " + crm_.requests[i].id());
      }
    }
    if (!crm_.overlapping_ids.empty()) {
      complain("two attempts at once: " + crm_.overlapping_ids.front());
    }
  }

  // Called when a request arrives.
  void watch_order(const ReceivedRequest& request) {
    if (ordering_ == Ordering::None) return;
    auto id = request.id();
    auto [partition, offset] = place_of(id);
    auto order = ordering_ == Ordering::Partition ? partition : key_of(event_of(request));
    order_of_[id] = order;
    for (const auto& other : crm_.ids_under_way) {
      if (other != id && order_of_[other] == order) out_of_order_.emplace_back(id, other);
    }
    auto& newest = newest_sent_[order];
    if (offset < newest) out_of_order_.emplace_back(id, id);
    newest = std::max(newest, offset);
  }

  // A delivery's id ends in partition and offset.
  static std::pair<std::uint64_t, std::uint64_t> place_of(std::string_view id) {
    auto offset = id.rfind('-');
    auto partition = id.rfind('-', offset - 1);
    return {std::stoull(std::string(id.substr(partition + 1, offset - partition - 1))),
            std::stoull(std::string(id.substr(offset + 1)))};
  }

  void check_order() {
    for (const auto& [id, other] : out_of_order_) {
      if (ever_dead_.contains(id) || ever_dead_.contains(other)) continue;
      complain(id == other ? "sent after a later one of its order: " + id
                           : "two of one order at once: " + id + " and " + other);
    }
  }

  void check_ids() {
    std::map<std::string, std::string> id_of_event;
    std::map<std::string, std::string> event_of_id;
    for (const auto& request : crm_.requests) {
      auto event = event_of(request);
      if (event.empty()) complain("a request without an event: " + request.request.body);
      auto [known_id, is_new] = id_of_event.emplace(event, request.id());
      if (!is_new && known_id->second != request.id()) complain("two ids for event " + event);
      auto [known_event, is_fresh] = event_of_id.emplace(request.id(), event);
      if (!is_fresh && known_event->second != event)
        complain("one id for two events: " + request.id());
    }
  }

  static std::uint64_t key_of(const std::string& event) { return std::stoull(event) % kKeys; }
  static std::string event_of(const ReceivedRequest& request) {
    auto document = JsonDocument::parse(request.request.body);
    if (!document) return "";
    const auto* id = document->root().find("id");
    return id ? std::string(id->as_string()) : "";
  }

  World world_;
  SimulatedEndpoints endpoints_;
  Endpoint& crm_;
  DeliveryMutant mutant_;
  OrderDeclared order_declared_;
  Ordering ordering_ = Ordering::None;
  std::map<std::string, std::uint64_t> order_of_;       // of each delivery that was sent
  std::map<std::uint64_t, std::uint64_t> newest_sent_;  // offset per order, in this life
  std::vector<std::pair<std::string, std::string>> out_of_order_;
  std::set<std::string> ever_dead_;
  std::set<std::string> published_;
  std::set<std::string> dead_;      // events that were dead letters at the end
  std::set<std::string> recorded_;  // ids whose success was on the medium when this life began
  std::size_t requests_before_ = 0;
  std::size_t accepted_before_ = 0;
  std::uint64_t next_ = 0;
  std::uint32_t lives_ = 0;  // that have ended
  bool is_mended_ = false;
  std::string problem_;
};

TEST(DeliverySimulation, EveryEventIsDeliveredOrDeadForAllSeeds) {
  std::size_t published = 0;
  std::size_t dead = 0;

  auto seeds = for_each_seed(120, [&](std::uint64_t seed) {
    CrashingDelivery simulation(seed, DeliveryMutant::None);
    auto problem = simulation.run();
    EXPECT_EQ(problem, std::nullopt) << *problem;
    published += simulation.published();
    dead += simulation.dead();
  });

  // What the promise is about did happen.
  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(published, 500u);
    EXPECT_GT(dead, 0u);
  }
  fmt::print("simulated: {} events acknowledged, {} dead letters at the end\n", published, dead);
}

TEST(DeliveryMutants, OrderIgnored) {
  expect_found("events are sent without regard to their order", [](std::uint64_t seed) {
    return CrashingDelivery(seed, DeliveryMutant::None, OrderDeclared::No).run();
  });
}

TEST(DeliveryMutants, CursorBeforeAttempt) {
  expect_found("a cursor is recorded before its attempt", [](std::uint64_t seed) {
    return CrashingDelivery(seed, DeliveryMutant::CursorBeforeAttempt).run();
  });
}

}  // namespace
}  // namespace weft::delivery
