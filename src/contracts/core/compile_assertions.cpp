// Keywords that assert something about the value itself: types, values, numbers, texts, counts.
#include <algorithm>

#include "base/json_writer.h"
#include "contracts/core/schema_compiler.h"

namespace weft::contracts {
namespace {

// The bits of a type's name; 0 when there is no such type.
std::uint8_t bits_of(std::string_view name) {
  if (name == "null") return type_bit(Json::Type::Null);
  if (name == "boolean") return kBooleanBits;
  if (name == "number" || name == "integer") return type_bit(Json::Type::Number);
  if (name == "string") return type_bit(Json::Type::String);
  if (name == "array") return type_bit(Json::Type::Array);
  if (name == "object") return type_bit(Json::Type::Object);
  return 0;
}

}  // namespace

Result<> SchemaCompiler::types(Context& c) {
  const Json* const type = find(c, "type");
  if (type == nullptr) return {};
  Block& block = c.draft->block;
  block.types = 0;
  bool any_number = false;
  const std::span<const Json> names =
      type->is_array() ? type->elements() : std::span<const Json>(type, 1);
  for (const Json& name : names) {
    const std::uint8_t bits = name.is_string() ? bits_of(name.as_string()) : std::uint8_t{0};
    if (bits == 0)
      return wrong(
          c, name,
          "must be null, boolean, integer, number, string, array, object, or a list of these");
    block.types |= bits;
    any_number = any_number || name.as_string() == "number";
  }
  if (names.empty()) return wrong(c, *type, "must name at least one type");
  block.integers_only = (block.types & type_bit(Json::Type::Number)) != 0 && !any_number;
  if (c.dialect.draft == SchemaDialect::OpenApi30) {
    const Json* const nullable = find(c, "nullable");
    if (nullable != nullptr && nullable->type() == Json::Type::True)
      block.types |= type_bit(Json::Type::Null);
  }
  block.types_place = place(*c.where, "type");
  return {};
}

Result<ValueSet> SchemaCompiler::value_set(const Context& c, std::span<const Json> values) {
  ValueSet set;
  std::vector<std::string> texts;
  for (const Json& value : values) {
    if (value.is_null() || value.is_bool()) {
      set.simple_types |= type_bit(value.type());
    } else if (value.is_string()) {
      if (std::find(texts.begin(), texts.end(), value.as_string()) == texts.end())
        texts.emplace_back(value.as_string());
    } else {
      // The program outlives the schema's document.
      auto copy =
          JsonDocument::parse(JsonWriter().value(value).text(), {.depth_max = kJsonDepthMax});
      if (!copy) return wrong(c, value, copy.error().message);
      set.others.push_back(*std::move(copy));
    }
  }
  set.strings = NameTable(std::move(texts));
  return set;
}

Result<> SchemaCompiler::values(Context& c) {
  const auto emit_set = [&](std::span<const Json> values, const char* keyword,
                            std::uint32_t is_const) -> Result<> {
    TRY(auto set, value_set(c, values));
    program_->values.push_back(std::move(set));
    emit(c, kAny, Op::Values, static_cast<std::uint32_t>(program_->values.size() - 1), is_const,
         keyword);
    return {};
  };
  if (const Json* const list = find(c, "enum"); list != nullptr) {
    if (!list->is_array()) return wrong(c, *list, "must be a list of values");
    CHECK(emit_set(list->elements(), "enum", 0));
  }
  const Json* const value = find(c, "const");
  if (value == nullptr || c.dialect.is_before(SchemaDialect::Draft6)) return {};
  return emit_set({value, 1}, "const", 1);
}

Result<Bound> SchemaCompiler::bound(const Context& c, const Json& number) {
  if (!number.is_number()) return wrong(c, number, "must be a number");
  auto exact = Decimal::parse(number.number());
  if (!exact) return wrong(c, number, exact.error().message);
  Bound result{SmallDecimal::parse(number.number()),
               std::string(number.number()),
               *std::move(exact),
               false,
               {}};
  result.is_zero = result.exact.is_zero();
  if (const auto plain = PlainDecimal::of(number.number()); plain && !number.has_minus())
    result.whole_digits = plain->whole_digits;
  if (result.small && result.small->mantissa == 1 && result.small->exponent <= 0)
    result.places = static_cast<std::uint32_t>(-result.small->exponent);
  if (number.is_plain_integer() && number.number()[0] != '-') result.natural = result.lexeme;
  return result;
}

Result<> SchemaCompiler::limit(Context& c, std::string_view keyword, Op op) {
  const Json* const value = find(c, keyword);
  if (value == nullptr) return {};
  TRY(auto number, bound(c, *value));
  if (op == Op::MultipleOf && !(number.exact > Decimal()))
    return wrong(c, *value, "must be more than 0");
  program_->bounds.push_back(std::move(number));
  emit(c, kNumbers, op, static_cast<std::uint32_t>(program_->bounds.size() - 1), 0, keyword);
  return {};
}

Result<> SchemaCompiler::bounds(Context& c) {
  CHECK(limit(c, "multipleOf", Op::MultipleOf));
  if (c.dialect.since(SchemaDialect::Draft6)) {
    CHECK(limit(c, "minimum", Op::Minimum));
    CHECK(limit(c, "maximum", Op::Maximum));
    CHECK(limit(c, "exclusiveMinimum", Op::ExclusiveMinimum));
    return limit(c, "exclusiveMaximum", Op::ExclusiveMaximum);
  }
  // Draft 4 and OpenAPI 3.0: a flag beside the bound.
  for (const char* const keyword : {"exclusiveMinimum", "exclusiveMaximum"})
    if (const Json* const flag = find(c, keyword); flag != nullptr && !flag->is_bool())
      return wrong(c, *flag, "must be true or false in this dialect");
  const auto is_set = [&](const char* keyword) {
    const Json* const flag = find(c, keyword);
    return flag != nullptr && flag->as_bool();
  };
  CHECK(limit(c, "minimum", is_set("exclusiveMinimum") ? Op::ExclusiveMinimum : Op::Minimum));
  return limit(c, "maximum", is_set("exclusiveMaximum") ? Op::ExclusiveMaximum : Op::Maximum);
}

Result<std::uint64_t> SchemaCompiler::natural(const Context& c, const Json& number) {
  const auto value = number.as_int64();
  if (value && *value >= 0) return static_cast<std::uint64_t>(*value);
  // Beyond what any instance can have, larger is the same.
  if (number.is_integer() && number.number()[0] != '-') return ~std::uint64_t{0} >> 1;
  return wrong(c, number, "must be a whole number, 0 or more");
}

Result<> SchemaCompiler::count(Context& c, std::string_view keyword, Part part, Op op) {
  const Json* const value = find(c, keyword);
  if (value == nullptr) return {};
  TRY(const std::uint64_t number, natural(c, *value));
  const auto capped = static_cast<std::uint32_t>(std::min<std::uint64_t>(number, 0xffff'ffff));
  emit(c, part, op, capped, 0, keyword);
  return {};
}

Result<> SchemaCompiler::counts(Context& c) {
  CHECK(count(c, "minLength", kStrings, Op::MinLength));
  CHECK(count(c, "maxLength", kStrings, Op::MaxLength));
  CHECK(count(c, "minItems", kArrays, Op::MinItems));
  CHECK(count(c, "maxItems", kArrays, Op::MaxItems));
  CHECK(count(c, "minProperties", kObjects, Op::MinProperties));
  CHECK(count(c, "maxProperties", kObjects, Op::MaxProperties));
  const Json* const unique = find(c, "uniqueItems");
  if (unique == nullptr) return {};
  if (!unique->is_bool()) return wrong(c, *unique, "must be true or false");
  if (unique->as_bool()) emit(c, kArrays, Op::UniqueItems, 0, 0, "uniqueItems");
  return {};
}

Result<std::uint32_t> SchemaCompiler::pattern(const Context& c, const Json& at,
                                              std::string_view text) {
  if (const auto known = pattern_numbers_.find(text); known != pattern_numbers_.end())
    return known->second;
  auto compiled = Pattern::compile(text);
  if (!compiled) return wrong(c, at, fmt::format("pattern {}: {}", text, compiled.error().message));
  const auto number = static_cast<std::uint32_t>(program_->patterns.size());
  program_->patterns.push_back(*std::move(compiled));
  pattern_numbers_.emplace(text, number);
  return number;
}

Result<> SchemaCompiler::strings(Context& c) {
  if (const Json* const text = find(c, "pattern"); text != nullptr && c.dialect.validation) {
    if (!text->is_string()) return wrong(c, *text, "must be a regular expression in quotes");
    TRY(const std::uint32_t number, pattern(c, *text, text->as_string()));
    emit(c, kStrings, Op::Pattern, number, 0, "pattern");
  }
  const Json* const format = find(c, "format");
  if (format == nullptr) return {};
  if (!format->is_string()) return wrong(c, *format, "must be the name of a format");
  const FormatCheck check = find_format(format->as_string());
  if (check == nullptr || !(assert_formats_ || c.dialect.format_assertion)) return {};
  program_->formats.push_back(check);
  program_->format_names.emplace_back(format->as_string());
  emit(c, kStrings, Op::Format, static_cast<std::uint32_t>(program_->formats.size() - 1), 0,
       "format");
  return {};
}

}  // namespace weft::contracts
