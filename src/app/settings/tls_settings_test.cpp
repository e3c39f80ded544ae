#include "app/settings/tls_settings.h"

#include <gmock/gmock.h>

namespace weft::app {
namespace {

using ::testing::HasSubstr;

Settings settings_of(const std::vector<std::string>& overrides) {
  auto nothing = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  return Settings::load("weft.yaml", "", nothing, overrides).value();
}

std::string refusal(const std::vector<std::string>& overrides) {
  auto context = tls_of(settings_of(overrides), "gateway", {});
  return context ? "" : context.error().message;
}

TEST(TlsSettings, LeaveAListenerOffWithoutACertificate) {
  auto context = tls_of(settings_of({}), "gateway", {});

  ASSERT_TRUE(context);
  EXPECT_FALSE(context->has_value());
}

TEST(TlsSettings, WantTheCertificateAndItsKey) {
  EXPECT_EQ(refusal({"tls.certificateFile=a.pem"}),
            "tls.certificateFile is set without tls.keyFile: TLS takes both");
  EXPECT_EQ(refusal({"tls.gateway.keyFile=a.pem"}),
            "tls.gateway.keyFile is set without tls.gateway.certificateFile: TLS takes both");
}

TEST(TlsSettings, TakeAListenersOwnCertificateBeforeTheCommonOne) {
  auto said =
      refusal({"tls.certificateFile=/no/common.pem", "tls.keyFile=/no/common.key",
               "tls.gateway.certificateFile=/no/own.pem", "tls.gateway.keyFile=/no/own.key"});

  EXPECT_THAT(said, HasSubstr("tls.gateway"));
  EXPECT_THAT(said, HasSubstr("/no/own.pem cannot be read: No such file or directory"));
}

TEST(TlsSettings, WantWhoSignsTheCertificatesOfKafkaClients) {
  const auto kafka = [](std::vector<std::string> more) {
    more.insert(more.end(), {"tls.certificateFile=a.pem", "tls.keyFile=a.key"});
    return tls_of(settings_of(more), "kafka", {}).error().message;
  };
  EXPECT_EQ(
      kafka({"tls.kafka.clientCertificates=required"}),
      "tls.kafka.clientCertificates is 'required' without tls.kafka.clientCaFile, which names "
      "who signs them");
  EXPECT_THAT(kafka({"tls.kafka.clientCaFile=ca.pem"}), HasSubstr("is 'ignored': set it to"));
  EXPECT_THAT(kafka({"tls.kafka.clientCertificates=yes"}),
              HasSubstr("must be ignored, requested or required, not 'yes'"));
}

TEST(TlsSettings, WarnOfACertificateOutOfItsTime) {
  WallTime start{};
  TlsCertificate certificate{"CN=weft", start, start + std::chrono::days(90)};

  EXPECT_EQ(certificate_warning(certificate, start + std::chrono::days(75)), "");
  EXPECT_THAT(certificate_warning(certificate, start + std::chrono::days(77)),
              HasSubstr("expires at 1970-04-01"));
  EXPECT_THAT(certificate_warning(certificate, start + std::chrono::days(91)),
              HasSubstr("expired at 1970-04-01"));
  EXPECT_THAT(certificate_warning(certificate, start - 1h), HasSubstr("valid from 1970-01-01"));
}

}  // namespace
}  // namespace weft::app
