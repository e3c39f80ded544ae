#include "app/node/demo.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/node/install_paths.h"
#include "base/bytes.h"
#include "runtime/random.h"

namespace weft::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPython = "python3";
constexpr std::string_view kOrdersPerSecond = "5";

// A secret of the demo: made once, kept for the next start.
Result<std::string> keep_or_make(const std::string& path,
                                 const std::function<std::string()>& make) {
  std::ifstream existing(path);
  std::string text;
  if (existing && std::getline(existing, text) && !text.empty()) return text;
  text = make();
  std::ofstream file(path, std::ios::trunc);
  ::chmod(path.c_str(), 0600);
  file << text << '\n';
  file.close();
  if (!file) return fail(ErrorCode::IoError, "cannot write {}", path);
  return text;
}

std::string make_api_key() {
  SystemRandom random;
  return "weft_" + to_hex(random.bytes(8)) + "_" + to_base64url(random.bytes(32));
}

std::string make_webhook_secret() {
  SystemRandom random;
  return "whsec_" + to_base64(random.bytes(24));
}

// The data folder that the command line asks for, or the default.
std::string data_folder_of(const std::vector<std::string>& overrides) {
  constexpr std::string_view kPrefix = "data.folder=";
  std::string folder = "weft-data";
  for (const auto& assignment : overrides) {
    if (assignment.starts_with(kPrefix)) folder = assignment.substr(kPrefix.size());
  }
  return folder;
}

}  // namespace

Result<DemoServices> DemoServices::prepare(const std::vector<std::string>& overrides) {
  DemoServices demo;
  auto examples = examples_folder();
  if (examples.empty())
    return fail(ErrorCode::NotFound, "the example estates are not installed beside the binary");
  demo.example_folder_ = examples + "/orders";
  demo.data_folder_ = data_folder_of(overrides);
  auto folder = demo.data_folder_ + "/demo";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return fail(ErrorCode::PermissionDenied, "cannot make {}: {}", folder, error.message());
  fs::permissions(demo.data_folder_, fs::perms::owner_all, error);
  TRY(demo.shop_key_, keep_or_make(folder + "/shop-key", make_api_key));
  TRY(demo.webhook_secret_, keep_or_make(folder + "/webhook-secret", make_webhook_secret));

  demo.processes_ = std::make_unique<ChildProcesses>();
  auto address_file = folder + "/crm-address";
  fs::remove(address_file, error);
  CHECK(demo.processes_->start({std::string(kPython), demo.example_folder_ + "/crm.py", "--port",
                                "0", "--address-file", address_file},
                               {{"CRM_WEBHOOK_SECRET", demo.webhook_secret_}},
                               folder + "/crm.log"));
  TRY(auto url, demo.processes_->wait_for_line(address_file));
  ::setenv("CRM_URL", url.c_str(), 1);
  ::setenv("CRM_WEBHOOK_SECRET", demo.webhook_secret_.c_str(), 1);
  ::setenv("SHOP_API_KEY", demo.shop_key_.c_str(), 1);
  return demo;
}

std::vector<std::string> DemoServices::settings() const {
  return {"estate.folder=" + example_folder_ + "/estate", "kafka.anonymous=true",
          "egress.allow=127.0.0.0/8", "kafka.rebalanceDelay=0s"};
}

Result<std::string> DemoServices::start(const NodeAddresses& addresses,
                                        const std::string& data_folder) {
  auto folder = data_folder + "/demo";
  CHECK(processes_->start({std::string(kPython), example_folder_ + "/shop.py", "--url",
                           addresses.gateway, "--rate", std::string(kOrdersPerSecond)},
                          {{"SHOP_API_KEY", shop_key_}}, folder + "/shop.log"));
  return fmt::format(
      "  demo     a shop front posts {} orders a second; a CRM takes them as signed webhooks\n"
      "           shop key in {}/shop-key, logs beside it\n",
      kOrdersPerSecond, folder);
}

}  // namespace weft::app
