// What Kafka clients were refused, in the log and in the audit trail: once a minute for the same
// principal, action and resource, so that a client that tries again and again fills neither.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "estate/audit.h"
#include "eventlog/kafka/ports.h"
#include "runtime/clock.h"
#include "runtime/task.h"

namespace weft::app {

class AuditedDenials final : public kafka::DenialJournal {
 public:
  // Both outlive it.
  AuditedDenials(estate::AuditLog& audit, Clock& clock) : audit_(audit), clock_(clock) {}

  // Any thread.
  void note(const identity::Principal& by, std::string_view action,
            const identity::ResourceRef& resource, const std::string& why) override;

  // Writes to the audit trail once a second, all that was noted in one commit; until cancelled.
  Task<void> run();
  Task<void> write_noted();

 private:
  using What = std::tuple<std::string, std::string, std::string>;  // principal, action, resource

  // Whether this is to be told: false within a minute of the last time.
  bool is_news(What what);

  estate::AuditLog& audit_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<What, MonoTime> told_;  // when
  bool is_full_ = false;
  std::vector<estate::AuditEvent> noted_;
};

}  // namespace weft::app
