// What the Kafka edge asks of others; app plugs it together. All are called from any loop.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eventlog/quotas.h"
#include "identity/decisions.h"
#include "identity/principal.h"
#include "identity/scram.h"
#include "identity/token_issuers.h"
#include "runtime/task.h"
#include "runtime/tls.h"

namespace weft::kafka {

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // SASL PLAIN. Unauthenticated for wrong credentials.
  virtual Result<identity::PrincipalRef> authenticate(std::string_view user,
                                                      std::string_view password) const = 0;
  // SASL SCRAM: what is kept of this user, or what looks like it (identity/scram.h).
  virtual identity::ScramLogin find_scram(identity::ScramMechanism mechanism,
                                          std::string_view user) const = 0;
  // The Client that a certificate, verified by TLS, belongs to. Unauthenticated for nobody's.
  virtual Result<identity::PrincipalRef> authenticate_certificate(
      const PeerCertificate& certificate) const = 0;
  // SASL OAUTHBEARER: a signed token of an issuer that is trusted. Unauthenticated with what is
  // wrong with it; Unavailable when the issuer's keys cannot be had.
  virtual Task<Result<identity::TokenLogin>> authenticate_token(std::string token) const = 0;
  // The principal of such a login as it is now; Unauthenticated once it is over.
  virtual Result<identity::PrincipalRef> renew_token(const identity::TokenLogin& login) const = 0;
};

// Is told of what was refused to whom; keeps itself from being flooded. Must not block.
class DenialJournal {
 public:
  virtual ~DenialJournal() = default;
  // `why` is the decision in a sentence.
  virtual void note(const identity::Principal& by, std::string_view action,
                    const identity::ResourceRef& resource, const std::string& why) = 0;
};

// Access rules as Weft has them; handlers/acl_mapping.h says which Kafka ACL is which.
struct AccessRule {
  std::string client;  // a name, or "*" for all of the tenant
  std::string action;
  std::string resource;  // a pattern, as in grants
  identity::Effect effect = identity::Effect::Allow;
  friend bool operator==(const AccessRule&, const AccessRule&) = default;
  friend auto operator<=>(const AccessRule&, const AccessRule&) = default;
};

// Rules are resources of the estate: changes by clients become change sets. All calls answer
// PermissionDenied to a principal without admin.acl.
class AccessRuleAdmin {
 public:
  virtual ~AccessRuleAdmin() = default;
  // What is there already stays. FailedPrecondition: refused by the estate.
  virtual Task<Result<>> create(identity::PrincipalRef by, std::vector<AccessRule> rules) = 0;
  // FailedPrecondition: one of them is declared elsewhere, in a document of another manager.
  virtual Task<Result<>> remove(identity::PrincipalRef by, std::vector<AccessRule> rules) = 0;
  // The rules of the tenant, those that clients made and those of documents, each once.
  virtual Result<std::vector<AccessRule>> rules(const identity::Principal& by) const = 0;
  // The same with the grants of Clients and Roles, as rules of each Client.
  virtual Result<std::vector<AccessRule>> rules_and_grants(const identity::Principal& by) const = 0;
};

// Passwords of the principal's tenant. All calls answer PermissionDenied to a principal without
// admin.keys.
struct ScramDescription {
  std::string user;
  identity::ScramMechanism mechanism = identity::ScramMechanism::Sha256;
  std::int32_t iterations = 0;
};

class ScramAdmin {
 public:
  virtual ~ScramAdmin() = default;
  virtual Result<std::vector<ScramDescription>> users(const identity::Principal& by) const = 0;
  // Without keys: takes the password away. NotFound: no such Client, or no such password.
  virtual Task<Result<>> change(identity::PrincipalRef by, std::string user,
                                identity::ScramMechanism mechanism,
                                std::optional<identity::ScramKeys> keys) = 0;
};

// Topics are governed resources: what a client asks for becomes a change set of the estate, or is
// refused there. The message of FailedPrecondition or PermissionDenied is shown to the client as a
// policy violation; AlreadyExists and NotFound keep their meaning; InvalidArgument is a
// config's value.
struct TopicRequest {
  std::string name;
  std::int32_t partitions = -1;                // -1: as many as such topics have by default
  std::map<std::string, std::string> configs;  // Kafka's names, e.g. "retention.ms"
  bool validate_only = false;
};

class TopicAdmin {
 public:
  virtual ~TopicAdmin() = default;
  // Whether a topic of this name is made when a client asks for it.
  virtual bool creates_unasked(const identity::Principal& by, std::string_view name) const = 0;
  virtual Task<Result<>> create(identity::PrincipalRef by, TopicRequest topic) = 0;
  virtual Task<Result<>> remove(identity::PrincipalRef by, std::string name) = 0;
  virtual Task<Result<>> grow(identity::PrincipalRef by, std::string name, std::int32_t partitions,
                              bool validate_only) = 0;
  // Sets the configs given; an absent value means back to the default.
  virtual Task<Result<>> configure(identity::PrincipalRef by, std::string name,
                                   std::map<std::string, std::optional<std::string>> configs,
                                   bool validate_only) = 0;
};

// What an administrator changes of a quota: per second; 0 takes the limit away.
using QuotaChange = std::map<eventlog::QuotaRate, std::uint64_t>;

class QuotaAdmin {
 public:
  virtual ~QuotaAdmin() = default;
  // Errors as TopicAdmin's.
  virtual Task<Result<>> alter(identity::PrincipalRef by, eventlog::QuotaEntity entity,
                               QuotaChange change, bool validate_only) = 0;
};

}  // namespace weft::kafka
