#include "runtime/thread_random.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace weft {
namespace {

TEST(ThreadRandom, GivesEachThreadAnotherSequence) {
  std::array<std::string, 2> drawn;
  std::jthread other([&] { drawn[1] = ThreadRandom().bytes(16); });
  drawn[0] = ThreadRandom().bytes(16);
  other.join();

  EXPECT_NE(drawn[0], drawn[1]);
}

TEST(ThreadRandom, DoesNotRepeatItselfAndFillsEveryByte) {
  ThreadRandom random;
  std::set<std::string> seen;
  std::array<bool, 8> varies{};
  auto first = random.bytes(8);
  for (int i = 0; i < 1000; ++i) {
    auto drawn = random.bytes(8);
    for (std::size_t at = 0; at < 8; ++at) varies[at] = varies[at] || drawn[at] != first[at];
    seen.insert(drawn);
  }

  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(varies, (std::array<bool, 8>{true, true, true, true, true, true, true, true}));
}

}  // namespace
}  // namespace weft
