// The hub's files, read once at start and served from memory. Every path that is no file gets
// index.html, because the hub routes in the browser; only what would be an asset or belongs to the
// API is missing. Immutable; any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "runtime/disk.h"
#include "runtime/task.h"

namespace weft::app {

class StaticFiles {
 public:
  static constexpr std::uint64_t kFileBytesMax = 16 * 1024 * 1024;

  StaticFiles() = default;
  // All files below the folder; a folder that is not there gives none, and the hub says how to
  // build it.
  static Task<Result<StaticFiles>> load(FileSystem& files, std::string folder);

  Task<Result<http::Response>> serve(const http::RequestHead& head) const;
  bool empty() const { return !files_ || files_->empty(); }

 private:
  struct Entry {
    std::string content;
    std::string type;
    bool immutable = false;  // its name holds a hash of its content
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  static Task<Result<>> load_into(FileSystem& files, std::string folder, std::string prefix,
                                  Entries& out);

  std::shared_ptr<const Entries> files_;
};

}  // namespace weft::app
