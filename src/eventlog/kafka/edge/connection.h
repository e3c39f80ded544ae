// One Kafka connection: reads frames, hands them to their API's function, answers in order.
//
// Produce requests go into the log one behind another without waiting for the earlier ones' sync;
// every other request waits until all before it are answered, as clients may rely on what they did
// before. Lives on one loop.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "eventlog/kafka/edge/dispatch.h"
#include "eventlog/kafka/handlers/produce.h"
#include "runtime/suspension.h"
#include "runtime/task_group.h"

namespace weft::kafka {

class Connection {
 public:
  Connection(Broker& broker, std::unique_ptr<net::Stream> stream, Executor loop);

  // Until the peer or we end it; all of its tasks have ended then.
  Task<void> run();
  // No request is begun any more; the connection ends once those under way are answered.
  void drain();

 private:
  // A place in the order of answers.
  struct Slot {
    explicit Slot(std::unique_ptr<Call> its_call) : call(std::move(its_call)) {}
    std::unique_ptr<Call> call;
    bool is_done = false;
  };

  // A produce request that is not in the log yet.
  struct HeldProduce {
    Slot* slot;
    PreparedProduce produce;
    std::size_t bytes;
  };

  Task<Result<>> read_requests();
  Task<Result<>> serve(std::string_view frame);
  Task<Result<>> serve_unsupported(const RequestHeader& header);
  Task<Result<>> serve_raw_token(std::string_view token);
  Task<Result<>> pipeline_produce(std::unique_ptr<Call> call, Reader& body);
  // Those that came in one piece go into the log together: one sync for all of them.
  void append_held();
  Task<void> finish_produce(HeldProduce held);
  Task<void> finish(Slot& slot);
  // Writes what is ready, in order; returns at once when somebody else is at it.
  Task<void> flush();
  Task<void> wait_until_answered();
  // Waits for as long as the last request's quota says.
  Task<void> wait_out_throttle();
  // Before a request that takes from a rate: while others have used it up.
  Task<void> wait_for_rate(std::int16_t api_key);
  // Counts the connection among those of its tenant. ResourceExhausted.
  Result<> take_place();
  Task<Result<>> write(Frame frame);
  Task<Result<>> send_file(const eventlog::FileBytes& part);

  std::uint32_t request_bytes_max() const;
  Duration idle_timeout() const;
  void end(std::string_view why);

  Broker& broker_;
  std::unique_ptr<net::Stream> stream_;
  Session session_;
  FrameReader frames_;
  TaskGroup produces_;
  std::vector<HeldProduce> held_;
  std::deque<std::unique_ptr<Slot>> slots_;
  Suspension answered_;              // a slot was answered
  std::size_t bytes_under_way_ = 0;  // held, or in the log without an answer
  MonoTime authenticate_until_{};
  MonoTime muted_until_{};  // no request is read before
  eventlog::Quotas::Connection place_;
  bool is_writing_ = false;
  bool is_gathering_ = false;  // answers, to write them together
  bool is_reading_ = false;
  bool is_draining_ = false;
  bool is_closed_ = false;
};

}  // namespace weft::kafka
