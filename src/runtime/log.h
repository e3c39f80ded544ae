// The emit side of logs: one JSON object per line. Never log a secret or a payload.
//
//   log_info("gateway", "route added", {{"route", name}});
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace weft {

enum class LogLevel : unsigned char { Debug, Info, Warn, Error };

// A field's value; numbers and booleans are written as such.
struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, long long number);
  LogField(std::string_view field_name, unsigned long long number);
  LogField(std::string_view field_name, int number)
      : LogField(field_name, static_cast<long long>(number)) {}
  LogField(std::string_view field_name, long number)
      : LogField(field_name, static_cast<long long>(number)) {}
  LogField(std::string_view field_name, unsigned number)
      : LogField(field_name, static_cast<unsigned long long>(number)) {}
  LogField(std::string_view field_name, unsigned long number)
      : LogField(field_name, static_cast<unsigned long long>(number)) {}

  LogField(std::string_view field_name, bool flag)
      : name(field_name), value(flag ? "true" : "false"), is_number(true) {}

  std::string name;
  std::string value;
  bool is_number = false;  // or a boolean: written without quotes
};

// Thread-safe; a line is written with one write(2) to standard error (or the file set at start).
void log_line(LogLevel level, std::string_view module, std::string_view message,
              std::initializer_list<LogField> fields = {});
void set_log_level(LogLevel least);
// Where lines go from now on; the descriptor stays the caller's.
void set_log_descriptor(int descriptor);

// Gets a copy of each line, with its line end. Any thread, one line at a time; must neither wait
// nor log.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void take(LogLevel level, std::string_view line) = 0;
};
// From now on; nullptr: none any more. When it returns, the one before is not called again.
void set_log_sink(LogSink* sink);
std::string_view name(LogLevel level);  // "warn"

inline void log_debug(std::string_view module, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::Debug, module, message, fields);
}
inline void log_info(std::string_view module, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::Info, module, message, fields);
}
inline void log_warn(std::string_view module, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::Warn, module, message, fields);
}
inline void log_error(std::string_view module, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::Error, module, message, fields);
}

}  // namespace weft
