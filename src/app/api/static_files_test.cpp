#include "app/api/static_files.h"

#include <gtest/gtest.h>

#include "runtime/world.h"

namespace weft::app {
namespace {

class StaticFilesTest : public testing::Test {
 protected:
  StaticFilesTest() : world_(1) {
    EXPECT_TRUE(world_.run(world_.disk.create_directories("/hub/assets")));
    write("/hub/index.html", "<page>");
    write("/hub/theme.js", "theme");
    write("/hub/assets/index-1a2b.js", "script");
    files_ = world_.run(StaticFiles::load(world_.disk, "/hub")).value();
  }
  void write(std::string path, std::string content) {
    EXPECT_TRUE(world_.run(write_file_durably(world_.disk, std::move(path), std::move(content))));
  }
  Result<http::Response> get(std::string_view path) {
    http::RequestHead head;
    head.method = "GET";
    head.path = path;
    return world_.run(files_.serve(head));
  }

  World world_;
  StaticFiles files_;
};

TEST_F(StaticFilesTest, ServesAFileAsWhatItIs) {
  auto script = get("/assets/index-1a2b.js");

  ASSERT_TRUE(script);
  EXPECT_EQ(script->body, "script");
  EXPECT_EQ(script->fields[0].second, "text/javascript; charset=utf-8");
}

TEST_F(StaticFilesTest, ServesThePageForEveryPathThatIsNoFile) {
  for (auto path : {"/", "/streams", "/streams/orders.order.created.v1", "/deliveries/crm.js"}) {
    auto page = get(path);

    ASSERT_TRUE(page) << path;
    EXPECT_EQ(page->body, "<page>") << path;
  }
}

TEST_F(StaticFilesTest, MissesAnAssetAndAPathOfTheApi) {
  EXPECT_EQ(get("/assets/index-3c4d.js").error().code, ErrorCode::NotFound);
  EXPECT_EQ(get("/api/v2/streams").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace weft::app
