// An entry of owned records as one of borrowed ones. Lives no longer than what it borrows from.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "eventlog/event_log.h"

namespace weft::eventlog {

class BorrowedEntry {
 public:
  explicit BorrowedEntry(const std::vector<NewRecords>& entry);
  BorrowedEntry(const BorrowedEntry&) = delete;
  BorrowedEntry& operator=(const BorrowedEntry&) = delete;

  std::span<const BorrowedRecords> parts() const { return parts_; }

 private:
  std::deque<std::vector<std::pair<std::string_view, std::string_view>>> fields_;
  std::deque<std::vector<BorrowedRecord>> records_;
  std::vector<BorrowedRecords> parts_;
};

}  // namespace weft::eventlog
