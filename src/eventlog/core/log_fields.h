// Fields of the log's own formats (big-endian, texts with a 32-bit length), written and read in
// order. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/uuid.h"
#include "eventlog/types.h"

namespace weft::eventlog {

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}
  template <std::integral T>
  void number(T value) {
    append_be(out_, value);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  void uuid(const Uuid& value) { out_ += value.bytes(); }
  void partition(PartitionId id) {
    number(static_cast<std::uint32_t>(id.stream));
    number(id.partition);
  }

 private:
  std::string& out_;
};

// After a read beyond the end, ok() is false for good and every value is zero.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}
  template <std::integral T>
  T number() {
    auto bytes = take(sizeof(T));
    return bytes.empty() ? T{} : load_be<T>(bytes.data());
  }
  std::string_view text() { return take(number<std::uint32_t>()); }
  Uuid uuid() {
    auto bytes = take(16);
    std::array<char, 16> raw{};
    if (!bytes.empty()) bytes.copy(raw.data(), raw.size());
    return Uuid::from_bytes(raw);
  }
  PartitionId partition() {
    auto stream = static_cast<StreamId>(number<std::uint32_t>());
    return {stream, number<std::int32_t>()};
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  // A count of things that take at least `each` bytes: guards allocations against damaged counts.
  std::size_t count(std::size_t each) {
    auto value = number<std::uint32_t>();
    if (value > rest_.size() / each) ok_ = false;
    return ok_ ? value : 0;
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace weft::eventlog
