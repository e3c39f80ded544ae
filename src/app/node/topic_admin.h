// Kafka clients that make, change and delete topics: each request is a change set of the estate,
// admitted by a Namespace. What a Namespace admits: docs/streams.md.
#pragma once

#include <functional>
#include <string>

#include "estate/estate.h"
#include "eventlog/event_log.h"
#include "eventlog/kafka/ports.h"

namespace weft::app {

class EstateTopicAdmin final : public kafka::TopicAdmin {
 public:
  // All outlive it. `reconcile` brings the log to what was published; it gives a warning, or
  // nothing.
  EstateTopicAdmin(estate::Estate& estate, eventlog::EventLog& log,
                   std::function<Task<std::string>()> reconcile)
      : estate_(estate), log_(log), reconcile_(std::move(reconcile)) {}

  bool creates_unasked(const identity::Principal& by, std::string_view name) const override;
  // NotFound, AlreadyExists, PermissionDenied, FailedPrecondition (no Namespace admits it, another
  // manager declares it), InvalidArgument (a config's value).
  Task<Result<>> create(identity::PrincipalRef by, kafka::TopicRequest topic) override;
  Task<Result<>> remove(identity::PrincipalRef by, std::string name) override;
  Task<Result<>> grow(identity::PrincipalRef by, std::string name, std::int32_t partitions,
                      bool validate_only) override;
  Task<Result<>> configure(identity::PrincipalRef by, std::string name,
                           std::map<std::string, std::optional<std::string>> configs,
                           bool validate_only) override;

 private:
  Task<Result<>> carry_out(identity::PrincipalRef by, estate::ChangeSet changes,
                           bool validate_only);
  // The stream as clients declared it, if they did.
  Result<estate::ResourcePtr> owned_by_clients(const estate::ResourceId& id) const;
  Task<Result<>> put(identity::PrincipalRef by, std::string document, bool validate_only);

  estate::Estate& estate_;
  eventlog::EventLog& log_;
  std::function<Task<std::string>()> reconcile_;
};

}  // namespace weft::app
