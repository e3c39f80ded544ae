// Quotas: what a tenant, and what single clients of it, may take of the event log (EV-19). Kind:
// Quota, docs/quotas.md. Who exceeds a rate waits, in his protocol's own way: Kafka clients are
// told a throttle time and are not read meanwhile (KIP-219), HTTP clients get 429 with Retry-After.
// Others' rates are not touched.
//
// Of the rules for single clients the most specific one that says something of a rate counts, as in
// Kafka: client and client.id, client with any client.id, client, any client with client.id …; the
// tenant's own rule counts beside it. Thread-safe, but for compile() and publish() (the estate's).
#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "estate/compiler.h"
#include "estate/kind.h"
#include "eventlog/core/rate_meter.h"
#include "eventlog/event_log.h"
#include "http/message.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"

namespace weft::eventlog {

// What is measured per second.
enum class QuotaRate : std::uint8_t { ProduceBytes, ProduceRecords, FetchBytes };
inline constexpr std::size_t kQuotaRates = 3;

// Whom a rule is about. "*" stands for each one by itself; without both it is the tenant.
struct QuotaEntity {
  std::string tenant;
  std::optional<std::string> client;     // a Client of the estate; Kafka: user
  std::optional<std::string> client_id;  // as Kafka clients name themselves
  auto operator<=>(const QuotaEntity&) const = default;

  bool is_tenant() const { return !client && !client_id; }
};

// 0: no limit.
struct QuotaLimits {
  std::array<std::uint64_t, kQuotaRates> rates{};  // by QuotaRate, per second
  // Of tenants alone:
  std::uint64_t connections_max = 0;
  std::uint64_t storage_bytes_max = 0;
};

struct QuotaOptions {
  Duration burst = std::chrono::seconds(1);          // how far ahead of a rate one may be
  Duration throttle_max = std::chrono::seconds(10);  // longest wait in one turn
};

class Quotas final : public estate::Compiler {
  struct TenantUse;

 public:
  Quotas(Clock& clock, Metrics& metrics, QuotaOptions options = {});
  ~Quotas() override;

  std::string_view name() const override { return "quotas"; }
  std::vector<std::string> kinds() const override { return {"Quota"}; }
  std::uint64_t compilations() const override { return compilations_; }
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;

  // What a client and client.id share in; kept with a connection, on its loop.
  class Share {
    friend Quotas;
    std::uint64_t version_ = 0;
    std::string client_;
    std::string client_id_;
    std::vector<std::shared_ptr<RateMeter>> meters_[kQuotaRates];
    std::shared_ptr<TenantUse> tenant_;
  };
  // Brings a share up to date; cheap when nothing changed.
  void refresh(Share& share, std::string_view tenant, std::string_view client,
               std::string_view client_id);
  // How long to wait after having taken this; at most options.throttle_max, and no greater debt is
  // kept. Requires refresh().
  Duration take(Share& share, QuotaRate rate, std::uint64_t amount);
  // How long to wait before taking, because of what others of the share took.
  Duration wait(const Share& share, QuotaRate rate) const;
  // For doors that can refuse: ResourceExhausted when one would have to wait, with how long in
  // `wait`; else it is taken. Also for a tenant's storage, with no wait. An empty client: unknown.
  Result<> admit(std::string_view tenant, std::string_view client, std::uint64_t bytes,
                 std::uint64_t records, Duration& wait);
  // ResourceExhausted when the tenant's storage is used up. Requires refresh().
  Result<> check_storage(const Share& share) const;

  // A connection's place among those of its tenant.
  class Connection {
   public:
    Connection() = default;
    Connection(Connection&& other) noexcept : tenant_(std::move(other.tenant_)) {}
    Connection& operator=(Connection&& other) noexcept;
    ~Connection();
    explicit operator bool() const { return tenant_ != nullptr; }

   private:
    friend Quotas;
    std::shared_ptr<TenantUse> tenant_;
  };
  // ResourceExhausted when the tenant has as many as it may.
  Result<Connection> connect(std::string_view tenant);

  // Looks at what each tenant stores. Called every few seconds by one task.
  void measure_storage(const EventLog& log);

  using Rules = std::map<QuotaEntity, QuotaLimits>;
  std::shared_ptr<const Rules> rules() const { return rules_.load(); }

 private:
  struct MeterKey {
    QuotaEntity entity;
    QuotaRate rate{};
    auto operator<=>(const MeterKey&) const = default;
  };

  std::shared_ptr<TenantUse> tenant_use(std::string_view tenant);
  std::shared_ptr<RateMeter> meter(QuotaEntity entity, QuotaRate rate, std::uint64_t per_second);
  void forget_idle_meters();

  Clock& clock_;
  Metrics& metrics_;
  const QuotaOptions options_;
  std::atomic<std::uint64_t> compilations_{0};
  std::atomic<std::uint64_t> version_{1};
  std::atomic<std::shared_ptr<const Rules>> rules_;
  std::mutex mutex_;  // of the maps
  std::map<MeterKey, std::shared_ptr<RateMeter>> meters_;
  MonoTime next_sweep_{};
  std::map<std::string, std::shared_ptr<TenantUse>, std::less<>> tenants_;
};

// The answer over HTTP to what admit() refused: 429 with Retry-After, or 507 for storage.
http::Response quota_problem(const Error& refused, Duration wait, std::string_view trace_id);

estate::Kind quota_kind();
// What a Quota resource says.
QuotaEntity quota_entity(const estate::Resource& quota);
QuotaLimits quota_limits(const estate::Resource& quota);
// As its spec says it: "produceBytesPerSecond" …
std::string_view quota_field(QuotaRate rate);
// A stream together with the others of its tenant against partitionsMax.
void check_partition_quota(const estate::Resource& stream, const estate::EstateView& view,
                           estate::Findings& findings);

}  // namespace weft::eventlog
