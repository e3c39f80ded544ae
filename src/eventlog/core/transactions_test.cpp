// Transactions apart from any log: what readers see, and who may write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/core/transaction_index.h"
#include "eventlog/core/transactional_producers.h"

namespace weft::eventlog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Verdict = TransactionalProducers::Verdict;

constexpr PartitionId kOne{StreamId{1}, 0};
constexpr PartitionId kTwo{StreamId{1}, 1};

TEST(TransactionIndex, EndsWhereTheFirstOpenOneBegins) {
  TransactionIndex index;
  EXPECT_EQ(index.stable_end(10), 10);
  index.apply(TransactionStep::Data, 7, 0, 10, 12);
  index.apply(TransactionStep::Data, 8, 0, 13, 13);
  index.apply(TransactionStep::Data, 7, 0, 14, 15);
  EXPECT_EQ(index.stable_end(16), 10);
  index.apply(TransactionStep::Commit, 7, 0, 16, 16);
  EXPECT_EQ(index.stable_end(17), 13);
  index.apply(TransactionStep::Abort, 8, 0, 17, 17);
  EXPECT_EQ(index.stable_end(18), 18);
  EXPECT_THAT(index.aborted(), ElementsAre(AbortedTransaction{8, 13, 17}));
}

TEST(TransactionIndex, KnowsWhichAbortedOnesOverlap) {
  TransactionIndex index;
  index.restore({}, {{7, 0, 5}, {8, 3, 9}, {7, 20, 25}});
  EXPECT_THAT(index.aborted_in(6, 10), ElementsAre(AbortedTransaction{8, 3, 9}));
  EXPECT_THAT(index.aborted_in(10, 20), IsEmpty());
  EXPECT_TRUE(is_aborted(index.aborted(), 8, 4));
  EXPECT_FALSE(is_aborted(index.aborted(), 8, 2));
  EXPECT_FALSE(is_aborted(index.aborted(), 7, 6));
  index.trim(9);
  EXPECT_THAT(index.aborted(),
              ElementsAre(AbortedTransaction{8, 3, 9}, AbortedTransaction{7, 20, 25}));
}

TEST(TransactionIndex, AMarkerWithoutDataChangesNothing) {
  TransactionIndex index;
  index.apply(TransactionStep::Abort, 7, 0, 3, 3);
  EXPECT_EQ(index, TransactionIndex());
}

BatchHeader batch(std::int64_t producer, std::int16_t epoch, bool is_transactional = true) {
  BatchHeader header;
  header.producer_id = producer;
  header.producer_epoch = epoch;
  header.base_sequence = 0;
  if (is_transactional) header.attributes = kTransactionalBit;
  return header;
}

TEST(TransactionalProducers, WriteWhereTheyEnlisted) {
  TransactionalProducers producers;
  EXPECT_EQ(producers.check(batch(7, 0), kOne), Verdict::NotInTransaction);
  producers.end(7, 2);  // as after InitProducerId
  EXPECT_EQ(producers.check(batch(7, 2), kOne), Verdict::NotInTransaction);
  const std::vector<PartitionId> one{kOne};
  EXPECT_EQ(producers.enlist(7, 1, one, 5), Verdict::StaleEpoch);
  EXPECT_EQ(producers.enlist(8, 0, one, 5), Verdict::NotInTransaction);
  EXPECT_EQ(producers.enlist(7, 2, one, 5), Verdict::Accept);
  EXPECT_EQ(producers.check(batch(7, 2), kOne), Verdict::Accept);
  EXPECT_EQ(producers.check(batch(7, 2), kTwo), Verdict::NotInTransaction);
  EXPECT_EQ(producers.check(batch(7, 1), kOne), Verdict::StaleEpoch);
  EXPECT_EQ(producers.check(batch(7, 3), kOne), Verdict::NotInTransaction);
  producers.record(batch(7, 2), kOne, 6);
  EXPECT_EQ(producers.check(batch(7, 2, false), kOne), Verdict::NotInTransaction);
  EXPECT_EQ(producers.check(batch(7, 2, false), kTwo), Verdict::Accept);
  EXPECT_EQ(producers.find(7)->since_ms, 5);

  EXPECT_EQ(producers.may_end(7, 1), Verdict::StaleEpoch);
  EXPECT_EQ(producers.may_end(7, 2), Verdict::Accept);
  producers.end(7, 3);
  EXPECT_EQ(producers.check(batch(7, 2, false), kOne), Verdict::StaleEpoch);
  EXPECT_EQ(producers.check(batch(7, 3), kOne), Verdict::NotInTransaction);
}

TEST(TransactionalProducers, GoOnAfterARestart) {
  TransactionalProducers producers;
  producers.restore(7, kOne, {2, 40}, 9);
  producers.admit(7, 2);
  producers.admit(8, 0);
  EXPECT_EQ(producers.check(batch(7, 2), kTwo), Verdict::Accept);
  EXPECT_EQ(producers.check(batch(8, 0), kTwo), Verdict::Accept);
  EXPECT_EQ(producers.check(batch(9, 0), kTwo), Verdict::NotInTransaction);
  EXPECT_EQ(producers.find(7)->written.at(kOne), 40);
  producers.end(7, 2);
  EXPECT_EQ(producers.check(batch(7, 2), kTwo), Verdict::NotInTransaction);
}

TEST(TransactionalProducers, ForgetPartitionsThatAreGone) {
  TransactionalProducers producers;
  producers.restore(7, kOne, {2, 40}, 9);
  producers.forget(kOne);
  EXPECT_THAT(producers.find(7)->written, IsEmpty());
}

}  // namespace
}  // namespace weft::eventlog
