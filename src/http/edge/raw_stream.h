// A connection's stream for its handler after an upgrade: first what was read ahead, then the peer.
#pragma once

#include "http/edge/server_connection.h"

namespace weft::http {

class ServerConnection::RawStream final : public net::Stream {
 public:
  RawStream(net::Stream& below, std::string_view read_ahead)
      : below_(below), read_ahead_(read_ahead) {}

  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    if (read_ahead_.empty()) co_return co_await below_.read_some(into);
    co_return take(into);
  }
  Result<std::size_t> try_read(std::span<char> into) override {
    return read_ahead_.empty() ? below_.try_read(into) : Result<std::size_t>(take(into));
  }
  Task<Result<>> write(std::span<const std::string_view> buffers) override {
    return below_.write(buffers);
  }
  Result<std::size_t> try_write(std::span<const std::string_view> buffers) override {
    return below_.try_write(buffers);
  }
  Task<Result<>> send_file(int descriptor, std::uint64_t offset, std::uint64_t size) override {
    return below_.send_file(descriptor, offset, size);
  }
  void set_deadline(MonoTime when) override { below_.set_deadline(when); }
  Task<Result<>> finish_writing() override { return below_.finish_writing(); }
  void close() override { below_.close(); }
  net::Endpoint peer() const override { return below_.peer(); }
  bool is_tls() const override { return below_.is_tls(); }
  std::string_view alpn() const override { return below_.alpn(); }

 private:
  std::size_t take(std::span<char> into) {
    auto count = std::min(into.size(), read_ahead_.size());
    std::memcpy(into.data(), read_ahead_.data(), count);
    read_ahead_.remove_prefix(count);
    return count;
  }

  net::Stream& below_;
  std::string_view read_ahead_;
};

}  // namespace weft::http
