#include "crypto/certificate.h"

#include <gmock/gmock.h>

namespace weft::crypto {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// CN=cn.example.com with four subject alternative names, made by openssl req -x509 -addext.
constexpr std::string_view kNamed = R"(-----BEGIN CERTIFICATE-----
MIIB1TCCAXqgAwIBAgIUFli0f/EAoFmFduOkbx9ykcoK//EwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOY24uZXhhbXBsZS5jb20wIBcNMjYxMTI4MDM0MjQwWhgPMjEy
NjExMDQwMzQyNDBaMBkxFzAVBgNVBAMMDmNuLmV4YW1wbGUuY29tMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAELn2beoMDhCrE41yQ9qa2uHJ2YaNctjBmrp7CP1/B
sKNZ/st2if6j34dKazYm1EhsPZXxoRu9HRiWuFE06Wel+6OBnTCBmjAdBgNVHQ4E
FgQUt0A1ysgsDRH1kBCKk1P2tgfVcmIwHwYDVR0jBBgwFoAUt0A1ysgsDRH1kBCK
k1P2tgfVcmIwDwYDVR0TAQH/BAUwAwEB/zBHBgNVHREEQDA+ghB3ZWZ0LmV4YW1w
bGUuY29tghIqLndpbGQuZXhhbXBsZS5jb22HBH8AAAGHEAAAAAAAAAAAAAAAAAAA
AAEwCgYIKoZIzj0EAwIDSQAwRgIhAJjz9JjFF7WK8nVYFN/es6TI5mTNcVtnUwMF
SFelVDloAiEAlY5o1piM9s4FGZ1eHMoxFjDlVlpzUm549eUxScdQag8=
-----END CERTIFICATE-----
)";

// The same subject without any.
constexpr std::string_view kNameless = R"(-----BEGIN CERTIFICATE-----
MIIBijCCAS+gAwIBAgIUBEEMa2rRwdfodBKOIq9Bm0ycSt8wCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOY24uZXhhbXBsZS5jb20wIBcNMjYxMTI4MDM0MjQwWhgPMjEy
NjExMDQwMzQyNDBaMBkxFzAVBgNVBAMMDmNuLmV4YW1wbGUuY29tMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEy3Sj/t2w8gih1kcaTuO8IdfCRWOeXphwKPLP4nGA
bXbsoRvvhsLHJtKW4aUB2jMX/A/S2EQQQ5nzOZ0spqkda6NTMFEwHQYDVR0OBBYE
FEVmA6ItPVvx71M+3mki8FFWYJNtMB8GA1UdIwQYMBaAFEVmA6ItPVvx71M+3mki
8FFWYJNtMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAMb2DuMm
6bxuD3JGmBWYpUA1jqfyCCt49lEbjbHNyxceAiEAkMTetT635iNsPpkH1JGJ0Q1e
lT0zZr64GjIY/j30Df4=
-----END CERTIFICATE-----
)";

TEST(Certificate, NamesTheHostsAndAddressesThatItIsFor) {
  EXPECT_THAT(certificate_names(kNamed).value(),
              ElementsAre("weft.example.com", "*.wild.example.com", "127.0.0.1", "::1"));
  EXPECT_THAT(certificate_names(kNameless).value(), IsEmpty());
}

TEST(Certificate, IsForItsNamesAndAddresses) {
  for (const auto* host : {"weft.example.com", "WEFT.example.com", "a.wild.example.com",
                           "127.0.0.1", "::1", "0:0::1"}) {
    EXPECT_TRUE(certificate_is_for(kNamed, host).value()) << host;
  }
  for (const auto* host : {"example.com", "a.b.wild.example.com", "127.0.0.2", "::2", ""}) {
    EXPECT_FALSE(certificate_is_for(kNamed, host).value()) << host;
  }
}

TEST(Certificate, IsNotForItsSubjectAlone) {
  EXPECT_FALSE(certificate_is_for(kNameless, "cn.example.com").value());
}

TEST(Certificate, RefusesTextWithoutACertificate) {
  EXPECT_EQ(certificate_names("").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(certificate_is_for("-----BEGIN", "x").error().code, ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace weft::crypto
