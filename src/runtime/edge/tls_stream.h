// TLS records between a net::Stream and its user, through memory buffers of OpenSSL: the engine
// never touches a socket, so it runs over the simulated network as well.
//
// Reading may produce output (key updates, alerts) while a write is pending on the stream below,
// which takes one write at a time: whoever flushes sends on until nothing is left, others wait for
// it.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "runtime/net.h"
#include "runtime/suspension.h"
#include "runtime/tls.h"

namespace weft {

struct TlsContext::State {
  struct Free {
    void operator()(SSL_CTX* freed) const { SSL_CTX_free(freed); }
  };
  std::unique_ptr<SSL_CTX, Free> context;
  std::string alpn;
};

// The newest entry of OpenSSL's error queue, which is emptied.
Error tls_error(std::string_view what);

class TlsStream final : public net::Stream {
 public:
  TlsStream(std::unique_ptr<net::Stream> below, TlsContext context);

  Result<> as_server();
  Result<> as_client(const std::string& server_name);
  Task<Result<>> handshake();

  Task<Result<std::size_t>> read_some(std::span<char> into) override;
  Task<Result<>> write(std::span<const std::string_view> buffers) override;
  Result<std::size_t> try_write(std::span<const std::string_view>) override {
    return std::size_t{0};
  }
  Result<std::size_t> try_read(std::span<char> into) override;
  Task<Result<>> send_file(int descriptor, std::uint64_t offset, std::uint64_t size) override;
  void set_deadline(MonoTime when) override { below_->set_deadline(when); }
  Task<Result<>> finish_writing() override;
  void close() override { below_->close(); }
  net::Endpoint peer() const override { return below_->peer(); }
  bool is_tls() const override { return true; }
  std::string_view alpn() const override { return alpn_; }
  const SSL* engine() const { return engine_.get(); }

 private:
  struct Free {
    void operator()(SSL* engine) const { SSL_free(engine); }
  };

  // What is there without waiting; Unavailable when the engine needs more input.
  Result<std::size_t> decrypt(std::span<char> into);
  Task<Result<>> fill();   // one read from below into the engine
  Task<Result<>> flush();  // everything the engine has produced
  Result<> feed(std::string_view bytes);
  Failure handshake_failure() const;

  std::unique_ptr<net::Stream> below_;
  TlsContext context_;
  std::unique_ptr<SSL, Free> engine_;
  BIO* in_ = nullptr;   // owned by the engine
  BIO* out_ = nullptr;  // owned by the engine
  std::string inbox_;
  std::string outbox_;
  std::string alpn_;
  bool is_flushing_ = false;
  Suspension flushed_;
};

}  // namespace weft
