// What the CloudEvents door knows about one request. Internal to events/.
#pragma once

#include <array>
#include <string>

#include "eventlog/events/events_handler.h"

namespace weft::eventlog {

struct EventsHandler::Call {
  std::string stream_name;
  StreamRef stream;
  identity::PrincipalRef principal;
  TraceContext trace;
  std::array<char, 8> parent_id{};
  WallTime start;
  std::vector<contracts::FoundBusinessKey> keys;  // of the events, the first few

  void add(std::vector<contracts::FoundBusinessKey> found) {
    for (auto& key : found) {
      if (keys.size() < contracts::kBusinessKeysMax) keys.push_back(std::move(key));
    }
  }
  std::string trace_id() const { return trace.trace_id_hex(); }
  http::Response refusal(int status, std::string_view code, std::string_view message,
                         std::string_view details = {}) const {
    return http::problem(status, code, message, trace_id(), details);
  }
};

}  // namespace weft::eventlog
