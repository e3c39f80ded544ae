// The estate of a node: the current generation of all declared resources, and the one path by which
// it changes: plan, checks, compile, commit, publish.
//
//   Estate estate(parts);
//   co_await estate.start();                       // publishes the last generation
//   auto plan = co_await estate.plan(changes);     // changes nothing
//   auto applied = co_await estate.apply("user:admin", changes, plan->generation);
//
// Threads: all calls from any thread, results on the caller's loop; one thread of the estate's own
// does the work, one change after another. current() never waits. Failure: an apply that fails
// changes nothing: not the database, not generation.json, no snapshot of a feature. Conflict when
// the generation is not the expected one; InvalidArgument when the plan has errors (apply's message
// holds all of them); what a compiler, the database or the disk answered. Durability: when apply
// returns, the generation is committed in the database. generation.json follows it; if only that
// write fails, the apply stands and its result carries a warning.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "estate/audit.h"
#include "estate/change_set.h"
#include "estate/compiler.h"
#include "estate/generation.h"
#include "estate/kind.h"
#include "estate/plan.h"
#include "estate/view.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "storage/database.h"

namespace weft::estate {

struct Applied {
  std::uint64_t generation = 0;  // unchanged when the plan had no changes, or is refused
  Plan plan;
};

enum class StartedFrom : std::uint8_t { Database, File, Empty };

// What an estate works with; all outlive it.
struct EstateParts {
  Database& database;
  AuditLog& audit;
  FileSystem& files;
  Clock& clock;
  std::string generation_file;  // e.g. <data>/generation.json
  KindSet kinds;
  std::vector<Compiler*> compilers;  // compiled and published in this order
  std::vector<EstateCheck*> checks;
  // From this size on the generation file is continued in a second one instead of written anew.
  std::size_t generation_file_small_max = 64 * 1024;
};

class Estate {
 public:
  explicit Estate(EstateParts parts);
  // Finishes the change under way.
  ~Estate();

  static Migration migration();

  // Compiles and publishes the last generation: from the database, or from generation.json when the
  // database is Unavailable. Call once, before anything else.
  Task<Result<StartedFrom>> start();

  // Takes over a newer generation that another node has committed to the same database; true when
  // there was one. What cannot be compiled here is refused and the current generation stays, as it
  // does when the database has fallen behind it (FailedPrecondition: an older copy?).
  Task<Result<bool>> follow();

  // The current generation. Any thread; never null.
  std::shared_ptr<const EstateView> current() const;
  const KindSet& kinds() const;

  Task<Result<Plan>> plan(ChangeSet changes);
  // Without an expected generation the change is applied to whatever is current.
  Task<Result<Applied>> apply(std::string actor, ChangeSet changes,
                              std::optional<std::uint64_t> expected_generation = {});
  // The same, but a refused change is no failure: its plan says what speaks against it, with
  // places.
  Task<Result<Applied>> apply_or_explain(std::string actor, ChangeSet changes,
                                         std::optional<std::uint64_t> expected_generation = {});

  // What would bring back the estate as it was at generation `number`; of one tenant when given.
  Task<Result<Plan>> plan_rollback(std::uint64_t number, std::string tenant = "");
  Task<Result<Applied>> rollback(std::string actor, std::uint64_t number,
                                 std::optional<std::uint64_t> expected_generation = {},
                                 std::string tenant = "");

  // Newest first; those older than `before` when it is not 0. Of one tenant when given: those that
  // changed it, with counts of its own resources alone.
  Task<Result<std::vector<Generation>>> generations(std::uint64_t before, std::size_t limit,
                                                    std::string tenant = "");

  // The audit chain against its head and against the head in generation.json.
  Task<Result<AuditReport>> verify_audit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::estate
