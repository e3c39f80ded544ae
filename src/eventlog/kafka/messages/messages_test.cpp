#include <gmock/gmock.h>

#include <set>

#include "eventlog/kafka/messages/all.h"
#include "eventlog/kafka/protocol/headers.h"
#include "eventlog/kafka/protocol/message_maker.h"

namespace weft::kafka {
namespace {

constexpr std::uint64_t kSeeds = 12;

template <class M>
std::string bytes_of(const M& message, std::int16_t version, bool flexible) {
  Frame frame;
  Writer(frame, version, flexible).message(message);
  return frame.flat();
}

// Calls check(message type's value, version, flexible, name) for every message, version and seed.
template <class M, class Check>
void for_each_case(const ApiId& api, Check&& check) {
  for (auto version = api.first; version <= api.last; ++version) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      MessageMaker maker(seed, version);
      SCOPED_TRACE(fmt::format("{} v{} seed {}", api.name, version, seed));
      check(maker.message<M>(), version, api.is_flexible(version));
    }
  }
}

TEST(Messages, EveryApiAndVersionReadsBackWhatItWrites) {
  const auto check = []<class M>(const M& message, std::int16_t version, bool flexible) {
    const auto bytes = bytes_of(message, version, flexible);
    Reader reader(bytes, version, flexible);
    const auto back = reader.message<M>();
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(reader.remaining(), 0U);
    EXPECT_TRUE(bytes_of(*back, version, flexible) == bytes);
  };
  for_each_api([&]<class Request, class Response>() {
    for_each_case<Request>(Request::kApi, check);
    for_each_case<Response>(Request::kApi, check);
  });
}

TEST(Messages, NoTruncatedMessageIsAccepted) {
  const auto check = []<class M>(const M& message, std::int16_t version, bool flexible) {
    const auto bytes = bytes_of(message, version, flexible);
    for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 16) {
      Reader reader(std::string_view(bytes).substr(0, size), version, flexible);
      EXPECT_FALSE(reader.message<M>()) << size << " of " << bytes.size();
    }
  };
  for_each_api([&]<class Request, class Response>() {
    for_each_case<Request>(Request::kApi, check);
    for_each_case<Response>(Request::kApi, check);
  });
}

// What the fuzzer does, with a corpus made of every message and a fixed seed: under a sanitizer, a
// read beyond the frame is found since each frame has memory of its own.
TEST(Messages, DamagedMessagesAreReadWithinTheirBytesOrRefused) {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  const auto check = [&]<class M>(const M& message, std::int16_t version, bool flexible) {
    const auto bytes = bytes_of(message, version, flexible);
    std::uint64_t chance = bytes.size() + static_cast<std::uint64_t>(version);
    for (int round = 0; round < 20 && !bytes.empty(); ++round) {
      std::vector<char> damaged(bytes.begin(), bytes.end());
      for (int hit = 0; hit <= round % 3; ++hit) {
        chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
        damaged[(chance >> 20) % damaged.size()] = static_cast<char>(chance >> 50);
      }
      Reader reader({damaged.data(), damaged.size()}, version, flexible);
      const auto back = reader.template message<M>();
      back ? ++accepted : ++refused;
      if (!back) continue;
      const auto again = bytes_of(*back, version, flexible);
      Reader second(again, version, flexible);
      EXPECT_TRUE(second.template message<M>().has_value());
    }
  };
  for_each_api([&]<class Request, class Response>() {
    for_each_case<Request>(Request::kApi, check);
    for_each_case<Response>(Request::kApi, check);
  });
  EXPECT_GT(accepted, 1000U);
  EXPECT_GT(refused, 1000U);
}

TEST(Messages, UnknownTaggedFieldsAreSkipped) {
  ApiVersionsRequest request;
  request.client_software_name = "rdkafka";
  request.client_software_version = "2.0.2";
  auto bytes = bytes_of(request, 3, true);
  ASSERT_EQ(bytes.back(), '\0');
  bytes.back() = '\2';  // two tagged fields
  bytes += std::string(
      "\x05\x03"
      "abc",
      5);                                   // tag 5, three bytes
  bytes += std::string("\xff\x7f\x00", 3);  // tag 16383, empty

  Reader reader(bytes, 3, true);
  const auto back = reader.message<ApiVersionsRequest>();

  ASSERT_TRUE(back);
  EXPECT_EQ(back->client_software_version, "2.0.2");
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(Messages, NullIsRefusedWhereTheVersionKnowsNone) {
  // JoinGroup's group id is never null; in v6 a null string is the single byte 0.
  const std::string bytes("\x00", 1);
  Reader reader(bytes, 6, true);
  const auto request = reader.message<JoinGroupRequest>();
  ASSERT_FALSE(request);
  EXPECT_THAT(request.error().message, testing::HasSubstr("GroupId"));
}

TEST(Messages, AnArrayLongerThanItsFrameIsRefusedBeforeMemoryIsAskedFor) {
  std::string bytes;
  append_be<std::int32_t>(bytes, 0x7fffffff);  // topics of Metadata v1
  Reader reader(bytes, 1, false);
  EXPECT_FALSE(reader.message<MetadataRequest>());
}

TEST(Messages, TheElementsOfOneFrameAreLimited) {
  // A million empty topic names fit a frame of two megabytes, but not our limit.
  std::string bytes;
  append_be<std::int32_t>(bytes, 1'000'000);
  bytes.append(2'000'000, '\0');
  Reader reader(bytes, 1, false);
  EXPECT_FALSE(reader.message<MetadataRequest>());
}

// ---- golden bytes: built by kafka-python 2.0.2

TEST(MessagesGolden, ApiVersionsResponseV0) {
  ApiVersionsResponse response;
  response.api_keys = {{18, 0, 4}, {3, 0, 13}};
  EXPECT_EQ(to_hex(bytes_of(response, 0, false)), "00000000000200120000000400030000000d");
}

TEST(MessagesGolden, ApiVersionsResponseV3HasTheOldHeaderAndACompactBody) {
  // By hand after KIP-482 and KIP-511: length, correlation id and no tag byte; then error, compact
  // array of one key with its tag section, throttle time, tag section.
  ApiVersionsResponse response;
  response.api_keys = {{18, 0, 4}};
  Frame frame;
  write_response(frame, ApiVersionsRequest::kApi, 3, 7, response);
  EXPECT_EQ(to_hex(frame.flat()),
            "00000013"
            "00000007"
            "0000"
            "02"
            "0012"
            "0000"
            "0004"
            "00"
            "00000000"
            "00");
}

TEST(MessagesGolden, ApiVersionsResponseCarriesFeaturesAsTaggedFields) {
  ApiVersionsResponse response;
  response.supported_features = {{"a.b", 1, 2}};
  response.finalized_features_epoch = 5;
  EXPECT_EQ(to_hex(bytes_of(response, 3, true)),
            "0000"
            "01"
            "00000000"
            "02"
            "00"
            "0a"
            "02"
            "04612e62"
            "0001"
            "0002"
            "00"
            "01"
            "08"
            "0000000000000005");
}

TEST(MessagesGolden, MetadataResponseV5) {
  MetadataResponse response;
  response.brokers.push_back({1, "h", 9092, std::nullopt});
  response.cluster_id = "cid";
  response.controller_id = 1;
  auto& topic = response.topics.emplace_back();
  topic.name = "t";
  auto& partition = topic.partitions.emplace_back();
  partition.leader_id = 1;
  partition.replica_nodes = {1};
  partition.isr_nodes = {1};
  EXPECT_EQ(
      to_hex(bytes_of(response, 5, false)),
      "00000000000000010000000100016800002384ffff0003636964000000010000000100000001740000000001"
      "000000000000000000010000000100000001000000010000000100000000");
}

TEST(MessagesGolden, ProduceV7) {
  const auto bytes =
      from_hex("ffffffff000003e800000001000174000000010000000000000003616263").value();
  const auto request = Reader(bytes, 7, false).message<ProduceRequest>();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->acks, -1);
  EXPECT_EQ(request->topic_data.at(0).partition_data.at(0).records->view, "abc");

  ProduceResponse response;
  auto& topic = response.responses.emplace_back();
  topic.name = "t";
  auto& partition = topic.partition_responses.emplace_back();
  partition.base_offset = 42;
  partition.log_start_offset = 7;
  EXPECT_EQ(
      to_hex(bytes_of(response, 7, false)),
      "0000000100017400000001000000000000000000000000002affffffffffffffff000000000000000700000000");
}

TEST(MessagesGolden, FetchV11) {
  const auto bytes = from_hex(
                         "ffffffff000001f400000001000003e80000000000ffffffff00000001000174000000"
                         "0100000000ffffffff0000000000000005ffffffffffffffff00000400000000000000")
                         .value();
  const auto request = Reader(bytes, 11, false).message<FetchRequest>();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->topics.at(0).partitions.at(0).fetch_offset, 5);
  EXPECT_EQ(request->max_wait_ms, 500);

  FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "t";
  auto& partition = topic.partitions.emplace_back();
  partition.high_watermark = 9;
  partition.last_stable_offset = 9;
  partition.log_start_offset = 0;
  partition.aborted_transactions.reset();
  partition.records->buffers = {std::make_shared<const std::string>("a"),
                                std::make_shared<const std::string>("bc")};
  EXPECT_EQ(
      to_hex(bytes_of(response, 11, false)),
      "000000000000000000000000000100017400000001000000000000000000000000000900000000000000090000"
      "000000000000ffffffffffffffff00000003616263");
}

TEST(Frame, GivesBatchesAsPiecesOfTheirOwn) {
  FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "t";
  const auto batch = std::make_shared<const std::string>("batch");
  topic.partitions.resize(2);
  topic.partitions[0].records->buffers = {batch};
  topic.partitions[1].records->buffers = {batch, batch};

  Frame frame;
  write_response(frame, FetchRequest::kApi, 11, 1, response);

  std::vector<Frame::Piece> pieces;
  frame.append_pieces(pieces);
  ASSERT_EQ(pieces.size(), 5U);
  EXPECT_EQ(pieces[1].text.data(), batch->data());
  EXPECT_EQ(pieces[3].text.data(), batch->data());
  EXPECT_EQ(pieces[4].text.data(), batch->data());
  EXPECT_EQ(load_be<std::int32_t>(frame.bytes.data()), static_cast<std::int32_t>(frame.size()) - 4);
}

TEST(FetchResponse, SendsPartsOfFilesBetweenItsBuffers) {
  auto batch = std::make_shared<const std::string>("BATCH");
  FetchResponse response;
  auto& records = response.responses.emplace_back().partitions.emplace_back().records.emplace();
  records.buffers = {batch, batch};
  records.files = {{0, {nullptr, 100, 7}}, {1, {nullptr, 200, 8}}, {2, {nullptr, 300, 9}}};

  Frame frame;
  write_response(frame, FetchRequest::kApi, 11, 1, response);

  std::vector<Frame::Piece> pieces;
  frame.append_pieces(pieces);
  ASSERT_EQ(pieces.size(), 6U);
  EXPECT_EQ(pieces[1].file->at, 100U);
  EXPECT_EQ(pieces[2].text, "BATCH");
  EXPECT_EQ(pieces[3].file->at, 200U);
  EXPECT_EQ(pieces[4].text, "BATCH");
  EXPECT_EQ(pieces[5].file->size, 9U);
  EXPECT_EQ(frame.size(), pieces[0].text.size() + 2 * 5 + 7 + 8 + 9);
  EXPECT_EQ(load_be<std::int32_t>(frame.bytes.data()), static_cast<std::int32_t>(frame.size()) - 4);
}

TEST(Headers, ARequestReadsBack) {
  FindCoordinatorRequest request;
  request.coordinator_keys = {"g"};
  Frame frame;
  write_request(frame, FindCoordinatorRequest::kApi, 4, 99, "client", request);
  const auto bytes = frame.flat().substr(kFramePrefixBytes);

  const auto header = read_request_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->key, 10);
  EXPECT_EQ(header->correlation_id, 99);
  std::optional<std::string_view> client;
  auto reader = body_reader(bytes, FindCoordinatorRequest::kApi, header->version, client);
  EXPECT_EQ(client, "client");
  EXPECT_THAT(reader.message<FindCoordinatorRequest>().value().coordinator_keys,
              testing::ElementsAre("g"));
}

TEST(ApiTable, NoKeyIsGivenTwice) {
  std::set<std::int16_t> keys;
  for_each_api([&]<class Request, class Response>() {
    EXPECT_TRUE(keys.insert(Request::kApi.key).second) << Request::kApi.name;
  });
  EXPECT_EQ(keys.size(), 46U);
}

}  // namespace
}  // namespace weft::kafka
