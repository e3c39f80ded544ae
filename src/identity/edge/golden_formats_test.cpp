// What API keys are kept as beside the database, byte for byte against docs/formats/golden/
// (base/golden_file.h).
#include <gtest/gtest.h>

#include "base/golden_file.h"
#include "identity/edge/key_files.h"
#include "runtime/run_until_done.h"
#include "runtime/simulated_clock.h"
#include "runtime/simulated_disk.h"

namespace weft::identity {
namespace {

TEST(StoredKeysFormat, IsWhatWasCommitted) {
  IoContext loop{1};
  SimulatedClock clock{loop};
  SimulatedFileSystem files{clock, 1};
  std::map<std::string, StoredKey> keys;
  keys["1f8c1cd916f593c2"] = {
      {"default", "shop"}, crypto::sha256("one"), kNever, std::make_shared<KeyUse>()};
  keys["5c1e0a9b7d3f0041"] = {
      {"acme", "crm"}, crypto::sha256("two"), 1'764'316'800'123, std::make_shared<KeyUse>()};
  ASSERT_TRUE(run_until_done(write_stored_keys(files, "api-keys", keys)));
  auto encoded = run_until_done(read_file(files, "api-keys", 4096)).value();

  ASSERT_EQ(golden_file_or_new("api-keys-1.txt", encoded), encoded);
  auto read = run_until_done(read_stored_keys(files, "api-keys"));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 2u);
  const auto& key = read->at("5c1e0a9b7d3f0041");
  EXPECT_EQ(key.client, ClientName("acme", "crm"));
  EXPECT_EQ(key.hash.text(), crypto::sha256("two").text());
  EXPECT_EQ(key.expires_at, 1'764'316'800'123);
}

}  // namespace
}  // namespace weft::identity
