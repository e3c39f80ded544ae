#include "runtime/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>

#include "base/json_writer.h"
#include "base/time.h"

namespace weft {

namespace {

// A longer line than this gives its buffer back instead of keeping it for the thread.
constexpr std::size_t kBufferKeptMax = 16 * 1024;

std::atomic<LogLevel> least_level{LogLevel::Info};
std::atomic<int> log_descriptor{STDERR_FILENO};

// Lines are few; a lock is simpler than telling when a sink is no longer in use.
std::mutex sink_mutex;
LogSink* log_sink = nullptr;  // guarded by sink_mutex

// Nothing can be reported when the log itself fails: the rest of the line is given up.
void write_line(std::string_view line) {
  const int descriptor = log_descriptor.load(std::memory_order_relaxed);
  while (!line.empty()) {
    auto written = ::write(descriptor, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string_view name(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Error:
      return "error";
  }
  return "error";
}

LogField::LogField(std::string_view field_name, long long number)
    : name(field_name), value(std::to_string(number)), is_number(true) {}

LogField::LogField(std::string_view field_name, unsigned long long number)
    : name(field_name), value(std::to_string(number)), is_number(true) {}

void log_line(LogLevel level, std::string_view module, std::string_view message,
              std::initializer_list<LogField> fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  thread_local std::string buffer;
  buffer.clear();
  JsonWriter line(std::move(buffer));
  // The log's own time stamp is the one place where time does not come from a Clock: lines must be
  // comparable with those of other processes, also in simulation.
  auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  line.object().member("time", to_rfc3339(now)).member("level", name(level));
  line.member("module", module).member("message", message);
  for (const auto& field : fields) {
    line.key(field.name);
    if (field.is_number)
      line.raw(field.value);
    else
      line.value(field.value);
  }
  line.end();
  buffer = std::move(line).text();
  buffer += '\n';
  write_line(buffer);
  {
    std::lock_guard lock(sink_mutex);
    if (log_sink != nullptr) log_sink->take(level, buffer);
  }
  if (buffer.capacity() > kBufferKeptMax) buffer = std::string();
}

void set_log_level(LogLevel least) {
  least_level.store(least, std::memory_order_relaxed);
}

void set_log_sink(LogSink* sink) {
  std::lock_guard lock(sink_mutex);
  log_sink = sink;
}

void set_log_descriptor(int descriptor) {
  log_descriptor.store(descriptor, std::memory_order_relaxed);
}

}  // namespace weft
