#include "app/backup/file_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace weft::app {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;
constexpr std::uint64_t kTextBytesMax = 64 * 1024 * 1024;

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

// A new file at folder/name, with the folders above it, open for writing.
struct NewFile {
  NewFile(std::string at, int descriptor) : path(std::move(at)), file(descriptor) {}
  std::string path;
  Descriptor file;
};

Result<std::unique_ptr<NewFile>> create(const std::string& folder, const std::string& name) {
  auto path = std::filesystem::path(folder) / name;
  CHECK(make_folder(path.parent_path().string()));
  auto descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return os_failed("create", path.string());
  return std::make_unique<NewFile>(path.string(), descriptor);
}

}  // namespace

Result<> make_folder(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return {};
  auto above = std::filesystem::path(folder).parent_path().string();
  if (!above.empty()) CHECK(make_folder(above));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return os_failed("make the folder", folder);
  return sync_folder(above.empty() ? "." : above);
}

Result<> sync_folder(const std::string& folder) {
  Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.value() < 0) return os_failed("open", folder);
  if (::fsync(opened.value()) != 0) return os_failed("sync", folder);
  return {};
}

Result<BackupFile> copy_file(const std::string& from, std::uint64_t bytes,
                             const std::string& folder, std::string name) {
  TRY(auto to, create(folder, name));
  auto take = [&](std::string_view piece) { return write_all(to->file, to->path, piece); };
  TRY(auto copied, read_pieces(from, bytes, take));
  if (copied.bytes != bytes) {
    return fail(ErrorCode::DataLoss, "{} has {} bytes, {} were expected", from, copied.bytes,
                bytes);
  }
  if (::fsync(to->file.value()) != 0) return os_failed("sync", to->path);
  copied.name = std::move(name);
  return copied;
}

Result<BackupFile> write_new_file(std::string_view content, const std::string& folder,
                                  std::string name) {
  TRY(auto to, create(folder, name));
  CHECK(write_all(to->file, to->path, content));
  if (::fsync(to->file.value()) != 0) return os_failed("sync", to->path);
  return BackupFile{std::move(name), content.size(), to_hex(crypto::sha256(content))};
}

Result<BackupFile> describe_file(const std::string& path, std::uint64_t bytes_max) {
  auto nothing = [](std::string_view) { return Result<>(); };
  return read_pieces(path, bytes_max, nothing);
}

Result<std::string> read_text(const std::string& path) {
  std::string text;
  auto gather = [&text](std::string_view piece) {
    text += piece;
    return Result<>();
  };
  TRY(auto read, read_pieces(path, kTextBytesMax + 1, gather));
  if (read.bytes > kTextBytesMax)
    return fail(ErrorCode::ResourceExhausted, "{} has more than {} bytes", path, kTextBytesMax);
  return text;
}

Result<> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return os_failed("rename", from);
  return {};
}

Result<> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return os_failed("remove", path);
  return {};
}

Result<> replace_file(std::string_view content, const std::string& folder,
                      const std::string& name) {
  auto unfinished = name + std::string(kUnfinished);
  CHECK(remove_file(folder + "/" + unfinished));
  CHECK(write_new_file(content, folder, unfinished));
  CHECK(rename_file(folder + "/" + unfinished, folder + "/" + name));
  return sync_folder(folder);
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
  for (const auto& each : folders) CHECK(sync_folder(each));
  return {};
}

}  // namespace weft::app
