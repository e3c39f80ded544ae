#include "app/api/node_merge.h"

#include <gmock/gmock.h>

#include "base/bytes.h"

namespace weft::app {
namespace {

using testing::ElementsAre;

NodePage page_of(std::string node, std::string json) {
  auto document = JsonDocument::parse(json);
  EXPECT_TRUE(document) << json;
  return {std::move(node), std::move(*document)};
}

template <class... Pages>
std::vector<NodePage> all_pages(Pages... pages) {
  std::vector<NodePage> all;
  (all.push_back(std::move(pages)), ...);
  return all;
}

// What `write` makes of an object.
JsonDocument merged(const std::function<void(JsonWriter&)>& write) {
  JsonWriter out;
  out.object();
  write(out);
  out.end();
  auto document = JsonDocument::parse(out.text());
  EXPECT_TRUE(document) << out.text();
  return std::move(*document);
}

std::vector<std::string> texts_at(const JsonDocument& document, std::string_view pointer) {
  std::vector<std::string> texts;
  for (const auto& item : document.root().find("items")->elements()) {
    const auto* found = item.at_pointer(pointer);
    texts.emplace_back(found == nullptr     ? "-"
                       : found->is_string() ? found->as_string()
                                            : found->raw());
  }
  return texts;
}

TEST(NodeMerge, SubscriptionsAreToldByTheNodeThatCarriesThemOut) {
  const auto one = [](std::string_view name, std::string_view status) {
    return fmt::format(R"({{"name":"{}","status":"{}"}})", name, status);
  };
  const auto items = [](std::string a, std::string b, std::string c) {
    return fmt::format(R"({{"items":[{},{},{}]}})", a, b, c);
  };
  const auto pages = all_pages(
      page_of("n1", items(one("crm", "elsewhere"), one("erp", "active"), one("wms", "elsewhere"))),
      page_of("n2", items(one("crm", "paused"), one("erp", "elsewhere"), one("wms", "elsewhere"))));

  std::optional<std::string> last;
  const auto all = merged([&](JsonWriter& out) { last = merge_subscriptions(out, pages, "", 9); });
  EXPECT_THAT(texts_at(all, "/status"), ElementsAre("paused", "active", "elsewhere"));
  EXPECT_THAT(texts_at(all, "/node"), ElementsAre("n2", "n1", "n1"));
  EXPECT_FALSE(last);
  const auto some =
      merged([&](JsonWriter& out) { last = merge_subscriptions(out, pages, "crm", 1); });
  EXPECT_THAT(texts_at(some, "/name"), ElementsAre("erp"));
  EXPECT_EQ(last, "erp");
  EXPECT_THAT(*find_subscription(pages, "crm"), testing::HasSubstr("n2"));
  EXPECT_FALSE(find_subscription(pages, "wms"));
}

TEST(NodeMerge, DeliveriesGoOnAtEachNodeWhereThePageEnded) {
  const auto delivery = [](int second) {
    return fmt::format(R"({{"id":"d{}","createdAt":"2026-03-01T08:00:{:02}.000Z"}})", second,
                       second);
  };
  const auto pages = all_pages(
      page_of("n1", fmt::format(R"({{"items":[{},{}],"positions":["9","8"]}})", delivery(5),
                                delivery(2))),
      page_of("n2",
              fmt::format(R"({{"items":[{}],"positions":["4"],"nextCursor":"4"}})", delivery(3))));

  const auto page = merged([&](JsonWriter& out) {
    merge_deliveries(out, pages, 2, {{"n1", "10"}});
  });

  EXPECT_THAT(texts_at(page, "/id"), ElementsAre("d5", "d3"));
  const auto next = read_node_cursors(page.root().find("nextCursor")->as_string());
  EXPECT_EQ(next, (NodeCursors{{"n1", "9"}, {"n2", "4"}}));
}

// Lines at these seconds with the positions p<second>, as a node answers them.
NodePage lines_of(std::string node, const std::vector<int>& seconds, bool has_more = false) {
  std::string items;
  std::string positions;
  for (int second : seconds) {
    if (!items.empty()) items += ',', positions += ',';
    items += fmt::format(R"({{"time":"2026-03-01T08:00:{:02}.000Z","message":"{}{}"}})", second,
                         node, second);
    positions += fmt::format(R"("p{}")", second);
  }
  return page_of(node, fmt::format(R"({{"items":[{}],"end":"end-{}","positions":[{}]{}}})", items,
                                   node, positions, has_more ? R"(,"nextCursor":"x")" : ""));
}

NodeCursors cursors_at(const JsonDocument& document, std::string_view member) {
  const auto* text = document.root().find(member);
  return text == nullptr ? NodeCursors()
                         : read_node_cursors(text->as_string()).value_or(NodeCursors());
}

TEST(NodeCursorsText, ReadsBackWhatItWrote) {
  const NodeCursors cursors{{"a:8080", "MTow"}, {"b=c", "x"}, {"d", ""}};

  EXPECT_EQ(read_node_cursors(node_cursors_text(cursors)), cursors);
}

TEST(NodeCursorsText, TellsACursorOfOneNodeFromOneOfSeveral) {
  EXPECT_EQ(read_node_cursors(to_base64url("1:4096")), std::nullopt);
  EXPECT_EQ(read_node_cursors(to_base64url("a=b")), std::nullopt);
  EXPECT_EQ(read_node_cursors("!"), std::nullopt);
  EXPECT_EQ(read_node_cursors(""), std::nullopt);
}

TEST(MergeLogs, PutsTheLinesOfAllNodesInTheOrderOfTimeNewestFirst) {
  const auto pages = all_pages(lines_of("a", {9, 5, 1}), lines_of("b", {7, 6}));

  auto list = merged([&](JsonWriter& out) { merge_logs(out, pages, 10, {}); });

  EXPECT_THAT(texts_at(list, "/message"), ElementsAre("a9", "b7", "b6", "a5", "a1"));
  EXPECT_THAT(texts_at(list, "/node"), ElementsAre("a", "b", "b", "a", "a"));
  EXPECT_EQ(list.root().find("nextCursor"), nullptr);
  EXPECT_EQ(cursors_at(list, "end"), (NodeCursors{{"a", "end-a"}, {"b", "end-b"}}));
}

TEST(MergeLogs, GoesOnAtEachNodeBehindItsLastLineOfThePage) {
  const auto pages = all_pages(lines_of("a", {9, 8, 3}), lines_of("b", {7, 6}));

  auto list = merged([&](JsonWriter& out) { merge_logs(out, pages, 3, {}); });

  EXPECT_THAT(texts_at(list, "/message"), ElementsAre("a9", "a8", "b7"));
  EXPECT_EQ(cursors_at(list, "nextCursor"), (NodeCursors{{"a", "p8"}, {"b", "p7"}}));
}

TEST(MergeLogs, OfANodeWithoutALineOnThePageThePlaceStays) {
  const auto pages = all_pages(lines_of("a", {9, 8}, true), lines_of("b", {2}));

  auto first = merged([&](JsonWriter& out) { merge_logs(out, pages, 2, {}); });
  auto later = merged([&](JsonWriter& out) {
    merge_logs(out, pages, 2, {{"b", "from before"}, {"away", "here"}});
  });

  EXPECT_EQ(cursors_at(first, "nextCursor"), (NodeCursors{{"a", "p8"}, {"b", "end-b"}}));
  EXPECT_EQ(cursors_at(later, "nextCursor"),
            (NodeCursors{{"a", "p8"}, {"away", "here"}, {"b", "from before"}}));
}

TEST(MergeLogs, KeepsTheOrderOfANodeWhoseClockWentBack) {
  const auto pages = all_pages(lines_of("a", {3, 9}));

  auto list = merged([&](JsonWriter& out) { merge_logs(out, pages, 10, {}); });

  EXPECT_THAT(texts_at(list, "/message"), ElementsAre("a3", "a9"));
}

TEST(MergeLogs, LeavesALineAloneThatNamesANodeItself) {
  const auto pages = all_pages(
      page_of("a", R"({"items":[{"message":"m","node":"x"}],"end":"e","positions":["p"]})"));

  auto list = merged([&](JsonWriter& out) { merge_logs(out, pages, 10, {}); });

  EXPECT_THAT(texts_at(list, "/node"), ElementsAre("x"));
}

TEST(MergeNewLogs, PutsTheOldestFirstAndRemembersTheNodesThatAreAway) {
  const auto pages = all_pages(lines_of("a", {1, 5}), lines_of("b", {3}));
  const NodeCursors asked{{"a", "x"}, {"b", "y"}, {"c", "away"}};

  auto list = merged([&](JsonWriter& out) { merge_new_logs(out, pages, asked); });

  EXPECT_THAT(texts_at(list, "/message"), ElementsAre("a1", "b3", "a5"));
  EXPECT_EQ(cursors_at(list, "end"), (NodeCursors{{"a", "end-a"}, {"b", "end-b"}, {"c", "away"}}));
}

TEST(MergeNewLogs, FollowsANodeThatCameLaterFromItsEndOn) {
  const auto pages = all_pages(lines_of("a", {1}), lines_of("late", {9}));

  auto list = merged([&](JsonWriter& out) { merge_new_logs(out, pages, {{"a", "x"}}); });

  EXPECT_THAT(texts_at(list, "/message"), ElementsAre("a1"));
  EXPECT_EQ(cursors_at(list, "end"), (NodeCursors{{"a", "end-a"}, {"late", "end-late"}}));
}

std::string summary(std::string_view id, int second, int duration_ms, std::string_view more) {
  return fmt::format(
      R"({{"traceId":"{0}","name":"n{1}","start":"2026-03-01T08:00:{1:02}.000000000Z",)"
      R"("durationMs":{2},"spanCount":2,"failed":false,"partial":false,"services":["gateway"]{3}}})",
      id, second, duration_ms, more);
}

TEST(MergeTraces, MakesOneItemOfATraceOnTwoNodes) {
  const auto pages = all_pages(
      page_of("a", fmt::format(R"({{"items":[{}],"positions":[2000],"services":["gateway"]}})",
                               summary("t", 2, 500, R"(,"businessKeys":["k2","k1"])"))),
      page_of("b", fmt::format(R"({{"items":[{}],"positions":[1000],"services":["crm"]}})",
                               summary("t", 1, 100, R"(,"route":"/orders","failed2":true)"))));

  auto list = merged([&](JsonWriter& out) { merge_traces(out, pages, 10); });

  EXPECT_EQ(list.root().find("items")->raw(),
            R"([{"traceId":"t","name":"n1","start":"2026-03-01T08:00:01.000000000Z",)"
            R"("durationMs":1500,"spanCount":4,"failed":false,"partial":false,"route":"/orders",)"
            R"("businessKeys":["k1","k2"],"services":["gateway"],"nodes":["a","b"]}])");
  EXPECT_EQ(list.root().find("services")->raw(), R"(["crm","gateway"])");
  EXPECT_EQ(list.root().find("nextCursor"), nullptr);
}

TEST(MergeTraces, ShowsTheNewestAndGoesOnBehindTheLast) {
  const auto pages = all_pages(
      page_of("a", fmt::format(R"({{"items":[{},{}],"positions":[9,3]}})", summary("a9", 9, 1, ""),
                               summary("a3", 3, 1, ""))),
      page_of("b", fmt::format(R"({{"items":[{}],"positions":[5]}})", summary("b5", 5, 1, ""))));

  auto list = merged([&](JsonWriter& out) { merge_traces(out, pages, 2); });

  EXPECT_THAT(texts_at(list, "/traceId"), ElementsAre("a9", "b5"));
  EXPECT_EQ(from_base64url(list.root().find("nextCursor")->as_string()).value(), "5");
}

TEST(MergeTrace, MakesOneTreeOfTheSpansOfTwoNodes) {
  const auto pages = all_pages(
      page_of("none", R"({"spans":[]})"),
      page_of("a", R"({"traceId":"t","partial":false,"spans":[)"
                   R"({"spanId":"2","parentSpanId":"1","start":"2026-03-01T08:00:00.200000000Z",)"
                   R"("end":"2026-03-01T08:00:00.900000001Z"}]})"),
      page_of("b", R"({"traceId":"t","partial":true,"spans":[)"
                   R"({"spanId":"1","start":"2026-03-01T08:00:00.100000000Z",)"
                   R"("end":"2026-03-01T08:00:00.300000000Z"}]})"));

  auto trace = merged([&](JsonWriter& out) { merge_trace(out, pages); });

  const auto& root = trace.root();
  EXPECT_EQ(root.find("traceId")->as_string(), "t");
  EXPECT_EQ(root.find("start")->as_string(), "2026-03-01T08:00:00.100000000Z");
  EXPECT_EQ(root.find("durationMs")->raw(), "800.000001");
  EXPECT_TRUE(root.find("partial")->as_bool());
  EXPECT_EQ(root.at_pointer("/spans/0/spanId")->as_string(), "1");
  EXPECT_EQ(root.at_pointer("/spans/0/node")->as_string(), "b");
  EXPECT_EQ(root.at_pointer("/spans/1/node")->as_string(), "a");
}

TEST(NodeStates, NameThoseThatDidNotAnswerAndWhy) {
  const auto pages = all_pages(page_of("a", "{}"));
  const std::vector<NodeFailure> failures = {
      {"b", Error{ErrorCode::Unavailable, "connection refused"}}};

  auto answer = merged([&](JsonWriter& out) { write_node_states(out, pages, failures); });

  EXPECT_EQ(answer.root().find("nodes")->raw(),
            R"([{"name":"a","answered":true},)"
            R"({"name":"b","answered":false,"why":"connection refused"}])");
}

}  // namespace
}  // namespace weft::app
