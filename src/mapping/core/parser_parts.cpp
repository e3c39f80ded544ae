// Patterns and objects of a program.
#include "mapping/core/parser.h"

namespace weft::mapping {

bool Parser::any_binds(const Ast& node) {
  const auto binds = [](const Ast* kid) { return kid != nullptr && kid->binds; };
  if (binds(node.a) || binds(node.b) || binds(node.c) || binds(node.d)) return true;
  for (const Ast* kid : node.kids)
    if (binds(kid)) return true;
  for (const Ast::Entry& entry : node.entries)
    if (binds(entry.key) || binds(entry.value)) return true;
  return false;
}

bool Parser::variable_name(std::string& into) {
  if (now_.kind != TokenKind::Variable) return unexpected("a $name") != nullptr;
  into = now_.text;
  advance();
  return true;
}

bool Parser::patterns(std::vector<AstPattern*>& into) {
  do {
    AstPattern* const one = pattern();
    if (one == nullptr) return false;
    into.push_back(one);
  } while (take("?//"));
  return true;
}

AstPattern* Parser::pattern() {
  if (++depth_ > kNestingMax) return refuse(now_, "a pattern is nested too deeply"), nullptr;
  AstPattern& made = arena_.patterns.emplace_back();
  made.offset = now_.offset;
  if (take("[")) {
    made.kind = AstPattern::Kind::Array;
    do {
      AstPattern* const element = pattern();
      if (element == nullptr) return nullptr;
      made.entries.push_back({nullptr, {}, element});
    } while (take(","));
    if (!expect("]")) return nullptr;
  } else if (take("{")) {
    made.kind = AstPattern::Kind::Object;
    if (!object_pattern(made)) return nullptr;
  } else if (now_.kind == TokenKind::Variable) {
    variable_name(made.variable);
  } else {
    return unexpected("a pattern: $name, [patterns] or {key: pattern}"), nullptr;
  }
  --depth_;
  return &made;
}

bool Parser::object_pattern(AstPattern& into) {
  do {
    AstPattern::Entry& entry = into.entries.emplace_back();
    bool needs_value = true;
    if (now_.kind == TokenKind::Variable) {
      variable_name(entry.variable);
      needs_value = false;
    } else if (now_.kind == TokenKind::Name) {
      entry.key = node(AstKind::String, now_.offset);
      Ast* const literal = node(AstKind::Literal, now_.offset);
      literal->text = now_.text;
      entry.key->kids.push_back(literal);
      advance();
    } else if (now_.kind == TokenKind::Quote) {
      entry.key = text({});
    } else if (take("(")) {
      entry.key = pipe();
      if (entry.key == nullptr || !expect(")")) return false;
    } else {
      return unexpected("a key: name, $name, \"text\" or (expression)") != nullptr;
    }
    if (failed_) return false;
    if (needs_value || now_.is(":")) {
      if (!expect(":")) return false;
      entry.value = pattern();
      if (entry.value == nullptr) return false;
    }
  } while (take(","));
  return expect("}");
}

Ast* Parser::object() {
  Ast* const made = node(AstKind::Object, now_.offset);
  while (!now_.is("}")) {
    Ast::Entry entry;
    if (!object_entry(entry)) return nullptr;
    made->entries.push_back(entry);
    if (!take(",")) break;
  }
  made->binds = any_binds(*made);
  return expect("}") ? made : nullptr;
}

bool Parser::object_entry(Ast::Entry& entry) {
  const Token key = now_;
  const auto key_text = [&](std::string_view word) {
    entry.key = node(AstKind::String, key.offset);
    Ast* const literal = node(AstKind::Literal, key.offset);
    literal->text = word;
    if (!word.empty()) entry.key->kids.push_back(literal);
  };
  bool needs_value = false;
  if (key.kind == TokenKind::Variable) {
    advance();
    if (now_.is(":")) {
      entry.key = node(key.text == "__loc__" ? AstKind::Location : AstKind::Variable, key.offset);
      entry.key->text = key.text;
    } else {
      key_text(key.text);
      entry.value = node(key.text == "__loc__" ? AstKind::Location : AstKind::Variable, key.offset);
      entry.value->text = key.text;
      return true;
    }
  } else if (key.kind == TokenKind::Name) {
    key_text(key.text);
    advance();
  } else if (key.kind == TokenKind::Number) {
    return refuse(key, fmt::format("a key must be a string: write \"{}\"", key.text)) != nullptr;
  } else if (key.kind == TokenKind::Quote || key.kind == TokenKind::Format) {
    std::string format;
    if (key.kind == TokenKind::Format) {
      format = key.text;
      advance();
      if (now_.kind != TokenKind::Quote) return unexpected("a text after the format") != nullptr;
    }
    entry.key = text(format);
  } else if (take("(")) {
    entry.key = pipe();
    if (entry.key == nullptr || !expect(")")) return false;
    needs_value = true;
  } else {
    return unexpected("a key: name, $name, \"text\" or (expression)") != nullptr;
  }
  if (failed_) return false;
  if (needs_value || now_.is(":")) {
    if (!expect(":")) return false;
    entry.value = object_value();
    return entry.value != nullptr;
  }
  entry.value = pair(AstKind::Index, key.offset, node(AstKind::Identity, key.offset), entry.key);
  return true;
}

Ast* Parser::object_value() {
  Ast* left = alternatives();
  while (left != nullptr && now_.is("|")) {
    const std::uint32_t offset = now_.offset;
    advance();
    left = pair(AstKind::Pipe, offset, left, alternatives());
  }
  return left;
}

}  // namespace weft::mapping
