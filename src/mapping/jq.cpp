#include "mapping/jq.h"

#include "mapping/core/compiler.h"
#include "mapping/core/machine.h"
#include "mapping/core/value_text.h"

namespace weft::mapping {

Result<JqProgram> JqProgram::compile(std::string_view source,
                                     std::span<const std::string> variables) {
  TRY(auto program, Compiler::run(source, variables));
  return JqProgram(std::move(program));
}

std::string_view JqProgram::source() const {
  return program_->source;
}

bool JqOutput::is_string() const {
  return value_.is_string();
}

bool JqOutput::is_null_or_false() const {
  return !value_.is_true_like();
}

std::string_view JqOutput::string() const {
  return value_.text();
}

bool JqOutput::append_json(std::string& out, const JqStyle& style) const {
  return machine_.write_output(out, value_, style);
}

JqRunner::JqRunner(const JqOptions& options)
    : options_(options), machine_(std::make_unique<Machine>()) {}
JqRunner::JqRunner(JqRunner&&) noexcept = default;
JqRunner& JqRunner::operator=(JqRunner&&) noexcept = default;
JqRunner::~JqRunner() = default;

Result<JqEnd> JqRunner::run(const JqProgram& program, const Json& input, JqSink& sink,
                            std::span<const Json> variables) {
  return machine_->run(*program.program_, options_, input, variables, sink);
}

namespace {

class Texts : public JqSink {
 public:
  explicit Texts(std::size_t most) : most_(most) {}
  bool take(const JqOutput& output) override {
    return output.append_json(all.emplace_back()) && all.size() < most_;
  }
  std::vector<std::string> all;

 private:
  std::size_t most_;
};

}  // namespace

Result<std::string> JqRunner::first(const JqProgram& program, const Json& input) {
  Texts texts(1);
  CHECK(run(program, input, texts));
  if (texts.all.empty())
    return fail(ErrorCode::InvalidArgument, "the program has no output for this input");
  return std::move(texts.all.front());
}

Result<std::vector<std::string>> JqRunner::all(const JqProgram& program, const Json& input) {
  Texts texts(~std::size_t{0});
  CHECK(run(program, input, texts));
  return std::move(texts.all);
}

}  // namespace weft::mapping
