// From OTLP's JSON encoding to Protobuf's wire format. What the tables do not name is left out.
#include <bit>
#include <charconv>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "telemetry/core/otlp_encode.h"

namespace weft::telemetry {

namespace {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_tag(std::string& out, std::uint32_t field, std::uint32_t type) {
  put_varint(out, (field << 3) | type);
}

void put_fixed64(std::string& out, std::uint64_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);  // little-endian, as the wire format is
  out.append(bytes, sizeof bytes);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_tag(out, field, kWireBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// 64-bit integers come as texts, others as numbers.
std::uint64_t integer_of(const Json& value) {
  const auto text = value.is_string() ? value.as_string() : value.number();
  if (text.starts_with('-')) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return static_cast<std::uint64_t>(number);
  }
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::uint64_t bits_of(WireKind kind, const Json& value) {
  if (kind == WireKind::Double) return std::bit_cast<std::uint64_t>(value.as_double());
  if (kind == WireKind::Bool) return value.as_bool() ? 1 : 0;
  return integer_of(value);
}

std::string message_bytes(const WireMessage& message, const Json& object);

std::string bytes_of(const WireField& field, const Json& value) {
  switch (field.kind) {
    case WireKind::Message:
      return message_bytes(*field.message, value);
    case WireKind::Hex:
      return from_hex(value.as_string()).value_or(std::string());
    case WireKind::Base64:
      return from_base64(value.as_string()).value_or(std::string());
    default:
      return std::string(value.as_string());
  }
}

void put_value(std::string& out, const WireField& field, const Json& value) {
  const auto type = wire_type_of(field.kind);
  if (type == kWireBytes) {
    put_bytes(out, field.number, bytes_of(field, value));
    return;
  }
  put_tag(out, field.number, type);
  if (type == kWireVarint)
    put_varint(out, bits_of(field.kind, value));
  else
    put_fixed64(out, bits_of(field.kind, value));
}

void put_values(std::string& out, const WireField& field, const Json& values) {
  if (wire_type_of(field.kind) != kWireFixed64) {
    for (const auto& value : values.elements()) put_value(out, field, value);
    return;
  }
  std::string packed;
  for (const auto& value : values.elements()) put_fixed64(packed, bits_of(field.kind, value));
  put_bytes(out, field.number, packed);
}

std::string message_bytes(const WireMessage& message, const Json& object) {
  std::string out;
  for (const auto& field : message.fields) {
    const auto* value = object.find(field.name);
    if (value == nullptr) continue;
    if (field.repeats)
      put_values(out, field, *value);
    else
      put_value(out, field, *value);
  }
  return out;
}

}  // namespace

std::string otlp_protobuf_of(const WireMessage& message, std::string json) {
  auto object = JsonDocument::parse(std::move(json));
  ENSURE(object.has_value(), "what the writers give is JSON");
  return message_bytes(message, object->root());
}

}  // namespace weft::telemetry
