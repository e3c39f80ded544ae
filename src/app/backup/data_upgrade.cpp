#include "app/backup/data_upgrade.h"

#include <charconv>
#include <filesystem>

#include "app/backup/file_copy.h"
#include "app/version.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

namespace fs = std::filesystem;

CrashPoint after_way_back("upgrade.after-way-back");

constexpr std::string_view kFormatWords = "weft data folder ";
constexpr std::string_view kWayBack = "before-upgrade-from-format-";

Result<int> read_format(const std::string& path) {
  TRY(auto text, read_text(path));
  auto line = std::string_view(text).substr(0, text.find('\n'));
  auto digits =
      line.starts_with(kFormatWords) ? line.substr(kFormatWords.size()) : std::string_view();
  int format = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), format);
  bool is_read = error == std::errc() && end == digits.data() + digits.size() && format >= 1 &&
                 format <= kDataFormat;
  if (is_read) return format;
  return fail(
      ErrorCode::FailedPrecondition,
      "{} says '{}', which this version ({}) does not read: start the version that wrote it", path,
      line, kVersion);
}

// Of this process, or made anew at each start.
bool is_left_out(std::string_view name) {
  return name.starts_with(kWayBack) || name == "LOCK" || name == "log/LOCK" || name == "node.json";
}

Result<> link_file(const std::string& from, const std::string& folder, const std::string& name) {
  auto to = fs::path(folder) / name;
  CHECK(make_folder(to.parent_path().string()));
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error)
    return fail(ErrorCode::IoError, "cannot link {} to {}: {}", from, to.string(), error.message());
  return {};
}

Result<> keep_file(const fs::path& file, const std::string& folder, const std::string& into) {
  auto name = fs::relative(file, folder).string();
  if (is_left_out(name)) return {};
  if (name.starts_with("log/segments/")) return link_file(file.string(), into, name);
  std::error_code error;
  auto bytes = fs::file_size(file, error);
  if (error)
    return fail(ErrorCode::IoError, "cannot read the size of {}: {}", file.string(),
                error.message());
  TRY(auto copied, copy_file(file.string(), bytes, into, name));
  return {};
}

Result<> keep_all(const std::string& folder, const std::string& into) {
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_directory(error)) {
      if (at->path().filename().string().starts_with(kWayBack)) at.disable_recursion_pending();
      continue;
    }
    if (error) break;
    CHECK(keep_file(at->path(), folder, into));
  }
  if (error) return fail(ErrorCode::IoError, "cannot list {}: {}", folder, error.message());
  return sync_folders(into);
}

// There as a whole or not at all.
Result<> keep_way_back(const std::string& folder, int format) {
  auto kept = way_back_folder(folder, format);
  std::error_code error;
  if (fs::exists(kept, error)) return {};
  auto unfinished = kept + std::string(kUnfinished);
  fs::remove_all(unfinished, error);
  auto done = keep_all(folder, unfinished);
  if (!done) {
    fs::remove_all(unfinished, error);
    return std::unexpected(
        std::move(done).error().within("the way back from an upgrade cannot be kept"));
  }
  CHECK(rename_file(unfinished, kept));
  return sync_folder(folder);
}

Result<> write_format(const std::string& folder) {
  return replace_file(data_format_text(), folder, std::string(kDataFormatFile));
}

}  // namespace

std::string data_format_text(int format) {
  return fmt::format("{}{}\n", kFormatWords, format);
}

std::string way_back_folder(const std::string& folder, int format) {
  return fmt::format("{}/{}{}", folder, kWayBack, format);
}

Result<> upgrade_data_folder(const std::string& folder) {
  auto format = read_format(fmt::format("{}/{}", folder, kDataFormatFile));
  if (!format && format.error().code == ErrorCode::NotFound) return write_format(folder);
  if (!format) return std::unexpected(std::move(format).error());
  if (*format == kDataFormat) return {};
  CHECK(keep_way_back(folder, *format));
  after_way_back.reached();
  CHECK(write_format(folder));
  log_warn("node", "the data folder was upgraded; the older version starts from what was kept",
           {{"from", *format},
            {"to", kDataFormat},
            {"kept", way_back_folder(folder, *format)},
            {"version", kVersion}});
  return {};
}

}  // namespace weft::app
