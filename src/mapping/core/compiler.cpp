#include "mapping/core/compiler.h"

#include <algorithm>
#include <utility>

#include "mapping/core/builtins.h"
#include "mapping/core/number.h"
#include "mapping/core/parser.h"
#include "mapping/core/special_forms.h"

namespace weft::mapping {
namespace {

std::optional<Sign> sign_of(std::string_view text) {
  constexpr std::pair<std::string_view, Sign> kSigns[] = {
      {"+", Sign::Add},      {"-", Sign::Subtract},     {"*", Sign::Multiply},
      {"/", Sign::Divide},   {"%", Sign::Remainder},    {"==", Sign::Equal},
      {"!=", Sign::Unequal}, {"<", Sign::Less},         {"<=", Sign::LessEqual},
      {">", Sign::Greater},  {">=", Sign::GreaterEqual}};
  for (const auto& [name, sign] : kSigns)
    if (name == text) return sign;
  return std::nullopt;
}

// Where a program is compiled more than once within itself, as an entry of an object with a text
// for a key, nesting makes it grow.
constexpr std::size_t kNodesMax = 1'000'000;

bool single(const Node* node) {
  return node == nullptr || node->single;
}

bool all_single(const Node& node) {
  if (!single(node.a) || !single(node.b) || !single(node.c) || !single(node.d)) return false;
  for (const Node* kid : node.kids)
    if (!single(kid)) return false;
  for (const Node::Entry& entry : node.entries)
    if (!single(entry.key) || !single(entry.value)) return false;
  return true;
}

bool is_plain_binding(const Node& node) {
  return node.patterns.size() == 1 && node.patterns[0]->kind == Pattern::Kind::Variable;
}

}  // namespace

// What eval_single() of the machine can do.
bool Compiler::is_single(const Node& node) {
  switch (node.op) {
    case Op::Identity:
    case Op::Constant:
    case Op::Variable:
    case Op::Array:
      return true;
    case Op::Field:
    case Op::Index:
    case Op::Slice:
      return !node.optional && all_single(node);
    case Op::Object:
    case Op::Negate:
    case Op::Pipe:
    case Op::Calculate:
    case Op::Compare:
    case Op::And:
    case Op::Or:
    case Op::Alternative:
    case Op::If:
    case Op::Native:
    case Op::Text:
      return all_single(node);
    case Op::Bind:
      return is_plain_binding(node) && single(node.a) && single(node.b);
    case Op::Reduce:
      return is_plain_binding(node) && single(node.b);
    case Op::AnyOf:
    case Op::AllOf:
    case Op::IsEmpty:
      return true;
    case Op::Assign:
    case Op::ModifyBy:
    case Op::Default:
      return single(node.b);
    case Op::Modify:
      return true;
    case Op::Call:
      return node.kids.empty() && node.function->single;
    default:
      return false;
  }
}

Result<std::shared_ptr<const Program>> Compiler::run(std::string_view source,
                                                     std::span<const std::string> variables) {
  auto program = std::make_shared<Program>();
  program->source = source;
  Compiler compiler(*program);
  TRY(const Ast* ast, Parser(program->source, compiler.arena_).program());
  for (const std::string& name : variables)
    compiler.scopes_.push_back({Scope::Kind::Variable, name, 0, 0, compiler.new_slot(), nullptr});
  program->variables = variables.size();
  program->root = compiler.expression(*ast);
  program->slots = compiler.context_.slots;
  if (compiler.failed_) return std::unexpected(std::move(compiler.error_));
  return program;
}

Node* Compiler::refuse(const Ast& at, std::string_view problem) {
  if (!failed_) error_ = error_at(program_.source, at.offset, problem);
  failed_ = true;
  return nullptr;
}

std::string_view Compiler::keep(std::string_view text) {
  return program_.texts.emplace_back(text);
}

Node* Compiler::make(Op op, const Ast& at, std::initializer_list<const Node*> parts) {
  Node& made = program_.nodes.emplace_back();
  made.op = op;
  made.offset = caller_ != nullptr ? caller_->offset : at.offset;
  made.optional = at.optional && op >= Op::Field && op <= Op::Iterate;
  const Node** const places[] = {&made.a, &made.b, &made.c, &made.d};
  std::size_t i = 0;
  for (const Node* part : parts) *places[i++] = part;
  made.single = !failed_ && op != Op::Call && op != Op::Native && is_single(made);
  return &made;
}

Node* Compiler::native(NativeFunction computes, const Ast& at,
                       std::initializer_list<const Node*> kids) {
  Node* const made = make(Op::Native, at);
  made->native = computes;
  made->kids = kids;
  made->single = is_single(*made);
  return made;
}

Node* Compiler::constant(Value value, const Ast& at) {
  Node* const made = make(Op::Constant, at);
  made->constant = std::move(value);
  return made;
}

const Compiler::Scope* Compiler::find(Scope::Kind kind, std::string_view name,
                                      std::uint32_t arity) const {
  for (std::size_t i = scopes_.size(); i > context_.visible_from; --i) {
    const Scope& scope = scopes_[i - 1];
    const bool is_callable = kind == Scope::Kind::Function && scope.kind == Scope::Kind::Parameter;
    if ((scope.kind == kind || is_callable) && scope.arity == arity && scope.name == name)
      return &scope;
  }
  return nullptr;
}

Node* Compiler::optional(const Ast* ast) {
  return ast == nullptr ? nullptr : expression(*ast);
}

Node* Compiler::expression(const Ast& ast) {
  if (program_.nodes.size() > kNodesMax) refuse(ast, "the program is too large");
  if (failed_) return make(Op::Identity, ast);
  Node* made = nullptr;
  switch (ast.kind) {
    case AstKind::Identity:
      return make(Op::Identity, ast);
    case AstKind::RecurseAll:
      return make(Op::Recurse, ast, {make(Op::Try, ast, {make(Op::Iterate, ast)})});
    case AstKind::Field:
      made = make(Op::Field, ast, {optional(ast.a)});
      made->constant = Value::text(keep(ast.text));
      return made;
    case AstKind::Index: {
      Node* const key = expression(*ast.b);
      Node* const target = expression(*ast.a);
      if (failed_ || key->op != Op::Constant || !key->constant.is_string())
        return make(Op::Index, ast, {target, key});
      made = make(Op::Field, ast, {target});
      made->constant = key->constant;
      return made;
    }
    case AstKind::Slice:
      return make(Op::Slice, ast, {expression(*ast.a), optional(ast.b), optional(ast.c)});
    case AstKind::Iterate:
      return make(Op::Iterate, ast, {optional(ast.a)});
    case AstKind::Number:
    case AstKind::Literal:
      return literal(ast);
    case AstKind::Format:
    case AstKind::String:
      return text(ast);
    case AstKind::Array:
      return make(Op::Array, ast, {optional(ast.a)});
    case AstKind::Object:
      return object(ast);
    case AstKind::Negate:
      return make(Op::Negate, ast, {expression(*ast.a)});
    case AstKind::Pipe:
      return make(Op::Pipe, ast, {expression(*ast.a), expression(*ast.b)});
    case AstKind::Comma:
      return make(Op::Comma, ast, {expression(*ast.a), expression(*ast.b)});
    case AstKind::Binary:
      return binary(ast);
    case AstKind::Update:
      return update(ast);
    case AstKind::If:
      return conditional(ast);
    case AstKind::Try:
      return make(Op::Try, ast, {expression(*ast.a), optional(ast.b)});
    case AstKind::Reduce:
    case AstKind::Foreach:
      return loop(ast);
    case AstKind::Bind:
      return bind(ast);
    case AstKind::Label:
    case AstKind::Break:
      return labelled(ast);
    case AstKind::Variable:
      return variable(ast);
    case AstKind::Location:
      return location(ast);
    case AstKind::Call:
      return call(ast);
    case AstKind::Define:
      return define(ast);
  }
  return made;
}

Node* Compiler::literal(const Ast& ast) {
  if (ast.kind == AstKind::Literal) return constant(Value::text(keep(ast.text)), ast);
  // A lexeme that JSON does not have (.5, 5.) gets the digits that are missing.
  std::string lexeme = ast.text;
  if (lexeme.starts_with('.')) lexeme.insert(0, "0");
  const std::size_t point = lexeme.find('.');
  if (point != std::string::npos &&
      (point + 1 == lexeme.size() || lexeme[point + 1] < '0' || lexeme[point + 1] > '9'))
    lexeme.erase(point, 1);
  const std::size_t zeros = std::min(lexeme.find_first_not_of('0'), lexeme.size() - 1);
  const bool keeps_one = zeros > 0 && (lexeme[zeros] < '0' || lexeme[zeros] > '9');
  lexeme.erase(0, keeps_one ? zeros - 1 : zeros);
  const Value number = Value::lexeme(keep(lexeme));
  const auto exact = exact_of(number);
  const bool plain = lexeme.find_first_of(".eE") == std::string::npos && lexeme.size() < 18;
  if (exact && plain)
    return constant(Value::integer(static_cast<std::int64_t>(exact->mantissa)), ast);
  return constant(number, ast);
}

Node* Compiler::text(const Ast& ast) {
  const auto format = format_named(ast.text.empty() ? "text" : ast.text);
  if (!format)
    return refuse(ast, fmt::format("there is no format @{}; there are @text @json @csv @tsv @html "
                                   "@uri @urid @sh @base64 @base64d @base32 @base32d",
                                   ast.text)),
           make(Op::Identity, ast);
  Node* const made = make(Op::Text, ast);
  made->format = *format;
  if (ast.kind == AstKind::Format) {
    made->kids.push_back(make(Op::Identity, ast));
  } else if (ast.kids.empty()) {
    return constant(Value::text(""), ast);
  } else if (ast.kids.size() == 1 && ast.kids[0]->kind == AstKind::Literal) {
    return literal(*ast.kids[0]);
  } else {
    // A literal part is told from an expression by its op; expressions that are constant are
    // wrapped so that they are formatted.
    for (const Ast* kid : ast.kids) {
      Node* part = expression(*kid);
      if (kid->kind != AstKind::Literal && part->op == Op::Constant)
        part = make(Op::Pipe, *kid, {make(Op::Identity, *kid), part});
      made->kids.push_back(part);
    }
  }
  made->single = is_single(*made);
  return made;
}

Node* Compiler::object(const Ast& ast) {
  Node* const made = make(Op::Object, ast);
  for (const Ast::Entry& entry : ast.entries) {
    Node* const key = expression(*entry.key);
    if (!failed_ && key->op == Op::Constant && !key->constant.is_string())
      refuse(*entry.key, "a key must be a string: write it in quotes, or (… | tostring)");
    Node* const value = expression(*entry.value);
    made->entries.push_back({key, value});
  }
  made->single = is_single(*made);
  return made;
}

Node* Compiler::binary(const Ast& ast) {
  Node* const left = expression(*ast.a);
  Node* const right = expression(*ast.b);
  if (ast.text == "and") return make(Op::And, ast, {left, right});
  if (ast.text == "or") return make(Op::Or, ast, {left, right});
  if (ast.text == "//") return make(Op::Alternative, ast, {left, right});
  const Sign sign = *sign_of(ast.text);
  Node* const made = make(sign < Sign::Equal ? Op::Calculate : Op::Compare, ast, {left, right});
  made->sign = sign;
  return made;
}

Node* Compiler::update(const Ast& ast) {
  Node* const paths = expression(*ast.a);
  Node* const value = expression(*ast.b);
  if (ast.text == "=") return make(Op::Assign, ast, {paths, value});
  if (ast.text == "|=") return make(Op::Modify, ast, {paths, value});
  if (ast.text == "//=") return make(Op::Default, ast, {paths, value});
  Node* const made = make(Op::ModifyBy, ast, {paths, value});
  made->sign = *sign_of(std::string_view(ast.text).substr(0, 1));
  return made;
}

Node* Compiler::conditional(const Ast& ast) {
  Node* const condition = expression(*ast.a);
  Node* const yes = expression(*ast.b);
  return make(Op::If, ast,
              {condition, yes, ast.c != nullptr ? expression(*ast.c) : make(Op::Identity, ast)});
}

Node* Compiler::loop(const Ast& ast) {
  Node* const source = expression(*ast.a);
  Node* const start = expression(*ast.b);
  const std::size_t visible = scopes_.size();
  Node* const made = make(ast.kind == AstKind::Reduce ? Op::Reduce : Op::Foreach, ast);
  patterns(ast, *made);
  made->a = source;
  made->b = start;
  made->c = expression(*ast.c);
  made->d = optional(ast.d);
  scopes_.resize(visible);
  made->single = is_single(*made);
  return made;
}

Node* Compiler::bind(const Ast& ast) {
  Node* const source = expression(*ast.a);
  const std::size_t visible = scopes_.size();
  Node* const made = make(Op::Bind, ast);
  patterns(ast, *made);
  made->a = source;
  made->b = expression(*ast.b);
  scopes_.resize(visible);
  made->single = is_single(*made);
  return made;
}

std::uint32_t Compiler::pattern_slot(const std::string& name,
                                     std::vector<std::pair<std::string, std::uint32_t>>& names) {
  for (const auto& [known, slot] : names)
    if (known == name) return slot;
  names.emplace_back(name, new_slot());
  scopes_.push_back({Scope::Kind::Variable, name, 0, context_.level, names.back().second, nullptr});
  return names.back().second;
}

// All alternatives see one set of variables; each leaves null what only the others name.
void Compiler::patterns(const Ast& ast, Node& into) {
  std::vector<std::pair<std::string, std::uint32_t>> names;
  std::vector<std::uint32_t> slots;
  for (const AstPattern* one : ast.patterns) into.patterns.push_back(pattern(*one, slots, names));
  if (into.patterns.size() > 1)
    for (const auto& [name, slot] : names) into.cleared.push_back(slot);
}

const Pattern* Compiler::pattern(const AstPattern& ast, std::vector<std::uint32_t>& slots,
                                 std::vector<std::pair<std::string, std::uint32_t>>& names) {
  Pattern& made = program_.patterns.emplace_back();
  made.offset = ast.offset;
  if (ast.kind == AstPattern::Kind::Variable) {
    made.slot = pattern_slot(ast.variable, names);
    return &made;
  }
  made.kind = ast.kind == AstPattern::Kind::Array ? Pattern::Kind::Array : Pattern::Kind::Object;
  for (const AstPattern::Entry& entry : ast.entries) {
    Pattern::Entry compiled;
    if (entry.key != nullptr) {
      compiled.key = expression(*entry.key);
    } else if (!entry.variable.empty()) {
      Ast at;
      at.offset = ast.offset;
      compiled.key = constant(Value::text(keep(entry.variable)), at);
    }
    if (!entry.variable.empty())
      compiled.slot = static_cast<std::int32_t>(pattern_slot(entry.variable, names));
    if (entry.value != nullptr) compiled.value = pattern(*entry.value, slots, names);
    made.entries.push_back(compiled);
  }
  return &made;
}

Node* Compiler::labelled(const Ast& ast) {
  Node* const made = make(ast.kind == AstKind::Label ? Op::Label : Op::Break, ast);
  if (ast.kind == AstKind::Break) {
    const Scope* const label = find(Scope::Kind::Label, ast.text);
    if (label == nullptr)
      return refuse(ast, fmt::format("there is no label ${0} around this: write 'label ${0} | …'",
                                     ast.text)),
             made;
    made->depth = context_.level - label->level;
    made->slot = label->slot;
    return made;
  }
  const std::size_t visible = scopes_.size();
  made->slot = new_slot();
  scopes_.push_back({Scope::Kind::Label, ast.text, 0, context_.level, made->slot, nullptr});
  made->a = expression(*ast.a);
  scopes_.resize(visible);
  return made;
}

Node* Compiler::variable(const Ast& ast) {
  Node* const made = make(Op::Variable, ast);
  const Scope* const found = find(Scope::Kind::Variable, ast.text);
  if (found == nullptr) {
    if (ast.text == "ENV")
      refuse(ast, "$ENV is not available: a mapping sees its input and its named variables alone");
    else
      refuse(ast, fmt::format("there is no variable ${}: bind it with 'as' or name it when the "
                              "program is compiled",
                              ast.text));
    return made;
  }
  made->depth = context_.level - found->level;
  made->slot = found->slot;
  return made;
}

Node* Compiler::location(const Ast& ast) {
  const TextPosition place = position_at(program_.source, ast.offset);
  auto document =
      JsonDocument::parse(fmt::format(R"({{"file":"<top-level>","line":{}}})", place.line));
  program_.documents.push_back(*std::move(document));
  return constant(Value::of(program_.documents.back().root()), ast);
}

Node* Compiler::define(const Ast& ast) {
  const std::size_t visible = scopes_.size();
  function(ast.function, ast.offset);
  Node* const body = expression(*ast.b);
  scopes_.resize(visible);
  return body;
}

// Leaves the function visible.
const Function* Compiler::function(const AstFunction& ast, std::uint32_t offset) {
  Function& made = program_.functions.emplace_back();
  made.parameters = static_cast<std::uint32_t>(ast.parameters.size());
  scopes_.push_back(
      {Scope::Kind::Function, ast.name, made.parameters, context_.level + 1, 0, &made});
  const std::size_t visible = scopes_.size();
  const Context around = context_;
  context_ = {around.level + 1, 0, around.visible_from};
  for (std::uint32_t i = 0; i < made.parameters; ++i) {
    std::string_view name = ast.parameters[i];
    if (name.starts_with('$')) name.remove_prefix(1);
    scopes_.push_back({Scope::Kind::Parameter, std::string(name), 0, context_.level, i, nullptr});
  }
  Ast at;
  at.offset = offset;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> values;  // parameter, slot
  for (std::uint32_t i = 0; i < made.parameters; ++i) {
    if (!ast.parameters[i].starts_with('$')) continue;
    values.emplace_back(i, new_slot());
    scopes_.push_back({Scope::Kind::Variable, ast.parameters[i].substr(1), 0, context_.level,
                       values.back().second, nullptr});
  }
  Node* body = expression(*ast.body);
  for (; !values.empty(); values.pop_back()) {
    Node* const parameter = make(Op::Closure, at);
    parameter->slot = values.back().first;
    Pattern& pattern = program_.patterns.emplace_back();
    pattern.slot = values.back().second;
    Node* const binding = make(Op::Bind, at);
    binding->a = parameter;
    binding->b = body;
    binding->patterns.push_back(&pattern);
    binding->single = false;
    body = binding;
  }
  made.body = body;
  made.slots = context_.slots;
  made.single = made.parameters == 0 && body->single;
  context_ = around;
  scopes_.resize(visible);
  return &made;
}

Node* Compiler::reentrant(const Ast& ast) {
  if (!ast.binds) return expression(ast);
  Function& made = program_.functions.emplace_back();
  const Context around = context_;
  context_ = {around.level + 1, 0, around.visible_from};
  made.body = expression(ast);
  made.slots = context_.slots;
  context_ = around;
  Node* const enter = make(Op::Enter, ast);
  enter->function = &made;
  return enter;
}

Node* Compiler::call(const Ast& ast) {
  const auto arity = static_cast<std::uint32_t>(ast.kids.size());
  if (const Scope* const found = find(Scope::Kind::Function, ast.text, arity)) {
    if (found->kind == Scope::Kind::Function)
      return call_function(ast, *found->function, found->level);
    Node* const made = make(Op::Closure, ast);
    made->depth = context_.level - found->level;
    made->slot = found->slot;
    return made;
  }
  if (ast.text == "null" && arity == 0) return constant({}, ast);
  if (ast.text == "true" && arity == 0) return constant(Value::boolean(true), ast);
  if (ast.text == "false" && arity == 0) return constant(Value::boolean(false), ast);
  if (const SpecialForm* const form = find_special_form(ast.text, static_cast<int>(arity)))
    return form->compile(*this, ast);
  if (const NativeFunction computes = find_native(ast.text, static_cast<int>(arity))) {
    Node* const made = native(computes, ast, {});
    for (const Ast* kid : ast.kids) made->kids.push_back(expression(*kid));
    made->single = is_single(*made);
    return made;
  }
  if (const Function* const found = builtin(ast)) return call_function(ast, *found, 1);
  if (failed_) return make(Op::Identity, ast);
  if (ast.text == "env")
    refuse(ast, "env is not available: a mapping sees its input and its named variables alone");
  else
    refuse(ast, fmt::format("there is no function {}/{} (name and number of arguments); 'builtins' "
                            "lists what there is",
                            ast.text, arity));
  return make(Op::Identity, ast);
}

Node* Compiler::call_function(const Ast& ast, const Function& called, std::uint32_t level) {
  Node* const made = make(Op::Call, ast);
  made->function = &called;
  made->depth = context_.level - (level - 1);
  for (const Ast* kid : ast.kids) made->kids.push_back(reentrant(*kid));
  made->single = called.body != nullptr && is_single(*made);
  return made;
}

const Function* Compiler::builtin(const Ast& ast) {
  const auto arity = static_cast<std::uint32_t>(ast.kids.size());
  for (const Known& known : builtins_)
    if (known.arity == arity && known.name == ast.text) return known.function;
  const std::string_view source = find_definition(ast.text, static_cast<int>(arity));
  if (source.empty()) return nullptr;
  auto definitions = Parser(source, arena_).definitions();
  ENSURE(definitions && definitions->size() == 1, "a builtin is one definition");
  const Context around = std::exchange(context_, Context{0, 0, scopes_.size()});
  const Ast* const called_from = caller_;
  if (caller_ == nullptr) caller_ = &ast;
  const std::size_t visible = scopes_.size();
  const Function* const made = function(definitions->front(), ast.offset);
  scopes_.resize(visible);
  caller_ = called_from;
  context_ = around;
  builtins_.push_back({ast.text, arity, made});
  return made;
}

}  // namespace weft::mapping
