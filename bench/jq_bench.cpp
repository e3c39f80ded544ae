// The jq engine beside Debian's libjq, in turn within one process: parse, run and print of an order
// of about 1 KB, running alone, and compiling. Prints JSON lines; `./dev bench jq`.
#include <fmt/format.h>

extern "C" {
#include <jq.h>
#include <jv.h>
}

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/jq.h"

namespace {

using namespace weft;
using namespace weft::mapping;

struct Case {
  std::string_view name;
  std::string_view program;
};

constexpr Case kCases[] = {
    {"path", ".data.total"},
    {"projection",
     "{id: .data.orderId, customer: .data.customer.name, total: .data.total, "
     "skus: [.data.lines[].sku]}"},
    {"map_select_add", "[.data.lines[] | select(.quantity > 1) | .quantity * .unitPrice] | add"},
    {"predicate", ".data.total > 100 and .data.currency == \"EUR\""},
};

constexpr std::string_view kOrder =
    R"({"specversion":"1.0","id":"4f6d1f6e-0c2a-4c5e-9a55-1d7b1f4f7e10","source":"/shop/berlin",)"
    R"("type":"orders.order.created.v1","time":"2026-03-01T12:00:00Z","datacontenttype":)"
    R"("application/json","data":{"orderId":"ORD-123456","currency":"EUR","total":1249.90,"status":)"
    R"("NEW","express":false,"customer":{"id":"C-10077","name":"Ada Lovelace","email":)"
    R"("ada@example.com","address":{"street":"12 Analytical Row","city":"Berlin","zip":"10115",)"
    R"("country":"DE"}},"lines":[{"sku":"SKU-1001","name":"Difference engine, small","quantity":1,)"
    R"("unitPrice":999.00},{"sku":"SKU-1002","name":"Punched cards, box of 500","quantity":4,)"
    R"("unitPrice":49.95},{"sku":"SKU-1003","name":"Brass oil","quantity":3,"unitPrice":17.0333},)"
    R"({"sku":"SKU-1004","name":"Spare wheel","quantity":2,"unitPrice":0.00}],"tags":["web","de",)"
    R"("first-order"],"note":"Please ring twice; the bell is at the second door.","payment":{"method":)"
    R"("card","token":"tok_1f4f7e104f6d","authorised":true,"amount":1249.90}}})";

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class F>
double microseconds(int times, F once) {
  const double start = cpu_seconds();
  for (int i = 0; i < times; ++i) once();
  return (cpu_seconds() - start) * 1e6 / times;
}

class Printed : public JqSink {
 public:
  bool take(const JqOutput& output) override {
    output.append_json(text);
    return true;
  }
  std::string text;
};

class Weft {
 public:
  explicit Weft(std::string_view source) : program_(*JqProgram::compile(source)) {}
  std::string_view all() {
    run(**parser_.parse(kOrder));
    return printed_.text;
  }
  void run(const Json& input) {
    printed_.text.clear();
    if (!runner_.run(program_, input, printed_)) std::abort();
  }

 private:
  JqProgram program_;
  JqRunner runner_;
  JsonParser parser_;
  Printed printed_;
};

class LibJq {
 public:
  explicit LibJq(std::string_view source) : state_(jq_init()) {
    if (jq_compile(state_, std::string(source).c_str()) == 0) std::abort();
  }
  ~LibJq() { jq_teardown(&state_); }
  LibJq(const LibJq&) = delete;
  LibJq& operator=(const LibJq&) = delete;

  std::string all() { return run(jv_parse_sized(kOrder.data(), static_cast<int>(kOrder.size()))); }
  std::string run(jv input) {
    std::string text;
    jq_start(state_, input, 0);
    for (jv output = jq_next(state_);; output = jq_next(state_)) {
      if (!jv_is_valid(output)) {
        jv_free(output);
        return text;
      }
      jv dumped = jv_dump_string(output, 0);
      text += jv_string_value(dumped);
      jv_free(dumped);
    }
  }

 private:
  jq_state* state_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Figures {
  std::vector<double> weft;
  std::vector<double> libjq;
  std::vector<double> ratio;

  void add(double ours, double theirs) {
    weft.push_back(ours);
    libjq.push_back(theirs);
    ratio.push_back(theirs / ours);
  }
  void print(std::string_view name, std::string_view what, double least) const {
    const auto [low, high] = std::minmax_element(ratio.begin(), ratio.end());
    std::string bars;
    if (least > 0)
      bars = fmt::format(R"(,"bars":[{{"bar":"{} {} >= {} x libjq","measured":{:.2f},"met":{}}}])",
                         name, what, least, median(ratio), median(ratio) >= least);
    fmt::print(R"({{"name":"{}","what":"{}","weft_us":{:.3f},"libjq_us":{:.3f},"ratio":{:.2f},)"
               R"("ratio_least":{:.2f},"ratio_most":{:.2f},"rounds":{}{}}})"
               "\n",
               name, what, median(weft), median(libjq), median(ratio), *low, *high, ratio.size(),
               bars);
    std::fflush(stdout);
  }
};

void measure(const Case& one, int rounds, int times) {
  Weft weft(one.program);
  LibJq libjq(one.program);
  const auto document = JsonDocument::parse(std::string(kOrder));
  jv parsed = jv_parse_sized(kOrder.data(), static_cast<int>(kOrder.size()));
  Figures all;
  Figures run;
  for (int round = 0; round < rounds; ++round) {
    const double ours = microseconds(times * 8, [&] { weft.all(); });
    all.add(ours, microseconds(times, [&] { libjq.all(); }));
    const double theirs = microseconds(times, [&] { libjq.run(jv_copy(parsed)); });
    run.add(microseconds(times * 8, [&] { weft.run(document->root()); }), theirs);
  }
  jv_free(parsed);
  all.print(one.name, "parse, run, print", 10);
  run.print(one.name, "run, print", 0);
}

void measure_compiling(int rounds) {
  Figures compile;
  for (int round = 0; round < rounds; ++round) {
    const double ours =
        microseconds(400, [] { (void)JqProgram::compile(kCases[1].program).value(); });
    compile.add(ours, microseconds(3, [] { LibJq jq(kCases[1].program); }));
  }
  compile.print("compile", "projection", 0);
  const double ours = median(compile.weft);
  fmt::print(
      R"({{"bars":[{{"bar":"compiling the projection <= 100 us","measured":{:.2f},"met":{}}}]}})"
      "\n",
      ours, ours <= 100);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  const int times = argc > 2 ? std::atoi(argv[2]) : 2000;
  for (const Case& one : kCases) measure(one, rounds, times);
  measure_compiling(rounds);
  return 0;
}
