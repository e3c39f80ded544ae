// Turns schemas into a Program. One object compiles any number of entry schemas of one main
// document into the same program; use it once, on one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "contracts/core/program.h"
#include "contracts/core/schema_registry.h"
#include "contracts/json_schema.h"

namespace weft::contracts {

class SchemaCompiler {
 public:
  // `is_schema`: whether the main document's root is a schema, rather than a document that holds
  // some.
  SchemaCompiler(const Json& root, const SchemaOptions& options, bool is_schema);

  // Compiles the schema at a pointer of the main document, with all that it refers to.
  Result<BlockId> add(std::string_view pointer);
  // Requires that no add() failed. The block numbers of add() stay valid.
  Result<std::shared_ptr<const Program>> finish();

  static JsonSchema schema(std::shared_ptr<const Program> program, BlockId entry) {
    return JsonSchema(std::move(program), entry);
  }

 private:
  using Where = SchemaRegistry::Where;

  // A block under construction.
  struct Draft {
    Block block;
    const Json* schema = nullptr;
    Where where;
    std::array<std::vector<Instruction>, kPartCount> parts;
    std::vector<BlockId> in_place;  // called with the same instance
  };
  // The schema that is being compiled.
  struct Context {
    Draft* draft;
    const Json* schema;
    const Where* where;
    Dialect dialect;
  };

  BlockId block_for(const Json& schema, const Where& where);
  BlockId block_at(const Context& c, const Json& schema, std::string_view keyword);
  BlockId block_at(const Context& c, const Json& schema, std::string_view keyword,
                   std::string_view token);
  Result<> compile_pending();
  Result<> compile(BlockId block);
  Result<> compile_keywords(Context& c);

  Result<> references(Context& c);
  Result<> reference(Context& c, std::string_view keyword);
  Result<> dynamic_reference(Context& c);
  Result<> recursive_reference(Context& c);
  void dynamic_call(Context& c, std::string_view keyword, std::string name, BlockId otherwise);
  Result<bool> add_dynamic_candidates();

  Result<> types(Context& c);
  Result<> values(Context& c);
  Result<> bounds(Context& c);
  Result<> limit(Context& c, std::string_view keyword, Op op);
  Result<> strings(Context& c);
  Result<> counts(Context& c);
  Result<> count(Context& c, std::string_view keyword, Part part, Op op);
  Result<> arrays(Context& c);
  Result<> contains(Context& c);
  Result<> objects(Context& c);
  Result<> members(Context& c);
  Result<> required_names(Context& c, std::vector<std::string>& names);
  Result<> dependencies(Context& c);
  Result<> dependent_names(Context& c, std::string_view keyword, std::string_view name,
                           const Json& list);
  Result<> combinations(Context& c);
  Result<> combination(Context& c, std::string_view keyword, Op op);
  Result<> conditions(Context& c);
  Result<> unevaluated(Context& c);

  const Json* find(const Context& c, std::string_view keyword) const {
    return c.schema->find(keyword);
  }
  void emit(Context& c, Part part, Op op, std::uint32_t a, std::uint32_t b,
            std::string_view keyword);
  void call(Context& c, BlockId block, std::string_view keyword);
  std::uint32_t place(const Where& where, std::string_view keyword);
  std::uint32_t list_of(const std::vector<BlockId>& blocks);
  Result<std::uint32_t> pattern(const Context& c, const Json& at, std::string_view text);
  Result<Bound> bound(const Context& c, const Json& number);
  Result<std::uint64_t> natural(const Context& c, const Json& number);
  Result<ValueSet> value_set(const Context& c, std::span<const Json> values);
  Result<std::vector<std::string>> name_list(const Context& c, const Json& list);
  Result<> check_schema(const Context& c, const Json& value) const;
  // "schema at #/… (line 3, column 5): problem", with the pointer of a value within the schema.
  Failure wrong(const Context& c, const Json& at, std::string_view problem) const;
  std::string location(const Where& where) const;

  Result<> refuse_cycles() const;
  void lay_out();
  void lay_out(Draft& draft, const std::vector<BlockId>& to);
  // Requires that the block's instructions are laid out.
  void choose_checks(Block& block) const;
  struct Wanted;
  std::optional<Range> range_of(const Block& block) const;
  Wanted check_for(const Block& block, Json::Type type) const;
  // Requires all blocks.
  void lay_out(MembersTable& table) const;
  bool fold(Block& block, const Instruction& instruction) const;
  static void redirect(Instruction& instruction, const std::vector<BlockId>& to);
  std::vector<BlockId> forwarded() const;

  SchemaRegistry registry_;
  std::shared_ptr<Program> program_ = std::make_shared<Program>();
  std::deque<Draft> drafts_;
  std::unordered_map<const Json*, BlockId> known_;
  std::vector<BlockId> pending_;
  std::map<std::string, std::uint32_t, std::less<>> pattern_numbers_;
  std::vector<std::string> dynamic_names_;  // of dynamic_targets, by number
  bool assert_formats_ = false;
};

}  // namespace weft::contracts
