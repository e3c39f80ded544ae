#include "app/node/run_node.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <filesystem>

#include "app/node/demo.h"
#include "app/node/node.h"
#include "app/settings/roles.h"
#include "runtime/crash_point.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

std::string banner_of(const Node& node, const std::string& extra) {
  const auto& at = node.addresses();
  const auto token = node.admin_token();
  std::string banner = "Weft is ready.\n";
  if (!at.hub.empty()) banner += fmt::format("  hub      {}/#token={}\n", at.hub, token);
  if (!at.hub_tls.empty()) banner += fmt::format("           {}/#token={}\n", at.hub_tls, token);
  if (!at.gateway.empty()) banner += fmt::format("  gateway  {}\n", at.gateway);
  if (!at.gateway_tls.empty()) banner += fmt::format("           {}\n", at.gateway_tls);
  if (!at.kafka.empty()) banner += fmt::format("  kafka    {}\n", at.kafka);
  if (!at.kafka_tls.empty())
    banner += fmt::format("           {} (security.protocol=SSL or SASL_SSL)\n", at.kafka_tls);
  banner += fmt::format("  ops      {}/metrics\n  data     {}\n", at.ops, node.data_folder());
  return banner + extra;
}

int report_failure(const Error& error) {
  fmt::print(stderr, "weft: {}\n", error.message);
  return 1;
}

// In the background the terminal is gone: lines go to a file of the data folder.
void log_to_file(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::create_directories(folder, ignored)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
  }
  auto path = folder + "/weft.log";
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0) set_log_descriptor(file);
}

// A test that misnames its crash point would see nothing and pass.
Result<> check_crash_point() {
  auto wanted = CrashPoint::wanted();
  if (!wanted) return {};
  if (!CrashPoint::is_wanted_known()) {
    return fail(ErrorCode::InvalidArgument, "WEFT_CRASH_AT: no crash point '{}'; there are:\n{}",
                *wanted, fmt::join(CrashPoint::all(), "\n"));
  }
  log_warn("node", "this process kills itself at a crash point: WEFT_CRASH_AT is set",
           {{"point", *wanted}});
  return {};
}

}  // namespace

int run_node(const NodeStart& start, const WhenReady& when_ready) {
  if (auto checked = check_crash_point(); !checked) return report_failure(checked.error());
  DemoServices demo;
  std::vector<std::string> overrides;
  if (start.demo == Demo::On) {
    auto prepared = DemoServices::prepare(start.overrides);
    if (!prepared) return report_failure(prepared.error());
    demo = std::move(*prepared);
    overrides = demo.settings();
  }
  overrides.insert(overrides.end(), start.overrides.begin(), start.overrides.end());
  auto settings = read_settings(start.settings, overrides);
  if (!settings) return report_failure(settings.error());
  if (start.demo == Demo::On) {
    auto roles = roles_of(*settings);
    if (roles && !roles->is_all())
      return report_failure(
          {ErrorCode::InvalidArgument, "--demo shows all roles: leave out the setting roles"});
  }
  auto folder = settings->text("data.folder");
  if (when_ready) log_to_file(folder);
  auto node = Node::create(std::move(*settings));
  if (!node) return report_failure(node.error());
  if (auto started = (*node)->start(); !started) return report_failure(started.error());
  std::string extra;
  if (start.demo == Demo::On) {
    auto told = demo.start((*node)->addresses(), folder);
    if (!told) return report_failure(told.error());
    extra = std::move(*told);
  }
  auto banner = banner_of(**node, extra);
  if (when_ready) {
    when_ready(banner);
  } else {
    fmt::print("{}", banner);
    std::fflush(stdout);
  }
  (*node)->run();
  return 0;
}

}  // namespace weft::app
