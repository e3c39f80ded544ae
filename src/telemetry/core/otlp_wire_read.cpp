// From Protobuf's wire format to its JSON encoding.
#include <array>
#include <bit>
#include <optional>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "telemetry/core/otlp_decode.h"

namespace weft::telemetry {

namespace {

constexpr std::size_t kWireDepthMax = 24;

// One field as it stands on the wire.
struct WireValue {
  std::uint32_t number = 0;
  std::uint32_t type = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;
};

std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return {};
}

template <class Number>
std::uint64_t take_fixed(std::string_view& rest) {
  Number value;
  std::memcpy(&value, rest.data(), sizeof value);
  rest.remove_prefix(sizeof value);
  return value;
}

// The next field; absent when the message is malformed. Requires: not empty.
std::optional<WireValue> take_field(std::string_view& rest) {
  auto tag = take_varint(rest);
  if (!tag || (*tag >> 3) == 0 || (*tag >> 3) > 0x1fffffff) return {};
  WireValue value;
  value.number = static_cast<std::uint32_t>(*tag >> 3);
  value.type = static_cast<std::uint32_t>(*tag & 7);
  if (value.type == kWireFixed64 && rest.size() >= 8) {
    value.integer = take_fixed<std::uint64_t>(rest);
    return value;
  }
  if (value.type == kWireFixed32 && rest.size() >= 4) {
    value.integer = take_fixed<std::uint32_t>(rest);
    return value;
  }
  if (value.type != kWireVarint && value.type != kWireBytes) return {};
  auto number = take_varint(rest);
  if (!number) return {};
  value.integer = *number;
  if (value.type == kWireVarint) return value;
  if (*number > rest.size()) return {};
  value.bytes = rest.substr(0, static_cast<std::size_t>(*number));
  rest.remove_prefix(value.bytes.size());
  return value;
}

bool is_well_formed(std::string_view message) {
  while (!message.empty()) {
    if (!take_field(message)) return false;
  }
  return true;
}

bool write_message(JsonWriter& out, const WireMessage& message, std::string_view bytes,
                   std::size_t depth);

bool write_value(JsonWriter& out, const WireField& field, const WireValue& value,
                 std::size_t depth) {
  switch (field.kind) {
    case WireKind::Text:
      out.value(value.bytes);
      return true;
    case WireKind::Hex:
      out.value(to_hex(value.bytes));
      return true;
    case WireKind::Base64:
      out.value(to_base64(value.bytes));
      return true;
    case WireKind::Bool:
      out.value(value.integer != 0);
      return true;
    case WireKind::Fixed64:
    case WireKind::Fixed32:
      out.value(value.integer);
      return true;
    case WireKind::Int:
    case WireKind::SignedFixed64:
      out.value(static_cast<std::int64_t>(value.integer));
      return true;
    case WireKind::Double: {
      const auto number = std::bit_cast<double>(value.integer);
      if (number - number == 0)
        out.value(number);
      else
        out.value(number > 0 ? "Infinity" : number < 0 ? "-Infinity" : "NaN");
      return true;
    }
    case WireKind::Message:
      return write_message(out, *field.message, value.bytes, depth + 1);
  }
  return false;
}

// All values of a repeated field; numbers may be packed.
bool write_all(JsonWriter& out, const WireField& field, std::string_view bytes, std::size_t depth) {
  while (!bytes.empty()) {
    const auto value = *take_field(bytes);
    if (value.number != field.number) continue;
    if (value.type == wire_type_of(field.kind)) {
      if (!write_value(out, field, value, depth)) return false;
      continue;
    }
    if (value.type != kWireBytes || wire_type_of(field.kind) != kWireFixed64 ||
        value.bytes.size() % 8 != 0)
      return false;
    for (auto packed = value.bytes; !packed.empty();) {
      WireValue one;
      one.integer = take_fixed<std::uint64_t>(packed);
      write_value(out, field, one, depth);
    }
  }
  return true;
}

bool write_message(JsonWriter& out, const WireMessage& message, std::string_view bytes,
                   std::size_t depth) {
  if (depth > kWireDepthMax || !is_well_formed(bytes)) return false;
  out.object();
  for (const auto& field : message.fields) {
    std::optional<WireValue> last;
    for (auto rest = bytes; !rest.empty();) {
      auto value = *take_field(rest);
      if (value.number == field.number) last = value;
    }
    if (!last) continue;
    out.key(field.name);
    if (field.repeats) {
      out.array();
      if (!write_all(out, field, bytes, depth)) return false;
      out.end();
    } else if (last->type != wire_type_of(field.kind) || !write_value(out, field, *last, depth)) {
      return false;
    }
  }
  out.end();
  return true;
}

}  // namespace

Result<std::string> otlp_json_of(OtlpSignal signal, std::string_view protobuf) {
  JsonWriter out;
  if (write_message(out, request_message(signal), protobuf, 0)) return std::move(out).text();
  return fail(ErrorCode::InvalidArgument, "the body is no OTLP request in Protobuf");
}

}  // namespace weft::telemetry
