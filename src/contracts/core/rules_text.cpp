#include "contracts/core/rules_text.h"

#include <fmt/format.h>

#include <map>

namespace weft::contracts {
namespace {

// Writes block after block, numbered in the order in which they are met.
class RulesWriter {
 public:
  explicit RulesWriter(const Program& program) : program_(program) {}

  std::string run(BlockId entry) {
    add("depth", program_.depth_max);
    add("steps", program_.steps_max);
    number_of(entry);
    for (std::size_t next = 0; next < met_.size(); ++next) write(program_.blocks[met_[next]]);
    return std::move(out_);
  }

 private:
  template <class... Parts>
  void add(const Parts&... parts) {
    (fmt::format_to(std::back_inserter(out_), "{} ", parts), ...);
  }
  // With its length, so that it cannot be taken for something else.
  void add_text(std::string_view text) { add(text.size(), text); }
  void add_texts(const std::vector<std::string>& texts) {
    add(texts.size());
    for (const std::string& text : texts) add_text(text);
  }

  // Past blocks that only call another one, as a $ref does; calls at one instance have no cycle.
  BlockId meant(BlockId id) const {
    for (;;) {
      const Block& block = program_.blocks[id];
      const std::uint32_t first = block.first[0];
      if (block.types != kAllTypes || block.integers_only || block.records) return id;
      if (block.first[kPartCount] - first != 1 || program_.code[first].op != Op::Call) return id;
      id = program_.code[first].a;
    }
  }

  std::size_t number_of(BlockId id) {
    const BlockId block = meant(id);
    const auto [at, is_new] = numbers_.try_emplace(block, met_.size());
    if (is_new) met_.push_back(block);
    return at->second;
  }
  void add_blocks(std::uint32_t start, std::uint32_t count) {
    add(count);
    for (std::uint32_t i = 0; i < count; ++i) add(number_of(program_.lists[start + i]));
  }

  void write(const Block& block) {
    add("\nblock", block.types, block.integers_only, block.records);
    for (std::uint32_t at = block.first[0]; at < block.first[kPartCount]; ++at)
      write(program_.code[at]);
  }

  void write(const Instruction& i) {
    add("\n", static_cast<unsigned>(i.op));
    switch (i.op) {
      case Op::Minimum:
      case Op::ExclusiveMinimum:
      case Op::Maximum:
      case Op::ExclusiveMaximum:
      case Op::MultipleOf:
        return add(program_.bounds[i.a].lexeme);
      case Op::MinLength:
      case Op::MaxLength:
      case Op::MinItems:
      case Op::MaxItems:
      case Op::MinProperties:
      case Op::MaxProperties:
      case Op::UniqueItems:
        return add(i.a);
      case Op::Pattern:
        return add_text(program_.patterns[i.a].text());
      case Op::Format:
        return add_text(program_.format_names[i.a]);
      case Op::PrefixItems:
      case Op::AnyOf:
      case Op::OneOf:
        return add_blocks(i.a, i.b);
      case Op::If:
        return add_blocks(i.a, 3);
      case Op::Items:
        return add(number_of(i.a), i.b);
      case Op::PropertyNames:
      case Op::Call:
      case Op::Not:
      case Op::UnevaluatedItems:
      case Op::UnevaluatedProperties:
        return add(number_of(i.a));
      case Op::Contains:
        add(number_of(i.a));
        return write(program_.counts[i.b]);
      case Op::Members:
        return write(program_.members[i.a]);
      case Op::Required:
      case Op::DependentRequired:
        return add_texts(program_.names[i.a]);
      case Op::DependentSchema:
        add_texts(program_.names[i.a]);
        return add(number_of(i.b));
      case Op::Values:
        return write(program_.values[i.a]);
      case Op::DynamicCall:
        return;  // such programs are not written
    }
  }

  void write(const CountRange& range) { add(range.min, range.max, range.marks); }

  void write(const ValueSet& set) {
    add(set.simple_types);
    add_texts(set.strings.names());
    add(set.others.size());
    for (const JsonDocument& other : set.others) add_text(other.root().raw());
  }

  void write(const MembersTable& table) {
    add_texts(table.table.names());
    for (const MembersTable::Name& name : table.names)
      add(name.has_schema ? number_of(name.block) : 0, name.has_schema, name.required_bit);
    add(table.patterns.size());
    for (const MembersTable::ForPattern& each : table.patterns) {
      add_text(program_.patterns[each.pattern].text());
      add(number_of(each.block));
    }
    add(table.has_additional ? number_of(table.additional) : 0, table.has_additional,
        table.required);
  }

  const Program& program_;
  std::string out_;
  std::map<BlockId, std::size_t> numbers_;
  std::vector<BlockId> met_;
};

}  // namespace

std::string rules_text(const Program& program, BlockId entry) {
  if (program.is_dynamic) return {};
  return RulesWriter(program).run(entry);
}

}  // namespace weft::contracts
