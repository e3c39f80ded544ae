#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estate/core/canonical_json.h"
#include "estate/core/field_changes.h"
#include "estate/core/generation_file.h"
#include "estate/core/pointer_pattern.h"
#include "estate/published_schema.h"
#include "estate/tiny_kinds.h"

namespace weft::estate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string canonical(std::string text) {
  return canonical_json(JsonDocument::parse(std::move(text))->root());
}

TEST(CanonicalJson, SortsMembersAndKeepsNumbersAndOrderOfElements) {
  EXPECT_EQ(canonical(R"( {"b": [3, 1.50, 1e2], "a": {"é": true, "Z": null}, "" : "x\u0041/"} )"),
            R"({"":"xA/","a":{"Z":null,"é":true},"b":[3,1.50,1e2]})");
}

TEST(CanonicalJson, IsItsOwnCanonicalForm) {
  auto once = canonical(R"({"b":{"y":"\u0001\"","x":12345678901234567890.10},"a":[]})");

  EXPECT_EQ(canonical(once), once);
}

TEST(PointerPattern, NamesAPlaceAndEverythingBelowIt) {
  EXPECT_TRUE(is_at_or_below("/spec/key", "/spec/key"));
  EXPECT_TRUE(is_at_or_below("/spec/key/0/x", "/spec/key"));
  EXPECT_TRUE(is_at_or_below("/spec/hooks/3/key", "/spec/hooks/*/key"));
  EXPECT_TRUE(is_at_or_below("/anything", ""));
  EXPECT_FALSE(is_at_or_below("/spec", "/spec/key"));
  EXPECT_FALSE(is_at_or_below("/spec/keys", "/spec/key"));
  EXPECT_FALSE(is_at_or_below("/spec/hooks/3", "/spec/hooks/*/key"));
}

std::vector<std::string> pointers(std::string before, std::string after) {
  auto a = JsonDocument::parse(std::move(before));
  auto b = JsonDocument::parse(std::move(after));
  std::vector<std::string> found;
  for (const auto& change : field_changes(a->root(), b->root(), {}))
    found.push_back(change.pointer);
  return found;
}

TEST(FieldChanges, StandAtTheTopOfEachDifference) {
  EXPECT_THAT(pointers(R"({"a":1,"b":{"c":1}})", R"({"b":{"c":1.0},"a":1})"), IsEmpty());
  EXPECT_THAT(pointers(R"({"a":[1,2,3]})", R"({"a":[1,9]})"), ElementsAre("/a/1", "/a/2"));
  EXPECT_THAT(pointers(R"({"a/b":{"x":1}})", R"({"a/b":[1]})"), ElementsAre("/a~1b"));
  EXPECT_THAT(pointers(R"({"a":{"x":{"y":1}}})", R"({})"), ElementsAre("/a"));
}

TEST(FieldChanges, FindThePlacesInsideWhatWasRemoved) {
  auto before = JsonDocument::parse(R"({"a":{"x":[1,{"y":2}]},"b":1})");
  auto after = JsonDocument::parse(R"({"b":1})");

  EXPECT_THAT(changed_places(before->root(), after->root()), ElementsAre("/a/x/0", "/a/x/1/y"));
}

TEST(FieldChanges, RedactSecretsInsideWhatWasAdded) {
  auto before = JsonDocument::parse("{}");
  auto after = JsonDocument::parse(R"({"hooks":[{"url":"u","key":"hunter2"}]})");

  auto changes = field_changes(before->root(), after->root(), {"/hooks/*/key"});

  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].after, R"([{"key":"[redacted]","url":"u"}])");
}

GenerationFile example_file() {
  GenerationFile file;
  file.generation = 7;
  file.written_at = from_unix_ms(1'700'000'000'123);
  file.audit = {12, std::string(64, 'a')};
  file.broken_audit = AuditHead{9, std::string(64, 'b')};
  for (auto& resource : change_set(stream_yaml("a") + hook_yaml("h", "a")).resources) {
    file.entries.push_back({resource, "folder", 3});
  }
  return file;
}

TEST(GenerationFile, ComesBackAsItWas) {
  auto file = example_file();

  auto read = decode_generation_file(encode(file));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 7u);
  EXPECT_EQ(read->written_at, file.written_at);
  EXPECT_EQ(read->audit, file.audit);
  EXPECT_EQ(read->broken_audit, file.broken_audit);
  ASSERT_EQ(read->entries.size(), 2u);
  EXPECT_EQ(read->entries[1].resource->hash(), file.entries[1].resource->hash());
  EXPECT_EQ(read->entries[1].managed_by, "folder");
  EXPECT_EQ(read->entries[1].generation, 3u);
}

TEST(GenerationFile, NoticesEverySingleByteThatIsChanged) {
  auto text = encode(example_file());

  for (std::size_t i = 0; i < text.size(); ++i) {
    auto damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(decode_generation_file(damaged)) << "byte " << i;
  }
}

TEST(GenerationFile, NoticesThatItsEndIsMissing) {
  auto text = encode(example_file());

  for (std::size_t size = 0; size < text.size(); size += 7) {
    EXPECT_FALSE(decode_generation_file(text.substr(0, size))) << size;
  }
}

TEST(ResourceNames, AreTopicNames) {
  for (const char* good : {"a", "orders.order.created.v1", "A_b-9", "__consumer_offsets", "9"}) {
    EXPECT_TRUE(is_resource_name(good)) << good;
  }
  for (const char* bad : {"", ".a", "-a", "a/b", "a b", "ä"}) EXPECT_FALSE(is_resource_name(bad));
  EXPECT_TRUE(is_resource_name(std::string(249, 'a')));
  EXPECT_FALSE(is_resource_name(std::string(250, 'a')));
}

TEST(PublishedSchema, HoldsTheEnvelopeAndEachKindUnderItsAddress) {
  auto schema = JsonDocument::parse(published_schema(tiny_kinds()));

  ASSERT_TRUE(schema) << schema.error().message;
  const auto& root = schema->root();
  EXPECT_EQ(root.at_pointer("/properties/kind/enum")->size(), 3u);
  EXPECT_EQ(root.at_pointer("/$defs/Stream/$id")->as_string(), "urn:weft:v1:spec:Stream");
  EXPECT_EQ(root.at_pointer("/$defs/Stream/partitions")->as_string(), "integer");
  EXPECT_EQ(root.at_pointer("/allOf/0/then/properties/spec/$ref")->as_string(),
            "urn:weft:v1:spec:Stream");
  EXPECT_EQ(root.at_pointer("/allOf/0/then/properties/metadata/required/0")->as_string(), "owner");
  EXPECT_EQ(root.at_pointer("/allOf/1/then/properties/metadata"), nullptr);
}

TEST(EstateView, SharesWhatDoesNotChange) {
  ViewBuilder first;
  for (auto& resource :
       change_set(stream_yaml("a") + stream_yaml("b") + hook_yaml("h", "a")).resources) {
    first.put({resource, "api", 1});
  }
  auto one = std::move(first).build(1);
  ViewBuilder second(one);
  second.remove({"default", "Stream", "a"});
  second.remove({"default", "Stream", "never"});

  auto two = std::move(second).build(2);

  EXPECT_EQ(one.size(), 3u);
  EXPECT_EQ(two.size(), 2u);
  EXPECT_EQ(one.find("default", "Hook", "h"), two.find("default", "Hook", "h"));
  EXPECT_NE(one.find("default", "Stream", "a"), nullptr);
  EXPECT_EQ(two.of_kind("Stream").size(), 1u);
  EXPECT_THAT(two.tenants(), ElementsAre("default"));
}

}  // namespace
}  // namespace weft::estate
