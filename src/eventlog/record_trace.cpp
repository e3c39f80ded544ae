#include "eventlog/record_trace.h"

#include <cstring>

#include "runtime/random.h"

namespace weft::eventlog {

namespace {

// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): one to one, and each bit depends on
// all.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// What chance gives elsewhere.
class Place final : public Random {
 public:
  Place(const Uuid& topic_id, std::int32_t partition, Offset offset) {
    std::memcpy(&high_, topic_id.bytes().data(), sizeof high_);
    std::memcpy(&low_, topic_id.bytes().data() + sizeof high_, sizeof low_);
    const auto within =
        mixed(mixed(static_cast<std::uint64_t>(partition)) ^ static_cast<std::uint64_t>(offset));
    high_ = mixed(high_ ^ within);
    low_ = mixed(low_ ^ mixed(within));
  }

  void fill(char* bytes, std::size_t size) override {
    for (std::size_t at = 0; at < size; at += sizeof high_) {
      std::memcpy(bytes + at, &high_, std::min(sizeof high_, size - at));
      high_ = mixed(std::exchange(low_, mixed(low_ ^ high_)));
    }
  }

 private:
  std::uint64_t high_;
  std::uint64_t low_;
};

}  // namespace

TraceContext trace_of_record(const Uuid& topic_id, std::int32_t partition, Offset offset) {
  Place place(topic_id, partition, offset);
  return TraceContext::start(place);
}

}  // namespace weft::eventlog
