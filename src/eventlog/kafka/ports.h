// What the Kafka edge asks of others; app plugs it together. All are called from any loop.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "eventlog/quotas.h"
#include "identity/principal.h"
#include "runtime/task.h"

namespace weft::kafka {

// SASL PLAIN. Unauthenticated for wrong credentials.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Result<identity::PrincipalRef> authenticate(std::string_view user,
                                                      std::string_view password) const = 0;
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
