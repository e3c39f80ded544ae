#include "eventlog/event_log.h"

#include <algorithm>

#include "eventlog/borrowed_entry.h"

namespace weft::eventlog {

std::optional<std::string_view> Record::header(std::string_view name) const {
  for (auto at = headers.rbegin(); at != headers.rend(); ++at) {
    if (at->first == name) return at->second;
  }
  return std::nullopt;
}

Task<Result<std::vector<Appended>>> EventLog::append_borrowed(
    std::span<const BorrowedRecords> entry) {
  std::vector<NewRecords> owned;
  owned.reserve(entry.size());
  for (const auto& part : entry) {
    auto& records = owned.emplace_back();
    records.stream = part.stream;
    records.partition = part.partition;
    for (const auto& borrowed : part.records) {
      auto& record = records.records.emplace_back();
      record.key = borrowed.key;
      record.value = borrowed.value;
      record.headers.assign(borrowed.headers.begin(), borrowed.headers.end());
      record.timestamp = borrowed.timestamp;
    }
  }
  return append(std::move(owned));
}

namespace {

class WriterOfOneProcess final : public EventWriter {
 public:
  explicit WriterOfOneProcess(EventLog& log) : log_(log) {}
  Task<Result<std::vector<Appended>>> append_borrowed(
      std::span<const BorrowedRecords> entry) override {
    return log_.append_borrowed(entry);
  }

 private:
  EventLog& log_;
};

}  // namespace

Task<Result<std::vector<Appended>>> EventWriter::append(std::vector<NewRecords> entry) {
  const BorrowedEntry borrowed(entry);
  co_return co_await append_borrowed(borrowed.parts());
}

Task<Result<std::unique_ptr<EventWriter>>> EventLog::open_writer(std::string) {
  co_return std::make_unique<WriterOfOneProcess>(*this);
}

}  // namespace weft::eventlog
