// Files held open for reading, at most `files_max` of them beyond those in use; the least
// recently used is closed first. Thread-safe. A file in use stays open until its reader lets go.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "runtime/disk.h"
#include "runtime/metrics.h"
#include "runtime/task.h"

namespace weft::eventlog {

class FileCache {
 public:
  FileCache(FileSystem& files, std::size_t files_max, Gauge& open_files)
      : files_(files), files_max_(files_max), open_files_(open_files) {}

  Task<Result<std::shared_ptr<File>>> open(std::string path);
  // Forgets the file. True when no reader holds it: its bytes may then be overwritten.
  bool drop(const std::string& path);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<File> file;
  };
  using Entries = std::list<Entry>;
  std::shared_ptr<File> find_or_announce(const std::string& path);
  void withdraw(const std::string& path);
  std::shared_ptr<File> add(const std::string& path, std::shared_ptr<File> file);

  FileSystem& files_;
  std::size_t files_max_;
  Gauge& open_files_;
  std::mutex mutex_;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string, Entries::iterator> by_path_;
  std::unordered_map<std::string, int> opening_;
};

}  // namespace weft::eventlog
