// For tests: one request and what was answered; the connection breaks when told so.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "http/server.h"

namespace weft::http {

class TestExchange final : public Exchange {
 public:
  TestExchange(std::string method, std::string path,
               std::vector<std::pair<std::string, std::string>> fields, std::string body = "")
      : method_(std::move(method)),
        target_(std::move(path)),
        owned_(std::move(fields)),
        body_(std::move(body)) {
    for (const auto& [name, value] : owned_) fields_.push_back({name, value});
    head_.method = method_;
    head_.target = target_;
    std::string_view target = target_;
    head_.path = target.substr(0, target.find('?'));
    if (auto mark = target.find('?'); mark != std::string_view::npos)
      head_.query = target.substr(mark + 1);
    head_.fields = fields_;
  }

  const RequestHead& head() const override { return head_; }
  net::Endpoint peer() const override { return {"127.0.0.1", 1}; }
  bool is_tls() const override { return false; }
  std::size_t loop_index() const override { return 0; }
  std::string_view peer_address() const override { return "127.0.0.1"; }
  MonoTime received_at() const override { return {}; }
  std::shared_ptr<void>& connection_slot() override { return slot_; }
  Task<Result<std::string_view>> read_body(std::uint64_t bytes_max) override {
    if (body_.size() > bytes_max)
      co_return fail(ErrorCode::ResourceExhausted, "the body is too large");
    co_return std::string_view(body_);
  }
  std::optional<std::string_view> try_read_body() override { return body_; }
  Task<Result<std::string_view>> read_some() override { co_return std::string_view(); }
  Task<Result<>> respond(const Response& response) override {
    status = response.status;
    sent = response.body;
    answer_fields = response.fields;
    co_return Result<>();
  }
  bool respond_now(int code, std::span<const Field>, std::string_view body) override {
    status = code;
    sent = body;
    return true;
  }
  Task<Result<>> start(int code, std::span<const Field> fields) override {
    status = code;
    for (const auto& field : fields) answer_fields.emplace_back(field.name, field.value);
    co_return Result<>();
  }
  Task<Result<>> write(std::string_view piece) override {
    if (is_broken) co_return fail(ErrorCode::Unavailable, "the connection broke");
    sent.append(piece);
    co_return Result<>();
  }
  Task<Result<>> finish() override {
    is_finished = true;
    co_return Result<>();
  }
  bool response_started() const override { return status != 0; }
  net::Stream& stream() override { std::abort(); }

  int status = 0;
  std::string sent;
  std::vector<std::pair<std::string, std::string>> answer_fields;
  bool is_broken = false;
  bool is_finished = false;

 private:
  std::string method_;
  std::string target_;
  std::vector<std::pair<std::string, std::string>> owned_;
  std::string body_;
  std::vector<Field> fields_;
  RequestHead head_;
  std::shared_ptr<void> slot_;
};

}  // namespace weft::http
