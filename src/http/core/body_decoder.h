// Takes a body out of the bytes of a connection (RFC 9112 sections 6 and 7). Sans I/O, pure, in
// place: the pieces are views into the input.
//
// Chunked is read strictly: CRLF alone ends a line, sizes are at most 15 hexadecimal digits without
// sign or space, extensions and trailers are bounded, checked and dropped.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace weft::http {

class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::string_view piece;  // may be empty; call again while input is left and it is not done
  };

  // Requires: neither done nor failed.
  Step step(std::string_view input);
  bool is_done() const { return state_ == State::Done; }
  bool has_failed() const { return state_ == State::Failed; }
  std::string_view reason() const { return reason_; }

 private:
  enum class State : std::uint8_t {
    SizeFirst,
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerFirst,
    TrailerName,
    TrailerValue,
    TrailerEnd,
    EndLf,
    Done,
    Failed,
  };
  void fail(std::string_view reason);
  void on_control(char c);
  void on_size(char c);
  void on_trailer(char c);

  State state_ = State::SizeFirst;
  std::uint64_t left_ = 0;  // of the chunk; while reading the size, its value
  std::uint32_t digits_ = 0;
  std::uint32_t extra_bytes_ = 0;  // extensions and trailers so far
  std::string_view reason_;
};

// The same for every framing.
class BodyDecoder {
 public:
  void start(BodyFraming framing, std::uint64_t length);

  // The next piece at the front of `input`; `consumed` counts what it and its framing took.
  ChunkDecoder::Step step(std::string_view input);
  // The connection ended. False when the body is cut short by that.
  bool finish_at_end_of_stream();

  bool is_done() const { return is_done_; }
  bool has_failed() const { return framing_ == BodyFraming::Chunked && chunks_.has_failed(); }
  std::string_view reason() const { return chunks_.reason(); }
  // Bytes still to come where that is known (Length), else 0.
  std::uint64_t left() const { return framing_ == BodyFraming::Length ? left_ : 0; }
  BodyFraming framing() const { return framing_; }

 private:
  BodyFraming framing_ = BodyFraming::None;
  std::uint64_t left_ = 0;
  bool is_done_ = true;
  ChunkDecoder chunks_;
};

}  // namespace weft::http
