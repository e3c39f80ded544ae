// Records of a stream as server-sent events, as they arrive (GET /streams/{stream}/tail). Lives as
// long as its exchange, on that connection's loop.
#pragma once

#include <cstdint>
#include <vector>

#include "app/api/call.h"
#include "eventlog/event_log.h"
#include "runtime/clock.h"

namespace weft::app {

class RecordTail {
 public:
  static constexpr Duration kKeepAlive = std::chrono::seconds(10);

  RecordTail(eventlog::EventLog& log, Clock& clock, eventlog::StreamInfo stream);

  // Reads ?partition=, ?from= and Last-Event-ID. Call first.
  Result<> position(const ApiCall& call);
  // Sends until the client leaves, may no longer read it, or the log ends.
  Task<void> run(ApiCall& call);

 private:
  struct Cursor {
    std::int32_t partition = 0;
    eventlog::Offset next = 0;
  };
  std::string resume_id() const;
  Result<> resume(std::string_view id);
  Task<Result<>> send(ApiCall& call, const std::string& text);
  Task<Result<std::size_t>> send_new(ApiCall& call, Cursor& cursor, Duration wait);
  void append_event(std::string& out, const Cursor& cursor, const eventlog::Record& record) const;

  eventlog::EventLog& log_;
  Clock& clock_;
  eventlog::StreamInfo stream_;
  std::vector<Cursor> cursors_;
  std::size_t value_bytes_max_ = 65'536;
};

}  // namespace weft::app
