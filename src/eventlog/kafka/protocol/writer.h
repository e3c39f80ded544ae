// Writes Kafka messages by their description into a Frame: one buffer, and record batches as shared
// buffers between its parts, so that a fetch response copies no batch. Pure; any thread.
//
//   Frame frame;
//   Writer(frame, version, api.is_flexible(version)).message(response);
#pragma once

#include <bit>
#include <concepts>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "eventlog/core/varint.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

// Bytes to send: `bytes`, with each splice, a buffer or a part of a file, before bytes[at].
struct Frame {
  struct Splice {
    std::size_t at = 0;
    std::shared_ptr<const std::string> buffer;
    eventlog::FileBytes file{};

    std::size_t size() const { return buffer ? buffer->size() : file.size; }
  };
  struct Piece {
    std::string_view text{};
    const eventlog::FileBytes* file = nullptr;  // absent: `text` is all of it
  };
  std::string bytes;
  std::vector<Splice> splices;

  std::size_t size() const {
    std::size_t total = bytes.size();
    for (const auto& splice : splices) total += splice.size();
    return total;
  }
  // The pieces in order; views of this frame.
  void append_pieces(std::vector<Piece>& pieces) const {
    const std::string_view all = bytes;
    std::size_t from = 0;
    for (const auto& splice : splices) {
      if (splice.at > from) pieces.push_back({all.substr(from, splice.at - from), nullptr});
      if (!splice.buffer)
        pieces.push_back({{}, &splice.file});
      else if (!splice.buffer->empty())
        pieces.push_back({*splice.buffer, nullptr});
      from = splice.at;
    }
    if (from < all.size()) pieces.push_back({all.substr(from), nullptr});
  }
  // One string; copies. Requires that no splice is of a file.
  std::string flat() const {
    std::vector<Piece> pieces;
    append_pieces(pieces);
    std::string all;
    for (const auto& piece : pieces) {
      ENSURE(piece.file == nullptr, "a frame with parts of files is sent, not copied");
      all.append(piece.text);
    }
    return all;
  }
};

class Writer {
 public:
  Writer(Frame& frame, std::int16_t version, bool flexible)
      : frame_(frame), version_(version), flexible_(flexible) {}

  template <class M>
  void message(const M& m) {
    write_struct(m);
  }

  // ---- called by descriptions

  template <class T>
  void field(std::string_view, const T& value, Versions versions = {}) {
    if (versions.has(version_)) write(value, versions.is_nullable(version_));
  }

  // Left out when it has its default.
  template <class T>
  void tagged(std::uint32_t tag, std::string_view, const T& value, Versions versions = {},
              const T& absent = T()) {
    if (!flexible_ || !versions.has(version_)) return;
    if constexpr (is_vector<T>) {
      if (value.empty()) return;
    } else {
      if (value == absent) return;
    }
    Frame inner;
    Writer(inner, version_, true).write(value, versions.is_nullable(version_));
    ++tag_count_;
    eventlog::append_uvarint(tags_, tag);
    eventlog::append_uvarint(tags_, inner.bytes.size());
    tags_.append(inner.bytes);
  }

 private:
  std::string& out() { return frame_.bytes; }

  template <std::integral T>
  void length(std::int64_t size) {
    if (flexible_) {
      eventlog::append_uvarint(out(), static_cast<std::uint64_t>(size + 1));
    } else {
      append_be<T>(out(), static_cast<T>(size));
    }
  }

  template <std::integral T>
  void write(const T& value, bool) {
    if constexpr (std::same_as<T, bool>) {
      out().push_back(value ? '\1' : '\0');
    } else {
      append_be<T>(out(), value);
    }
  }
  void write(const double& value, bool) {
    append_be<std::uint64_t>(out(), std::bit_cast<std::uint64_t>(value));
  }
  void write(const Uuid& value, bool) { out().append(value.bytes()); }
  void write(const std::string_view& value, bool) {
    // Longer text than the old form can count is cut: only our own error messages could be.
    const auto text = flexible_ ? value : value.substr(0, INT16_MAX);
    length<std::int16_t>(static_cast<std::int64_t>(text.size()));
    out().append(text);
  }
  void write(const Bytes& value, bool) {
    length<std::int32_t>(static_cast<std::int64_t>(value.view.size()));
    out().append(value.view);
  }
  void write(const Records& value, bool) {
    length<std::int32_t>(static_cast<std::int64_t>(value.size()));
    out().append(value.view);
    auto part = value.files.begin();
    for (std::size_t i = 0; i <= value.buffers.size(); ++i) {
      for (; part != value.files.end() && part->index == i; ++part)
        frame_.splices.push_back({out().size(), nullptr, part->bytes});
      if (i < value.buffers.size()) frame_.splices.push_back({out().size(), value.buffers[i]});
    }
  }
  template <class T>
  void write(const std::vector<T>& value, bool) {
    length<std::int32_t>(static_cast<std::int64_t>(value.size()));
    for (const auto& element : value) write(element, false);
  }
  // A null where the version knows none is written as empty.
  template <class T>
  void write(const std::optional<T>& value, bool nullable) {
    if (value) return write(*value, false);
    if (!nullable) return write(T(), false);
    if constexpr (std::same_as<T, std::string_view>) {
      length<std::int16_t>(-1);
    } else {
      length<std::int32_t>(-1);
    }
  }
  template <class M>
  requires requires(Writer& io, const M& m) { M::describe(io, m); }
  void write(const M& value, bool) { write_struct(value); }

  template <class M>
  void write_struct(const M& m) {
    if (!flexible_) {
      M::describe(*this, m);
      return;
    }
    auto outer = std::exchange(tags_, {});
    const auto outer_count = std::exchange(tag_count_, 0);
    M::describe(*this, m);
    eventlog::append_uvarint(out(), tag_count_);
    out().append(tags_);
    tags_ = std::move(outer);
    tag_count_ = outer_count;
  }

  Frame& frame_;
  std::int16_t version_;
  bool flexible_;
  std::uint32_t tag_count_ = 0;
  std::string tags_;
};

}  // namespace weft::kafka
