#include "eventlog/embedded/file_cache.h"

namespace weft::eventlog {

std::shared_ptr<File> FileCache::find_or_announce(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    ++opening_[path];
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->file;
}

void FileCache::withdraw(const std::string& path) {
  auto found = opening_.find(path);
  if (--found->second == 0) opening_.erase(found);
}

std::shared_ptr<File> FileCache::add(const std::string& path, std::shared_ptr<File> file) {
  std::shared_ptr<File> closed;  // outside of the lock
  std::lock_guard lock(mutex_);
  withdraw(path);
  if (auto found = by_path_.find(path); found != by_path_.end()) return found->second->file;
  if (entries_.size() >= files_max_) {
    // One in use must stay known, or drop() would call its bytes free.
    auto unused = std::find_if(entries_.rbegin(), entries_.rend(),
                               [](const Entry& entry) { return entry.file.use_count() == 1; });
    if (unused != entries_.rend()) {
      closed = std::move(unused->file);
      by_path_.erase(unused->path);
      entries_.erase(std::next(unused).base());
    }
  }
  entries_.push_front({path, file});
  by_path_.emplace(path, entries_.begin());
  open_files_.set(static_cast<std::int64_t>(entries_.size()));
  return file;
}

Task<Result<std::shared_ptr<File>>> FileCache::open(std::string path) {
  if (auto file = find_or_announce(path)) co_return file;
  auto opened = co_await files_.open(path, OpenMode::Read);
  if (!opened) {
    std::lock_guard lock(mutex_);
    withdraw(path);
    co_return std::unexpected(std::move(opened).error());
  }
  std::shared_ptr<File> file = *std::move(opened);
  co_return add(path, std::move(file));
}

bool FileCache::drop(const std::string& path) {
  std::lock_guard lock(mutex_);
  bool unused = !opening_.contains(path);
  auto found = by_path_.find(path);
  if (found == by_path_.end()) return unused;
  unused = unused && found->second->file.use_count() == 1;
  entries_.erase(found->second);
  by_path_.erase(found);
  open_files_.set(static_cast<std::int64_t>(entries_.size()));
  return unused;
}

}  // namespace weft::eventlog
