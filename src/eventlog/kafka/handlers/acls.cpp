// DescribeAcls, CreateAcls, DeleteAcls.
#include <algorithm>

#include "eventlog/kafka/handlers/acl_mapping.h"
#include "eventlog/kafka/handlers/handlers.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kNoAccessRules = "this listener has no access rules";

KafkaError acl_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::PermissionDenied:
      return KafkaError::ClusterAuthorizationFailed;
    case ErrorCode::InvalidArgument:
      return KafkaError::InvalidRequest;
    default:
      return KafkaError::PolicyViolation;
  }
}

AclFilter filter_of(const auto& request) {
  AclFilter filter;
  filter.resource_type = request.resource_type_filter;
  filter.name = request.resource_name_filter;
  filter.pattern = request.pattern_type_filter;
  filter.principal = request.principal_filter;
  filter.host = request.host_filter;
  filter.operation = request.operation;
  filter.permission = request.permission_type;
  return filter;
}

// Of these rules, in order, each once.
std::vector<Acl> matching(const AclFilter& filter, const std::vector<AccessRule>& rules) {
  std::vector<Acl> found;
  for (const auto& rule : rules) {
    for (auto& acl : acls_of(rule)) {
      if (matches(filter, acl)) found.push_back(std::move(acl));
    }
  }
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  return found;
}

using FilterResult = DeleteAclsResponse::DeleteAclsFilterResult;

void refuse(Call& call, const Error& error, FilterResult& into) {
  into.error_code = code(acl_error(error));
  into.error_message = call.keep(error.message);
}

void show_deleted(Call& call, const std::vector<Acl>& acls, FilterResult& into) {
  for (const auto& acl : acls) {
    auto& shown = into.matching_acls.emplace_back();
    shown.resource_type = acl.resource_type;
    shown.resource_name = call.keep(acl.name);
    shown.pattern_type = acl.pattern;
    shown.principal = call.keep(acl.principal);
    shown.host = call.keep(acl.host);
    shown.operation = acl.operation;
    shown.permission_type = acl.permission;
  }
}

// What is in documents is left there: the client is told so when it asked for nothing else.
Result<std::vector<Acl>> to_delete(const AccessRuleAdmin& admin, const identity::Principal& by,
                                   const AclFilter& filter) {
  TRY(const auto rules, admin.rules(by));
  auto found = matching(filter, rules);
  if (!found.empty()) return found;
  TRY(const auto all, admin.rules_and_grants(by));
  if (matching(filter, all).empty()) return found;
  return fail(
      ErrorCode::FailedPrecondition,
      "these are grants of Clients and Roles: change them in their documents, or deny them");
}

Task<void> delete_matching(Call& call, AclFilter filter, FilterResult& into) {
  auto& admin = *call.broker.parts.access_rules;
  auto acls = to_delete(admin, *call.session.principal, filter);
  if (!acls) co_return refuse(call, acls.error(), into);
  std::vector<AccessRule> rules;
  for (const auto& acl : *acls) {
    if (auto rule = rule_of(acl)) rules.push_back(*std::move(rule));
  }
  if (!rules.empty()) {
    auto by = call.session.principal;
    const auto removed = co_await admin.remove(std::move(by), std::move(rules));
    if (!removed) co_return refuse(call, removed.error(), into);
  }
  show_deleted(call, *acls, into);
}

}  // namespace

Task<DescribeAclsResponse> handle(Call& call, const DescribeAclsRequest& request) {
  DescribeAclsResponse response;
  const auto* admin = call.broker.parts.access_rules;
  if (admin == nullptr) {
    response.error_code = code(KafkaError::SecurityDisabled);
    response.error_message = kNoAccessRules;
    co_return response;
  }
  const auto rules = admin->rules_and_grants(*call.session.principal);
  if (!rules) {
    response.error_code = code(acl_error(rules.error()));
    response.error_message = call.keep(rules.error().message);
    co_return response;
  }
  for (const auto& acl : matching(filter_of(request), *rules)) {
    // Sorted by resource.
    const bool is_same = !response.resources.empty() &&
                         response.resources.back().resource_type == acl.resource_type &&
                         response.resources.back().resource_name == acl.name &&
                         response.resources.back().pattern_type == acl.pattern;
    if (!is_same) {
      auto& resource = response.resources.emplace_back();
      resource.resource_type = acl.resource_type;
      resource.resource_name = call.keep(acl.name);
      resource.pattern_type = acl.pattern;
    }
    response.resources.back().acls.push_back(
        {call.keep(acl.principal), call.keep(acl.host), acl.operation, acl.permission});
  }
  co_return response;
}

Task<CreateAclsResponse> handle(Call& call, const CreateAclsRequest& request) {
  CreateAclsResponse response;
  auto* admin = call.broker.parts.access_rules;
  std::vector<AccessRule> rules;
  for (const auto& creation : request.creations) {
    auto& result = response.results.emplace_back();
    Acl acl;
    acl.resource_type = creation.resource_type;
    acl.name = creation.resource_name;
    acl.pattern = creation.resource_pattern_type;
    acl.principal = creation.principal;
    acl.host = creation.host;
    acl.operation = creation.operation;
    acl.permission = creation.permission_type;
    auto rule = rule_of(acl);
    if (admin == nullptr) {
      result.error_code = code(KafkaError::SecurityDisabled);
      result.error_message = kNoAccessRules;
    } else if (!rule) {
      result.error_code = code(acl_error(rule.error()));
      result.error_message = call.keep(std::move(rule).error().message);
    } else {
      rules.push_back(*std::move(rule));
    }
  }
  if (rules.empty()) co_return response;
  auto by = call.session.principal;
  const auto created = co_await admin->create(std::move(by), std::move(rules));
  if (created) co_return response;
  for (auto& result : response.results) {
    if (result.error_code != 0) continue;
    result.error_code = code(acl_error(created.error()));
    result.error_message = call.keep(created.error().message);
  }
  co_return response;
}

Task<DeleteAclsResponse> handle(Call& call, const DeleteAclsRequest& request) {
  DeleteAclsResponse response;
  for (const auto& filter : request.filters) {
    auto& result = response.filter_results.emplace_back();
    if (call.broker.parts.access_rules == nullptr) {
      result.error_code = code(KafkaError::SecurityDisabled);
      result.error_message = kNoAccessRules;
      continue;
    }
    co_await delete_matching(call, filter_of(filter), result);
  }
  co_return response;
}

}  // namespace weft::kafka
