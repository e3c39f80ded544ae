#include <fmt/format.h>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/node/kinds.h"
#include "base/json_writer.h"
#include "estate/loader.h"
#include "estate/planner.h"
#include "identity/kinds.h"
#include "runtime/disk.h"
#include "runtime/run_until_done.h"

namespace weft::app {
namespace {

constexpr int kChangesPending = 2;

std::string folder_of(const Arguments& arguments) {
  return arguments.positional().empty() ? "estate" : arguments.positional()[0];
}

void print_diagnostics(const std::vector<Diagnostic>& diagnostics, std::string_view severity) {
  for (const auto& diagnostic : diagnostics) fmt::print(stderr, "{}: {}\n", severity, diagnostic.text());
}

int validate(const Arguments& arguments) {
  auto kinds = all_kinds();
  if (!kinds) return report(kinds.error());
  PosixFileSystem files;
  estate::Loader loader(*kinds, estate::process_environment());
  auto loaded = run_until_done(loader.load_folder(files, folder_of(arguments)));
  if (!loaded) return report(loaded.error());
  auto findings = loaded->findings;
  auto count = loaded->resources.size();
  if (findings.errors.empty()) {
    // Against nothing: what the documents say among themselves.
    estate::ChangeSet changes;
    changes.resources = std::move(loaded->resources);
    identity::TenantExists tenant_exists;
    estate::EstateCheck* checks[] = {&tenant_exists};
    auto planned = estate::plan_changes(*kinds, checks, estate::EstateView(), changes);
    findings = std::move(planned.plan.findings);
  }
  print_diagnostics(findings.errors, "error");
  print_diagnostics(findings.warnings, "warning");
  if (!findings.errors.empty()) {
    fmt::print(stderr, "{} errors\n", findings.errors.size());
    return 1;
  }
  fmt::print("{} resources, no errors\n", count);
  return 0;
}

// The folder's resources as the body of plan and apply. They are read here, so that ${env:…} and ${file:…} are
// this user's and errors name this user's files; each resource is sent as a file of its own.
Result<std::string> folder_as_request(const std::string& folder, const std::string& message) {
  TRY(auto kinds, all_kinds());
  PosixFileSystem files;
  estate::Loader loader(kinds, estate::process_environment());
  TRY(auto loaded, run_until_done(loader.load_folder(files, folder)));
  if (!loaded.ok()) return fail(ErrorCode::InvalidArgument, "nothing was sent:\n{}", loaded.error_text());
  JsonWriter body;
  body.object();
  if (!message.empty()) body.member("message", message);
  body.key("files").array();
  for (const auto& resource : loaded.resources) {
    const auto& id = resource->id();
    body.object()
        .member("path", fmt::format("{}/{}/{}.json", id.tenant, id.kind, id.name))
        .member("content", estate::document_text(*resource, kinds))
        .end();
  }
  body.end().end();
  return std::move(body).text();
}

std::int64_t number_at(const Json& root, std::string_view pointer) {
  const auto* value = root.at_pointer(pointer);
  return value != nullptr ? value->as_int64().value_or(0) : 0;
}

bool print_diagnostics_of(const Json& root) {
  bool refused = false;
  const auto* diagnostics = root.find("diagnostics");
  if (diagnostics == nullptr) return false;
  for (const auto& item : diagnostics->elements()) {
    Diagnostic diagnostic;
    diagnostic.file = text_of(item, "file");
    diagnostic.line = static_cast<std::uint32_t>(number_at(item, "/line"));
    diagnostic.column = static_cast<std::uint32_t>(number_at(item, "/column"));
    diagnostic.pointer = text_of(item, "pointer");
    diagnostic.message = text_of(item, "message");
    auto severity = text_of(item, "severity");
    refused |= severity == "error";
    fmt::print(stderr, "{}: {}\n", severity, diagnostic.text());
  }
  return refused;
}

// The change set of an answer, as a person reads it. Whether it was refused.
bool print_change_set(const Json& root) {
  for (const auto& change : root.find("changes")->elements()) {
    auto action = text_of(change, "action");
    auto sign = action == "create" ? '+' : action == "delete" ? '-' : '~';
    fmt::print("{} {} {}\n", sign, text_of(change, "kind"), text_of(change, "name"));
  }
  auto refused = print_diagnostics_of(root);
  fmt::print("{} to create, {} to update, {} to delete, {} unchanged\n", number_at(root, "/summary/create"),
             number_at(root, "/summary/update"), number_at(root, "/summary/delete"),
             number_at(root, "/summary/unchanged"));
  return refused;
}

int plan(const Arguments& arguments) {
  auto body = folder_as_request(folder_of(arguments), "");
  if (!body) return report(body.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("POST", "/plan?prune=true", std::move(*body));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  if (arguments.get("output") != "table") {
    if (auto status = show(arguments, root, {}, {}); status != 0) return status;
  } else if (print_change_set(root)) {
    return 1;
  }
  return root.find("changes")->size() > 0 ? kChangesPending : 0;
}

int apply(const Arguments& arguments) {
  auto body = folder_as_request(folder_of(arguments), arguments.get("message"));
  if (!body) return report(body.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto query = query_string({{"prune", arguments.has("no-prune") ? "" : "true"},
                             {"expectedGeneration", arguments.get("expect")}});
  auto answer = client->call("POST", "/apply" + query, std::move(*body));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  if (!answer->ok()) {
    if (const auto* details = root.find("details"); details != nullptr) print_diagnostics_of(*details);
    fmt::print(stderr, "weft: nothing was changed: {} ({}, trace {})\n", text_of(root, "message"),
               text_of(root, "code"), text_of(root, "traceId"));
    return 1;
  }
  if (arguments.get("output") != "table") return show(arguments, root, {}, {});
  print_change_set(root);
  fmt::print("generation {}\n", number_at(root, "/generation"));
  return 0;
}

int request_rollback(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(Error{ErrorCode::InvalidArgument, "name the generation to go back to; `weft generation list`"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("POST", "/generations/" + arguments.positional()[0] + "/rollback");
  if (!answer) return report(answer.error());
  if (arguments.get("output") != "table") return show(arguments, answer->json.root(), {}, {});
  print_change_set(answer->json.root());
  fmt::print("generation {}\n", number_at(answer->json.root(), "/generation"));
  return 0;
}

int print_generations(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/generations");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"GENERATION", "/number"},
               {"AT", "/createdAt"},
               {"ACTOR", "/actor"},
               {"CREATED", "/summary/create"},
               {"UPDATED", "/summary/update"},
               {"DELETED", "/summary/delete"},
               {"CURRENT", "/current"},
               {"MESSAGE", "/message"}},
              items_of(answer->json.root()));
}

int print_audit(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/audit");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"SEQ", "/sequence"}, {"AT", "/at"}, {"ACTOR", "/actor"}, {"ACTION", "/action"}, {"KIND", "/kind"}, {"NAME", "/name"}},
              items_of(answer->json.root()));
}

int print_audit_check(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/audit/verify");
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  if (root.find("intact")->as_bool()) {
    fmt::print("intact: {} entries, head {}\n", number_at(root, "/entries"), text_of(root, "head"));
    return 0;
  }
  fmt::print(stderr, "DAMAGED at entry {}: {}\n", number_at(root, "/badSequence"), text_of(root, "reason"));
  return 1;
}

}  // namespace

std::vector<Command> estate_commands() {
  auto apply_flags = client_flags();
  apply_flags.push_back({"message", "TEXT", "why, for the audit trail", "", false});
  apply_flags.push_back({"expect", "N", "refuse when another generation is current", "", false});
  apply_flags.push_back({"no-prune", "", "keep what the folder leaves out", "", false});
  return {
      {"validate", "Checks the documents of a folder without a node", "[folder]", {}, validate},
      {"plan", "Shows what applying a folder would change; exit status 2 when something", "[folder]",
       client_flags(), plan},
      {"apply", "Makes a folder the current estate, all of it or nothing", "[folder]", apply_flags, apply},
      {"rollback", "Makes an earlier generation current again", "<generation>", client_flags(), request_rollback},
      {"generation list", "Lists generations, newest first", "", client_flags(), print_generations},
      {"audit list", "Lists who changed what, newest first", "", client_flags(), print_audit},
      {"audit verify", "Checks the audit trail's hash chain", "", client_flags(), print_audit_check},
  };
}

}  // namespace weft::app
