#include "eventlog/embedded/intact_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "eventlog/embedded/log_test_bench.h"

namespace weft::eventlog {
namespace {

constexpr Offset kNoLimit = std::numeric_limits<Offset>::max();
constexpr std::uint64_t kNoMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kBefore = 64;  // bytes in the file before the extent

// An extent of batches of 10 records each in a real file.
class StoredExtent {
 public:
  // Index points stand before the first, the third, the fifth … batch.
  StoredExtent(std::vector<Offset> bases, std::size_t value_bytes = 8)
      : path_(folder_.path() + "/segment") {
    extent.at = kBefore;
    extent.first = bases.front();
    std::string bytes(kBefore, '-');
    for (std::size_t i = 0; i < bases.size(); ++i) {
      auto batch = batch_of(std::vector<std::string>(10, std::string(value_bytes, 'x')));
      set_base_offset(batch, bases[i]);
      batch_bytes = batch.size();
      const auto at = static_cast<std::uint32_t>(i * batch_bytes);
      if (i % 2 == 0) extent.points.push_back({bases[i], at, 0});
      bytes += batch;
    }
    extent.bytes = bases.size() * batch_bytes;
    extent.end = bases.back() + 10;
    extent.intact.saw(0, extent.bytes);
    write(bytes);
  }

  std::optional<IntactRun> run(Offset from, std::uint64_t bytes_max = kNoMax,
                               Offset limit = kNoLimit) const {
    return intact_run(*file, extent, from, bytes_max, limit);
  }

  Extent extent;
  std::uint64_t batch_bytes = 0;
  std::unique_ptr<File> file;

 private:
  void write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    auto opened = run_until_done(PosixFileSystem().open(path_, OpenMode::Read));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    file = *std::move(opened);
  }

  TemporaryFolder folder_;
  const std::string path_;
};

MATCHER_P4(IsRun, stored, first, count, next, "") {
  const auto size = stored->batch_bytes;
  return arg.has_value() && arg->at == first * size && arg->bytes == count * size &&
         arg->next == next;
}

TEST(IntactRun, GoesToTheEndOrToTheLastBatchThatFits) {
  const StoredExtent stored({100, 110, 120, 130, 140});
  const auto batch = stored.batch_bytes;

  EXPECT_THAT(stored.run(100), IsRun(&stored, 0u, 5u, 150));
  EXPECT_FALSE(stored.run(100)->is_cut);
  EXPECT_THAT(stored.run(120), IsRun(&stored, 2u, 3u, 150));
  EXPECT_THAT(stored.run(100, 4 * batch), IsRun(&stored, 0u, 4u, 140));
  EXPECT_TRUE(stored.run(100, 4 * batch)->is_cut);
  EXPECT_THAT(stored.run(100, 2 * batch - 1), IsRun(&stored, 0u, 1u, 110));
  EXPECT_FALSE(stored.run(100, batch - 1)) << "no batch fits";
}

TEST(IntactRun, BeginsWithTheBatchOfTheOffset) {
  const StoredExtent stored({100, 110, 120, 150, 160});

  EXPECT_THAT(stored.run(110), IsRun(&stored, 1u, 4u, 170)) << "between two index points";
  EXPECT_THAT(stored.run(117), IsRun(&stored, 1u, 4u, 170));
  EXPECT_THAT(stored.run(130), IsRun(&stored, 3u, 2u, 170)) << "behind a hole";
  EXPECT_THAT(stored.run(165), IsRun(&stored, 4u, 1u, 170));
}

TEST(IntactRun, HoldsNoBatchAtTheLimit) {
  const StoredExtent stored({100, 110, 120, 130, 140});

  EXPECT_THAT(stored.run(100, kNoMax, 150), IsRun(&stored, 0u, 5u, 150));
  EXPECT_THAT(stored.run(100, kNoMax, 140), IsRun(&stored, 0u, 4u, 140));
  EXPECT_THAT(stored.run(100, kNoMax, 110), IsRun(&stored, 0u, 1u, 110));
  EXPECT_FALSE(stored.run(100, kNoMax, 110)->is_cut) << "there is nothing more to be had";
  EXPECT_FALSE(stored.run(140, kNoMax, 140));
}

TEST(IntactRun, EndsWhereNobodyKnows) {
  StoredExtent stored({100, 110, 120, 130, 140});
  const auto batch = stored.batch_bytes;
  stored.extent.intact.forget(0);
  EXPECT_FALSE(stored.run(100));

  stored.extent.intact.saw(batch, 4 * batch);
  EXPECT_FALSE(stored.run(100)) << "the first batch was not seen";
  stored.extent.intact.saw(0, 2 * batch + 5);
  EXPECT_THAT(stored.run(100), IsRun(&stored, 0u, 2u, 120));
  EXPECT_FALSE(stored.run(100)->is_cut) << "what is behind it is to be read";
  stored.extent.intact.saw(2 * batch, 5 * batch);
  EXPECT_THAT(stored.run(100), IsRun(&stored, 0u, 5u, 150));
  stored.extent.intact.forget(4 * batch);
  EXPECT_THAT(stored.run(100), IsRun(&stored, 0u, 4u, 140));
}

TEST(IntactRun, ReadsSomeHeadersAlone) {
  std::vector<Offset> bases;
  for (Offset base = 0; base < 1000; base += 10) bases.push_back(base);
  StoredExtent stored(bases);
  stored.extent.points.resize(1);

  EXPECT_THAT(stored.run(0), IsRun(&stored, 0u, 16u, 160));
  EXPECT_FALSE(stored.run(0)->is_cut) << "little of what there is room for";
  EXPECT_TRUE(stored.run(0, 30 * stored.batch_bytes)->is_cut);
  EXPECT_THAT(stored.run(100), IsRun(&stored, 10u, 16u, 260));
  EXPECT_FALSE(stored.run(500)) << "too far behind the only index point";
}

TEST(IntactRun, IsWarmWhereItWasJustWritten) {
  const StoredExtent stored({100, 110}, 20'000);

  EXPECT_TRUE(is_warm(*stored.file, 0, kBefore + stored.extent.bytes));
  EXPECT_FALSE(is_warm(*stored.file, 0, 10 * stored.extent.bytes)) << "behind the file's end";
}

}  // namespace
}  // namespace weft::eventlog
