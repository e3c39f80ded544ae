// Changes of the estate that Kafka clients ask for: each request is a change set of its own, with
// manager "kafka", in the history and the audit trail. Used by what plugs into the Kafka edge's
// ports for administration. Any loop.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "estate/estate.h"
#include "identity/principal.h"

namespace weft::app {

inline constexpr std::string_view kClientManager = "kafka";

// PermissionDenied, with the decision in a sentence.
Result<> may(const identity::Principal& by, std::string_view action, std::string_view kind,
             std::string_view name);

class ClientChanges {
 public:
  // Brings the log to what was published, and gives a warning, or nothing; a stream that was
  // dropped, and is still not declared, goes at once.
  using Reconcile = std::function<Task<std::string>(std::optional<estate::ResourceId> dropped)>;
  // What is to change, as the estate is; asked again when it changed meanwhile.
  using Change = std::function<Result<estate::ChangeSet>(const estate::EstateView&)>;

  // The estate outlives it.
  ClientChanges(estate::Estate& estate, Reconcile reconcile)
      : estate_(estate), reconcile_(std::move(reconcile)) {}

  std::shared_ptr<const estate::EstateView> current() const { return estate_.current(); }
  // FailedPrecondition with the first reason when the estate's rules refuse it; errors of `change`.
  Task<Result<>> carry_out(identity::PrincipalRef by, Change change, bool validate_only,
                           std::optional<estate::ResourceId> dropped = std::nullopt);
  // A change set that puts one document. InvalidArgument.
  Result<estate::ChangeSet> put(std::string document) const;

 private:
  estate::Estate& estate_;
  Reconcile reconcile_;
};

}  // namespace weft::app
