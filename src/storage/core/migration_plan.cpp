#include "storage/core/migration_plan.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"

namespace weft::storage {

namespace {

using Versions = std::map<std::string, std::vector<const Migration*>, std::less<>>;

Result<Versions> by_module(const std::vector<Migration>& ours) {
  Versions modules;
  for (const auto& step : ours) {
    auto& steps = modules[step.module];
    if (step.version != static_cast<int>(steps.size()) + 1) {
      return fail(ErrorCode::InvalidArgument, "migrations of {}: version {} follows {}",
                  step.module, step.version, steps.size());
    }
    steps.push_back(&step);
  }
  return modules;
}

Result<> check_applied(const AppliedMigration& applied, const Versions& modules) {
  auto module = modules.find(applied.module);
  auto known = module == modules.end() ? 0 : static_cast<int>(module->second.size());
  if (applied.version > known) {
    return fail(ErrorCode::FailedPrecondition,
                "the state database was written by a newer version of Weft: its module {} is at "
                "version {}, this program knows {}. Use the newer program, or restore a backup "
                "that was made before the upgrade",
                applied.module, applied.version, known == 0 ? "none" : std::to_string(known));
  }
  const auto& ours = *module->second[static_cast<std::size_t>(applied.version - 1)];
  if (migration_checksum(ours.sql) == applied.checksum) return {};
  return fail(ErrorCode::DataLoss,
              "the state database was made with another text of migration {} {}: the schema is "
              "not the one that this program expects",
              applied.module, applied.version);
}

}  // namespace

std::string migration_checksum(std::string_view sql) {
  std::string bytes;
  append_be(bytes, fnv1a(sql));
  return to_hex(bytes);
}

Result<std::vector<Migration>> pending_migrations(std::vector<Migration> ours,
                                                  const std::vector<AppliedMigration>& applied) {
  TRY(auto modules, by_module(ours));
  for (const auto& step : applied) CHECK(check_applied(step, modules));
  std::erase_if(ours, [&](const Migration& step) {
    return std::ranges::any_of(applied, [&](const AppliedMigration& done) {
      return done.module == step.module && done.version == step.version;
    });
  });
  return ours;
}

}  // namespace weft::storage
