// TLS 1.2 and 1.3 over any net::Stream, by OpenSSL. A context is made once, is shared by all loops
// and is immutable; a stream belongs to the loop of the stream below it.
//
// A stream that ends without close_notify fails with DataLoss, since an attacker can cut it.
// try_write() of a TLS stream takes nothing; write() encrypts and sends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/net.h"
#include "runtime/task.h"

namespace weft {

// Whether a server asks its clients for a certificate: not at all, without insisting, or ending the
// handshake of who has none. One that is sent must be valid, or the handshake ends.
enum class ClientCertificates : std::uint8_t { Ignored, Requested, Required };

// A server's certificate with its chain and its key, as PEM files.
struct TlsIdentity {
  std::string certificate_file;
  std::string key_file;
  std::string key_passphrase;  // of an encrypted key; nobody is ever asked at a terminal
  ClientCertificates client_certificates = ClientCertificates::Ignored;
  std::string client_ca_file;  // PEM: who signs those; needed unless they are ignored
};

// What a certificate says about itself.
struct TlsCertificate {
  std::string subject;  // CN=weft.example.com
  WallTime not_before{};
  WallTime not_after{};
};

// The certificate of a client, verified in the handshake.
struct PeerCertificate {
  std::string subject;  // RFC 2253: CN=shop,O=Acme
  // Its subject alternative names: "dns:shop.acme.test", "uri:spiffe://acme/shop",
  // "email:shop@acme.test"; others are left out. DNS names in lower case.
  std::vector<std::string> names;
  WallTime not_after{};
};

class TlsContext {
 public:
  // InvalidArgument names the file and what is wrong with it: unreadable, no PEM, a key that does
  // not match, a passphrase that is missing or wrong. A certificate out of its time is accepted;
  // look at certificate(). `alpn`: protocols offered, best first.
  static Result<TlsContext> server(const TlsIdentity& identity,
                                   const std::vector<std::string>& alpn);
  // `ca_file` empty: the system's authorities.
  static Result<TlsContext> client(const std::string& ca_file,
                                   const std::vector<std::string>& alpn);

  // Of a server.
  TlsCertificate certificate() const;

  struct State;
  const State& state() const { return *state_; }

 private:
  explicit TlsContext(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// The server's half of a handshake. The deadline stays set on the stream.
Task<Result<std::unique_ptr<net::Stream>>> accept_tls(std::unique_ptr<net::Stream> plain,
                                                      TlsContext context, MonoTime deadline);

// Of a stream that accept_tls made; absent without one, and for every other stream.
std::optional<PeerCertificate> peer_certificate(const net::Stream& stream);

// The client's half. The certificate must be valid for `server_name` (a host name or an address);
// PermissionDenied when it is not.
Task<Result<std::unique_ptr<net::Stream>>> connect_tls(std::unique_ptr<net::Stream> plain,
                                                       TlsContext context, std::string server_name,
                                                       MonoTime deadline);

}  // namespace weft
