// One connection of a server: reads a head, calls the handler with itself as the exchange, settles
// what is left of the request, again. Lives on its loop.
//
// Memory: the input buffer holds the head, whose views the handler uses, and whatever came with it;
// later parts of a body go to a second buffer, which is there only while it is needed.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "http/core/body_decoder.h"
#include "http/core/head_parser.h"
#include "http/edge/server_context.h"
#include "http/server.h"

namespace weft::http {

// An unread body up to this size is read and dropped to keep the connection; a longer one closes
// it.
inline constexpr std::uint64_t kSkipBytesMax = 64 * 1024;

class ServerConnection final : public Exchange {
 public:
  ServerConnection(std::unique_ptr<net::Stream> stream, ServerContext& server,
                   std::size_t loop_index);
  ~ServerConnection() override;

  // Serves until the connection ends.
  Task<void> run();
  // For a server that drains: closes the connection if it waits for a request, else after this one.
  void close_when_idle();
  void close() { stream_->close(); }

  const RequestHead& head() const override { return parser_.head(); }
  net::Endpoint peer() const override { return peer_; }
  bool is_tls() const override { return stream_->is_tls(); }
  std::size_t loop_index() const override { return loop_index_; }
  std::string_view peer_address() const override { return peer_.host; }
  MonoTime received_at() const override { return received_at_; }
  std::shared_ptr<void>& connection_slot() override { return slot_; }

  Task<Result<std::string_view>> read_body(std::uint64_t bytes_max) override;
  std::optional<std::string_view> try_read_body() override;
  Task<Result<std::string_view>> read_some() override;
  Task<Result<>> respond(const Response& response) override;
  bool respond_now(int status, std::span<const Field> fields, std::string_view body) override;
  Task<Result<>> start(int status, std::span<const Field> fields) override;
  Task<Result<>> write(std::string_view piece) override;
  Task<Result<>> finish() override;
  bool response_started() const override { return response_ != ResponseState::None; }
  net::Stream& stream() override;

 private:
  enum class ResponseState : std::uint8_t { None, Started, Finished, Broken };
  class RawStream;

  // The input buffer.
  std::string_view unread() const { return {in_.data() + begin_, end_ - begin_}; }
  std::span<char> room();
  void keep_unread();

  // Reading.
  Task<Result<>> read_head_bytes();
  void begin_exchange();
  Task<void> call_handler();
  Task<bool> settle_exchange();
  Task<Result<>> fill_body();
  Task<Result<>> send_continue();
  Result<std::string_view> next_piece();
  void skip_buffered_body();
  Task<void> linger();
  Task<void> answer_read_failure(Error error);
  Task<void> refuse(int status, std::string_view reason);

  // Writing.
  void append_head(int status, std::span<const Field> fields, std::optional<std::uint64_t> length);
  bool may_keep_alive();
  Task<Result<>> send(std::span<const std::string_view> parts);
  Task<Result<>> flush();
  Failure broken(Failure failure);

  std::unique_ptr<net::Stream> stream_;
  ServerContext& server_;
  const ServerLimits& limits_;
  std::size_t loop_index_;
  net::Endpoint peer_;
  std::shared_ptr<void> slot_;

  std::vector<char> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  RequestHeadParser parser_;
  MonoTime head_started_{};
  MonoTime received_at_{};
  bool is_idle_ = false;

  BodyDecoder body_;
  std::vector<char> body_in_;
  std::string_view raw_;  // of the connection's bytes, not yet looked at; in in_ or body_in_
  std::string whole_;
  std::optional<std::string_view> whole_view_;
  std::uint64_t body_bytes_ = 0;
  MonoTime body_started_{};
  bool continue_is_due_ = false;
  bool is_body_cut_ = false;  // the peer ended its side inside it

  ResponseState response_ = ResponseState::None;
  bool keep_alive_ = true;
  bool has_no_body_ = false;
  bool is_chunked_ = false;
  std::uint64_t length_left_ = 0;
  bool length_is_known_ = false;
  std::string out_;  // not sent yet
  std::unique_ptr<RawStream> raw_stream_;
};

}  // namespace weft::http
