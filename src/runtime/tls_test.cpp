#include "runtime/tls.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/run_until_done.h"
#include "runtime/simulated_network.h"
#include "runtime/task_group.h"

namespace weft {
namespace {

using ::testing::HasSubstr;
using Stream = std::unique_ptr<net::Stream>;

constexpr long kHour = 3600;

// A self-signed certificate for localhost and 127.0.0.1, made anew for each test.
class Certificate {
 public:
  explicit Certificate(long not_after_seconds = kHour, std::string passphrase = "") {
    folder_ =
        std::filesystem::temp_directory_path() / fmt::format("weft-tls-{}", SystemRandom().next());
    std::filesystem::create_directories(folder_);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -24 * kHour);
    X509_gmtime_adj(X509_getm_notAfter(certificate), not_after_seconds);
    X509_set_pubkey(certificate, key);
    auto* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("weft test"), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    auto* names =
        X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    auto* out = std::fopen(certificate_file().c_str(), "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
    out = std::fopen(key_file().c_str(), "w");
    const auto* cipher = passphrase.empty() ? nullptr : EVP_aes_256_cbc();
    const auto* secret = reinterpret_cast<const unsigned char*>(passphrase.data());
    PEM_write_PrivateKey(out, key, cipher, passphrase.empty() ? nullptr : secret,
                         static_cast<int>(passphrase.size()), nullptr, nullptr);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }

  std::string certificate_file() const { return folder_ / "cert.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }
  TlsIdentity identity() const {
    TlsIdentity files;
    files.certificate_file = certificate_file();
    files.key_file = key_file();
    return files;
  }

 private:
  std::filesystem::path folder_;
};

Task<void> serve(Stream plain, TlsContext context, Result<Stream>& out) {
  out = co_await accept_tls(std::move(plain), std::move(context), MonoTime::max());
}

struct TlsWorld {
  Certificate certificate;
  SystemClock clock;
  SeededRandom random{11};
  SimulatedNetwork network{clock, random, {.delay_min = 0us, .delay_max = 10us}};
  IoContext io;
  std::unique_ptr<net::Listener> listener;
  TlsContext server;
  TlsContext client;
  Result<Stream> accepted = fail(ErrorCode::Internal, "not yet");
  Result<Stream> connected = fail(ErrorCode::Internal, "not yet");

  TlsWorld()
      : listener(run_until_done(io, network.listen(net::Endpoint{"127.0.0.1", 1})).value()),
        server(TlsContext::server(certificate.identity(), {"h2", "http/1.1"}).value()),
        client(TlsContext::client(certificate.certificate_file(), {"http/1.1"}).value()) {}

  void shake_hands(std::string name) {
    auto plain = run_until_done(io, network.connect(listener->local(), MonoTime::max())).value();
    auto other = run_until_done(io, listener->accept()).value();
    TaskGroup group(io.get_executor(), "server", 1);
    group.spawn(serve(std::move(other), server, accepted));
    connected =
        run_until_done(io, connect_tls(std::move(plain), client, std::move(name), MonoTime::max()));
    if (!connected && accepted) accepted->reset();
    run_until_done(io, group.join());
  }
};

Task<void> write_all(net::Stream& stream, std::string bytes, Result<>& outcome) {
  std::array<std::string_view, 1> whole{bytes};
  outcome = co_await stream.write(whole);
  if (outcome) outcome = co_await stream.finish_writing();
}

Task<Result<std::string>> read_all(net::Stream& stream) {
  std::string out;
  std::array<char, 5000> buffer;
  for (;;) {
    CO_TRY(auto count, co_await stream.read_some(buffer));
    if (count == 0) co_return out;
    out.append(buffer.data(), count);
  }
}

TEST(Tls, AgreesOnAProtocolAndCarriesBytesBothWays) {
  TlsWorld world;
  world.shake_hands("localhost");
  ASSERT_TRUE(world.connected) << world.connected.error().message;
  ASSERT_TRUE(world.accepted) << world.accepted.error().message;
  EXPECT_EQ((*world.connected)->alpn(), "http/1.1");
  EXPECT_EQ((*world.accepted)->alpn(), "http/1.1");
  std::string up(300'000, 'u');
  std::string down(200'000, 'd');
  Result<> up_sent;
  Result<> down_sent;
  TaskGroup group(world.io.get_executor(), "writers", 2);

  group.spawn(write_all(**world.connected, up, up_sent));
  group.spawn(write_all(**world.accepted, down, down_sent));
  auto got_up = run_until_done(world.io, read_all(**world.accepted));
  auto got_down = run_until_done(world.io, read_all(**world.connected));
  run_until_done(world.io, group.join());

  EXPECT_TRUE(up_sent && down_sent);
  EXPECT_TRUE(got_up.value() == up);
  EXPECT_TRUE(got_down.value() == down);
}

TEST(Tls, AcceptsAnAddressThatTheCertificateNames) {
  TlsWorld world;

  world.shake_hands("127.0.0.1");

  EXPECT_TRUE(world.connected);
}

TEST(Tls, RefusesACertificateForAnotherName) {
  TlsWorld world;

  world.shake_hands("example.com");

  EXPECT_EQ(world.connected.error().code, ErrorCode::PermissionDenied);
}

TEST(Tls, RefusesACertificateOfAnUnknownAuthority) {
  TlsWorld world;
  Certificate other;
  world.client = TlsContext::client(other.certificate_file(), {}).value();

  world.shake_hands("localhost");

  EXPECT_EQ(world.connected.error().code, ErrorCode::PermissionDenied);
}

TEST(Tls, ReportsAStreamThatWasCutWithoutGoodbye) {
  TlsWorld world;
  world.shake_hands("localhost");
  ASSERT_TRUE(world.connected && world.accepted);

  (*world.accepted)->close();
  auto got = run_until_done(world.io, read_all(**world.connected));

  EXPECT_EQ(got.error().code, ErrorCode::DataLoss);
}

// Why a server cannot be set up with this.
std::string refusal(const TlsIdentity& identity) {
  auto context = TlsContext::server(identity, {});
  if (context) return "";
  EXPECT_EQ(context.error().code, ErrorCode::InvalidArgument);
  return context.error().message;
}

TEST(Tls, TellsAServerWhoItsClientIsOnceItAsks) {
  TlsWorld world;
  auto asking = world.certificate.identity();
  asking.client_certificates = ClientCertificates::Requested;
  asking.client_ca_file = asking.certificate_file;
  world.server = TlsContext::server(asking, {}).value();

  world.shake_hands("localhost");

  ASSERT_TRUE(world.accepted) << world.accepted.error().message;
  EXPECT_FALSE(peer_certificate(**world.accepted)) << "the client has none";
  EXPECT_FALSE(peer_certificate(**world.connected)) << "that of a server is looked at by its name";
}

TEST(Tls, EndsTheHandshakeOfAClientWithoutTheCertificateThatIsRequired) {
  TlsWorld world;
  auto asking = world.certificate.identity();
  asking.client_certificates = ClientCertificates::Required;
  asking.client_ca_file = asking.certificate_file;
  world.server = TlsContext::server(asking, {}).value();

  world.shake_hands("localhost");

  ASSERT_FALSE(world.accepted);
  EXPECT_THAT(world.accepted.error().message, HasSubstr("peer did not return a certificate"));
}

TEST(Tls, NamesTheFileOfClientAuthoritiesThatIsOfNoUse) {
  Certificate certificate;
  auto asking = certificate.identity();
  asking.client_certificates = ClientCertificates::Required;
  asking.client_ca_file = certificate.key_file();

  EXPECT_THAT(TlsContext::server(asking, {}).error().message,
              HasSubstr(certificate.key_file() + " holds no usable PEM certificate"));
}

TEST(Tls, NamesTheFileThatCannotBeReadAndTheSystemsReason) {
  Certificate certificate;
  auto no_certificate = certificate.identity();
  no_certificate.certificate_file = "/nonexistent/cert.pem";
  auto no_key = certificate.identity();
  no_key.key_file = "/nonexistent/key.pem";

  EXPECT_EQ(refusal(no_certificate),
            "certificate file /nonexistent/cert.pem cannot be read: No such file or directory");
  EXPECT_EQ(refusal(no_key),
            "key file /nonexistent/key.pem cannot be read: No such file or directory");
}

TEST(Tls, SaysWhenAFileHoldsSomethingElse) {
  Certificate certificate;
  auto swapped = certificate.identity();
  std::swap(swapped.certificate_file, swapped.key_file);
  auto twice = certificate.identity();
  twice.key_file = twice.certificate_file;

  EXPECT_THAT(refusal(swapped), HasSubstr("key.pem holds no usable PEM certificate"));
  EXPECT_THAT(refusal(twice), HasSubstr("cert.pem holds no usable PEM key"));
}

TEST(Tls, SaysWhenTheKeyIsOfAnotherCertificate) {
  Certificate certificate;
  Certificate other;
  auto mixed = certificate.identity();
  mixed.key_file = other.key_file();

  EXPECT_EQ(refusal(mixed), fmt::format("key file {} is not the key of the certificate in {}",
                                        mixed.key_file, mixed.certificate_file));
}

TEST(Tls, OpensAnEncryptedKeyWithItsPassphraseAndNeverAsksForIt) {
  Certificate certificate(kHour, "open sesame");
  auto with = certificate.identity();

  EXPECT_THAT(refusal(with), HasSubstr("key.pem is encrypted: give its passphrase"));
  with.key_passphrase = "open barley";
  EXPECT_THAT(refusal(with), HasSubstr("key.pem cannot be read with the passphrase"));
  with.key_passphrase = "open sesame";
  EXPECT_EQ(refusal(with), "");
}

TEST(Tls, TellsTheTimeInWhichACertificateIsValid) {
  Certificate expired(-kHour);

  auto context = TlsContext::server(expired.identity(), {});

  ASSERT_TRUE(context) << context.error().message;
  auto certificate = context->certificate();
  auto now = SystemClock().now();
  EXPECT_EQ(certificate.subject, "CN=weft test");
  EXPECT_LT(certificate.not_after, now);
  EXPECT_GT(certificate.not_after, now - 2h);
  EXPECT_LT(certificate.not_before, now - 23h);
}

}  // namespace
}  // namespace weft
