// Kafka clients that set quotas (AlterClientQuotas): each request is a change set of the estate
// that puts, or removes, one Quota resource.
#pragma once

#include <string>

#include "app/node/client_changes.h"
#include "eventlog/kafka/ports.h"

namespace weft::app {

class EstateQuotaAdmin final : public kafka::QuotaAdmin {
 public:
  explicit EstateQuotaAdmin(ClientChanges& changes) : changes_(changes) {}

  // PermissionDenied (admin.apply), FailedPrecondition (a quota that another manager declares).
  Task<Result<>> alter(identity::PrincipalRef by, eventlog::QuotaEntity entity,
                       kafka::QuotaChange change, bool validate_only) override;

 private:
  ClientChanges& changes_;
};

}  // namespace weft::app
