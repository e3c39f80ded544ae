#include "identity/token_issuers.h"

#include <atomic>
#include <map>
#include <mutex>

#include "base/json_members.h"
#include "identity/core/token.h"
#include "runtime/log.h"

namespace weft::identity {
namespace {

constexpr std::string_view kIssuerSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["issuer", "keysUrl", "audience"],
  "properties": {
    "description": {"type": "string"},
    "issuer": {"type": "string", "minLength": 1, "description": "The claim iss of its tokens, to the letter"},
    "keysUrl": {"type": "string", "pattern": "^https?://.+",
                "description": "Where its public keys are (a JSON Web Key Set); egress.allow must let it through"},
    "audience": {"type": "string", "minLength": 1, "description": "What the claim aud must name: this Weft"},
    "algorithms": {"type": "array", "minItems": 1, "uniqueItems": true,
                   "items": {"enum": ["RS256", "PS256", "ES256", "ES384", "EdDSA"]},
                   "description": "Of signatures that are taken; all of these when it is left out"},
    "clientClaim": {"type": "string", "minLength": 1, "default": "sub",
                    "description": "The claim that holds the name of the Client: sub, azp, client_id …"},
    "clockSkew": {"type": "string", "default": "30s", "description": "How far clocks may differ: at most 5m"}
  }
})json";

constexpr Duration kClockSkewMax = 5min;
constexpr Duration kFetchWait = 10s;  // for keys that another login is fetching
constexpr Duration kFetchPoll = 20ms;

Result<Duration> clock_skew(const estate::Resource& issuer) {
  TRY(const auto skew, parse_duration(text_of(issuer.spec(), "clockSkew", "30s")));
  if (skew <= kClockSkewMax) return skew;
  return fail(ErrorCode::InvalidArgument, "clockSkew is at most 5m");
}

void check_issuer(const estate::Resource& issuer, const estate::EstateView&,
                  estate::Findings& findings) {
  if (const auto skew = clock_skew(issuer); !skew) {
    findings.errors.push_back(issuer.at("/spec/clockSkew", skew.error().message));
  }
}

TokenRules rules_of(const estate::Resource& issuer) {
  const auto& spec = issuer.spec();
  TokenRules rules;
  rules.tenant = issuer.tenant();
  rules.issuer = text_of(spec, "issuer");
  rules.audience = text_of(spec, "audience");
  rules.client_claim = text_of(spec, "clientClaim", "sub");
  rules.clock_skew = clock_skew(issuer).value_or(Duration::zero());
  using enum crypto::JwsAlgorithm;
  rules.algorithms = {Rs256, Ps256, Es256, Es384, EdDsa};
  if (const auto* list = spec.find("algorithms")) {
    rules.algorithms.clear();
    for (const auto& each : list->elements()) {
      if (const auto by = crypto::jws_algorithm(each.as_string())) rules.algorithms.push_back(*by);
    }
  }
  return rules;
}

}  // namespace

estate::Kind token_issuer_kind() {
  estate::Kind kind{.name = "TokenIssuer",
                    .summary = "Whose signed tokens (JWT) Kafka clients may log in with",
                    .schema = std::string(kIssuerSchema)};
  kind.check = check_issuer;
  return kind;
}

namespace {

using Keys = std::vector<crypto::JsonWebKey>;

// The keys behind one URL.
struct KeyCache {
  explicit KeyCache(std::string from) : url(std::move(from)) {}
  const std::string url;
  std::mutex mutex;  // of what follows; never held across a wait
  std::shared_ptr<const Keys> keys = std::make_shared<const Keys>();
  std::optional<MonoTime> fetched_at;
  std::optional<MonoTime> tried_at;
  bool is_fetching = false;
};

struct DeclaredIssuer {
  TokenRules rules;
  std::shared_ptr<KeyCache> cache;
};

using Snapshot = std::map<std::string, DeclaredIssuer, std::less<>>;  // by issuer

}  // namespace

namespace {

Failure no_keys() {
  return fail(ErrorCode::Unavailable, "the keys of the token's issuer cannot be had now");
}

}  // namespace

struct TokenIssuers::State {
  State(const Identity& its_identity, Clock& its_clock, FetchKeys its_fetch)
      : identity(its_identity), clock(its_clock), fetch(std::move(its_fetch)) {}

  const Identity& identity;
  Clock& clock;
  const FetchKeys fetch;
  std::atomic<std::shared_ptr<const Snapshot>> issuers{std::make_shared<const Snapshot>()};
  std::map<std::string, std::shared_ptr<KeyCache>> caches;  // the estate's thread
  std::atomic<std::uint64_t> compilations{0};

  // Whether this caller is to fetch now.
  bool begins_fetch(KeyCache& cache);
  Task<Result<>> fetch_into(std::shared_ptr<KeyCache> cache);
  // Keys that are likely to have the token's.
  Task<Result<std::shared_ptr<const Keys>>> keys_for(const Token& token,
                                                     std::shared_ptr<KeyCache> cache);
};

bool TokenIssuers::State::begins_fetch(KeyCache& cache) {
  const auto now = clock.mono();
  std::lock_guard lock(cache.mutex);
  if (cache.is_fetching || (cache.tried_at && now < *cache.tried_at + kKeysRefreshMin))
    return false;
  cache.tried_at = now;
  cache.is_fetching = true;
  return true;
}

Task<Result<>> TokenIssuers::State::fetch_into(std::shared_ptr<KeyCache> cache) {
  auto url = cache->url;
  auto text = co_await fetch(std::move(url));
  auto keys =
      text ? crypto::json_web_keys(*text) : Result<Keys>(std::unexpected(std::move(text).error()));
  if (keys && keys->empty()) {
    keys = fail(ErrorCode::Unavailable, "there is no key for signatures in it");
  }
  std::lock_guard lock(cache->mutex);
  cache->is_fetching = false;
  if (keys) {
    cache->keys = std::make_shared<const Keys>(*std::move(keys));
    cache->fetched_at = clock.mono();
    co_return Result<>();
  }
  log_warn("identity", "the keys of a token issuer could not be fetched",
           {{"url", cache->url}, {"error", keys.error().message}});
  co_return no_keys();
}

Task<Result<std::shared_ptr<const Keys>>> TokenIssuers::State::keys_for(
    const Token& token, std::shared_ptr<KeyCache> cache) {
  const auto until = clock.mono() + kFetchWait;
  for (;;) {
    std::shared_ptr<const Keys> keys;
    bool is_fresh = false;
    bool is_fetching = false;
    {
      std::lock_guard lock(cache->mutex);
      keys = cache->keys;
      is_fresh = cache->fetched_at && clock.mono() < *cache->fetched_at + kKeysAgeMax;
      is_fetching = cache->is_fetching;
    }
    const bool has_key = token.has_key_in(*keys);
    if (has_key && is_fresh) co_return keys;
    if (begins_fetch(*cache)) {
      const auto fetched = co_await fetch_into(cache);
      if (!fetched && keys->empty()) co_return std::unexpected(fetched.error());
      std::lock_guard lock(cache->mutex);
      co_return cache->keys;
    }
    // Stale keys are good while somebody fetches new ones.
    const bool waits = !has_key && is_fetching && clock.mono() < until;
    if (!waits && keys->empty()) co_return no_keys();
    if (!waits) co_return keys;
    CO_CHECK(co_await clock.sleep_for(kFetchPoll));
  }
}

TokenIssuers::TokenIssuers(const Identity& identity, Clock& clock, FetchKeys fetch)
    : state_(std::make_unique<State>(identity, clock, std::move(fetch))) {}
TokenIssuers::~TokenIssuers() = default;

Task<Result<TokenLogin>> TokenIssuers::authenticate(std::string text) {
  CO_TRY(const auto token, Token::parse(text));
  const auto issuers = state_->issuers.load();
  const auto declared = issuers->find(token.issuer());
  if (declared == issuers->end()) {
    co_return fail(ErrorCode::Unauthenticated,
                   "the token is refused: no TokenIssuer declares its issuer '{}'", token.issuer());
  }
  const auto& rules = declared->second.rules;
  auto cache = declared->second.cache;
  CO_TRY(const auto keys, co_await state_->keys_for(token, std::move(cache)));
  if (!token.is_signed_by(*keys, rules)) {
    co_return fail(
        ErrorCode::Unauthenticated,
        "the token is refused: it is not signed by a key of its issuer, with an algorithm "
        "that its TokenIssuer allows");
  }
  CO_TRY(auto claims, TokenClaims::read(token, rules, state_->clock.now()));
  TokenLogin login;
  login.issuer = rules.issuer;
  login.expires_at = claims.expires_at;
  login.principal = state_->identity.find_client(rules.tenant, claims.client);
  if (!login.principal) {
    co_return fail(ErrorCode::Unauthenticated,
                   "the token is refused: its claim {} is '{}', and tenant {} has no such Client",
                   rules.client_claim, claims.client, rules.tenant);
  }
  co_return login;
}

Result<PrincipalRef> TokenIssuers::renew(const TokenLogin& login) const {
  if (state_->clock.now() >= login.expires_at) {
    return fail(ErrorCode::Unauthenticated, "the token expired at {}",
                to_rfc3339(login.expires_at));
  }
  const auto issuers = state_->issuers.load();
  const auto& known = *login.principal;
  const auto declared = issuers->find(login.issuer);
  auto principal = state_->identity.find_client(known.tenant, known.name);
  if (principal && declared != issuers->end() && declared->second.rules.tenant == known.tenant) {
    return principal;
  }
  return fail(ErrorCode::Unauthenticated, "the token's issuer or Client is no longer declared");
}

std::uint64_t TokenIssuers::compilations() const {
  return state_->compilations;
}

Result<std::shared_ptr<const void>> TokenIssuers::compile(const estate::EstateView& view) {
  auto snapshot = std::make_shared<Snapshot>();
  std::map<std::string, std::shared_ptr<KeyCache>> kept;
  for (const auto& issuer : view.of_kind("TokenIssuer")) {
    state_->compilations.fetch_add(1);
    const auto url = text_of(issuer->spec(), "keysUrl");
    auto& cache = kept[url];
    const auto known = state_->caches.find(url);
    if (!cache)
      cache = known != state_->caches.end() ? known->second : std::make_shared<KeyCache>(url);
    auto rules = rules_of(*issuer);
    const auto name = rules.issuer;
    if (!snapshot->emplace(name, DeclaredIssuer{std::move(rules), cache}).second) {
      return fail(ErrorCode::AlreadyExists, "{}: the issuer {} is declared twice",
                  issuer->id().text(), name);
    }
  }
  state_->caches = std::move(kept);
  return std::shared_ptr<const void>(std::move(snapshot));
}

void TokenIssuers::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  state_->issuers.store(std::static_pointer_cast<const Snapshot>(std::move(snapshot)));
}

}  // namespace weft::identity
