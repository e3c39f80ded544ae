// What Kafka clients administer beside topics: ACLs, which are AccessRules of the estate, and the
// SCRAM passwords of Clients.
#pragma once

#include <string>
#include <vector>

#include "app/node/client_changes.h"
#include "eventlog/kafka/ports.h"
#include "identity/identity.h"

namespace weft::app {

class EstateAccessRules final : public kafka::AccessRuleAdmin {
 public:
  // They outlive it.
  explicit EstateAccessRules(ClientChanges& changes) : changes_(changes) {}

  Task<Result<>> create(identity::PrincipalRef by, std::vector<kafka::AccessRule> rules) override;
  Task<Result<>> remove(identity::PrincipalRef by, std::vector<kafka::AccessRule> rules) override;
  Result<std::vector<kafka::AccessRule>> rules(const identity::Principal& by) const override;
  Result<std::vector<kafka::AccessRule>> rules_and_grants(
      const identity::Principal& by) const override;

 private:
  ClientChanges& changes_;
};

class IdentityPasswords final : public kafka::ScramAdmin {
 public:
  // It outlives this.
  explicit IdentityPasswords(identity::Identity& identity) : identity_(identity) {}

  Result<std::vector<kafka::ScramDescription>> users(const identity::Principal& by) const override;
  Task<Result<>> change(identity::PrincipalRef by, std::string user,
                        identity::ScramMechanism mechanism,
                        std::optional<identity::ScramKeys> keys) override;

 private:
  identity::Identity& identity_;
};

}  // namespace weft::app
