// A network whose peers follow scripts, for tests of clients: each connect takes the next one.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "http/scripted_stream.h"
#include "runtime/net.h"

namespace weft::http {

class ScriptedNetwork final : public net::Network {
 public:
  // The next connection's peer; it sends the pieces and then ends.
  std::shared_ptr<Script> expect(std::deque<std::string> sends) {
    auto script = std::make_shared<Script>();
    script->sends = std::move(sends);
    next_.push_back(Planned{script, {}});
    return script;
  }
  // The next connect fails.
  void expect_failure(ErrorCode code) { next_.push_back(Planned{nullptr, code}); }

  Task<Result<std::unique_ptr<net::Stream>>> connect(net::Endpoint resolved, MonoTime) override {
    connected.push_back(resolved.text());
    if (next_.empty()) co_return fail(ErrorCode::Unavailable, "connection refused");
    auto planned = std::move(next_.front());
    next_.pop_front();
    if (!planned.script) co_return fail(planned.failure, "as scripted");
    std::unique_ptr<net::Stream> stream = std::make_unique<ScriptedStream>(planned.script);
    co_return stream;
  }
  Task<Result<std::unique_ptr<net::Listener>>> listen(net::Endpoint) override {
    co_return fail(ErrorCode::Unsupported, "scripted");
  }
  Task<Result<std::vector<std::string>>> resolve(std::string host, MonoTime) override {
    co_return std::vector<std::string>{host};
  }

  std::vector<std::string> connected;

 private:
  struct Planned {
    std::shared_ptr<Script> script;
    ErrorCode failure{};
  };
  std::deque<Planned> next_;
};

}  // namespace weft::http
