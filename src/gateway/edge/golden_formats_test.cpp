// What answers to Idempotency-Keys are kept as, byte for byte against docs/formats/golden/
// (base/golden_file.h).
#include <gtest/gtest.h>

#include "base/golden_file.h"
#include "gateway/edge/idempotency_store.h"

namespace weft::gateway {
namespace {

TEST(IdempotentAnswerFormat, IsWhatWasCommitted) {
  StoredAnswer answer;
  answer.payload = {'\x5c', '\x1e', '\x0a', '\x9b'};
  answer.status = 201;
  answer.content_type = "application/json";
  answer.body = "{\"eventId\":\"A-1\",\"note\":\"\u00e5 \\ \n\"}";
  auto encoded = answer_value(answer);

  ASSERT_EQ(golden_file_or_new("idempotent-answer.json", encoded), encoded);
  eventlog::Record record;
  record.value = golden_file("idempotent-answer.json");
  auto read = parse_answer(record);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->payload, answer.payload);
  EXPECT_EQ(read->body, answer.body);
  EXPECT_EQ(answer_value(*read), encoded);
}

}  // namespace
}  // namespace weft::gateway
