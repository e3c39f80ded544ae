#include "eventlog/dedupe.h"

#include <gtest/gtest.h>

#include "runtime/world.h"

namespace weft::eventlog {
namespace {

using Outcome = DedupeIndex::Outcome;

class DedupeTest : public testing::Test {
 protected:
  DedupeTest() {
    auto declared = std::make_shared<StreamDeclaration>();
    declared->dedupe = 10min;
    stream.declared = std::move(declared);
    stream.info.id = StreamId{7};
  }
  Outcome claim(std::string_view id, DedupeIndex::Claims& claims) {
    return index.claim(stream, "/shop", id, claims);
  }
  void store(std::string_view id) {
    DedupeIndex::Claims claims;
    ASSERT_EQ(claim(id, claims), Outcome::Mine);
    claims.settle();
  }

  World world{1};
  Metrics metrics;
  Stream stream;
  DedupeIndex index{world.clock, metrics, 3};
};

TEST_F(DedupeTest, TheSecondWithinTheWindowIsADuplicate) {
  store("1");
  world.run_for(9min);
  DedupeIndex::Claims claims;
  EXPECT_EQ(claim("1", claims), Outcome::Duplicate);
  EXPECT_EQ(claim("2", claims), Outcome::Mine);
  EXPECT_EQ(metrics.counter("weft_eventlog_duplicate_events_total", "").value(), 1U);
}

TEST_F(DedupeTest, AfterTheWindowItIsNew) {
  store("1");
  world.run_for(11min);
  store("1");
}

TEST_F(DedupeTest, SourceAndStreamBelongToTheIdentity) {
  store("1");
  DedupeIndex::Claims claims;
  EXPECT_EQ(index.claim(stream, "/crm", "1", claims), Outcome::Mine);
  auto other = stream;
  other.info.id = StreamId{8};
  EXPECT_EQ(index.claim(other, "/shop", "1", claims), Outcome::Mine);
  // Not by gluing their texts together.
  EXPECT_EQ(index.claim(stream, "/sho", "p1", claims), Outcome::Mine);
}

TEST_F(DedupeTest, WhileAnotherStoresItNobodyKnows) {
  DedupeIndex::Claims first;
  EXPECT_EQ(claim("1", first), Outcome::Mine);
  {
    DedupeIndex::Claims second;
    EXPECT_EQ(claim("1", second), Outcome::UnderWay);
  }
  first = {};
  DedupeIndex::Claims third;
  EXPECT_EQ(claim("1", third), Outcome::Mine);
}

TEST_F(DedupeTest, TwiceInOneAppendIsADuplicate) {
  DedupeIndex::Claims claims;
  EXPECT_EQ(claim("1", claims), Outcome::Mine);
  EXPECT_EQ(claim("1", claims), Outcome::Duplicate);
}

TEST_F(DedupeTest, BeyondTheLimitTheOldestIsForgottenAndCounted) {
  for (const char* id : {"1", "2", "3", "4"}) store(id);
  EXPECT_EQ(metrics.counter("weft_eventlog_dedupe_forgotten_total", "").value(), 1U);
  DedupeIndex::Claims claims;
  EXPECT_EQ(claim("4", claims), Outcome::Duplicate);
  EXPECT_EQ(claim("1", claims), Outcome::Mine);
}

}  // namespace
}  // namespace weft::eventlog
