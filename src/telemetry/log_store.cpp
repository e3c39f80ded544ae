#include "telemetry/log_store.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_members.h"
#include "runtime/run_until_done.h"

namespace weft::telemetry {

namespace {

constexpr std::uint64_t kLogFileBytesLeast = 64 * 1024;
constexpr std::uint64_t kLogFileBytesMost = 8 * 1024 * 1024;
constexpr std::uint64_t kLogFilesWanted = 8;
constexpr std::string_view kLogPrefix = "log-";
constexpr std::string_view kLogSuffix = ".jsonl";

std::optional<std::uint64_t> log_file_number(std::string_view name) {
  if (!name.starts_with(kLogPrefix) || !name.ends_with(kLogSuffix)) return {};
  name = name.substr(kLogPrefix.size(), name.size() - kLogPrefix.size() - kLogSuffix.size());
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return {};
  return number;
}

Result<std::string> read_all_of(File& file, std::uint64_t bytes) {
  std::string text(bytes, '\0');
  TRY(auto got, run_until_done(file.read_at({text.data(), text.size()}, 0)));
  text.resize(got);
  return text;
}

std::optional<WallTime> time_of_line(std::string_view json) {
  auto document = JsonDocument::parse(std::string(json));
  if (!document || !document->root().is_object()) return {};
  return member_time(document->root(), "time");
}

int rank_of(std::string_view level) {
  for (auto known : {LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error}) {
    if (name(known) == level) return static_cast<int>(known);
  }
  return static_cast<int>(LogLevel::Error);
}

bool says(std::string_view text, std::string_view wanted) {
  auto same = [](char a, char b) { return to_lower(a) == to_lower(b); };
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

bool has_key(const Json& line, const LogQuery& query) {
  if (member_text(line, "business_key") == query.business_key) return true;
  auto trace = text_of(line, "trace_id");
  return !trace.empty() && query.key_traces.contains(trace);
}

// What can be told from the bytes alone comes first: most lines are not parsed.
bool matches_line(std::string_view json, const LogQuery& query) {
  if (!query.text.empty() && !says(json, query.text)) return false;
  if (!query.trace_id.empty() && json.find(query.trace_id) == std::string_view::npos) return false;
  auto document = JsonDocument::parse(std::string(json));
  if (!document || !document->root().is_object()) return false;
  const auto& line = document->root();
  if (rank_of(text_of(line, "level")) < static_cast<int>(query.level)) return false;
  if (!query.module.empty() && member_text(line, "module") != query.module) return false;
  if (!query.trace_id.empty() && member_text(line, "trace_id") != query.trace_id) return false;
  if (!query.business_key.empty() && !has_key(line, query)) return false;
  if (!query.since && !query.until) return true;
  auto time = parse_rfc3339(text_of(line, "time"));
  if (!time) return false;
  return (!query.since || *time >= *query.since) && (!query.until || *time < *query.until);
}

// The lines of a file, in its order.
std::vector<std::pair<std::uint64_t, std::string_view>> lines_of(std::string_view text) {
  std::vector<std::pair<std::uint64_t, std::string_view>> lines;
  std::uint64_t offset = 0;
  while (!text.empty()) {
    auto end = text.find('\n');
    if (end == std::string_view::npos) break;
    lines.emplace_back(offset, text.substr(0, end));
    offset += end + 1;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

LogStore::LogStore(FileSystem& files, LogStoreOptions options)
    : files_(files),
      options_(std::move(options)),
      file_bytes_(std::clamp(options_.bytes_max / kLogFilesWanted, kLogFileBytesLeast,
                             kLogFileBytesMost)) {}

Result<> LogStore::open() {
  std::lock_guard lock(mutex_);
  CHECK(run_until_done(files_.create_directories(options_.folder)));
  TRY(auto names, run_until_done(files_.list(options_.folder)));
  std::erase_if(names, [](const std::string& name) { return !log_file_number(name); });
  std::ranges::sort(names, {}, [](const std::string& name) { return *log_file_number(name); });
  for (const auto& name : names) CHECK(load(name, *log_file_number(name)));
  is_writable_ = !log_files_.empty();
  return {};
}

// A line that the end of its process cut is left out, and written over.
Result<> LogStore::load(const std::string& name, std::uint64_t number) {
  LogFile found;
  found.path = options_.folder + "/" + name;
  found.number = number;
  TRY(auto file, run_until_done(files_.open(found.path, OpenMode::ReadWrite)));
  found.file = std::move(file);
  TRY(auto size, run_until_done(found.file->size()));
  TRY(auto text, read_all_of(*found.file, size));
  auto end = text.rfind('\n');
  found.bytes = end == std::string::npos ? 0 : end + 1;
  if (found.bytes < size) CHECK(run_until_done(found.file->truncate(found.bytes)));
  auto lines = lines_of(std::string_view(text).substr(0, found.bytes));
  if (!lines.empty()) found.last = time_of_line(lines.back().second).value_or(WallTime());
  log_files_.push_back(std::move(found));
  return {};
}

void LogStore::take(LogLevel, std::string_view line) {
  std::lock_guard lock(gather_mutex_);
  if (gathered_.size() + line.size() > options_.gathered_bytes_max) {
    ++dropped_lines_;
    return;
  }
  gathered_ += line;
}

Result<> LogStore::write_gathered(WallTime now) {
  std::lock_guard lock(mutex_);
  return write_locked(now);
}

Result<> LogStore::write_locked(WallTime now) {
  std::string lines;
  {
    std::lock_guard lock(gather_mutex_);
    lines.swap(gathered_);
  }
  if (!lines.empty()) {
    auto written = append(lines);
    if (!written) {
      std::lock_guard gathering(gather_mutex_);
      dropped_lines_ += static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
      return written;
    }
    log_files_.back().last = now;
  }
  return trim(now);
}

Result<> LogStore::append(std::string_view lines) {
  if (!is_writable_ || log_files_.back().bytes + lines.size() > file_bytes_) CHECK(roll());
  auto& newest = log_files_.back();
  auto written = run_until_done(newest.file->write_at({&lines, 1}, newest.bytes));
  if (written) newest.bytes += lines.size();
  is_writable_ = written.has_value();  // else what the file holds behind its end is unknown
  return written;
}

Result<> LogStore::roll() {
  LogFile next;
  next.number = log_files_.empty() ? 1 : log_files_.back().number + 1;
  next.path = fmt::format("{}/{}{:010}{}", options_.folder, kLogPrefix, next.number, kLogSuffix);
  TRY(auto file, run_until_done(files_.open(next.path, OpenMode::CreateNew)));
  next.file = std::move(file);
  log_files_.push_back(std::move(next));
  is_writable_ = true;
  return {};
}

Result<> LogStore::trim(WallTime now) {
  auto is_old = [&](const LogFile& file) {
    return options_.age_max > Duration::zero() && now - file.last > options_.age_max;
  };
  while (!log_files_.empty() && ((log_files_.size() > 1 && bytes_locked() > options_.bytes_max) ||
                                 is_old(log_files_.front()))) {
    auto path = log_files_.front().path;
    log_files_.pop_front();
    if (log_files_.empty()) is_writable_ = false;
    CHECK(run_until_done(files_.remove(std::move(path))));
  }
  return {};
}

Result<LogPage> LogStore::search(const LogQuery& query, WallTime now) {
  std::lock_guard lock(mutex_);
  CHECK(write_locked(now));
  LogPage page;
  if (!log_files_.empty()) page.end = {log_files_.back().number, log_files_.back().bytes};
  const bool is_forward = query.after.has_value();
  auto visit = [&](LogFile& file) -> Result<bool> {
    if (query.after && file.number < query.after->file) return true;
    if (query.before && file.number > query.before->file) return true;
    if (query.since && file.last < *query.since) return true;
    TRY(auto text, read_all_of(*file.file, file.bytes));
    auto lines = lines_of(text);
    if (!is_forward) std::ranges::reverse(lines);
    for (const auto& [offset, line] : lines) {
      LogPosition position{file.number, offset};
      if (query.after && position < *query.after) continue;
      if (query.before && position >= *query.before) continue;
      if (!matches_line(line, query)) continue;
      if (page.lines.size() == query.limit) {
        page.has_more = true;
        if (is_forward) page.end = position;
        return false;
      }
      page.lines.push_back({position, std::string(line)});
    }
    return true;
  };
  for (std::size_t i = 0; i < log_files_.size(); ++i) {
    auto& file = is_forward ? log_files_[i] : log_files_[log_files_.size() - 1 - i];
    TRY(auto goes_on, visit(file));
    if (!goes_on) break;
  }
  return page;
}

std::uint64_t LogStore::dropped_lines() const {
  std::lock_guard lock(gather_mutex_);
  return dropped_lines_;
}

std::uint64_t LogStore::bytes_locked() const {
  std::uint64_t total = 0;
  for (const auto& file : log_files_) total += file.bytes;
  return total;
}

std::uint64_t LogStore::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_locked();
}

}  // namespace weft::telemetry
