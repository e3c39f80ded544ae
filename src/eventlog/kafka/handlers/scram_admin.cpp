// DescribeUserScramCredentials and AlterUserScramCredentials (KIP-554).
#include <algorithm>
#include <set>

#include "eventlog/kafka/handlers/handlers.h"
#include "eventlog/kafka/handlers/outcome.h"

namespace weft::kafka {
namespace {

using identity::ScramMechanism;

std::int8_t mechanism_number(ScramMechanism mechanism) {
  return mechanism == ScramMechanism::Sha256 ? 1 : 2;
}

std::optional<ScramMechanism> mechanism_of(std::int8_t number) {
  if (number == 1) return ScramMechanism::Sha256;
  if (number == 2) return ScramMechanism::Sha512;
  return std::nullopt;
}

KafkaError scram_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::PermissionDenied:
      return KafkaError::ClusterAuthorizationFailed;
    case ErrorCode::NotFound:
      return KafkaError::ResourceNotFound;
    case ErrorCode::InvalidArgument:
      return KafkaError::UnacceptableCredential;
    default:
      return KafkaError::UnknownServerError;
  }
}

using DescribedUser = DescribeUserScramCredentialsResponse::DescribeUserScramCredentialsResult;

void show_user(Call& call, const std::vector<ScramDescription>& all, std::string_view user,
               DescribedUser& into) {
  into.user = call.keep(std::string(user));
  for (const auto& each : all) {
    if (each.user != user) continue;
    into.credential_infos.push_back({mechanism_number(each.mechanism), each.iterations});
  }
  if (into.credential_infos.empty()) {
    into.error_code = code(KafkaError::ResourceNotFound);
    into.error_message = "the user has no SCRAM password";
  }
}

struct Alteration {
  std::string user;
  std::int8_t mechanism = 0;
  bool is_deletion = false;
  std::int32_t iterations = 0;
  std::string_view salt;
  std::string_view salted_password;
};

Task<Outcome> alter(Call& call, Alteration wanted) {
  const auto mechanism = mechanism_of(wanted.mechanism);
  if (!mechanism) {
    co_return Outcome(KafkaError::UnsupportedSaslMechanism,
                      "the mechanisms are SCRAM-SHA-256 and SCRAM-SHA-512");
  }
  std::optional<identity::ScramKeys> keys;
  if (!wanted.is_deletion) {
    auto made = identity::scram_keys_of_salted(*mechanism, wanted.salted_password,
                                               std::string(wanted.salt), wanted.iterations);
    if (!made) co_return Outcome(scram_error(made.error().code), made.error().message);
    keys = *std::move(made);
  }
  auto by = call.session.principal;
  const auto changed = co_await call.broker.parts.scram->change(
      std::move(by), std::move(wanted.user), *mechanism, std::move(keys));
  if (!changed) co_return Outcome(scram_error(changed.error().code), changed.error().message);
  co_return Outcome();
}

}  // namespace

Task<DescribeUserScramCredentialsResponse> handle(
    Call& call, const DescribeUserScramCredentialsRequest& request) {
  DescribeUserScramCredentialsResponse response;
  const auto* admin = call.broker.parts.scram;
  if (admin == nullptr) {
    response.error_code = code(KafkaError::SecurityDisabled);
    response.error_message = "this listener does not show passwords";
    co_return response;
  }
  const auto all = admin->users(*call.session.principal);
  if (!all) {
    response.error_code = code(scram_error(all.error().code));
    response.error_message = call.keep(all.error().message);
    co_return response;
  }
  if (request.users && !request.users->empty()) {
    for (const auto& user : *request.users) {
      show_user(call, *all, user.name, response.results.emplace_back());
    }
    co_return response;
  }
  std::set<std::string> names;
  for (const auto& each : *all) names.insert(each.user);
  for (const auto& name : names) show_user(call, *all, name, response.results.emplace_back());
  co_return response;
}

Task<AlterUserScramCredentialsResponse> handle(Call& call,
                                               const AlterUserScramCredentialsRequest& request) {
  AlterUserScramCredentialsResponse response;
  std::vector<Alteration> wanted;
  for (const auto& each : request.deletions) {
    auto& one = wanted.emplace_back();
    one.user = each.name;
    one.mechanism = each.mechanism;
    one.is_deletion = true;
  }
  for (const auto& each : request.upsertions) {
    auto& one = wanted.emplace_back();
    one.user = each.name;
    one.mechanism = each.mechanism;
    one.iterations = each.iterations;
    one.salt = each.salt.view;
    one.salted_password = each.salted_password.view;
  }
  for (auto& each : wanted) {
    const auto user = call.keep(each.user);
    Outcome outcome(KafkaError::SecurityDisabled, "this listener does not change passwords");
    if (call.broker.parts.scram != nullptr) outcome = co_await alter(call, std::move(each));
    // One answer per user: the first thing that went wrong.
    const auto known = std::ranges::find(
        response.results, user,
        &AlterUserScramCredentialsResponse::AlterUserScramCredentialsResult::user);
    auto& result = known == response.results.end() ? response.results.emplace_back() : *known;
    result.user = user;
    if (outcome.error == KafkaError::None || result.error_code != 0) continue;
    result.error_code = code(outcome.error);
    result.error_message = call.keep(std::move(outcome.message));
  }
  co_return response;
}

}  // namespace weft::kafka
