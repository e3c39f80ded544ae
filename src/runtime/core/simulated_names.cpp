#include "runtime/core/simulated_names.h"

#include <algorithm>

#include "runtime/disk.h"

namespace weft {

namespace {

bool is_child(std::string_view path, std::string_view folder) {
  return parent_path(path) == folder;
}

std::string last_name(std::string_view path) {
  auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace

SimulatedNames::FileRef SimulatedNames::find(const std::string& path) const {
  auto at = seen_.find(path);
  return at == seen_.end() ? nullptr : at->second;
}

SimulatedNames::FileRef SimulatedNames::find_durable(const std::string& path) const {
  auto at = durable_.find(path);
  return at == durable_.end() ? nullptr : at->second;
}

Result<> SimulatedNames::require_parent(const std::string& path) const {
  auto folder = parent_path(path);
  if (!is_folder(folder))
    return fail(ErrorCode::NotFound, "{}: folder {} does not exist", path, folder);
  return {};
}

void SimulatedNames::apply(const Change& change, Names& names) {
  for (const auto& [path, file] : change) {
    if (file)
      names[path] = file;
    else
      names.erase(path);
  }
}

void SimulatedNames::make(Change change) {
  apply(change, seen_);
  unsynced_.push_back(std::move(change));
}

Result<> SimulatedNames::create(const std::string& path, FileRef file) {
  CHECK(require_parent(path));
  if (is_folder(path)) return fail(ErrorCode::FailedPrecondition, "{} is a folder", path);
  make({{path, std::move(file)}});
  return {};
}

Result<> SimulatedNames::rename(const std::string& from, const std::string& to) {
  if (is_folder(from) || is_folder(to)) {
    return fail(ErrorCode::Unsupported, "the simulated disk renames files only: {} to {}", from,
                to);
  }
  auto file = find(from);
  if (!file) return fail(ErrorCode::NotFound, "cannot rename {} to {}: no such file", from, to);
  CHECK(require_parent(to));
  if (from != to) make({{from, nullptr}, {to, file}});
  return {};
}

Result<> SimulatedNames::remove(const std::string& path) {
  if (is_folder(path)) {
    TRY(auto names, list(path));
    if (!names.empty()) return fail(ErrorCode::FailedPrecondition, "folder {} is not empty", path);
    CHECK(sync(path));
    folders_.erase(path);
    return {};
  }
  if (!find(path)) return fail(ErrorCode::NotFound, "cannot remove {}: no such file", path);
  make({{path, nullptr}});
  return {};
}

Result<> SimulatedNames::create_folders(const std::string& path) {
  for (std::size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    auto prefix = path.substr(0, at);
    if (find(prefix)) return fail(ErrorCode::FailedPrecondition, "{} is a file", prefix);
    if (!prefix.empty()) folders_.insert(std::move(prefix));
  }
  return {};
}

Result<std::vector<std::string>> SimulatedNames::list(const std::string& folder) const {
  if (!is_folder(folder)) return fail(ErrorCode::NotFound, "folder {} does not exist", folder);
  std::vector<std::string> names;
  for (const auto& [path, file] : seen_) {
    if (is_child(path, folder)) names.push_back(last_name(path));
  }
  for (const auto& path : folders_) {
    if (path != "/" && path != "." && is_child(path, folder)) names.push_back(last_name(path));
  }
  std::ranges::sort(names);
  return names;
}

Result<> SimulatedNames::sync(const std::string& folder) {
  if (!is_folder(folder)) return fail(ErrorCode::NotFound, "folder {} does not exist", folder);
  for (auto change = unsynced_.begin(); change != unsynced_.end();) {
    auto touches = [&](const auto& entry) { return is_child(entry.first, folder); };
    if (std::ranges::none_of(*change, touches)) {
      ++change;
      continue;
    }
    apply(*change, durable_);
    // What an earlier change says about the same names must not come back over this one.
    for (auto earlier = unsynced_.begin(); earlier != change; ++earlier) {
      for (const auto& [path, file] : *change) earlier->erase(path);
    }
    change = unsynced_.erase(change);
  }
  return {};
}

void SimulatedNames::crash(CrashKeeps keeps, Random& random) {
  enum class Mode : std::uint8_t { None, All, Prefix, Some };
  auto mode = keeps == CrashKeeps::Everything ? Mode::All : Mode::None;
  if (keeps == CrashKeeps::Random) {
    constexpr Mode kModes[] = {Mode::None, Mode::None, Mode::All, Mode::Prefix, Mode::Some};
    mode = kModes[random.below(std::size(kModes))];
  }
  const auto prefix = mode == Mode::Prefix ? random.below(unsynced_.size() + 1) : 0;
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    const bool kept =
        mode == Mode::All || i < prefix || (mode == Mode::Some && random.below(2) == 0);
    if (kept) apply(unsynced_[i], durable_);
  }
  unsynced_.clear();
  std::erase_if(durable_, [&](const auto& entry) { return !is_folder(parent_path(entry.first)); });
  seen_ = durable_;
}

std::vector<SimulatedNames::FileRef> SimulatedNames::files() const {
  std::set<FileRef> unique;
  std::vector<FileRef> files;
  for (const auto* names : {&seen_, &durable_}) {
    for (const auto& [path, file] : *names) {
      if (unique.insert(file).second) files.push_back(file);
    }
  }
  for (const auto& change : unsynced_) {
    for (const auto& [path, file] : change) {
      if (file && unique.insert(file).second) files.push_back(file);
    }
  }
  return files;
}

}  // namespace weft
