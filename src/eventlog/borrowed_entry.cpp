#include "eventlog/borrowed_entry.h"

namespace weft::eventlog {

BorrowedEntry::BorrowedEntry(const std::vector<NewRecords>& entry) {
  for (const auto& part : entry) {
    auto& borrowed = records_.emplace_back();
    borrowed.reserve(part.records.size());
    for (const auto& record : part.records) {
      const auto& headers = fields_.emplace_back(record.headers.begin(), record.headers.end());
      borrowed.push_back({record.key, record.value, headers, record.timestamp});
    }
    parts_.push_back({part.stream, part.partition, borrowed});
  }
}

}  // namespace weft::eventlog
