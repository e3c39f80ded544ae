// What generations are kept as, byte for byte against docs/formats/golden/ (base/golden_file.h).
#include <gtest/gtest.h>

#include "base/golden_file.h"
#include "estate/core/generation_file.h"

namespace weft::estate {
namespace {

// Written by a node of 0.1.0 that had applied examples/orders.
TEST(GenerationFormat, IsWhatWasCommitted) {
  auto golden = golden_file("generation-1.json");

  auto read = decode_generation_file(golden);

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 1u);
  EXPECT_FALSE(read->entries.empty());
  EXPECT_EQ(encode(*read), golden);
}

TEST(GenerationStepFormat, IsWhatWasCommitted) {
  auto golden = golden_file("generation-1.json");
  auto file = decode_generation_file(golden);
  ASSERT_TRUE(file);
  GenerationStep step;
  step.generation = file->generation + 1;
  step.written_at = from_unix_ms(1'764'316'800'123);
  step.audit = file->audit;
  step.put = {file->entries.at(0)};
  auto encoded = encode(step, checksum(golden));

  ASSERT_EQ(golden_file_or_new("generation-step-1.jsonl", encoded), encoded);
  auto followed = follow(*file, checksum(golden), golden_file("generation-step-1.jsonl"));
  ASSERT_TRUE(followed) << followed.error().message;
  EXPECT_EQ(file->generation, step.generation);
}

}  // namespace
}  // namespace weft::estate
