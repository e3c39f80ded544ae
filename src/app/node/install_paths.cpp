#include "app/node/install_paths.h"

#include <filesystem>
#include <vector>

#include "app/api/admin_contract.h"
#include "base/document.h"
#include "base/json_writer.h"

namespace weft::app {
namespace {

namespace fs = std::filesystem;

// The first of these that exists, looked for from the binary's own folder.
std::string first_existing(const std::vector<std::string>& candidates) {
  std::error_code error;
  auto here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& candidate : candidates) {
    auto path = (here / candidate).lexically_normal();
    if (fs::is_directory(path, error)) return path.string();
  }
  return {};
}

}  // namespace

std::string hub_folder(const std::string& setting) {
  if (!setting.empty()) return setting;
  return first_existing({"../share/weft/hub", "../../web/dist"});
}

std::string examples_folder() {
  return first_existing({"../share/weft/examples", "../../examples"});
}

std::string admin_contract() {
  auto documents = parse_documents("admin.openapi.yaml", std::string(kAdminContract));
  ENSURE(documents && documents->size() == 1, "the admin API's contract is a document");
  JsonWriter out;
  out.value(documents->front().root());
  return std::move(out).text();
}

}  // namespace weft::app
