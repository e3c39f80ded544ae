// Fills messages with values of every kind by their description, the same ones for the same seed:
// the input of codec tests. Requires: the maker outlives its messages, whose text it keeps.
#pragma once

#include <deque>

#include "base/uuid.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

class MessageMaker {
 public:
  MessageMaker(std::uint64_t seed, std::int16_t version)
      : state_(seed * 2 + 1), version_(version) {}

  template <class M>
  M message() {
    M m;
    M::describe(*this, m);
    return m;
  }

  template <class T>
  void field(std::string_view, T& value, Versions versions = {}) {
    if (versions.has(version_)) make(value, versions.is_nullable(version_));
  }
  template <class T>
  void tagged(std::uint32_t, std::string_view name, T& value, Versions versions = {}, T = T()) {
    field(name, value, versions);
  }

 private:
  std::uint64_t next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return state_ >> 33;
  }
  std::string_view text() {
    static constexpr std::size_t kSizes[] = {0, 1, 3, 126, 127, 128, 300};
    return kept_.emplace_back(kSizes[next() % std::size(kSizes)],
                              static_cast<char>('a' + next() % 26));
  }

  template <std::integral T>
  void make(T& value, bool) {
    value = static_cast<T>(next() % 3 == 0 ? (next() << 31) ^ next() : next() % 5);
  }
  void make(double& value, bool) { value = static_cast<double>(next()) / 8; }
  void make(Uuid& value, bool) {
    value = Uuid::v4((next() << 32) | next(), (next() << 32) | next());
  }
  void make(std::string_view& value, bool) { value = text(); }
  void make(Bytes& value, bool) { value.view = text(); }
  void make(Records& value, bool) { value.view = text(); }
  template <class T>
  void make(std::vector<T>& value, bool) {
    value.resize(next() % 4);
    for (auto& element : value) make(element, false);
  }
  template <class T>
  void make(std::optional<T>& value, bool nullable) {
    value.reset();
    if (!nullable || next() % 3 != 0) make(value.emplace(), false);
  }
  template <class M>
  requires requires(MessageMaker& io, M& m) { M::describe(io, m); }
  void make(M& value, bool) { M::describe(*this, value); }

  std::uint64_t state_;
  std::int16_t version_;
  std::deque<std::string> kept_;
};

}  // namespace weft::kafka
