// DeliveryService: what lists and pages ask, and redrive.
#include <algorithm>

#include "delivery/core/attempt_record.h"
#include "delivery/core/webhook_request.h"
#include "delivery/edge/delivery_state.h"
#include "eventlog/events/event_view.h"
#include "runtime/log.h"
#include "runtime/on_loop.h"

namespace weft::delivery {

namespace {

using WorkerPtr = std::shared_ptr<SubscriptionWorker>;

// Letters that one log entry takes.
constexpr std::size_t kRedrivesPerEntry = 100;

struct Standing {
  bool exists = false;
  bool is_disabled = false;
  PayloadMode payload = PayloadMode::CloudEvent;
};

Task<Standing> standing_on_loop(std::shared_ptr<LoopWorker> loop, std::string tenant,
                                std::string name) {
  Standing out;
  auto worker = loop->find(tenant, name);
  if (worker) {
    out.exists = true;
    out.is_disabled = worker->status().state == SubscriptionState::Disabled;
    out.payload = worker->subscription().payload;
  }
  co_return out;
}

Task<bool> enable_on_loop(std::shared_ptr<LoopWorker> loop, std::string tenant, std::string name) {
  auto worker = loop->find(tenant, name);
  if (worker) worker->enable();
  co_return worker != nullptr;
}

Redrive redrive_of(const DeadLetter& letter, eventlog::Offset record) {
  Redrive out;
  out.delivery = letter.delivery;
  out.dead_letter = record;
  out.attempts_before = letter.delivery.attempts;
  out.since = letter.since;
  out.due = letter.since;
  return out;
}

Task<Result<std::vector<eventlog::Appended>>> append_letters(
    DeliveryContext& context, const std::vector<DeadLetter>& letters) {
  eventlog::NewRecords dead{context.streams.dead, context.parts.share.number, {}};
  for (const auto& letter : letters) dead.records.push_back(to_record(letter));
  std::vector<eventlog::NewRecords> entry;
  entry.push_back(std::move(dead));
  co_return co_await context.writer->append(std::move(entry));
}

// What was sent, built again from the event: bodies are not stored with each attempt.
Task<void> add_event(DeliveryContext& context, const IndexedDelivery& entry, PayloadMode payload,
                     DeliveryDetail& out) {
  const auto& delivery = entry.delivery;
  if (entry.dead_letter) {
    auto record = co_await read_one(context.parts.log, context.part_of(context.streams.dead),
                                    *entry.dead_letter);
    if (record && record->value) {
      auto letter = parse_dead_letter(*record);
      if (letter && !letter->event_is_lost) out.event = std::move(letter->event);
    }
  }
  auto stream = context.parts.log.find_stream(delivery.tenant, delivery.stream);
  if (!out.event && stream) {
    auto record =
        co_await read_one(context.parts.log, {stream->id, delivery.partition}, delivery.offset);
    if (record) out.event = std::move(*record);
  }
  if (!out.event) co_return;
  eventlog::EventView view(*out.event, delivery.stream, delivery.partition);
  out.request_body = webhook_body(payload, view);
  out.delivery.event_id = view.id();
  out.delivery.event_type = view.type();
}

}  // namespace

DeliveryPage DeliveryService::list(const DeliveryQuery& query) const {
  return state_->context.index.list(query);
}

Task<Result<DeliveryDetail>> DeliveryService::show(std::string tenant, std::string id) {
  auto& context = state_->context;
  auto entry = context.index.find(id);
  if (!entry || entry->delivery.tenant != tenant) {
    co_return fail(ErrorCode::NotFound, "there is no delivery {} among those that are shown", id);
  }
  auto loop = state_->loop_of(tenant, entry->delivery.subscription);
  auto standing =
      co_await on_loop(state_->executor(loop),
                       standing_on_loop(state_->loops[loop], tenant, entry->delivery.subscription));
  DeliveryDetail out;
  out.delivery = entry->delivery;
  for (auto offset : entry->attempts) {
    auto record =
        co_await read_one(context.parts.log, context.part_of(context.streams.attempts), offset);
    if (!record) continue;
    auto attempt = parse_attempt(record->value.value_or(""));
    if (attempt) out.attempts.push_back(std::move(attempt->attempt));
  }
  co_await add_event(context, *entry, standing.payload, out);
  co_return out;
}

Task<Result<>> DeliveryService::check_redrivable(std::string tenant, std::string subscription) {
  auto loop = state_->loop_of(tenant, subscription);
  auto standing = co_await on_loop(state_->executor(loop),
                                   standing_on_loop(state_->loops[loop], tenant, subscription));
  if (!standing.exists)
    co_return fail(ErrorCode::NotFound, "there is no subscription {}", subscription);
  if (standing.is_disabled) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "subscription {} is disabled because its endpoint answered 410; enable it first",
                   subscription);
  }
  co_return Result<>();
}

Task<Result<std::uint64_t>> DeliveryService::redrive_these(std::string tenant,
                                                           std::string subscription,
                                                           std::vector<std::string> ids,
                                                           std::string actor) {
  auto& context = state_->context;
  std::vector<DeadLetter> letters;
  Error last{ErrorCode::FailedPrecondition, "it is not dead"};
  for (const auto& id : ids) {
    auto record = context.index.claim_dead(id);
    if (!record) continue;
    auto letter = co_await read_dead_letter(*record);
    if (letter && letter->event_is_lost) {
      letter =
          fail(ErrorCode::FailedPrecondition, "its event left the stream before it was delivered");
    }
    if (!letter) {
      context.index.unclaim_dead(id);
      last = std::move(letter).error();
      continue;
    }
    letter->state = DeadState::Redriving;
    letter->since = context.parts.clock.now();
    letter->actor = actor;
    letters.push_back(std::move(*letter));
  }
  if (letters.empty()) co_return std::unexpected(std::move(last));

  auto appended = co_await append_letters(context, letters);
  if (!appended) {
    for (const auto& letter : letters) context.index.unclaim_dead(letter.delivery.id);
    co_return std::unexpected(std::move(appended).error());
  }
  auto offset = appended->front().first_offset;
  std::vector<Redrive> redrives;
  for (const auto& letter : letters) {
    context.index.redriving(letter.delivery.id, offset);
    redrives.push_back(redrive_of(letter, offset++));
  }
  auto loop = state_->loop_of(tenant, subscription);
  post_to(state_->executor(loop), [worker = state_->loops[loop], saved = &context.saved, tenant,
                                   subscription, all = std::move(redrives)]() mutable {
    auto target = worker->find(tenant, subscription);
    for (auto& redrive : all) {
      if (target)
        target->redrive(std::move(redrive));
      else
        saved->add_redrive(std::move(redrive));
    }
  });
  log_info("delivery", "dead letters redriven",
           {{"tenant", tenant},
            {"subscription", subscription},
            {"count", letters.size()},
            {"actor", actor}});
  co_return letters.size();
}

Task<Result<DeadLetter>> DeliveryService::read_dead_letter(eventlog::Offset offset) {
  auto& context = state_->context;
  CO_TRY(auto record,
         co_await read_one(context.parts.log, context.part_of(context.streams.dead), offset));
  co_return parse_dead_letter(record);
}

Task<Result<DeliverySummary>> DeliveryService::redrive(std::string tenant, std::string id,
                                                       std::string actor) {
  auto entry = state_->context.index.find(id);
  if (!entry || entry->delivery.tenant != tenant) {
    co_return fail(ErrorCode::NotFound, "there is no delivery {} among those that are shown", id);
  }
  auto subscription = entry->delivery.subscription;
  CO_CHECK(co_await check_redrivable(tenant, subscription));
  std::vector<std::string> ids;
  ids.push_back(id);
  auto count = co_await redrive_these(tenant, subscription, std::move(ids), std::move(actor));
  if (!count) co_return std::unexpected(std::move(count).error().within("delivery " + id));
  entry = state_->context.index.find(id);
  if (!entry) co_return fail(ErrorCode::NotFound, "delivery {} is no longer shown", id);
  co_return std::move(entry->delivery);
}

Task<Result<std::uint64_t>> DeliveryService::redrive_all(std::string tenant,
                                                         std::string subscription,
                                                         std::string actor) {
  CO_CHECK(co_await check_redrivable(tenant, subscription));
  auto ids = state_->context.index.dead_ids(tenant, subscription);
  std::uint64_t redriven = 0;
  for (std::size_t at = 0; at < ids.size(); at += kRedrivesPerEntry) {
    auto end = std::min(ids.size(), at + kRedrivesPerEntry);
    std::vector<std::string> some(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                  ids.begin() + static_cast<std::ptrdiff_t>(end));
    auto count = co_await redrive_these(tenant, subscription, std::move(some), actor);
    // Those that cannot be redriven stay dead; a log that refuses is the caller's to know.
    if (!count && count.error().code != ErrorCode::FailedPrecondition) {
      co_return std::unexpected(std::move(count).error());
    }
    redriven += count.value_or(0);
  }
  co_return redriven;
}

Task<Result<>> DeliveryService::enable(std::string tenant, std::string subscription) {
  auto loop = state_->loop_of(tenant, subscription);
  bool found = co_await on_loop(state_->executor(loop),
                                enable_on_loop(state_->loops[loop], tenant, subscription));
  if (!found) co_return fail(ErrorCode::NotFound, "there is no subscription {}", subscription);
  co_return Result<>();
}

}  // namespace weft::delivery
