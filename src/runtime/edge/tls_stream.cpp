#include "runtime/edge/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>

namespace weft {

namespace {

constexpr std::size_t kRecordMax = 16 * 1024;
// A TLS record and its overhead.
constexpr std::size_t kInboxBytes = kRecordMax + 512;
// Plain bytes encrypted before they are sent.
constexpr std::size_t kBurstBytes = 64 * 1024;

int clamp(std::size_t size) {
  return static_cast<int>(std::min(size, std::size_t{1} << 30));
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<net::Stream> below, TlsContext context)
    : below_(std::move(below)),
      context_(std::move(context)),
      engine_(SSL_new(context_.state().context.get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  ENSURE(engine_ != nullptr && in_ != nullptr && out_ != nullptr, "memory for a TLS stream");
  SSL_set_bio(engine_.get(), in_, out_);
}

Result<> TlsStream::as_server() {
  SSL_set_accept_state(engine_.get());
  return {};
}

Result<> TlsStream::as_client(const std::string& server_name) {
  auto* engine = engine_.get();
  SSL_set_connect_state(engine);
  auto* parameters = SSL_get0_param(engine);
  // SNI carries names only (RFC 6066 section 3); an address is checked against the certificate
  // alone.
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, server_name.c_str()) == 1) return {};
  ERR_clear_error();
  if (SSL_set1_host(engine, server_name.c_str()) != 1 ||
      SSL_set_tlsext_host_name(engine, server_name.c_str()) != 1) {
    return fail(ErrorCode::InvalidArgument, "{} cannot be checked in a certificate", server_name);
  }
  SSL_set_hostflags(engine, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return {};
}

Failure TlsStream::handshake_failure() const {
  if (auto verdict = SSL_get_verify_result(engine_.get()); verdict != X509_V_OK) {
    ERR_clear_error();
    return fail(ErrorCode::PermissionDenied, "the peer's certificate is not accepted: {}",
                X509_verify_cert_error_string(verdict));
  }
  return Failure(tls_error("TLS handshake"));
}

Task<Result<>> TlsStream::handshake() {
  for (;;) {
    ERR_clear_error();
    int outcome = SSL_do_handshake(engine_.get());
    int reason = SSL_get_error(engine_.get(), outcome);
    auto failed =
        outcome == 1 || reason == SSL_ERROR_WANT_READ ? Result<>() : Result<>(handshake_failure());
    // Also after a failure: the peer learns the reason from the alert.
    auto sent = co_await flush();
    if (!failed) co_return failed;
    CO_CHECK(std::move(sent));
    if (outcome == 1) break;
    CO_CHECK(co_await fill());
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(engine_.get(), &protocol, &size);
  if (protocol != nullptr) alpn_.assign(reinterpret_cast<const char*>(protocol), size);
  co_return Result<>();
}

Result<> TlsStream::feed(std::string_view bytes) {
  if (BIO_write(in_, bytes.data(), clamp(bytes.size())) != clamp(bytes.size())) {
    return std::unexpected(tls_error("TLS input"));
  }
  return {};
}

Task<Result<>> TlsStream::fill() {
  inbox_.resize(kInboxBytes);
  CO_TRY(auto count, co_await below_->read_some(inbox_));
  if (count == 0) co_return fail(ErrorCode::DataLoss, "the peer ended TLS without close_notify");
  co_return feed(std::string_view(inbox_).substr(0, count));
}

Task<Result<>> TlsStream::flush() {
  while (is_flushing_) {
    co_await flushed_.wait_regardless();
  }
  while (auto pending = BIO_ctrl_pending(out_)) {
    outbox_.resize(pending);
    BIO_read(out_, outbox_.data(), clamp(pending));
    std::array<std::string_view, 1> whole{outbox_};
    is_flushing_ = true;
    auto sent = co_await below_->write(whole);
    is_flushing_ = false;
    flushed_.wake();
    if (!sent) co_return sent;
  }
  co_return Result<>();
}

Result<std::size_t> TlsStream::decrypt(std::span<char> into) {
  ERR_clear_error();
  int count = SSL_read(engine_.get(), into.data(), clamp(into.size()));
  if (count > 0) return static_cast<std::size_t>(count);
  switch (SSL_get_error(engine_.get(), count)) {
    case SSL_ERROR_ZERO_RETURN:
      return std::size_t{0};
    case SSL_ERROR_WANT_READ:
      return fail(ErrorCode::Unavailable, "nothing yet");
    default:
      break;
  }
  auto error = tls_error("TLS record");
  error.code = ErrorCode::DataLoss;
  return std::unexpected(std::move(error));
}

Task<Result<std::size_t>> TlsStream::read_some(std::span<char> into) {
  for (;;) {
    auto count = decrypt(into);
    if (BIO_ctrl_pending(out_) > 0 && !is_flushing_) CO_CHECK(co_await flush());
    if (count || count.error().code != ErrorCode::Unavailable) co_return count;
    CO_CHECK(co_await fill());
  }
}

Result<std::size_t> TlsStream::try_read(std::span<char> into) {
  auto count = decrypt(into);
  if (count || count.error().code != ErrorCode::Unavailable) return count;
  inbox_.resize(kInboxBytes);
  TRY(auto raw, below_->try_read(inbox_));
  if (raw == 0) return fail(ErrorCode::DataLoss, "the peer ended TLS without close_notify");
  CHECK(feed(std::string_view(inbox_).substr(0, raw)));
  return decrypt(into);
}

Task<Result<>> TlsStream::write(std::span<const std::string_view> buffers) {
  std::size_t burst = 0;
  for (auto buffer : buffers) {
    while (!buffer.empty()) {
      auto step = std::min(buffer.size(), kRecordMax);
      ERR_clear_error();
      int count = SSL_write(engine_.get(), buffer.data(), clamp(step));
      if (count <= 0) co_return std::unexpected(tls_error("TLS record"));
      buffer.remove_prefix(static_cast<std::size_t>(count));
      burst += static_cast<std::size_t>(count);
      if (burst < kBurstBytes) continue;
      burst = 0;
      CO_CHECK(co_await flush());
    }
  }
  co_return co_await flush();
}

Task<Result<>> TlsStream::send_file(int descriptor, std::uint64_t offset, std::uint64_t size) {
  std::string chunk;
  while (size > 0) {
    chunk.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, kBurstBytes)));
    auto count = ::pread(descriptor, chunk.data(), chunk.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) co_return fail(ErrorCode::IoError, "read the file to send: errno {}", errno);
    if (count == 0) co_return fail(ErrorCode::DataLoss, "the file ends {} bytes early", size);
    std::array<std::string_view, 1> whole{std::string_view(chunk).substr(0, std::size_t(count))};
    CO_CHECK(co_await write(whole));
    offset += static_cast<std::uint64_t>(count);
    size -= static_cast<std::uint64_t>(count);
  }
  co_return Result<>();
}

Task<Result<>> TlsStream::finish_writing() {
  ERR_clear_error();
  SSL_shutdown(engine_.get());
  ERR_clear_error();
  CO_CHECK(co_await flush());
  co_return co_await below_->finish_writing();
}

}  // namespace weft
