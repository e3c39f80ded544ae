#include "runtime/loop_snapshot.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(LoopSnapshot, GivesEveryLoopTheValueStoredLast) {
  Loops loops(2);
  LoopSnapshot<int> snapshot(loops);

  snapshot.store(std::make_shared<const int>(1), loops);
  auto first = snapshot.at(0);
  snapshot.store(std::make_shared<const int>(2), loops);

  EXPECT_EQ(*first, 1);
  EXPECT_EQ(*snapshot.at(0), 2);
  EXPECT_EQ(*snapshot.at(1), 2);
  EXPECT_EQ(*snapshot.load(), 2);
}

TEST(LoopSnapshot, IsNullBeforeTheFirstStore) {
  Loops loops(1);
  LoopSnapshot<int> snapshot(loops);

  EXPECT_EQ(snapshot.at(0), nullptr);
  EXPECT_EQ(snapshot.load(), nullptr);
}

TEST(LoopSnapshot, FreesAnOldValueWithoutAReadWhenTheLoopsRun) {
  Loops loops(2);
  LoopSnapshot<int> snapshot(loops);
  auto old = std::make_shared<const int>(1);
  std::weak_ptr<const int> watched = old;
  snapshot.store(std::move(old), loops);
  (void)snapshot.at(0);
  (void)snapshot.at(1);

  snapshot.store(std::make_shared<const int>(2), loops);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops.post(i, [&loops, i] {
      if (i == 1) loops.post(0, [&loops] { loops.stop(); });
    });
  }
  loops.run();

  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace weft
