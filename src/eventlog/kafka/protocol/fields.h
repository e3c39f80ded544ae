// What the descriptions of Kafka messages are made of. A message is a struct with one static
// function
//
//   static void describe(auto& io, auto& m) {
//     io.field("Name", m.name);                                         // in every version
//     io.field("TopicId", m.topic_id, since(10));
//     io.field("ErrorMessage", m.error_message, since(8).nullable(8));  // std::optional
//     io.tagged(0, "ClusterId", m.cluster_id, since(12).nullable(12));  // after all others
//   }
//
// that names each field once, in wire order. Reader, Writer and the tests' generator are such an
// `io`; no code for single versions exists. Types: bool, fixed-width integers, double,
// std::string_view, Bytes, Records, Uuid, nested messages, std::vector of these. Strings and bytes
// that were read are views of the frame.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/core/file_bytes.h"

namespace weft::kafka {

inline constexpr std::int16_t kNeverFlexible = INT16_MAX;

// Which versions of an API exist here. From `flexible_from` on, strings and arrays are compact and
// every struct ends with tagged fields (KIP-482).
struct ApiId {
  std::int16_t key = 0;
  std::string_view name;
  std::int16_t first = 0;
  std::int16_t last = 0;
  std::int16_t flexible_from = kNeverFlexible;

  bool is_flexible(std::int16_t version) const { return version >= flexible_from; }
  bool has(std::int16_t version) const { return version >= first && version <= last; }
};

// The versions in which a field exists, and may be null.
struct Versions {
  std::int16_t first = 0;
  std::int16_t last = INT16_MAX;
  std::int16_t nullable_from = INT16_MAX;

  constexpr bool has(std::int16_t version) const { return version >= first && version <= last; }
  constexpr bool is_nullable(std::int16_t version) const { return version >= nullable_from; }
  constexpr Versions nullable(std::int16_t version) const { return {first, last, version}; }
};
constexpr Versions since(std::int16_t version) {
  return {version, INT16_MAX, INT16_MAX};
}
constexpr Versions between(std::int16_t first, std::int16_t last) {
  return {first, last, INT16_MAX};
}

// Opaque bytes with a 32-bit length.
struct Bytes {
  std::string_view view;
};

// Record batches behind one another. Read: a view of the frame. To be written: `view`, or shared
// buffers, and parts of files between them, that go into the socket without being copied.
struct Records {
  std::string_view view;
  std::vector<std::shared_ptr<const std::string>> buffers;
  std::vector<eventlog::FileBytesBefore> files;

  std::size_t size() const {
    std::size_t total = view.size();
    for (const auto& buffer : buffers) total += buffer->size();
    for (const auto& part : files) total += part.bytes.size;
    return total;
  }
};

// A field of T, for templates over descriptions.
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

}  // namespace weft::kafka
