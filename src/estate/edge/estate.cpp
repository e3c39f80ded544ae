#include "estate/estate.h"

#include <algorithm>
#include <atomic>

#include "base/json_writer.h"
#include "estate/core/estate_sql.h"
#include "estate/core/field_changes.h"
#include "estate/core/reference_index.h"
#include "estate/edge/generation_store.h"
#include "estate/planner.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"
#include "runtime/loops.h"
#include "runtime/run_until_done.h"

namespace weft::estate {

namespace {

CrashPoint before_commit("estate.before-commit");
CrashPoint after_commit("estate.after-commit");
CrashPoint after_generation_file("estate.after-generation-file");

constexpr std::size_t kChangesWaitingMax = 1000;

using ViewPtr = std::shared_ptr<const EstateView>;

struct Compiled {
  Compiler* compiler;
  std::shared_ptr<const void> snapshot;
};
using Snapshots = std::vector<Compiled>;

// Null: everything changed.
using Changes = const std::vector<PlannedChange>*;

bool concerns(const Compiler& compiler, Changes changes) {
  if (changes == nullptr) return true;
  const auto kinds = compiler.kinds();
  return std::ranges::any_of(*changes, [&](const PlannedChange& change) {
    return change.action != ChangeAction::Unchanged &&
           std::ranges::find(kinds, change.id.kind) != kinds.end();
  });
}

Generation next_generation(const std::string& actor, const Plan& plan, std::string note,
                           std::optional<std::uint64_t> rollback_to, WallTime now) {
  Generation next;
  next.number = plan.generation + 1;
  next.applied_at = now;
  next.actor = actor;
  next.note = std::move(note);
  next.rollback_to = rollback_to;
  next.created = plan.count(ChangeAction::Create);
  next.updated = plan.count(ChangeAction::Update);
  next.deleted = plan.count(ChangeAction::Delete);
  return next;
}

std::string summary_json(const Generation& generation) {
  JsonWriter out;
  out.object().member("note", generation.note);
  if (generation.rollback_to) out.member("rollbackTo", *generation.rollback_to);
  out.member("created", generation.created).member("updated", generation.updated);
  out.member("deleted", generation.deleted).end();
  return std::move(out).text();
}

std::vector<AuditEvent> audit_events(const Generation& generation, const Plan& plan,
                                     const KindSet& kinds) {
  std::vector<AuditEvent> events;
  AuditEvent summary{generation.actor, std::string(kDefaultTenant),
                     generation.rollback_to ? "estate.rollback" : "estate.apply",
                     fmt::format("Generation {}", generation.number)};
  summary.after = summary_json(generation);
  summary.generation = generation.number;
  events.push_back(std::move(summary));
  for (const auto& change : plan.changes) {
    if (change.action == ChangeAction::Unchanged) continue;
    const auto* kind = kinds.find(change.id.kind);
    // A kind that this program no longer knows may have had secrets anywhere.
    auto secrets = kind == nullptr ? std::vector<std::string>{"/spec"} : kind->secret_fields;
    AuditEvent event{generation.actor, change.id.tenant,
                     fmt::format("estate.{}", name(change.action)),
                     fmt::format("{} {}", change.id.kind, change.id.name)};
    if (change.before) event.before = redacted_text(change.before->root(), secrets);
    if (change.after) event.after = redacted_text(change.after->root(), secrets);
    event.generation = generation.number;
    events.push_back(std::move(event));
  }
  return events;
}

Failure refusal(const Plan& plan) {
  std::string text = fmt::format("the change is refused, {} errors", plan.findings.errors.size());
  for (const auto& error : plan.findings.errors) text += "\n" + error.text();
  return fail(ErrorCode::InvalidArgument, std::move(text));
}

}  // namespace

struct Estate::State {
  explicit State(EstateParts given)
      : parts(std::move(given)),
        view(std::make_shared<const EstateView>()),
        store(parts.files, parts.generation_file, parts.generation_file_small_max),
        turns("estate", 1, kChangesWaitingMax) {}

  EstateParts parts;
  std::atomic<ViewPtr> view;
  // The turns' thread only.
  ReferenceIndex references;  // of the view
  GenerationStore store;
  std::optional<AuditHead> broken_audit;
  AuditHead anchor;  // the audit trail as it was when the view was taken over
  // One thread, so that changes follow each other. Last: its destructor finishes what was accepted.
  BlockingPool turns;

  // Runs a task on the estate's thread.
  template <class T>
  Task<Result<T>> take_turn(Task<Result<T>> task) {
    std::function<Result<T>()> turn = [&task] { return run_until_done(std::move(task)); };
    co_return co_await turns.run<T>(std::move(turn));
  }

  Task<Result<StartedFrom>> start();
  Task<Result<Plan>> plan(const ChangeSet& changes);
  Task<Result<Applied>> apply(const std::string& actor, const ChangeSet& changes,
                              std::optional<std::uint64_t> expected,
                              std::optional<std::uint64_t> rollback_to);
  Task<Result<ChangeSet>> changes_back_to(std::uint64_t number, const std::string& tenant);
  Task<Result<Plan>> plan_rollback(std::uint64_t number, const std::string& tenant);
  Task<Result<Applied>> rollback(const std::string& actor, std::uint64_t number,
                                 std::optional<std::uint64_t> expected, const std::string& tenant);

  Task<Result<EstateView>> load();
  Task<Result<>> reload();
  Task<Result<bool>> follow();
  GenerationFile generation_file(ViewPtr current, AuditHead head) const;
  Task<Result<>> write_step(ViewPtr current, const Plan& plan, AuditHead head);
  Task<Result<bool>> chain_goes_through(AuditHead known);
  Task<Result<AuditHead>> take_anchor();
  void note_broken_audit(const AuditHead& known);
  Task<Result<std::vector<AuditHead>>> audit_anchors();

  Result<Snapshots> compile(const EstateView& desired, Changes changes);
  void publish(ViewPtr next, Snapshots snapshots, Changes changes);
};

Result<Snapshots> Estate::State::compile(const EstateView& desired, Changes changes) {
  Snapshots snapshots;
  for (auto* compiler : parts.compilers) {
    if (!concerns(*compiler, changes)) continue;
    auto snapshot = compiler->compile(desired);
    if (!snapshot) return Failure(std::move(snapshot).error().within(compiler->name()));
    snapshots.push_back({compiler, *std::move(snapshot)});
  }
  return snapshots;
}

void Estate::State::publish(ViewPtr next, Snapshots snapshots, Changes changes) {
  auto generation = next->generation();
  if (changes == nullptr) {
    references = ReferenceIndex(parts.kinds, *next);
  } else {
    references.follow(parts.kinds, *changes);
  }
  view.store(std::move(next));
  for (auto& [compiler, snapshot] : snapshots) compiler->publish(generation, std::move(snapshot));
}

Task<Result<EstateView>> Estate::State::load() {
  auto queries = load_queries();
  CO_TRY(auto results, co_await parts.database.snapshot(std::move(queries)));
  co_return view_of(results);
}

// After somebody else has changed the estate in the database. A database that lost its last commits
// may give their generation's number to another estate: the audit trail tells them apart.
Task<Result<>> Estate::State::reload() {
  CO_TRY(auto loaded, co_await load());
  CO_TRY(auto goes_through, co_await chain_goes_through(anchor));
  if (goes_through && loaded.generation() == view.load()->generation()) co_return Result<>();
  if (!goes_through) note_broken_audit(anchor);
  CO_TRY(auto snapshots, compile(loaded, nullptr));
  auto next = std::make_shared<const EstateView>(std::move(loaded));
  publish(next, std::move(snapshots), nullptr);
  CO_TRY(auto head, co_await take_anchor());
  auto whole = generation_file(next, std::move(head));
  auto written = co_await store.write(whole);
  if (!written) {
    log_error("estate", "generation.json could not be written; the next start needs the database",
              {{"generation", next->generation()}, {"error", written.error().message}});
  }
  co_return Result<>();
}

Task<Result<bool>> Estate::State::follow() {
  auto query = std::move(load_queries().front());
  CO_TRY(auto rows, co_await parts.database.query(std::move(query)));
  if (rows.size() != 1) {
    co_return fail(ErrorCode::DataLoss, "the estate has lost its head in the state database");
  }
  auto theirs = static_cast<std::uint64_t>(rows[0].integer(0));
  auto ours = view.load()->generation();
  if (theirs < ours) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "the state database is at generation {}, this node already serves {}: is it an "
                   "older copy?",
                   theirs, ours);
  }
  CO_TRY(auto goes_through, co_await chain_goes_through(anchor));
  if (theirs == ours && goes_through) co_return false;
  CO_CHECK(co_await reload());
  co_return true;
}

GenerationFile Estate::State::generation_file(ViewPtr current, AuditHead head) const {
  GenerationFile file;
  file.generation = current->generation();
  file.written_at = parts.clock.now();
  file.audit = std::move(head);
  file.broken_audit = broken_audit;
  file.entries = current->entries();
  return file;
}

Task<Result<>> Estate::State::write_step(ViewPtr current, const Plan& plan, AuditHead head) {
  GenerationStep step;
  step.generation = current->generation();
  step.written_at = parts.clock.now();
  step.audit = head;
  step.broken_audit = broken_audit;
  for (const auto& change : plan.changes) {
    if (change.action == ChangeAction::Unchanged) continue;
    if (change.after) {
      step.put.push_back(*current->find_entry(change.id));
    } else {
      step.removed.push_back(change.id);
    }
  }
  const std::function<GenerationFile()> whole = [&] { return generation_file(current, head); };
  co_return co_await store.step(step, whole);
}

Task<Result<bool>> Estate::State::chain_goes_through(AuditHead known) {
  if (known.count == 0) co_return true;
  AuditQuery query;
  query.before_sequence = known.count + 1;
  query.limit = 1;
  CO_TRY(auto entries, co_await parts.audit.list(std::move(query)));
  if (entries.size() != 1) co_return false;
  co_return entries[0].sequence == known.count&& entries[0].hash == known.hash;
}

// The head that the database tells. One whose own entry is gone anchors nothing: no change could
// ever follow it.
Task<Result<AuditHead>> Estate::State::take_anchor() {
  CO_TRY(auto head, co_await parts.audit.head());
  CO_TRY(auto has_entry, co_await chain_goes_through(head));
  anchor = has_entry ? head : AuditHead();
  co_return head;
}

// Kept with every later generation, so that these do not cover it up.
void Estate::State::note_broken_audit(const AuditHead& known) {
  if (broken_audit) return;
  broken_audit = known;
  log_error("estate", "the audit trail is not the one that this node knows: verify it",
            {{"entry", known.count}});
}

Task<Result<StartedFrom>> Estate::State::start() {
  auto file = co_await store.read();
  if (!file && file.error().code != ErrorCode::NotFound) {
    log_warn("estate", "the last generation on disk cannot be used",
             {{"error", file.error().message}});
  }
  if (file) broken_audit = file->broken_audit;
  auto loaded = co_await load();
  auto from = StartedFrom::Database;
  if (!loaded) {
    if (loaded.error().code != ErrorCode::Unavailable || !file) {
      co_return Failure(std::move(loaded).error());
    }
    ViewBuilder builder;
    for (auto& entry : file->entries) builder.put(std::move(entry));
    loaded = std::move(builder).build(file->generation);
    from = StartedFrom::File;
  }
  CO_TRY(auto snapshots, compile(*loaded, nullptr));
  publish(std::make_shared<const EstateView>(*std::move(loaded)), std::move(snapshots), nullptr);
  if (from == StartedFrom::File) {
    anchor = file->audit;
    co_return from;
  }
  if (file) {
    CO_TRY(auto goes_through, co_await chain_goes_through(file->audit));
    if (!goes_through) note_broken_audit(file->audit);
  }
  CO_TRY(auto head, co_await take_anchor());
  auto current = view.load();
  if (current->generation() == 0) co_return StartedFrom::Empty;
  bool is_written = file && file->generation == current->generation() && file->audit == head &&
                    file->broken_audit == broken_audit;
  if (!is_written) {
    auto whole = generation_file(current, head);
    CO_CHECK(co_await store.write(whole));
  }
  co_return from;
}

Task<Result<Plan>> Estate::State::plan(const ChangeSet& changes) {
  auto current = view.load();
  auto planned = plan_changes(parts.kinds, parts.checks, *current, references, changes);
  if (!planned.plan.is_refused() && planned.plan.has_changes()) {
    auto compiled = compile(planned.desired, &planned.plan.changes);
    if (!compiled) planned.plan.findings.errors.push_back({"", 0, 0, "", compiled.error().message});
  }
  co_return std::move(planned.plan);
}

Task<Result<Applied>> Estate::State::apply(const std::string& actor, const ChangeSet& changes,
                                           std::optional<std::uint64_t> expected,
                                           std::optional<std::uint64_t> rollback_to) {
  auto current = view.load();
  if (expected && *expected != current->generation()) {
    co_return fail(ErrorCode::Conflict,
                   "the estate is at generation {}, not at {}: look at the plan again",
                   current->generation(), *expected);
  }
  auto planned = plan_changes(parts.kinds, parts.checks, *current, references, changes);
  Applied applied;
  applied.generation = current->generation();
  applied.plan = std::move(planned.plan);
  if (applied.plan.is_refused() || !applied.plan.has_changes()) co_return applied;
  auto compiled = compile(planned.desired, &applied.plan.changes);
  if (!compiled) {
    applied.plan.findings.errors.push_back({"", 0, 0, "", compiled.error().message});
    co_return applied;
  }

  auto generation =
      next_generation(actor, applied.plan, changes.note, rollback_to, parts.clock.now());
  auto unit = generation_unit(generation, applied.plan, *current, anchor);
  auto events = audit_events(generation, applied.plan, parts.kinds);
  before_commit.reached();
  auto head = co_await parts.audit.commit(std::move(unit), std::move(events));
  if (!head) {
    if (head.error().code == ErrorCode::Conflict) CO_CHECK(co_await reload());
    co_return Failure(std::move(head).error());
  }
  after_commit.reached();
  anchor = *head;
  auto next = std::make_shared<const EstateView>(std::move(planned.desired));
  publish(next, *std::move(compiled), &applied.plan.changes);
  applied.generation = generation.number;
  auto written = co_await write_step(next, applied.plan, *head);
  after_generation_file.reached();
  if (!written) {
    log_error("estate", "generation.json could not be written; the next start needs the database",
              {{"generation", generation.number}, {"error", written.error().message}});
    applied.plan.findings.warnings.push_back(
        {parts.generation_file, 0, 0, "", "not written: " + written.error().message});
  }
  co_return applied;
}

Task<Result<ChangeSet>> Estate::State::changes_back_to(std::uint64_t number,
                                                       const std::string& tenant) {
  auto current = view.load();
  if (number > current->generation()) {
    co_return fail(ErrorCode::NotFound, "there is no generation {}; the newest is {}", number,
                   current->generation());
  }
  auto query = changes_after(number, tenant);
  CO_TRY(auto rows, co_await parts.database.query(std::move(query)));
  CO_TRY(auto changes, undo(rows, *current));
  changes.note = fmt::format("rollback to generation {}", number);
  co_return changes;
}

Task<Result<Plan>> Estate::State::plan_rollback(std::uint64_t number, const std::string& tenant) {
  CO_TRY(auto changes, co_await changes_back_to(number, tenant));
  co_return co_await plan(changes);
}

Task<Result<Applied>> Estate::State::rollback(const std::string& actor, std::uint64_t number,
                                              std::optional<std::uint64_t> expected,
                                              const std::string& tenant) {
  CO_TRY(auto changes, co_await changes_back_to(number, tenant));
  co_return co_await apply(actor, changes, expected, number);
}

Task<Result<std::vector<AuditHead>>> Estate::State::audit_anchors() {
  std::vector<AuditHead> anchors;
  auto file = co_await store.read();
  if (!file && file.error().code != ErrorCode::NotFound) {
    co_return Failure(std::move(file).error());
  }
  if (file) {
    anchors.push_back(file->audit);
    if (file->broken_audit) anchors.push_back(*file->broken_audit);
  }
  co_return anchors;
}

Estate::Estate(EstateParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Estate::~Estate() = default;

Migration Estate::migration() {
  return {"estate", 1, estate_schema()};
}

Task<Result<StartedFrom>> Estate::start() {
  co_return co_await state_->take_turn(state_->start());
}

Task<Result<bool>> Estate::follow() {
  co_return co_await state_->take_turn(state_->follow());
}

ViewPtr Estate::current() const {
  return state_->view.load();
}

const KindSet& Estate::kinds() const {
  return state_->parts.kinds;
}

Task<Result<Plan>> Estate::plan(ChangeSet changes) {
  co_return co_await state_->take_turn(state_->plan(changes));
}

Task<Result<Applied>> Estate::apply(std::string actor, ChangeSet changes,
                                    std::optional<std::uint64_t> expected_generation) {
  auto applied =
      co_await state_->take_turn(state_->apply(actor, changes, expected_generation, std::nullopt));
  if (applied && applied->plan.is_refused()) co_return refusal(applied->plan);
  co_return applied;
}

Task<Result<Applied>> Estate::apply_or_explain(std::string actor, ChangeSet changes,
                                               std::optional<std::uint64_t> expected_generation) {
  co_return co_await state_->take_turn(
      state_->apply(actor, changes, expected_generation, std::nullopt));
}

Task<Result<Plan>> Estate::plan_rollback(std::uint64_t number, std::string tenant) {
  co_return co_await state_->take_turn(state_->plan_rollback(number, tenant));
}

Task<Result<Applied>> Estate::rollback(std::string actor, std::uint64_t number,
                                       std::optional<std::uint64_t> expected_generation,
                                       std::string tenant) {
  auto applied =
      co_await state_->take_turn(state_->rollback(actor, number, expected_generation, tenant));
  if (applied && applied->plan.is_refused()) co_return refusal(applied->plan);
  co_return applied;
}

Task<Result<std::vector<Generation>>> Estate::generations(std::uint64_t before, std::size_t limit,
                                                          std::string tenant) {
  auto query = generations_query(before, limit, tenant);
  CO_TRY(auto rows, co_await state_->parts.database.query(std::move(query)));
  std::vector<Generation> generations;
  for (const auto& row : rows) generations.push_back(generation_of(row));
  co_return generations;
}

Task<Result<AuditReport>> Estate::verify_audit() {
  CO_TRY(auto anchors, co_await state_->take_turn(state_->audit_anchors()));
  co_return co_await state_->parts.audit.verify(std::move(anchors));
}

}  // namespace weft::estate
