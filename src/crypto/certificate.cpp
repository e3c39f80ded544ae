#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

namespace weft::crypto {
namespace {

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using Certificate = std::unique_ptr<X509, CertificateFree>;

Result<Certificate> read_certificate(std::string_view pem) {
  std::unique_ptr<BIO, int (*)(BIO*)> memory(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  Certificate certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)
                                 : nullptr);
  if (!certificate)
    return fail(ErrorCode::InvalidArgument,
                "there is no PEM certificate (-----BEGIN CERTIFICATE-----)");
  return certificate;
}

std::string address_text(const ASN1_OCTET_STRING* octets) {
  char text[INET6_ADDRSTRLEN] = "";
  auto family = ASN1_STRING_length(octets) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(octets) != 16) return {};
  return ::inet_ntop(family, ASN1_STRING_get0_data(octets), text, sizeof text) != nullptr ? text
                                                                                          : "";
}

}  // namespace

Result<std::vector<std::string>> certificate_names(std::string_view pem) {
  TRY(auto certificate, read_certificate(pem));
  std::vector<std::string> names;
  std::unique_ptr<GENERAL_NAMES, CertificateFree> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      const auto* text = name->d.dNSName;
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
    } else if (name->type == GEN_IPADD) {
      names.push_back(address_text(name->d.iPAddress));
    }
  }
  return names;
}

Result<bool> certificate_is_for(std::string_view pem, const std::string& host) {
  TRY(auto certificate, read_certificate(pem));
  if (X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1) return true;
  return X509_check_host(certificate.get(), host.data(), host.size(),
                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

}  // namespace weft::crypto
