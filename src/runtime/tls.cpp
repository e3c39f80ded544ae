#include "runtime/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

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

// OpenSSL's own text for an unreadable file names its internals; say what the system says.
Result<> check_readable(const std::string& file, std::string_view what) {
  std::ifstream in(file);
  if (in && in.peek() != std::ifstream::traits_type::eof()) return {};
  if (in.eof()) return fail(ErrorCode::InvalidArgument, "{} {} is empty", what, file);
  return fail(ErrorCode::InvalidArgument, "{} {} cannot be read: {}", what, file,
              std::strerror(errno));
}

Result<> use_certificate(SSL_CTX* context, const std::string& file) {
  CHECK(check_readable(file, "certificate file"));
  if (SSL_CTX_use_certificate_chain_file(context, file.c_str()) == 1) return {};
  return fail(
      ErrorCode::InvalidArgument,
      "certificate file {} holds no usable PEM certificate (-----BEGIN CERTIFICATE-----): {}", file,
      tls_error("OpenSSL").message);
}

struct Passphrase {
  std::string text;
  bool was_asked = false;  // the key is encrypted
};

// Without this callback OpenSSL asks at the terminal.
int give_passphrase(char* into, int size, int, void* argument) {
  auto& passphrase = *static_cast<Passphrase*>(argument);
  passphrase.was_asked = true;
  const auto& text = passphrase.text;
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(into, text.data(), text.size());
  return static_cast<int>(text.size());
}

Failure key_failure(const std::string& file, const Passphrase& passphrase) {
  const auto reason = tls_error("OpenSSL").message;
  if (!passphrase.was_asked) {
    return fail(ErrorCode::InvalidArgument,
                "key file {} holds no usable PEM key (-----BEGIN PRIVATE KEY-----): {}", file,
                reason);
  }
  if (passphrase.text.empty()) {
    return fail(ErrorCode::InvalidArgument, "key file {} is encrypted: give its passphrase", file);
  }
  return fail(ErrorCode::InvalidArgument,
              "key file {} cannot be read with the passphrase that is given", file);
}

Result<> use_key(SSL_CTX* context, const TlsIdentity& identity) {
  CHECK(check_readable(identity.key_file, "key file"));
  Passphrase passphrase{identity.key_passphrase};
  SSL_CTX_set_default_passwd_cb(context, give_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &passphrase);
  ERR_clear_error();
  const int used =
      SSL_CTX_use_PrivateKey_file(context, identity.key_file.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  // A key of another pair fails at once when it is of the certificate's type.
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  const bool is_other = reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
  if (used != 1 && !is_other) return key_failure(identity.key_file, passphrase);
  if (used == 1 && SSL_CTX_check_private_key(context) == 1) return {};
  ERR_clear_error();
  return fail(ErrorCode::InvalidArgument, "key file {} is not the key of the certificate in {}",
              identity.key_file, identity.certificate_file);
}

// The names of who signs are told to clients, which choose their certificate by them.
Result<> ask_for_certificates(SSL_CTX* context, const TlsIdentity& identity) {
  const auto& file = identity.client_ca_file;
  if (identity.client_certificates == ClientCertificates::Ignored) return {};
  CHECK(check_readable(file, "file of client certificate authorities"));
  ERR_clear_error();
  auto* names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return fail(ErrorCode::InvalidArgument,
                "file of client certificate authorities {} holds no usable PEM certificate "
                "(-----BEGIN CERTIFICATE-----): {}",
                file, tls_error("OpenSSL").message);
  }
  SSL_CTX_set_client_CA_list(context, names);
  const bool is_required = identity.client_certificates == ClientCertificates::Required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  // A resumed session would bring its certificate along unverified, also when it has expired since.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  return {};
}

std::string subject_text(const X509* certificate) {
  std::string text;
  auto* memory = BIO_new(BIO_s_mem());
  if (memory == nullptr) return text;
  // Letters beyond ASCII as they are, in UTF-8.
  X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  text.resize(BIO_ctrl_pending(memory));
  BIO_read(memory, text.data(), static_cast<int>(text.size()));
  BIO_free(memory);
  return text;
}

// Of a DNS name, URI or address of mail. A name with a zero byte in it, which some readers end at,
// is left out.
std::optional<std::string> name_text(const GENERAL_NAME& name) {
  std::string_view kind = name.type == GEN_DNS     ? "dns:"
                          : name.type == GEN_URI   ? "uri:"
                          : name.type == GEN_EMAIL ? "email:"
                                                   : "";
  if (kind.empty()) return std::nullopt;
  const auto* string = name.d.ia5;
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                   static_cast<std::size_t>(ASN1_STRING_length(string)));
  if (text.empty() || text.find('\0') != text.npos) return std::nullopt;
  if (name.type == GEN_DNS) {
    for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return std::string(kind) + text;
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

Error tls_error(std::string_view what) {
  char text[256] = "unknown reason";
  if (auto code = ERR_peek_last_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return {ErrorCode::Unavailable, fmt::format("{}: {}", what, text)};
}

Result<TlsContext> TlsContext::server(const TlsIdentity& identity,
                                      const std::vector<std::string>& alpn) {
  TRY(auto state, make_state(TLS_server_method(), alpn));
  auto* context = state->context.get();
  CHECK(use_certificate(context, identity.certificate_file));
  CHECK(use_key(context, identity));
  // A second ticket is of use to clients with parallel connections only and costs 40 µs.
  SSL_CTX_set_num_tickets(context, 1);
  CHECK(ask_for_certificates(context, identity));
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (!state->alpn.empty()) SSL_CTX_set_alpn_select_cb(context, choose_alpn, &state->alpn);
  return TlsContext(std::move(state));
}

TlsCertificate TlsContext::certificate() const {
  TlsCertificate out;
  const auto* certificate = SSL_CTX_get0_certificate(state_->context.get());
  if (certificate == nullptr) return out;
  out.subject = subject_text(certificate);
  out.not_before = wall_time(X509_get0_notBefore(certificate));
  out.not_after = wall_time(X509_get0_notAfter(certificate));
  return out;
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

std::optional<PeerCertificate> peer_certificate(const net::Stream& stream) {
  const auto* secured = dynamic_cast<const TlsStream*>(&stream);
  const bool is_accepted = secured != nullptr && SSL_is_server(secured->engine()) == 1;
  const auto* certificate = is_accepted ? SSL_get0_peer_certificate(secured->engine()) : nullptr;
  if (certificate == nullptr) return std::nullopt;
  PeerCertificate peer;
  peer.subject = subject_text(certificate);
  peer.not_after = wall_time(X509_get0_notAfter(certificate));
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    if (auto text = name_text(*sk_GENERAL_NAME_value(names, i))) {
      peer.names.push_back(*std::move(text));
    }
  }
  GENERAL_NAMES_free(names);
  return peer;
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
