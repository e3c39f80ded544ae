#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/node/kinds.h"
#include "base/json_members.h"
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
  for (const auto& diagnostic : diagnostics)
    fmt::print(stderr, "{}: {}\n", severity, diagnostic.text());
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// The folder's documents, read by this user on this machine.
Result<estate::LoadedEstate> load(const estate::KindSet& kinds, const std::string& folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored) && !ignored) {
    return fail(ErrorCode::NotFound,
                "there is no folder {}; name the folder with the estate's documents", folder);
  }
  if (std::filesystem::is_regular_file(folder, ignored)) {
    return fail(ErrorCode::InvalidArgument, "{} is a file; name the folder that holds it", folder);
  }
  PosixFileSystem files;
  estate::Loader loader(kinds, estate::process_environment());
  TRY(auto loaded, run_until_done(loader.load_folder(files, folder)));
  if (loaded.ok() && loaded.resources.empty()) {
    loaded.findings.warnings.push_back(
        {folder, 0, 0, "", "holds no resource: documents are files named *.yaml, *.yml or *.json"});
  }
  return loaded;
}

int validate(const Arguments& arguments) {
  auto kinds = all_kinds();
  if (!kinds) return report(kinds.error());
  auto loaded = load(*kinds, folder_of(arguments));
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
    auto& found = planned.plan.findings;
    findings.errors = std::move(found.errors);
    findings.warnings.insert(findings.warnings.end(), found.warnings.begin(), found.warnings.end());
  }
  print_diagnostics(findings.errors, "error");
  print_diagnostics(findings.warnings, "warning");
  if (!findings.errors.empty()) {
    fmt::print(stderr, "{}\n", counted(findings.errors.size(), "error"));
    return 1;
  }
  fmt::print("{}, no errors\n", counted(count, "resource"));
  return 0;
}

// What is sent of a folder, and where it stands there. It is read here, so that ${env:…} and
// ${file:…} are this user's; each resource is sent as a file of its own, and what the node says of
// it is told of this user's files.
struct SentFolder {
  std::string body;
  std::map<std::string, estate::ResourcePtr, std::less<>> by_path;  // and by what the node calls it
};

Result<SentFolder> folder_as_request(const std::string& folder, const std::string& message) {
  TRY(auto kinds, all_kinds());
  TRY(auto loaded, load(kinds, folder));
  if (!loaded.ok())
    return fail(ErrorCode::InvalidArgument, "nothing was sent:\n{}", loaded.error_text());
  print_diagnostics(loaded.findings.warnings, "warning");
  SentFolder sent;
  JsonWriter body;
  body.object();
  if (!message.empty()) body.member("message", message);
  body.key("files").array();
  for (const auto& resource : loaded.resources) {
    const auto& id = resource->id();
    auto path = fmt::format("{}/{}/{}.json", id.tenant, id.kind, id.name);
    body.object()
        .member("path", path)
        .member("content", estate::document_text(*resource, kinds))
        .end();
    sent.by_path.emplace(std::move(path), resource);
    sent.by_path.emplace(id.text(), resource);
  }
  body.end().end();
  sent.body = std::move(body).text();
  return sent;
}

std::int64_t number_at(const Json& root, std::string_view pointer) {
  const auto* value = root.at_pointer(pointer);
  return value != nullptr ? value->as_int64().value_or(0) : 0;
}

// Prints an answer's diagnostics; returns how many are errors.
std::size_t print_diagnostics_of(const Json& root, const SentFolder& sent) {
  std::size_t errors = 0;
  const auto* diagnostics = root.find("diagnostics");
  if (diagnostics == nullptr) return errors;
  for (const auto& item : diagnostics->elements()) {
    Diagnostic diagnostic;
    diagnostic.file = text_of(item, "file");
    diagnostic.line = static_cast<std::uint32_t>(number_at(item, "/line"));
    diagnostic.column = static_cast<std::uint32_t>(number_at(item, "/column"));
    diagnostic.pointer = text_of(item, "pointer");
    diagnostic.message = text_of(item, "message");
    if (auto resource = sent.by_path.find(diagnostic.file); resource != sent.by_path.end()) {
      diagnostic = resource->second->at(diagnostic.pointer, diagnostic.message);
    }
    auto severity = text_of(item, "severity");
    if (severity == "error") ++errors;
    fmt::print(stderr, "{}: {}\n", severity, diagnostic.text());
  }
  return errors;
}

// The change set of an answer, as a person reads it. Whether it was refused.
bool print_change_set(const Json& root, const SentFolder& sent) {
  for (const auto& change : root.find("changes")->elements()) {
    auto action = text_of(change, "action");
    auto sign = action == "create" ? '+' : action == "delete" ? '-' : '~';
    fmt::print("{} {} {}\n", sign, text_of(change, "kind"), text_of(change, "name"));
  }
  auto errors = print_diagnostics_of(root, sent);
  if (errors > 0) {
    fmt::print(stderr, "{}: apply would change nothing\n", counted(errors, "error"));
    return true;
  }
  fmt::print("{} to create, {} to update, {} to delete, {} unchanged\n",
             number_at(root, "/summary/create"), number_at(root, "/summary/update"),
             number_at(root, "/summary/delete"), number_at(root, "/summary/unchanged"));
  return false;
}

bool is_refused(const Json& root) {
  const auto* diagnostics = root.find("diagnostics");
  return diagnostics != nullptr &&
         std::ranges::any_of(diagnostics->elements(),
                             [](const Json& item) { return text_of(item, "severity") == "error"; });
}

int plan(const Arguments& arguments) {
  auto sent = folder_as_request(folder_of(arguments), "");
  if (!sent) return report(sent.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto query =
      query_string({{"prune", "true"}, {"allowEmpty", arguments.has("allow-empty") ? "true" : ""}});
  auto answer = client->expect("POST", "/plan" + query, std::move(sent->body));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  if (arguments.get("output") == "table") {
    print_change_set(root, *sent);
  } else if (auto status = show(arguments, root, {}, {}); status != 0) {
    return status;
  }
  if (is_refused(root)) return 1;
  return root.find("changes")->size() > 0 ? kChangesPending : 0;
}

int apply_refused(const AdminAnswer& answer, const SentFolder& sent) {
  const auto& root = answer.json.root();
  const auto* details = root.find("details");
  auto errors = details == nullptr ? 0 : print_diagnostics_of(*details, sent);
  auto why = errors > 0 ? counted(errors, "error") : text_of(root, "message");
  fmt::print(stderr, "weft: nothing was changed: {} ({}, trace {})\n", why, text_of(root, "code"),
             text_of(root, "traceId"));
  return 1;
}

int apply(const Arguments& arguments) {
  auto sent = folder_as_request(folder_of(arguments), arguments.get("message"));
  if (!sent) return report(sent.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto query = query_string({{"prune", arguments.has("no-prune") ? "" : "true"},
                             {"allowEmpty", arguments.has("allow-empty") ? "true" : ""},
                             {"expectedGeneration", arguments.get("expect")}});
  auto answer = client->call("POST", "/apply" + query, std::move(sent->body));
  if (!answer) return report(answer.error());
  if (!answer->ok()) return apply_refused(*answer, *sent);
  const auto& root = answer->json.root();
  if (arguments.get("output") != "table") return show(arguments, root, {}, {});
  print_change_set(root, *sent);
  const bool is_new = number_at(root, "/generation") != number_at(root, "/baseGeneration");
  fmt::print("generation {}{}\n", number_at(root, "/generation"),
             is_new ? "" : " stays: nothing to change");
  return 0;
}

int request_rollback(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(Error{ErrorCode::InvalidArgument,
                        "name the generation to go back to; `weft generation list`"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("POST", "/generations/" + arguments.positional()[0] + "/rollback");
  if (!answer) return report(answer.error());
  if (arguments.get("output") != "table") return show(arguments, answer->json.root(), {}, {});
  print_change_set(answer->json.root(), SentFolder());
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
              {{"SEQ", "/sequence"},
               {"AT", "/at"},
               {"ACTOR", "/actor"},
               {"ACTION", "/action"},
               {"KIND", "/kind"},
               {"NAME", "/name"}},
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
  fmt::print(stderr, "DAMAGED at entry {}: {}\n", number_at(root, "/badSequence"),
             text_of(root, "reason"));
  return 1;
}

}  // namespace

std::vector<Command> estate_commands() {
  const FlagSpec allow_empty{"allow-empty", "",
                             "a folder without any resource: delete all that it once applied", "",
                             false};
  auto plan_flags = client_flags();
  plan_flags.push_back(allow_empty);
  auto apply_flags = client_flags();
  apply_flags.push_back(allow_empty);
  apply_flags.push_back({"message", "TEXT", "why, for the audit trail", "", false});
  apply_flags.push_back({"expect", "N", "refuse when another generation is current", "", false});
  apply_flags.push_back({"no-prune", "", "keep what the folder leaves out", "", false});
  return {
      {"validate", "Checks the documents of a folder without a node", "[folder]", {}, validate},
      {"plan", "Shows what applying a folder would change; exit status 2 when something",
       "[folder]", plan_flags, plan},
      {"apply", "Makes a folder the current estate, all of it or nothing", "[folder]", apply_flags,
       apply},
      {"rollback", "Makes an earlier generation current again", "<generation>", client_flags(),
       request_rollback},
      {"generation list", "Lists generations, newest first", "", client_flags(), print_generations},
      {"audit list", "Lists who changed what, newest first", "", client_flags(), print_audit},
      {"audit verify", "Checks the audit trail's hash chain", "", client_flags(),
       print_audit_check},
  };
}

}  // namespace weft::app
