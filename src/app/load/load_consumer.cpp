#include "app/load/load_consumer.h"

#include "app/load/load_record.h"

namespace weft::app {
namespace {

constexpr Duration kPoll = 100ms;
constexpr std::size_t kRecordsPerPoll = 1000;

eventlog::KafkaProperties properties_of(const StreamLoadPlan& plan) {
  auto properties = plan.client;
  properties.emplace_back("auto.offset.reset", "earliest");
  properties.emplace_back("enable.partition.eof", "true");
  properties.insert(properties.end(), plan.consumer.begin(), plan.consumer.end());
  return properties;
}

}  // namespace

Result<std::unique_ptr<LoadConsumer>> LoadConsumer::join_group(const StreamLoadPlan& plan,
                                                               const std::string& group,
                                                               Clock& clock) {
  std::unique_ptr<LoadConsumer> made(new LoadConsumer(clock));
  auto properties = properties_of(plan);
  properties.emplace_back("group.id", group);
  TRY(made->client_, eventlog::KafkaConsumer::open(properties, plan.topic));
  CHECK(made->client_->subscribe());
  return made;
}

Result<std::unique_ptr<LoadConsumer>> LoadConsumer::read_all(
    const StreamLoadPlan& plan, const std::vector<std::int32_t>& partitions, Clock& clock) {
  std::unique_ptr<LoadConsumer> made(new LoadConsumer(clock));
  TRY(made->client_, eventlog::KafkaConsumer::open(properties_of(plan), plan.topic));
  std::vector<std::pair<std::int32_t, eventlog::Offset>> starts;
  for (const auto partition : partitions) starts.emplace_back(partition, eventlog::kKafkaStart);
  CHECK(made->client_->assign(starts));
  return made;
}

LoadConsumer::~LoadConsumer() {
  join();
}

void LoadConsumer::start(LoadReceipts& receipts) {
  receipts_ = &receipts;
  reading_ = std::jthread([this] { read(); });
}

void LoadConsumer::join() {
  if (reading_.joinable()) reading_.join();
}

void LoadConsumer::read() {
  std::size_t assigned = 0;
  while (!receipts_->over) {
    client_->poll(kPoll, kRecordsPerPoll, *this);
    // Asked again while nothing comes, since members of a group come and go.
    if (records_ == 0 || assigned == 0) {
      const auto now = client_->assigned().size();
      receipts_->assigned += now - assigned;
      assigned = now;
    }
  }
  client_.reset();  // leaves the group
}

void LoadConsumer::record(const eventlog::ReceivedKafkaRecord& record) {
  const auto now = clock_.mono();
  if (records_++ == 0) first_ = now;
  last_ = now;
  bytes_ += record.value.value_or(std::string_view()).size() +
            record.key.value_or(std::string_view()).size();
  const LoadTimes* times = receipts_->times;
  if (times == nullptr) return;
  const auto due = due_of(record.value.value_or(std::string_view()), times->run);
  if (!due) return;
  auto& next = next_[record.partition];
  if (record.offset < next) {
    ++outcome_.repeated;
    return;
  }
  next = record.offset + 1;
  ++receipts_->received;
  if (!times->measures(*due)) return;
  ++outcome_.received;
  outcome_.end_to_end.add(now - *due);
}

void LoadConsumer::reached_end(std::int32_t partition, eventlog::Offset) {
  last_ = clock_.mono();
  if (!std::exchange(ended_[partition], true)) ++receipts_->ended;
}

void LoadConsumer::failed(Error error) {
  ++errors_[error.message];
}

}  // namespace weft::app
