#include "crypto/jose.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json_members.h"
#include "crypto/raw_bytes.h"

namespace weft::crypto {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;

struct JoseFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <class T>
using Owned = std::unique_ptr<T, JoseFree>;

enum class KeyFamily : std::uint8_t { Rsa, P256, P384, Ed25519 };

constexpr std::array kAlgorithms = {std::pair(JwsAlgorithm::Rs256, std::string_view("RS256")),
                                    std::pair(JwsAlgorithm::Ps256, std::string_view("PS256")),
                                    std::pair(JwsAlgorithm::Es256, std::string_view("ES256")),
                                    std::pair(JwsAlgorithm::Es384, std::string_view("ES384")),
                                    std::pair(JwsAlgorithm::EdDsa, std::string_view("EdDSA"))};

KeyFamily family_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::Rs256:
    case JwsAlgorithm::Ps256:
      return KeyFamily::Rsa;
    case JwsAlgorithm::Es256:
      return KeyFamily::P256;
    case JwsAlgorithm::Es384:
      return KeyFamily::P384;
    case JwsAlgorithm::EdDsa:
      return KeyFamily::Ed25519;
  }
  return KeyFamily::Rsa;
}

Failure no_key(std::string_view why) {
  ERR_clear_error();
  return fail(ErrorCode::InvalidArgument, "the JSON Web Key is not usable: {}", why);
}

Result<std::string> bytes_of(const Json& key, std::string_view member) {
  const auto text = member_text(key, member);
  if (!text || text->empty()) return no_key("a member is missing");
  auto bytes = from_base64url(*text);
  if (!bytes) return no_key("a member is not base64url");
  return bytes;
}

Result<Owned<EVP_PKEY>> key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  const bool is_made =
      parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  Owned<EVP_PKEY> key(made);
  if (!is_made) return no_key("its numbers are no public key");
  return key;
}

Result<Owned<EVP_PKEY>> rsa_key(const Json& key) {
  TRY(const auto modulus, bytes_of(key, "n"));
  TRY(const auto exponent, bytes_of(key, "e"));
  if (modulus.size() * 8 > static_cast<std::size_t>(kRsaBitsMax)) {
    return no_key("RSA keys have 2048 to 8192 bits");
  }
  const Owned<BIGNUM> n(BN_bin2bn(raw(modulus), static_cast<int>(modulus.size()), nullptr));
  const Owned<BIGNUM> e(BN_bin2bn(raw(exponent), static_cast<int>(exponent.size()), nullptr));
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  TRY(auto made, key_from("RSA", builder.get()));
  if (EVP_PKEY_get_bits(made.get()) < kRsaBitsMin) return no_key("RSA keys have 2048 to 8192 bits");
  return made;
}

Result<Owned<EVP_PKEY>> ec_key(const Json& key, KeyFamily family) {
  const std::size_t size = family == KeyFamily::P256 ? 32 : 48;
  TRY(const auto x, bytes_of(key, "x"));
  TRY(const auto y, bytes_of(key, "y"));
  if (x.size() != size || y.size() != size) return no_key("its point has another size");
  const auto point = "\x04" + x + y;
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                  family == KeyFamily::P256 ? "P-256" : "P-384", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return key_from("EC", builder.get());
}

Result<Owned<EVP_PKEY>> ed25519_key(const Json& key) {
  TRY(const auto x, bytes_of(key, "x"));
  Owned<EVP_PKEY> made(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(x), x.size()));
  if (!made) return no_key("its point has another size");
  return made;
}

Result<KeyFamily> family_of(const Json& key) {
  const auto type = text_of(key, "kty");
  const auto curve = text_of(key, "crv");
  if (type == "RSA") return KeyFamily::Rsa;
  if (type == "EC" && curve == "P-256") return KeyFamily::P256;
  if (type == "EC" && curve == "P-384") return KeyFamily::P384;
  if (type == "OKP" && curve == "Ed25519") return KeyFamily::Ed25519;
  return no_key("its type is none of RSA, EC with P-256 or P-384, OKP with Ed25519");
}

bool is_for_signatures(const Json& key) {
  if (text_of(key, "use", "sig") != "sig") return false;
  const auto* operations = key.find("key_ops");
  if (operations == nullptr) return true;
  return operations->is_array() && std::ranges::any_of(operations->elements(), [](const Json& one) {
           return one.is_string() && one.as_string() == "verify";
         });
}

// r and s behind one another (RFC 7518 section 3.4), as OpenSSL takes them.
std::string der_of(std::string_view signature) {
  const auto half = signature.size() / 2;
  const Owned<ECDSA_SIG> pair(ECDSA_SIG_new());
  auto* r = BN_bin2bn(raw(signature), static_cast<int>(half), nullptr);
  auto* s = BN_bin2bn(raw(signature.substr(half)), static_cast<int>(half), nullptr);
  ENSURE(pair && ECDSA_SIG_set0(pair.get(), r, s) == 1, "a signature is two numbers");
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  ENSURE(size > 0, "a signature can be encoded");
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

bool is_pss(JwsAlgorithm algorithm) {
  return algorithm == JwsAlgorithm::Ps256;
}

const EVP_MD* digest_of(JwsAlgorithm algorithm) {
  if (algorithm == JwsAlgorithm::EdDsa) return nullptr;
  return algorithm == JwsAlgorithm::Es384 ? EVP_sha384() : EVP_sha256();
}

}  // namespace

struct JsonWebKey::State {
  std::string id;
  std::string algorithm;  // the only one it is for, or empty
  KeyFamily family = KeyFamily::Rsa;
  Owned<EVP_PKEY> key;
};

std::string_view name(JwsAlgorithm algorithm) {
  return std::ranges::find(kAlgorithms, algorithm, [](const auto& each) { return each.first; })
      ->second;
}

std::optional<JwsAlgorithm> jws_algorithm(std::string_view algorithm) {
  const auto found =
      std::ranges::find(kAlgorithms, algorithm, [](const auto& each) { return each.second; });
  if (found == kAlgorithms.end()) return std::nullopt;
  return found->first;
}

Result<JsonWebKey> JsonWebKey::parse(const Json& key) {
  if (!key.is_object()) return no_key("it is no object");
  if (!is_for_signatures(key)) return no_key("it is not for signatures");
  auto state = std::make_shared<State>();
  state->id = text_of(key, "kid");
  state->algorithm = text_of(key, "alg");
  TRY(state->family, family_of(key));
  switch (state->family) {
    case KeyFamily::Rsa: {
      TRY(state->key, rsa_key(key));
      break;
    }
    case KeyFamily::P256:
    case KeyFamily::P384: {
      TRY(state->key, ec_key(key, state->family));
      break;
    }
    case KeyFamily::Ed25519: {
      TRY(state->key, ed25519_key(key));
      break;
    }
  }
  JsonWebKey made;
  made.state_ = std::move(state);
  return made;
}

const std::string& JsonWebKey::id() const {
  return state_->id;
}

bool JsonWebKey::is_for(JwsAlgorithm algorithm) const {
  return state_->family == family_of(algorithm) &&
         (state_->algorithm.empty() || state_->algorithm == name(algorithm));
}

bool JsonWebKey::verify(JwsAlgorithm algorithm, std::string_view message,
                        std::string_view signature) const {
  if (!is_for(algorithm)) return false;
  std::string text(signature);
  if (algorithm == JwsAlgorithm::Es256 || algorithm == JwsAlgorithm::Es384) {
    const std::size_t size = algorithm == JwsAlgorithm::Es256 ? 64 : 96;
    if (signature.size() != size) return false;
    text = der_of(signature);
  }
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  ENSURE(context != nullptr, "there is memory for a signature");
  EVP_PKEY_CTX* of_key = nullptr;  // the context's
  bool is_ready = EVP_DigestVerifyInit(context.get(), &of_key, digest_of(algorithm), nullptr,
                                       state_->key.get()) == 1;
  if (is_ready && is_pss(algorithm)) {
    // RFC 7518 section 3.5: MGF1 with the same hash, a salt as long as it.
    is_ready = EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  const bool is_good = is_ready && EVP_DigestVerify(context.get(), raw(text), text.size(),
                                                    raw(message), message.size()) == 1;
  ERR_clear_error();
  return is_good;
}

Result<std::vector<JsonWebKey>> json_web_keys(std::string_view text) {
  auto document = JsonDocument::parse(std::string(text));
  const auto* list =
      document && document->root().is_object() ? document->root().find("keys") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::InvalidArgument, "this is no set of JSON Web Keys: {{\"keys\": […]}}");
  }
  std::vector<JsonWebKey> keys;
  for (const auto& each : list->elements()) {
    if (auto key = JsonWebKey::parse(each)) keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace weft::crypto
