#include "identity/identity.h"

#include <atomic>
#include <mutex>

#include "crypto/constant_time.h"
#include "crypto/key.h"
#include "identity/core/api_key.h"
#include "identity/core/directory.h"
#include "identity/core/key_sql.h"
#include "identity/edge/key_files.h"
#include "identity/edge/scram_store.h"
#include "runtime/log.h"

namespace weft::identity {

namespace {

constexpr std::string_view kFingerprintText = "weft identity pepper";
constexpr int kKeyIdTries = 3;

std::int64_t day_of(WallTime now) {
  return std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
}

Failure refused() {
  return fail(ErrorCode::Unauthenticated, "the API key is unknown, revoked or wrong");
}

// Everything that authentication needs, in one pointer.
struct Lookup {
  std::shared_ptr<const ClientSnapshot> clients = std::make_shared<const ClientSnapshot>();
  KeyTable keys;
};

estate::AuditEvent key_event(std::string actor, const ApiKeyInfo& key, std::string action) {
  return {std::move(actor), key.tenant, std::move(action), "ApiKey " + key.id};
}

}  // namespace

std::string make_api_key(Random& random) {
  auto id = random.bytes(kKeyIdBytes);
  auto secret = random.bytes(kSecretBytes);
  auto key = api_key_of(id, secret);
  crypto::wipe(secret.data(), secret.size());
  return key;
}

struct Identity::State {
  explicit State(IdentityParts given)
      : parts(std::move(given)),
        scram(parts.database, parts.audit, parts.clock),
        lookup(std::make_shared<const Lookup>()) {}

  IdentityParts parts;
  ScramStore scram;
  std::optional<crypto::HmacKey> pepper;  // set by start(), then constant
  ClientCache cache;                      // the estate's thread
  std::atomic<std::shared_ptr<const Lookup>> lookup;
  std::atomic<std::uint64_t> version{1};  // counts what was stored in `lookup`
  const std::uint64_t instance = ++instances;

  static inline std::atomic<std::uint64_t> instances{0};

  // Guards the making of the next lookup; never held across a wait.
  std::mutex mutex;
  std::shared_ptr<const ClientSnapshot> clients = std::make_shared<const ClientSnapshot>();
  std::map<std::string, StoredKey> stored;
  std::map<std::string, std::int64_t> stored_days;
  std::uint64_t changes = 0;  // made here: created and revoked
  std::pair<std::string, KeyEntry> admin;

  std::string path(std::string_view file) const {
    return fmt::format("{}/{}", parts.data_folder, file);
  }

  void rebuild() {
    auto next = std::make_shared<Lookup>();
    next->clients = clients;
    next->keys = key_table(*clients, stored);
    if (!admin.first.empty()) next->keys.insert_or_assign(admin.first, admin.second);
    lookup.store(std::move(next));
    version.fetch_add(1);
  }

  // The calling thread's own reference to the newest lookup: taking one from the shared pointer on
  // each call would make all loops write to the same cache line. Valid until the thread's next
  // call.
  const Lookup& current() const {
    struct Held {
      std::uint64_t instance = 0;
      std::uint64_t version = 0;
      std::shared_ptr<const Lookup> lookup;
    };
    thread_local Held held;
    auto newest = version.load();
    if (held.instance != instance || held.version != newest) {
      held = {instance, newest, lookup.load()};
    }
    return *held.lookup;
  }

  void make_admin(const std::string& token);
  // False when a key was created or revoked here since `seen` changes.
  bool take_stored(std::map<std::string, StoredKey> keys, std::uint64_t seen);
  std::uint64_t changes_made();
  std::map<std::string, StoredKey> stored_copy();
  Task<void> keep_on_disk();
  Task<Result<>> load_from_disk(const Error& why);
  void add_stored(const NewApiKey& made, const crypto::Digest256& hash);
  void drop_stored(const std::string& id);
  std::vector<ApiKeyInfo> with_last_use(const Rows& rows);
  // The keys that were used on a later day than is stored.
  std::map<std::string, std::int64_t> days_to_store();
  void mark_stored(const std::map<std::string, std::int64_t>& days);

  Task<Result<>> load_keys();
  Task<Result<>> check_pepper();
  Task<Result<>> write_revocation(std::string actor, ApiKeyInfo before);
  Result<NewApiKey> draft_key(const std::string& actor, const ApiKeyRequest& request);
};

void Identity::State::make_admin(const std::string& token) {
  auto principal = std::make_shared<const Principal>(
      make_principal(PrincipalType::User, "admin", std::string(estate::kDefaultTenant),
                     {{"*", "*", "the admin token"}}, TenantScope::All));
  KeyEntry entry{pepper->sign(token), kNever, std::move(principal), std::make_shared<KeyUse>()};
  std::lock_guard lock(mutex);
  admin = {std::string(*key_id_of(token)), std::move(entry)};
  rebuild();
}

bool Identity::State::take_stored(std::map<std::string, StoredKey> keys, std::uint64_t seen) {
  std::lock_guard lock(mutex);
  if (changes != seen) return false;
  for (auto& [id, key] : keys) {
    auto known = stored.find(id);
    if (known != stored.end()) key.use = known->second.use;
  }
  stored = std::move(keys);
  rebuild();
  return true;
}

std::uint64_t Identity::State::changes_made() {
  std::lock_guard lock(mutex);
  return changes;
}

std::map<std::string, StoredKey> Identity::State::stored_copy() {
  std::lock_guard lock(mutex);
  return stored;
}

// A key that the file lacks, or still has, matters only to a start without the database.
Task<void> Identity::State::keep_on_disk() {
  if (!parts.is_shared) co_return;
  auto keys = stored_copy();
  auto written = co_await write_stored_keys(parts.files, path("api-keys"), std::move(keys));
  if (!written) {
    log_error("identity", "the API keys are not kept on disk; the next start needs the database",
              {{"error", written.error().message}});
  }
}

Task<Result<>> Identity::State::load_from_disk(const Error& why) {
  if (parts.is_shared) {
    auto keys = co_await read_stored_keys(parts.files, path("api-keys"));
    if (keys) {
      log_warn("identity", "the database is away: API keys are those of the last time",
               {{"keys", keys->size()}, {"error", why.message}});
      take_stored(*std::move(keys), changes_made());
      co_return Result<>();
    }
    if (keys.error().code != ErrorCode::NotFound) {
      log_error("identity", "the kept API keys cannot be used", {{"error", keys.error().message}});
    }
  }
  log_warn("identity", "no API keys could be loaded: only declared keys and the admin token work",
           {{"error", why.message}});
  co_return Result<>();
}

void Identity::State::add_stored(const NewApiKey& made, const crypto::Digest256& hash) {
  StoredKey key;
  key.client = {made.info.tenant, made.info.client};
  key.hash = hash;
  if (made.info.expires_at) key.expires_at = to_unix_ms(*made.info.expires_at);
  key.use = std::make_shared<KeyUse>();
  std::lock_guard lock(mutex);
  ++changes;
  stored.emplace(made.info.id, std::move(key));
  rebuild();
}

void Identity::State::drop_stored(const std::string& id) {
  std::lock_guard lock(mutex);
  ++changes;
  stored.erase(id);
  rebuild();
}

std::vector<ApiKeyInfo> Identity::State::with_last_use(const Rows& rows) {
  std::vector<ApiKeyInfo> keys;
  std::lock_guard lock(mutex);
  for (const auto& row : rows) {
    auto info = key_info(row);
    auto live = stored.find(info.id);
    if (live != stored.end()) {
      std::chrono::sys_days seen{std::chrono::days(live->second.use->last_day.load())};
      if (seen > info.last_used.value_or(std::chrono::sys_days())) info.last_used = seen;
    }
    keys.push_back(std::move(info));
  }
  return keys;
}

std::map<std::string, std::int64_t> Identity::State::days_to_store() {
  std::map<std::string, std::int64_t> days;
  std::lock_guard lock(mutex);
  for (const auto& [id, key] : stored) {
    auto day = key.use->last_day.load(std::memory_order_relaxed);
    if (day > stored_days[id]) days.emplace(id, day);
  }
  return days;
}

void Identity::State::mark_stored(const std::map<std::string, std::int64_t>& days) {
  std::lock_guard lock(mutex);
  for (const auto& [id, day] : days) stored_days[id] = day;
}

// Keys that were hashed with another pepper would all be refused without a word.
Task<Result<>> Identity::State::check_pepper() {
  auto ours = to_hex(pepper->sign(kFingerprintText));
  Query query("SELECT fingerprint FROM identity_pepper WHERE id = 1");
  CO_TRY(auto rows, co_await parts.database.query(std::move(query)));
  if (!rows.empty() && rows[0].text(0) == ours) co_return Result<>();
  if (!rows.empty() && parts.is_shared) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "{} is not the one of the other nodes on this state database: copy the file "
                   "from one of them",
                   path("identity.key"));
  }
  if (!rows.empty() && !stored.empty()) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "{} is not the file with which the {} API keys of the state database were made; "
                   "restore it from a backup, or revoke the keys and create new ones",
                   path("identity.key"), stored.size());
  }
  Unit unit;
  unit.add("DELETE FROM identity_pepper");
  unit.add("INSERT INTO identity_pepper (id, fingerprint) VALUES (1, $1)", {ours});
  auto recorded = co_await parts.database.execute(std::move(unit));
  // Another node was the first at the same time: its start and ours go on if the files are alike.
  if (!recorded && recorded.error().code == ErrorCode::AlreadyExists && parts.is_shared) {
    co_return co_await check_pepper();
  }
  if (!recorded) co_return Failure(std::move(recorded).error());
  co_return Result<>();
}

Task<Result<>> Identity::State::load_keys() {
  for (;;) {
    auto seen = changes_made();
    auto query = live_keys_query();
    CO_TRY(auto rows, co_await parts.database.query(std::move(query)));
    CO_TRY(auto keys, stored_keys(rows));
    if (take_stored(std::move(keys), seen)) break;
  }
  // First: what is in force must be there for a start without the database, which may go away now.
  co_await keep_on_disk();
  CO_CHECK(co_await scram.load());
  co_return co_await check_pepper();
}

Identity::Identity(IdentityParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Identity::~Identity() = default;

std::vector<Migration> Identity::migrations() {
  return {{"identity", 1, key_schema()}, {"identity", 2, scram_schema()}};
}

Task<Result<>> Identity::start() {
  auto& parts = state_->parts;
  CO_TRY(auto pepper,
         co_await read_or_make_pepper(parts.files, parts.random, state_->path("identity.key")));
  state_->pepper = pepper;
  CO_TRY(auto token,
         co_await read_or_make_admin_token(parts.files, parts.random, admin_token_path()));
  state_->make_admin(token);
  crypto::wipe(token.data(), token.size());
  auto loaded = co_await state_->load_keys();
  if (!loaded && loaded.error().code == ErrorCode::Unavailable) {
    co_return co_await state_->load_from_disk(loaded.error());
  }
  co_return loaded;
}

Task<Result<>> Identity::follow() {
  co_return co_await state_->load_keys();
}

std::string Identity::admin_token_path() const {
  return state_->path("admin-token");
}

Result<PrincipalRef> Identity::authenticate_api_key(std::string_view key) const {
  auto id = key_id_of(key);
  if (!id || !state_->pepper) return refused();
  // Before the lookup, so that an unknown id takes as long as a wrong secret.
  auto hash = state_->pepper->sign(key);
  const auto& lookup = state_->current();
  auto found = lookup.keys.find(*id);
  if (found == lookup.keys.end()) return refused();
  const auto& entry = found->second;
  if (!crypto::constant_time_equals(hash, entry.hash)) return refused();
  auto now = state_->parts.clock.now();
  if (to_unix_ms(now) >= entry.expires_at) {
    return fail(ErrorCode::Unauthenticated, "the API key has expired");
  }
  auto today = day_of(now);
  if (entry.use->last_day.load(std::memory_order_relaxed) != today) {
    entry.use->last_day.store(today, std::memory_order_relaxed);
  }
  return entry.principal;
}

Result<PrincipalRef> Identity::authenticate_certificate(
    const std::string& subject, const std::vector<std::string>& names) const {
  const auto& known = state_->current().clients->certificates;
  PrincipalRef found;
  const auto look_at = [&](const std::string& name) {
    const auto client = known.find(name);
    if (client == known.end()) return true;
    const bool is_other = found && found->id != client->second->id;
    found = client->second;
    return !is_other;
  };
  bool is_one = look_at(subject);
  for (const auto& name : names) is_one = look_at(name) && is_one;
  if (!is_one) {
    return fail(ErrorCode::Unauthenticated, "the certificate {} names several Clients", subject);
  }
  if (found) return found;
  return fail(ErrorCode::Unauthenticated,
              "no Client names the certificate {}{}{}; put one of these into its `certificates`",
              subject, names.empty() ? "" : ", ", fmt::join(names, ", "));
}

// No key begins like that, so what is signed here opens nothing else.
std::string Identity::sign_for_nodes(std::string_view text) const {
  ENSURE(state_->pepper.has_value(), "identity has started");
  return to_hex(state_->pepper->sign(fmt::format("weft node\n{}", text)));
}

bool Identity::is_signed_by_node(std::string_view text, std::string_view mark) const {
  return state_->pepper && crypto::constant_time_equals(sign_for_nodes(text), mark);
}

PrincipalRef Identity::find_client(std::string_view tenant, std::string_view client) const {
  auto lookup = state_->lookup.load();
  auto found = lookup->clients->principals.find(ClientName(tenant, client));
  return found == lookup->clients->principals.end() ? nullptr : found->second;
}

Result<NewApiKey> Identity::State::draft_key(const std::string& actor,
                                             const ApiKeyRequest& request) {
  auto now = parts.clock.now();
  auto known = lookup.load();
  if (!known->clients->principals.contains(ClientName(request.tenant, request.client))) {
    return fail(ErrorCode::NotFound, "tenant {} has no Client {}", request.tenant, request.client);
  }
  if (request.expires_at && *request.expires_at <= now) {
    return fail(ErrorCode::InvalidArgument, "the key would have expired already");
  }
  NewApiKey draft;
  for (int tries = 0; tries < kKeyIdTries; ++tries) {
    draft.key = make_api_key(parts.random);
    draft.info.id = *key_id_of(draft.key);
    if (!known->keys.contains(draft.info.id)) break;
  }
  draft.info.tenant = request.tenant;
  draft.info.client = request.client;
  draft.info.description = request.description;
  draft.info.created_at = from_unix_ms(to_unix_ms(now));
  draft.info.created_by = actor;
  draft.info.expires_at = request.expires_at;
  return draft;
}

Task<Result<NewApiKey>> Identity::create_api_key(std::string actor, ApiKeyRequest request) {
  if (!state_->pepper) co_return fail(ErrorCode::FailedPrecondition, "identity has not started");
  CO_TRY(auto made, state_->draft_key(actor, request));
  auto hash = state_->pepper->sign(made.key);
  Unit unit;
  add_key(unit, made.info, hash);
  auto event = key_event(std::move(actor), made.info, "key.create");
  event.after = key_json(made.info);
  std::vector<estate::AuditEvent> events;
  events.push_back(std::move(event));
  CO_CHECK(co_await state_->parts.audit.commit(std::move(unit), std::move(events)));
  state_->add_stored(made, hash);
  co_await state_->keep_on_disk();
  co_return made;
}

Task<Result<>> Identity::State::write_revocation(std::string actor, ApiKeyInfo before) {
  auto after = before;
  after.revoked_at = parts.clock.now();
  Unit unit;
  revoke_key(unit, before.id, *after.revoked_at);
  auto event = key_event(std::move(actor), before, "key.revoke");
  event.before = key_json(before);
  event.after = key_json(after);
  std::vector<estate::AuditEvent> events;
  events.push_back(std::move(event));
  auto committed = co_await parts.audit.commit(std::move(unit), std::move(events));
  // A conflict means that somebody else has revoked it in the meantime.
  if (!committed && committed.error().code != ErrorCode::Conflict) {
    co_return Failure(std::move(committed).error());
  }
  co_return Result<>();
}

Task<Result<>> Identity::revoke_api_key(std::string actor, std::string tenant, std::string id) {
  auto query = find_query(tenant, id);
  CO_TRY(auto rows, co_await state_->parts.database.query(std::move(query)));
  if (rows.empty()) co_return fail(ErrorCode::NotFound, "tenant {} has no API key {}", tenant, id);
  auto info = key_info(rows[0]);
  if (!info.revoked_at) {
    CO_CHECK(co_await state_->write_revocation(std::move(actor), std::move(info)));
  }
  state_->drop_stored(id);
  co_await state_->keep_on_disk();
  co_return Result<>();
}

Task<Result<std::vector<ApiKeyInfo>>> Identity::list_api_keys(std::string tenant,
                                                              std::string client) {
  auto query = list_query(tenant, client);
  CO_TRY(auto rows, co_await state_->parts.database.query(std::move(query)));
  co_return state_->with_last_use(rows);
}

Task<Result<>> Identity::change_scram(std::string actor, ScramChange change) {
  if (change.keys && !find_client(change.tenant, change.client)) {
    co_return fail(ErrorCode::NotFound, "tenant {} has no Client {}", change.tenant, change.client);
  }
  co_return co_await state_->scram.change(std::move(actor), std::move(change));
}

std::vector<ScramUser> Identity::scram_users(std::string_view tenant) const {
  return state_->scram.users(tenant);
}

ScramLogin Identity::find_scram(ScramMechanism mechanism, std::string_view user) const {
  ENSURE(state_->pepper.has_value(), "identity has started");
  const auto lookup = state_->lookup.load();
  return state_->scram.find(mechanism, user, *lookup->clients, *state_->pepper);
}

Task<Result<std::size_t>> Identity::store_last_used() {
  auto days = state_->days_to_store();
  if (days.empty()) co_return std::size_t{0};
  Unit unit;
  for (const auto& [id, day] : days) set_last_used(unit, id, day);
  CO_CHECK(co_await state_->parts.database.execute(std::move(unit)));
  state_->mark_stored(days);
  co_return days.size();
}
std::uint64_t Identity::compilations() const {
  return state_->cache.compilations;
}

Result<std::shared_ptr<const void>> Identity::compile(const estate::EstateView& view) {
  if (!state_->pepper) return fail(ErrorCode::FailedPrecondition, "identity has not started");
  TRY(auto snapshot, compile_clients(view, state_->parts.secrets, *state_->pepper, state_->cache));
  return std::shared_ptr<const void>(std::move(snapshot));
}

void Identity::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  std::lock_guard lock(state_->mutex);
  state_->clients = std::static_pointer_cast<const ClientSnapshot>(std::move(snapshot));
  state_->rebuild();
}

}  // namespace weft::identity
