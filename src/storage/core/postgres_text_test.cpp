#include "storage/core/postgres_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace weft::storage {
namespace {

TEST(PostgresText, SwapsTheWordsOfASchemaOutsideOfQuotes) {
  EXPECT_EQ(postgres_schema("CREATE TABLE t (id INTEGER PRIMARY KEY, real REAL, words TEXT NOT "
                            "NULL CHECK (words <> 'TEXT'), bytes BLOB, \"TEXT\" INTEGER) STRICT"),
            "CREATE TABLE t (id BIGINT PRIMARY KEY, real DOUBLE PRECISION, words TEXT COLLATE "
            "\"C\" NOT NULL CHECK (words <> 'TEXT'), bytes BYTEA, \"TEXT\" BIGINT) ");
}

TEST(PostgresText, FindsTheHighestParameterOutsideOfQuotes) {
  EXPECT_EQ(highest_parameter("SELECT 1"), 0u);
  EXPECT_EQ(highest_parameter("SELECT $2, $11 WHERE a = $3"), 11u);
  EXPECT_EQ(highest_parameter("SELECT '$9', $1"), 1u);
  EXPECT_EQ(highest_parameter("SELECT $"), 0u);
}

TEST(PostgresText, TellsWhatTheCallerCanDoFromTheStateCode) {
  EXPECT_EQ(postgres_code("23505"), ErrorCode::AlreadyExists);
  EXPECT_EQ(postgres_code("23503"), ErrorCode::FailedPrecondition);
  EXPECT_EQ(postgres_code("40P01"), ErrorCode::Conflict);
  EXPECT_EQ(postgres_code("57P01"), ErrorCode::Unavailable);
  EXPECT_EQ(postgres_code("53100"), ErrorCode::ResourceExhausted);
  EXPECT_EQ(postgres_code("42601"), ErrorCode::InvalidArgument);
  EXPECT_EQ(postgres_code("28P01"), ErrorCode::PermissionDenied);
  EXPECT_EQ(postgres_code("XX001"), ErrorCode::DataLoss);
}

std::string numeric_of(std::int16_t weight, std::int16_t sign, std::vector<std::int16_t> digits) {
  std::string bytes;
  append_be(bytes, static_cast<std::int16_t>(digits.size()));
  append_be(bytes, weight);
  append_be(bytes, sign);
  append_be(bytes, std::int16_t{0});
  for (auto digit : digits) append_be(bytes, digit);
  return bytes;
}

TEST(PostgresText, ReadsWholeNumericsOf64BitsAndRefusesOthers) {
  EXPECT_EQ(postgres_numeric(numeric_of(0, 0, {})), 0);
  EXPECT_EQ(postgres_numeric(numeric_of(1, 0, {1, 2345})), 12345);
  EXPECT_EQ(postgres_numeric(numeric_of(1, 0, {7})), 70000);
  EXPECT_EQ(postgres_numeric(numeric_of(4, 0x4000, {922, 3372, 368, 5477, 5808})),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(postgres_numeric(numeric_of(4, 0, {922, 3372, 368, 5477, 5808})));
  EXPECT_FALSE(postgres_numeric(numeric_of(0, 0, {1, 5000})));
  EXPECT_FALSE(postgres_numeric("short"));
}

}  // namespace
}  // namespace weft::storage
