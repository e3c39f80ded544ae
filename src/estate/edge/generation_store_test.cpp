#include "estate/edge/generation_store.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "estate/tiny_kinds.h"
#include "runtime/run_until_done.h"
#include "storage/temporary_folder.h"

namespace weft::estate {
namespace {

using testing::ElementsAre;

constexpr std::size_t kAlwaysLarge = 1;

Entry entry(const std::string& name, std::uint64_t generation, const std::string& owner = "shop") {
  auto changes = change_set(stream_yaml(name, 1, "owner: " + owner));
  return {changes.resources[0], "folder", generation};
}

// Generation 1 with two hundred streams.
GenerationFile large_file() {
  GenerationFile file;
  file.generation = 1;
  file.audit = {3, "abc"};
  for (int i = 100; i < 300; ++i) file.entries.push_back(entry(fmt::format("s{}", i), 1));
  return file;
}

class Folder {
 public:
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string text(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }
  GenerationStore store(std::size_t small_max = kAlwaysLarge) {
    return GenerationStore(files_, path("generation.json"), small_max);
  }
  // As another start reads it.
  Result<GenerationFile> read() {
    auto another = store();
    return run_until_done(another.read());
  }

 private:
  TemporaryFolder folder_;
  PosixFileSystem files_;
};

// Puts one stream and removes another one; everything is written anew only when `whole` is allowed.
Result<> step(GenerationStore& store, std::uint64_t generation,
              const GenerationFile* whole = nullptr) {
  GenerationStep change;
  change.generation = generation;
  change.audit = {generation * 10, "hash"};
  change.put = {entry(fmt::format("new{}", generation), generation)};
  change.removed = {{"default", "Stream", fmt::format("s{}", 100 + generation)}};
  const std::function<GenerationFile()> all = [&] {
    EXPECT_NE(whole, nullptr) << "everything is written anew";
    return whole == nullptr ? GenerationFile() : *whole;
  };
  return run_until_done(store.step(change, all));
}

std::vector<std::string> names(const GenerationFile& file) {
  std::vector<std::string> found;
  for (const auto& entry : file.entries) found.push_back(entry.resource->name());
  return found;
}

TEST(GenerationStore, ContinuesALargeFileWithWhatAGenerationChanged) {
  Folder folder;
  auto store = folder.store();
  ASSERT_TRUE(run_until_done(store.write(large_file())));
  auto base = folder.text("generation.json");

  ASSERT_TRUE(step(store, 2));
  ASSERT_TRUE(step(store, 3));

  EXPECT_EQ(folder.text("generation.json"), base);
  EXPECT_LT(folder.text("generation.jsonl").size(), base.size() / 10);
  auto read = folder.read();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 3u);
  EXPECT_EQ(read->audit.count, 30u);
  EXPECT_EQ(read->entries.size(), 200u);
  EXPECT_THAT(names(*read), testing::IsSupersetOf({"new2", "new3", "s101", "s104"}));
  EXPECT_THAT(names(*read), testing::Not(testing::Contains("s102")));
  EXPECT_THAT(names(*read), testing::Not(testing::Contains("s103")));
}

TEST(GenerationStore, GoesOnWithTheSecondFileAfterAStart) {
  Folder folder;
  auto store = folder.store();
  ASSERT_TRUE(run_until_done(store.write(large_file())));
  ASSERT_TRUE(step(store, 2));

  auto another = folder.store();
  ASSERT_TRUE(run_until_done(another.read()));
  ASSERT_TRUE(step(another, 3));

  EXPECT_EQ(folder.read()->generation, 3u);
}

TEST(GenerationStore, WritesASmallFileAnewEachTime) {
  Folder folder;
  auto store = folder.store(1024 * 1024);
  auto whole = large_file();
  ASSERT_TRUE(run_until_done(store.write(whole)));
  whole.generation = 2;

  ASSERT_TRUE(step(store, 2, &whole));

  EXPECT_EQ(folder.read()->generation, 2u);
  EXPECT_FALSE(std::filesystem::exists(folder.path("generation.jsonl")));
}

TEST(GenerationStore, WritesEverythingAnewWhenTheStepsAreHalfAsLarge) {
  Folder folder;
  auto store = folder.store();
  auto whole = large_file();
  ASSERT_TRUE(run_until_done(store.write(whole)));
  const auto half = folder.text("generation.json").size() / 2;

  std::uint64_t generation = 1;
  do {
    whole.generation = ++generation;
    ASSERT_TRUE(step(store, generation, &whole));
    ASSERT_LE(folder.text("generation.jsonl").size(), half);
    ASSERT_EQ(folder.read()->generation, generation);
  } while (std::filesystem::exists(folder.path("generation.jsonl")));

  EXPECT_GT(generation, 10u);
}

TEST(GenerationStore, IgnoresALineThatACrashCutOff) {
  Folder folder;
  auto store = folder.store();
  ASSERT_TRUE(run_until_done(store.write(large_file())));
  ASSERT_TRUE(step(store, 2));
  const auto good = folder.text("generation.jsonl");
  ASSERT_TRUE(step(store, 3));
  const auto all = folder.text("generation.jsonl");

  for (auto size = good.size(); size < all.size(); ++size) {
    folder.write("generation.jsonl", all.substr(0, size));
    auto read = folder.read();
    ASSERT_TRUE(read) << size << ": " << read.error().message;
    ASSERT_EQ(read->generation, 2u) << size;
  }

  // Nothing is appended behind the torn line.
  auto another = folder.store();
  auto whole = *run_until_done(another.read());
  whole.generation = 3;
  ASSERT_TRUE(step(another, 3, &whole));
  EXPECT_EQ(folder.read()->generation, 3u);
}

TEST(GenerationStore, ReportsADamagedOrMissingLine) {
  Folder folder;
  auto store = folder.store();
  ASSERT_TRUE(run_until_done(store.write(large_file())));
  ASSERT_TRUE(step(store, 2));
  const auto first = folder.text("generation.jsonl");
  ASSERT_TRUE(step(store, 3));
  const auto both = folder.text("generation.jsonl");

  for (std::size_t at = 0; at + 1 < both.size(); at += 7) {
    auto flipped = both;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    folder.write("generation.jsonl", flipped);
    auto read = folder.read();
    ASSERT_FALSE(read) << at;
    ASSERT_EQ(read.error().code, ErrorCode::DataLoss) << at;
  }
  folder.write("generation.jsonl", both.substr(first.size()));
  EXPECT_EQ(folder.read().error().code, ErrorCode::DataLoss);
}

TEST(GenerationStore, PassesOverStepsOfAnotherFile) {
  Folder folder;
  auto store = folder.store();
  ASSERT_TRUE(run_until_done(store.write(large_file())));
  ASSERT_TRUE(step(store, 2));
  auto stale = folder.text("generation.jsonl");
  auto other = large_file();
  other.entries.pop_back();
  ASSERT_TRUE(run_until_done(store.write(other)));
  // As a crash between the two files leaves it.
  folder.write("generation.jsonl", stale);

  auto another = folder.store();
  auto read = run_until_done(another.read());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 1u);
  ASSERT_TRUE(step(another, 2));

  EXPECT_EQ(folder.read()->generation, 2u);
}

}  // namespace
}  // namespace weft::estate
