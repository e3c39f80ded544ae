// SubscriptionWorker: lanes and reading ahead.
#include <algorithm>

#include "delivery/core/attempt_record.h"
#include "delivery/core/delivery_id.h"
#include "delivery/edge/subscription_worker.h"
#include "eventlog/events/event_view.h"
#include "runtime/log.h"

namespace weft::delivery {

namespace {

constexpr Duration kReadWait = 2s;
constexpr Duration kFailedReadPause = 500ms;
constexpr std::uint32_t kLaneReadBytes = 512 * 1024;

}  // namespace

LanePtr SubscriptionWorker::find_lane(eventlog::PartitionId partition) const {
  auto at = std::ranges::find_if(lanes_,
                                 [&](const LanePtr& lane) { return lane->partition == partition; });
  return at == lanes_.end() ? nullptr : *at;
}

Task<bool> SubscriptionWorker::open_lanes() {
  auto& context = parts_.context;
  std::vector<eventlog::StreamInfo> streams;
  for (const auto& name : spec_->streams) {
    if (auto stream = context.parts.log.find_stream(spec_->tenant, name))
      streams.push_back(std::move(*stream));
  }
  bool is_complete = streams.size() == spec_->streams.size();
  close_lanes_of_other_streams(streams);
  std::vector<LanePtr> opened;
  for (const auto& stream : streams) {
    for (std::int32_t p = 0; p < stream.settings.partitions; ++p) {
      if (auto lane = make_lane(stream, p, !is_known_)) opened.push_back(std::move(lane));
    }
  }
  if (!opened.empty() || (!is_known_ && is_complete)) {
    // Where a subscription begins must be durable before it moves: "latest" means the same after a
    // crash.
    // By the journal, behind the records that end an earlier subscription of this name.
    std::vector<eventlog::NewRecord> records;
    for (const auto& lane : opened) records.push_back(lane->whole_cursor_record());
    records.push_back(state_record());
    auto recorded = co_await parts_.journal.record(std::move(records));
    if (retired_) {
      // Meanwhile, so that nobody ended these cursors: a later subscription of this name would go
      // on from them.
      for (const auto& lane : opened) close_lane(*lane);
      co_return true;
    }
    if (!recorded) {
      for (const auto& lane : opened) {
        context.saved.put(lane->cursor_key, *lane->whole_cursor_record().value);
      }
      co_return false;
    }
    is_known_ = true;
  }
  for (auto& lane : opened) {
    lanes_.push_back(lane);
    show_unsettled(*lane);
    parts_.readers.spawn(read_ahead(shared_from_this(), lane));
  }
  co_return is_complete;
}

LanePtr SubscriptionWorker::make_lane(const eventlog::StreamInfo& stream, std::int32_t partition,
                                      bool is_first) {
  auto& context = parts_.context;
  eventlog::PartitionId id{stream.id, partition};
  auto info = context.parts.log.partition(id);
  if (!info || find_lane(id) != nullptr) return nullptr;
  eventlog::AckLimits limits{context.parts.limits.unsettled_max};
  auto lane = std::make_shared<Lane>();
  lane->stream = stream.settings.name;
  lane->partition = id;
  lane->topic_id = stream.topic_id;
  lane->prefix = delivery_prefix(spec_->tenant, spec_->name, stream.topic_id);
  lane->cursor_key = cursor_key(spec_->tenant, spec_->name, stream.topic_id, partition);
  // A partition that is added later holds only events that are new to the subscription.
  bool from_end = is_first && spec_->from == StartFrom::Latest;
  lane->acks = eventlog::AckSet(from_end ? info->end : info->start, limits);
  auto saved = context.saved.take(lane->cursor_key);
  if (!saved.empty()) {
    if (auto cursor = decode_cursor(saved, limits)) {
      lane->acks = std::move(cursor->acks);
      lane->delivered = cursor->delivered;
    } else {
      log_error(
          "delivery", "a cursor cannot be read; its partition is delivered again",
          {{"subscription", spec_->name}, {"stream", lane->stream}, {"partition", partition}});
    }
  }
  lane->read_next = lane->acks.next();
  return lane;
}

void SubscriptionWorker::show_unsettled(const Lane& lane) {
  auto& index = parts_.context.index;
  for (const auto& item : lane.acks.list(parts_.context.parts.limits.unsettled_max)) {
    auto id = lane.id_of(item.offset);
    if (index.find(id)) continue;
    DeliverySummary delivery;
    delivery.id = std::move(id);
    delivery.tenant = spec_->tenant;
    delivery.subscription = spec_->name;
    delivery.stream = lane.stream;
    delivery.partition = lane.partition.partition;
    delivery.offset = item.offset;
    delivery.attempts = item.deliveries;
    delivery.next_attempt = item.due;
    bool was_tried = item.deliveries > 0;
    delivery.status = was_tried ? DeliveryStatus::Failing : DeliveryStatus::Pending;
    index.restored(delivery, std::nullopt, std::nullopt);
  }
}

void SubscriptionWorker::close_lane(Lane& lane) {
  lane.closed = true;
  lane.room.wake();
  for (const auto& item : lane.acks.list(parts_.context.parts.limits.unsettled_max)) {
    parts_.context.index.forget(lane.id_of(item.offset));
  }
  eventlog::NewRecord end;
  end.key = lane.cursor_key;
  parts_.journal.submit_cursor_record(std::move(end));
}

void SubscriptionWorker::close_lanes_of_other_streams(
    const std::vector<eventlog::StreamInfo>& streams) {
  std::erase_if(lanes_, [&](const LanePtr& lane) {
    bool is_ours = std::ranges::any_of(
        streams, [&](const auto& stream) { return stream.id == lane->partition.stream; });
    if (!is_ours) close_lane(*lane);
    return !is_ours;
  });
}

bool SubscriptionWorker::wants_more(const Lane& lane) const {
  return !disabled_ && !spec_->paused &&
         lane.ready.size() * 2 <= parts_.context.parts.limits.read_ahead_max;
}

Task<void> SubscriptionWorker::read_ahead(std::shared_ptr<SubscriptionWorker> self, LanePtr lane) {
  auto& log = self->parts_.context.parts.log;
  while (!lane->closed && !self->stopped_) {
    if (!self->wants_more(*lane)) {
      auto woken = co_await lane->room.wait();
      if (!woken) co_return;
      continue;
    }
    eventlog::ReadRequest request;
    request.partition = lane->partition;
    request.from = lane->read_next;
    request.bytes_max = kLaneReadBytes;
    request.records_max =
        static_cast<std::uint32_t>(self->parts_.context.parts.limits.read_ahead_max);
    request.wait = kReadWait;
    auto result = co_await log.read(request);
    if (lane->closed || self->stopped_) co_return;
    if (result) {
      self->accept(lane, std::move(*result));
    } else if (!co_await self->recover(lane, std::move(result).error())) {
      co_return;
    }
  }
}

void SubscriptionWorker::accept(const LanePtr& lane, eventlog::ReadResult result) {
  bool takes_all = spec_->filter.conditions.empty();
  for (auto& record : result.records) {
    bool is_wanted = takes_all || spec_->filter.matches(eventlog::EventView(
                                      record, lane->stream, lane->partition.partition));
    if (is_wanted) lane->ready.push_back(std::move(record));
  }
  lane->read_next = result.next;
  lane->pass_filtered();
  if (lane->is_dirty) parts_.journal.mark_dirty(lane);
  if (!lane->ready.empty()) wake();
}

bool SubscriptionWorker::is_expired(const Lane& lane, const eventlog::Record& record) const {
  const auto& parts = parts_.context.parts;
  if (!parts.ttl_of) return false;
  const auto ttl = parts.ttl_of(lane.partition.stream);
  return ttl > Duration::zero() && parts.clock.now() - record.timestamp > ttl;
}

Task<bool> SubscriptionWorker::recover(LanePtr lane, Error error) {
  if (error.code == ErrorCode::Cancelled) co_return false;
  if (error.code == ErrorCode::OutOfRange) skip_to_what_exists(*lane);
  // A stream that is gone has its lane closed when the worker looks around.
  if (error.code != ErrorCode::OutOfRange && error.code != ErrorCode::NotFound) {
    log_warn("delivery", "a stream cannot be read; trying again",
             {{"stream", lane->stream}, {"error", error.message}});
  }
  auto slept = co_await parts_.context.parts.clock.sleep_for(kFailedReadPause);
  co_return slept.has_value();
}

void SubscriptionWorker::skip_to_what_exists(Lane& lane) {
  auto info = parts_.context.parts.log.partition(lane.partition);
  if (!info) return;
  if (lane.read_next > info->end) {
    // Only a stream kept in memory comes back shorter: all that it holds now is new.
    log_warn("delivery", "a stream lost its records; its partition is read from the start",
             {{"stream", lane.stream}, {"partition", lane.partition.partition}});
    eventlog::AckLimits limits{parts_.context.parts.limits.unsettled_max};
    lane.acks = eventlog::AckSet(info->start, limits);
    lane.ready.clear();
    lane.read_next = info->start;
    return;
  }
  if (lane.read_next >= info->start) return;
  auto lost = static_cast<std::uint64_t>(info->start - lane.read_next);
  skipped_->add(lost);
  log_error("delivery", "retention removed events before they were delivered",
            {{"subscription", spec_->name}, {"stream", lane.stream}, {"records", lost}});
  lane.read_next = info->start;
  lane.pass_filtered();
}

}  // namespace weft::delivery
