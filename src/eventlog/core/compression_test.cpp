#include "eventlog/compression.h"

#include <gmock/gmock.h>
#include <snappy-c.h>

#include "base/bytes.h"

namespace weft::eventlog {
namespace {

constexpr Codec kAll[] = {Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd};
constexpr Codec kPacking[] = {Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd};

// Text with repetition and noise, larger than a codec's block.
std::string sample(std::size_t size) {
  std::string text;
  std::uint64_t state = 7;
  while (text.size() < size) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += "order " + std::to_string(state >> 40) + ", ";
  }
  text.resize(size);
  return text;
}

TEST(Compression, GivesBackWhatWentIn) {
  for (const auto codec : kAll) {
    for (const std::size_t size : {1UL, 31UL, 4096UL, 300'000UL}) {
      const auto plain = sample(size);
      std::string packed;
      std::string scratch;

      ASSERT_TRUE(compress(codec, plain, packed));
      const auto back = decompress(codec, packed, scratch);

      ASSERT_TRUE(back) << name(codec) << size << back.error().message;
      EXPECT_TRUE(*back == plain) << name(codec) << " " << size;  // no dump of megabytes
    }
  }
}

TEST(Compression, AppendsBehindWhatIsThere) {
  for (const auto codec : kAll) {
    std::string out = "head";
    ASSERT_TRUE(compress(codec, "plain", out));
    std::string scratch;
    EXPECT_TRUE(out.starts_with("head"));
    EXPECT_EQ(decompress(codec, std::string_view(out).substr(4), scratch).value(), "plain");
  }
}

TEST(Compression, RefusesOutputBeyondTheLimitAndAllowsExactlyTheLimit) {
  const std::string plain(1'000'000, 'a');
  for (const auto codec : kPacking) {
    std::string packed;
    ASSERT_TRUE(compress(codec, plain, packed));
    std::string scratch;

    const auto exact = decompress(codec, packed, scratch, plain.size());
    EXPECT_TRUE(exact && exact->size() == plain.size()) << name(codec);

    const auto bomb = decompress(codec, packed, scratch, plain.size() - 1);
    ASSERT_FALSE(bomb) << name(codec);
    EXPECT_EQ(bomb.error().code, ErrorCode::ResourceExhausted) << name(codec);
    EXPECT_LE(scratch.capacity(), 2 * plain.size()) << name(codec);
  }
}

TEST(Compression, RefusesEveryTruncation) {
  const auto plain = sample(5000);
  for (const auto codec : kPacking) {
    std::string packed;
    ASSERT_TRUE(compress(codec, plain, packed));
    for (std::size_t size = 0; size < packed.size(); size += 7) {
      std::string scratch;
      const auto back = decompress(codec, std::string_view(packed).substr(0, size), scratch);
      // Xerial framing has no end mark: a cut at a block's end is a shorter stream, not a damaged
      // one.
      if (back) {
        EXPECT_TRUE(codec == Codec::Snappy && *back != plain) << name(codec) << " at " << size;
      }
    }
  }
}

TEST(Compression, RefusesForeignBytes) {
  for (const auto codec : kPacking) {
    std::string scratch;
    const auto back = decompress(codec, "this is no compressed data at all, however long", scratch);
    ASSERT_FALSE(back) << name(codec);
    EXPECT_EQ(back.error().code, ErrorCode::InvalidArgument) << name(codec);
  }
}

TEST(Compression, ReadsRawSnappyAsLibrdkafkaWritesIt) {
  const auto plain = sample(2000);
  std::string raw(snappy_max_compressed_length(plain.size()), '\0');
  std::size_t size = raw.size();
  ASSERT_EQ(snappy_compress(plain.data(), plain.size(), raw.data(), &size), SNAPPY_OK);
  raw.resize(size);

  std::string scratch;
  EXPECT_EQ(decompress(Codec::Snappy, raw, scratch).value(), plain);
}

TEST(Compression, FindsASnappyLengthThatItsBytesCannotHold) {
  const auto lie = from_hex("ffffff1f00").value();  // 64 MiB out of one byte
  std::string scratch;
  EXPECT_FALSE(decompress(Codec::Snappy, lie, scratch));
  EXPECT_LT(scratch.capacity(), 4096U);
}

TEST(Compression, ReadsGzipOfSeveralMembers) {
  std::string packed;
  ASSERT_TRUE(compress(Codec::Gzip, "one ", packed));
  ASSERT_TRUE(compress(Codec::Gzip, "two", packed));
  std::string scratch;
  EXPECT_EQ(decompress(Codec::Gzip, packed, scratch).value(), "one two");
}

TEST(Compression, RefusesACodecThatDoesNotExist) {
  std::string scratch;
  EXPECT_EQ(decompress(static_cast<Codec>(5), "x", scratch).error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace weft::eventlog
