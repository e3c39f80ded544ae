#include "app/settings/settings_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weft::app {
namespace {

using testing::HasSubstr;

std::string path_of(const std::string& name) {
  return testing::TempDir() + "weft-settings-file-" + std::to_string(::getpid()) + "-" + name;
}

TEST(SettingsFile, IsReadAndAFlagGoesBeforeIt) {
  SettingsFile file{path_of("read.yaml"), true};
  std::ofstream(file.path) << "ports:\n  admin: 1\n  ops: 2\n";

  auto settings = read_settings(file, {"ports.ops=3"});
  std::filesystem::remove(file.path);

  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->number("ports.admin"), 1);
  EXPECT_EQ(settings->number("ports.ops"), 3);
}

TEST(SettingsFile, MayBeMissingUnlessItWasAskedFor) {
  auto without = read_settings({path_of("missing.yaml"), false}, {});
  auto asked_for = read_settings({path_of("missing.yaml"), true}, {});

  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ(without->text("data.folder"), "weft-data");
  ASSERT_FALSE(asked_for);
  EXPECT_EQ(asked_for.error().code, ErrorCode::NotFound);
  EXPECT_THAT(asked_for.error().message, HasSubstr("missing.yaml"));
}

}  // namespace
}  // namespace weft::app
