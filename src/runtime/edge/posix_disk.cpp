#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "runtime/core/os_error.h"
#include "runtime/disk.h"

namespace weft {

namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;
constexpr std::size_t kVectorMax = 64;  // buffers per pwritev

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(descriptor_); }

  Task<Result<std::size_t>> read_at(std::span<char> into, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < into.size()) {
      auto got = ::pread(descriptor_, into.data() + done, into.size() - done,
                         static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) co_return os_failure(errno, "read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    co_return done;
  }

  Task<Result<>> write_at(std::span<const std::string_view> buffers,
                          std::uint64_t offset) override {
    std::size_t skip = 0;  // bytes of buffers[0] that are written already
    while (!buffers.empty()) {
      std::array<iovec, kVectorMax> vector;
      const auto count = fill_vector(vector, buffers, skip);
      auto written = ::pwritev(descriptor_, vector.data(), static_cast<int>(count),
                               static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) co_return os_failure(errno, "write", path_);
      offset += static_cast<std::uint64_t>(written);
      skip += static_cast<std::size_t>(written);
      while (!buffers.empty() && skip >= buffers.front().size()) {
        skip -= buffers.front().size();
        buffers = buffers.subspan(1);
      }
    }
    co_return Result<>();
  }

  Task<Result<>> sync() override {
    if (::fdatasync(descriptor_) != 0) co_return os_failure(errno, "sync", path_);
    co_return Result<>();
  }

  Task<Result<>> truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
      co_return os_failure(errno, "truncate", path_);
    }
    co_return Result<>();
  }

  Task<Result<>> allocate(std::uint64_t size) override {
    if (size == 0) co_return Result<>();
    if (::fallocate(descriptor_, 0, 0, static_cast<off_t>(size)) == 0) co_return Result<>();
    int error = errno;
    // File systems without extents: the C library reserves block by block.
    if (error == EOPNOTSUPP) error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size));
    if (error != 0) co_return os_failure(error, "reserve space for", path_);
    co_return Result<>();
  }

  Task<Result<std::uint64_t>> size() override {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0) co_return os_failure(errno, "stat", path_);
    co_return static_cast<std::uint64_t>(status.st_size);
  }

  int descriptor() const override { return descriptor_; }

 private:
  static std::size_t fill_vector(std::array<iovec, kVectorMax>& vector,
                                 std::span<const std::string_view> buffers, std::size_t skip) {
    const auto count = std::min(buffers.size(), kVectorMax);
    for (std::size_t i = 0; i < count; ++i) {
      auto part = i == 0 ? buffers[i].substr(skip) : buffers[i];
      vector[i] = {const_cast<char*>(part.data()), part.size()};
    }
    return count;
  }

  int descriptor_;
  std::string path_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::Read:
      return O_RDONLY | O_CLOEXEC;
    case OpenMode::ReadWrite:
      return O_RDWR | O_CLOEXEC;
    case OpenMode::CreateNew:
      return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    case OpenMode::CreateOrOpen:
      return O_RDWR | O_CREAT | O_CLOEXEC;
  }
  return O_RDONLY | O_CLOEXEC;
}

Result<> sync_one_directory(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return os_failure(errno, "open folder", path);
  int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0) return os_failure(error, "sync folder", path);
  return {};
}

Result<> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), kDirectoryMode) == 0) return sync_one_directory(parent_path(path));
  if (errno != EEXIST) return os_failure(errno, "create folder", path);
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return os_failure(errno, "stat", path);
  if (!S_ISDIR(status.st_mode)) return os_failure(ENOTDIR, "create folder", path);
  return {};
}

// The process that holds the lock wrote its number into the file; 0 when it cannot be read.
int holder_of(int descriptor) {
  char text[16];
  auto size = ::pread(descriptor, text, sizeof text, 0);
  int holder = 0;
  if (size > 0) std::from_chars(text, text + size, holder);
  return holder;
}

}  // namespace

Task<Result<std::unique_ptr<File>>> PosixFileSystem::open(std::string path, OpenMode mode) {
  int descriptor = ::open(path.c_str(), flags_of(mode), kFileMode);
  if (descriptor < 0) {
    bool creates = mode == OpenMode::CreateNew || mode == OpenMode::CreateOrOpen;
    co_return os_failure(errno, creates ? "create" : "open", path);
  }
  co_return std::make_unique<PosixFile>(descriptor, std::move(path));
}

Task<Result<>> PosixFileSystem::create_directories(std::string path) {
  for (std::size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    auto prefix = path.substr(0, at);
    if (!prefix.empty() && prefix != "/") CO_CHECK(make_directory(prefix));
  }
  co_return Result<>();
}

Task<Result<std::vector<std::string>>> PosixFileSystem::list(std::string path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) co_return os_failure(errno, "list folder", path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;  // the only sign that tells the end from a failure
    auto* entry = ::readdir(directory);
    if (entry == nullptr) break;
    std::string_view entry_name = entry->d_name;
    if (entry_name != "." && entry_name != "..") names.emplace_back(entry_name);
  }
  int error = errno;
  ::closedir(directory);
  if (error != 0) co_return os_failure(error, "list folder", path);
  std::ranges::sort(names);
  co_return names;
}

Task<Result<>> PosixFileSystem::rename(std::string from, std::string to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    co_return os_failure(errno, "rename", fmt::format("{} to {}", from, to));
  }
  co_return Result<>();
}

Task<Result<>> PosixFileSystem::remove(std::string path) {
  if (std::remove(path.c_str()) != 0) co_return os_failure(errno, "remove", path);
  co_return Result<>();
}

Task<Result<>> PosixFileSystem::sync_directory(std::string path) {
  co_return sync_one_directory(path);
}

Task<Result<std::uint64_t>> PosixFileSystem::free_bytes(std::string path) {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) != 0) {
    co_return os_failure(errno, "read the free space of", path);
  }
  co_return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Task<Result<std::unique_ptr<File>>> PosixFileSystem::lock(std::string path) {
  int descriptor = ::open(path.c_str(), flags_of(OpenMode::CreateOrOpen), kFileMode);
  if (descriptor < 0) co_return os_failure(errno, "create", path);
  auto file = std::make_unique<PosixFile>(descriptor, path);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) co_return os_failure(errno, "lock", path);
    co_return fail(ErrorCode::AlreadyExists, "cannot lock {}: process {} holds it", path,
                   holder_of(descriptor));
  }
  auto self = fmt::format("{}\n", ::getpid());
  std::string_view buffers[] = {self};
  CO_CHECK(co_await file->truncate(0));
  CO_CHECK(co_await file->write_at(buffers, 0));
  co_return std::unique_ptr<File>(std::move(file));
}

}  // namespace weft
