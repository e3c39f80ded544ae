#include "runtime/net.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/run_until_done.h"
#include "runtime/socket_network.h"
#include "runtime/task_group.h"

namespace weft {
namespace {

using Streams = std::unique_ptr<net::Stream>;

struct Pair {
  Streams caller;
  Streams listener;
};

Task<void> accept_into(net::Listener& listener, Result<Streams>& out) {
  out = co_await listener.accept();
}

Task<Result<Pair>> connected(net::Network& network) {
  net::Endpoint any{"127.0.0.1", 0};
  CO_TRY(auto listener, co_await network.listen(any));
  TaskGroup group(co_await boost::asio::this_coro::executor, "accept", 1);
  Result<Streams> accepted = fail(ErrorCode::Internal, "not yet");
  group.spawn(accept_into(*listener, accepted));
  auto caller = co_await network.connect(listener->local(), MonoTime::max());
  co_await group.join();
  if (!caller) co_return std::unexpected(std::move(caller).error());
  if (!accepted) co_return std::unexpected(std::move(accepted).error());
  Pair pair;
  pair.caller = std::move(*caller);
  pair.listener = std::move(*accepted);
  co_return pair;
}

Task<Result<std::string>> read_to_end(net::Stream& stream) {
  std::string out;
  std::array<char, 4096> buffer;
  for (;;) {
    CO_TRY(auto count, co_await stream.read_some(buffer));
    if (count == 0) co_return out;
    out.append(buffer.data(), count);
  }
}

Task<void> write_and_finish(net::Stream& stream, std::string bytes, Result<>& outcome) {
  std::array<std::string_view, 3> parts{std::string_view(bytes).substr(0, 5), std::string_view(),
                                        std::string_view(bytes).substr(5)};
  outcome = co_await stream.write(parts);
  if (outcome) outcome = co_await stream.finish_writing();
}

struct SocketWorld {
  IoContext io;
  SocketNetwork network;
  Pair pair;

  void connect() {
    auto made = run_until_done(io, connected(network));
    ASSERT_TRUE(made) << made.error().message;
    pair = std::move(*made);
  }
};

TEST(SocketStream, CarriesMoreThanItsBuffersInOrderAndEnds) {
  SocketWorld world;
  world.connect();
  std::string bytes(8 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>('a' + i % 23);
  TaskGroup group(world.io.get_executor(), "test", 1);
  Result<> written;

  group.spawn(write_and_finish(*world.pair.caller, bytes, written));
  auto got = run_until_done(world.io, read_to_end(*world.pair.listener));
  run_until_done(world.io, group.join());

  ASSERT_TRUE(written);
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got == bytes);
}

TEST(SocketStream, TryReadReportsThatNothingIsThere) {
  SocketWorld world;
  world.connect();
  std::array<char, 8> buffer;

  auto count = world.pair.caller->try_read(buffer);

  EXPECT_EQ(count.error().code, ErrorCode::Unavailable);
}

TEST(SocketStream, EndsAWaitAtItsDeadlineAndServesTheNextOne) {
  SocketWorld world;
  world.connect();
  std::array<char, 8> buffer;

  world.pair.caller->set_deadline(std::chrono::steady_clock::now());
  auto expired = run_until_done(world.io, world.pair.caller->read_some(buffer));
  world.pair.caller->set_deadline(MonoTime::max());
  std::array<std::string_view, 1> hello{"hello"};
  auto sent = world.pair.listener->try_write(hello);
  auto count = run_until_done(world.io, world.pair.caller->read_some(buffer));

  EXPECT_EQ(expired.error().code, ErrorCode::DeadlineExceeded);
  EXPECT_EQ(sent.value(), 5u);
  EXPECT_EQ(count.value(), 5u);
}

Task<void> read_once(net::Stream& stream, Result<std::size_t>& out) {
  std::array<char, 8> buffer;
  out = co_await stream.read_some(buffer);
}

TEST(SocketStream, CloseEndsPendingReads) {
  SocketWorld world;
  world.connect();
  TaskGroup group(world.io.get_executor(), "test", 1);
  Result<std::size_t> outcome = std::size_t{99};
  group.spawn(read_once(*world.pair.caller, outcome));
  world.io.poll();

  world.pair.caller->close();
  run_until_done(world.io, group.join());

  EXPECT_EQ(outcome.error().code, ErrorCode::Cancelled);
}

TEST(SocketStream, IsCancelledWithItsTask) {
  SocketWorld world;
  world.connect();
  TaskGroup group(world.io.get_executor(), "test", 1);
  Result<std::size_t> outcome = std::size_t{99};
  group.spawn(read_once(*world.pair.caller, outcome));
  world.io.poll();

  group.cancel();
  run_until_done(world.io, group.join());

  EXPECT_EQ(outcome.error().code, ErrorCode::Cancelled);
}

TEST(SocketStream, NoticesAnEndThatCameTogetherWithTheLastBytes) {
  SocketWorld world;
  world.connect();
  TaskGroup group(world.io.get_executor(), "test", 1);
  Result<std::size_t> first = std::size_t{0};
  group.spawn(read_once(*world.pair.caller, first));
  world.io.poll();  // it waits
  std::array<std::string_view, 1> bye{"bye"};
  ASSERT_TRUE(world.pair.listener->try_write(bye));
  world.pair.listener->close();
  run_until_done(world.io, group.join());

  auto rest = run_until_done(world.io, read_to_end(*world.pair.caller));

  EXPECT_EQ(first.value(), 3u);
  EXPECT_EQ(rest.value(), "");
}

Task<void> read_and_destroy(net::Stream& stream, Streams& other, bool& was_first) {
  std::array<char, 8> buffer;
  auto count = co_await stream.read_some(buffer);
  was_first = count && other != nullptr;
  other.reset();
}

TEST(SocketStream, MayBeDestroyedWhileItsEventWaitsInTheSameBatch) {
  SocketWorld world;
  world.connect();
  auto second = run_until_done(world.io, connected(world.network));
  ASSERT_TRUE(second);
  TaskGroup group(world.io.get_executor(), "test", 2);
  std::array<bool, 2> was_first{};
  group.spawn(read_and_destroy(*world.pair.caller, second->caller, was_first[0]));
  world.io.poll();
  std::array<std::string_view, 1> hello{"hello"};
  ASSERT_TRUE(world.pair.listener->try_write(hello));
  ASSERT_TRUE(second->listener->try_write(hello));

  run_until_done(world.io, group.join());

  EXPECT_TRUE(was_first[0]);
  EXPECT_EQ(second->caller, nullptr);
}

Task<void> write_all(net::Stream& stream, std::string_view bytes, Result<>& outcome) {
  std::array<std::string_view, 1> parts{bytes};
  outcome = co_await stream.write(parts);
  if (outcome) outcome = co_await stream.finish_writing();
}

Task<void> read_all(net::Stream& stream, Result<std::string>& out) {
  out = co_await read_to_end(stream);
}

TEST(SocketStream, CarriesBothDirectionsAtOnce) {
  SocketWorld world;
  world.connect();
  std::string bytes(4 * 1024 * 1024, 'x');
  TaskGroup group(world.io.get_executor(), "test", 4);
  std::array<Result<>, 2> written;
  std::array<Result<std::string>, 2> got{std::string(), std::string()};

  group.spawn(write_all(*world.pair.caller, bytes, written[0]));
  group.spawn(write_all(*world.pair.listener, bytes, written[1]));
  group.spawn(read_all(*world.pair.caller, got[0]));
  group.spawn(read_all(*world.pair.listener, got[1]));
  run_until_done(world.io, group.join());

  EXPECT_TRUE(written[0] && written[1]);
  EXPECT_TRUE(got[0].value() == bytes);
  EXPECT_TRUE(got[1].value() == bytes);
}

TEST(SocketStream, EndsAWriteAtItsDeadlineWhenThePeerDoesNotRead) {
  SocketWorld world;
  world.connect();
  std::string bytes(64 * 1024 * 1024, 'x');
  Result<> written;

  world.pair.caller->set_deadline(std::chrono::steady_clock::now());
  run_until_done(world.io, write_all(*world.pair.caller, bytes, written));

  EXPECT_EQ(written.error().code, ErrorCode::DeadlineExceeded);
}

TEST(SocketStream, ReportsAVanishedPeerAsUnavailable) {
  SocketWorld world;
  world.connect();
  // Unread bytes make the close a reset.
  std::array<std::string_view, 1> hello{"hello"};
  ASSERT_TRUE(world.pair.caller->try_write(hello));
  run_until_done(world.io, [](net::Stream& s) -> Task<void> {
    std::array<char, 1> one;
    (void)co_await s.read_some(one);
  }(*world.pair.listener));
  world.pair.listener->close();

  auto got = run_until_done(world.io, read_to_end(*world.pair.caller));

  EXPECT_EQ(got.error().code, ErrorCode::Unavailable);
}

TEST(SocketStream, SendsAPartOfAFile) {
  SocketWorld world;
  world.connect();
  int file = ::memfd_create("test", 0);
  ASSERT_EQ(::write(file, "0123456789", 10), 10);

  auto sent = run_until_done(world.io, world.pair.caller->send_file(file, 3, 4));
  auto beyond = run_until_done(world.io, world.pair.caller->send_file(file, 8, 4));
  (void)run_until_done(world.io, world.pair.caller->finish_writing());
  auto got = run_until_done(world.io, read_to_end(*world.pair.listener));
  ::close(file);

  EXPECT_TRUE(sent);
  EXPECT_EQ(beyond.error().code, ErrorCode::DataLoss);
  EXPECT_EQ(got.value(), "345689");
}

TEST(SocketNetwork, RefusesASecondListenerOnOnePort) {
  IoContext io;
  SocketNetwork network;
  auto first = run_until_done(io, network.listen(net::Endpoint{"127.0.0.1", 0}));
  ASSERT_TRUE(first);

  auto second = run_until_done(io, network.listen((*first)->local()));

  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
}

TEST(SocketNetwork, ReportsARefusedConnection) {
  IoContext io;
  SocketNetwork network;
  auto listener = run_until_done(io, network.listen(net::Endpoint{"127.0.0.1", 0}));
  auto vacated = (*listener)->local();
  listener->reset();

  auto stream = run_until_done(io, network.connect(vacated, MonoTime::max()));

  EXPECT_EQ(stream.error().code, ErrorCode::Unavailable);
}

TEST(SocketNetwork, ServesIPv4ClientsOnTheWildcardOfBothFamilies) {
  IoContext io;
  SocketNetwork network;
  auto listener = run_until_done(io, network.listen(net::Endpoint{"", 0}));
  ASSERT_TRUE(listener) << listener.error().message;
  net::Endpoint as_v4{"127.0.0.1", (*listener)->local().port};

  auto stream = run_until_done(io, network.connect(as_v4, MonoTime::max()));
  auto accepted = run_until_done(io, (*listener)->accept());

  ASSERT_TRUE(stream);
  ASSERT_TRUE(accepted);
  EXPECT_EQ((*accepted)->peer().host, "127.0.0.1");
}

TEST(SocketNetwork, ResolvesLiteralsAndLocalNames) {
  IoContext io;
  SocketNetwork network;

  auto literal = run_until_done(io, network.resolve("::1", MonoTime::max()));
  auto local = run_until_done(io, network.resolve("localhost", MonoTime::max()));

  EXPECT_EQ(literal.value(), std::vector<std::string>{"::1"});
  ASSERT_TRUE(local);
  EXPECT_FALSE(local->empty());
}

TEST(SpreadListener, GivesEachLoopItsShareAndCountsConnectionsDown) {
  Loops loops(2);
  auto listener = SpreadListener::bind(net::Endpoint{"127.0.0.1", 0}, loops);
  ASSERT_TRUE(listener);
  std::array<std::atomic<int>, 2> per_loop{};
  std::atomic<int> accepted = 0;
  std::array<std::vector<Streams>, 2> kept;
  (*listener)->start([&](Streams stream, std::size_t index) {
    EXPECT_EQ(loops.current(), index);
    per_loop[index]++;
    kept[index].push_back(std::move(stream));
    if (++accepted == 10) loops.stop();
  });
  IoContext client_io;
  SocketNetwork network;
  std::vector<Streams> callers;  // streams end before their loop
  for (int i = 0; i < 10; ++i) {
    auto caller = run_until_done(client_io, network.connect((*listener)->local(), MonoTime::max()));
    ASSERT_TRUE(caller);
    callers.push_back(std::move(*caller));
  }

  loops.run();

  EXPECT_EQ(per_loop[0], 5);
  EXPECT_EQ(per_loop[1], 5);
  kept[0].clear();
  EXPECT_EQ(loops.least_loaded(), 0u);
}

}  // namespace
}  // namespace weft
