#include "telemetry/trace_store.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/bytes.h"
#include "telemetry/core/span_chunk.h"

namespace weft::telemetry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNoon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h};

// Spans of one trace, told in a line each.
class TraceOf {
 public:
  TraceOf(SpanSink& sink, Random& random)
      : sink_(sink), random_(random), root_(TraceContext::start(random)) {}

  TraceOf& root(std::string name, WallTime start, Duration duration, bool failed = false,
                std::vector<std::pair<std::string, std::string>> attributes = {}) {
    return add(root_, {}, std::move(name), start, duration, failed, std::move(attributes));
  }
  TraceOf& child(std::string name, WallTime start, Duration duration, bool failed = false,
                 std::vector<std::pair<std::string, std::string>> attributes = {}) {
    return add(root_.child(random_), root_.span_id, std::move(name), start, duration, failed,
               std::move(attributes));
  }
  std::string id() const { return root_.trace_id_hex(); }

 private:
  TraceOf& add(TraceContext context, std::array<char, 8> parent, std::string name, WallTime start,
               Duration duration, bool failed,
               std::vector<std::pair<std::string, std::string>> attributes) {
    Span span;
    span.context = context;
    span.parent_id = parent;
    span.name = std::move(name);
    span.kind = SpanKind::Server;
    span.start = start;
    span.end = start + duration;
    span.failed = failed;
    span.attributes = std::move(attributes);
    sink_.record(std::move(span));
    return *this;
  }

  SpanSink& sink_;
  Random& random_;
  TraceContext root_;
};

struct TraceStoreTest : testing::Test {
  SeededRandom random{1};
  TraceStore store;

  std::vector<std::string> names(const TraceQuery& query) const {
    std::vector<std::string> found;
    for (const auto& summary : store.search(query)) found.push_back(summary.name);
    return found;
  }
};

TEST_F(TraceStoreTest, GivesBackWhatWasRecordedAtOnce) {
  TraceOf trace(store, random);
  trace.child("append", kNoon + 2ms, 3ms, true, {{"messaging.destination.name", "orders"}});
  trace.root("POST /orders", kNoon, 10ms, false, {{"http.route", "/orders"}, {"empty", ""}});

  auto found = store.find(trace.id());

  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->trace_id, trace.id());
  EXPECT_TRUE(found->is_complete);
  ASSERT_EQ(found->spans.size(), 2U);
  const auto& root = found->spans[0];
  const auto& child = found->spans[1];
  EXPECT_EQ(root.name, "POST /orders");
  EXPECT_EQ(root.kind, SpanKind::Server);
  EXPECT_EQ(root.start, kNoon);
  EXPECT_EQ(root.end, kNoon + 10ms);
  EXPECT_FALSE(root.failed);
  EXPECT_THAT(root.attributes,
              ElementsAre(testing::Pair("http.route", "/orders"), testing::Pair("empty", "")));
  EXPECT_EQ(child.parent_id, root.context.span_id);
  EXPECT_TRUE(child.failed);
}

TEST_F(TraceStoreTest, RecordsAViewAsItRecordsASpan) {
  const std::pair<std::string_view, std::string_view> attributes[] = {{"http.route", "/x"}};
  SpanView view;
  view.context = TraceContext::start(random);
  view.name = "GET /x";
  view.start = kNoon;
  view.end = kNoon + 1ms;
  view.attributes = attributes;

  store.record_view(view);

  auto found = store.find(view.context.trace_id_hex());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->spans.at(0).name, "GET /x");
  EXPECT_EQ(found->spans.at(0).attributes.at(0).second, "/x");
}

TEST_F(TraceStoreTest, FindsATraceByTheBeginningOfItsId) {
  TraceOf one(store, random);
  one.root("one", kNoon, 1ms);
  TraceOf(store, random).root("other", kNoon, 1ms);

  auto found = store.find(one.id().substr(0, 7));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->trace_id, one.id());
}

TEST_F(TraceStoreTest, SaysWhyItFindsNoTrace) {
  for (int i = 0; i < 3; ++i) {
    Span span;
    span.context.trace_id.fill(0x11);
    span.context.trace_id[15] = static_cast<char>(i);
    store.record(span);
  }

  EXPECT_EQ(store.find("11111111").error().code, ErrorCode::Conflict);
  EXPECT_EQ(store.find("2222").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store.find("111").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(store.find("ABCD").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(store.find(std::string(33, '1')).error().code, ErrorCode::InvalidArgument);
}

TEST_F(TraceStoreTest, ListsTracesNewestFirst) {
  TraceOf(store, random).root("second", kNoon + 1s, 1ms);
  TraceOf(store, random).root("third", kNoon + 2s, 1ms);
  TraceOf(store, random).root("first", kNoon, 1ms);

  EXPECT_THAT(names({}), ElementsAre("third", "second", "first"));
  EXPECT_THAT(names({.limit = 2}), ElementsAre("third", "second"));
  EXPECT_THAT(names({.before = kNoon + 1s}), ElementsAre("first"));
}

TEST_F(TraceStoreTest, SumsATraceUpOverAllItsSpans) {
  TraceOf trace(store, random);
  trace.child("delivery", kNoon + 1s, 4s, true);
  trace.root("POST /orders", kNoon, 10ms, false, {{"http.route", "/orders"}});

  auto found = store.search({});

  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].trace_id, trace.id());
  EXPECT_EQ(found[0].name, "POST /orders");
  EXPECT_EQ(found[0].service, "weft");
  EXPECT_EQ(found[0].route, "/orders");
  EXPECT_EQ(found[0].start, kNoon);
  EXPECT_EQ(found[0].duration, 5s);
  EXPECT_EQ(found[0].span_count, 2U);
  EXPECT_EQ(found[0].failed_count, 1U);
}

TEST_F(TraceStoreTest, NamesATraceWithoutItsRootAfterItsEarliestSpan) {
  TraceOf trace(store, random);
  trace.child("late", kNoon + 1s, 1ms).child("early", kNoon, 1ms);

  EXPECT_THAT(names({}), ElementsAre("early"));
}

TEST_F(TraceStoreTest, SelectsByFailureDurationRouteServiceAndAttributes) {
  TraceOf(store, random).root("failed", kNoon, 1ms, true);
  TraceOf(store, random).root("slow", kNoon + 1s, 3s, false, {{"http.route", "/slow"}});
  TraceOf(store, random)
      .root("foreign", kNoon + 2s, 1ms, false, {{"service.name", "crm"}})
      .child("in weft", kNoon + 2s, 1ms, false, {{"stream", "orders"}, {"tenant", "acme"}});

  EXPECT_THAT(names({.failed_only = true}), ElementsAre("failed"));
  EXPECT_THAT(names({.duration_min = 3s}), ElementsAre("slow"));
  EXPECT_THAT(names({.route = "/slow"}), ElementsAre("slow"));
  EXPECT_THAT(names({.service = "crm"}), ElementsAre("foreign"));
  EXPECT_THAT(names({.service = "weft"}), ElementsAre("foreign", "slow", "failed"));
  EXPECT_THAT(names({.attributes = {{"stream", "orders"}, {"tenant", "acme"}}}),
              ElementsAre("foreign"));
  EXPECT_THAT(names({.attributes = {{"stream", "orders"}, {"tenant", "other"}}}), IsEmpty());
  EXPECT_THAT(names({.service = "crm", .failed_only = true}), IsEmpty());
}

TEST_F(TraceStoreTest, SelectsByTheBeginningOfTheId) {
  TraceOf one(store, random);
  one.root("one", kNoon, 1ms);
  TraceOf(store, random).root("other", kNoon, 1ms);

  EXPECT_THAT(names({.id_prefix = one.id().substr(0, 6)}), ElementsAre("one"));
  EXPECT_THAT(names({.id_prefix = "not hex"}), IsEmpty());
}

TEST_F(TraceStoreTest, ShortensWhatIsTooLongInsteadOfRefusingIt) {
  std::vector<std::pair<std::string, std::string>> many(100, {"key", std::string(5'000, 'v')});
  TraceOf trace(store, random);
  trace.root(std::string(1'000, 'n'), kNoon, 1ms, false, many);

  auto found = store.find(trace.id());

  ASSERT_TRUE(found);
  const auto& span = found->spans.at(0);
  EXPECT_EQ(span.name, std::string(kNameBytesMax, 'n'));
  EXPECT_EQ(span.attributes.at(0).second, std::string(kValueBytesMax, 'v'));
  EXPECT_EQ(span.attributes.size(), 15U);
}

TEST(TraceStoreRing, KeepsWithinItsMemoryAndDropsTheOldest) {
  TraceStoreOptions options;
  options.bytes_max = 4 * sizeof(SpanChunk);
  TraceStore store(options);
  SeededRandom random(1);
  TraceOf oldest(store, random);
  oldest.root("oldest", kNoon, 1ms);
  const std::vector<std::pair<std::string, std::string>> kilobyte = {
      {"k", std::string(1'000, 'v')}};
  for (int i = 0; i < 1'000; ++i) {
    TraceOf(store, random).root(std::to_string(i), kNoon + 1s * i, 1ms, false, kilobyte);
  }

  auto stats = store.stats();
  auto found = store.search({.limit = 10'000});

  EXPECT_EQ(stats.spans_recorded, 1'001U);
  EXPECT_LE(stats.bytes, options.bytes_max);
  EXPECT_EQ(stats.spans_evicted + found.size(), 1'001U);
  EXPECT_GT(found.size(), 200U);
  EXPECT_EQ(found.front().name, "999");
  EXPECT_EQ(store.find(oldest.id()).error().code, ErrorCode::NotFound);
}

TEST(TraceStoreRing, SaysWhichTracesLostSpans) {
  TraceStoreOptions options;
  options.bytes_max = 4 * sizeof(SpanChunk);
  TraceStore store(options);
  SeededRandom random(1);
  TraceOf torn(store, random);
  torn.root("gateway", kNoon, 1ms);
  while (store.stats().spans_evicted == 0) TraceOf(store, random).root("filler", kNoon, 1ms);
  torn.child("delivery", kNoon + 1s, 1ms);
  TraceOf whole(store, random);
  whole.root("whole", kNoon + 2s, 1ms);

  auto found = store.search({.limit = 2});

  EXPECT_FALSE(store.find(torn.id())->is_complete);
  EXPECT_TRUE(store.find(whole.id())->is_complete);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].is_complete);
  EXPECT_EQ(found[1].name, "delivery");
  EXPECT_FALSE(found[1].is_complete);
}

TEST(TraceStoreThreads, LosesNoSpanOfAnyThreadAndIsReadMeanwhile) {
  TraceStore store;
  constexpr int kThreads = 4;
  constexpr int kSpans = 5'000;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      for (const auto& summary : store.search({.limit = 5})) EXPECT_EQ(summary.name, "span");
    }
  });

  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&store, t] {
      SeededRandom random(static_cast<std::uint64_t>(t));
      for (int i = 0; i < kSpans; ++i) TraceOf(store, random).root("span", kNoon, 1ms);
    });
  }
  for (auto& writer : writers) writer.join();
  done = true;
  reader.join();

  EXPECT_EQ(store.stats().spans_recorded, std::uint64_t{kThreads * kSpans});
  EXPECT_EQ(store.search({.limit = 1'000'000}).size(), std::size_t{kThreads * kSpans});
}

TEST(TraceStoreThreads, ThreadsThatComeAndGoDoNotTakeMemoryEach) {
  TraceStore store;
  SeededRandom random(1);

  for (int i = 0; i < 50; ++i) {
    std::thread([&] { TraceOf(store, random).root("span", kNoon, 1ms); }).join();
  }

  EXPECT_EQ(store.stats().bytes, sizeof(SpanChunk));
  EXPECT_EQ(store.stats().spans_recorded, 50U);
}

TEST(TraceStoreThreads, AThreadMayOutliveTheStoreAndUseAnother) {
  SeededRandom random(1);
  for (int i = 0; i < 3; ++i) {
    TraceStore one;
    TraceStore two;
    TraceOf(one, random).root("one", kNoon, 1ms);
    TraceOf(two, random).root("two", kNoon, 1ms);
    TraceOf(one, random).root("one", kNoon, 1ms);

    EXPECT_EQ(one.stats().spans_recorded, 2U);
    EXPECT_EQ(two.stats().spans_recorded, 1U);
  }
}

std::size_t count_of(const std::vector<SpanSlice>& slices) {
  std::size_t count = 0;
  for (const auto& slice : slices) count += slice.size();
  return count;
}

TEST(TraceStoreExport, GivesEachSpanOnceFromTheStartOfExportOn) {
  TraceStore store;
  SeededRandom random(1);
  TraceOf(store, random).root("before", kNoon, 1ms);
  const auto queue = store.start_export();

  for (int i = 0; i < 3'000; ++i) TraceOf(store, random).root("span", kNoon, 1ms);

  std::size_t taken = 0;
  for (auto part = store.take_unexported(queue, 512); !part.empty();
       part = store.take_unexported(queue, 512)) {
    EXPECT_LE(count_of(part), 512U);
    taken += count_of(part);
  }
  EXPECT_EQ(taken, 3'000U);
  TraceOf(store, random).root("later", kNoon, 1ms);
  EXPECT_EQ(count_of(store.take_unexported(queue, 512)), 1U);
}

TEST(TraceStoreExport, GivesEachExporterAllSpansAtItsOwnPace) {
  TraceStore store;
  SeededRandom random(1);
  const auto quick = store.start_export();
  const auto slow = store.start_export();
  TraceOf(store, random).root("one", kNoon, 1ms);
  TraceOf(store, random).root("two", kNoon, 1ms);

  EXPECT_EQ(count_of(store.take_unexported(quick, 10)), 2U);
  TraceOf(store, random).root("three", kNoon, 1ms);

  EXPECT_EQ(count_of(store.take_unexported(quick, 10)), 1U);
  EXPECT_EQ(count_of(store.take_unexported(slow, 1)), 1U);
  EXPECT_EQ(count_of(store.take_unexported(slow, 10)), 2U);
  EXPECT_EQ(count_of(store.take_unexported(slow, 10)), 0U);
}

TEST(TraceStoreExport, AnExporterThatIsAwayCostsTheOtherNothing) {
  TraceStoreOptions options;
  options.export_chunks_max = 2;
  TraceStore store(options);
  SeededRandom random(1);
  const auto quick = store.start_export();
  const auto away = store.start_export();

  std::size_t taken = 0;
  for (int i = 0; i < 5'000; ++i) {
    TraceOf(store, random).root("span", kNoon, 1ms);
    if (i % 100 == 99) taken += count_of(store.take_unexported(quick, 1'000));
  }

  EXPECT_EQ(taken, 5'000U);
  EXPECT_EQ(store.unexported(quick), 0U);
  EXPECT_EQ(store.unexported(away) + count_of(store.take_unexported(away, 1'000'000)), 5'000U);
  EXPECT_GT(store.unexported(away), 1'000U);
}

TEST(TraceStoreExport, BoundsWhatWaitsForASlowExporterAndCountsTheRest) {
  TraceStoreOptions options;
  options.export_chunks_max = 2;
  TraceStore store(options);
  const auto queue = store.start_export();
  SeededRandom random(1);
  for (int i = 0; i < 5'000; ++i) TraceOf(store, random).root("span", kNoon, 1ms);

  const auto taken = count_of(store.take_unexported(queue, 1'000'000));

  EXPECT_LT(taken, 5'000U);
  EXPECT_GT(taken, 1'000U);
  EXPECT_EQ(store.stats().spans_unexported + taken, 5'000U);
}

}  // namespace
}  // namespace weft::telemetry
