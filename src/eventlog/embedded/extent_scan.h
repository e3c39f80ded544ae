// Walks the batches of an extent front to back, for background work; damage is set aside.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "eventlog/embedded/log_reader.h"

namespace weft::eventlog {

class ExtentScan {
 public:
  ExtentScan(LogReader& reader, const Extent& extent, Offset from = 0)
      : reader_(reader), extent_(extent) {
    into_.next = std::max(from, extent.first);
    into_.sets_damage_aside = true;
  }

  // Reads the next batches; false at the end.
  Task<Result<bool>> more() {
    into_.fetched.batches.clear();
    into_.bytes = 0;
    auto before = into_.next;
    if (before >= extent_.end) co_return false;
    CO_CHECK(co_await reader_.read_extent(extent_, into_.next, kReadBytes, into_));
    co_return into_.next > before;
  }
  const std::vector<std::shared_ptr<const std::string>>& batches() const {
    return into_.fetched.batches;
  }

 private:
  static constexpr std::uint64_t kReadBytes = 1024 * 1024;
  LogReader& reader_;
  const Extent& extent_;
  LogReader::Batches into_;
};

}  // namespace weft::eventlog
