// The folders of a simulated disk: names as programs see them, names on the medium, and the changes
// in between. A change (create, rename, remove) is atomic; unsynced changes may be lost at a crash,
// all, some, or all behind a point. Folders themselves are durable at once, as FileSystem promises.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/core/simulated_image.h"
#include "runtime/random.h"

namespace weft {

class SimulatedNames {
 public:
  using FileRef = std::shared_ptr<SimulatedImage>;

  SimulatedNames() : folders_{"/", "."} {}

  FileRef find(const std::string& path) const;
  FileRef find_durable(const std::string& path) const;
  bool is_folder(const std::string& path) const { return folders_.contains(path); }

  Result<> create(const std::string& path, FileRef file);
  Result<> rename(const std::string& from, const std::string& to);
  Result<> remove(const std::string& path);
  Result<> create_folders(const std::string& path);
  Result<std::vector<std::string>> list(const std::string& folder) const;
  Result<> sync(const std::string& folder);

  void crash(CrashKeeps keeps, Random& random);
  std::vector<FileRef> files() const;

 private:
  using Names = std::map<std::string, FileRef>;
  // The file that each path names afterwards; null: none.
  using Change = Names;

  static void apply(const Change& change, Names& names);
  void make(Change change);
  Result<> require_parent(const std::string& path) const;

  std::set<std::string> folders_;
  Names seen_;
  Names durable_;
  std::vector<Change> unsynced_;
};

}  // namespace weft
