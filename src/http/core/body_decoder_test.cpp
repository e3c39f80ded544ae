#include "http/core/body_decoder.h"

#include <gtest/gtest.h>

#include "http/core/head_corpus.h"

namespace weft::http {
namespace {

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
};

Decoded decode(std::string_view input, std::size_t piece) {
  BodyDecoder decoder;
  decoder.start(BodyFraming::Chunked, 0);
  Decoded out;
  while (out.consumed < input.size() && !decoder.is_done() && !decoder.has_failed()) {
    auto step = decoder.step(input.substr(out.consumed, piece));
    out.consumed += step.consumed;
    out.body += step.piece;
  }
  out.done = decoder.is_done();
  out.failed = decoder.has_failed();
  return out;
}

constexpr std::string_view kChunks =
    "5\r\nhello\r\n1;name=\"v\"\r\n \r\n00A\r\nworld56789\r\n0\r\nChecksum: x\r\n\r\nGET /next";

TEST(ChunkDecoder, JoinsChunksAndStopsAtTheEndOfTheBody) {
  for (std::size_t piece = 1; piece <= kChunks.size(); ++piece) {
    auto got = decode(kChunks, piece);
    EXPECT_TRUE(got.done) << piece;
    EXPECT_EQ(got.body, "hello world56789") << piece;
    EXPECT_EQ(kChunks.substr(got.consumed), "GET /next") << piece;
  }
}

TEST(ChunkDecoder, RefusesWhatCouldBeReadInTwoWays) {
  for (const auto& c : refused_chunks()) {
    EXPECT_TRUE(decode(c.bytes, c.bytes.size()).failed) << c.what;
    EXPECT_TRUE(decode(c.bytes, 1).failed) << c.what;
  }
}

TEST(ChunkDecoder, BoundsExtensionsAndTrailers) {
  auto extension = "1;" + std::string(20'000, 'x') + "\r\na\r\n0\r\n\r\n";
  auto trailer = "0\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";

  EXPECT_TRUE(decode(extension, 4096).failed);
  EXPECT_TRUE(decode(trailer, 4096).failed);
}

TEST(ChunkDecoder, WaitsForWhatIsMissing) {
  for (std::size_t size = 0; size + 9 < kChunks.size(); ++size) {
    auto got = decode(kChunks.substr(0, size), 3);
    EXPECT_FALSE(got.done || got.failed) << size;
  }
}

TEST(BodyDecoder, CountsALengthDown) {
  BodyDecoder decoder;
  decoder.start(BodyFraming::Length, 5);

  auto first = decoder.step("abc");
  auto second = decoder.step("defg");

  EXPECT_EQ(first.piece, "abc");
  EXPECT_EQ(second.piece, "de");
  EXPECT_EQ(second.consumed, 2u);
  EXPECT_TRUE(decoder.is_done());
}

TEST(BodyDecoder, KnowsWhetherTheEndOfTheStreamEndsTheBody) {
  BodyDecoder until_close;
  until_close.start(BodyFraming::UntilClose, 0);
  BodyDecoder length;
  length.start(BodyFraming::Length, 5);
  length.step("abc");

  EXPECT_TRUE(until_close.finish_at_end_of_stream());
  EXPECT_FALSE(length.finish_at_end_of_stream());
}

}  // namespace
}  // namespace weft::http
