#include "http/kept_connection.h"

#include <gtest/gtest.h>

#include "runtime/net.h"

namespace weft::http {
namespace {

// What a look at the connection tells, at once.
class SilentStream final : public net::Stream {
 public:
  explicit SilentStream(Result<std::size_t> tells) : tells_(std::move(tells)) {}

  Result<std::size_t> try_read(std::span<char>) override { return tells_; }
  Task<Result<std::size_t>> read_some(std::span<char>) override { co_return tells_; }
  Task<Result<>> write(std::span<const std::string_view>) override { co_return Result<>(); }
  Result<std::size_t> try_write(std::span<const std::string_view>) override { return 0; }
  Task<Result<>> send_file(int, std::uint64_t, std::uint64_t) override { co_return Result<>(); }
  void set_deadline(MonoTime) override {}
  Task<Result<>> finish_writing() override { co_return Result<>(); }
  void close() override {}
  net::Endpoint peer() const override { return {}; }

 private:
  Result<std::size_t> tells_;
};

TEST(KeptConnection, IsAliveWhileItsPeerSaysNothing) {
  SilentStream quiet(fail(ErrorCode::Unavailable, "nothing yet"));

  EXPECT_TRUE(is_alive(quiet));
}

TEST(KeptConnection, IsOfNoUseOnceItsPeerClosedItSpokeOrFailed) {
  SilentStream closed(std::size_t{0});
  SilentStream spoke(std::size_t{1});
  SilentStream failed(fail(ErrorCode::IoError, "reset"));

  EXPECT_FALSE(is_alive(closed));
  EXPECT_FALSE(is_alive(spoke));
  EXPECT_FALSE(is_alive(failed));
}

}  // namespace
}  // namespace weft::http
