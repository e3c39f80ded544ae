// How a message is rewritten on its way through (RFC 9110 section 7.6, RFC 7239's older
// X-Forwarded-* forms, W3C Trace Context). Appends to buffers that the caller reuses; pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "runtime/spans.h"

namespace weft::gateway {

// What the upstream is told about the client and the trace.
struct ForwardedFor {
  std::string_view client;  // address of the peer
  std::string_view proto;   // "http", "https"
  std::string_view host;    // Host to send
  std::string_view base_path;
  const TraceContext* trace = nullptr;
};

enum class RequestBody : std::uint8_t { None, Length, Chunked };

// The request's head for the upstream, complete. Fields of the client that could be taken for ours
// (X-Forwarded-Proto, X-Forwarded-Host, X-Weft-*) are replaced; X-Forwarded-For is continued.
void append_request_head(std::string& out, const http::RequestHead& head, const ForwardedFor& added,
                         RequestBody body);

// The response's end-to-end fields.
void collect_response_fields(const http::ResponseHead& head, std::vector<http::Field>& out);

// "00-<trace>-<span>-01".
void append_traceparent(std::string& out, const TraceContext& trace);

}  // namespace weft::gateway
