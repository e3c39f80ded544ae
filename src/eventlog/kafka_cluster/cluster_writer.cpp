#include "eventlog/kafka_cluster/cluster_writer.h"

#include <algorithm>

namespace weft::eventlog {
namespace {

constexpr std::size_t kRecordsPerTransaction = 10'000;

// Where the outcome of one record goes.
struct RecordPlace {
  ClusterEntry* entry = nullptr;
  std::optional<Error>* refused = nullptr;
  std::size_t index = 0;
};

void on_record_outcome(const KafkaOutcome& outcome) {
  const std::unique_ptr<RecordPlace> place(
      reinterpret_cast<RecordPlace*>(static_cast<std::uintptr_t>(outcome.tag)));
  place->entry->offsets[place->index] = outcome.offset;
  if (outcome.error != nullptr && !*place->refused) *place->refused = *outcome.error;
}

// The record itself is wrong; whatever else is in its transaction may be stored without it.
bool is_own_fault(const Error& error) {
  return error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::NotFound ||
         error.code == ErrorCode::PermissionDenied;
}

}  // namespace

Result<std::unique_ptr<ClusterWriter>> ClusterWriter::open(ClusterWriterOptions options) {
  std::unique_ptr<ClusterWriter> made(new ClusterWriter(std::move(options)));
  const auto& with = made->options_;
  auto properties = with.client;
  properties.emplace_back("transactional.id", with.transactional_id);
  properties.emplace_back("linger.ms", "0");
  TRY(made->client_, KafkaProducer::open(properties, on_record_outcome));
  CHECK(made->client_->init_transactions(with.open_timeout));
  made->thread_ = std::jthread([at = made.get()] { at->run(); });
  return made;
}

ClusterWriter::~ClusterWriter() {
  {
    std::scoped_lock lock(mutex_);
    is_over_ = true;
  }
  arrived_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<> ClusterWriter::append(ClusterEntryPtr entry) {
  {
    std::scoped_lock lock(mutex_);
    if (ended_) return std::unexpected(*ended_);
    if (waiting_.size() >= options_.queue_max)
      return fail(ErrorCode::ResourceExhausted, "{} entries wait for the cluster already",
                  waiting_.size());
    waiting_.push_back(std::move(entry));
  }
  arrived_.notify_one();
  return {};
}

bool ClusterWriter::has_ended() const {
  std::scoped_lock lock(mutex_);
  return ended_.has_value();
}

void ClusterWriter::run() {
  for (;;) {
    auto batch = take();
    if (batch.empty()) break;
    carry_out(std::move(batch));
  }
  end({ErrorCode::Cancelled, "the log is being closed"});
}

// Empty when it is over.
ClusterWriter::Batch ClusterWriter::take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
  Batch batch;
  if (is_over_) return batch;
  std::size_t records = 0;
  while (!waiting_.empty() && records < kRecordsPerTransaction) {
    records += waiting_.front()->records.size();
    batch.push_back({std::move(waiting_.front()), std::nullopt});
    waiting_.pop_front();
  }
  return batch;
}

// In one transaction; again without those that are at fault, when there are some.
void ClusterWriter::carry_out(Batch batch) {
  while (!batch.empty()) {
    auto done = client_->begin_transaction();
    for (auto& sent : batch) {
      if (!done) break;
      done = send(sent);
    }
    if (done) done = commit();
    if (done) {
      for (auto& sent : batch) sent.entry->complete({});
      return;
    }
    const auto why = std::move(done).error();
    if (const auto fatal = client_->fatal()) {
      fail_all(batch, {fatal->code, fatal->message + "; whether it is stored is not known"});
      return end({ErrorCode::Conflict, fatal->message});
    }
    if (auto aborted = abort(); !aborted) {
      fail_all(batch,
               {ErrorCode::Unavailable, fmt::format("{}; whether it is stored is not known ({})",
                                                    why.message, aborted.error().message)});
      return end({ErrorCode::Conflict, aborted.error().message});
    }
    const auto faulty = std::ranges::stable_partition(
        batch, [](const Sent& sent) { return !sent.refused || !is_own_fault(*sent.refused); });
    if (faulty.empty()) return fail_all(batch, why);
    for (auto& sent : faulty) sent.entry->complete(std::unexpected(*sent.refused));
    batch.erase(faulty.begin(), faulty.end());
    for (auto& sent : batch) sent.refused.reset();
  }
}

Result<> ClusterWriter::send(Sent& sent) {
  auto& entry = *sent.entry;
  for (std::size_t i = 0; i < entry.records.size(); ++i) {
    const auto& placed = entry.records[i];
    TRY(auto* topic, client_->topic(placed.topic));
    auto place = std::make_unique<RecordPlace>(&entry, &sent.refused, i);
    const auto tag = reinterpret_cast<std::uintptr_t>(place.get());
    auto taken = client_->send(*topic, kafka_record(placed, tag));
    while (!taken && taken.error().code == ErrorCode::ResourceExhausted) {
      client_->serve(10ms);  // the client's own queue is full
      taken = client_->send(*topic, kafka_record(placed, tag));
    }
    if (!taken) {
      sent.refused = taken.error();
      return taken;
    }
    static_cast<void>(place.release());
  }
  return {};
}

// The library hands out the outcomes of all records meanwhile, on this thread.
Result<> ClusterWriter::commit() {
  auto done = client_->commit_transaction(options_.append_timeout);
  // A commit that is asked again goes on with the first.
  if (!done && done.error().code == ErrorCode::DeadlineExceeded && !client_->fatal())
    done = client_->commit_transaction(options_.append_timeout);
  return done;
}

Result<> ClusterWriter::abort() {
  auto done = client_->abort_transaction(options_.append_timeout);
  if (!done && done.error().code == ErrorCode::DeadlineExceeded && !client_->fatal())
    done = client_->abort_transaction(options_.append_timeout);
  return done;
}

void ClusterWriter::fail_all(Batch& batch, const Error& why) {
  for (auto& sent : batch)
    sent.entry->complete(std::unexpected(sent.refused ? *sent.refused : why));
}

void ClusterWriter::end(const Error& why) {
  std::deque<ClusterEntryPtr> left;
  {
    std::scoped_lock lock(mutex_);
    if (!ended_) ended_ = why;
    left.swap(waiting_);
  }
  for (const auto& entry : left) entry->complete(std::unexpected(why));
}

}  // namespace weft::eventlog
