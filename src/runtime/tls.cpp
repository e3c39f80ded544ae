#include "runtime/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "runtime/edge/tls_stream.h"

namespace weft {

namespace {

// One length byte before each name (RFC 7301 section 3.1).
std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) continue;
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned in_size, void* argument) {
  const auto& offered = *static_cast<const std::string*>(argument);
  auto* chosen = const_cast<unsigned char*>(*out);
  int outcome = SSL_select_next_proto(&chosen, out_size,
                                      reinterpret_cast<const unsigned char*>(offered.data()),
                                      static_cast<unsigned>(offered.size()), in, in_size);
  *out = chosen;
  // No common protocol: go on without one, as HTTP/1.1 clients expect.
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<std::shared_ptr<TlsContext::State>> make_state(const SSL_METHOD* method,
                                                      const std::vector<std::string>& alpn) {
  ERR_clear_error();
  auto state = std::make_shared<TlsContext::State>();
  state->alpn = alpn_wire(alpn);
  state->context.reset(SSL_CTX_new(method));
  if (!state->context) return std::unexpected(tls_error("TLS context"));
  auto* context = state->context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return state;
}

}  // namespace

Error tls_error(std::string_view what) {
  char text[256] = "unknown reason";
  if (auto code = ERR_peek_last_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return {ErrorCode::Unavailable, fmt::format("{}: {}", what, text)};
}

Result<TlsContext> TlsContext::server(const std::string& certificate_file,
                                      const std::string& key_file,
                                      const std::vector<std::string>& alpn) {
  TRY(auto state, make_state(TLS_server_method(), alpn));
  auto* context = state->context.get();
  auto unusable = [](const std::string& file) {
    auto error = tls_error(file);
    error.code = ErrorCode::InvalidArgument;
    return std::unexpected(std::move(error));
  };
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return unusable(certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable(key_file);
  }
  if (SSL_CTX_check_private_key(context) != 1) return unusable(key_file);
  // A second ticket is of use to clients with parallel connections only and costs 40 µs.
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (!state->alpn.empty()) SSL_CTX_set_alpn_select_cb(context, choose_alpn, &state->alpn);
  return TlsContext(std::move(state));
}

Result<TlsContext> TlsContext::client(const std::string& ca_file,
                                      const std::vector<std::string>& alpn) {
  TRY(auto state, make_state(TLS_client_method(), alpn));
  auto* context = state->context.get();
  int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                               : SSL_CTX_load_verify_file(context, ca_file.c_str());
  if (loaded != 1) {
    auto error = tls_error(ca_file.empty() ? "the system's certificate authorities" : ca_file);
    error.code = ErrorCode::InvalidArgument;
    return std::unexpected(std::move(error));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const auto& wire = state->alpn;
  if (!wire.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  }
  return TlsContext(std::move(state));
}

Task<Result<std::unique_ptr<net::Stream>>> accept_tls(std::unique_ptr<net::Stream> plain,
                                                      TlsContext context, MonoTime deadline) {
  plain->set_deadline(deadline);
  auto stream = std::make_unique<TlsStream>(std::move(plain), std::move(context));
  CO_CHECK(stream->as_server());
  CO_CHECK(co_await stream->handshake());
  co_return std::unique_ptr<net::Stream>(std::move(stream));
}

Task<Result<std::unique_ptr<net::Stream>>> connect_tls(std::unique_ptr<net::Stream> plain,
                                                       TlsContext context, std::string server_name,
                                                       MonoTime deadline) {
  plain->set_deadline(deadline);
  auto stream = std::make_unique<TlsStream>(std::move(plain), std::move(context));
  CO_CHECK(stream->as_client(server_name));
  CO_CHECK(co_await stream->handshake());
  co_return std::unique_ptr<net::Stream>(std::move(stream));
}

}  // namespace weft
