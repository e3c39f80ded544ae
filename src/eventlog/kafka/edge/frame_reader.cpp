#include "eventlog/kafka/edge/frame_reader.h"

#include <algorithm>

#include "base/bytes.h"
#include "eventlog/kafka/protocol/headers.h"

namespace weft::kafka {
namespace {

constexpr std::size_t kBufferBytes = 8 * 1024;
constexpr std::size_t kUnbudgetedBytes = 256 * 1024;
constexpr Duration kBudgetPoll = 10ms;
constexpr std::int32_t kHttpGet = 0x47455420;   // "GET "
constexpr std::int32_t kHttpPost = 0x504F5354;  // "POST"
constexpr std::int32_t kTlsHello = 0x160301;    // the first three bytes

std::string_view hint(std::int32_t size) {
  if (size == kHttpGet || size == kHttpPost) return " (is this an HTTP client?)";
  if (size >> 8 == kTlsHello) return " (does the client expect TLS here?)";
  return "";
}

}  // namespace

bool RequestBudget::take(std::uint64_t bytes) {
  auto used = used_.load(std::memory_order_relaxed);
  do {
    // One request may always go through, however large.
    if (used > 0 && used + bytes > bytes_max_) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

FrameReader::~FrameReader() {
  release();
}

void FrameReader::release() {
  budget_.give_back(std::exchange(budgeted_, 0));
}

Task<Result<std::optional<std::string_view>>> FrameReader::next(Duration idle,
                                                                std::uint32_t bytes_max) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kUnbudgetedBytes) {
      std::string().swap(buffer_);
      release();
    }
  }
  while (true) {
    CO_TRY(auto frame, take_complete(bytes_max));
    if (frame) co_return frame;
    const auto have = end_ - begin_;
    const auto wanted = have < kFramePrefixBytes
                            ? kBufferBytes
                            : kFramePrefixBytes + load_be<std::uint32_t>(buffer_.data() + begin_);
    CO_CHECK(co_await make_room(wanted));
    stream_.set_deadline(clock_.mono() + (have == 0 ? idle : std::min(idle, kPieceTimeout)));
    const std::span<char> free(buffer_.data() + end_, buffer_.size() - end_);
    CO_TRY(const auto read, co_await stream_.read_some(free));
    if (read == 0) {
      if (have == 0) co_return std::optional<std::string_view>();
      co_return fail(ErrorCode::InvalidArgument, "the connection ended within a request");
    }
    end_ += read;
  }
}

bool FrameReader::has_next() const {
  const auto have = end_ - begin_;
  if (have < kFramePrefixBytes) return false;
  return load_be<std::uint32_t>(buffer_.data() + begin_) <= have - kFramePrefixBytes;
}

Result<std::optional<std::string_view>> FrameReader::take_complete(std::uint32_t bytes_max) {
  const auto have = end_ - begin_;
  if (have < kFramePrefixBytes) return std::nullopt;
  const auto size = load_be<std::int32_t>(buffer_.data() + begin_);
  if (size < 0 || static_cast<std::uint32_t>(size) > bytes_max) {
    return fail(ErrorCode::InvalidArgument, "a request of {} bytes, the limit is {}{}", size,
                bytes_max, hint(size));
  }
  const auto bytes = static_cast<std::size_t>(size);
  if (have - kFramePrefixBytes < bytes) return std::nullopt;
  const std::string_view frame(buffer_.data() + begin_ + kFramePrefixBytes, bytes);
  begin_ += kFramePrefixBytes + bytes;
  return frame;
}

// Room for at least one byte more, at most for `frame_bytes` from begin_ on.
Task<Result<>> FrameReader::make_room(std::size_t frame_bytes) {
  if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ < buffer_.size()) co_return Result<>();
  // A large request's buffer grows with what has really arrived.
  const auto size =
      std::max(kBufferBytes, std::min(frame_bytes, std::max(kUnbudgetedBytes, buffer_.size() * 4)));
  // All of a request's share at once: whoever holds a part must not wait for more.
  if (frame_bytes > kUnbudgetedBytes && budgeted_ == 0) {
    while (!budget_.take(frame_bytes)) CO_CHECK(co_await clock_.sleep_for(kBudgetPoll));
    budgeted_ = frame_bytes;
  }
  // Captured, since g++ 12 hands the operation the grown capacity instead of the size asked for.
  buffer_.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  co_return Result<>();
}

}  // namespace weft::kafka
