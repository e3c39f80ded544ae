// JSON Schema over 1,000 different order events of ten fields: validation alone, and with parsing.
//
//   validator_bench FOLDER          writes FOLDER/schema.json and orders.jsonl, prints JSON lines
//   node bench/validator_ajv.mjs FOLDER   runs ajv over the same files
//
// Figures are CPU time of the thread: the best and the median of the rounds.
#include <ctime>

#include <cstdio>
#include <fstream>

#include <algorithm>
#include <string>
#include <vector>

#include "contracts/json_schema.h"

namespace {

using namespace weft;

constexpr int kOrders = 1000;
constexpr int kRounds = 41;
constexpr int kPassesPerRound = 20;

constexpr std::string_view kSchema = R"({"$schema":"https://json-schema.org/draft/2020-12/schema",
"type":"object","additionalProperties":false,
"required":["orderId","customerId","currency","total","status","placedAt","lines"],
"properties":{
"orderId":{"type":"string","pattern":"^ORD-[0-9]{6}$"},
"customerId":{"type":"string","minLength":3,"maxLength":20},
"currency":{"type":"string","enum":["EUR","USD","GBP","CHF","JPY"]},
"total":{"type":"number","minimum":0},
"status":{"enum":["NEW","PAID","SHIPPED","CANCELLED"]},
"placedAt":{"type":"string","maxLength":40},
"express":{"type":"boolean"},
"email":{"type":"string","maxLength":200},
"lines":{"type":"array","minItems":1,"maxItems":200,"items":{"type":"object",
"required":["sku","quantity","unitPrice"],"additionalProperties":false,"properties":{
"sku":{"type":"string","minLength":1},"quantity":{"type":"integer","minimum":1},
"unitPrice":{"type":"number","minimum":0}}}},
"tags":{"type":"array","items":{"type":"string","maxLength":40}}}})";

class Orders {
 public:
  std::string next() {
    constexpr const char* kCurrencies[] = {"EUR", "USD", "GBP", "CHF", "JPY"};
    constexpr const char* kStates[] = {"NEW", "PAID", "SHIPPED", "CANCELLED"};
    std::string lines;
    for (unsigned n = 1 + random(3); n > 0; --n)
      lines += fmt::format(R"({}{{"sku":"SKU-{}","quantity":{},"unitPrice":{}.{:02}}})",
                           lines.empty() ? "" : ",", 1000 + random(9000), 1 + random(9),
                           1 + random(999), random(100));
    return fmt::format(
        R"({{"orderId":"ORD-{}","customerId":"C-{}","currency":"{}","total":{}.{:02},"status":"{}",)"
        R"("placedAt":"2026-03-{:02}T12:00:00Z","express":{},"email":"user{}@example.com",)"
        R"("lines":[{}],"tags":["web","t{}"]}})",
        100000 + random(900000), 10 + random(99999), kCurrencies[random(5)], random(10000),
        random(100), kStates[random(4)], 1 + random(28), random(2) == 0, random(9999), lines,
        random(100));
  }

 private:
  unsigned random(unsigned below) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state_ >> 33) % below;
  }
  std::uint64_t state_ = 20260301;
};

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Pass>
void measure(const char* name, Pass pass) {
  std::vector<double> figures;
  for (int round = 0; round < kRounds; ++round) {
    const double start = thread_seconds();
    for (int i = 0; i < kPassesPerRound; ++i) pass();
    figures.push_back((thread_seconds() - start) * 1e9 / (kPassesPerRound * kOrders));
  }
  std::sort(figures.begin(), figures.end());
  std::printf(
      "{\"bench\":\"validator\",\"case\":\"%s\",\"unit\":\"ns\",\"best\":%.1f,\"median\":%.1f}\n",
      name, figures.front(), figures[figures.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> texts;
  Orders orders;
  for (int i = 0; i < kOrders; ++i) texts.push_back(orders.next());
  if (argc > 1) {
    const std::string folder = argv[1];
    std::ofstream(folder + "/schema.json") << kSchema;
    std::ofstream out(folder + "/orders.jsonl");
    for (const std::string& text : texts) out << text << '\n';
  }

  const auto schema_text = JsonDocument::parse(std::string(kSchema));
  const auto schema = contracts::JsonSchema::compile(schema_text->root());
  if (!schema) return std::fprintf(stderr, "%s\n", schema.error().message.c_str()), 1;
  std::vector<JsonDocument> documents;
  for (const std::string& text : texts) documents.push_back(*JsonDocument::parse(text));
  std::size_t accepted = 0;
  measure("validate", [&] {
    for (const JsonDocument& document : documents) accepted += schema->accepts(document.root());
  });
  JsonParser parser;
  measure("parse and validate", [&] {
    for (const std::string& text : texts) accepted += schema->accepts(**parser.parse(text));
  });
  measure("parse", [&] {
    for (const std::string& text : texts) accepted += parser.parse(text).has_value();
  });
  const std::size_t expected = std::size_t{3} * kRounds * kPassesPerRound * kOrders;
  if (accepted != expected) return std::fprintf(stderr, "an order was refused\n"), 1;
  return 0;
}
