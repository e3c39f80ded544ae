#include "app/settings/tls_settings.h"

#include <fmt/format.h>

namespace weft::app {
namespace {

constexpr auto kSoon = std::chrono::days(14);

// Only the Kafka listener knows what to do with them.
Result<> read_client_certificates(const Settings& settings, TlsIdentity& identity) {
  const auto wanted = settings.text("tls.kafka.clientCertificates");
  identity.client_ca_file = settings.text("tls.kafka.clientCaFile");
  if (wanted == "requested") {
    identity.client_certificates = ClientCertificates::Requested;
  } else if (wanted == "required") {
    identity.client_certificates = ClientCertificates::Required;
  } else if (wanted != "ignored") {
    return fail(ErrorCode::InvalidArgument,
                "tls.kafka.clientCertificates: must be ignored, requested or required, not '{}'",
                wanted);
  }
  const bool is_asking = identity.client_certificates != ClientCertificates::Ignored;
  if (is_asking == !identity.client_ca_file.empty()) return {};
  if (is_asking) {
    return fail(ErrorCode::InvalidArgument,
                "tls.kafka.clientCertificates is '{}' without tls.kafka.clientCaFile, which names "
                "who signs them",
                wanted);
  }
  return fail(ErrorCode::InvalidArgument,
              "tls.kafka.clientCaFile is set, but tls.kafka.clientCertificates is '{}': set it to "
              "requested or required",
              wanted);
}

}  // namespace

Result<std::optional<TlsContext>> tls_of(const Settings& settings, std::string_view listener,
                                         const std::vector<std::string>& alpn) {
  auto prefix = fmt::format("tls.{}", listener);
  const bool is_own = !settings.text(prefix + ".certificateFile").empty() ||
                      !settings.text(prefix + ".keyFile").empty();
  if (!is_own) prefix = "tls";
  TlsIdentity identity;
  identity.certificate_file = settings.text(prefix + ".certificateFile");
  identity.key_file = settings.text(prefix + ".keyFile");
  identity.key_passphrase = settings.secret("tls.keyPassphrase");
  if (identity.certificate_file.empty() && identity.key_file.empty()) {
    return std::optional<TlsContext>();
  }
  if (identity.certificate_file.empty() || identity.key_file.empty()) {
    const auto* given = identity.key_file.empty() ? "certificateFile" : "keyFile";
    const auto* missing = identity.key_file.empty() ? "keyFile" : "certificateFile";
    return fail(ErrorCode::InvalidArgument, "{}.{} is set without {}.{}: TLS takes both", prefix,
                given, prefix, missing);
  }
  if (listener == "kafka") CHECK(read_client_certificates(settings, identity));
  auto context = TlsContext::server(identity, alpn);
  if (!context) {
    return std::unexpected(std::move(context).error().within("settings " + prefix + ".*"));
  }
  return std::optional<TlsContext>(std::move(*context));
}

std::string certificate_warning(const TlsCertificate& certificate, WallTime now) {
  if (now > certificate.not_after) {
    return fmt::format("the certificate expired at {}: clients refuse it; renew it and start again",
                       to_rfc3339(certificate.not_after));
  }
  if (now < certificate.not_before) {
    return fmt::format("the certificate is valid from {}: clients refuse it until then",
                       to_rfc3339(certificate.not_before));
  }
  if (now + kSoon > certificate.not_after) {
    return fmt::format("the certificate expires at {}: renew it and start again",
                       to_rfc3339(certificate.not_after));
  }
  return {};
}

}  // namespace weft::app
