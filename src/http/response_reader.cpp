#include "http/response_reader.h"

#include <cstring>

namespace weft::http {

namespace {

constexpr std::size_t kResponseBuffer = 4 * 1024;
// A body in pieces pays for a larger buffer.
constexpr std::size_t kResponseBodyBuffer = 64 * 1024;

}  // namespace

ResponseReader::ResponseReader(HeadLimits limits) : in_(kResponseBuffer), parser_(limits) {}

void ResponseReader::expect(bool answers_head) {
  parser_.reset();
  begin_ = end_ = 0;
  answers_head_ = answers_head;
  has_head_ = false;
  has_begun_ = false;
  keep_alive_ = false;
  if (in_.size() > kResponseBodyBuffer) {
    in_.resize(kResponseBodyBuffer);
    in_.shrink_to_fit();
  }
}

std::span<char> ResponseReader::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (has_head_ && body_.left() > in_.size() && in_.size() < kResponseBodyBuffer) {
    in_.resize(kResponseBodyBuffer);
  }
  if (end_ == in_.size() && begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == in_.size()) in_.resize(in_.size() * 2);
  return {in_.data() + end_, in_.size() - end_};
}

void ResponseReader::received(std::size_t count) {
  end_ += count;
  has_begun_ = has_begun_ || count > 0;
}

bool ResponseReader::ended() {
  keep_alive_ = false;
  return has_head_ && body_.finish_at_end_of_stream();
}

Result<bool> ResponseReader::has_head() {
  while (!has_head_) {
    if (begin_ == end_) return false;
    auto step = parser_.parse(surplus(), answers_head_);
    if (step == HeadStep::Incomplete) return false;
    if (step == HeadStep::Refused) {
      return fail(ErrorCode::InvalidArgument, "a malformed response: {}", parser_.fault().reason);
    }
    begin_ += parser_.size();
    const auto& head = parser_.head();
    if (head.status < 200 && head.status != 101) {
      parser_.reset();
      continue;
    }
    has_head_ = true;
    keep_alive_ = head.keep_alive && head.status != 101;
    body_.start(head.framing, head.content_length);
  }
  return true;
}

Result<std::string_view> ResponseReader::next_piece() {
  while (!body_.is_done() && begin_ < end_) {
    auto step = body_.step(surplus());
    begin_ += step.consumed;
    if (body_.has_failed()) {
      return fail(ErrorCode::InvalidArgument, "a malformed response: {}", body_.reason());
    }
    if (!step.piece.empty()) return step.piece;
  }
  return std::string_view();
}

}  // namespace weft::http
