// Reads Kafka messages by their description from a frame, in place: strings are views of the frame,
// which must outlive them. Every length is checked against what the frame still holds before
// anything is reserved, array elements are limited per frame, unknown tagged fields are skipped.
// Pure; any thread.
//
//   Reader reader(frame, version, api.is_flexible(version));
//   TRY(auto request, reader.message<FetchRequest>());
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/core/varint.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

class Reader {
 public:
  // Elements of all arrays of one frame: bounds the memory that a small frame of empty structs can
  // ask for.
  static constexpr std::size_t kElementsMax = 200'000;

  Reader(std::string_view bytes, std::int16_t version, bool flexible)
      : at_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        version_(version),
        flexible_(flexible) {}

  // One message. InvalidArgument names the first field that cannot be read.
  template <class M>
  Result<M> message() {
    M m;
    read_struct(m);
    CHECK(status());
    return m;
  }

  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  Result<> status() const {
    if (!failed_) return {};
    return fail(ErrorCode::InvalidArgument, "field {} is malformed", failed_field_);
  }

  // ---- called by descriptions

  template <class T>
  void field(std::string_view name, T& value, Versions versions = {}) {
    if (failed_ || !versions.has(version_)) return;
    read(value, versions.is_nullable(version_));
    if (failed_ && failed_field_.empty()) failed_field_ = name;
  }

  template <class T>
  void tagged(std::uint32_t tag, std::string_view name, T& value, Versions versions = {}, T = T()) {
    if (failed_ || !flexible_ || !versions.has(version_)) return;
    read_tags();
    const auto* found = std::find_if(tags_.begin(), tags_.begin() + tag_count_,
                                     [tag](const Tag& t) { return t.tag == tag; });
    if (found == tags_.begin() + tag_count_) return;
    Reader inner(found->bytes, version_, true);
    inner.read(value, versions.is_nullable(version_));
    if (inner.failed_) fail_at(name);
  }

  // ---- primitives, also used for headers

  template <std::integral T>
  T integer() {
    if (remaining() < sizeof(T)) return fail_at({}), T{};
    const T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  // A string with a 16-bit length whatever the version: the client id of request headers.
  std::optional<std::string_view> short_string() {
    const auto size = integer<std::int16_t>();
    if (size < 0) return std::nullopt;
    return take(static_cast<std::size_t>(size));
  }
  void skip_tags() {
    tags_read_ = false;
    read_tags();
  }

 private:
  struct Tag {
    std::uint32_t tag = 0;
    std::string_view bytes;
  };
  static constexpr std::size_t kTagsKept = 8;  // more than any struct has; others are skipped

  void fail_at(std::string_view name) {
    failed_ = true;
    if (failed_field_.empty()) failed_field_ = name;
    at_ = end_;
  }

  std::string_view take(std::size_t size) {
    if (size > remaining()) return fail_at({}), std::string_view();
    const std::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }

  std::uint32_t uvarint() {
    std::uint64_t value = 0;
    if (!eventlog::read_uvarint(at_, end_, value, 32)) fail_at({});
    return failed_ ? 0 : static_cast<std::uint32_t>(value);
  }

  // The length of a string, bytes or array; -1 is null.
  template <std::integral T>
  std::int64_t length() {
    if (flexible_) return static_cast<std::int64_t>(uvarint()) - 1;
    return integer<T>();
  }
  // The same where null is an error unless allowed.
  template <std::integral T>
  std::int64_t length(bool nullable) {
    const auto size = length<T>();
    if (size < -1 || (size == -1 && !nullable)) fail_at({});
    return failed_ ? -1 : size;
  }

  template <std::integral T>
  void read(T& value, bool) {
    if constexpr (std::same_as<T, bool>) {
      value = integer<std::int8_t>() != 0;
    } else {
      value = integer<T>();
    }
  }
  void read(double& value, bool) { value = std::bit_cast<double>(integer<std::uint64_t>()); }
  void read(Uuid& value, bool) {
    std::array<char, 16> bytes{};
    const auto view = take(bytes.size());
    std::copy(view.begin(), view.end(), bytes.begin());
    value = Uuid::from_bytes(bytes);
  }
  void read(std::string_view& value, bool) {
    const auto size = length<std::int16_t>(false);
    if (size >= 0) value = take(static_cast<std::size_t>(size));
  }
  void read(Bytes& value, bool) {
    const auto size = length<std::int32_t>(false);
    if (size >= 0) value.view = take(static_cast<std::size_t>(size));
  }
  void read(Records& value, bool) {
    const auto size = length<std::int32_t>(false);
    if (size >= 0) value.view = take(static_cast<std::size_t>(size));
  }
  template <class T>
  void read(std::vector<T>& value, bool) {
    read_elements(value, length<std::int32_t>(false));
  }
  template <class T>
  void read(std::optional<T>& value, bool nullable) {
    using Length =
        std::conditional_t<std::same_as<T, std::string_view>, std::int16_t, std::int32_t>;
    const auto size = length<Length>(nullable);
    value.reset();
    if (size < 0) return;
    value.emplace();
    if constexpr (is_vector<T>) {
      read_elements(*value, size);
    } else if constexpr (std::same_as<T, std::string_view>) {
      *value = take(static_cast<std::size_t>(size));
    } else {
      value->view = take(static_cast<std::size_t>(size));
    }
  }
  template <class M>
  requires requires(Reader& io, M& m) { M::describe(io, m); }
  void read(M& value, bool) { read_struct(value); }

  template <class T>
  void read_elements(std::vector<T>& value, std::int64_t count) {
    value.clear();
    if (count <= 0) return;
    const auto elements = static_cast<std::size_t>(count);
    // Every element takes a byte at least.
    if (elements > remaining() || elements > elements_left_) return fail_at({});
    elements_left_ -= elements;
    for (std::size_t i = 0; i < elements && !failed_; ++i) read(value.emplace_back(), false);
  }

  template <class M>
  void read_struct(M& m) {
    const auto outer_tags = tags_;
    const auto outer_count = tag_count_;
    const bool outer_read = tags_read_;
    tags_read_ = false;
    M::describe(*this, m);
    if (flexible_ && !failed_) read_tags();
    tags_ = outer_tags;
    tag_count_ = outer_count;
    tags_read_ = outer_read;
  }

  void read_tags() {
    if (tags_read_) return;
    tags_read_ = true;
    tag_count_ = 0;
    const auto count = uvarint();
    for (std::uint32_t i = 0; i < count && !failed_; ++i) {
      const auto tag = uvarint();
      const auto size = uvarint();
      const auto bytes = take(size);
      if (!failed_ && tag_count_ < kTagsKept) tags_[tag_count_++] = {tag, bytes};
    }
  }

  const char* at_;
  const char* end_;
  std::int16_t version_;
  bool flexible_;
  bool failed_ = false;
  bool tags_read_ = false;
  std::size_t tag_count_ = 0;
  std::size_t elements_left_ = kElementsMax;
  std::string_view failed_field_;
  std::array<Tag, kTagsKept> tags_{};
};

}  // namespace weft::kafka
