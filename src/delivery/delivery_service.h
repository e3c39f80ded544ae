// Webhook delivery: pushes the events of streams to the endpoints of subscriptions, at least once,
// and keeps a record of every attempt. See README.md for the invariants and docs/delivery.md for
// users.
//
//   DeliveryService delivery(parts);
//   co_await delivery.start();               // after the log is open; makes its streams, restores
//   its state … delivery is one of the estate's compilers: publish() starts, changes and ends
//   subscriptions … group.spawn(delivery.run(i));            // one on each loop of parts.loops,
//   until stop() delivery.stop();                         // attempts under way get `drain` to end
//
// Threads: publish() on the estate's thread; all else from any loop, results on the caller's loop.
// Failure: what could not be recorded is delivered again after a restart, with the same webhook-id.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "delivery/deliveries.h"
#include "delivery/subscription.h"
#include "estate/compiler.h"
#include "estate/secret_source.h"
#include "eventlog/event_log.h"
#include "http/client.h"
#include "runtime/clock.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "runtime/spans.h"
#include "runtime/task.h"

namespace weft::delivery {

struct DeadLetter;
class DeliveryIndex;

// How requests leave: http::Client in the process, a simulated endpoint in tests. Any loop.
class Sender {
 public:
  virtual ~Sender() = default;
  // As http::Client::send.
  virtual Task<Result<http::ClientResponse>> send(http::ClientRequest request) = 0;
};

class ClientSender final : public Sender {
 public:
  explicit ClientSender(http::Client& client) : client_(client) {}
  Task<Result<http::ClientResponse>> send(http::ClientRequest request) override;

 private:
  http::Client& client_;
};

struct DeliveryLimits {
  // Per subscription and partition: tried without success, or held back for their order. Then it
  // reads no further.
  std::uint32_t unsettled_max = 1024;
  std::size_t dead_letters_max = 10'000;    // per subscription; then it pauses, and nothing is lost
  std::size_t outcomes_max = 4'096;         // per loop, waiting for the log; then no attempt begins
  std::size_t read_ahead_max = 256;         // records per subscription and partition
  std::size_t delivered_shown_max = 5'000;  // latest deliveries that lists show, of the node
  std::size_t attempts_max = 20'000;        // under way per loop
  Duration drain = 5s;                      // for attempts under way at stop()
  std::uint64_t attempts_bytes_max = 1024ull * 1024 * 1024;  // of the stream of attempts
  Duration attempts_retention = std::chrono::hours(24 * 7);
};

// A deliberate defect, which the simulation must find. Never set outside of tests.
enum class DeliveryMutant : std::uint8_t {
  None,
  CursorBeforeAttempt,  // what is in flight counts as settled in the recorded cursor
};

// Which of the subscriptions a service carries out, where several processes share them: those whose
// hash falls into its share. Its records are in the partition of that number of the internal
// streams, which have one for each share.
struct Share {
  std::int32_t number = 0;
  std::int32_t count = 1;

  bool has(std::string_view tenant, std::string_view subscription) const;
};
std::int32_t share_of(std::string_view tenant, std::string_view subscription, std::int32_t count);

// All of them outlive the service; `loops` stop after run() has returned on each.
struct DeliveryParts {
  eventlog::EventLog& log;
  Sender& sender;
  const estate::SecretSource& secrets;
  Clock& clock;
  Random& random;
  Metrics& metrics;
  SpanSink* spans = nullptr;
  std::vector<Executor> loops;
  DeliveryLimits limits = {};
  DeliveryMutant mutant = DeliveryMutant::None;
  // How old an event of a stream may be to be delivered; zero, and null: no limit. Any loop.
  std::function<Duration(eventlog::StreamId)> ttl_of = {};
  Share share = {};
  DeliveryIndex* index = nullptr;  // of several shares; null: the service has its own
};

class DeliveryService final : public Deliveries, public estate::Compiler {
 public:
  explicit DeliveryService(DeliveryParts parts);
  ~DeliveryService() override;

  // Whoever carried out the share before is fenced: nothing that it does is recorded any more.
  Task<Result<>> start();
  // Until stop(), or until another process has started the share.
  Task<void> run(std::size_t loop);
  void stop();

  // The estate's port.
  std::string_view name() const override { return "delivery"; }
  std::vector<std::string> kinds() const override { return {"Subscription"}; }
  std::uint64_t compilations() const override;
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;
  // What publish() does: these subscriptions and no others, as far as they are of the share.
  void set_subscriptions(std::vector<SubscriptionRef> subscriptions);

  Task<std::vector<SubscriptionStatus>> subscriptions(std::string tenant) override;
  Task<Result<SubscriptionStatus>> subscription(std::string tenant, std::string name) override;
  DeliveryPage list(const DeliveryQuery& query) const override;
  Task<Result<DeliveryDetail>> show(std::string tenant, std::string id) override;
  Task<Result<DeliverySummary>> redrive(std::string tenant, std::string id,
                                        std::string actor) override;
  Task<Result<std::uint64_t>> redrive_all(std::string tenant, std::string subscription,
                                          std::string actor) override;
  Task<Result<>> enable(std::string tenant, std::string subscription) override;

 private:
  struct State;

  Task<Result<>> check_redrivable(std::string tenant, std::string subscription);
  Task<Result<std::uint64_t>> redrive_these(std::string tenant, std::string subscription,
                                            std::vector<std::string> ids, std::string actor);
  Task<Result<DeadLetter>> read_dead_letter(eventlog::Offset offset);

  std::unique_ptr<State> state_;
};

}  // namespace weft::delivery
