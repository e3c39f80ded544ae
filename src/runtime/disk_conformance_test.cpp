// What every back end of the file system seam must do alike.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/disk.h"
#include "runtime/run_until_done.h"
#include "runtime/world.h"

namespace weft {
namespace {

using testing::ElementsAre;

// A back end with an empty folder to work in.
class Posix {
 public:
  Posix() {
    std::string pattern = testing::TempDir() + "weft-conformance-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Posix() { std::filesystem::remove_all(folder_); }

  FileSystem& disk() { return disk_; }
  std::string folder() const { return folder_; }
  template <class T>
  T run(Task<T> task) {
    return run_until_done(std::move(task));
  }

 private:
  PosixFileSystem disk_;
  std::string folder_;
};

class Simulated {
 public:
  Simulated() { EXPECT_TRUE(run(world_.disk.create_directories(folder()))); }

  FileSystem& disk() { return world_.disk; }
  std::string folder() const { return "/data"; }
  template <class T>
  T run(Task<T> task) {
    return world_.run(std::move(task));
  }

 private:
  World world_{1};
};

template <class BackEnd>
class DiskConformance : public testing::Test {
 protected:
  std::string path(std::string_view name) const {
    return back_end_.folder() + "/" + std::string(name);
  }
  template <class T>
  T run(Task<T> task) {
    return back_end_.run(std::move(task));
  }
  FileSystem& disk() { return back_end_.disk(); }

  std::unique_ptr<File> open(std::string_view name, OpenMode mode = OpenMode::CreateOrOpen) {
    auto file = run(disk().open(path(name), mode));
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(*file) : nullptr;
  }
  Result<> write(File& file, std::uint64_t offset, std::vector<std::string_view> buffers) {
    return run(file.write_at(buffers, offset));
  }
  std::string read(File& file, std::uint64_t offset, std::size_t size) {
    std::string text(size, '?');
    auto got = run(file.read_at(text, offset));
    EXPECT_TRUE(got) << got.error().message;
    text.resize(got.value_or(0));
    return text;
  }
  template <class T>
  static ErrorCode code_of(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? ErrorCode::Internal : result.error().code;
  }

  BackEnd back_end_;
};

using BackEnds = testing::Types<Posix, Simulated>;
TYPED_TEST_SUITE(DiskConformance, BackEnds);

TYPED_TEST(DiskConformance, WritesBuffersInOrderAndReadsUpToTheEnd) {
  auto file = this->open("a");
  ASSERT_TRUE(this->write(*file, 0, {"0123", "", "456789"}));
  ASSERT_TRUE(this->write(*file, 3, {"ab", "c"}));

  EXPECT_EQ(this->read(*file, 0, 100), "012abc6789");
  EXPECT_EQ(this->read(*file, 8, 1), "8");
  EXPECT_EQ(this->read(*file, 10, 5), "");
  EXPECT_EQ(this->read(*file, 999, 5), "");
}

TYPED_TEST(DiskConformance, AGapReadsAsZeros) {
  auto file = this->open("a");

  ASSERT_TRUE(this->write(*file, 5'000, {"x"}));

  EXPECT_EQ(this->run(file->size()).value(), 5'001U);
  EXPECT_EQ(this->read(*file, 0, 5'000), std::string(5'000, '\0'));
}

TYPED_TEST(DiskConformance, TruncatesAndGrowsWithZeros) {
  auto file = this->open("a");
  ASSERT_TRUE(this->write(*file, 0, {"abcdef"}));

  ASSERT_TRUE(this->run(file->truncate(2)));
  ASSERT_TRUE(this->run(file->truncate(4)));

  EXPECT_EQ(this->read(*file, 0, 10), std::string("ab\0\0", 4));
}

TYPED_TEST(DiskConformance, AllocatesWithoutTouchingContentAndNeverShrinks) {
  auto file = this->open("a");
  ASSERT_TRUE(this->write(*file, 0, {"abc"}));

  ASSERT_TRUE(this->run(file->allocate(8'192)));
  ASSERT_TRUE(this->run(file->allocate(4)));
  ASSERT_TRUE(this->run(file->sync()));

  EXPECT_EQ(this->run(file->size()).value(), 8'192U);
  EXPECT_EQ(this->read(*file, 0, 5), std::string("abc\0\0", 5));
}

TYPED_TEST(DiskConformance, OpensByMode) {
  auto created = this->open("a", OpenMode::CreateNew);
  ASSERT_TRUE(this->write(*created, 0, {"x"}));

  EXPECT_EQ(this->code_of(this->run(this->disk().open(this->path("a"), OpenMode::CreateNew))),
            ErrorCode::AlreadyExists);
  EXPECT_EQ(this->code_of(this->run(this->disk().open(this->path("b"), OpenMode::Read))),
            ErrorCode::NotFound);
  EXPECT_EQ(this->code_of(this->run(this->disk().open(this->path("b"), OpenMode::ReadWrite))),
            ErrorCode::NotFound);
  EXPECT_EQ(this->code_of(this->run(this->disk().open(this->path("no/b"), OpenMode::CreateOrOpen))),
            ErrorCode::NotFound);
  EXPECT_EQ(this->read(*this->open("a", OpenMode::CreateOrOpen), 0, 5), "x");
  auto reader = this->open("a", OpenMode::Read);
  EXPECT_FALSE(this->write(*reader, 0, {"y"}));
  EXPECT_EQ(this->read(*reader, 0, 5), "x");
}

TYPED_TEST(DiskConformance, CreatesFoldersWithTheirParentsAndTwice) {
  ASSERT_TRUE(this->run(this->disk().create_directories(this->path("x/y/z"))));
  ASSERT_TRUE(this->run(this->disk().create_directories(this->path("x/y/z"))));
  this->open("x/y/z/a");

  EXPECT_THAT(this->run(this->disk().list(this->path("x/y"))).value(), ElementsAre("z"));
  EXPECT_THAT(this->run(this->disk().list(this->path("x/y/z"))).value(), ElementsAre("a"));
  EXPECT_EQ(this->code_of(this->run(this->disk().create_directories(this->path("x/y/z/a/b")))),
            ErrorCode::FailedPrecondition);
  EXPECT_EQ(this->code_of(this->run(this->disk().list(this->path("none")))), ErrorCode::NotFound);
}

TYPED_TEST(DiskConformance, RenameReplacesAndTheOldFileStaysReadableForItsHolder) {
  ASSERT_TRUE(this->write(*this->open("new"), 0, {"new"}));
  auto old = this->open("old");
  ASSERT_TRUE(this->write(*old, 0, {"old"}));

  ASSERT_TRUE(this->run(this->disk().rename(this->path("new"), this->path("old"))));
  ASSERT_TRUE(this->run(this->disk().sync_directory(this->back_end_.folder())));

  EXPECT_THAT(this->run(this->disk().list(this->back_end_.folder())).value(), ElementsAre("old"));
  EXPECT_EQ(this->run(read_file(this->disk(), this->path("old"), 10)).value(), "new");
  EXPECT_EQ(this->read(*old, 0, 10), "old");
  EXPECT_EQ(this->code_of(this->run(this->disk().rename(this->path("none"), this->path("x")))),
            ErrorCode::NotFound);
}

TYPED_TEST(DiskConformance, RemovesFilesAndEmptyFolders) {
  ASSERT_TRUE(this->run(this->disk().create_directories(this->path("folder"))));
  this->open("folder/a");

  EXPECT_EQ(this->code_of(this->run(this->disk().remove(this->path("folder")))),
            ErrorCode::FailedPrecondition);
  ASSERT_TRUE(this->run(this->disk().remove(this->path("folder/a"))));
  ASSERT_TRUE(this->run(this->disk().remove(this->path("folder"))));
  EXPECT_EQ(this->code_of(this->run(this->disk().remove(this->path("folder")))),
            ErrorCode::NotFound);
}

TYPED_TEST(DiskConformance, LocksExcludeUntilTheHandleGoes) {
  auto lock = this->run(this->disk().lock(this->path("lock")));
  ASSERT_TRUE(lock);

  EXPECT_EQ(this->code_of(this->run(this->disk().lock(this->path("lock")))),
            ErrorCode::AlreadyExists);

  lock->reset();
  EXPECT_TRUE(this->run(this->disk().lock(this->path("lock"))));
}

TYPED_TEST(DiskConformance, ReplacesAWholeFileAndLeavesNoTemporary) {
  ASSERT_TRUE(this->run(write_file_durably(this->disk(), this->path("a"), "a longer content")));
  ASSERT_TRUE(this->run(write_file_durably(this->disk(), this->path("a"), "short")));

  EXPECT_EQ(this->run(read_file(this->disk(), this->path("a"), 5)).value(), "short");
  EXPECT_EQ(this->code_of(this->run(read_file(this->disk(), this->path("a"), 4))),
            ErrorCode::ResourceExhausted);
  EXPECT_THAT(this->run(this->disk().list(this->back_end_.folder())).value(), ElementsAre("a"));
}

TYPED_TEST(DiskConformance, KnowsItsFreeSpace) {
  EXPECT_GT(this->run(this->disk().free_bytes(this->back_end_.folder())).value(), 0U);
}

}  // namespace
}  // namespace weft
