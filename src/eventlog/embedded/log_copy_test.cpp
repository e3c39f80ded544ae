#include "eventlog/embedded/log_copy.h"

#include <fstream>

#include "eventlog/embedded/log_test_bench.h"

namespace weft::eventlog {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class LogCopyTest : public testing::Test {
 protected:
  LogCopyTest() : log_(folder_.path() + "/log") {
    log_.options.wal_file_bytes = 256 * 1024;
    log_.options.small_segments_max = 0;
    EXPECT_TRUE(log_.open());
  }
  ~LogCopyTest() override { log_.close(); }

  // What a backup does with the pieces.
  std::string restore(const LogCopy& copy, const std::string& name) {
    auto to = folder_.path() + "/" + name;
    std::filesystem::create_directories(to + "/wal");
    std::filesystem::create_directories(to + "/segments");
    std::ofstream(to + "/MANIFEST", std::ios::binary) << copy.manifest;
    for (const auto& piece : copy.pieces) {
      std::ifstream from(folder_.path() + "/log/" + piece.name, std::ios::binary);
      std::string bytes(piece.bytes, '\0');
      from.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      EXPECT_EQ(from.gcount(), static_cast<std::streamsize>(bytes.size())) << piece.name;
      std::ofstream(to + "/" + piece.name, std::ios::binary) << bytes;
    }
    return to;
  }
  std::vector<std::string> values_in(const std::string& folder, StreamId stream) {
    LogOnDisk restored(folder);
    restored.options.wal_file_bytes = log_.options.wal_file_bytes;
    auto opened = restored.open();
    EXPECT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(restored.log->status().damaged_ranges, 0u);
    EXPECT_EQ(restored.log->status().cut_bytes, 0u);
    return restored.values({stream, 0});
  }

  TemporaryFolder folder_;
  LogOnDisk log_;
};

TEST_F(LogCopyTest, HoldsWhatWasAppendedBeforeItAndNothingAfter) {
  auto stream = log_.create("a");
  log_.append(stream, "placed");
  ASSERT_TRUE(log_.run(log_.log->tidy()));
  log_.append(stream, "in the write-ahead log");

  auto copy = log_.run(log_.log->begin_copy());
  ASSERT_TRUE(copy) << copy.error().message;
  log_.append(stream, "later");
  auto restored = restore(*copy, "restored");
  ASSERT_TRUE(log_.run(log_.log->end_copy()));

  EXPECT_THAT(values_in(restored, stream), ElementsAre("placed", "in the write-ahead log"));
}

TEST_F(LogCopyTest, OfAnEmptyLogIsAnEmptyLog) {
  auto copy = log_.run(log_.log->begin_copy());
  ASSERT_TRUE(copy);
  auto restored = restore(*copy, "restored");

  LogOnDisk again(restored);
  ASSERT_TRUE(again.open());
  EXPECT_THAT(again.log->streams(), SizeIs(0));
}

TEST_F(LogCopyTest, KeepsItsFilesWhilePlacementRetentionAndMergingGoOn) {
  auto stream = log_.create("a");
  std::vector<std::string> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(std::to_string(i));
    log_.append(stream, all.back());
    ASSERT_TRUE(log_.run(log_.log->tidy()));
  }
  auto sealed = std::string(100 * 1024, 'x');
  log_.append(stream, sealed);
  all.push_back(sealed);

  auto copy = log_.run(log_.log->begin_copy());
  ASSERT_TRUE(copy);
  for (int i = 0; i < 4; ++i) log_.append(stream, sealed);
  ASSERT_TRUE(log_.run(log_.log->delete_records({stream, 0}, 5)));
  ASSERT_TRUE(log_.run(log_.log->tidy()));
  ASSERT_TRUE(log_.run(log_.log->tidy()));

  EXPECT_EQ(values_in(restore(*copy, "restored"), stream), all);
}

TEST_F(LogCopyTest, GivesItsSpaceBackAtItsEnd) {
  auto stream = log_.create("a");
  log_.append(stream, "old");
  ASSERT_TRUE(log_.run(log_.log->tidy()));
  auto copy = log_.run(log_.log->begin_copy());
  ASSERT_TRUE(copy->pieces.at(0).name.starts_with("segments/"));
  auto segment = folder_.path() + "/log/" + copy->pieces[0].name;
  ASSERT_TRUE(log_.run(log_.log->delete_records({stream, 0}, 1)));
  ASSERT_TRUE(log_.run(log_.log->tidy()));
  EXPECT_TRUE(std::filesystem::exists(segment));

  ASSERT_TRUE(log_.run(log_.log->end_copy()));
  ASSERT_TRUE(log_.run(log_.log->tidy()));

  EXPECT_FALSE(std::filesystem::exists(segment));
}

TEST_F(LogCopyTest, IsMadeOneAtATime) {
  ASSERT_TRUE(log_.run(log_.log->begin_copy()));

  EXPECT_EQ(log_.run(log_.log->begin_copy()).error().code, ErrorCode::Conflict);

  ASSERT_TRUE(log_.run(log_.log->end_copy()));
  EXPECT_TRUE(log_.run(log_.log->begin_copy()));
}

}  // namespace
}  // namespace weft::eventlog
