#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "eventlog/kafka/edge/dispatch.h"

namespace weft::kafka {
namespace {

constexpr std::string_view kBegin = "<!-- apis -->\n";
constexpr std::string_view kEnd = "<!-- /apis -->";

// With UPDATE_DOCS set in the environment, the table is written instead of compared.
TEST(KafkaCompatibilityPage, ShowsTheTableThatTheProgramWorksWith) {
  const std::string path = WEFT_SOURCE_DIR "/docs/kafka-compatibility.md";
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  auto page = content.str();
  const auto begin = page.find(kBegin);
  const auto end = page.find(kEnd);
  ASSERT_NE(begin, page.npos);
  ASSERT_NE(end, page.npos);
  const auto first = begin + kBegin.size();

  if (std::getenv("UPDATE_DOCS") != nullptr) {
    page.replace(first, end - first, api_table_markdown());
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(first, end - first), api_table_markdown())
      << "run this test with UPDATE_DOCS=1";
}

TEST(KafkaCompatibilityPage, TheTableHasEveryApiOnce) {
  for (const auto& api : apis()) {
    EXPECT_EQ(find_api(api.id.key), &api);
    EXPECT_NE(api.run, nullptr) << api.id.name;
    EXPECT_LE(api.advertised_first, api.id.first) << api.id.name;
    EXPECT_LE(api.id.first, api.id.last) << api.id.name;
  }
  EXPECT_EQ(find_api(999), nullptr);
}

}  // namespace
}  // namespace weft::kafka
