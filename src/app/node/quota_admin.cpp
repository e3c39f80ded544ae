#include "app/node/quota_admin.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "crypto/digest.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using eventlog::QuotaEntity;
using eventlog::QuotaLimits;

// Names of users and client ids are free text, names of resources are not.
std::string resource_name(const QuotaEntity& entity) {
  constexpr std::size_t kHexDigits = 16;
  JsonWriter text;
  text.array();
  for (const auto& part : {entity.client, entity.client_id}) {
    if (part) {
      text.value(std::string_view(*part));
    } else {
      text.null();
    }
  }
  text.end();
  const auto digest = crypto::sha256(std::move(text).text());
  return "kafka-" + to_hex(digest).substr(0, kHexDigits);
}

std::string document(const estate::ResourceId& id, const QuotaEntity& entity,
                     const QuotaLimits& limits) {
  JsonWriter out;
  out.object().member("apiVersion", estate::kApiVersion).member("kind", id.kind);
  out.key("metadata").object().member("name", id.name).member("tenant", id.tenant).end();
  out.key("spec").object();
  if (entity.client) out.member("client", std::string_view(*entity.client));
  if (entity.client_id) out.member("clientId", std::string_view(*entity.client_id));
  for (std::size_t i = 0; i < eventlog::kQuotaRates; ++i) {
    const auto rate = static_cast<eventlog::QuotaRate>(i);
    if (limits.rates[i] > 0) out.member(eventlog::quota_field(rate), limits.rates[i]);
  }
  out.end().end();
  return std::move(out).text();
}

bool is_empty(const QuotaLimits& limits) {
  return std::ranges::all_of(limits.rates, [](std::uint64_t rate) { return rate == 0; });
}

// The quota of this entity, if there is one. FailedPrecondition when it is not of Kafka clients.
Result<estate::ResourcePtr> existing(const estate::EstateView& view, const QuotaEntity& entity) {
  for (const auto& quota : view.of_kind(entity.tenant, "Quota")) {
    if (eventlog::quota_entity(*quota) != entity) continue;
    const auto* entry = view.find_entry(quota->id());
    if (entry != nullptr && entry->managed_by == kClientManager) return quota;
    return fail(ErrorCode::FailedPrecondition,
                "the quota {} is declared by '{}' and is changed there", quota->name(),
                entry == nullptr ? "" : entry->managed_by);
  }
  return estate::ResourcePtr();
}

}  // namespace

Task<Result<>> EstateQuotaAdmin::alter(identity::PrincipalRef by, QuotaEntity entity,
                                       kafka::QuotaChange change, bool validate_only) {
  CO_CHECK(may(*by, identity::action::kAdminApply, "Quota", resource_name(entity)));
  ClientChanges::Change changed =
      [this, entity, change](const estate::EstateView& view) -> Result<estate::ChangeSet> {
    TRY(const auto quota, existing(view, entity));
    QuotaLimits limits;
    if (quota) limits = eventlog::quota_limits(*quota);
    for (const auto& [rate, value] : change) limits.rates[static_cast<std::size_t>(rate)] = value;
    const estate::ResourceId id{entity.tenant, "Quota", resource_name(entity)};
    if (!is_empty(limits)) return changes_.put(document(id, entity, limits));
    estate::ChangeSet removal;
    if (quota) removal.deletions.push_back(id);
    return removal;
  };
  co_return co_await changes_.carry_out(std::move(by), std::move(changed), validate_only);
}

}  // namespace weft::app
