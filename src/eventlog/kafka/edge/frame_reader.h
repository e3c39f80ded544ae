// Cuts a stream into Kafka frames, in place: a frame is a view of the buffer until the next call.
// The buffer grows only as bytes arrive, so a length prefix alone costs nothing; requests beyond 64
// KiB share a budget with all other connections and wait for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/clock.h"
#include "runtime/net.h"
#include "runtime/task.h"

namespace weft::kafka {

// Bytes that large requests of all connections may hold at once. Thread-safe.
class RequestBudget {
 public:
  explicit RequestBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_{0};
};

class FrameReader {
 public:
  static constexpr Duration kPieceTimeout = 30s;

  FrameReader(net::Stream& stream, Clock& clock, RequestBudget& budget)
      : stream_(stream), clock_(clock), budget_(budget) {}
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // The next frame without its length prefix; absent at the end of the stream. InvalidArgument for
  // a length that is negative or beyond `bytes_max`, or an end within a frame; else what the stream
  // answers. Waits for a frame to begin until `idle`, and kPieceTimeout for each further piece of
  // it.
  Task<Result<std::optional<std::string_view>>> next(Duration idle, std::uint32_t bytes_max);
  // Whether next() has all of a frame already.
  bool has_next() const;

 private:
  Result<std::optional<std::string_view>> take_complete(std::uint32_t bytes_max);
  Task<Result<>> make_room(std::size_t frame_bytes);
  void release();

  net::Stream& stream_;
  Clock& clock_;
  RequestBudget& budget_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t budgeted_ = 0;
};

}  // namespace weft::kafka
