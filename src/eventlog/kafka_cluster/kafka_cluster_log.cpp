#include "eventlog/kafka_cluster/kafka_cluster_log.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "eventlog/borrowed_entry.h"
#include "eventlog/kafka_cluster/cluster_producer.h"
#include "eventlog/kafka_cluster/cluster_readers.h"
#include "eventlog/kafka_cluster/cluster_tail.h"
#include "eventlog/kafka_cluster/cluster_topics.h"
#include "eventlog/kafka_cluster/cluster_writer.h"
#include "runtime/log.h"
#include "runtime/loops.h"
#include "runtime/random.h"
#include "runtime/with_timeout.h"

namespace weft::eventlog {
namespace {

constexpr Duration kLookAtEndsEvery = 1s;
constexpr Duration kLoadEvery = 15s;
constexpr Duration kFirstRecord = 10s;  // to wait for what is known to be there
constexpr Duration kOpenAgainAfter = 1s;
constexpr Duration kMarkerWait = 5ms;
constexpr Duration kLookAgain = 100ms;  // for records that are not committed
constexpr std::size_t kRecordsAtOnce = 500;
constexpr std::size_t kQueueMax = 10'000;

// Collects what a reader gives of its one partition.
struct Collected final : KafkaReaderSink {
  explicit Collected(const ReadRequest& request) : asked(request) { result.next = request.from; }

  void record(std::uint64_t, const ReceivedKafkaRecord& record) override {
    if (record.offset < result.next) return;
    result.records.push_back(owned_record(record));
    bytes += record.key.value_or(std::string_view()).size() +
             record.value.value_or(std::string_view()).size();
    result.next = record.offset + 1;
  }
  void reached_end(std::uint64_t, Offset next) override {
    result.next = std::max(result.next, next);
  }
  void failed(std::uint64_t, Error error) override { failure = std::move(error); }

  bool is_full() const {
    return result.records.size() >= asked.records_max || bytes >= asked.bytes_max;
  }

  const ReadRequest& asked;
  ReadResult result;
  std::uint64_t bytes = 0;
  std::optional<Error> failure;
};

// A read that waits for the tail.
struct TailWait {
  explicit TailWait(Executor its_loop) : loop(std::move(its_loop)) {}
  Executor loop;
  Suspension wake;
  bool is_over = false;
};

Task<Result<>> until_over(std::shared_ptr<TailWait> waiting) {
  while (!waiting->is_over) CO_CHECK(co_await waiting->wake.wait());
  co_return Result<>();
}

}  // namespace

struct KafkaClusterLog::State {
  State(KafkaClusterOptions its_options, Clock& its_clock)
      : options(std::move(its_options)),
        clock(its_clock),
        readers(options.client, options.idle_readers_max),
        admin("cluster-admin", 4, kQueueMax),
        reads("cluster-read", options.reads_max, kQueueMax) {}
  ~State() {
    {
      std::scoped_lock lock(refresh_mutex);
      is_over = true;
    }
    over.notify_all();
  }

  Result<> open();
  void keep_fresh();
  KafkaProperties producer_properties() const;
  Result<ClusterEntryPtr> entry_of(std::span<const BorrowedRecords> entry, Executor loop,
                                   std::vector<Appended>& appended);
  Result<std::int32_t> partition_of(const BorrowedRecords& group, std::int32_t count);
  using Send = std::function<Result<>(const ClusterEntryPtr&)>;
  Task<Result<std::vector<Appended>>> append(std::span<const BorrowedRecords> entry, Send send);
  Task<Result<std::shared_ptr<ClusterWriter>>> writer_of_entries();
  Result<std::shared_ptr<ClusterProducer>> producer();
  Result<std::shared_ptr<ClusterWriter>> open_writer(std::string transactional_id);
  Result<std::shared_ptr<ClusterWriter>> own_writer();
  bool waits_for_marker(const ReadRequest& request, const ReadResult& result) const;
  Result<ReadResult> catch_up(const ReadRequest& request);
  void place(std::vector<Appended>& appended, std::span<const BorrowedRecords> entry,
             const std::vector<Offset>& offsets);
  Result<> collect(KafkaReader& client, Collected& into, Offset end);
  std::optional<ReadResult> read_tail(const ReadRequest& request);

  const KafkaClusterOptions options;
  Clock& clock;
  std::unique_ptr<ClusterTopics> topics;
  ClusterReaders readers;
  std::unique_ptr<ClusterTail> tail;
  std::atomic<unsigned> turn{0};
  std::mutex mutex;  // over the two that follow
  std::shared_ptr<ClusterProducer> single;
  std::shared_ptr<ClusterWriter> writer;
  std::mutex opening;  // of the writer, and over the two that follow
  std::optional<Error> opening_failed;
  MonoTime opening_failed_at{};
  BlockingPool admin;  // ends before what its work uses
  BlockingPool reads;
  std::mutex refresh_mutex;
  std::condition_variable over;
  bool is_over = false;
  std::jthread refreshing;
};

Result<> KafkaClusterLog::State::open() {
  TRY(topics,
      ClusterTopics::open(options.client, options.replicas, options.request_timeout, clock));
  const auto moved = [this](PartitionId id, Offset end) { topics->moved(id, end); };
  TRY(tail, ClusterTail::open(options.client, options.tail_bytes_max, clock, moved));
  refreshing = std::jthread([this] { keep_fresh(); });
  return {};
}

void KafkaClusterLog::State::keep_fresh() {
  auto load_at = clock.mono() + kLoadEvery;
  bool was_away = false;
  std::unique_lock lock(refresh_mutex);
  while (!over.wait_for(lock, kLookAtEndsEvery, [this] { return is_over; })) {
    lock.unlock();
    Result<> fresh;
    if (clock.mono() >= load_at) {
      fresh = topics->load();
      load_at = clock.mono() + kLoadEvery;
    }
    if (fresh) fresh = topics->look_at_ends();
    if (!fresh && !was_away)
      log_warn("eventlog", "the cluster does not answer", {{"why", fresh.error().message}});
    if (fresh && was_away) log_info("eventlog", "the cluster answers again");
    was_away = !fresh;
    lock.lock();
  }
}

KafkaProperties KafkaClusterLog::State::producer_properties() const {
  constexpr std::uint64_t kMessageBytesMax = 20'000'000;  // each topic has its own limit
  constexpr std::uint64_t kBatchBytes = 65'536;  // so that no batch is larger than a topic takes
  const auto timeout = std::to_string(options.append_timeout / std::chrono::milliseconds(1));
  auto properties = options.client;
  properties.emplace_back("message.timeout.ms", timeout);
  properties.emplace_back("message.max.bytes", std::to_string(kMessageBytesMax));
  properties.emplace_back("batch.size", std::to_string(kBatchBytes));
  return properties;
}

Result<std::int32_t> KafkaClusterLog::State::partition_of(const BorrowedRecords& group,
                                                          std::int32_t count) {
  if (group.partition >= count) {
    return fail(ErrorCode::InvalidArgument, "there is no partition {} of {}", group.partition,
                count);
  }
  if (group.partition >= 0) return group.partition;
  if (!group.records.empty() && group.records[0].key)
    return partition_of_key(*group.records[0].key, count);
  return static_cast<std::int32_t>(turn++ % static_cast<unsigned>(count));
}

Result<ClusterEntryPtr> KafkaClusterLog::State::entry_of(std::span<const BorrowedRecords> entry,
                                                         Executor loop,
                                                         std::vector<Appended>& appended) {
  std::vector<PlacedRecord> placed;
  const auto now = clock.now();
  for (const auto& group : entry) {
    TRY(const auto info, topics->known(group.stream));
    TRY(const auto partition, partition_of(group, info.settings.partitions));
    appended.push_back({{group.stream, partition}, 0, now});
    const auto topic = topic_name(info.settings);
    for (const auto& record : group.records) {
      const auto bytes = record.value.value_or(std::string_view()).size();
      if (bytes > info.settings.batch_bytes_max) {
        return fail(ErrorCode::InvalidArgument,
                    "a record of {} bytes is larger than the {} that {} takes", bytes,
                    info.settings.batch_bytes_max, topic);
      }
      placed.push_back({topic, partition, &record});
    }
  }
  return std::make_shared<ClusterEntry>(std::move(placed), std::move(loop));
}

Result<std::shared_ptr<ClusterProducer>> KafkaClusterLog::State::producer() {
  std::shared_ptr<ClusterProducer> ended;  // closed outside of the lock
  std::scoped_lock lock(mutex);
  if (single && !single->fatal()) return single;
  ended = std::move(single);
  auto properties = producer_properties();
  properties.emplace_back("queue.buffering.max.messages", std::to_string(options.appends_max));
  TRY(single, ClusterProducer::open(std::move(properties)));
  return single;
}

Result<std::shared_ptr<ClusterWriter>> KafkaClusterLog::State::open_writer(
    std::string transactional_id) {
  ClusterWriterOptions with;
  with.client = producer_properties();
  with.client.emplace_back("transaction.timeout.ms",
                           std::to_string(options.append_timeout / std::chrono::milliseconds(1)));
  with.transactional_id = std::move(transactional_id);
  with.append_timeout = options.append_timeout;
  with.open_timeout = options.request_timeout;
  with.queue_max = options.appends_max;
  return ClusterWriter::open(std::move(with));
}

Result<std::shared_ptr<ClusterWriter>> KafkaClusterLog::State::own_writer() {
  std::shared_ptr<ClusterWriter> ended;  // closed outside of the lock
  std::scoped_lock one(opening);
  {
    std::scoped_lock lock(mutex);
    if (writer && !writer->has_ended()) return writer;
  }
  // Those who waited for an attempt that failed share its failure.
  if (opening_failed && clock.mono() < opening_failed_at + kOpenAgainAfter)
    return std::unexpected(*opening_failed);
  SystemRandom random;
  auto opened = open_writer(fmt::format("weft-{:016x}", random.next()));
  if (!opened) {
    opening_failed = opened.error();
    opening_failed_at = clock.mono();
    return opened;
  }
  auto made = *std::move(opened);
  opening_failed.reset();
  std::scoped_lock lock(mutex);
  ended = std::exchange(writer, std::move(made));
  return writer;
}

std::optional<ReadResult> KafkaClusterLog::State::read_tail(const ReadRequest& request) {
  if (!request.committed_only) return std::nullopt;
  auto found = tail->read(request);
  // One who does not wait wants to know where the partition ends now.
  if (!found || (found->records.empty() && request.wait == Duration{})) return std::nullopt;
  // It may be behind one who caught up by himself, or the partition may be another one by now.
  if (found->records.empty() && request.from > found->end) return std::nullopt;
  ReadResult result;
  result.records = std::move(found->records);
  result.next = found->next;
  result.partition = topics->partition(request.partition).value_or(PartitionInfo());
  return result;
}

// What this process appended is there, and will be readable in a moment.
bool KafkaClusterLog::State::waits_for_marker(const ReadRequest& request,
                                              const ReadResult& result) const {
  return request.committed_only && result.partition.stable_end <= request.from &&
         request.from < std::min(topics->written(request.partition), result.partition.end);
}

Result<ReadResult> KafkaClusterLog::State::catch_up(const ReadRequest& request) {
  TRY(const auto info, topics->known(request.partition.stream));
  const auto topic = topic_name(info.settings);
  TRY(const auto stands, topics->look_at(request.partition));
  if (request.from < stands.start || request.from > stands.end) {
    return fail(ErrorCode::OutOfRange, "partition {} of {} at offset {} (it has {} to {})",
                request.partition.partition, topic, request.from, stands.start, stands.end);
  }
  Collected collected(request);
  collected.result.partition = stands;
  const auto end = request.committed_only ? stands.stable_end : stands.end;
  if (request.from >= end) return std::move(collected.result);
  TRY(auto reader,
      readers.take(topic, request.partition.partition, request.from, request.committed_only));
  CHECK(collect(*reader.client, collected, end));
  reader.position = collected.result.next;
  readers.give_back(std::move(reader), collected.result.next >= end);
  return std::move(collected.result);
}

// Until there is a record and nothing more at once, or the end as it was known is reached.
Result<> KafkaClusterLog::State::collect(KafkaReader& client, Collected& into, Offset end) {
  const auto until = clock.mono() + kFirstRecord;
  for (;;) {
    const bool has_any = !into.result.records.empty();
    if (into.is_full() || into.result.next >= end) return {};
    const auto now = clock.mono();
    if (!has_any && now >= until) {
      return fail(ErrorCode::Unavailable, "the cluster gives nothing from offset {} on, of {}",
                  into.result.next, end);
    }
    const auto room = into.asked.records_max - into.result.records.size();
    const auto wait = has_any ? Duration{} : until - now;
    const auto got = client.poll(wait, std::min<std::size_t>(room, kRecordsAtOnce), into);
    if (into.failure) return std::unexpected(*into.failure);
    if (got == 0 && has_any) return {};
  }
}

class KafkaClusterLog::Writer final : public EventWriter {
 public:
  Writer(State& state, std::shared_ptr<ClusterWriter> writer)
      : state_(state), writer_(std::move(writer)) {}
  // Closing waits for threads.
  ~Writer() override {
    static_cast<void>(state_.admin.submit([writer = std::move(writer_)] {}));
  }

  Task<Result<std::vector<Appended>>> append_borrowed(
      std::span<const BorrowedRecords> entry) override {
    return state_.append(
        entry, [writer = writer_](const ClusterEntryPtr& sent) { return writer->append(sent); });
  }

 private:
  State& state_;
  std::shared_ptr<ClusterWriter> writer_;
};

// The first offset of each group, once the records have theirs.
void KafkaClusterLog::State::place(std::vector<Appended>& appended,
                                   std::span<const BorrowedRecords> entry,
                                   const std::vector<Offset>& offsets) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < entry.size(); ++i) {
    const auto count = entry[i].records.size();
    if (count == 0) continue;
    appended[i].first_offset = offsets[first];
    topics->wrote(appended[i].partition, offsets[first + count - 1] + 1);
    first += count;
  }
}

Task<Result<std::vector<Appended>>> KafkaClusterLog::State::append(
    std::span<const BorrowedRecords> entry, Send send) {
  std::vector<Appended> appended;
  auto loop = co_await current_loop();
  CO_TRY(const auto sent, entry_of(entry, std::move(loop), appended));
  if (sent->records.empty()) co_return appended;
  CO_CHECK(send(sent));
  CO_CHECK(co_await sent->wait());
  place(appended, entry, sent->offsets);
  co_return appended;
}

Task<Result<std::shared_ptr<ClusterWriter>>> KafkaClusterLog::State::writer_of_entries() {
  {
    std::scoped_lock lock(mutex);
    if (writer && !writer->has_ended()) co_return writer;
  }
  std::function<Result<std::shared_ptr<ClusterWriter>>()> work = [this] { return own_writer(); };
  co_return co_await admin.run<std::shared_ptr<ClusterWriter>>(std::move(work));
}

KafkaClusterLog::KafkaClusterLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaClusterLog::~KafkaClusterLog() = default;

Result<std::unique_ptr<KafkaClusterLog>> KafkaClusterLog::open(KafkaClusterOptions options,
                                                               Clock& clock) {
  auto state = std::make_unique<State>(std::move(options), clock);
  CHECK(state->open());
  return std::unique_ptr<KafkaClusterLog>(new KafkaClusterLog(std::move(state)));
}

Task<Result<std::vector<Appended>>> KafkaClusterLog::append(std::vector<NewRecords> entry) {
  const BorrowedEntry borrowed(entry);
  co_return co_await append_borrowed(borrowed.parts());
}

Task<Result<std::vector<Appended>>> KafkaClusterLog::append_borrowed(
    std::span<const BorrowedRecords> entry) {
  std::size_t records = 0;
  for (const auto& group : entry) records += group.records.size();
  State::Send send;
  if (records == 1) {
    CO_TRY(auto producer, state_->producer());
    send = [producer = std::move(producer)](const ClusterEntryPtr& sent) {
      return producer->send(sent);
    };
  } else {
    CO_TRY(auto writer, co_await state_->writer_of_entries());
    send = [writer = std::move(writer)](const ClusterEntryPtr& sent) {
      return writer->append(sent);
    };
  }
  co_return co_await state_->append(entry, std::move(send));
}

Task<Result<std::unique_ptr<EventWriter>>> KafkaClusterLog::open_writer(std::string name) {
  std::function<Result<std::shared_ptr<ClusterWriter>>()> work = [state = state_.get(), name] {
    return state->open_writer("weft-" + name);
  };
  CO_TRY(auto writer, co_await state_->admin.run<std::shared_ptr<ClusterWriter>>(std::move(work)));
  co_return std::make_unique<Writer>(*state_, std::move(writer));
}

Task<Result<ReadResult>> KafkaClusterLog::read(ReadRequest request) {
  const auto asked = state_->clock.mono();
  const auto until = asked + request.wait;
  for (;;) {
    if (auto found = state_->read_tail(request)) {
      if (found->next > request.from || state_->clock.mono() >= until) co_return *std::move(found);
    } else {
      std::function<Result<ReadResult>()> work = [state = state_.get(), request] {
        return state->catch_up(request);
      };
      CO_TRY(auto result, co_await state_->reads.run<ReadResult>(std::move(work)));
      if (state_->waits_for_marker(request, result) &&
          state_->clock.mono() < asked + kFirstRecord) {
        CO_CHECK(co_await state_->clock.sleep_for(kMarkerWait));
        continue;
      }
      if (result.next > request.from || state_->clock.mono() >= until) co_return result;
    }
    if (request.committed_only) {
      const auto info = state_->topics->known(request.partition.stream);
      if (!info) {
        state_->tail->forget(request.partition);
        co_return std::unexpected(info.error());
      }
      state_->tail->follow(topic_name(info->settings), request.partition, request.from);
      CO_CHECK(co_await wait_for_tail(request.partition, request.from, until));
    } else {
      CO_CHECK(co_await state_->clock.sleep_for(kLookAgain));
    }
  }
}

Task<Result<>> KafkaClusterLog::wait_for_tail(PartitionId partition, Offset from, MonoTime until) {
  auto loop = co_await current_loop();
  auto waiting = std::make_shared<TailWait>(std::move(loop));
  const auto number = state_->tail->wait(partition, from, [waiting] {
    post_to(waiting->loop, [waiting] {
      waiting->is_over = true;
      waiting->wake.wake();
    });
  });
  const auto left = until - state_->clock.mono();
  auto over = co_await with_timeout(state_->clock, left, until_over(waiting));
  state_->tail->end_wait(partition, number);
  if (!over && over.error().code != ErrorCode::DeadlineExceeded) co_return over;
  co_return Result<>();
}

Task<Result<Offset>> KafkaClusterLog::offset_at(PartitionId partition, WallTime time) {
  std::function<Result<Offset>()> work = [state = state_.get(), partition,
                                          time]() -> Result<Offset> {
    TRY(const auto found, state->topics->offset_at(partition, time));
    if (found) return *found;
    TRY(const auto stands, state->topics->look_at(partition));
    return stands.end;
  };
  co_return co_await state_->reads.run<Offset>(std::move(work));
}

std::optional<StreamInfo> KafkaClusterLog::find_stream(std::string_view tenant,
                                                       std::string_view name) const {
  return state_->topics->find(fmt::format("{}.{}", tenant, name));
}

std::optional<StreamInfo> KafkaClusterLog::stream(StreamId id) const {
  return state_->topics->find(id);
}

std::vector<StreamInfo> KafkaClusterLog::streams() const {
  return state_->topics->all();
}

std::optional<PartitionInfo> KafkaClusterLog::partition(PartitionId id) const {
  return state_->topics->partition(id);
}

Task<Result<StreamInfo>> KafkaClusterLog::create_stream(StreamSettings settings) {
  if (settings.durability == Durability::Memory)
    co_return fail(ErrorCode::Unsupported, "a cluster has no streams in memory");
  std::function<Result<StreamInfo>()> work = [state = state_.get(), settings] {
    return state->topics->create(settings);
  };
  co_return co_await state_->admin.run<StreamInfo>(std::move(work));
}

Task<Result<StreamInfo>> KafkaClusterLog::alter_stream(StreamId id, StreamSettings settings) {
  std::function<Result<StreamInfo>()> work = [state = state_.get(), id, settings] {
    return state->topics->alter(id, settings);
  };
  co_return co_await state_->admin.run<StreamInfo>(std::move(work));
}

Task<Result<>> KafkaClusterLog::retire_stream(StreamId, std::optional<WallTime>) {
  co_return fail(ErrorCode::Unsupported, "a topic of a cluster cannot say that it is retired");
}

Task<Result<>> KafkaClusterLog::delete_stream(StreamId id) {
  const auto info = state_->topics->find(id);
  std::function<Result<bool>()> work = [state = state_.get(), id]() -> Result<bool> {
    CHECK(state->topics->remove(id));
    return true;
  };
  CO_CHECK(co_await state_->admin.run<bool>(std::move(work)));
  for (std::int32_t i = 0; info && i < info->settings.partitions; ++i)
    state_->tail->forget({id, i});
  co_return Result<>();
}

}  // namespace weft::eventlog
