// The messages that OTLP's requests are made of (opentelemetry-proto 1.x), as tables: number, name
// in JSON and kind of each field that Weft reads or writes. From them follow both directions
// between Protobuf and its JSON encoding. Constants.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weft::telemetry {

enum class OtlpSignal : std::uint8_t { Traces, Metrics, Logs };

enum class WireKind : std::uint8_t {
  Text,
  Hex,
  Base64,
  Bool,
  Int,
  Fixed64,
  SignedFixed64,
  Fixed32,
  Double,
  Message
};

struct WireMessage;

struct WireField {
  std::uint32_t number;
  std::string_view name;
  WireKind kind;
  bool repeats = false;
  const WireMessage* message = nullptr;
};

struct WireMessage {
  std::span<const WireField> fields;
};

// Wire types of Protobuf (protobuf.dev, "Encoding").
inline constexpr std::uint32_t kWireVarint = 0;
inline constexpr std::uint32_t kWireFixed64 = 1;
inline constexpr std::uint32_t kWireBytes = 2;
inline constexpr std::uint32_t kWireFixed32 = 5;

// The wire type of one value; a repeated number may also come packed, as bytes.
std::uint32_t wire_type_of(WireKind kind);

// An Export…ServiceRequest, its Export…ServiceResponse, and what is answered instead:
// google.rpc.Status.
const WireMessage& request_message(OtlpSignal signal);
const WireMessage& response_message(OtlpSignal signal);
const WireMessage& status_message();

}  // namespace weft::telemetry
