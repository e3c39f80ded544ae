#include "app/settings/settings.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace weft::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::optional<std::string> empty_environment(const std::string&) {
  return std::nullopt;
}

TEST(Settings, HaveADefaultForEveryNameThatItsTypeAccepts) {
  auto settings = Settings::load("weft.yaml", "", empty_environment, {});

  ASSERT_TRUE(settings) << settings.error().message;
  for (const auto& spec : setting_specs()) {
    auto assignment = std::string(spec.path) + "=" + std::string(spec.fallback);
    EXPECT_TRUE(Settings::load("weft.yaml", "", empty_environment, {assignment})) << assignment;
  }
}

TEST(Settings, TakeTheFlagBeforeTheEnvironmentBeforeTheFile) {
  auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "WEFT_PORTS__ADMIN") return "2";
    if (name == "WEFT_PORTS__KAFKA") return "2";
    return std::nullopt;
  };
  auto file = "ports: {admin: 1, kafka: 1, gateway: 1}\n";

  auto settings = Settings::load("weft.yaml", file, environment, {"ports.admin=3"});

  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->number("ports.admin"), 3);
  EXPECT_EQ(settings->number("ports.kafka"), 2);
  EXPECT_EQ(settings->number("ports.gateway"), 1);
}

TEST(Settings, TakeASecretFromTheFileThatItsVariableNames) {
  auto path = ::testing::TempDir() + "weft-settings-secret";
  std::ofstream(path) << "open sesame\n";
  auto named = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "WEFT_TLS__KEY_PASSPHRASE_FILE") return path;
    return std::nullopt;
  };
  auto missing = [](const std::string& name) -> std::optional<std::string> {
    if (name == "WEFT_TLS__KEY_PASSPHRASE_FILE") return "/nonexistent/secret";
    return std::nullopt;
  };
  auto both = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "WEFT_TLS__KEY_PASSPHRASE") return "direct";
    return named(name);
  };
  auto file = "tls: {keyPassphrase: of the settings file}\n";

  EXPECT_EQ(Settings::load("weft.yaml", file, named, {})->secret("tls.keyPassphrase"),
            "open sesame");
  EXPECT_EQ(Settings::load("weft.yaml", file, both, {})->secret("tls.keyPassphrase"), "direct");
  auto refused = Settings::load("weft.yaml", file, missing, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("WEFT_TLS__KEY_PASSPHRASE_FILE: /nonexistent/secret cannot be read"));
  std::remove(path.c_str());
}

TEST(Settings, ReadSizesTimesAndLists) {
  auto file =
      "http: {bodyBytesMax: 64KiB, idleTimeout: 2m}\negress: {allow: [127.0.0.0/8, '*.example.com']}\n";

  auto settings = Settings::load("weft.yaml", file, empty_environment, {});

  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->bytes("http.bodyBytesMax"), 65536u);
  EXPECT_EQ(settings->time("http.idleTimeout"), 2min);
  EXPECT_THAT(settings->list("egress.allow"), ElementsAre("127.0.0.0/8", "*.example.com"));
}

TEST(Settings, NameThePlaceAndTheNearestNameOfAnUnknownSetting) {
  auto settings = Settings::load("weft.yaml", "ports:\n  admim: 1\n", empty_environment, {});

  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().message, HasSubstr("weft.yaml:2:"));
  EXPECT_THAT(settings.error().message, HasSubstr("did you mean 'ports.admin'?"));
}

TEST(Settings, AreAllInTheReference) {
  std::ifstream file(WEFT_SOURCE_DIR "/docs/settings.md");
  std::stringstream content;
  content << file.rdbuf();

  EXPECT_EQ(content.str(), settings_reference()) << "run: weft settings > docs/settings.md";
}

TEST(Settings, RefuseAValueOfAnotherType) {
  EXPECT_FALSE(Settings::load("", "", empty_environment, {"ports.admin=eighty"}));
  EXPECT_FALSE(Settings::load("", "", empty_environment, {"http.bodyBytesMax=10 apples"}));
  EXPECT_FALSE(Settings::load("", "", empty_environment, {"kafka.anonymous=maybe"}));
  EXPECT_FALSE(Settings::load("", "", empty_environment, {"http.idleTimeout=-1s"}));
}

}  // namespace
}  // namespace weft::app
