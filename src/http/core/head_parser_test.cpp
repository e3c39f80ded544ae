#include "http/core/head_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/core/head_corpus.h"

namespace weft::http {
namespace {

HeadStep parse_in_pieces(RequestHeadParser& parser, std::string_view bytes, std::size_t piece) {
  auto step = HeadStep::Incomplete;
  for (std::size_t end = piece; step == HeadStep::Incomplete; end += piece) {
    step = parser.parse(bytes.substr(0, std::min(end, bytes.size())));
    if (end >= bytes.size()) break;
  }
  return step;
}

TEST(RequestHead, RefusesWhatCouldBeReadInTwoWays) {
  for (const auto& c : refused_heads()) {
    RequestHeadParser parser;
    EXPECT_EQ(parser.parse(c.bytes), HeadStep::Refused) << c.what;
    EXPECT_EQ(parser.fault().status, c.status) << c.what << ": " << parser.fault().reason;
    EXPECT_FALSE(parser.fault().reason.empty()) << c.what;
  }
}

TEST(RequestHead, JudgesAlikeHoweverTheBytesArrive) {
  for (const auto& c : refused_heads()) {
    RequestHeadParser parser;
    EXPECT_EQ(parse_in_pieces(parser, c.bytes, 1), HeadStep::Refused) << c.what;
    EXPECT_EQ(parser.fault().status, c.status) << c.what;
  }
}

constexpr std::string_view kOrder =
    "POST /orders/7?dry=1&x HTTP/1.1\r\nHost: shop.example:8000\r\nContent-Type: "
    "application/json\r\n"
    "content-length: 12\r\nX-Empty:\r\nX-Spaced: \t a b \t\r\n\r\nhello world!";

TEST(RequestHead, TellsMethodTargetFieldsAndFraming) {
  RequestHeadParser parser;

  ASSERT_EQ(parser.parse(kOrder), HeadStep::Complete);

  const auto& head = parser.head();
  EXPECT_EQ(kOrder.substr(parser.size()), "hello world!");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/orders/7?dry=1&x");
  EXPECT_EQ(head.path, "/orders/7");
  EXPECT_EQ(head.query, "dry=1&x");
  EXPECT_EQ(head.host, "shop.example:8000");
  EXPECT_EQ(head.framing, BodyFraming::Length);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.find("content-TYPE"), "application/json");
  EXPECT_EQ(head.find("x-empty"), "");
  EXPECT_EQ(head.find("x-spaced"), "a b");
  EXPECT_FALSE(head.find("absent"));
}

TEST(RequestHead, IsTheSameInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < kOrder.size(); ++piece) {
    RequestHeadParser parser;
    ASSERT_EQ(parse_in_pieces(parser, kOrder, piece), HeadStep::Complete) << piece;
    EXPECT_EQ(parser.head().path, "/orders/7");
    EXPECT_EQ(parser.head().fields.size(), 5u);
  }
}

struct KeepAliveCase {
  std::string_view head;
  bool keep_alive;
};

TEST(RequestHead, KeepsConnectionsAsVersionAndOptionsSay) {
  const std::vector<KeepAliveCase> cases{
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
  };
  for (const auto& c : cases) {
    RequestHeadParser parser;
    ASSERT_EQ(parser.parse(c.head), HeadStep::Complete) << c.head;
    EXPECT_EQ(parser.head().keep_alive, c.keep_alive) << c.head;
  }
}

TEST(RequestHead, TakesAnAbsoluteTargetThatAgreesWithHost) {
  RequestHeadParser parser;

  ASSERT_EQ(parser.parse("GET http://Shop.example?x=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
            HeadStep::Complete);

  EXPECT_EQ(parser.head().path, "/");
  EXPECT_EQ(parser.head().query, "x=1");
}

TEST(RequestHead, IgnoresOneEmptyLineBeforeTheRequest) {
  RequestHeadParser parser;

  EXPECT_EQ(parser.parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), HeadStep::Complete);
  EXPECT_EQ(parser.head().method, "GET");
}

TEST(RequestHead, NoticesUpgradeAndExpectation) {
  RequestHeadParser parser;
  ASSERT_EQ(parser.parse("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
                         "Upgrade: websocket\r\n\r\n"),
            HeadStep::Complete);
  EXPECT_TRUE(parser.head().is_upgrade);

  parser.reset();
  ASSERT_EQ(parser.parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                         "Content-Length: 3\r\n\r\n"),
            HeadStep::Complete);
  EXPECT_TRUE(parser.head().expects_continue);
  EXPECT_FALSE(parser.head().is_upgrade);
}

TEST(RequestHead, RefusesMoreThanItsLimits) {
  RequestHeadParser few({.bytes_max = 1000, .fields_max = 2});
  EXPECT_EQ(few.parse("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n"), HeadStep::Refused);
  EXPECT_EQ(few.fault().status, 431);

  RequestHeadParser allowed({.bytes_max = 1000, .fields_max = 2});
  EXPECT_EQ(allowed.parse("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n"), HeadStep::Complete);

  RequestHeadParser small({.bytes_max = 64, .fields_max = 20});
  EXPECT_EQ(small.parse("GET / HTTP/1.1\r\nHost: " + std::string(64, 'a')), HeadStep::Refused);
  EXPECT_EQ(small.fault().status, 431);

  RequestHeadParser target({.bytes_max = 64, .fields_max = 20});
  EXPECT_EQ(target.parse("GET /" + std::string(64, 'a')), HeadStep::Refused);
  EXPECT_EQ(target.fault().status, 414);
}

struct ResponseCase {
  const char* what;
  std::string_view head;
  bool answers_head;
  BodyFraming framing;
  bool keep_alive;
};

TEST(ResponseHead, TellsHowTheBodyEnds) {
  const std::vector<ResponseCase> cases{
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, BodyFraming::Length, true},
      {"no reason", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", false, BodyFraming::Length, true},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false,
       BodyFraming::Chunked, true},
      {"neither", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", false, BodyFraming::UntilClose, false},
      {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, BodyFraming::None, true},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, BodyFraming::None, true},
      {"204", "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", false, BodyFraming::None, true},
      {"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, BodyFraming::None,
       true},
      {"100", "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n", false, BodyFraming::None, true},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, BodyFraming::Length,
       false},
      {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", false,
       BodyFraming::Length, false},
  };
  for (const auto& c : cases) {
    ResponseHeadParser parser;
    ASSERT_EQ(parser.parse(c.head, c.answers_head), HeadStep::Complete) << c.what;
    EXPECT_EQ(parser.head().framing, c.framing) << c.what;
    EXPECT_EQ(parser.head().keep_alive, c.keep_alive) << c.what;
  }
}

TEST(ResponseHead, RefusesWhatCouldBeReadInTwoWays) {
  for (std::string_view head : {
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 999 OK\r\n\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "ICY 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
       }) {
    ResponseHeadParser parser;
    EXPECT_EQ(parser.parse(head, false), HeadStep::Refused) << head;
  }
}

}  // namespace
}  // namespace weft::http
