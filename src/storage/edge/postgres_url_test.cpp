#include <gmock/gmock.h>

#include "storage/postgres_database.h"

namespace weft {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PostgresUrl, TakesWhatTheServerTakes) {
  for (const char* url : {"postgresql://weft@db1,db2/weft?sslmode=verify-full", "postgres:///weft",
                          "postgresql://weft:p%40ss%2Fword@[::1]:5432/weft",
                          "postgresql://weft@db1:5432,db2:5433/weft"}) {
    auto checked = check_postgres_url(url);
    EXPECT_TRUE(checked) << url << ": " << checked.error().message;
  }
}

TEST(PostgresUrl, RefusesAPasswordThatBreaksItAndDoesNotRepeatIt) {
  for (const char* url :
       {"postgresql://weft:hush/hush@db1/weft", "postgresql://weft:5432/hush@db1/weft",
        "postgresql://weft:x@hush@db1/weft", "postgresql://weft:hush%hush@db1/weft",
        "postgresql://weft@db1/weft?hush=1", "postgresq://weft:hush@db1/weft",
        "host=db1 password=hush"}) {
    auto checked = check_postgres_url(url);
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(checked.error().message, HasSubstr("postgresql://user:password@host"));
    EXPECT_THAT(checked.error().message, Not(HasSubstr("hush"))) << url;
  }
}

}  // namespace
}  // namespace weft
