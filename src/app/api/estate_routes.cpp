#include "app/api/estate_routes.h"

#include <charconv>
#include <map>

#include "app/api/audit_routes.h"
#include "base/json_members.h"
#include "estate/loader.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

using estate::ChangeAction;
using identity::action::kAdminApply;
using identity::action::kAdminRead;

void write_labels(JsonWriter& out, const estate::StringMap& labels) {
  out.object();
  for (const auto& [name, value] : labels) out.member(name, value);
  out.end();
}

void write_resource(JsonWriter& out, const estate::Entry& entry) {
  const auto& resource = *entry.resource;
  out.object()
      .member("kind", resource.kind())
      .member("name", resource.name())
      .member("tenant", resource.tenant())
      .member("owner", resource.owner())
      .key("labels");
  write_labels(out, resource.labels());
  out.member("generation", entry.generation).member("managedBy", entry.managed_by).end();
}

void write_diagnostic(JsonWriter& out, const Diagnostic& diagnostic, std::string_view severity) {
  out.object().member("severity", severity).member("message", diagnostic.message);
  if (!diagnostic.file.empty()) out.member("file", diagnostic.file);
  if (diagnostic.line > 0) out.member("line", diagnostic.line).member("column", diagnostic.column);
  if (!diagnostic.pointer.empty()) out.member("pointer", diagnostic.pointer);
  out.end();
}

void write_diagnostics(JsonWriter& out, const estate::Findings& findings) {
  out.array();
  for (const auto& error : findings.errors) write_diagnostic(out, error, "error");
  for (const auto& warning : findings.warnings) write_diagnostic(out, warning, "warning");
  out.end();
}

// Secrets are references in stored text, so a document may be shown as it is.
void write_document_or_null(JsonWriter& out, std::string_view name,
                            const estate::ResourcePtr& resource) {
  out.key(name);
  if (resource)
    out.raw(resource->text());
  else
    out.null();
}

void write_changes(JsonWriter& out, const std::vector<estate::PlannedChange>& changes) {
  out.array();
  for (const auto& change : changes) {
    if (change.action == ChangeAction::Unchanged) continue;
    out.object()
        .member("action", estate::name(change.action))
        .member("kind", change.id.kind)
        .member("name", change.id.name)
        .member("tenant", change.id.tenant);
    write_document_or_null(out, "before", change.before);
    write_document_or_null(out, "after", change.after);
    out.end();
  }
  out.end();
}

JsonWriter change_set_json(const estate::Plan& plan, bool applied, std::uint64_t generation) {
  JsonWriter out;
  out.object()
      .member("applied", applied)
      .member("baseGeneration", plan.generation)
      .member("generation", generation)
      .key("changes");
  if (plan.is_refused())
    out.array().end();
  else
    write_changes(out, plan.changes);
  out.key("diagnostics");
  write_diagnostics(out, plan.findings);
  out.key("summary")
      .object()
      .member("create", plan.count(ChangeAction::Create))
      .member("update", plan.count(ChangeAction::Update))
      .member("delete", plan.count(ChangeAction::Delete))
      .member("unchanged", plan.count(ChangeAction::Unchanged))
      .end()
      .end();
  return out;
}

http::Response refused(const estate::Findings& findings, const TraceContext& trace) {
  JsonWriter details;
  details.object().key("diagnostics");
  write_diagnostics(details, findings);
  details.end();
  const auto& first = findings.errors.front();
  auto message = findings.errors.size() == 1
                     ? first.text()
                     : fmt::format("{} (and {} more)", first.text(), findings.errors.size() - 1);
  return http::problem(422, "VALIDATION_FAILED", message, trace.trace_id_hex(), details.text());
}

struct Documents {
  estate::LoadedEstate loaded;
  std::string message;
};

// The body of plan and apply: YAML text, or JSON with the files of an estate.
Result<Documents> read_documents(const ApiCall& call, const estate::Estate& estate) {
  auto type = call.exchange.head().find("Content-Type").value_or("application/yaml");
  estate::Loader loader(estate.kinds());
  Documents documents;
  if (!type.starts_with("application/json")) {
    documents.loaded = loader.load_text("request", std::string(call.body));
    return documents;
  }
  TRY(auto request, JsonDocument::parse(std::string(call.body)));
  if (auto message = member_text(request.root(), "message")) documents.message = *message;
  const auto* files = request.root().find("files");
  if (files == nullptr || !files->is_array()) {
    return fail(ErrorCode::InvalidArgument,
                "send {{\"files\": [{{\"path\": …, \"content\": …}}]}}");
  }
  std::vector<estate::SourceText> texts;
  for (const auto& file : files->elements()) {
    const auto path = member_text(file, "path");
    const auto content = member_text(file, "content");
    if (!path || !content) {
      return fail(ErrorCode::InvalidArgument, "each of files needs a path and a content");
    }
    texts.emplace_back(std::string(*path), std::string(*content));
  }
  auto current = estate.current();
  documents.loaded = loader.load_texts(std::move(texts), *current);
  return documents;
}

Result<std::optional<std::uint64_t>> expected_generation(const ApiCall& call) {
  TRY(auto number, call.integer("expectedGeneration", 0, std::numeric_limits<std::int64_t>::max()));
  if (!number) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

http::Response generation_conflict(const Error& error, const TraceContext& trace) {
  if (error.code == ErrorCode::Conflict) {
    return http::problem(409, "GENERATION_CONFLICT", error.message, trace.trace_id_hex());
  }
  return problem_of(error, trace);
}

Task<Result<http::Response>> answer_plan(EstateRoutesParts& parts, ApiCall& call,
                                         estate::ChangeSet changes,
                                         std::optional<std::uint64_t> expected) {
  auto plan = co_await parts.estate.plan(std::move(changes));
  if (!plan) co_return problem_of(plan.error(), call.trace);
  if (expected && *expected != plan->generation) {
    co_return http::problem(
        409, "GENERATION_CONFLICT",
        fmt::format("generation {} is current, not {}; plan again", plan->generation, *expected),
        call.trace.trace_id_hex());
  }
  co_return json_answer(change_set_json(*plan, false, plan->generation));
}

// What an apply and a rollback answer; the rest of the node has followed by then.
Task<Result<http::Response>> applied_answer(EstateRoutesParts& parts, const ApiCall& call,
                                            Result<estate::Applied> applied) {
  if (!applied) co_return generation_conflict(applied.error(), call.trace);
  if (applied->plan.is_refused()) co_return refused(applied->plan.findings, call.trace);
  auto warning = co_await parts.reconcile();
  if (!warning.empty()) {
    Diagnostic diagnostic;
    diagnostic.message = std::move(warning);
    applied->plan.findings.warnings.push_back(std::move(diagnostic));
  }
  co_return json_answer(change_set_json(applied->plan, true, applied->generation));
}

// Documents say which tenant they are of.
Result<> check_tenants(const ApiCall& call, const std::vector<estate::ResourcePtr>& resources) {
  auto tenant = call.confined_to();
  if (tenant.empty()) return {};
  for (const auto& resource : resources) {
    if (resource->tenant() == tenant) continue;
    auto place = resource->at(
        "/metadata/tenant",
        fmt::format("{} {} is of tenant {}; {} acts in tenant {} only", resource->kind(),
                    resource->name(), resource->tenant(), call.principal->id, tenant));
    return fail(ErrorCode::PermissionDenied, "{}", place.text());
  }
  return {};
}

Task<Result<http::Response>> plan_or_apply(EstateRoutesParts& parts, ApiCall& call, bool apply) {
  CO_TRY(auto documents, read_documents(call, parts.estate));
  CO_TRY(auto expected, expected_generation(call));
  CO_TRY(auto prune, call.flag("prune"));
  CO_TRY(auto allow_empty, call.flag("allowEmpty"));
  CO_TRY(auto dry_run, call.flag("dryRun"));
  apply = apply && !dry_run;
  if (!documents.loaded.ok()) {
    if (apply) co_return refused(documents.loaded.findings, call.trace);
    estate::Plan plan;
    plan.generation = parts.estate.current()->generation();
    plan.findings = std::move(documents.loaded.findings);
    co_return json_answer(change_set_json(plan, false, plan.generation));
  }
  CO_CHECK(check_tenants(call, documents.loaded.resources));
  estate::ChangeSet changes;
  changes.resources = std::move(documents.loaded.resources);
  changes.note = std::move(documents.message);
  if (prune) {
    changes.prune = estate::Prune::Remove;
    changes.prune_tenant = call.confined_to();
    changes.allow_empty = allow_empty;
    changes.manager = "folder";
  }
  if (!apply) co_return co_await answer_plan(parts, call, std::move(changes), expected);
  auto applied =
      co_await parts.estate.apply_or_explain(call.principal->id, std::move(changes), expected);
  co_return co_await applied_answer(parts, call, std::move(applied));
}

Task<Result<http::Response>> rollback(EstateRoutesParts& parts, ApiCall& call) {
  std::uint64_t number = 0;
  const auto& text = call.captures[0];
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    co_return fail(ErrorCode::InvalidArgument, "a generation is a number, not '{}'", text);
  }
  CO_TRY(auto expected, expected_generation(call));
  CO_TRY(auto dry_run, call.flag("dryRun"));
  auto plan = co_await parts.estate.plan_rollback(number, call.confined_to());
  if (!plan) co_return problem_of(plan.error(), call.trace);
  if (dry_run) co_return json_answer(change_set_json(*plan, false, plan->generation));
  if (plan->is_refused()) co_return refused(plan->findings, call.trace);
  auto applied =
      co_await parts.estate.rollback(call.principal->id, number, expected, call.confined_to());
  co_return co_await applied_answer(parts, call, std::move(applied));
}

// Walks what is sorted by kind and name, from behind the cursor.
Task<Result<http::Response>> list_resources(EstateRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto after, read_cursor(call));
  auto kind = call.parameter("kind").value_or("");
  auto view = parts.estate.current();
  std::map<std::string, std::size_t, std::less<>> counts;
  JsonWriter out;
  out.object().key("items").array();
  std::size_t shown = 0;
  std::string last;
  bool more = false;
  const auto tenant = call.confined_to();
  for (const auto& entry : view->entries()) {
    const auto& id = entry.resource->id();
    if (!tenant.empty() && id.tenant != tenant) continue;
    ++counts[id.kind];
    auto position = id.kind + '\n' + id.tenant + '\n' + id.name;
    if ((!kind.empty() && id.kind != kind) || position <= after) continue;
    if (shown == limit) {
      more = true;
      continue;
    }
    write_resource(out, entry);
    ++shown;
    last = std::move(position);
  }
  out.end().key("kinds").array();
  for (const auto& [name, count] : counts)
    out.object().member("kind", name).member("count", count).end();
  out.end();
  if (more) out.member("nextCursor", make_cursor(last));
  out.end();
  co_return json_answer(std::move(out));
}

Task<Result<http::Response>> get_resource(EstateRoutesParts& parts, ApiCall& call) {
  auto view = parts.estate.current();
  estate::ResourceId id{std::string(call.tenant()), call.captures[0], call.captures[1]};
  const auto* entry = view->find_entry(id);
  if (entry == nullptr) co_return fail(ErrorCode::NotFound, "there is no {}", id.text());
  JsonWriter out;
  out.object().key("resource");
  write_resource(out, *entry);
  out.key("document")
      .raw(estate::document_text(*entry->resource, parts.estate.kinds()))
      .key("usedBy")
      .array();
  for (const auto& other : view->entries()) {
    const auto* kind = parts.estate.kinds().find(other.resource->kind());
    if (kind == nullptr || !kind->references || other.resource->tenant() != id.tenant) continue;
    for (const auto& reference : kind->references(other.resource->spec())) {
      if (reference.kind != id.kind || reference.name != id.name) continue;
      out.object()
          .member("kind", other.resource->kind())
          .member("name", other.resource->name())
          .end();
      break;
    }
  }
  out.end().end();
  auto response = json_answer(std::move(out));
  response.add("ETag", '"' + entry->resource->hash() + '"');
  co_return response;
}

void write_generation(JsonWriter& out, const estate::Generation& generation,
                      std::uint64_t current) {
  out.object()
      .member("number", generation.number)
      .member("createdAt", to_rfc3339(generation.applied_at))
      .member("actor", generation.actor)
      .member("current", generation.number == current);
  if (!generation.note.empty()) out.member("message", generation.note);
  if (generation.rollback_to) out.member("rollbackOf", *generation.rollback_to);
  out.key("summary")
      .object()
      .member("create", generation.created)
      .member("update", generation.updated)
      .member("delete", generation.deleted)
      .end()
      .end();
}

Task<Result<http::Response>> list_generations(EstateRoutesParts& parts, ApiCall& call) {
  CO_TRY(auto limit, call.limit());
  CO_TRY(auto cursor, read_cursor(call));
  std::uint64_t before = 0;
  std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
  CO_TRY(auto generations,
         co_await parts.estate.generations(before, limit + 1, call.confined_to()));
  auto current = parts.estate.current()->generation();
  JsonWriter out;
  out.object().key("items").array();
  for (std::size_t i = 0; i < std::min(limit, generations.size()); ++i) {
    write_generation(out, generations[i], current);
  }
  out.end();
  if (generations.size() > limit) {
    out.member("nextCursor", make_cursor(std::to_string(generations[limit - 1].number)));
  }
  out.end();
  co_return json_answer(std::move(out));
}

// A generation's changes are its audit entries; they are read back from the newest. Of one tenant
// when it is not empty.
Task<Result<std::vector<estate::AuditEntry>>> entries_of(EstateRoutesParts& parts,
                                                         std::uint64_t generation,
                                                         std::string tenant) {
  constexpr std::size_t kPage = 1000;
  std::vector<estate::AuditEntry> found;
  std::uint64_t before = 0;
  for (;;) {
    estate::AuditQuery query;
    if (!tenant.empty()) query.tenant = tenant;
    query.before_sequence = before;
    query.limit = kPage;
    CO_TRY(auto page, co_await parts.audit.list(std::move(query)));
    for (auto& entry : page) {
      before = entry.sequence;
      auto of = entry.event.generation;
      if (of == generation) found.push_back(std::move(entry));
      if (of > 0 && of < generation) co_return found;
    }
    if (page.size() < kPage) co_return found;
  }
}

std::string_view action_of(const estate::AuditEvent& event) {
  if (!event.before) return "create";
  return event.after ? "update" : "delete";
}

Task<Result<http::Response>> get_generation(EstateRoutesParts& parts, ApiCall& call) {
  std::uint64_t number = 0;
  const auto& text = call.captures[0];
  std::from_chars(text.data(), text.data() + text.size(), number);
  CO_TRY(auto generations, co_await parts.estate.generations(number + 1, 1, call.confined_to()));
  if (number == 0 || generations.empty() || generations[0].number != number) {
    co_return fail(ErrorCode::NotFound, "there is no generation {}", text);
  }
  CO_TRY(auto entries, co_await entries_of(parts, number, call.confined_to()));
  JsonWriter out;
  out.object().key("generation");
  write_generation(out, generations[0], parts.estate.current()->generation());
  out.key("changes").array();
  for (const auto& entry : entries) {
    const auto& event = entry.event;
    // The generation has an entry of its own; it is no change of a resource.
    if (event.object.starts_with("Generation ") || (!event.before && !event.after)) continue;
    auto space = event.object.find(' ');
    out.object()
        .member("action", action_of(event))
        .member("kind", std::string_view(event.object).substr(0, space))
        .member("name", space == std::string::npos
                            ? std::string_view()
                            : std::string_view(event.object).substr(space + 1));
    write_before_and_after(out, event);
    out.end();
  }
  out.end().end();
  co_return json_answer(std::move(out));
}

}  // namespace

std::vector<ApiRoute> estate_routes(EstateRoutesParts& parts) {
  auto with = [&parts](Task<Result<http::Response>> (*handler)(EstateRoutesParts&,
                                                               ApiCall&)) -> ApiHandler {
    return [&parts, handler](ApiCall& call) { return handler(parts, call); };
  };
  return {
      {"POST", "/plan", "planChange", kAdminRead,
       [&parts](ApiCall& call) { return plan_or_apply(parts, call, false); }},
      {"POST", "/apply", "applyChange", kAdminApply,
       [&parts](ApiCall& call) { return plan_or_apply(parts, call, true); }},
      {"GET", "/resources", "listResources", kAdminRead, with(list_resources)},
      {"GET", "/resources/{kind}/{name}", "getResource", kAdminRead, with(get_resource)},
      {"GET", "/generations", "listGenerations", kAdminRead, with(list_generations)},
      {"GET", "/generations/{number}", "getGeneration", kAdminRead, with(get_generation)},
      {"POST", "/generations/{number}/rollback", "rollbackGeneration", kAdminApply, with(rollback)},
  };
}

}  // namespace weft::app
