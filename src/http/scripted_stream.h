// A peer that follows a script, for tests of connections: it sends the given pieces, one per read,
// then ends as told; what it is sent is kept. Any step can be made to fail.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/net.h"

namespace weft::http {

struct Script {
  std::deque<std::string> sends;
  // What a read meets after the last piece: the end of the stream, or this failure.
  std::optional<ErrorCode> then_fails;
  // The step (read or write, counted from 0) that fails with Unavailable.
  std::size_t fails_at = ~std::size_t{0};
  // From this step on everything fails with Unavailable.
  std::size_t dies_at = ~std::size_t{0};
  // How much one try_write takes.
  std::size_t takes_at_once = ~std::size_t{0};

  std::string received;
  std::size_t steps = 0;
  std::size_t writes = 0;
  bool is_closed = false;
  bool has_finished_writing = false;
};

class ScriptedStream final : public net::Stream {
 public:
  explicit ScriptedStream(std::shared_ptr<Script> script) : script_(std::move(script)) {}

  Task<Result<std::size_t>> read_some(std::span<char> into) override { co_return read(into); }
  // The peer speaks when it is waited for; before that only its end shows.
  Result<std::size_t> try_read(std::span<char> into) override {
    if (!script_->sends.empty()) return fail(ErrorCode::Unavailable, "nothing yet");
    return read(into);
  }

  Task<Result<>> write(std::span<const std::string_view> buffers) override {
    CO_CHECK(step());
    for (auto buffer : buffers) script_->received += buffer;
    ++script_->writes;
    co_return Result<>();
  }

  Result<std::size_t> try_write(std::span<const std::string_view> buffers) override {
    CHECK(step());
    std::size_t taken = 0;
    for (auto buffer : buffers) {
      auto part = buffer.substr(0, script_->takes_at_once - taken);
      script_->received += part;
      taken += part.size();
    }
    ++script_->writes;
    return taken;
  }

  Task<Result<>> send_file(int, std::uint64_t, std::uint64_t) override {
    co_return fail(ErrorCode::Unsupported, "scripted");
  }
  void set_deadline(MonoTime) override {}
  Task<Result<>> finish_writing() override {
    script_->has_finished_writing = true;
    co_return Result<>();
  }
  void close() override { script_->is_closed = true; }
  net::Endpoint peer() const override { return {"192.0.2.7", 4711}; }

 private:
  Result<> step() {
    if (script_->is_closed) return fail(ErrorCode::Cancelled, "the stream was closed");
    auto step = script_->steps++;
    if (step == script_->fails_at || step >= script_->dies_at)
      return fail(ErrorCode::Unavailable, "reset by the script");
    return {};
  }

  Result<std::size_t> read(std::span<char> into) {
    CHECK(step());
    if (script_->sends.empty()) {
      if (script_->then_fails) return fail(*script_->then_fails, "as scripted");
      return std::size_t{0};
    }
    auto& piece = script_->sends.front();
    auto count = std::min(piece.size(), into.size());
    std::memcpy(into.data(), piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) script_->sends.pop_front();
    return count;
  }

  std::shared_ptr<Script> script_;
};

}  // namespace weft::http
