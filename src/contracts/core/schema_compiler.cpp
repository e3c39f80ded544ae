#include "contracts/core/schema_compiler.h"

#include "contracts/core/uri.h"

namespace weft::contracts {

SchemaCompiler::SchemaCompiler(const Json& root, const SchemaOptions& options, bool is_schema)
    : registry_(options), assert_formats_(options.assert_formats) {
  program_->depth_max = options.depth_max;
  program_->steps_max = options.steps_max;
  drafts_.emplace_back();  // kAcceptAll
  registry_.add_main(root, is_schema);
}

Result<BlockId> SchemaCompiler::add(std::string_view pointer) {
  TRY(const auto target, registry_.at_pointer(pointer));
  const BlockId block = block_for(*target.schema, target.where);
  CHECK(compile_pending());
  return block;
}

Result<> SchemaCompiler::compile_pending() {
  for (;;) {
    while (!pending_.empty()) {
      const BlockId next = pending_.back();
      pending_.pop_back();
      CHECK(compile(next));
    }
    TRY(const bool more, add_dynamic_candidates());
    if (!more) return {};
  }
}

BlockId SchemaCompiler::block_for(const Json& schema, const Where& where) {
  if (schema.type() == Json::Type::True) return kAcceptAll;
  const auto [at, is_new] = known_.try_emplace(&schema, static_cast<BlockId>(drafts_.size()));
  if (!is_new) return at->second;
  Draft& draft = drafts_.emplace_back();
  draft.schema = &schema;
  draft.where = where;
  draft.block.resource = where.resource;
  pending_.push_back(at->second);
  return at->second;
}

BlockId SchemaCompiler::block_at(const Context& c, const Json& schema, std::string_view keyword) {
  const auto found = registry_.find_where(schema);
  if (found) return block_for(schema, *found);
  return block_for(schema,
                   {c.where->resource, c.where->pointer + "/" + escape_pointer_token(keyword)});
}

BlockId SchemaCompiler::block_at(const Context& c, const Json& schema, std::string_view keyword,
                                 std::string_view token) {
  const auto found = registry_.find_where(schema);
  if (found) return block_for(schema, *found);
  return block_for(
      schema, {c.where->resource, c.where->pointer + "/" + escape_pointer_token(keyword) + "/" +
                                      escape_pointer_token(token)});
}

Result<> SchemaCompiler::compile(BlockId block) {
  Draft& draft = drafts_[block];
  const auto& resource = registry_.resource(draft.where.resource);
  Context c{&draft, draft.schema, &draft.where, resource.dialect};
  if (!resource.dialect_problem.empty()) return wrong(c, *draft.schema, resource.dialect_problem);
  CHECK(check_schema(c, *draft.schema));
  draft.block.types_place = place(draft.where, "");
  if (draft.schema->type() == Json::Type::False) {
    draft.block.types = 0;
    return {};
  }
  return compile_keywords(c);
}

Result<> SchemaCompiler::compile_keywords(Context& c) {
  CHECK(references(c));
  if (c.dialect.ref_hides_siblings() && find(c, "$ref") != nullptr) return {};
  if (c.dialect.validation) {
    CHECK(types(c));
    CHECK(values(c));
    CHECK(bounds(c));
    CHECK(counts(c));
  }
  CHECK(strings(c));
  if (c.dialect.applicator) {
    CHECK(arrays(c));
    CHECK(combinations(c));
    CHECK(conditions(c));
  }
  CHECK(objects(c));
  if (c.dialect.unevaluated && c.dialect.since(SchemaDialect::Draft201909)) CHECK(unevaluated(c));
  return {};
}

Result<> SchemaCompiler::references(Context& c) {
  CHECK(reference(c, "$ref"));
  if (c.dialect.draft == SchemaDialect::Draft201909) return recursive_reference(c);
  if (c.dialect.draft == SchemaDialect::Draft202012) return dynamic_reference(c);
  return {};
}

Result<> SchemaCompiler::reference(Context& c, std::string_view keyword) {
  const Json* const ref = find(c, keyword);
  if (ref == nullptr) return {};
  if (!ref->is_string()) return wrong(c, *ref, "must be a reference in quotes");
  const auto target = registry_.resolve(c.where->resource, ref->as_string());
  if (!target) return wrong(c, *ref, target.error().message);
  call(c, block_for(*target->schema, target->where), keyword);
  return {};
}

// 2020-12 core section 8.2.3.2: a plain reference unless it leads to a dynamic anchor of that name.
Result<> SchemaCompiler::dynamic_reference(Context& c) {
  const Json* const ref = find(c, "$dynamicRef");
  if (ref == nullptr) return {};
  if (!ref->is_string()) return wrong(c, *ref, "must be a reference in quotes");
  const auto target = registry_.resolve(c.where->resource, ref->as_string());
  if (!target) return wrong(c, *ref, target.error().message);
  const BlockId otherwise = block_for(*target->schema, target->where);
  std::string name = uri_fragment(ref->as_string());
  const Json* const anchor = target->schema->find("$dynamicAnchor");
  if (anchor == nullptr || !anchor->is_string() || anchor->as_string() != name) {
    call(c, otherwise, "$dynamicRef");
  } else {
    dynamic_call(c, "$dynamicRef", std::move(name), otherwise);
  }
  return {};
}

// 2019-09 core section 8.2.4.2.1.
Result<> SchemaCompiler::recursive_reference(Context& c) {
  const Json* const ref = find(c, "$recursiveRef");
  if (ref == nullptr) return {};
  if (!ref->is_string() || ref->as_string() != "#") return wrong(c, *ref, "must be \"#\"");
  const auto target = registry_.resolve(c.where->resource, "#");
  if (!target) return wrong(c, *ref, target.error().message);
  const BlockId otherwise = block_for(*target->schema, target->where);
  const auto& anchors = registry_.resource(c.where->resource).dynamic_anchors;
  if (anchors.contains(SchemaRegistry::kRecursiveAnchor)) {
    dynamic_call(c, "$recursiveRef", std::string(SchemaRegistry::kRecursiveAnchor), otherwise);
  } else {
    call(c, otherwise, "$recursiveRef");
  }
  return {};
}

void SchemaCompiler::dynamic_call(Context& c, std::string_view keyword, std::string name,
                                  BlockId otherwise) {
  const auto number = static_cast<std::uint32_t>(program_->dynamic_targets.size());
  program_->dynamic_targets.push_back({otherwise, {}});
  program_->is_dynamic = true;
  dynamic_names_.push_back(std::move(name));
  emit(c, kAny, Op::DynamicCall, number, 0, keyword);
}

// Any resource that has a block may be in the dynamic scope. Compiling its anchor may bring in
// more.
Result<bool> SchemaCompiler::add_dynamic_candidates() {
  std::vector<bool> entered(registry_.resource_count());
  for (const Draft& draft : drafts_)
    entered[draft.where.resource] = draft.schema != nullptr || entered[draft.where.resource];
  for (std::size_t t = 0; t < dynamic_names_.size(); ++t) {
    auto& candidates = program_->dynamic_targets[t].candidates;
    candidates.clear();
    for (std::uint32_t r = 0; r < entered.size(); ++r) {
      if (!entered[r]) continue;
      const auto& anchors = registry_.resource(r).dynamic_anchors;
      const auto anchor = anchors.find(dynamic_names_[t]);
      if (anchor == anchors.end()) continue;
      candidates.push_back({r, block_for(*anchor->second, registry_.where(*anchor->second))});
    }
  }
  return !pending_.empty();
}

void SchemaCompiler::emit(Context& c, Part part, Op op, std::uint32_t a, std::uint32_t b,
                          std::string_view keyword) {
  c.draft->parts[part].push_back({op, a, b, place(*c.where, keyword)});
}

void SchemaCompiler::call(Context& c, BlockId block, std::string_view keyword) {
  c.draft->in_place.push_back(block);
  emit(c, kAny, Op::Call, block, 0, keyword);
}

std::uint32_t SchemaCompiler::place(const Where& where, std::string_view keyword) {
  std::string text = location(where);
  if (!keyword.empty()) text.append("/").append(keyword);
  program_->places.push_back(std::move(text));
  return static_cast<std::uint32_t>(program_->places.size() - 1);
}

std::uint32_t SchemaCompiler::list_of(const std::vector<BlockId>& blocks) {
  const auto start = static_cast<std::uint32_t>(program_->lists.size());
  program_->lists.insert(program_->lists.end(), blocks.begin(), blocks.end());
  return start;
}

std::string SchemaCompiler::location(const Where& where) const {
  const std::uint32_t document = registry_.resource(where.resource).document;
  // The main document needs no name.
  return (document == 0 ? "" : registry_.document(document).uri) + "#" + where.pointer;
}

Failure SchemaCompiler::wrong(const Context& c, const Json& at, std::string_view problem) const {
  const std::uint32_t number = registry_.resource(c.where->resource).document;
  const SchemaRegistry::Document& document = registry_.document(number);
  std::string_view text = document.source;
  // A value of a JSON text knows its own place, and so where the text begins.
  if (text.empty() && !at.raw().empty())
    text = {at.raw().data() - at.offset(), at.offset() + at.raw().size()};
  std::string line;
  if (!text.empty()) {
    const TextPosition place = position_at(text, at.offset());
    line = fmt::format(" (line {}, column {})", place.line, place.column);
  }
  const std::string within = pointer_of(*c.schema, at).value_or("");
  return fail(ErrorCode::InvalidArgument, "schema at {}{}{}: {}", location(*c.where), within, line,
              problem);
}

// Draft 4 knows true and false under additionalProperties alone; elsewhere they do no harm.
Result<> SchemaCompiler::check_schema(const Context& c, const Json& value) const {
  if (value.is_object() || value.is_bool()) return {};
  return wrong(c, value, "a schema must be an object, true or false");
}

// A walk in depth first order over calls that stay at one instance.
Result<> SchemaCompiler::refuse_cycles() const {
  enum class State : std::uint8_t { New, Open, Done };
  std::vector<State> states(drafts_.size(), State::New);
  std::vector<std::pair<BlockId, std::size_t>> stack;
  for (BlockId start = 0; start < drafts_.size(); ++start) {
    if (states[start] != State::New) continue;
    stack.emplace_back(start, 0);
    states[start] = State::Open;
    while (!stack.empty()) {
      auto& [block, next] = stack.back();
      if (next == drafts_[block].in_place.size()) {
        states[block] = State::Done;
        stack.pop_back();
        continue;
      }
      const BlockId called = drafts_[block].in_place[next++];
      if (states[called] == State::Open)
        return fail(ErrorCode::InvalidArgument,
                    "schema at {}: refers to itself without going down into the instance",
                    location(drafts_[called].where));
      if (states[called] == State::New) {
        states[called] = State::Open;
        stack.emplace_back(called, 0);
      }
    }
  }
  return {};
}

Result<std::shared_ptr<const Program>> SchemaCompiler::finish() {
  CHECK(refuse_cycles());
  lay_out();
  return std::shared_ptr<const Program>(program_);
}

}  // namespace weft::contracts
