#include "base/json_members.h"
#include "eventlog/quotas.h"

namespace weft::eventlog {
namespace {

constexpr const char* kQuotaSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "minProperties": 1,
  "properties": {
    "description": {"type": "string"},
    "client": {"type": "string", "minLength": 1, "maxLength": 200,
               "description": "Name of a Client; * for each one by itself. Kafka: user"},
    "clientId": {"type": "string", "minLength": 1, "maxLength": 250,
                 "description": "client.id of Kafka clients; * for each one by itself"},
    "produceBytesPerSecond": {"type": "integer", "minimum": 1},
    "produceRecordsPerSecond": {"type": "integer", "minimum": 1},
    "fetchBytesPerSecond": {"type": "integer", "minimum": 1},
    "connectionsMax": {"type": "integer", "minimum": 1, "description": "Kafka connections of the tenant at the same time"},
    "partitionsMax": {"type": "integer", "minimum": 1, "description": "Of all streams of the tenant together"},
    "storageBytesMax": {"type": "integer", "minimum": 1, "description": "Of all streams of the tenant; more is refused, not deleted"}
  }
})json";

constexpr std::array kOfTenants = {"connectionsMax", "partitionsMax", "storageBytesMax"};

std::uint64_t limit(const Json& spec, std::string_view name) {
  return member_count(spec, name).value_or(0);
}

std::optional<std::string> part(const Json& spec, std::string_view name) {
  const auto text = member_text(spec, name);
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

std::uint64_t partitions_of_tenant(const estate::EstateView& view, std::string_view tenant) {
  std::uint64_t sum = 0;
  for (const auto& stream : view.of_kind(tenant, "Stream")) {
    sum += member_count(stream->spec(), "partitions").value_or(1);
  }
  return sum;
}

void check_quota(const estate::Resource& quota, const estate::EstateView& view,
                 estate::Findings& findings) {
  const auto& spec = quota.spec();
  const auto entity = quota_entity(quota);
  for (const auto& other : view.of_kind(quota.tenant(), "Quota")) {
    if (other->name() == quota.name() || quota_entity(*other) != entity) continue;
    findings.errors.push_back(quota.at(
        "/spec", fmt::format("the quota {} is about the same client already", other->name())));
  }
  for (const char* name : kOfTenants) {
    if (entity.is_tenant() || spec.find(name) == nullptr) continue;
    findings.errors.push_back(
        quota.at(fmt::format("/spec/{}", name),
                 fmt::format("{} is a limit of the whole tenant: put it into a quota without "
                             "client and clientId",
                             name)));
  }
  const auto most = limit(spec, "partitionsMax");
  const auto have = partitions_of_tenant(view, quota.tenant());
  if (entity.is_tenant() && most > 0 && have > most) {
    findings.errors.push_back(
        quota.at("/spec/partitionsMax",
                 fmt::format("the streams of tenant {} have {} partitions", quota.tenant(), have)));
  }
}

}  // namespace

QuotaEntity quota_entity(const estate::Resource& quota) {
  return {quota.tenant(), part(quota.spec(), "client"), part(quota.spec(), "clientId")};
}

std::string_view quota_field(QuotaRate rate) {
  switch (rate) {
    case QuotaRate::ProduceBytes:
      return "produceBytesPerSecond";
    case QuotaRate::ProduceRecords:
      return "produceRecordsPerSecond";
    case QuotaRate::FetchBytes:
      break;
  }
  return "fetchBytesPerSecond";
}

QuotaLimits quota_limits(const estate::Resource& quota) {
  const auto& spec = quota.spec();
  QuotaLimits limits;
  for (std::size_t i = 0; i < kQuotaRates; ++i) {
    limits.rates[i] = limit(spec, quota_field(static_cast<QuotaRate>(i)));
  }
  limits.connections_max = limit(spec, "connectionsMax");
  limits.storage_bytes_max = limit(spec, "storageBytesMax");
  return limits;
}

void check_partition_quota(const estate::Resource& stream, const estate::EstateView& view,
                           estate::Findings& findings) {
  for (const auto& quota : view.of_kind(stream.tenant(), "Quota")) {
    const auto most = limit(quota->spec(), "partitionsMax");
    if (most == 0) continue;
    const auto have = partitions_of_tenant(view, stream.tenant());
    if (have <= most) continue;
    findings.errors.push_back(
        stream.at("/spec/partitions",
                  fmt::format("the streams of tenant {} would have {} partitions, its quota {} "
                              "allows {}",
                              stream.tenant(), have, quota->name(), most)));
  }
}

estate::Kind quota_kind() {
  estate::Kind quota;
  quota.name = "Quota";
  quota.summary = "How much of the event log a tenant or a client may take";
  quota.schema = kQuotaSchema;
  quota.check = check_quota;
  return quota;
}

}  // namespace weft::eventlog
