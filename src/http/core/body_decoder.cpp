#include "http/core/body_decoder.h"

#include "http/characters.h"

namespace weft::http {

namespace {

// 60 bits: sums of chunk sizes cannot overflow.
constexpr std::uint32_t kSizeDigitsMax = 15;
// Of one body, extensions and trailers together.
constexpr std::uint32_t kExtraBytesMax = 16 * 1024;

}  // namespace

void ChunkDecoder::fail(std::string_view reason) {
  reason_ = reason;
  state_ = State::Failed;
}

ChunkDecoder::Step ChunkDecoder::step(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && !is_done() && !has_failed()) {
    if (state_ == State::Data) {
      auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      auto piece = input.substr(at, take);
      left_ -= take;
      if (left_ == 0) state_ = State::DataCr;
      return {at + take, piece};
    }
    on_control(input[at]);
    ++at;
  }
  return {at, {}};
}

void ChunkDecoder::on_control(char c) {
  switch (state_) {
    case State::SizeFirst:
    case State::Size:
    case State::Extension:
    case State::SizeEnd:
      return on_size(c);
    case State::DataCr:
      if (c != '\r') return fail("a chunk longer than its size");
      state_ = State::DataLf;
      return;
    case State::DataLf:
      if (c != '\n') return fail("a chunk that does not end with CRLF");
      state_ = State::SizeFirst;
      return;
    default:
      return on_trailer(c);
  }
}

void ChunkDecoder::on_size(char c) {
  switch (state_) {
    case State::SizeFirst:
      left_ = 0;
      digits_ = 0;
      if (hex_digit(c) < 0) return fail("a bad chunk size");
      state_ = State::Size;
      [[fallthrough]];
    case State::Size:
      if (int digit = hex_digit(c); digit >= 0) {
        if (++digits_ > kSizeDigitsMax) return fail("a chunk size of too many digits");
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return;
      }
      if (c == ';') {
        state_ = State::Extension;
      } else if (c == '\r') {
        state_ = State::SizeEnd;
      } else {
        fail("a bad chunk size");
      }
      return;
    case State::Extension:
      if (c == '\r') {
        state_ = State::SizeEnd;
        return;
      }
      if (++extra_bytes_ > kExtraBytesMax) return fail("chunk extensions too long");
      if (!is_value_char(c)) fail("a control character in a chunk extension");
      return;
    default:
      if (c != '\n') return fail("a chunk size that does not end with CRLF");
      state_ = left_ == 0 ? State::TrailerFirst : State::Data;
      return;
  }
}

void ChunkDecoder::on_trailer(char c) {
  if (++extra_bytes_ > kExtraBytesMax) return fail("trailers too long");
  switch (state_) {
    case State::TrailerFirst:
      if (c == '\r') {
        state_ = State::EndLf;
        return;
      }
      if (!is_token_char(c)) return fail("a bad trailer name");
      state_ = State::TrailerName;
      return;
    case State::TrailerName:
      if (c == ':') {
        state_ = State::TrailerValue;
      } else if (!is_token_char(c)) {
        fail("a bad trailer name");
      }
      return;
    case State::TrailerValue:
      if (c == '\r') {
        state_ = State::TrailerEnd;
      } else if (!is_value_char(c)) {
        fail("a control character in a trailer");
      }
      return;
    case State::TrailerEnd:
      if (c != '\n') return fail("a trailer that does not end with CRLF");
      state_ = State::TrailerFirst;
      return;
    default:
      if (c != '\n') return fail("a body that does not end with CRLF");
      state_ = State::Done;
      return;
  }
}

void BodyDecoder::start(BodyFraming framing, std::uint64_t length) {
  framing_ = framing;
  left_ = framing == BodyFraming::Length ? length : 0;
  is_done_ = framing == BodyFraming::None || (framing == BodyFraming::Length && length == 0);
  chunks_ = {};
}

ChunkDecoder::Step BodyDecoder::step(std::string_view input) {
  switch (framing_) {
    case BodyFraming::None:
      return {};
    case BodyFraming::Length: {
      auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
      left_ -= take;
      is_done_ = left_ == 0;
      return {take, input.substr(0, take)};
    }
    case BodyFraming::UntilClose:
      return {input.size(), input};
    case BodyFraming::Chunked:
      break;
  }
  auto step = chunks_.step(input);
  is_done_ = chunks_.is_done();
  return step;
}

bool BodyDecoder::finish_at_end_of_stream() {
  if (framing_ == BodyFraming::UntilClose) is_done_ = true;
  return is_done_;
}

}  // namespace weft::http
