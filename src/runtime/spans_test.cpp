#include "runtime/spans.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::string_view kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, ReadsTheExampleOfTheSpecificationAndWritesItBack) {
  auto context = TraceContext::parse(kExample);

  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->span_id_hex(), "00f067aa0ba902b7");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->traceparent(), kExample);
}

TEST(TraceContext, TakesOnlyTheLowestFlagAsSampled) {
  EXPECT_FALSE(
      TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled);
  EXPECT_FALSE(
      TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe")->sampled);
  EXPECT_TRUE(
      TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff")->sampled);
}

TEST(TraceContext, TreatsAMalformedHeaderAsAbsent) {
  constexpr std::string_view kMalformed[] = {
      "",
      "00",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0h",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
  };

  for (auto text : kMalformed) EXPECT_FALSE(TraceContext::parse(text)) << text;
}

TEST(TraceContext, ReadsWhatItKnowsOfALaterVersion) {
  auto exact = TraceContext::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  auto longer = TraceContext::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what");

  ASSERT_TRUE(exact);
  ASSERT_TRUE(longer);
  // What goes on speaks the version that we know.
  EXPECT_EQ(longer->traceparent(), kExample);
}

TEST(TraceContext, AChildKeepsTheTraceAndTheDecisionAndGetsAnIdOfItsOwn) {
  SeededRandom random(1);
  auto root = TraceContext::start(random);
  root.sampled = false;

  auto child = root.child(random);

  EXPECT_TRUE(root.is_valid());
  EXPECT_EQ(child.trace_id, root.trace_id);
  EXPECT_NE(child.span_id, root.span_id);
  EXPECT_FALSE(child.sampled);
}

TEST(TraceContext, IsInvalidUntilItHasATrace) {
  EXPECT_FALSE(TraceContext().is_valid());
}

TEST(TraceSampling, MarksTheChosenShareOfNewTracesAndNoOthers) {
  SeededRandom random(1);
  set_trace_sampling(0.1);
  int sampled = 0;
  for (int i = 0; i < 2'000; ++i) sampled += TraceContext::start(random).sampled ? 1 : 0;
  auto asked = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  auto refused = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  set_trace_sampling(0);
  const bool none = TraceContext::start(random).sampled;
  set_trace_sampling(1);

  EXPECT_NEAR(sampled, 200, 60);
  EXPECT_TRUE(asked->child(random).sampled);
  EXPECT_FALSE(refused->child(random).sampled);
  EXPECT_FALSE(none);
  EXPECT_TRUE(TraceContext::start(random).sampled);
}

}  // namespace
}  // namespace weft
