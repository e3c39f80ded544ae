#include "eventlog/embedded/log_archiver.h"

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "eventlog/embedded/log_test_bench.h"
#include "eventlog/embedded/wal_archive.h"
#include "eventlog/embedded/wal_scan.h"

namespace weft::eventlog {
namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::SizeIs;

// Copies what it is given, unless it is told to refuse.
class FolderArchive final : public WalArchive {
 public:
  explicit FolderArchive(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  Task<Result<>> keep(WalToKeep file) override {
    std::lock_guard lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    if (refuses_) co_return fail(ErrorCode::ResourceExhausted, "no space left in the archive");
    auto to = path(file.sequence);
    std::filesystem::copy_file(file.path, to, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(to, file.bytes);
    kept_.push_back(file);
    co_return Result<>();
  }

  void refuse(bool refuses) {
    std::lock_guard lock(mutex_);
    refuses_ = refuses;
  }
  std::vector<WalToKeep> wait_for(std::size_t files) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return kept_.size() >= files; });
    return kept_;
  }
  void wait_for_attempts(int more) {
    std::unique_lock lock(mutex_);
    auto wanted = attempts_ + more;
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return attempts_ >= wanted; });
  }
  std::string path(std::uint64_t sequence) const {
    return fmt::format("{}/{:016x}.wal", folder_, sequence);
  }

 private:
  std::string folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<WalToKeep> kept_;
  int attempts_ = 0;
  bool refuses_ = false;
};

class LogArchiverTest : public testing::Test {
 protected:
  LogArchiverTest() : archive_(folder_.path() + "/archive"), log_(folder_.path() + "/log") {
    log_.options.wal_file_bytes = 64 * 1024;
    log_.options.archive = &archive_;
    log_.options.maintenance_interval = std::chrono::hours(1);  // no markers but those of groups
    EXPECT_TRUE(log_.open());
  }
  ~LogArchiverTest() override { log_.close(); }

  void seal() { ASSERT_TRUE(log_.run(log_.log->tidy())); }
  // Until something else is written, so that the two have different times.
  WallTime moment() {
    auto now = to_unix_ms(log_.clock.now());
    while (to_unix_ms(log_.clock.now()) <= now) {
    }
    return from_unix_ms(now);
  }
  std::size_t wal_files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/log/wal")) {
      count += entry.path().extension() == ".wal" ? 1 : 0;
    }
    return count;
  }
  Result<WalCut> cut(std::uint64_t sequence, WalLimit limit) {
    return log_.run(cut_wal_file(log_.files, archive_.path(sequence), limit));
  }

  TemporaryFolder folder_;
  FolderArchive archive_;
  LogOnDisk log_;
};

TEST_F(LogArchiverTest, TakesEachSealedFileOnceAndInOrder) {
  auto stream = log_.create("a");
  for (int i = 0; i < 3; ++i) {
    log_.append(stream, std::to_string(i));
    seal();
  }

  auto kept = archive_.wait_for(3);

  ASSERT_THAT(kept, SizeIs(3));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].sequence, i + 1);
    auto scan = log_.run(scan_wal_file(log_.files, archive_.path(kept[i].sequence)));
    ASSERT_TRUE(scan) << scan.error().message;
    EXPECT_EQ(scan->end, kept[i].end);
    EXPECT_TRUE(scan->last_ms.has_value());
    if (i > 0) {
      EXPECT_EQ(scan->header.previous_end, kept[i - 1].end);
    }
  }
}

TEST_F(LogArchiverTest, CutsBetweenWhatWasAnsweredBeforeAMomentAndWhatWasAskedForAfterIt) {
  auto stream = log_.create("a");
  log_.append(stream, "before");
  auto between = moment();
  log_.append(stream, "after");
  seal();
  archive_.wait_for(1);

  auto all = cut(1, WalLimit());
  auto some = cut(1, WalLimit{to_unix_ms(between), std::nullopt});
  auto position = cut(1, WalLimit{std::nullopt, some->kept.end});

  ASSERT_TRUE(all && some && position);
  EXPECT_FALSE(all->is_reached);
  EXPECT_TRUE(some->is_reached);
  // The stream, "before", and a mark behind each; maintenance may have written more.
  EXPECT_THAT(some->kept.entries, Ge(4u));
  EXPECT_THAT(all->kept.entries, Ge(some->kept.entries + 2));
  EXPECT_EQ(position->kept.end, some->kept.end);
  EXPECT_TRUE(position->is_reached);
}

TEST_F(LogArchiverTest, GoesOnAndKeepsTheFilesWhileTheArchiveRefuses) {
  log_.close();
  log_.options.maintenance_interval = std::chrono::milliseconds(1);  // between two attempts
  ASSERT_TRUE(log_.open());
  archive_.refuse(true);
  auto stream = log_.create("a");
  log_.append(stream, "one");
  seal();
  archive_.wait_for_attempts(2);

  EXPECT_EQ(log_.append(stream, "two"), 1);
  auto status = log_.log->status();
  ASSERT_TRUE(status.archive);
  EXPECT_TRUE(status.archive->failing_since);
  EXPECT_GT(status.archive->waiting_bytes, 0u);
  EXPECT_THAT(wal_files(), Ge(2u));

  archive_.refuse(false);
  EXPECT_THAT(archive_.wait_for(1), SizeIs(Ge(1u)));
  EXPECT_THAT(log_.values({stream, 0}), ElementsAre("one", "two"));
}

TEST_F(LogArchiverTest, GivesTheOldestUpWhenTooMuchWaits) {
  log_.close();
  log_.options.archive_waiting_bytes_max = 3 * kWalHeaderBytes;
  ASSERT_TRUE(log_.open());
  archive_.refuse(true);
  auto stream = log_.create("a");
  for (int i = 0; i < 4; ++i) {
    log_.append(stream, std::to_string(i));
    seal();
  }
  seal();

  auto status = log_.log->status();
  EXPECT_THAT(status.archive->gaps, Ge(1u));
  EXPECT_LE(status.archive->waiting_bytes, 3 * kWalHeaderBytes);
  EXPECT_EQ(log_.values({stream, 0}).size(), 4u);
}

TEST_F(LogArchiverTest, OffersAfterAStartWhatTheFormerProcessCouldNotArchive) {
  archive_.refuse(true);
  auto stream = log_.create("a");
  for (int i = 0; i < 2; ++i) {
    log_.append(stream, std::to_string(i));
    seal();
  }
  archive_.wait_for_attempts(1);
  log_.close();
  archive_.refuse(false);

  ASSERT_TRUE(log_.open());
  log_.append(stream, "2");
  seal();

  auto kept = archive_.wait_for(3);
  ASSERT_THAT(kept, SizeIs(Ge(3u)));
  EXPECT_EQ(kept[0].sequence, 1u);
  EXPECT_EQ(kept[1].sequence, 2u);
  for (std::size_t i = 1; i < kept.size(); ++i) {
    auto scan = log_.run(scan_wal_file(log_.files, archive_.path(kept[i].sequence)));
    ASSERT_TRUE(scan);
    EXPECT_EQ(scan->header.previous_end, kept[i - 1].end);
  }
}

// A start copies the last group, which nobody has confirmed, into the next file: its mark goes
// along, or what was answered before the crash would count as later.
TEST_F(LogArchiverTest, KeepsTheTimesOfWhatAStartWritesAgain) {
  auto stream = log_.create("a");
  log_.append(stream, "answered");
  // As after a crash: what stands on the disk now, without the marker of a clean end.
  auto crashed = folder_.path() + "/crashed";
  std::filesystem::copy(folder_.path() + "/log", crashed, std::filesystem::copy_options::recursive);
  auto answered = moment();
  log_.close();

  FolderArchive archive(folder_.path() + "/archive-of-crashed");
  LogOnDisk again(crashed);
  again.options = log_.options;
  again.options.folder = crashed;
  again.options.archive = &archive;
  ASSERT_TRUE(again.open());
  again.append(stream, "later");
  ASSERT_TRUE(again.run(again.log->tidy()));
  auto kept = archive.wait_for(2);
  ASSERT_THAT(kept, SizeIs(Ge(2u)));
  again.close();

  auto first = again.run(scan_wal_file(log_.files, archive.path(1)));
  auto second = again.run(
      cut_wal_file(log_.files, archive.path(2), WalLimit{to_unix_ms(answered), std::nullopt}));
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(second->is_reached);
  EXPECT_LE(first->last_ms.value_or(0), to_unix_ms(answered));
  // In which of the two files the record stands depends on what maintenance wrote behind it.
  EXPECT_GE(first->entries + second->kept.entries, 4u) << "stream, record, and their marks";
}

TEST(LogWithoutArchive, WritesNoTimeMarks) {
  TemporaryFolder folder;
  LogOnDisk log(folder.path() + "/log");
  ASSERT_TRUE(log.open());
  auto stream = log.create("a");
  log.append(stream, "one");
  log.close();

  auto scan = log.run(scan_wal_file(log.files, folder.path() + "/log/wal/0000000000000001.wal"));

  ASSERT_TRUE(scan) << scan.error().message;
  EXPECT_FALSE(scan->last_ms);
  EXPECT_EQ(scan->entries, 3u);
  EXPECT_FALSE(log.log);
}

}  // namespace
}  // namespace weft::eventlog
