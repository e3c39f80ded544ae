#include "eventlog/core/compaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/core/record_batch.h"

namespace weft::eventlog {
namespace {

using testing::ElementsAre;

using KeyValue = std::pair<std::string, std::optional<std::string>>;

std::string keyed_batch(Offset base, const std::vector<KeyValue>& records,
                        BatchOptions options = {}) {
  BatchBuilder builder(options);
  std::int64_t time = 1'000 + base;
  for (const auto& [key, value] : records) builder.add(time++, key, value);
  auto batch = builder.finish().value();
  set_base_offset(batch, base);
  return batch;
}

struct Left {
  Offset offset;
  std::string key;
  std::optional<std::string> value;
  bool operator==(const Left&) const = default;
};

std::vector<Left> records_in(std::string_view batch) {
  std::vector<Left> left;
  if (batch.empty()) return left;
  EXPECT_TRUE(verify_batch_checksum(batch));
  auto header = read_batch_header(batch).value();
  std::string scratch;
  RecordReader reader(header, batch_records(batch, scratch).value());
  RecordView record;
  while (reader.next(record).value()) {
    std::optional<std::string> value;
    if (record.value) value = *record.value;
    left.push_back({record.offset, std::string(*record.key), value});
  }
  return left;
}

class CompactionRulesTest : public ::testing::Test {
 protected:
  CompactionRulesTest() { rules_.limit = 1'000; }
  std::vector<Left> compact(const std::string& batch) {
    std::string rebuilt;
    auto left = compact_batch(batch, rules_, latest_, rebuilt);
    EXPECT_TRUE(left.has_value());
    return records_in(*left);
  }
  void note(const std::string& batch) { ASSERT_TRUE(note_keys(batch, rules_, latest_).value()); }

  CompactionRules rules_;
  LatestOffsets latest_{1 << 20};
};

class CompactionOf : public CompactionRulesTest, public testing::WithParamInterface<Codec> {
 protected:
  BatchOptions options() {
    BatchOptions with;
    with.codec = GetParam();
    return with;
  }
};

TEST_P(CompactionOf, LeavesTheLatestOfEachKeyAtItsOffset) {
  auto first = keyed_batch(10, {{"a", "1"}, {"b", "1"}, {"a", "2"}}, options());
  auto second = keyed_batch(13, {{"a", "3"}, {"c", "1"}}, options());
  note(first);
  note(second);
  EXPECT_THAT(compact(first), ElementsAre(Left{11, "b", "1"}));
  EXPECT_THAT(compact(second), ElementsAre(Left{13, "a", "3"}, Left{14, "c", "1"}));
  auto header = read_batch_header(first).value();
  std::string rebuilt;
  auto left = read_batch_header(*compact_batch(first, rules_, latest_, rebuilt)).value();
  EXPECT_EQ(left.base_offset, header.base_offset);
  EXPECT_EQ(left.last_offset_delta, header.last_offset_delta);
  EXPECT_EQ(left.record_count, 1);
  EXPECT_EQ(left.codec(), GetParam());
  EXPECT_EQ(left.max_timestamp, 1'011);
}

INSTANTIATE_TEST_SUITE_P(Codecs, CompactionOf,
                         testing::Values(Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4,
                                         Codec::Zstd));

TEST_F(CompactionRulesTest, LeavesWholeBatchesAloneAndDropsEmptyOnes) {
  auto old = keyed_batch(10, {{"a", "1"}});
  auto whole = keyed_batch(11, {{"a", "2"}, {"b", "1"}});
  note(old);
  note(whole);
  std::string rebuilt;
  EXPECT_EQ(*compact_batch(old, rules_, latest_, rebuilt), "");
  EXPECT_EQ(compact_batch(whole, rules_, latest_, rebuilt)->data(), whole.data());
}

TEST_F(CompactionRulesTest, TakesNothingFromBeyondTheLimit) {
  auto reached = keyed_batch(10, {{"a", "1"}});
  auto beyond = keyed_batch(20, {{"a", "2"}, {"a", "3"}});
  rules_.limit = 20;
  note(reached);
  note(beyond);
  EXPECT_THAT(compact(reached), ElementsAre(Left{10, "a", "1"}));
  EXPECT_EQ(compact(beyond).size(), 2U);
}

TEST_F(CompactionRulesTest, DeletionsStayUntilTheyHadTimeToBeSeen) {
  auto batch = keyed_batch(10, {{"a", std::nullopt}, {"b", std::nullopt}});
  note(batch);
  rules_.deletions_before = 11;
  EXPECT_THAT(compact(batch), ElementsAre(Left{11, "b", std::nullopt}));
}

TEST_F(CompactionRulesTest, AbortedRecordsGoAndSupersedeNothing) {
  auto kept = keyed_batch(10, {{"a", "1"}});
  BatchOptions aborted_options;
  aborted_options.producer_id = 7;
  aborted_options.producer_epoch = 0;
  aborted_options.is_transactional = true;
  auto aborted = keyed_batch(11, {{"a", "2"}}, aborted_options);
  auto marker = control_batch(ControlType::Abort, 7, 0, 5);
  set_base_offset(marker, 12);
  rules_.aborted = {{7, 11, 12}};
  for (const auto& batch : {kept, aborted, marker}) note(batch);
  EXPECT_THAT(compact(kept), ElementsAre(Left{10, "a", "1"}));
  EXPECT_TRUE(compact(aborted).empty());
  std::string rebuilt;
  EXPECT_EQ(*compact_batch(marker, rules_, latest_, rebuilt), marker);
  rules_.deletions_before = 13;
  EXPECT_EQ(*compact_batch(marker, rules_, latest_, rebuilt), "");
}

TEST(LatestOffsets, TakeNoMoreKeysThanTheyHaveRoomFor) {
  LatestOffsets latest(200);
  EXPECT_TRUE(latest.put("a", 1));
  EXPECT_TRUE(latest.put("b", 2));
  EXPECT_FALSE(latest.put("c", 3));
  EXPECT_TRUE(latest.put("a", 4));
  EXPECT_FALSE(latest.is_latest("a", 1));
  EXPECT_TRUE(latest.is_latest("c", 3));
}

TEST(CleanMarks, TellSinceWhenAllIsClean) {
  CleanMarks marks;
  marks.add({10, 100}, 0);
  marks.add({20, 200}, 0);
  marks.add({30, 300}, 0);
  EXPECT_EQ(marks.end(), 30);
  EXPECT_EQ(marks.cleaned_since(99), 0);
  EXPECT_EQ(marks.cleaned_since(100), 10);
  EXPECT_EQ(marks.cleaned_since(250), 20);
  marks.add({40, 400}, 250);
  EXPECT_THAT(marks.all(), ElementsAre(CleanMark{20, 200}, CleanMark{30, 300}, CleanMark{40, 400}));
  for (int i = 0; i < 1'000; ++i) marks.add({50 + i, 500 + i}, 250);
  EXPECT_LE(marks.all().size(), 129U);
  EXPECT_EQ(marks.end(), 1'049);
  for (std::int64_t at : {500, 777, 1'200}) EXPECT_LE(marks.cleaned_since(at), at - 450);
}

}  // namespace
}  // namespace weft::eventlog
