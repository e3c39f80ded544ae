// What telemetry is kept as, byte for byte against docs/formats/golden/ (base/golden_file.h).
#include <gtest/gtest.h>

#include "base/golden_file.h"
#include "runtime/run_until_done.h"
#include "runtime/simulated_clock.h"
#include "runtime/simulated_disk.h"
#include "telemetry/log_store.h"
#include "telemetry/trace_archive.h"

namespace weft::telemetry {
namespace {

const WallTime kMoment = from_unix_ms(1'764'316'800'123);

struct Folder {
  IoContext loop{1};
  SimulatedClock clock{loop};
  SimulatedFileSystem files{clock, 1};
};

Span span() {
  Span made;
  made.context =
      TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").value();
  made.parent_id = {'\x01'};
  made.name = "POST /orders";
  made.kind = SpanKind::Server;
  made.start = kMoment;
  made.end = kMoment + 5200us;
  made.failed = true;
  made.attributes = {{"http.route", "/orders"}, {"weft.business_key", "SO-4711"}};
  return made;
}

TEST(TraceSegmentFormat, IsWhatWasCommitted) {
  constexpr auto kPath = "traces/traces-0000000001.seg";
  Folder folder;
  auto chunk = std::make_shared<SpanChunk>();
  ASSERT_TRUE(chunk->append(span()));
  auto archive = TraceArchive::open(folder.files, {"traces"}).value();
  ASSERT_TRUE(archive->append(std::vector{SpanSlice{chunk, 0, 1}}));
  auto encoded = run_until_done(read_file(folder.files, kPath, 4096)).value();

  ASSERT_EQ(golden_file_or_new("trace-segment-1.hex", encoded), encoded);
  auto segment = archive->snapshot().at(0);
  EXPECT_EQ(segment.end_max, (kMoment + 5200us).time_since_epoch().count());
  auto slices = archive->read(segment).value();
  ASSERT_EQ(slices.at(0).size(), 1u);
  EXPECT_EQ(std::string_view(slices[0].chunk->entry(0).trace_id.data(), 16),
            std::string_view(span().context.trace_id.data(), 16));
  std::vector<AttributeView> attributes;
  auto read = slices[0].chunk->view(0, attributes);
  EXPECT_EQ(read.name, "POST /orders");
  EXPECT_EQ(read.start, kMoment);
  EXPECT_TRUE(read.failed);
  EXPECT_EQ(attributes, (std::vector<AttributeView>{{"http.route", "/orders"},
                                                    {"weft.business_key", "SO-4711"}}));
}

// runtime/log_test.cpp compares what is logged today with the same file.
TEST(LogLineFormat, IsFoundByAllThatALineSays) {
  Folder folder;
  LogStore store(folder.files, {"logs"});
  ASSERT_TRUE(store.open());
  store.take(LogLevel::Warn, golden_file("log-line-1.jsonl"));

  for (const auto& query :
       {LogQuery{.level = LogLevel::Warn}, LogQuery{.module = "gateway"},
        LogQuery{.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"},
        LogQuery{.business_key = "SO-4711"}, LogQuery{.since = kMoment, .until = kMoment + 1ms}}) {
    auto page = store.search(query, kMoment);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->lines.size(), 1u);
  }
}

}  // namespace
}  // namespace weft::telemetry
