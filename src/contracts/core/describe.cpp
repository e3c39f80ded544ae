#include "contracts/core/describe.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "base/json_writer.h"

namespace weft::contracts {
namespace {

std::string_view type_name(Json::Type type) {
  constexpr std::array<std::string_view, 7> kNames = {
      "null", "a boolean", "a boolean", "a number", "a text", "an array", "an object"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string alternatives(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace

std::string describe_types(const Block& block, const Json& value) {
  if (block.types == 0) return "is not allowed here";
  std::vector<std::string> allowed;
  for (const Json::Type type : {Json::Type::String, Json::Type::Number, Json::Type::Object,
                                Json::Type::Array, Json::Type::True, Json::Type::Null}) {
    if ((block.types & type_bit(type)) == 0) continue;
    allowed.emplace_back(type == Json::Type::Number && block.integers_only ? "an integer"
                                                                           : type_name(type));
  }
  return fmt::format("must be {}, is {}", alternatives(allowed), type_name(value.type()));
}

std::string describe_count(const char* sentence, std::uint64_t count) {
  return fmt::format(fmt::runtime(sentence), count, count == 1 ? "" : "s");
}

std::string describe_bound(Op op, const Bound& bound) {
  switch (op) {
    case Op::Minimum:
      return fmt::format("must be at least {}", bound.lexeme);
    case Op::ExclusiveMinimum:
      return fmt::format("must be more than {}", bound.lexeme);
    case Op::Maximum:
      return fmt::format("must be at most {}", bound.lexeme);
    case Op::ExclusiveMaximum:
      return fmt::format("must be less than {}", bound.lexeme);
    default:
      return fmt::format("must be a multiple of {}", bound.lexeme);
  }
}

std::string describe_string(const Program& program, const Instruction& i) {
  switch (i.op) {
    case Op::MinLength:
      return describe_count("must have at least {} character{}", i.a);
    case Op::MaxLength:
      return describe_count("must have at most {} character{}", i.a);
    case Op::Pattern:
      return fmt::format("must match the pattern {}", program.patterns[i.a].text());
    default:
      return fmt::format("must be of the format {}", program.format_names[i.a]);
  }
}

std::string describe_values(const ValueSet& set, bool is_const) {
  constexpr std::size_t kShownMax = 8;
  std::vector<std::string> words;
  for (const std::string& text : set.strings.names()) words.push_back(json_quoted(text));
  for (const JsonDocument& other : set.others) words.emplace_back(other.root().raw());
  if ((set.simple_types & type_bit(Json::Type::True)) != 0) words.emplace_back("true");
  if ((set.simple_types & type_bit(Json::Type::False)) != 0) words.emplace_back("false");
  if ((set.simple_types & type_bit(Json::Type::Null)) != 0) words.emplace_back("null");
  if (words.size() > kShownMax) return fmt::format("must be one of {} listed values", words.size());
  return fmt::format("must be {}{}", is_const || words.size() == 1 ? "" : "one of ",
                     alternatives(words));
}

}  // namespace weft::contracts
