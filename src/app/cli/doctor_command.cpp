#include "app/cli/doctor_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/cli/admin_client.h"
#include "app/cli/output.h"
#include "app/doctor/machine.h"
#include "app/settings/settings_file.h"
#include "base/json_members.h"
#include "base/json_writer.h"

namespace weft::app {
namespace {

// One line of what may be any bytes.
std::string beginning_of(std::string_view body) {
  constexpr std::size_t kBytesMax = 100;
  std::string line(body.substr(0, kBytesMax));
  for (auto& character : line) {
    if (character < ' ' || character > '~') character = ' ';
  }
  return body.size() > kBytesMax ? line + " …" : line;
}

void examine_running_node(const Arguments& arguments, std::vector<DoctorFinding>& findings) {
  auto client = AdminClient::connect(arguments);
  if (!client) {
    bool is_elsewhere = client.error().code == ErrorCode::FailedPrecondition;
    findings.push_back(
        {Verdict::Warning, "node", client.error().message,
         is_elsewhere ? "its /readyz at ports.ops says how it is" : "start one with `weft up`"});
    return;
  }
  auto health = client->expect("GET", "/health");
  if (!health) {
    findings.push_back({Verdict::Bad, "node", health.error().message, "look at its log"});
    return;
  }
  const auto* checks = health->json.root().find("checks");
  if (checks == nullptr || !checks->is_array()) {
    findings.push_back({Verdict::Bad, "node",
                        fmt::format("{} answered {}, which is no node's health: {}",
                                    client->server(), health->status, beginning_of(health->body)),
                        "is this the address of Weft's admin API?"});
    return;
  }
  for (const auto& check : checks->elements()) {
    auto status = text_of(check, "status");
    auto message = text_of(check, "message");
    auto verdict = status == "pass"   ? Verdict::Good
                   : status == "warn" ? Verdict::Warning
                                      : Verdict::Bad;
    findings.push_back(
        {verdict, "node: " + text_of(check, "name"), message.empty() ? status : message,
         verdict == Verdict::Good ? "" : "look at the node's log and at the hub's overview"});
  }
}

// The settings with which a node would start here.
Result<Settings> settings_for(const Arguments& arguments) {
  auto overrides = arguments.all("set");
  if (arguments.has("data")) overrides.push_back("data.folder=" + arguments.get("data"));
  return read_settings({arguments.get("config"), arguments.has("config")}, overrides);
}

std::string_view word_of(Verdict verdict) {
  return verdict == Verdict::Good ? "pass" : verdict == Verdict::Warning ? "warn" : "fail";
}

std::string findings_json(const std::vector<DoctorFinding>& findings, Verdict worst) {
  JsonWriter out;
  out.object().member("status", word_of(worst)).key("checks").array();
  for (const auto& finding : findings) {
    out.object().member("name", finding.subject).member("status", word_of(finding.verdict));
    out.member("observed", finding.observed);
    if (!finding.advice.empty()) out.member("advice", finding.advice);
    out.end();
  }
  out.end().end();
  return std::move(out).text();
}

void print_findings(const std::vector<DoctorFinding>& findings) {
  for (const auto& finding : findings) {
    auto mark = finding.verdict == Verdict::Good      ? "ok  "
                : finding.verdict == Verdict::Warning ? "warn"
                                                      : "BAD ";
    fmt::print("{}  {:<20} {}\n", mark, finding.subject, finding.observed);
    if (!finding.advice.empty()) fmt::print("      {:<20} → {}\n", "", finding.advice);
  }
}

}  // namespace

int run_doctor(const Arguments& arguments) {
  std::vector<DoctorFinding> findings;
  auto settings = settings_for(arguments);
  if (!settings) {
    findings.push_back({Verdict::Bad, "settings", settings.error().message,
                        "Weft does not start with them: mend them"});
  } else {
    auto folder = settings->text("data.folder");
    auto node = running_node_of(folder);
    findings = examine_machine(*settings, node);
    examine_running_node(arguments.with("data", folder), findings);
  }
  auto worst = Verdict::Good;
  for (const auto& finding : findings) worst = std::max(worst, finding.verdict);
  if (arguments.get("output") == "table") {
    print_findings(findings);
  } else {
    auto document = JsonDocument::parse(findings_json(findings, worst));
    if (!document) return report(document.error());
    if (auto status = show(arguments, document->root(), {}, {}); status != 0) return status;
  }
  return worst == Verdict::Bad ? 1 : 0;
}

}  // namespace weft::app
