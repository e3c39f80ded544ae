// The acknowledgement set against its contract, written as plainly as possible, under any sequence
// of calls, with a journal whose tail a crash takes away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "eventlog/ack_set.h"
#include "runtime/seeded_test.h"

namespace weft::eventlog {
namespace {

constexpr std::uint32_t kAckUnsettledMax = 60;
constexpr int kAckSteps = 300;

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(1'700'000'000 + seconds));
}
constexpr std::int64_t kAtOnce = -1'700'000'000;

struct AckModel {
  struct Item {
    OrderKey key = OrderKey::None;
    std::uint32_t deliveries = 0;
    bool in_flight = false;
    std::optional<std::int64_t> due;
  };
  std::map<Offset, Item> unsettled;
  Offset next = 0;

  Offset cursor() const { return unsettled.empty() ? next : unsettled.begin()->first; }
  bool is_held(Offset offset) const {
    auto key = unsettled.at(offset).key;
    if (key == OrderKey::None) return false;
    for (const auto& [other, item] : unsettled) {
      if (item.key == key) return other != offset;
    }
    return false;
  }
  std::optional<std::int64_t> next_due() const {
    std::optional<std::int64_t> least;
    for (const auto& [offset, item] : unsettled) {
      if (item.due && !is_held(offset) && (!least || *item.due < *least)) least = item.due;
    }
    return least;
  }
  void crash() {
    for (auto& [offset, item] : unsettled) {
      if (item.in_flight) item.due = kAtOnce;
      item.in_flight = false;
    }
  }
};

class AckSimulation {
 public:
  AckSimulation(std::uint64_t seed, bool forgets_changes)
      : chance_(seed), forgets_changes_(forgets_changes) {
    durable_pieces_.push_back(set_.journal());
    durable_model_ = model_of_pieces_ = model_;
  }

  // What was not as it must be.
  std::optional<std::string> run() {
    for (int step = 0; step < kAckSteps && complaint_.empty(); ++step) {
      one_step();
      compare();
    }
    if (complaint_.empty()) return std::nullopt;
    return complaint_;
  }

 private:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(chance_() % static_cast<std::uint64_t>(bound));
  }
  void expect(bool holds, std::string_view what) {
    if (!holds && complaint_.empty()) complaint_ = what;
  }

  Offset some_offset() {
    if (model_.unsettled.empty() || below(10) == 0) return below(model_.next + 2);
    auto item = model_.unsettled.begin();
    std::advance(item, below(static_cast<std::int64_t>(model_.unsettled.size())));
    return item->first;
  }

  void one_step() {
    switch (below(11)) {
      case 0:
      case 1:
      case 2:
        return acquire();
      case 3:
      case 4:
        return ack(some_offset());
      case 5:
        return release(some_offset());
      case 6:
      case 7:
        return take_due();
      case 8:
      case 9:
        return write_journal();
      default:
        if (below(12) == 0) return crash();
        if (below(4) == 0) pass();
    }
  }

  void acquire() {
    auto offset = model_.next + below(3);
    auto key = static_cast<OrderKey>(below(6));
    std::optional<std::int64_t> deadline;
    if (below(3) == 0) deadline = now_ + below(50);
    auto taken = set_.acquire(offset, key, deadline ? std::optional(at(*deadline)) : std::nullopt);
    expect(taken.has_value() == (model_.unsettled.size() < kAckUnsettledMax), "the limit");
    if (!taken) return;
    model_.unsettled[offset] = {key, 0, false, kAtOnce};
    model_.next = offset + 1;
    expect(taken->has_value() != model_.is_held(offset), "held back, or not");
    if (!taken->has_value()) return;
    model_.unsettled[offset] = {key, 1, true, deadline};
  }

  void ack(Offset offset) {
    bool expected = model_.unsettled.contains(offset) && !model_.is_held(offset);
    expect(set_.ack(offset) == expected, "what can be settled");
    if (expected) model_.unsettled.erase(offset);
  }

  void release(Offset offset) {
    auto due = now_ + below(100);
    auto found = model_.unsettled.find(offset);
    bool expected = found != model_.unsettled.end() && found->second.in_flight;
    expect(set_.release(offset, at(due)) == expected, "what can be released");
    if (!expected) return;
    found->second.in_flight = false;
    found->second.due = due;
  }

  void take_due() {
    now_ += below(40);
    auto due = model_.next_due();
    auto taken = set_.acquire_due(at(now_));
    expect(taken.has_value() == (due && *due <= now_), "whether something is due");
    if (!taken || !complaint_.empty()) return;
    auto found = model_.unsettled.find(taken->offset);
    expect(found != model_.unsettled.end() && !model_.is_held(taken->offset),
           "a record that is settled, or held back, was handed out");
    if (!complaint_.empty()) return;
    auto& item = found->second;
    expect(item.due == due, "the one that has been due longest");
    expect(taken->deliveries == ++item.deliveries, "the count of deliveries");
    item.in_flight = true;
    item.due.reset();
  }

  void pass() {
    auto upto = model_.next + below(5);
    set_.pass(upto);
    model_.next = upto;
  }

  // Half of the pieces are durable at once; the others with the next that is.
  void write_journal() {
    auto piece = below(8) == 0 ? set_.snapshot() : set_.journal();
    model_of_pieces_ = model_;
    bool is_lost = forgets_changes_ && !AckSet::is_snapshot(piece);  // the mutant
    if (!is_lost) pieces_.push_back(std::move(piece));
    if (below(2) == 0) sync();
  }

  void sync() {
    for (auto& piece : pieces_) {
      if (AckSet::is_snapshot(piece)) durable_pieces_.clear();
      durable_pieces_.push_back(std::move(piece));
    }
    durable_model_ = model_of_pieces_;
    pieces_.clear();
  }

  void crash() {
    pieces_.clear();
    model_of_pieces_ = durable_model_;
    auto set = AckSet::restore(durable_pieces_.front(), AckLimits{kAckUnsettledMax});
    expect(set.has_value(), "a snapshot that cannot be read");
    for (std::size_t i = 1; i < durable_pieces_.size() && set; ++i) {
      expect(set->replay(durable_pieces_[i]).has_value(), "a piece that cannot be replayed");
    }
    if (!set) return;
    set_ = std::move(*set);
    model_ = durable_model_;
    model_.crash();
  }

  void compare() {
    expect(set_.cursor() == model_.cursor(), "the cursor");
    expect(set_.next() == model_.next, "the next record");
    expect(set_.unsettled() == model_.unsettled.size(), "how many are unsettled");
    auto due = model_.next_due();
    expect(set_.next_deadline() == (due ? std::optional(at(*due)) : std::nullopt), "the next due");
    expect_same_list();
  }

  void expect_same_list() {
    auto item = model_.unsettled.begin();
    for (const auto& entry : set_.list(kAckUnsettledMax)) {
      if (item == model_.unsettled.end()) return expect(false, "too many unsettled records");
      expect(entry.offset == item->first && entry.deliveries == item->second.deliveries &&
                 (entry.state == AckSet::State::InFlight) == item->second.in_flight &&
                 (entry.state == AckSet::State::Held) == model_.is_held(item->first),
             "an unsettled record");
      ++item;
    }
  }

  std::mt19937_64 chance_;
  bool forgets_changes_;
  std::int64_t now_ = 0;
  AckSet set_{0, AckLimits{kAckUnsettledMax}};
  AckModel model_;
  std::vector<std::string> pieces_;  // appended, not synced
  AckModel model_of_pieces_;
  std::vector<std::string> durable_pieces_;  // from the last snapshot on
  AckModel durable_model_;
  std::string complaint_;
};

TEST(AckSetSimulation, KeepsItsContractForAllSeeds) {
  for_each_seed(
      2000, [](std::uint64_t seed) { EXPECT_EQ(AckSimulation(seed, false).run(), std::nullopt); });
}

TEST(AckSetMutants, ChangesThatAreNotJournalledAreFound) {
  expect_found("changes of an acknowledgement set are not journalled",
               [](std::uint64_t seed) { return AckSimulation(seed, true).run(); });
}

}  // namespace
}  // namespace weft::eventlog
