// Ring 4: idempotent POST over the shipped publisher, store and log, on a disk that crashes, loses
// what was not synced and tears. Impatient clients repeat with the same key, at once and across
// restarts, with other payloads too; idempotency_model.h says what must hold for every seed.
//
// Mutants need no hook in what is shipped: they stand at the seam between the publisher and the
// log, or plug the parts together wrongly.
#include "estate/loader.h"
#include "eventlog/embedded/embedded_log.h"
#include "eventlog/forwarding_log.h"
#include "gateway/edge/idempotency_model.h"
#include "gateway/publisher.h"
#include "runtime/on_loop.h"
#include "runtime/seeded_test.h"
#include "runtime/with_timeout.h"
#include "runtime/world.h"

namespace weft::gateway {
namespace {

using eventlog::EmbeddedLog;
using eventlog::EventLog;

enum class Mutant : std::uint8_t {
  None,
  AnswerAfterEvent,         // in an entry of its own
  AnswerBeforeEvent,        // in an entry of its own
  NewestAnswersForgotten,   // at start
  ClaimsNotShared,          // as if each loop had an index of its own
  LogAcknowledgesUnsynced,  // the log's mutant, seen from here
};

constexpr std::string_view kEstate = R"(
apiVersion: weft/v1
kind: Schema
metadata: {name: order, owner: shop}
spec:
  format: json-schema
  definition: {type: object, required: [order], properties: {order: {type: string}}}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: orders, owner: shop}
spec: {schema: order, partitions: 2, retention: forever}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: returns, owner: shop}
spec: {opaque: true, retention: forever}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: orders, owner: shop, tenant: acme}
spec: {opaque: true, retention: forever}
)";

class AnySpec final : public estate::SpecValidator {
 public:
  std::vector<estate::SpecIssue> validate(const Json&) const override { return {}; }
};

const estate::EstateView& declared() {
  static const estate::EstateView view = [] {
    auto any = [](std::string_view) -> Result<std::unique_ptr<estate::SpecValidator>> {
      return std::make_unique<AnySpec>();
    };
    auto kinds = estate::KindSet::create(eventlog::eventlog_kinds(), any);
    auto loaded = estate::Loader(*kinds).load_text("estate.yaml", std::string(kEstate));
    ENSURE(loaded.ok(), "the estate of the simulation is good");
    estate::ViewBuilder builder;
    for (auto& resource : loaded.resources) builder.put({resource, "test", 1});
    return std::move(builder).build(1);
  }();
  return view;
}

// One way in: a route and who calls it.
struct Door {
  PublishBinding binding;
  identity::PrincipalRef caller;
};

Door door(std::string tenant, std::string route, std::string stream, std::string caller) {
  Door made;
  made.binding.tenant = tenant;
  made.binding.route = std::move(route);
  made.binding.stream = std::move(stream);
  made.binding.event_type = "shop.order.placed";
  made.binding.source = "/shop";
  made.binding.key_pointer = made.binding.subject_pointer = "/order";
  if (!caller.empty()) {
    made.caller = std::make_shared<const identity::Principal>(identity::make_principal(
        identity::PrincipalType::Client, std::move(caller), std::move(tenant)));
  }
  return made;
}

// The same key through two of them belongs to two owners, so their first parts all differ in one
// thing.
const std::vector<Door>& doors() {
  static const std::vector<Door> all = [] {
    std::vector<Door> made;
    made.push_back(door("default", "shop/order", "orders", "shop"));
    made.push_back(door("default", "shop/order", "orders", "other"));
    made.push_back(door("default", "shop/return", "returns", "shop"));
    made.push_back(door("acme", "shop/order", "orders", "shop"));
    made.push_back(door("default", "shop/note", "returns", ""));
    made.back().binding.idempotency = IdempotencyRule::Optional;
    return made;
  }();
  return all;
}

// The log as the gateway sees it, with the mutant's defect.
class SeamLog final : public eventlog::ForwardingLog {
 public:
  SeamLog(EmbeddedLog& log, Mutant mutant) : ForwardingLog(log), mutant_(mutant) {}

  Task<Result<std::vector<eventlog::Appended>>> append(
      std::vector<eventlog::NewRecords> entry) override {
    bool splits = mutant_ == Mutant::AnswerAfterEvent || mutant_ == Mutant::AnswerBeforeEvent;
    if (splits && entry.size() == 2) return append_apart(std::move(entry));
    return log_.append(std::move(entry));
  }
  Task<Result<eventlog::ReadResult>> read(eventlog::ReadRequest request) override {
    CO_TRY(auto result, co_await log_.read(request));
    if (is_restoring && mutant_ == Mutant::NewestAnswersForgotten && !result.records.empty()) {
      result.records.pop_back();
    }
    co_return result;
  }

  bool is_restoring = false;

 private:
  Task<Result<std::vector<eventlog::Appended>>> append_apart(
      std::vector<eventlog::NewRecords> entry) {
    std::vector<eventlog::NewRecords> first;
    std::vector<eventlog::NewRecords> second;
    auto& event_entry = mutant_ == Mutant::AnswerAfterEvent ? first : second;
    auto& answer_entry = mutant_ == Mutant::AnswerAfterEvent ? second : first;
    event_entry.push_back(std::move(entry.at(0)));
    answer_entry.push_back(std::move(entry.at(1)));
    CO_TRY(auto one, co_await log_.append(std::move(first)));
    CO_TRY(auto two, co_await log_.append(std::move(second)));
    if (mutant_ == Mutant::AnswerBeforeEvent) std::swap(one, two);
    one.push_back(two.at(0));
    co_return one;
  }

  Mutant mutant_;
};

class NoSpans final : public SpanSink {
 public:
  void record(Span) override {}
  void record_view(const SpanView&) override {}
};

struct Totals {
  std::uint64_t answered = 0;
  std::uint64_t repeated = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t crashes = 0;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Mutant mutant, Totals& totals)
      : world_(seed), chance_(seed ^ 0x6964656d), mutant_(mutant), totals_(totals) {
    answers_.wait = Duration(1ms) * static_cast<int>(2 + below(30));
    if (one_in(3)) answers_.keep = Duration(1ms) * static_cast<int>(100 + below(300));
    if (one_in(8)) answers_.keys_max = 160;
    is_scarce_ = answers_.keys_max < 1000;
    model_.emplace(answers_.keep);
    options_.folder = "/data/log";
    options_.wal_file_bytes = 32 * 1024 + below(3) * 16 * 1024;
    options_.own_segment_bytes = 8 * 1024;
    options_.small_segment_bytes = 64 * 1024;
    options_.small_segments_max = 2;
    options_.tail_bytes_max = below(2) * 16 * 1024;
    options_.disk_reserve_bytes = 0;
    options_.wal_age_max = 30ms;
    options_.maintenance_interval = 15ms;
    options_.executors = eventlog::LogExecutors{world_.executor(), world_.executor()};
    if (mutant == Mutant::LogAcknowledgesUnsynced) {
      options_.mutant = eventlog::LogMutant::AcknowledgeBeforeSync;
    }
  }

  // What was seen that must not be.
  std::optional<std::string> run() {
    auto lives = 2 + below(3);
    for (std::uint64_t life = 0; life < lives && is_good(); ++life) live();
    if (is_good()) live_to_the_end();
    totals_.answered += model_->answered();
    totals_.repeated += model_->repeated();
    totals_.refused += model_->refused();
    totals_.failed += model_->stillborn();
    if (is_good()) return std::nullopt;
    return model_->violations().front();
  }

 private:
  // One life of the process: what node_start.cpp makes, in its order.
  struct Node {
    std::unique_ptr<EmbeddedLog> log;
    std::unique_ptr<SeamLog> face;
    std::unique_ptr<eventlog::StreamCatalogue> streams;
    std::vector<std::unique_ptr<IdempotencyStore>> stores;
    std::vector<std::unique_ptr<Publisher>> publishers;
  };
  struct Post {
    const Door* door = nullptr;
    std::string key;
    SentRequest request;
  };

  std::uint64_t below(std::uint64_t bound) { return chance_.below(bound); }
  bool one_in(std::uint64_t many) { return below(many) == 0; }
  bool is_good() const { return model_->violations().empty(); }

  DiskFaults some_faults() {
    DiskFaults faults;
    faults.delay_min = 20us;
    faults.delay_max = one_in(4) ? Duration(5ms) : Duration(400us);
    if (one_in(3)) return faults;
    if (one_in(3)) faults.sync_fails = 0.004;
    if (one_in(4)) faults.write_fails = 0.004;
    if (one_in(4)) faults.name_fails = 0.03;
    has_faults_ = faults.sync_fails + faults.write_fails + faults.name_fails > 0;
    return faults;
  }

  Task<Result<>> open() {
    CO_TRY(node_.log, co_await EmbeddedLog::open(world_.disk, world_.clock, world_.random, metrics_,
                                                 options_));
    node_.face = std::make_unique<SeamLog>(*node_.log, mutant_);
    node_.streams = std::make_unique<eventlog::StreamCatalogue>(*node_.face);
    auto compiled = node_.streams->compile(declared());
    if (!compiled) co_return std::unexpected(compiled.error());
    node_.streams->publish(1, *compiled);
    CO_CHECK(co_await node_.streams->reconcile(WallTime()));
    node_.face->is_restoring = true;
    for (int i = 0; i < (mutant_ == Mutant::ClaimsNotShared ? 2 : 1); ++i) {
      auto& store = node_.stores.emplace_back(
          std::make_unique<IdempotencyStore>(*node_.face, world_.clock, answers_));
      CO_CHECK(co_await store->start());
      PublisherParts parts{*node_.face, *node_.streams, *store,
                           spans_,      world_.clock,   world_.random};
      node_.publishers.push_back(std::make_unique<Publisher>(parts));
    }
    node_.face->is_restoring = false;
    co_return Result<>();
  }

  Task<bool> close() {
    co_await node_.log->close();
    co_return true;
  }

  // A clean end, a killed process, or a power failure.
  void end_life() {
    over_ = true;
    auto kind = below(4);
    if (kind == 0 && node_.log) world_.run(close());
    world_.disk.lose_power();
    if (kind != 0 && node_.log) world_.run(close());
    if (kind != 0) ++totals_.crashes;
    world_.crash(kind >= 2 ? CrashKeeps::Random : CrashKeeps::Everything);
    node_ = Node();
    over_ = false;
  }

  void live() {
    has_faults_ = false;
    world_.disk.set_faults(some_faults());
    bool loses_power = one_in(5);
    if (loses_power) world_.disk.lose_power_after(below(300));
    auto opened = world_.run(open());
    if (opened) {
      world_.spawn(forget_expired());
      for (int i = 0; i < 3; ++i) world_.spawn(shop());
      world_.run_for(Duration(below(60'000'000)));
    } else if (!has_faults_ && !loses_power) {
      model_->violate("a life does not begin: " + opened.error().message);
    }
    end_life();
    if (one_in(3)) world_.run_for(Duration(1ms) * static_cast<int>(below(400)));
  }

  Task<void> forget_expired() {
    while (!over_) {
      for (auto& store : node_.stores) store->forget_expired();
      if (!co_await world_.clock.sleep_for(20ms)) co_return;
    }
  }

  Post some_post() {
    Post post;
    post.door = &doors().at(below(doors().size()));
    if (post.door->binding.idempotency == IdempotencyRule::Optional) {
      post.request.body = fmt::format(R"({{"order":"free-{}"}})", next_free_++);
      return post;
    }
    post.key = fmt::format("k{}", below(30));
    auto variant = one_in(6) ? 1 + below(2) : 0;
    const auto& binding = post.door->binding;
    post.request.owner = fmt::format("{}|{}|{}|{}", binding.tenant, binding.route,
                                     post.door->caller->name, post.key);
    post.request.body = body_of(post.request.owner, variant);
    return post;
  }
  static std::string body_of(const std::string& owner, std::uint64_t variant) {
    return fmt::format(R"({{"order":"{}","variant":{},"note":"{}"}})", owner, variant,
                       std::string(variant * 40, 'n'));
  }
  // The same again, from what the model remembers.
  static Post post_of(const SentRequest& request) {
    Post post;
    post.request = request;
    auto bar = request.owner.rfind('|');
    post.key = request.owner.substr(bar + 1);
    for (const auto& door : doors()) {
      auto prefix = fmt::format("{}|{}|{}", door.binding.tenant, door.binding.route,
                                door.caller ? door.caller->name : "");
      if (prefix == request.owner.substr(0, bar)) post.door = &door;
    }
    return post;
  }

  // Sends, sometimes several at once, and never waits long.
  Task<void> shop() {
    while (!over_) {
      auto post = some_post();
      if (!post.key.empty() && one_in(3)) {
        for (auto more = 1 + below(3); more > 0; --more) {
          auto twin = post;
          if (one_in(5)) twin.request.body = body_of(twin.request.owner, 1 + below(2));
          world_.spawn(send_beside(std::move(twin)));
        }
      }
      co_await send(std::move(post));
      if (!co_await world_.clock.sleep_for(Duration(below(2'000'000)))) co_return;
    }
  }
  Task<void> send_beside(Post post) { co_await send(std::move(post)); }

  Task<void> send(Post post) {
    model_->begin(post.request);
    bool is_impatient = one_in(4);
    auto limit = is_impatient ? Duration(below(3'000'000)) : Duration(1min);
    auto sent = world_.clock.now();
    auto begun = world_.clock.mono();
    auto response = co_await with_timeout<http::Response>(world_.clock, limit, answer(post));
    auto was_cut = world_.clock.mono() >= begun + limit;
    auto now = world_.clock.now();
    if (!response || (is_impatient && one_in(2))) {
      model_->leave(post.request, now);
      co_return;
    }
    auto may_fail = over_ || was_cut || has_faults_ || is_scarce_ || world_.disk.is_down();
    model_->end(post.request, *response, {sent, now, may_fail});
  }

  Task<Result<http::Response>> answer(Post post) {
    auto& publisher = *node_.publishers.at(below(node_.publishers.size()));
    std::vector<http::Field> fields;
    if (!post.key.empty()) fields.push_back({"Idempotency-Key", post.key});
    http::RequestHead head;
    head.method = "POST";
    head.target = head.path = "/orders";
    head.fields = fields;
    RequestContext context;
    context.trace = TraceContext::start(world_.random);
    context.principal = post.door->caller;
    context.start = world_.clock.now();
    CO_TRY(auto body, JsonDocument::parse(post.request.body));
    auto event =
        publisher.prepare(post.door->binding, head, {post.request.body, body.root()}, context);
    if (!event) {
      co_return http::problem(event.error().status, event.error().code, event.error().message, "");
    }
    co_return co_await publisher.publish(post.door->binding, std::move(*event), context);
  }

  Task<bool> sent(Post post) {
    co_await send(std::move(post));
    co_return true;
  }

  // The last life, on a good disk: every answer is repeated, the rest is answered now, and the log
  // holds what was promised and no more.
  void live_to_the_end() {
    has_faults_ = false;
    world_.disk.set_faults(DiskFaults());
    auto opened = world_.run(open());
    if (opened) {
      ask_again();
      if (is_good()) inspect();
    } else {
      model_->violate("the last life does not begin: " + opened.error().message);
    }
    over_ = true;
    if (node_.log) world_.run(close());
    node_ = Node();
  }

  void ask_again() {
    for (auto& store : node_.stores) store->forget_expired();
    for (auto& request : model_->remembered(world_.clock.now())) {
      auto other = request;
      other.body = body_of(request.owner, request.body == body_of(request.owner, 1) ? 2 : 1);
      world_.run(sent(post_of(request)));
      world_.run(sent(post_of(other)));
    }
    for (auto& request : model_->open(world_.clock.now())) world_.run(sent(post_of(request)));
  }

  void inspect() {
    std::vector<StoredEvent> events;
    for (const auto& stream : node_.streams->all()) {
      for (std::int32_t i = 0; i < stream->info.settings.partitions; ++i) {
        auto all = world_.run(read_all({stream->info.id, i}));
        if (!all) return model_->violate("reading failed: " + all.error().message);
        for (auto& record : *all) {
          events.push_back({std::string(record.header("ce_id").value_or("")),
                            record.value.value_or(""), record.timestamp});
        }
      }
    }
    if (answers_.keep > 1h) compare_answers(events);
    model_->compare(std::move(events));
  }

  // Answers and events of keys: both or neither.
  void compare_answers(const std::vector<StoredEvent>& events) {
    auto stream = node_.log->find_stream("default", kIdempotencyStream);
    auto records = world_.run(read_all({stream->id, 0}));
    if (!records) return model_->violate("reading answers failed: " + records.error().message);
    std::map<std::string, int> balance;
    for (const auto& event : events) {
      if (!event.body.contains("free-")) ++balance[event.id];
    }
    for (const auto& record : *records) {
      auto stored = parse_answer(record);
      auto body = stored ? JsonDocument::parse(stored->body) : Result<JsonDocument>(JsonDocument());
      const auto* id = body ? body->root().find("eventId") : nullptr;
      if (id == nullptr) return model_->violate("an answer that cannot be read");
      --balance[std::string(id->as_string())];
    }
    for (const auto& [id, difference] : balance) {
      if (difference != 0) model_->violate("half of an entry is there: " + id);
    }
  }

  Task<Result<std::vector<eventlog::Record>>> read_all(eventlog::PartitionId partition) {
    std::vector<eventlog::Record> all;
    eventlog::ReadRequest request;
    request.partition = partition;
    auto known = node_.log->partition(partition);
    request.from = known ? known->start : 0;
    for (;;) {
      CO_TRY(auto result, co_await node_.log->read(request));
      for (auto& record : result.records) all.push_back(std::move(record));
      if (result.next >= result.partition.end) co_return all;
      request.from = result.next;
    }
  }

  World world_;
  SeededRandom chance_;
  Mutant mutant_;
  Totals& totals_;
  Metrics metrics_;
  NoSpans spans_;
  eventlog::LogOptions options_;
  IdempotencyOptions answers_;
  std::optional<IdempotencyModel> model_;
  Node node_;
  int next_free_ = 0;
  bool is_scarce_ = false;
  bool has_faults_ = false;
  bool over_ = false;
};

TEST(IdempotencySimulation, OneEventAndOneAnswerPerKeyForAllSeeds) {
  Totals totals;

  auto seeds = for_each_seed(200, [&](std::uint64_t seed) {
    auto violation = Simulation(seed, Mutant::None, totals).run();
    EXPECT_EQ(violation, std::nullopt) << *violation;
  });

  // What the promise is about did happen.
  if (seeds >= kSeedsThatTell) {
    EXPECT_GT(totals.answered, 1000u);
    EXPECT_GT(totals.repeated, 1000u);
    EXPECT_GT(totals.refused, 0u);
    EXPECT_GT(totals.crashes, 0u);
  }
  fmt::print("simulated: {} answered, {} repeated, {} refused, {} failed, {} crashes\n",
             totals.answered, totals.repeated, totals.refused, totals.failed, totals.crashes);
}

void expect_idempotency_found(std::string_view what, Mutant mutant) {
  Totals totals;
  expect_found(what, [&](std::uint64_t seed) { return Simulation(seed, mutant, totals).run(); });
}

TEST(IdempotencyMutants, AnswerInAnEntryAfterTheEvent) {
  expect_idempotency_found("the answer is stored in an entry of its own, after the event",
                           Mutant::AnswerAfterEvent);
}

TEST(IdempotencyMutants, AnswerInAnEntryBeforeTheEvent) {
  expect_idempotency_found("the answer is stored in an entry of its own, before the event",
                           Mutant::AnswerBeforeEvent);
}

TEST(IdempotencyMutants, NewestAnswersForgottenAtStart) {
  expect_idempotency_found("the newest answers are forgotten at start",
                           Mutant::NewestAnswersForgotten);
}

TEST(IdempotencyMutants, ClaimsNotShared) {
  expect_idempotency_found("requests that run at once do not know of each other",
                           Mutant::ClaimsNotShared);
}

TEST(IdempotencyMutants, LogAcknowledgesBeforeItSyncs) {
  expect_idempotency_found("the log acknowledges before it syncs, seen by clients of a route",
                           Mutant::LogAcknowledgesUnsynced);
}

}  // namespace
}  // namespace weft::gateway
