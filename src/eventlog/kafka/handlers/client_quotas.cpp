// DescribeClientQuotas, AlterClientQuotas (KIP-546): quotas of Kafka's users and client ids are the
// estate's Quota resources of the tenant. Its rule for the whole tenant, and what Kafka has no word
// for, are not shown.
#include <algorithm>
#include <array>
#include <cmath>

#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/outcome.h"
#include "eventlog/quotas.h"

namespace weft::kafka {
namespace {

using eventlog::QuotaEntity;
using eventlog::QuotaRate;
using Component = DescribeClientQuotasRequest::Component;

constexpr std::string_view kUser = "user";
constexpr std::string_view kClientId = "client-id";
constexpr std::string_view kEach = "*";

struct RateName {
  std::string_view kafka;
  QuotaRate rate;
};
constexpr std::array kRateNames = {RateName{"producer_byte_rate", QuotaRate::ProduceBytes},
                                   RateName{"consumer_byte_rate", QuotaRate::FetchBytes}};

bool may(const Call& call, std::string_view action) {
  const auto& by = *call.session.principal;
  return identity::Decisions().decide(by, action, {by.tenant, "Quota", kEach}).allowed();
}

enum class MatchType : std::int8_t { Exact = 0, Default = 1, Any = 2 };

// Whether a part of an entity is what a component asks for.
bool fits(const Component& asked, const std::optional<std::string>& part) {
  if (!part) return false;
  switch (static_cast<MatchType>(asked.match_type)) {
    case MatchType::Exact:
      return *part != kEach && asked.match && *part == *asked.match;
    case MatchType::Default:
      return *part == kEach;
    case MatchType::Any:
      break;
  }
  return true;
}

bool fits(const DescribeClientQuotasRequest& request, const QuotaEntity& entity) {
  bool asked_client = false;
  bool asked_id = false;
  for (const auto& component : request.components) {
    const bool is_user = component.entity_type == kUser;
    (is_user ? asked_client : asked_id) = true;
    if (!fits(component, is_user ? entity.client : entity.client_id)) return false;
  }
  if (!request.strict) return true;
  return (asked_client || !entity.client) && (asked_id || !entity.client_id);
}

// What is wrong with a request; empty: nothing.
std::string_view fault(const DescribeClientQuotasRequest& request) {
  std::array<int, 2> seen{};
  for (const auto& component : request.components) {
    const bool is_user = component.entity_type == kUser;
    if (!is_user && component.entity_type != kClientId) {
      return "quotas are of entity types user and client-id";
    }
    if (++seen[is_user ? 0 : 1] > 1) return "an entity type is given twice";
    if (component.match_type < 0 || component.match_type > 2) return "unknown match type";
    const bool is_exact = component.match_type == static_cast<std::int8_t>(MatchType::Exact);
    if (is_exact != component.match.has_value()) return "a name goes with match type 0, and only";
  }
  return {};
}

void add_part(Call& call, std::string_view type, const std::optional<std::string>& name,
              std::vector<QuotaEntityPart>& into) {
  if (!name) return;
  auto& part = into.emplace_back();
  part.entity_type = type;
  if (*name != kEach) part.entity_name = call.keep(*name);
}

// Which rule an entry is about. InvalidArgument for what is no user or client id.
Result<QuotaEntity> entity_of(const Call& call, const AlterClientQuotasRequest::Entry& entry) {
  QuotaEntity entity;
  entity.tenant = call.session.tenant();
  for (const auto& sent : entry.entity) {
    const bool is_user = sent.entity_type == kUser;
    if (!is_user && sent.entity_type != kClientId) {
      return fail(ErrorCode::InvalidArgument, "quotas are of entity types user and client-id");
    }
    auto& into = is_user ? entity.client : entity.client_id;
    if (into) return fail(ErrorCode::InvalidArgument, "{} is given twice", sent.entity_type);
    if (sent.entity_name && (sent.entity_name->empty() || *sent.entity_name == kEach)) {
      return fail(ErrorCode::InvalidArgument, "an entity's name is not empty and not '*'");
    }
    into = std::string(sent.entity_name.value_or(kEach));
  }
  if (entity.is_tenant()) return fail(ErrorCode::InvalidArgument, "the entity is empty");
  return entity;
}

Result<QuotaChange> change_of(const AlterClientQuotasRequest::Entry& entry) {
  QuotaChange change;
  for (const auto& op : entry.ops) {
    const auto* name = std::ranges::find(kRateNames, op.key, &RateName::kafka);
    if (name == kRateNames.end()) {
      return fail(ErrorCode::InvalidArgument,
                  "{} cannot be limited; producer_byte_rate and consumer_byte_rate can", op.key);
    }
    constexpr double kRateMax = 1e15;
    const bool is_rate = op.value >= 1 && op.value <= kRateMax && std::floor(op.value) == op.value;
    if (!op.remove && !is_rate) {
      return fail(ErrorCode::InvalidArgument, "{} is a whole number from 1 on", op.key);
    }
    if (change.contains(name->rate)) {
      return fail(ErrorCode::InvalidArgument, "{} is given twice", op.key);
    }
    change[name->rate] = op.remove ? 0 : static_cast<std::uint64_t>(op.value);
  }
  return change;
}

Task<Outcome> alter(Call& call, const AlterClientQuotasRequest::Entry& entry, bool validate_only) {
  if (call.broker.parts.quota_admin == nullptr) {
    co_return Outcome(KafkaError::UnsupportedVersion, "quotas cannot be changed here");
  }
  auto entity = entity_of(call, entry);
  auto change = change_of(entry);
  Result<> done;
  if (!entity) {
    done = std::unexpected(entity.error());
  } else if (!change) {
    done = std::unexpected(change.error());
  } else {
    done = co_await call.broker.parts.quota_admin->alter(call.session.principal, *std::move(entity),
                                                         *std::move(change), validate_only);
  }
  if (done) co_return Outcome();
  switch (done.error().code) {
    case ErrorCode::InvalidArgument:
      co_return Outcome(KafkaError::InvalidRequest, done.error().message);
    case ErrorCode::PermissionDenied:
      co_return Outcome(KafkaError::ClusterAuthorizationFailed, done.error().message);
    case ErrorCode::FailedPrecondition:
      co_return Outcome(KafkaError::PolicyViolation, done.error().message);
    default:
      co_return Outcome(KafkaError::UnknownServerError, done.error().message);
  }
}

}  // namespace

Task<DescribeClientQuotasResponse> handle(Call& call, const DescribeClientQuotasRequest& request) {
  DescribeClientQuotasResponse response;
  const auto wrong = fault(request);
  if (!wrong.empty() || !may(call, identity::action::kAdminRead)) {
    response.error_code =
        code(wrong.empty() ? KafkaError::ClusterAuthorizationFailed : KafkaError::InvalidRequest);
    response.error_message = wrong.empty() ? "admin.read is not granted" : wrong;
    co_return response;
  }
  auto& entries = response.entries.emplace();
  if (call.broker.parts.quotas == nullptr) co_return response;
  const auto rules = call.broker.parts.quotas->rules();
  for (const auto& [entity, limits] : *rules) {
    if (entity.tenant != call.session.tenant() || entity.is_tenant()) continue;
    if (!fits(request, entity)) continue;
    DescribeClientQuotasResponse::Entry entry;
    add_part(call, kUser, entity.client, entry.entity);
    add_part(call, kClientId, entity.client_id, entry.entity);
    for (const auto& name : kRateNames) {
      const auto limit = limits.rates[static_cast<std::size_t>(name.rate)];
      if (limit > 0) entry.values.push_back({name.kafka, static_cast<double>(limit)});
    }
    if (!entry.values.empty()) entries.push_back(std::move(entry));
  }
  co_return response;
}

Task<AlterClientQuotasResponse> handle(Call& call, const AlterClientQuotasRequest& request) {
  AlterClientQuotasResponse response;
  for (const auto& entry : request.entries) {
    auto outcome = co_await alter(call, entry, request.validate_only);
    auto& answer = response.entries.emplace_back();
    answer.error_code = code(outcome.error);
    if (!outcome.message.empty()) answer.error_message = call.keep(std::move(outcome.message));
    answer.entity = entry.entity;
  }
  co_return response;
}

}  // namespace weft::kafka
