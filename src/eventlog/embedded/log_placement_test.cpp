// Placement into segments, retention, recycling and merging, over real files.
#include <unistd.h>

#include <fstream>

#include "base/bytes.h"
#include "eventlog/embedded/log_test_bench.h"

namespace weft::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

class LogPlacementTest : public ::testing::Test {
 protected:
  LogPlacementTest() : node(folder.path() + "/log") {
    node.options.wal_file_bytes = 128 * 1024;
    node.options.small_segments_max = 3;
    open();
  }
  void open() {
    auto opened = node.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
  }
  // All records of a test are placed at once, in one extent, however slow the machine is.
  void open_with_one_wal_file() {
    node.close();
    node.options.wal_file_bytes = 1024 * 1024;
    open();
  }
  void tidy() {
    auto tidied = node.run(node.log->tidy());
    ASSERT_TRUE(tidied.has_value()) << tidied.error().message;
  }
  std::string segments() const { return node.options.folder + "/segments"; }
  std::string wal() const { return node.options.folder + "/wal"; }

  TemporaryFolder folder;
  LogOnDisk node;
};

TEST_F(LogPlacementTest, MovesRecordsToSegmentsAndReadsThemThere) {
  auto stream = node.create("orders", 3);
  std::vector<std::vector<std::string>> expected(3);
  for (int i = 0; i < 90; ++i) {
    auto index = static_cast<std::size_t>(i % 3);
    expected[index].push_back(std::to_string(i));
    node.append({stream, i % 3}, batch_of({expected[index].back()}));
  }

  tidy();

  EXPECT_THAT(names_in(segments()), SizeIs(1));
  for (std::int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(node.values({stream, i}), expected[static_cast<std::size_t>(i)]);
  }
  node.reopen();
  for (std::int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(node.values({stream, i}), expected[static_cast<std::size_t>(i)]);
    EXPECT_EQ(node.values({stream, i}, 17),
              std::vector<std::string>(expected[static_cast<std::size_t>(i)].begin() + 17,
                                       expected[static_cast<std::size_t>(i)].end()));
  }
}

// The bytes that a fetch gives, from memory and from files, in their order.
std::string bytes_of(const FetchedPartition& fetched) {
  std::string all;
  auto part = fetched.files.begin();
  for (std::size_t i = 0; i <= fetched.batches.size(); ++i) {
    for (; part != fetched.files.end() && part->index == i; ++part) {
      std::string piece(part->bytes.size, '\0');
      const auto got = ::pread(part->bytes.file->descriptor(), piece.data(), piece.size(),
                               static_cast<off_t>(part->bytes.at));
      EXPECT_EQ(got, static_cast<ssize_t>(piece.size()));
      all += piece;
    }
    if (i < fetched.batches.size()) all += *fetched.batches[i];
  }
  return all;
}

FetchedPartition fetch_from(LogOnDisk& node, PartitionId partition, Offset from, bool from_files) {
  FetchItem item{partition, from, 10 * 1024 * 1024};
  FetchOptions options;
  options.from_files = from_files;
  auto fetched = node.run(node.log->fetch({item}, options));
  return std::move(fetched[0]);
}

void damage_longest_run(const FetchedPartition& fetched) {
  const auto run = std::ranges::max_element(
      fetched.files, {}, [](const FileBytesBefore& part) { return part.bytes.size; });
  ASSERT_NE(run, fetched.files.end());
  const auto link = fmt::format("/proc/self/fd/{}", run->bytes.file->descriptor());
  std::fstream file(std::filesystem::read_symlink(link),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(run->bytes.at + 1000));
  file.write("damage", 6);
}

// Damages stored bytes behind the log's back, and sees that they are sent all the same.
void expect_sent_unread(LogOnDisk& node, PartitionId partition) {
  const auto fetched = fetch_from(node, partition, 0, true);
  const auto whole = bytes_of(fetched);
  damage_longest_run(fetched);

  const auto unread = bytes_of(fetch_from(node, partition, 0, true));
  EXPECT_EQ(unread.size(), whole.size());
  EXPECT_TRUE(unread != whole);
}

TEST_F(LogPlacementTest, LeavesLongRunsInTheirFileForThoseWhoSendThem) {
  open_with_one_wal_file();
  auto stream = node.create("orders");
  for (int i = 0; i < 60; ++i) node.append(stream, std::string(10'000, 'x'));
  tidy();
  node.reopen();  // nothing of it is in memory
  node.append(stream, "in memory");

  for (const Offset from : {0, 7, 40}) {
    const auto copied = fetch_from(node, {stream, 0}, from, false);
    const auto left = fetch_from(node, {stream, 0}, from, true);

    EXPECT_THAT(copied.files, SizeIs(0));
    ASSERT_THAT(left.files, SizeIs(::testing::Ge(1u))) << from;
    EXPECT_EQ(left.files[0].index, 0u);
    EXPECT_EQ(bytes_of(left), bytes_of(copied));
    EXPECT_EQ(left.next, copied.next);
  }
}

TEST_F(LogPlacementTest, CopiesShortRunsAlsoForThoseWhoSendFiles) {
  auto stream = node.create("orders");
  for (int i = 0; i < 6; ++i) node.append(stream, std::string(10'000, 'x'));
  tidy();
  node.reopen();

  EXPECT_THAT(fetch_from(node, {stream, 0}, 0, true).files, SizeIs(0));
}

TEST_F(LogPlacementTest, ARunThatStaysInItsFileIsCheckedAsWell) {
  open_with_one_wal_file();
  auto stream = node.create("orders");
  for (int i = 0; i < 60; ++i) node.append(stream, std::string(10'000, 'x'));
  tidy();
  {
    std::fstream file(segments() + "/" + names_in(segments())[0],
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200'000);
    file.write("damage", 6);
  }
  node.reopen();

  const auto copied = fetch_from(node, {stream, 0}, 0, false);
  const auto left = fetch_from(node, {stream, 0}, 0, true);

  EXPECT_LT(bytes_of(copied).size(), 60 * 10'000u);
  EXPECT_EQ(bytes_of(left), bytes_of(copied)) << "a damaged batch is left out";
  EXPECT_THAT(left.files, SizeIs(::testing::Ge(2u))) << "a run before it and one behind it";
}

TEST_F(LogPlacementTest, WhatWasReadOnceIsSentUnread) {
  open_with_one_wal_file();
  auto stream = node.create("orders");
  for (int i = 0; i < 60; ++i) node.append(stream, std::string(10'000, 'x'));
  tidy();
  node.reopen();
  FetchOptions options;
  options.from_files = true;
  for (Offset from = 0; from < 60;) {
    const FetchItem item{{stream, 0}, from, 100'000};
    const auto fetched = node.run(node.log->fetch({item}, options));
    ASSERT_GT(fetched[0].next, from);
    from = fetched[0].next;
  }

  expect_sent_unread(node, {stream, 0});
}

TEST_F(LogPlacementTest, WhatThisLifeWroteIsSentUnreadUntilTheScrubFindsDamage) {
  node.options.tail_bytes_max = 0;
  open_with_one_wal_file();
  auto stream = node.create("orders");
  for (int i = 0; i < 60; ++i) node.append(stream, std::string(10'000, 'x'));
  tidy();
  const auto whole = bytes_of(fetch_from(node, {stream, 0}, 0, true));
  expect_sent_unread(node, {stream, 0});

  ASSERT_TRUE(node.run(node.log->scrub()));
  const auto copied = bytes_of(fetch_from(node, {stream, 0}, 0, false));
  EXPECT_LT(copied.size(), whole.size());
  EXPECT_TRUE(bytes_of(fetch_from(node, {stream, 0}, 0, true)) == copied);
}

TEST_F(LogPlacementTest, KeepsAtMostTheActiveFileAndOneSpare) {
  auto stream = node.create("orders");
  for (int i = 0; i < 100; ++i) node.append(stream, std::string(10'000, 'x'));

  tidy();

  EXPECT_THAT(names_in(wal()), SizeIs(::testing::Le(2u)));
  EXPECT_THAT(node.values({stream, 0}), SizeIs(100));
}

TEST_F(LogPlacementTest, KeepsProducerStatesThatOnlyTheManifestHolds) {
  auto stream = node.create("orders");
  PartitionId partition{stream, 0};
  node.append(partition, sequenced(7, 0, 0, {"a"}));
  tidy();
  node.reopen();

  EXPECT_EQ(node.append(partition, sequenced(7, 0, 0, {"a"})).status, AppendStatus::Duplicate);
  EXPECT_EQ(node.append(partition, sequenced(7, 0, 1, {"b"})).base_offset, 1);
}

TEST_F(LogPlacementTest, DropsWhatIsOlderThanTheRetention) {
  auto settings = stream_named("orders");
  settings.retention = 1h;
  auto stream = node.run(node.log->create_stream(settings)).value().id;
  auto now = to_unix_ms(node.clock.now());
  node.append({stream, 0}, batch_of({"old"}, {}, now - 7'200'000));
  tidy();
  node.append({stream, 0}, batch_of({"new"}, {}, now));
  tidy();
  tidy();

  EXPECT_EQ(node.log->partition({stream, 0})->start, 1);
  EXPECT_THAT(node.values({stream, 0}, 1), ElementsAre("new"));
  EXPECT_THAT(names_in(segments()), SizeIs(1));
  node.reopen();
  EXPECT_EQ(node.log->partition({stream, 0})->start, 1);
}

TEST_F(LogPlacementTest, DropsTheOldestBeyondTheSizeOfAPartition) {
  auto settings = stream_named("orders");
  settings.retention_bytes = 30'000;
  auto stream = node.run(node.log->create_stream(settings)).value().id;
  for (int round = 0; round < 5; ++round) {
    node.append(stream, std::string(10'000, 'x'));
    tidy();
  }
  tidy();

  auto info = *node.log->partition({stream, 0});
  EXPECT_GE(info.bytes, 30'000u);
  EXPECT_LT(info.bytes, 45'000u);
  EXPECT_GT(info.start, 0);
}

TEST_F(LogPlacementTest, RemembersTheEndOfAPartitionThatRetentionEmptied) {
  auto settings = stream_named("orders");
  settings.retention = 1h;
  auto stream = node.run(node.log->create_stream(settings)).value().id;
  node.append({stream, 0}, batch_of({"old"}, {}, 1000));
  tidy();
  tidy();
  node.reopen();
  tidy();
  node.reopen();

  EXPECT_EQ(node.log->partition({stream, 0})->start, 1);
  EXPECT_EQ(node.append(stream, "next"), 1);
}

TEST_F(LogPlacementTest, MergesSmallSegments) {
  auto stream = node.create("orders", 2);
  std::vector<std::string> expected;
  for (int i = 0; i < 8; ++i) {
    expected.push_back(std::to_string(i));
    node.append({stream, 1}, batch_of({expected.back()}));
    tidy();
  }

  EXPECT_THAT(names_in(segments()), SizeIs(::testing::Le(4u)));
  EXPECT_EQ(node.values({stream, 1}), expected);
  node.reopen();
  EXPECT_EQ(node.values({stream, 1}), expected);
}

TEST_F(LogPlacementTest, MergesAndCompactsExtentsOfManyReads) {
  node.close();
  node.options.wal_file_bytes = 8 * 1024 * 1024;
  node.options.tail_bytes_max = 0;
  open();
  const auto merged = node.create("merged");
  auto settings = stream_named("compacted");
  settings.cleanup = Cleanup::Compact;
  const auto compacted = node.run(node.log->create_stream(settings)).value().id;
  constexpr int kRounds = 8, kRecords = 30;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kRecords; ++i) {
      const auto value = fmt::format("{}-{}-", round, i) + std::string(100'000, 'x');
      node.append(merged, value);
      auto appended = node.run(
          node.log->append(one_record(compacted, value, fmt::format("{}-{}", round % 2, i), 0)));
      ASSERT_TRUE(appended.has_value());
    }
    tidy();
  }

  for (int open = 0; open < 2; ++open) {
    EXPECT_THAT(node.values({merged, 0}), SizeIs(kRounds * kRecords));
    // Of each of the 60 keys the last value; those of the last round's keys, and of the one before.
    std::set<std::string> rounds;
    const auto left = node.values({compacted, 0});
    ASSERT_GE(left.size(), 2u * kRecords);
    EXPECT_LT(left.size(), static_cast<std::size_t>(kRounds * kRecords));
    for (std::size_t i = left.size() - 2 * kRecords; i < left.size(); ++i) {
      rounds.insert(left[i].substr(0, 1));
    }
    EXPECT_THAT(rounds, ::testing::ElementsAre("6", "7"));
    node.reopen();
  }
}

TEST_F(LogPlacementTest, GivesALargePartitionAFileOfItsOwn) {
  node.close();
  node.options.own_segment_bytes = 20'000;
  open();
  auto large = node.create("large");
  auto small = node.create("small");
  for (int i = 0; i < 5; ++i) node.append(large, std::string(10'000, 'x'));
  node.append(small, "x");

  tidy();

  EXPECT_THAT(names_in(segments()), SizeIs(2));
  EXPECT_THAT(node.values({large, 0}), SizeIs(5));
}

TEST_F(LogPlacementTest, RemovesTheSegmentsOfADeletedStream) {
  auto stream = node.create("orders");
  node.append(stream, "x");
  tidy();
  ASSERT_TRUE(node.run(node.log->delete_stream(stream)).has_value());
  tidy();

  EXPECT_THAT(names_in(segments()), SizeIs(0));
}

TEST_F(LogPlacementTest, HoldsFewDescriptorsForManySegments) {
  node.close();
  node.options.small_segments_max = 1000;
  node.options.open_files_max = 4;
  open();
  auto stream = node.create("orders");
  for (int i = 0; i < 20; ++i) {
    node.append(stream, std::to_string(i));
    tidy();
  }

  EXPECT_THAT(node.values({stream, 0}), SizeIs(20));
  EXPECT_LE(node.metrics.gauge("weft_log_open_files", "").value(), 4);
}

TEST_F(LogPlacementTest, SkipsADamagedBatchInASegmentAndKeepsTheOthers) {
  auto stream = node.create("orders", 2);
  for (int i = 0; i < 3; ++i) node.append({stream, 0}, batch_of({std::to_string(i)}));
  node.append({stream, 1}, batch_of({"other"}));
  tidy();
  node.close();
  auto path = segments() + "/" + names_in(segments()).at(0);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(64 + 61 + 5);
  file.put('!');
  file.close();
  open();

  EXPECT_THAT(node.values({stream, 0}), ElementsAre("1", "2"));
  EXPECT_EQ(node.log->partition({stream, 0})->end, 3);
  EXPECT_THAT(node.values({stream, 1}), ElementsAre("other"));
  EXPECT_GT(node.metrics.counter("weft_log_damaged_bytes_total", "").value(), 0u);
}

TEST_F(LogPlacementTest, RefusesFoldersOfANewerVersion) {
  node.close();
  auto path = node.options.folder + "/MANIFEST";
  std::string bytes;
  {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  bytes[11] = 9;
  bytes.resize(bytes.size() - 4);
  append_be(bytes, crc32c(bytes));
  std::ofstream(path, std::ios::binary) << bytes;

  auto opened = node.open();

  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(opened.error().message, ::testing::HasSubstr("newer version"));
}

}  // namespace
}  // namespace weft::eventlog
