// Keywords that apply schemas to parts of the value, or several to the value itself.
#include <algorithm>

#include "contracts/core/schema_compiler.h"

namespace weft::contracts {
namespace {

constexpr std::size_t kRequiredBits = 64;

}  // namespace

Result<> SchemaCompiler::arrays(Context& c) {
  const bool modern = c.dialect.since(SchemaDialect::Draft202012);
  const Json* const items = find(c, "items");
  const Json* prefix = modern ? find(c, "prefixItems") : nullptr;
  const Json* rest = items;
  std::string_view prefix_keyword = "prefixItems";
  std::string_view rest_keyword = "items";
  if (!modern && items != nullptr && items->is_array()) {
    prefix = items;
    prefix_keyword = "items";
    rest = find(c, "additionalItems");
    rest_keyword = "additionalItems";
  }
  std::uint32_t prefix_size = 0;
  if (prefix != nullptr) {
    if (!prefix->is_array()) return wrong(c, *prefix, "must be a list of schemas");
    std::vector<BlockId> blocks;
    for (const Json& element : prefix->elements()) {
      CHECK(check_schema(c, element));
      blocks.push_back(block_at(c, element, prefix_keyword, std::to_string(blocks.size())));
    }
    prefix_size = prefix->size();
    emit(c, kArrays, Op::PrefixItems, list_of(blocks), prefix_size, prefix_keyword);
  }
  if (rest != nullptr) {
    CHECK(check_schema(c, *rest));
    emit(c, kArrays, Op::Items, block_at(c, *rest, rest_keyword), prefix_size, rest_keyword);
  }
  return contains(c);
}

Result<> SchemaCompiler::contains(Context& c) {
  const Json* const schema = find(c, "contains");
  if (schema == nullptr || c.dialect.is_before(SchemaDialect::Draft6)) return {};
  CHECK(check_schema(c, *schema));
  CountRange range;
  range.marks = c.dialect.since(SchemaDialect::Draft202012);
  range.min_place = range.max_place = place(*c.where, "contains");
  if (c.dialect.since(SchemaDialect::Draft201909) && c.dialect.validation) {
    if (const Json* const least = find(c, "minContains"); least != nullptr) {
      TRY(range.min, natural(c, *least));
      range.min_place = place(*c.where, "minContains");
    }
    if (const Json* const most = find(c, "maxContains"); most != nullptr) {
      TRY(range.max, natural(c, *most));
      range.max_place = place(*c.where, "maxContains");
    }
  }
  program_->counts.push_back(range);
  emit(c, kArrays, Op::Contains, block_at(c, *schema, "contains"),
       static_cast<std::uint32_t>(program_->counts.size() - 1), "contains");
  return {};
}

Result<std::vector<std::string>> SchemaCompiler::name_list(const Context& c, const Json& list) {
  std::vector<std::string> names;
  if (!list.is_array()) return wrong(c, list, "must be a list of names");
  for (const Json& name : list.elements()) {
    if (!name.is_string()) return wrong(c, name, "must be a name in quotes");
    if (std::find(names.begin(), names.end(), name.as_string()) == names.end())
      names.emplace_back(name.as_string());
  }
  return names;
}

Result<> SchemaCompiler::required_names(Context& c, std::vector<std::string>& names) {
  const Json* const list = find(c, "required");
  if (list == nullptr || !c.dialect.validation) return {};
  TRY(names, name_list(c, *list));
  return {};
}

Result<> SchemaCompiler::objects(Context& c) {
  CHECK(members(c));
  if (c.dialect.applicator && c.dialect.since(SchemaDialect::Draft6)) {
    if (const Json* const schema = find(c, "propertyNames"); schema != nullptr) {
      CHECK(check_schema(c, *schema));
      emit(c, kObjects, Op::PropertyNames, block_at(c, *schema, "propertyNames"), 0,
           "propertyNames");
    }
  }
  return dependencies(c);
}

// One pass over the members serves four keywords. Names that are only required join the table, up
// to the bits of a word; those beyond, and those of a schema that has no other of the four, are
// looked up.
Result<> SchemaCompiler::members(Context& c) {
  const bool applies = c.dialect.applicator;
  const Json* const properties = applies ? find(c, "properties") : nullptr;
  const Json* const patterns = applies ? find(c, "patternProperties") : nullptr;
  const Json* const additional = applies ? find(c, "additionalProperties") : nullptr;
  for (const Json* const map : {properties, patterns})
    if (map != nullptr && !map->is_object()) return wrong(c, *map, "must be an object of schemas");
  std::vector<std::string> required;
  CHECK(required_names(c, required));
  const bool has_table = properties != nullptr || patterns != nullptr || additional != nullptr;
  const std::size_t in_table = has_table ? std::min(required.size(), kRequiredBits) : 0;

  if (in_table < required.size()) {
    program_->names.emplace_back(required.begin() + static_cast<std::ptrdiff_t>(in_table),
                                 required.end());
    emit(c, kObjects, Op::Required, static_cast<std::uint32_t>(program_->names.size() - 1), 0,
         "required");
  }
  if (!has_table) return {};

  MembersTable table;
  std::vector<std::string> names;
  if (properties != nullptr) {
    for (const JsonMember& member : properties->members()) {
      CHECK(check_schema(c, member.value));
      names.emplace_back(member.key());
      table.names.push_back({block_at(c, member.value, "properties", member.key()), true, 0});
    }
  }
  for (std::size_t i = 0; i < in_table; ++i) {
    auto known = std::find(names.begin(), names.end(), required[i]) - names.begin();
    if (known == static_cast<std::ptrdiff_t>(names.size())) {
      names.push_back(required[i]);
      table.names.emplace_back();
    }
    const std::uint64_t bit = std::uint64_t{1} << i;
    table.names[static_cast<std::size_t>(known)].required_bit = bit;
    table.required |= bit;
  }
  table.required_place = place(*c.where, "required");
  table.table = NameTable(std::move(names));
  for (const JsonMember& member :
       patterns == nullptr ? std::span<const JsonMember>() : patterns->members()) {
    CHECK(check_schema(c, member.value));
    TRY(const std::uint32_t number, pattern(c, member.value, member.key()));
    table.patterns.push_back(
        {number, block_at(c, member.value, "patternProperties", member.key())});
  }
  if (additional != nullptr) {
    CHECK(check_schema(c, *additional));
    table.has_additional = true;
    table.additional = block_at(c, *additional, "additionalProperties");
  }
  program_->members.push_back(std::move(table));
  emit(c, kObjects, Op::Members, static_cast<std::uint32_t>(program_->members.size() - 1), 0, "");
  return {};
}

Result<> SchemaCompiler::dependent_names(Context& c, std::string_view keyword,
                                         std::string_view name, const Json& list) {
  TRY(auto names, name_list(c, list));
  names.insert(names.begin(), std::string(name));
  program_->names.push_back(std::move(names));
  emit(c, kObjects, Op::DependentRequired, static_cast<std::uint32_t>(program_->names.size() - 1),
       0, keyword);
  return {};
}

Result<> SchemaCompiler::dependencies(Context& c) {
  const bool modern = c.dialect.since(SchemaDialect::Draft201909);
  struct Source {
    const char* keyword;
    bool lists, schemas;
  };
  // 2019-09 split `dependencies`; it still works, as the specification's compatibility note
  // advises.
  const Source sources[] = {{"dependencies", c.dialect.validation, c.dialect.applicator},
                            {"dependentRequired", modern && c.dialect.validation, false},
                            {"dependentSchemas", false, modern && c.dialect.applicator}};
  for (const Source& source : sources) {
    const Json* const map = find(c, source.keyword);
    if (map == nullptr || !(source.lists || source.schemas)) continue;
    if (!map->is_object()) return wrong(c, *map, "must be an object");
    for (const JsonMember& member : map->members()) {
      if (source.lists && (member.value.is_array() || !source.schemas)) {
        CHECK(dependent_names(c, source.keyword, member.key(), member.value));
        continue;
      }
      if (!source.schemas) continue;
      CHECK(check_schema(c, member.value));
      const BlockId block = block_at(c, member.value, source.keyword, member.key());
      c.draft->in_place.push_back(block);
      program_->names.push_back({std::string(member.key())});
      emit(c, kObjects, Op::DependentSchema, static_cast<std::uint32_t>(program_->names.size() - 1),
           block, source.keyword);
    }
  }
  return {};
}

Result<> SchemaCompiler::combination(Context& c, std::string_view keyword, Op op) {
  const Json* const list = find(c, keyword);
  if (list == nullptr) return {};
  if (!list->is_array() || list->size() == 0)
    return wrong(c, *list, "must be a list of at least one schema");
  std::vector<BlockId> blocks;
  for (const Json& element : list->elements()) {
    CHECK(check_schema(c, element));
    blocks.push_back(block_at(c, element, keyword, std::to_string(blocks.size())));
    c.draft->in_place.push_back(blocks.back());
    if (op == Op::Call) emit(c, kAny, Op::Call, blocks.back(), 0, keyword);
  }
  if (op != Op::Call) emit(c, kAny, op, list_of(blocks), list->size(), keyword);
  return {};
}

Result<> SchemaCompiler::combinations(Context& c) {
  CHECK(combination(c, "allOf", Op::Call));
  CHECK(combination(c, "anyOf", Op::AnyOf));
  CHECK(combination(c, "oneOf", Op::OneOf));
  const Json* const schema = find(c, "not");
  if (schema == nullptr) return {};
  CHECK(check_schema(c, *schema));
  const BlockId block = block_at(c, *schema, "not");
  c.draft->in_place.push_back(block);
  emit(c, kAny, Op::Not, block, 0, "not");
  return {};
}

Result<> SchemaCompiler::conditions(Context& c) {
  const Json* const condition = find(c, "if");
  if (condition == nullptr || c.dialect.is_before(SchemaDialect::Draft7)) return {};
  std::vector<BlockId> blocks;
  for (const char* const keyword : {"if", "then", "else"}) {
    const Json* const schema = find(c, keyword);
    if (schema != nullptr) CHECK(check_schema(c, *schema));
    blocks.push_back(schema == nullptr ? kAcceptAll : block_at(c, *schema, keyword));
    c.draft->in_place.push_back(blocks.back());
  }
  emit(c, kAny, Op::If, list_of(blocks), 0, "if");
  return {};
}

Result<> SchemaCompiler::unevaluated(Context& c) {
  for (const auto& [keyword, op] :
       {std::pair("unevaluatedItems", Op::UnevaluatedItems),
        std::pair("unevaluatedProperties", Op::UnevaluatedProperties)}) {
    const Json* const schema = find(c, keyword);
    if (schema == nullptr) continue;
    CHECK(check_schema(c, *schema));
    c.draft->block.records = true;
    emit(c, kLast, op, block_at(c, *schema, keyword), 0, keyword);
  }
  return {};
}

}  // namespace weft::contracts
