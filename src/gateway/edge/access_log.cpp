#include "gateway/access_log.h"

#include "base/json_writer.h"
#include "runtime/log.h"
#include "runtime/run_until_done.h"

namespace weft::gateway {

namespace {

std::int64_t to_us(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

std::string access_line(const AccessEntry& entry) {
  JsonWriter line;
  auto text = [&line](std::string_view name, std::string_view value) {
    if (!value.empty()) line.member(name, value);
  };
  line.object().member("time", to_rfc3339(entry.time));
  text("client", entry.client);
  text("method", entry.method);
  text("host", entry.host);
  text("path", entry.path);
  text("route", entry.route);
  line.member("status", std::int64_t{entry.status}).member("duration_us", to_us(entry.duration));
  text("upstream", entry.upstream);
  if (!entry.upstream.empty()) line.member("upstream_us", to_us(entry.upstream_time));
  text("error", entry.error);
  text("principal", entry.principal);
  text("trace_id", entry.trace_id);
  line.end();
  return std::move(line).text() + "\n";
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(FileSystem& files, std::string path,
                                                   Metrics& metrics) {
  auto log = std::make_unique<AccessLog>(files, std::move(path), metrics);
  if (auto made = log->write(""); !made) {
    return std::unexpected(std::move(made).error().within("gateway.accessLog"));
  }
  return log;
}

AccessLog::AccessLog(FileSystem& files, std::string path, Metrics& metrics)
    : files_(files),
      path_(std::move(path)),
      dropped_(metrics.counter("weft_gateway_access_lines_dropped_total",
                               "Lines that the access log could not take or write.")),
      pool_("access-log", 1, 1) {}

AccessLog::~AccessLog() {
  std::lock_guard lock(mutex_);
  write_soon();
}

void AccessLog::record(const AccessEntry& entry) {
  auto line = access_line(entry);
  std::lock_guard lock(mutex_);
  if (gathered_.size() + line.size() > kAccessLogBytesMax) {
    dropped_.add();
    return;
  }
  gathered_ += line;
  if (gathered_.size() >= kAccessLogWriteBytes) write_soon();
}

Task<void> AccessLog::run(Clock& clock) {
  while (co_await clock.sleep_for(kAccessLogInterval)) {
    std::lock_guard lock(mutex_);
    write_soon();
  }
}

// Requires: mutex_ is held. One job is due at most, and the pool's queue has room for one.
void AccessLog::write_soon() {
  if (gathered_.empty() || std::exchange(is_write_due_, true)) return;
  auto accepted = pool_.submit([this] { write_gathered(); });
  ENSURE(accepted.has_value(), "the access log's pool takes the one job that is due");
}

void AccessLog::write_gathered() {
  {
    std::lock_guard lock(mutex_);
    writing_.swap(gathered_);
    is_write_due_ = false;
  }
  auto written = write(writing_);
  if (!written) {
    dropped_.add(static_cast<std::uint64_t>(std::ranges::count(writing_, '\n')));
    // Once per outage: a disk that is full must not fill the log.
    if (!was_failing_)
      log_warn("gateway", "the access log cannot be written", {{"why", written.error().message}});
  }
  was_failing_ = !written;
  writing_.clear();
}

Result<> AccessLog::write(std::string_view lines) {
  return run_until_done(loop_, append(lines));
}

Task<Result<>> AccessLog::append(std::string_view lines) {
  CO_TRY(auto file, co_await files_.open(path_, OpenMode::CreateOrOpen));
  CO_TRY(auto size, co_await file->size());
  std::array<std::string_view, 1> parts{lines};
  if (!lines.empty()) CO_CHECK(co_await file->write_at(parts, size));
  co_return Result<>();
}

}  // namespace weft::gateway
