#include "mapping/core/parser.h"

#include <array>
#include <utility>

namespace weft::mapping {
namespace {

constexpr std::size_t kNodesMax = 1'000'000;

struct Operator {
  std::string_view sign;
  int precedence;
  enum class Side : std::uint8_t { Left, Right, None } side;
};

constexpr int kAlternative = 1;
constexpr int kUpdate = 2;
constexpr int kMultiply = 7;
constexpr std::array<Operator, 22> kOperators = {{
    {"//", kAlternative, Operator::Side::Right},
    {"=", kUpdate, Operator::Side::None},
    {"|=", kUpdate, Operator::Side::None},
    {"+=", kUpdate, Operator::Side::None},
    {"-=", kUpdate, Operator::Side::None},
    {"*=", kUpdate, Operator::Side::None},
    {"/=", kUpdate, Operator::Side::None},
    {"%=", kUpdate, Operator::Side::None},
    {"//=", kUpdate, Operator::Side::None},
    {"or", 3, Operator::Side::Left},
    {"and", 4, Operator::Side::Left},
    {"==", 5, Operator::Side::None},
    {"!=", 5, Operator::Side::None},
    {"<", 5, Operator::Side::None},
    {"<=", 5, Operator::Side::None},
    {">", 5, Operator::Side::None},
    {">=", 5, Operator::Side::None},
    {"+", 6, Operator::Side::Left},
    {"-", 6, Operator::Side::Left},
    {"*", kMultiply, Operator::Side::Left},
    {"/", kMultiply, Operator::Side::Left},
    {"%", kMultiply, Operator::Side::Left},
}};

const Operator* operator_of(const Token& token) {
  if (token.kind != TokenKind::Sign && token.kind != TokenKind::Name) return nullptr;
  for (const Operator& one : kOperators)
    if (one.sign == token.text) return &one;
  return nullptr;
}

}  // namespace

Result<Ast*> Parser::program() {
  advance();
  Ast* root = now_.kind == TokenKind::End ? node(AstKind::Identity, 0) : pipe();
  if (!failed_ && now_.kind != TokenKind::End) unexpected("the end of the program");
  if (!failed_) check_height(*root);
  if (failed_) return std::unexpected(std::move(error_));
  return root;
}

Result<std::vector<AstFunction>> Parser::definitions() {
  advance();
  std::vector<AstFunction> all;
  while (!failed_ && take_word("def")) {
    all.emplace_back();
    function(all.back());
  }
  if (!failed_ && now_.kind != TokenKind::End) unexpected("def");
  if (failed_) return std::unexpected(std::move(error_));
  return all;
}

Ast* Parser::node(AstKind kind, std::uint32_t offset) {
  Ast& made = arena_.nodes.emplace_back();
  made.kind = kind;
  made.offset = offset;
  return &made;
}

Ast* Parser::pair(AstKind kind, std::uint32_t offset, Ast* a, Ast* b) {
  if (a == nullptr || b == nullptr) return nullptr;
  Ast* const made = node(kind, offset);
  made->a = a;
  made->b = b;
  made->binds = any_binds(*made);
  return made;
}

Ast* Parser::refuse(const Token& at, std::string_view problem) {
  if (!failed_) error_ = error_at(lexer_.source(), at.offset, problem);
  failed_ = true;
  return nullptr;
}

Ast* Parser::unexpected(std::string_view wanted) {
  if (now_.kind == TokenKind::End)
    return refuse(now_, fmt::format("expected {}, found the end of the program", wanted));
  const std::size_t length = now_.offset < lexer_.source().size() ? now_.text.size() + 1 : 0;
  std::string_view found = lexer_.source().substr(now_.offset, length);
  if (now_.kind != TokenKind::Field && now_.kind != TokenKind::Variable &&
      now_.kind != TokenKind::Format)
    found = now_.text;
  return refuse(now_, fmt::format("expected {}, found '{}'", wanted, found));
}

void Parser::advance() {
  now_ = lexer_.next();
}

bool Parser::take(std::string_view sign) {
  if (failed_ || !now_.is(sign)) return false;
  advance();
  return true;
}

bool Parser::take_word(std::string_view word) {
  if (failed_ || !now_.is_word(word)) return false;
  advance();
  return true;
}

bool Parser::expect(std::string_view sign) {
  if (take(sign)) return true;
  unexpected(fmt::format("'{}'", sign));
  return false;
}

bool Parser::expect_word(std::string_view word) {
  if (take_word(word)) return true;
  unexpected(fmt::format("'{}'", word));
  return false;
}

Ast* Parser::pipe() {
  if (++depth_ > kNestingMax || arena_.nodes.size() > kNodesMax)
    return refuse(now_, fmt::format("nested deeper than {} levels", kNestingMax));
  std::vector<std::pair<Ast*, std::uint32_t>> stages;
  Ast* last = comma();
  while (last != nullptr && now_.is("|")) {
    if (stages.size() == kStagesMax)
      return refuse(now_, fmt::format("a pipe of more than {} stages", kStagesMax));
    stages.emplace_back(last, now_.offset);
    advance();
    last = comma();
  }
  --depth_;
  for (; !stages.empty() && last != nullptr; stages.pop_back())
    last = pair(AstKind::Pipe, stages.back().second, stages.back().first, last);
  return last;
}

Ast* Parser::comma() {
  std::vector<Listed> list{{binary(kAlternative), 0}};
  while (list.back().item != nullptr && now_.is(",")) {
    const std::uint32_t offset = now_.offset;
    advance();
    list.push_back({binary(kAlternative), offset});
  }
  return list.back().item == nullptr ? nullptr : listed(list);
}

// A tree as low as can be, since a list may be long.
Ast* Parser::listed(std::span<const Listed> list) {
  if (list.size() == 1) return list.front().item;
  const std::size_t half = (list.size() + 1) / 2;
  return pair(AstKind::Comma, list[half].offset, listed(list.first(half)),
              listed(list.subspan(half)));
}

// What compiles and runs a program goes down its tree on the native stack. Operators and suffixes
// that follow one another make it high without brackets.
bool Parser::check_height(Ast& root) {
  std::vector<std::pair<Ast*, int>> left{{&root, 1}};
  std::vector<std::pair<const AstPattern*, int>> patterns;
  while (!left.empty()) {
    Ast* const node = left.back().first;
    const int height = left.back().second;
    left.pop_back();
    if (node->height >= height) continue;  // "{"a"}" has one text for key and value
    node->height = height;
    if (height > kHeightMax) {
      if (!failed_)
        error_ =
            error_at(lexer_.source(), node->offset,
                     fmt::format("a chain of more than {} operators: use parentheses, variables "
                                 "or a definition",
                                 kHeightMax));
      failed_ = true;
      return false;
    }
    const auto add = [&](Ast* kid, int more = 1) {
      if (kid != nullptr) left.emplace_back(kid, height + more);
    };
    add(node->a);
    // The stages of a pipe run one after another.
    add(node->b, node->kind == AstKind::Pipe ? 0 : 1);
    add(node->c);
    add(node->d);
    for (Ast* const kid : node->kids) add(kid);
    for (const Ast::Entry& entry : node->entries) add(entry.key), add(entry.value);
    add(node->function.body);
    for (const AstPattern* const one : node->patterns) patterns.emplace_back(one, height);
    while (!patterns.empty()) {
      const auto [pattern, at] = patterns.back();
      patterns.pop_back();
      for (const AstPattern::Entry& entry : pattern->entries) {
        if (entry.key != nullptr) left.emplace_back(entry.key, at + 1);
        if (entry.value != nullptr) patterns.emplace_back(entry.value, at + 1);
      }
    }
  }
  return true;
}

// Precedence climbing; operators of one level that do not associate may not follow one another.
Ast* Parser::binary(int least) {
  if (++depth_ > kNestingMax)
    return refuse(now_, fmt::format("nested deeper than {} levels", kNestingMax));
  Ast* left = operand();
  while (left != nullptr) {
    const Operator* const found = operator_of(now_);
    if (found == nullptr || found->precedence < least) break;
    const Token sign = now_;
    advance();
    Ast* const right =
        binary(found->side == Operator::Side::Right ? found->precedence : found->precedence + 1);
    if (right == nullptr) return nullptr;
    left = pair(found->precedence == kUpdate ? AstKind::Update : AstKind::Binary, sign.offset, left,
                right);
    left->text = sign.text;
    const Operator* const next = operator_of(now_);
    if (found->side == Operator::Side::None && next != nullptr &&
        next->precedence == found->precedence)
      return refuse(
          now_, fmt::format("'{}' cannot follow '{}' without parentheses", now_.text, sign.text));
  }
  --depth_;
  return left;
}

Ast* Parser::operand() {
  const std::uint32_t offset = now_.offset;
  if (take_word("def")) return define(offset);
  if (take_word("label")) return labelled(offset);
  if (take("-")) {
    Ast* const value = binary(kMultiply);
    return negation(offset, value);
  }
  Ast* const source = postfix();
  if (source == nullptr || !take_word("as")) return source;
  Ast* const made = node(AstKind::Bind, offset);
  made->a = source;
  made->binds = true;
  if (!patterns(made->patterns) || !expect("|")) return nullptr;
  made->b = pipe();
  return made->b == nullptr ? nullptr : made;
}

Ast* Parser::negation(std::uint32_t offset, Ast* value) {
  if (value == nullptr) return nullptr;
  Ast* const made = node(AstKind::Negate, offset);
  made->a = value;
  made->binds = value->binds;
  return made;
}

Ast* Parser::labelled(std::uint32_t offset) {
  Ast* const made = node(AstKind::Label, offset);
  made->binds = true;
  if (!variable_name(made->text) || !expect("|")) return nullptr;
  made->a = pipe();
  return made->a == nullptr ? nullptr : made;
}

Ast* Parser::define(std::uint32_t offset) {
  Ast* const made = node(AstKind::Define, offset);
  made->binds = true;
  if (!function(made->function)) return nullptr;
  made->b = pipe();
  return made->b == nullptr ? nullptr : made;
}

bool Parser::function(AstFunction& into) {
  if (now_.kind != TokenKind::Name) return unexpected("the name of a function") != nullptr;
  into.name = now_.text;
  advance();
  if (take("(")) {
    do {
      const bool value = now_.kind == TokenKind::Variable;
      if (!value && now_.kind != TokenKind::Name) return unexpected("a parameter") != nullptr;
      into.parameters.push_back((value ? "$" : "") + std::string(now_.text));
      advance();
    } while (take(";"));
    if (!expect(")")) return false;
  }
  if (!expect(":")) return false;
  into.body = pipe();
  return into.body != nullptr && expect(";");
}

Ast* Parser::conditional(std::uint32_t offset) {
  Ast* const made = node(AstKind::If, offset);
  made->a = pipe();
  if (made->a == nullptr || !expect_word("then")) return nullptr;
  made->b = pipe();
  if (made->b == nullptr) return nullptr;
  const std::uint32_t next = now_.offset;
  if (take_word("elif")) {
    if (++depth_ > kNestingMax) return refuse(now_, "too many elif");
    made->c = conditional(next);
    --depth_;
    if (made->c == nullptr) return nullptr;
  } else {
    if (take_word("else")) {
      made->c = pipe();
      if (made->c == nullptr) return nullptr;
    }
    if (!expect_word("end")) return nullptr;
  }
  made->binds = any_binds(*made);
  return made;
}

Ast* Parser::attempt(std::uint32_t offset) {
  Ast* const made = node(AstKind::Try, offset);
  made->a = postfix();
  if (made->a == nullptr) return nullptr;
  if (take_word("catch")) {
    made->b = postfix();
    if (made->b == nullptr) return nullptr;
  }
  made->binds = any_binds(*made);
  return made;
}

Ast* Parser::loop(AstKind kind, std::uint32_t offset) {
  Ast* const made = node(kind, offset);
  made->binds = true;
  made->a = postfix();
  if (made->a == nullptr || !expect_word("as") || !patterns(made->patterns) || !expect("("))
    return nullptr;
  made->b = pipe();
  if (made->b == nullptr || !expect(";")) return nullptr;
  made->c = pipe();
  if (made->c == nullptr) return nullptr;
  if (kind == AstKind::Foreach && take(";")) {
    made->d = pipe();
    if (made->d == nullptr) return nullptr;
  }
  return expect(")") ? made : nullptr;
}

Ast* Parser::postfix() {
  const bool grouped = now_.is("(");
  Ast* const start = term();
  return start == nullptr ? nullptr : suffixes(start, !grouped);
}

// A '?' right after a suffix is about that suffix alone, else about the whole term.
Ast* Parser::suffixes(Ast* term, bool plain) {
  const auto is_suffix = [](const Ast& ast) {
    return ast.kind == AstKind::Field || ast.kind == AstKind::Index || ast.kind == AstKind::Slice ||
           ast.kind == AstKind::Iterate;
  };
  bool fresh = plain && is_suffix(*term);
  while (term != nullptr && !failed_) {
    const std::uint32_t offset = now_.offset;
    if (now_.is("?//")) {  // not in a pattern: a ? and the operator
      now_ = {TokenKind::Sign, now_.text.substr(1), offset + 1};
    } else if (!take("?")) {
      Ast* const more = suffix(term);
      if (more == term || more == nullptr) return failed_ ? nullptr : term;
      term = more;
      fresh = true;
      continue;
    }
    if (fresh) {
      term->optional = true;
    } else {
      Ast* const made = node(AstKind::Try, offset);
      made->a = term;
      made->binds = term->binds;
      term = made;
    }
    fresh = false;
  }
  return failed_ ? nullptr : term;
}

// The term with one suffix more; itself when there is none.
Ast* Parser::suffix(Ast* term) {
  const std::uint32_t offset = now_.offset;
  if (now_.kind == TokenKind::Field) {
    Ast* const made = node(AstKind::Field, offset);
    made->a = term;
    made->text = now_.text;
    made->binds = term->binds;
    advance();
    return made;
  }
  if (take("[")) return bracket(term);
  if (!take(".")) return term;
  if (now_.kind == TokenKind::Quote) return pair(AstKind::Index, offset, term, text({}));
  return take("[") ? bracket(term) : unexpected("a field's name after '.'");
}

// After the '['.
Ast* Parser::bracket(Ast* term) {
  const std::uint32_t offset = now_.offset;
  Ast* const made = node(AstKind::Iterate, offset);
  made->a = term;
  if (take("]")) {
    made->binds = term->binds;
    return made;
  }
  made->kind = AstKind::Index;
  if (!now_.is(":")) {
    made->b = pipe();
    if (made->b == nullptr) return nullptr;
  }
  if (take(":")) {
    made->kind = AstKind::Slice;
    if (!now_.is("]")) {
      made->c = pipe();
      if (made->c == nullptr) return nullptr;
    } else if (made->b == nullptr) {
      return unexpected("the end of the slice");
    }
  }
  made->binds = any_binds(*made);
  return expect("]") ? made : nullptr;
}

Ast* Parser::term() {
  const std::uint32_t offset = now_.offset;
  switch (now_.kind) {
    case TokenKind::Number: {
      Ast* const made = node(AstKind::Number, offset);
      made->text = now_.text;
      advance();
      return made;
    }
    case TokenKind::Quote:
      return text({});
    case TokenKind::Format: {
      const std::string format(now_.text);
      advance();
      if (now_.kind == TokenKind::Quote) return text(format);
      Ast* const made = node(AstKind::Format, offset);
      made->text = format;
      return made;
    }
    case TokenKind::Field: {
      Ast* const made = node(AstKind::Field, offset);
      made->text = now_.text;
      advance();
      return made;
    }
    case TokenKind::Variable: {
      Ast* const made =
          node(now_.text == "__loc__" ? AstKind::Location : AstKind::Variable, offset);
      made->text = now_.text;
      advance();
      return made;
    }
    case TokenKind::Name:
      return word_term();
    case TokenKind::Sign:
      break;
    case TokenKind::End:
    case TokenKind::Wrong:
      return unexpected("an expression");
  }
  if (take("..")) return node(AstKind::RecurseAll, offset);
  if (take(".")) {
    if (now_.kind == TokenKind::Quote)
      return pair(AstKind::Index, offset, node(AstKind::Identity, offset), text({}));
    return node(AstKind::Identity, offset);
  }
  if (take("(")) {
    Ast* const inner = pipe();
    return inner != nullptr && expect(")") ? inner : nullptr;
  }
  if (take("[")) return array();
  if (take("{")) return object();
  if (take("-")) {
    Ast* const value = postfix();
    return negation(offset, value);
  }
  return unexpected("an expression");
}

Ast* Parser::word_term() {
  const std::uint32_t offset = now_.offset;
  if (take_word("if")) return conditional(offset);
  if (take_word("try")) return attempt(offset);
  if (take_word("reduce")) return loop(AstKind::Reduce, offset);
  if (take_word("foreach")) return loop(AstKind::Foreach, offset);
  if (now_.is_word("break")) {
    advance();
    Ast* const made = node(AstKind::Break, offset);
    return variable_name(made->text) ? made : nullptr;
  }
  if (now_.is_word("import") || now_.is_word("include") || now_.is_word("module"))
    return refuse(now_, fmt::format("'{}': programs have no modules; write the definitions into "
                                    "the program",
                                    now_.text));
  if (is_keyword(now_.text)) return unexpected("an expression");
  return call();
}

Ast* Parser::call() {
  Ast* const made = node(AstKind::Call, now_.offset);
  made->text = now_.text;
  advance();
  if (!take("(")) return made;
  do {
    Ast* const argument = pipe();
    if (argument == nullptr) return nullptr;
    made->kids.push_back(argument);
  } while (take(";"));
  made->binds = any_binds(*made);
  return expect(")") ? made : nullptr;
}

// now_ is the opening quote; the words after the text are read when it has ended.
Ast* Parser::text(std::string_view format) {
  Ast* const made = node(AstKind::String, now_.offset);
  made->text = format;
  for (;;) {
    Ast* const literal = node(AstKind::Literal, now_.offset);
    const Lexer::Piece piece = lexer_.read_text(literal->text);
    if (piece == Lexer::Piece::Wrong) {
      if (!failed_) error_ = lexer_.error();
      failed_ = true;
      return nullptr;
    }
    if (!literal->text.empty()) made->kids.push_back(literal);
    if (piece == Lexer::Piece::End) break;
    advance();
    Ast* const part = pipe();
    if (part == nullptr) return nullptr;
    if (!now_.is(")")) return unexpected("')' after an interpolation");
    made->kids.push_back(part);
  }
  advance();
  made->binds = any_binds(*made);
  return made;
}

Ast* Parser::array() {
  Ast* const made = node(AstKind::Array, now_.offset);
  if (take("]")) return made;
  made->a = pipe();
  if (made->a == nullptr) return nullptr;
  made->binds = made->a->binds;
  return expect("]") ? made : nullptr;
}

}  // namespace weft::mapping
