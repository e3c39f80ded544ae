// JSON Schema over 1,000 different order events of ten fields: validation alone, and with parsing.
//
//   validator_bench write FOLDER   writes FOLDER/schema.json and FOLDER/orders.jsonl
//   validator_bench FOLDER         measures them as it is told on its input
//
// A line "CASE PASSES" is answered with the CPU time of the process in ns per document, over that
// many passes over all documents. validator_ajv.mjs answers the same lines for ajv, and
// validator_compare.py asks both in turn.
#include <ctime>

#include <cstdio>
#include <fstream>
#include <iostream>

#include <string>
#include <vector>

#include "contracts/json_schema.h"

namespace {

using namespace weft;

constexpr int kOrders = 1000;

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

int write_files(const std::string& folder) {
  std::ofstream schema(folder + "/schema.json");
  schema << kSchema;
  std::ofstream lines(folder + "/orders.jsonl");
  Orders orders;
  for (int i = 0; i < kOrders; ++i) lines << orders.next() << '\n';
  return schema.flush() && lines.flush() ? 0 : 1;
}

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Bench {
 public:
  Bench(contracts::JsonSchema schema, std::vector<std::string> texts)
      : schema_(std::move(schema)), texts_(std::move(texts)) {
    for (const std::string& text : texts_) documents_.push_back(*JsonDocument::parse(text));
  }

  // Negative when there is no such case or a document was refused.
  double run(const std::string& name, int passes) {
    std::size_t accepted = 0;
    const double start = process_seconds();
    for (int i = 0; i < passes; ++i) accepted += pass(name);
    const double seconds = process_seconds() - start;
    const std::size_t count = texts_.size() * static_cast<std::size_t>(passes);
    return accepted == count ? seconds * 1e9 / static_cast<double>(count) : -1;
  }

 private:
  std::size_t pass(const std::string& name) {
    std::size_t accepted = 0;
    if (name == "validate") {
      for (const JsonDocument& document : documents_) accepted += schema_.accepts(document.root());
    } else if (name == "parse-and-validate") {
      for (const std::string& text : texts_) accepted += schema_.accepts(**parser_.parse(text));
    } else if (name == "parse") {
      for (const std::string& text : texts_) accepted += parser_.parse(text).has_value();
    }
    return accepted;
  }

  contracts::JsonSchema schema_;
  std::vector<std::string> texts_;
  std::vector<JsonDocument> documents_;
  JsonParser parser_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "write") return write_files(argv[2]);
  if (argc != 2) return std::fprintf(stderr, "usage: validator_bench [write] FOLDER\n"), 2;
  const std::string folder = argv[1];
  const auto schema_text = JsonDocument::parse(text_of(folder + "/schema.json"));
  if (!schema_text) return std::fprintf(stderr, "%s\n", schema_text.error().message.c_str()), 1;
  auto schema = contracts::JsonSchema::compile(schema_text->root());
  if (!schema) return std::fprintf(stderr, "%s\n", schema.error().message.c_str()), 1;
  Bench bench(*std::move(schema), lines_of(folder + "/orders.jsonl"));

  std::string name;
  int passes = 0;
  while (std::cin >> name >> passes) {
    const double figure = bench.run(name, passes);
    if (figure < 0) return std::fprintf(stderr, "%s: not all accepted\n", name.c_str()), 1;
    std::cout << figure << std::endl;
  }
  return 0;
}
