#include "runtime/disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/run_until_done.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A folder of its own for each test, removed afterwards.
class PosixDisk : public testing::Test {
 protected:
  PosixDisk() {
    std::string pattern = testing::TempDir() + "weft-disk-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PosixDisk() override { std::filesystem::remove_all(folder_); }

  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  std::unique_ptr<File> open(std::string_view name, OpenMode mode = OpenMode::CreateOrOpen) {
    auto file = run_until_done(disk_.open(path(name), mode));
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(*file) : nullptr;
  }

  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  std::string folder_;
  PosixFileSystem disk_;
};

std::string read_text(File& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  auto got = run_until_done(file.read_at(text, offset));
  EXPECT_TRUE(got);
  text.resize(got.value_or(0));
  return text;
}

Result<> write_text(File& file, std::uint64_t offset, std::vector<std::string_view> buffers) {
  return run_until_done(file.write_at(buffers, offset));
}

TEST_F(PosixDisk, WritesAllBuffersInOrderAtTheOffset) {
  auto file = open("a");
  ASSERT_TRUE(write_text(*file, 0, {"0123456789"}));

  ASSERT_TRUE(write_text(*file, 3, {"ab", "", "cde", "f"}));

  EXPECT_EQ(read_text(*file, 0, 100), "012abcdef9");
  EXPECT_EQ(read_text(*file, 8, 1), "f");
  EXPECT_EQ(read_text(*file, 10, 5), "");
}

TEST_F(PosixDisk, WritesMoreBuffersThanOneSystemCallTakes) {
  auto file = open("a");
  std::string expected;
  std::vector<std::string> parts;
  for (int i = 0; i < 200; ++i) parts.push_back(std::to_string(i) + ";");
  std::vector<std::string_view> buffers(parts.begin(), parts.end());
  for (auto part : buffers) expected += part;

  ASSERT_TRUE(write_text(*file, 0, buffers));

  EXPECT_EQ(read_text(*file, 0, 10'000), expected);
}

TEST_F(PosixDisk, KeepsFilesAndFoldersToTheirOwner) {
  ASSERT_TRUE(run_until_done(disk_.create_directories(path("x/y/z"))));
  auto file = open("x/y/z/a");

  EXPECT_EQ(mode_of(path("x")), 0700U);
  EXPECT_EQ(mode_of(path("x/y/z")), 0700U);
  EXPECT_EQ(mode_of(path("x/y/z/a")), 0600U);
}

TEST_F(PosixDisk, AllocatedSpaceReadsAsZerosAndKeepsWhatWasThere) {
  auto file = open("a");
  ASSERT_TRUE(write_text(*file, 0, {"abc"}));

  ASSERT_TRUE(run_until_done(file->allocate(4096)));
  ASSERT_TRUE(run_until_done(file->allocate(10)));

  EXPECT_EQ(run_until_done(file->size()).value(), 4096U);
  EXPECT_EQ(read_text(*file, 0, 5), std::string("abc\0\0", 5));
  struct stat status {};
  ASSERT_EQ(::fstat(file->descriptor(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 4096);
}

TEST_F(PosixDisk, TruncatesAndSyncs) {
  auto file = open("a");
  ASSERT_TRUE(write_text(*file, 0, {"abcdef"}));

  ASSERT_TRUE(run_until_done(file->truncate(2)));
  ASSERT_TRUE(run_until_done(file->sync()));

  EXPECT_EQ(read_text(*file, 0, 10), "ab");
}

TEST_F(PosixDisk, NamesWhatIsMissingTakenOrForbidden) {
  auto missing = run_until_done(disk_.open(path("none"), OpenMode::Read));
  open("taken");
  auto taken = run_until_done(disk_.open(path("taken"), OpenMode::CreateNew));
  auto no_parent = run_until_done(disk_.open(path("no/parent"), OpenMode::CreateOrOpen));
  auto in_a_file = run_until_done(disk_.create_directories(path("taken/below")));

  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_EQ(missing.error().message, "cannot open " + path("none") + ": No such file or directory");
  EXPECT_EQ(taken.error().code, ErrorCode::AlreadyExists);
  EXPECT_THAT(taken.error().message, HasSubstr("File exists"));
  EXPECT_EQ(no_parent.error().code, ErrorCode::NotFound);
  EXPECT_EQ(in_a_file.error().code, ErrorCode::FailedPrecondition);
}

// Acts as a user without rights, also when the tests run as root.
class Unprivileged {
 public:
  Unprivileged() {
    if (was_ == 0) become(65534);
  }
  ~Unprivileged() {
    if (was_ == 0) become(was_);
  }

 private:
  static void become(uid_t user) { EXPECT_EQ(::seteuid(user), 0); }

  uid_t was_ = ::geteuid();
};

TEST_F(PosixDisk, SaysPermissionDeniedWhereTheSystemDoes) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0500), 0);

  Result<std::unique_ptr<File>> refused;
  {
    Unprivileged user;
    refused = run_until_done(disk_.open(path("a"), OpenMode::CreateNew));
  }

  ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::PermissionDenied);
  EXPECT_EQ(refused.error().message, "cannot create " + path("a") + ": Permission denied");
}

TEST_F(PosixDisk, SaysResourceExhaustedWhenTheDiskIsFull) {
  auto full = run_until_done(disk_.open("/dev/full", OpenMode::ReadWrite));
  ASSERT_TRUE(full);

  auto written = write_text(**full, 0, {"x"});

  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::ResourceExhausted);
  EXPECT_EQ(written.error().message, "cannot write /dev/full: No space left on device");
}

TEST_F(PosixDisk, ListsNamesSorted) {
  open("b");
  open("a");
  ASSERT_TRUE(run_until_done(disk_.create_directories(path("c"))));

  EXPECT_THAT(run_until_done(disk_.list(folder_)).value(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(run_until_done(disk_.list(path("none"))).error().code, ErrorCode::NotFound);
}

TEST_F(PosixDisk, RenamesOverWhatIsThereAndRemoves) {
  ASSERT_TRUE(write_text(*open("from"), 0, {"new"}));
  ASSERT_TRUE(write_text(*open("to"), 0, {"old"}));

  ASSERT_TRUE(run_until_done(disk_.rename(path("from"), path("to"))));
  ASSERT_TRUE(run_until_done(disk_.sync_directory(folder_)));

  EXPECT_THAT(run_until_done(disk_.list(folder_)).value(), ElementsAre("to"));
  EXPECT_EQ(run_until_done(read_file(disk_, path("to"), 100)).value(), "new");
  ASSERT_TRUE(run_until_done(disk_.remove(path("to"))));
  EXPECT_EQ(run_until_done(disk_.remove(path("to"))).error().code, ErrorCode::NotFound);
}

TEST_F(PosixDisk, LockExcludesASecondHolderAndNamesTheFirst) {
  auto lock = run_until_done(disk_.lock(path("lock")));
  ASSERT_TRUE(lock);

  auto second = run_until_done(disk_.lock(path("lock")));

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("process {} holds it", ::getpid())));
  lock->reset();
  EXPECT_TRUE(run_until_done(disk_.lock(path("lock"))));
}

TEST_F(PosixDisk, LockOfAnotherProcessEndsWithThatProcess) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  pid_t child = ::fork();
  if (child == 0) {
    auto lock = run_until_done(disk_.lock(path("lock")));
    char byte = lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');

  auto while_held = run_until_done(disk_.lock(path("lock")));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  auto afterwards = run_until_done(disk_.lock(path("lock")));

  EXPECT_EQ(while_held.error().code, ErrorCode::AlreadyExists);
  EXPECT_THAT(while_held.error().message, HasSubstr(fmt::format("process {} ", child)));
  EXPECT_TRUE(afterwards);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PosixDisk, OpensDescriptorsThatAChildProgramDoesNotInherit) {
  auto file = open("a");

  EXPECT_EQ(::fcntl(file->descriptor(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(PosixDisk, WholeFilesAreReplacedAtOnceAndLeaveNoTemporary) {
  ASSERT_TRUE(run_until_done(write_file_durably(disk_, path("a"), "a longer first content")));
  ASSERT_TRUE(run_until_done(write_file_durably(disk_, path("a"), "second")));

  EXPECT_EQ(run_until_done(read_file(disk_, path("a"), 6)).value(), "second");
  EXPECT_THAT(run_until_done(disk_.list(folder_)).value(), ElementsAre("a"));
}

TEST_F(PosixDisk, RefusesToReadAWholeFileBeyondTheLimit) {
  ASSERT_TRUE(run_until_done(write_file_durably(disk_, path("a"), "seven b")));

  EXPECT_EQ(run_until_done(read_file(disk_, path("a"), 6)).error().code,
            ErrorCode::ResourceExhausted);
}

TEST_F(PosixDisk, KnowsTheFreeSpace) {
  EXPECT_GT(run_until_done(disk_.free_bytes(folder_)).value(), 0U);
}

TEST(ParentPath, IsTheFolderThatHoldsTheName) {
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("/a/b/"), "/a");
  EXPECT_EQ(parent_path("/a//b"), "/a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("a/b"), "a");
  EXPECT_EQ(parent_path("a"), ".");
}

}  // namespace
}  // namespace weft
