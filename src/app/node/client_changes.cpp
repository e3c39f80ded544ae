#include "app/node/client_changes.h"

#include "estate/loader.h"
#include "identity/decisions.h"
#include "runtime/log.h"

namespace weft::app {

Result<> may(const identity::Principal& by, std::string_view action, std::string_view kind,
             std::string_view name) {
  const identity::ResourceRef resource{by.tenant, kind, name};
  const identity::Decisions decisions;
  const auto decision = decisions.decide(by, action, resource);
  if (decision) return {};
  return fail(ErrorCode::PermissionDenied, "{}", decisions.explain(decision, by, action, resource));
}

Task<Result<>> ClientChanges::carry_out(identity::PrincipalRef by, Change change,
                                        bool validate_only,
                                        std::optional<estate::ResourceId> dropped) {
  constexpr int kTurnsMax = 5;
  estate::Plan plan;
  for (int turn = 1;; ++turn) {
    const auto view = estate_.current();
    CO_TRY(auto changes, change(*view));
    changes.manager = kClientManager;
    changes.note = "asked for by a Kafka client";
    if (validate_only) {
      CO_TRY(plan, co_await estate_.plan(std::move(changes)));
      break;
    }
    auto applied =
        co_await estate_.apply_or_explain(by->id, std::move(changes), view->generation());
    if (applied) {
      plan = std::move(applied->plan);
      break;
    }
    // Somebody else changed the estate between the look and the change.
    if (applied.error().code == ErrorCode::Conflict && turn < kTurnsMax) continue;
    co_return std::unexpected(std::move(applied).error());
  }
  if (plan.is_refused()) {
    co_return fail(ErrorCode::FailedPrecondition, "{}", plan.findings.errors.front().message);
  }
  if (validate_only) co_return Result<>();
  const auto warning = co_await reconcile_(std::move(dropped));
  if (!warning.empty()) log_error("node", "not all streams could be made", {{"why", warning}});
  co_return Result<>();
}

Result<estate::ChangeSet> ClientChanges::put(std::string document) const {
  auto loaded = estate::Loader(estate_.kinds()).load_text("request.json", std::move(document));
  if (!loaded.ok()) {
    return fail(ErrorCode::InvalidArgument, "{}", loaded.findings.errors.front().message);
  }
  estate::ChangeSet changes;
  changes.resources = std::move(loaded.resources);
  return changes;
}

}  // namespace weft::app
