// The seam to the file system. Back ends: PosixFileSystem, whose calls block their thread (so a
// File belongs to a thread that may block, such as the log thread), and SimulatedFileSystem, where
// they take virtual time, may fail, tear or be reordered, and lose at a crash what was not synced.
//
// Order of calls and ownership: a File is used by one task at a time for writes; reads may overlap.
// Durability: bytes are durable after sync(); a name (create, rename, remove) is durable after
// sync_directory() of its folder. After a failed write or sync the file's content is unknown: do
// not retry, reopen.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/task.h"

namespace weft {

class File {
 public:
  virtual ~File() = default;
  // Fills `into` from `offset`; fewer bytes only at the end of the file.
  virtual Task<Result<std::size_t>> read_at(std::span<char> into, std::uint64_t offset) = 0;
  // Writes all buffers one after another at `offset`, in as few system calls as possible.
  virtual Task<Result<>> write_at(std::span<const std::string_view> buffers,
                                  std::uint64_t offset) = 0;
  // fdatasync: content and size are on the medium when it returns.
  virtual Task<Result<>> sync() = 0;
  virtual Task<Result<>> truncate(std::uint64_t size) = 0;
  // Reserves space so that later writes below `size` need no metadata commit; the file's size
  // becomes at least `size`, the new part reads as zeros.
  virtual Task<Result<>> allocate(std::uint64_t size) = 0;
  virtual Task<Result<std::uint64_t>> size() = 0;
  // The descriptor for sendfile(2), or -1 where there is none (simulation).
  virtual int descriptor() const { return -1; }
};

enum class OpenMode : std::uint8_t { Read, ReadWrite, CreateNew, CreateOrOpen };

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Task<Result<std::unique_ptr<File>>> open(std::string path, OpenMode mode) = 0;
  // Creates missing parents too; the names are durable when it returns. New files and folders are
  // readable by the owner alone.
  virtual Task<Result<>> create_directories(std::string path) = 0;
  virtual Task<Result<std::vector<std::string>>> list(std::string path) = 0;  // names, sorted
  virtual Task<Result<>> rename(std::string from, std::string to) = 0;        // replaces `to`
  virtual Task<Result<>> remove(std::string path) = 0;
  virtual Task<Result<>> sync_directory(std::string path) = 0;
  virtual Task<Result<std::uint64_t>> free_bytes(std::string path) = 0;
  // Exclusive for the life of the returned handle; AlreadyExists when another process holds it.
  virtual Task<Result<std::unique_ptr<File>>> lock(std::string path) = 0;
};

class PosixFileSystem final : public FileSystem {
 public:
  Task<Result<std::unique_ptr<File>>> open(std::string path, OpenMode mode) override;
  Task<Result<>> create_directories(std::string path) override;
  Task<Result<std::vector<std::string>>> list(std::string path) override;
  Task<Result<>> rename(std::string from, std::string to) override;
  Task<Result<>> remove(std::string path) override;
  Task<Result<>> sync_directory(std::string path) override;
  Task<Result<std::uint64_t>> free_bytes(std::string path) override;
  Task<Result<std::unique_ptr<File>>> lock(std::string path) override;
};

// Whole small files, over any back end. write_file_durably: temporary file, sync, rename, sync of
// the folder; a crash leaves the old content or the new one. read_file: ResourceExhausted when the
// file is longer than bytes_max.
Task<Result<std::string>> read_file(FileSystem& files, std::string path, std::uint64_t bytes_max);
Task<Result<>> write_file_durably(FileSystem& files, std::string path, std::string content);

// The folder that holds `path`: "." for a bare name, "/" for a name in the root.
std::string parent_path(std::string_view path);

}  // namespace weft
