#include "eventlog/quotas.h"

#include <algorithm>

#include "runtime/log.h"

namespace weft::eventlog {
namespace {

constexpr std::size_t kMetersMax = 10'000;
constexpr std::size_t kClientIdBytesMax = 250;
constexpr std::array kRates = {QuotaRate::ProduceBytes, QuotaRate::ProduceRecords,
                               QuotaRate::FetchBytes};
constexpr std::string_view kEach = "*";

std::size_t index(QuotaRate rate) {
  return static_cast<std::size_t>(rate);
}

// The rule that counts for a client, most specific first; the entity is whose meter it is.
struct Candidate {
  QuotaEntity rule;
  QuotaEntity entity;
};

std::vector<Candidate> candidates(const std::string& tenant, const std::string& client,
                                  const std::string& id) {
  const std::string each(kEach);
  const QuotaEntity both{tenant, client, id};
  const QuotaEntity by_client{tenant, client, std::nullopt};
  const QuotaEntity by_id{tenant, std::nullopt, id};
  return {{both, both},
          {{tenant, client, each}, both},
          {by_client, by_client},
          {{tenant, each, id}, both},
          {{tenant, each, each}, both},
          {{tenant, each, std::nullopt}, by_client},
          {by_id, by_id},
          {{tenant, std::nullopt, each}, by_id}};
}

}  // namespace

// What a tenant takes at the moment.
struct Quotas::TenantUse {
  TenantUse(std::string its_name, Metrics& metrics)
      : name(std::move(its_name)),
        throttled(metrics.counter("weft_quota_throttled_total",
                                  "Requests after which a client had to wait for its quota",
                                  {{"tenant", name}})),
        refused(metrics.counter("weft_quota_refused_total",
                                "Requests and connections that a quota refused",
                                {{"tenant", name}})),
        storage(metrics.gauge("weft_quota_storage_bytes",
                              "What the tenant's streams hold, where a quota limits it",
                              {{"tenant", name}})) {}

  const std::string name;
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_max{0};
  std::atomic<std::uint64_t> storage_bytes{0};
  std::atomic<std::uint64_t> storage_bytes_max{0};
  Counter& throttled;
  Counter& refused;
  Gauge& storage;
};

Quotas::Connection& Quotas::Connection::operator=(Connection&& other) noexcept {
  std::swap(tenant_, other.tenant_);
  return *this;
}

Quotas::Connection::~Connection() {
  if (tenant_) tenant_->connections.fetch_sub(1);
}

Quotas::Quotas(Clock& clock, Metrics& metrics, QuotaOptions options)
    : clock_(clock),
      metrics_(metrics),
      options_(options),
      rules_(std::make_shared<const Rules>()) {}
Quotas::~Quotas() = default;

Result<std::shared_ptr<const void>> Quotas::compile(const estate::EstateView& view) {
  auto rules = std::make_shared<Rules>();
  for (const auto& resource : view.of_kind("Quota")) {
    rules->emplace(quota_entity(*resource), quota_limits(*resource));
  }
  compilations_.fetch_add(rules->size());
  return std::shared_ptr<const void>(std::move(rules));
}

void Quotas::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  auto rules = std::static_pointer_cast<const Rules>(std::move(snapshot));
  const std::lock_guard lock(mutex_);
  for (const auto& [name, tenant] : tenants_) {
    const auto rule = rules->find(QuotaEntity{name, std::nullopt, std::nullopt});
    const auto limits = rule == rules->end() ? QuotaLimits() : rule->second;
    tenant->connections_max = limits.connections_max;
    tenant->storage_bytes_max = limits.storage_bytes_max;
  }
  rules_.store(std::move(rules));
  version_.fetch_add(1);
}

std::shared_ptr<Quotas::TenantUse> Quotas::tenant_use(std::string_view tenant) {
  const std::lock_guard lock(mutex_);
  auto known = tenants_.find(tenant);
  if (known != tenants_.end()) return known->second;
  auto use = std::make_shared<TenantUse>(std::string(tenant), metrics_);
  const auto rules = rules_.load();
  const auto rule = rules->find(QuotaEntity{use->name, std::nullopt, std::nullopt});
  if (rule != rules->end()) {
    use->connections_max = rule->second.connections_max;
    use->storage_bytes_max = rule->second.storage_bytes_max;
  }
  tenants_.emplace(use->name, use);
  return use;
}

void Quotas::forget_idle_meters() {
  const auto now = clock_.mono();
  if (now < next_sweep_) return;
  next_sweep_ = now + std::chrono::seconds(1);
  std::erase_if(meters_, [&](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->is_idle(now);
  });
}

std::shared_ptr<RateMeter> Quotas::meter(QuotaEntity entity, QuotaRate rate,
                                         std::uint64_t per_second) {
  const std::lock_guard lock(mutex_);
  if (meters_.size() >= kMetersMax) forget_idle_meters();
  // Beyond the limit new ones share one: whoever makes up names gains nothing by it.
  if (meters_.size() >= kMetersMax && !meters_.contains(MeterKey{entity, rate})) {
    entity.client = std::string(kEach);
    entity.client_id = std::string(kEach);
  }
  auto& meter = meters_[MeterKey{std::move(entity), rate}];
  if (!meter) meter = std::make_shared<RateMeter>();
  meter->set_rate(per_second);
  return meter;
}

void Quotas::refresh(Share& share, std::string_view tenant, std::string_view client,
                     std::string_view client_id) {
  const auto version = version_.load();
  const bool is_same = share.tenant_ && share.tenant_->name == tenant;
  if (is_same && share.version_ == version && share.client_ == client &&
      share.client_id_ == client_id.substr(0, kClientIdBytesMax)) {
    return;
  }
  const auto rules = rules_.load();
  if (!is_same) share.tenant_ = tenant_use(tenant);
  share.version_ = version;
  share.client_ = client;
  share.client_id_ = client_id.substr(0, kClientIdBytesMax);
  for (auto& meters : share.meters_) meters.clear();
  if (rules->empty()) return;
  const auto& name = share.tenant_->name;
  const auto in_order = candidates(name, share.client_, share.client_id_);
  for (const auto rate : kRates) {
    auto& meters = share.meters_[index(rate)];
    const auto add = [&](const Candidate& candidate) {
      const auto rule = rules->find(candidate.rule);
      const auto limit = rule == rules->end() ? 0 : rule->second.rates[index(rate)];
      if (limit > 0) meters.push_back(meter(candidate.entity, rate, limit));
      return limit > 0;
    };
    const QuotaEntity whole{name, std::nullopt, std::nullopt};
    add({whole, whole});
    (void)std::ranges::any_of(in_order, add);
  }
}

Duration Quotas::take(Share& share, QuotaRate rate, std::uint64_t amount) {
  auto& meters = share.meters_[index(rate)];
  if (meters.empty()) return {};
  const auto now = clock_.mono();
  Duration wait{};
  for (const auto& meter : meters) {
    wait = std::max(wait, meter->take(amount, now, options_.burst, options_.throttle_max));
  }
  if (wait > Duration::zero()) share.tenant_->throttled.add();
  return std::min(wait, options_.throttle_max);
}

Duration Quotas::wait(const Share& share, QuotaRate rate) const {
  Duration wait{};
  const auto& meters = share.meters_[index(rate)];
  if (meters.empty()) return wait;
  const auto now = clock_.mono();
  for (const auto& meter : meters) wait = std::max(wait, meter->wait(now, options_.burst));
  return std::min(wait, options_.throttle_max);
}

Result<> Quotas::check_storage(const Share& share) const {
  const auto& tenant = *share.tenant_;
  const auto most = tenant.storage_bytes_max.load(std::memory_order_relaxed);
  const auto used = tenant.storage_bytes.load(std::memory_order_relaxed);
  if (most == 0 || used < most) return {};
  tenant.refused.add();
  return fail(ErrorCode::ResourceExhausted,
              "the streams of tenant {} hold {} bytes, its quota is {}: let records go "
              "(retention, DeleteRecords) or raise storageBytesMax",
              tenant.name, used, most);
}

Result<> Quotas::admit(std::string_view tenant, std::string_view client, std::uint64_t bytes,
                       std::uint64_t records, Duration& wait) {
  wait = {};
  if (rules_.load()->empty()) return {};
  Share share;
  refresh(share, tenant, client, {});
  CHECK(check_storage(share));
  const auto now = clock_.mono();
  for (const auto rate : {QuotaRate::ProduceBytes, QuotaRate::ProduceRecords}) {
    for (const auto& meter : share.meters_[index(rate)]) {
      wait = std::max(wait, meter->wait(now, options_.burst));
    }
  }
  if (wait > Duration::zero()) {
    share.tenant_->throttled.add();
    return fail(ErrorCode::ResourceExhausted,
                "the quota of {} in tenant {} is used up for the moment",
                client.empty() ? "anonymous clients" : client, tenant);
  }
  take(share, QuotaRate::ProduceBytes, bytes);
  take(share, QuotaRate::ProduceRecords, records);
  return {};
}

Result<Quotas::Connection> Quotas::connect(std::string_view tenant) {
  Connection connection;
  auto use = tenant_use(tenant);
  const auto count = use->connections.fetch_add(1) + 1;
  const auto most = use->connections_max.load();
  if (most > 0 && count > most) {
    use->connections.fetch_sub(1);
    use->refused.add();
    return fail(ErrorCode::ResourceExhausted, "tenant {} has {} connections, its quota", tenant,
                most);
  }
  connection.tenant_ = std::move(use);
  return connection;
}

http::Response quota_problem(const Error& refused, Duration wait, std::string_view trace_id) {
  if (wait == Duration::zero()) {
    return http::problem(507, "STORAGE_QUOTA_EXCEEDED", refused.message, trace_id);
  }
  auto response = http::problem(429, "QUOTA_EXCEEDED", refused.message, trace_id);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  response.add("Retry-After", std::to_string(seconds));
  return response;
}

void Quotas::measure_storage(const EventLog& log) {
  std::vector<std::shared_ptr<TenantUse>> limited;
  for (const auto& [entity, limits] : *rules_.load()) {
    if (limits.storage_bytes_max > 0) limited.push_back(tenant_use(entity.tenant));
  }
  if (limited.empty()) return;
  std::map<std::string, std::uint64_t> bytes;
  for (const auto& stream : log.streams()) {
    auto& sum = bytes[stream.settings.tenant];
    for (std::int32_t i = 0; i < stream.settings.partitions; ++i) {
      if (const auto info = log.partition({stream.id, i})) sum += info->bytes;
    }
  }
  for (const auto& tenant : limited) {
    tenant->storage_bytes = bytes[tenant->name];
    tenant->storage.set(static_cast<std::int64_t>(bytes[tenant->name]));
  }
}

}  // namespace weft::eventlog
