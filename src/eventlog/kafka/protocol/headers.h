// Request and response headers. Requests: key, version, correlation id, client id (always with a
// 16-bit length), tagged fields when the version is flexible. Responses: correlation id, tagged
// fields when flexible, except for ApiVersions, which a client reads before it knows what we speak
// (KIP-511). Pure.
#pragma once

#include "eventlog/kafka/protocol/reader.h"
#include "eventlog/kafka/protocol/writer.h"

namespace weft::kafka {

inline constexpr std::size_t kFramePrefixBytes = 4;
inline constexpr std::int16_t kApiVersionsKey = 18;

// What every request starts with, whatever its key and version.
struct RequestHeader {
  std::int16_t key = 0;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
};
inline constexpr std::size_t kRequestHeaderBytes = 8;

// Absent when the frame is shorter than a header.
inline std::optional<RequestHeader> read_request_header(std::string_view frame) {
  if (frame.size() < kRequestHeaderBytes) return std::nullopt;
  return RequestHeader{load_be<std::int16_t>(frame.data()), load_be<std::int16_t>(frame.data() + 2),
                       load_be<std::int32_t>(frame.data() + 4)};
}

// A reader that stands behind the header of `frame` (without its length prefix), and the client id.
inline Reader body_reader(std::string_view frame, const ApiId& api, std::int16_t version,
                          std::optional<std::string_view>& client_id) {
  const bool flexible = api.is_flexible(version);
  Reader reader(frame.substr(kRequestHeaderBytes), version, flexible);
  client_id = reader.short_string();
  if (flexible) reader.skip_tags();
  return reader;
}

// Appends prefix, header and body.
template <class M>
void write_response(Frame& frame, const ApiId& api, std::int16_t version,
                    std::int32_t correlation_id, const M& body) {
  const bool flexible = api.is_flexible(version);
  frame.bytes.append(kFramePrefixBytes, '\0');
  append_be(frame.bytes, correlation_id);
  if (flexible && api.key != kApiVersionsKey) frame.bytes.push_back('\0');
  Writer(frame, version, flexible).message(body);
  store_be(frame.bytes.data(), static_cast<std::int32_t>(frame.size() - kFramePrefixBytes));
}

// The client's side, for tests and tools.
template <class M>
void write_request(Frame& frame, const ApiId& api, std::int16_t version,
                   std::int32_t correlation_id, std::optional<std::string_view> client_id,
                   const M& body) {
  const bool flexible = api.is_flexible(version);
  frame.bytes.append(kFramePrefixBytes, '\0');
  append_be(frame.bytes, api.key);
  append_be(frame.bytes, version);
  append_be(frame.bytes, correlation_id);
  append_be(frame.bytes,
            client_id ? static_cast<std::int16_t>(client_id->size()) : std::int16_t{-1});
  if (client_id) frame.bytes.append(*client_id);
  if (flexible) frame.bytes.push_back('\0');
  Writer(frame, version, flexible).message(body);
  store_be(frame.bytes.data(), static_cast<std::int32_t>(frame.size() - kFramePrefixBytes));
}

}  // namespace weft::kafka
