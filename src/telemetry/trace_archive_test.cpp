#include "telemetry/trace_archive.h"

#include <gmock/gmock.h>

#include "runtime/run_until_done.h"
#include "runtime/simulated_clock.h"
#include "runtime/simulated_disk.h"
#include "telemetry/trace_store.h"

namespace weft::telemetry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kMorning{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 8h};
constexpr auto kFolder = "data/traces";

struct TraceArchiveTest : testing::Test {
  SeededRandom random{1};
  IoContext loop{1};
  SimulatedClock clock{loop};
  SimulatedFileSystem files{clock, 1};
  TraceArchiveOptions options{kFolder, 64 * 1024 * 1024, 24h};
  std::unique_ptr<TraceStore> store = start();

  std::unique_ptr<TraceStore> start(TraceStoreOptions with = {}) {
    auto made = std::make_unique<TraceStore>(with);
    auto archive = TraceArchive::open(files, options);
    EXPECT_TRUE(archive) << archive.error().message;
    made->open_archive(std::move(*archive));
    return made;
  }
  void restart() {
    store.reset();
    store = start();
  }

  // Returns the trace's id.
  std::string record(std::string name, WallTime start,
                     std::vector<std::pair<std::string, std::string>> attributes = {},
                     bool failed = false, Duration duration = 1ms) {
    return record_in(TraceContext::start(random), std::move(name), start, std::move(attributes),
                     failed, duration);
  }
  std::string record_in(TraceContext context, std::string name, WallTime start,
                        std::vector<std::pair<std::string, std::string>> attributes = {},
                        bool failed = false, Duration duration = 1ms) {
    Span span;
    span.context = context;
    span.name = std::move(name);
    span.start = start;
    span.end = start + duration;
    span.failed = failed;
    span.attributes = std::move(attributes);
    store->record(span);
    return context.trace_id_hex();
  }
  TraceContext unsampled() {
    auto context = TraceContext::start(random);
    context.sampled = false;
    return context;
  }
  std::vector<std::string> names(const TraceQuery& query) const {
    std::vector<std::string> found;
    for (const auto& summary : store->search(query)) found.push_back(summary.name);
    return found;
  }
  std::vector<std::string> segment_files() {
    return run_until_done(files.list(kFolder)).value_or(std::vector<std::string>());
  }
};

TEST_F(TraceArchiveTest, FindsATraceOnceWhereverItsSpansAre) {
  auto context = TraceContext::start(random);
  record_in(context, "POST /orders", kMorning);
  EXPECT_EQ(store->find(context.trace_id_hex())->spans.size(), 1U);
  store->settle(kMorning);
  record_in(context.child(random), "deliver", kMorning + 1s);

  auto found = store->find(context.trace_id_hex());
  auto listed = store->search({});

  ASSERT_TRUE(found);
  ASSERT_EQ(found->spans.size(), 2U);
  EXPECT_EQ(found->spans[0].name, "POST /orders");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].span_count, 2U);
  EXPECT_EQ(listed[0].name, "POST /orders");
}

TEST_F(TraceArchiveTest, KeepsTracesOverARestartWithAllTheyAreFoundBy) {
  auto id = record("POST /orders", kMorning,
                   {{"http.route", "/orders"}, {"weft.business_key", "SO-4711"}}, true, 3s);
  record("GET /stock", kMorning + 1s,
         {{"http.route", "/stock"}, {"weft.business_key.part", "P-1"}});
  store->settle(kMorning);

  restart();

  EXPECT_EQ(store->find(id)->spans.at(0).attributes.at(1).second, "SO-4711");
  EXPECT_EQ(store->find(id.substr(0, 5))->trace_id, id);
  EXPECT_THAT(names({}), ElementsAre("GET /stock", "POST /orders"));
  EXPECT_THAT(names({.route = "/orders"}), ElementsAre("POST /orders"));
  EXPECT_THAT(names({.business_key = "SO-4711"}), ElementsAre("POST /orders"));
  EXPECT_THAT(names({.business_key = "P-1"}), ElementsAre("GET /stock"));
  EXPECT_THAT(names({.business_key = "SO-4712"}), IsEmpty());
  EXPECT_THAT(names({.failed_only = true}), ElementsAre("POST /orders"));
  EXPECT_THAT(names({.duration_min = 2s}), ElementsAre("POST /orders"));
  EXPECT_THAT(names({.since = kMorning + 1s}), ElementsAre("GET /stock"));
  EXPECT_THAT(names({.before = kMorning + 1s}), ElementsAre("POST /orders"));
  EXPECT_EQ(store->search({.route = "/orders"}).at(0).business_keys,
            std::vector<std::string>{"SO-4711"});
  EXPECT_TRUE(store->find(id)->is_complete);
}

TEST_F(TraceArchiveTest, StaysWithinItsBytesAndDropsTheOldest) {
  options.bytes_max = 512 * 1024;
  restart();
  auto first = record("first", kMorning);
  const std::vector<std::pair<std::string, std::string>> kilobyte = {
      {"k", std::string(1'000, 'v')}};
  for (int i = 0; i < 2'000; ++i) {
    record(std::to_string(i), kMorning + 1s * i, kilobyte);
    if (i % 20 == 0) store->settle(kMorning);
  }
  store->settle(kMorning);

  EXPECT_LE(store->stats().archive_bytes, options.bytes_max);
  EXPECT_GT(store->stats().archive_bytes, options.bytes_max / 2);
  EXPECT_EQ(store->stats().spans_unarchived, 0U);
  EXPECT_EQ(store->find(first).error().code, ErrorCode::NotFound);
  EXPECT_THAT(names({.limit = 2}), ElementsAre("1999", "1998"));
  restart();
  EXPECT_THAT(names({.limit = 2}), ElementsAre("1999", "1998"));
  EXPECT_GT(names({.limit = 5'000}).size(), 200U);
}

TEST_F(TraceArchiveTest, PagesThroughSegmentsWithoutLossOrRepetition) {
  options.bytes_max = 4 * 1024 * 1024;
  restart();
  for (int i = 0; i < 3'000; ++i)
    record(std::to_string(i), kMorning + 1s * i, {{"k", std::string(300, 'v')}});
  store->settle(kMorning);
  ASSERT_GT(segment_files().size(), 2U);

  std::vector<std::string> all;
  TraceQuery query;
  query.limit = 500;
  for (auto page = store->search(query); !page.empty(); page = store->search(query)) {
    for (const auto& summary : page) all.push_back(summary.name);
    query.before = page.back().position;
  }

  ASSERT_EQ(all.size(), 3'000U);
  for (int i = 0; i < 3'000; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)], std::to_string(2'999 - i));
}

TEST_F(TraceArchiveTest, SumsUpATraceWhoseBeginningIsInAnOlderSegment) {
  options.bytes_max = 4 * 1024 * 1024;
  restart();
  auto context = TraceContext::start(random);
  record_in(context, "POST /orders", kMorning);
  for (int i = 0; i < 3'000; ++i) record("filler", kMorning + 1s, {{"k", std::string(300, 'v')}});
  store->settle(kMorning);
  auto retry = context.child(random);
  record_in(retry, "deliver", kMorning + 1h, {}, true);

  auto newest = store->search({.limit = 1});

  ASSERT_EQ(newest.size(), 1U);
  EXPECT_EQ(newest[0].name, "POST /orders");
  EXPECT_EQ(newest[0].start, kMorning);
  EXPECT_EQ(newest[0].span_count, 2U);
}

TEST_F(TraceArchiveTest, DropsWhatIsTooOld) {
  record("old", kMorning);
  store->settle(kMorning);
  EXPECT_THAT(names({}), ElementsAre("old"));

  store->settle(kMorning + 25h);

  EXPECT_THAT(names({}), IsEmpty());
  EXPECT_THAT(segment_files(), IsEmpty());
  record("new", kMorning + 25h);
  store->settle(kMorning + 25h);
  EXPECT_THAT(names({}), ElementsAre("new"));
}

TEST_F(TraceArchiveTest, GoesOnBehindATornEnd) {
  record("whole", kMorning);
  store->settle(kMorning);
  auto path = std::string(kFolder) + "/" + segment_files().at(0);
  auto whole = run_until_done(read_file(files, path, 1 << 20)).value();
  record("torn", kMorning + 1s);
  store->settle(kMorning);
  auto both = run_until_done(read_file(files, path, 1 << 20)).value();

  for (auto size = whole.size(); size < both.size(); ++size) {
    store.reset();
    auto file = run_until_done(files.open(path, OpenMode::ReadWrite)).value();
    const std::string_view text = std::string_view(both).substr(0, size);
    ASSERT_TRUE(run_until_done(file->truncate(0)));
    ASSERT_TRUE(run_until_done(file->write_at({&text, 1}, 0)));
    store = start();
    EXPECT_THAT(names({}), ElementsAre("whole")) << size;
    record("next", kMorning + 2s);
    store->settle(kMorning);
    restart();
    EXPECT_THAT(names({}), ElementsAre("next", "whole")) << size;
  }
}

TEST_F(TraceArchiveTest, LeavesOutWhatIsDamaged) {
  record("good", kMorning);
  store->settle(kMorning);
  auto path = std::string(kFolder) + "/" + segment_files().at(0);
  auto good = run_until_done(read_file(files, path, 1 << 20)).value();

  for (std::size_t i = 0; i < good.size(); ++i) {
    store.reset();
    auto bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    auto file = run_until_done(files.open(path, OpenMode::ReadWrite)).value();
    const std::string_view text = bad;
    ASSERT_TRUE(run_until_done(file->write_at({&text, 1}, 0)));
    store = start();
    EXPECT_THAT(names({}), IsEmpty()) << i;
  }
}

TEST_F(TraceArchiveTest, CountsWhatAFullDiskDoesNotTakeAndGoesOnLater) {
  auto faults = DiskFaults();
  faults.write_fails = 1;
  files.set_faults(faults);
  record("lost", kMorning);
  store->settle(kMorning);
  EXPECT_EQ(store->stats().spans_unarchived, 1U);

  files.set_faults(DiskFaults());
  record("stored", kMorning);
  store->settle(kMorning);

  EXPECT_THAT(names({}), ElementsAre("stored"));
  restart();
  EXPECT_THAT(names({}), ElementsAre("stored"));
}

TEST_F(TraceArchiveTest, KeepsOfUnsampledTracesThoseThatFailOrAreSlow) {
  for (int i = 0; i < 100; ++i) record_in(unsampled(), "plain", kMorning);
  auto failing = unsampled();
  record_in(failing, "gateway", kMorning);
  record_in(unsampled(), "slow", kMorning + 1s, {}, false, 1s);
  record("sampled", kMorning + 2s);
  store->settle(kMorning);
  EXPECT_EQ(names({.limit = 500}).size(), 103U);  // undecided, so in memory
  record_in(failing.child(random), "deliver", kMorning + 1s, {}, true);
  store->settle(kMorning + 4s);

  store->settle(kMorning + 10s);

  EXPECT_THAT(names({}), ElementsAre("sampled", "slow", "gateway"));
  EXPECT_EQ(store->find(failing.trace_id_hex())->spans.size(), 2U);
  EXPECT_EQ(store->stats().spans_sampled_out, 100U);
  record_in(failing.child(random), "deliver again", kMorning + 60s);
  store->settle(kMorning + 60s);
  store->settle(kMorning + 70s);
  restart();
  EXPECT_EQ(store->find(failing.trace_id_hex())->spans.size(), 3U);
}

TEST_F(TraceArchiveTest, DecidesEarlyWhenMemoryIsShort) {
  TraceStoreOptions small;
  small.bytes_max = 2 * sizeof(SpanChunk);
  small.export_chunks_max = 1'000;
  store.reset();
  store = start(small);
  for (int i = 0; i < 5'000; ++i) record_in(unsampled(), "plain", kMorning, {}, i % 100 == 0);

  store->settle(kMorning);

  EXPECT_GT(store->stats().spans_sampled_out, 3'000U);
  store->settle(kMorning + 5s);
  EXPECT_EQ(names({.limit = 10'000}).size(), 50U);
  EXPECT_EQ(store->stats().spans_sampled_out, 4'950U);
}

TEST(TraceStoreWithArchive, AnExporterTakesNothingAwayFromAnArchiveThatIsNotOpenYet) {
  TraceStoreOptions options;
  options.has_archive = true;
  TraceStore store(options);
  const auto queue = store.start_export();
  Span span;
  span.context.trace_id.fill(0x11);
  span.context.sampled = true;
  span.start = span.end = kMorning;
  store.record(span);

  EXPECT_THAT(store.take_unexported(queue, 10), IsEmpty());

  EXPECT_EQ(store.search({}).size(), 1U);
}

TEST_F(TraceArchiveTest, GivesTheExporterWhatIsKept) {
  const auto queue = store->start_export();
  record_in(unsampled(), "plain", kMorning);
  record_in(unsampled(), "failed", kMorning, {}, true);
  store->settle(kMorning);
  EXPECT_THAT(store->take_unexported(queue, 10), IsEmpty());
  store->settle(kMorning + 5s);
  record("sampled", kMorning);
  record("sampled too", kMorning);
  store->settle(kMorning + 5s);

  std::vector<std::string> taken;
  std::vector<AttributeView> memory;
  for (auto slices = store->take_unexported(queue, 2); !slices.empty();
       slices = store->take_unexported(queue, 2)) {
    for (const auto& slice : slices) {
      for (auto i = slice.first; i < slice.last; ++i)
        taken.emplace_back(slice.chunk->view(i, memory).name);
    }
  }

  EXPECT_THAT(taken, ElementsAre("failed", "sampled", "sampled too"));
}

}  // namespace
}  // namespace weft::telemetry
