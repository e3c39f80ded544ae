#include "app/backup/file_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace weft::app {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

Failure os_failed(std::string_view what, const std::string& path) {
  auto code = ErrorCode::IoError;
  if (errno == ENOENT) code = ErrorCode::NotFound;
  if (errno == EEXIST) code = ErrorCode::AlreadyExists;
  if (errno == ENOSPC || errno == EDQUOT) code = ErrorCode::ResourceExhausted;
  if (errno == EACCES || errno == EPERM) code = ErrorCode::PermissionDenied;
  return fail(code, "cannot {} {}: {}", what, path, std::generic_category().message(errno));
}

// Gives the file's first bytes to `take`, piece by piece; what it added up to.
Result<BackupFile> read_pieces(const std::string& path, std::uint64_t bytes_max,
                               const std::function<Result<>(std::string_view)>& take) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) return os_failed("open", path);
  BackupFile read;
  crypto::Sha256 hash;
  std::string piece(kPieceBytes, '\0');
  while (read.bytes < bytes_max) {
    auto wanted = std::min<std::uint64_t>(piece.size(), bytes_max - read.bytes);
    auto got = ::read(file.value(), piece.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_failed("read", path);
    if (got == 0) break;
    auto bytes = std::string_view(piece).substr(0, static_cast<std::size_t>(got));
    hash.update(bytes);
    read.bytes += bytes.size();
    CHECK(take(bytes));
  }
  read.sha256 = to_hex(hash.digest());
  return read;
}

Result<> write_all(const Descriptor& file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    auto written = ::write(file.value(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_failed("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// A new file at folder/name, with the folders above it.
Result<std::string> make_place(const std::string& folder, const std::string& name) {
  auto path = std::filesystem::path(folder) / name;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail(ErrorCode::IoError, "cannot make {}: {}", path.parent_path().string(), error.message());
  return path.string();
}

}  // namespace

Result<BackupFile> copy_file(const std::string& from, std::uint64_t bytes, const std::string& folder,
                             std::string name) {
  TRY(auto path, make_place(folder, name));
  Descriptor to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (to.value() < 0) return os_failed("create", path);
  TRY(auto copied, read_pieces(from, bytes, [&](std::string_view piece) { return write_all(to, path, piece); }));
  if (copied.bytes != bytes) {
    return fail(ErrorCode::DataLoss, "{} has {} bytes, {} were expected", from, copied.bytes, bytes);
  }
  if (::fsync(to.value()) != 0) return os_failed("sync", path);
  copied.name = std::move(name);
  return copied;
}

Result<BackupFile> write_new_file(std::string_view content, const std::string& folder, std::string name) {
  TRY(auto path, make_place(folder, name));
  Descriptor to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (to.value() < 0) return os_failed("create", path);
  CHECK(write_all(to, path, content));
  if (::fsync(to.value()) != 0) return os_failed("sync", path);
  return BackupFile{std::move(name), content.size(), to_hex(crypto::sha256(content))};
}

Result<BackupFile> describe_file(const std::string& folder, std::string name) {
  auto path = (std::filesystem::path(folder) / name).string();
  auto nothing = [](std::string_view) { return Result<>(); };
  TRY(auto read, read_pieces(path, std::numeric_limits<std::uint64_t>::max(), nothing));
  read.name = std::move(name);
  return read;
}

Result<> sync_folders(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> folders{folder};
  std::filesystem::recursive_directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_directory(error)) folders.push_back(at->path().string());
    if (error) break;
  }
  if (error) return fail(ErrorCode::IoError, "cannot list {}: {}", folder, error.message());
  for (const auto& each : folders) {
    Descriptor opened(::open(each.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.value() < 0) return os_failed("open", each);
    if (::fsync(opened.value()) != 0) return os_failed("sync", each);
  }
  return {};
}

}  // namespace weft::app
