// Any bytes: the first line is an input, the rest a program. Both are compiled and run in small
// limits.
#include <cstdint>
#include <string>

#include "mapping/jq.h"

namespace {

class Ignored : public weft::mapping::JqSink {
 public:
  bool take(const weft::mapping::JqOutput& output) override {
    std::string text;
    output.append_json(text);
    return --left_ > 0;
  }

 private:
  int left_ = 100;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const auto program = mapping::JqProgram::compile(text.substr(std::min(line + 1, text.size())));
  const auto input = JsonDocument::parse(std::string(text.substr(0, line)));
  if (!program || !input) return 0;
  mapping::JqOptions options;
  options.limits = {20'000, 8 * 1024 * 1024, 1024 * 1024};
  Ignored sink;
  (void)mapping::JqRunner(options).run(*program, input->root(), sink);
  return 0;
}
