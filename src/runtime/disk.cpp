#include "runtime/disk.h"

namespace weft {

namespace {

Task<Result<>> write_and_sync(FileSystem& files, std::string path, std::string content) {
  CO_TRY(auto file, co_await files.open(std::move(path), OpenMode::CreateOrOpen));
  CO_CHECK(co_await file->truncate(0));
  std::string_view buffers[] = {content};
  CO_CHECK(co_await file->write_at(buffers, 0));
  co_return co_await file->sync();
}

}  // namespace

std::string parent_path(std::string_view path) {
  auto end = path.find_last_not_of('/');
  auto slash = path.substr(0, end + 1).rfind('/');
  if (slash == std::string_view::npos) return ".";
  auto last = path.substr(0, slash).find_last_not_of('/');
  return last == std::string_view::npos ? "/" : std::string(path.substr(0, last + 1));
}

Task<Result<std::string>> read_file(FileSystem& files, std::string path, std::uint64_t bytes_max) {
  CO_TRY(auto file, co_await files.open(path, OpenMode::Read));
  CO_TRY(auto size, co_await file->size());
  if (size > bytes_max) {
    co_return fail(ErrorCode::ResourceExhausted, "{} has {} bytes, more than the limit of {}", path,
                   size, bytes_max);
  }
  std::string content(size, '\0');
  CO_TRY(auto got, co_await file->read_at(content, 0));
  content.resize(got);
  co_return content;
}

Task<Result<>> write_file_durably(FileSystem& files, std::string path, std::string content) {
  auto temporary = path + ".tmp";
  auto written = co_await write_and_sync(files, temporary, std::move(content));
  if (written) written = co_await files.rename(temporary, path);
  if (!written) {
    // The first failure is the one to report; a leftover is overwritten next time.
    [[maybe_unused]] auto removed = co_await files.remove(temporary);
    co_return written;
  }
  co_return co_await files.sync_directory(parent_path(path));
}

}  // namespace weft
