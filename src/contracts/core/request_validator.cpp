#include "contracts/core/request_validator.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/decimal.h"
#include "base/json_writer.h"
#include "contracts/core/uri.h"

namespace weft::contracts {
namespace {

using Kind = RequestViolation::Kind;

constexpr std::string_view kInNames[] = {"path", "query", "header", "cookie"};

// "a+b%20c" of a query is "a b c".
std::string form_decoded(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  return percent_decoded(plain);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool is_json_number(std::string_view text) {
  return Decimal::parse(text).has_value();
}

// A parameter's text as JSON of a type that its schema may accept; else as a text.
std::string typed(std::string_view text, std::uint8_t types) {
  if (types != kAllTypes) {
    if ((types & type_bit(Json::Type::Number)) != 0 && is_json_number(text))
      return std::string(text);
    if ((types & type_bit(Json::Type::True)) != 0 && text == "true") return "true";
    if ((types & type_bit(Json::Type::False)) != 0 && text == "false") return "false";
    if ((types & type_bit(Json::Type::Null)) != 0 && text.empty()) return "null";
  }
  return json_quoted(text);
}

// Kept from request to request, because a fresh parser begins with clearing its memory. A value is
// judged before the next is parsed, and nothing waits in between.
struct Scratch {
  JsonParser parser;
  std::vector<std::string_view> texts;
};

Scratch& scratch_of_thread() {
  thread_local Scratch scratch;
  return scratch;
}

// Runs one request through the parts; collects what is wrong.
class RequestCheck {
 public:
  RequestCheck(const RequestValidator::Parts& parts, const RequestParts& request, std::size_t max)
      : parts_(parts), request_(request), max_(max) {}

  std::vector<RequestViolation> run() {
    for (const Parameter& parameter : parts_.parameters) check(parameter);
    if (parts_.has_body) check_body();
    return std::move(found_);
  }

 private:
  void add(Kind kind, const Parameter& p, std::string pointer, std::string schema,
           std::string message) {
    if (found_.size() >= max_) return;
    found_.push_back({kind, std::string(kInNames[static_cast<std::size_t>(p.in)]), p.name,
                      std::move(pointer), std::move(schema), std::move(message)});
  }
  void add_body(Kind kind, std::string pointer, std::string schema, std::string message) {
    if (found_.size() >= max_) return;
    found_.push_back({kind, "body", "", std::move(pointer), std::move(schema), std::move(message)});
  }

  void check(const Parameter& p) {
    texts_.clear();
    switch (p.in) {
      case Parameter::In::Path:
        if (p.capture < request_.captures.size()) texts_.push_back(request_.captures[p.capture]);
        break;
      case Parameter::In::Query:
        collect(request_.query, '&', p.name, true);
        break;
      case Parameter::In::Header: {
        const auto value = request_.header ? request_.header(p.name) : std::nullopt;
        if (value) texts_.push_back(trimmed(*value));
        break;
      }
      case Parameter::In::Cookie: {
        const auto value = request_.header ? request_.header("Cookie") : std::nullopt;
        if (value) collect(*value, ';', p.name, false);
        break;
      }
    }
    if (texts_.empty()) {
      if (p.required) add(Kind::Missing, p, "", p.place, "is required and missing");
      return;
    }
    check_texts(p);
  }

  // The values of a name among "name=value" pairs.
  void collect(std::string_view pairs, char separator, std::string_view name, bool is_form) {
    while (!pairs.empty()) {
      const std::string_view pair = trimmed(pairs.substr(0, pairs.find(separator)));
      pairs.remove_prefix(std::min(pairs.find(separator), pairs.size() - 1) + 1);
      const std::size_t equals = pair.find('=');
      const std::string_view key = pair.substr(0, equals);
      if (key != name && !(is_form && form_decoded(key) == name)) continue;
      const std::string_view value =
          equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
      // An array's separators are looked for before its elements are decoded.
      texts_.push_back(value);
    }
  }

  std::string decoded(const Parameter& p, std::string_view text) const {
    if (p.in == Parameter::In::Query) return form_decoded(text);
    if (p.in == Parameter::In::Header) return std::string(trimmed(text));
    return percent_decoded(text);
  }

  void check_texts(const Parameter& p) {
    if (texts_.size() > 1 && !(p.is_array && p.explode))
      return add(Kind::Malformed, p, "", p.place, "is given more than once");
    if (p.allow_empty && texts_.size() == 1 && texts_[0].empty()) return;
    const std::string first = decoded(p, texts_[0]);
    bool is_text = is_utf8(first);
    for (std::size_t i = 1; i < texts_.size(); ++i) is_text &= is_utf8(decoded(p, texts_[i]));
    if (!is_text) return add(Kind::Malformed, p, "", p.place, "is not UTF-8");
    if (!p.schema) return;
    if (p.is_json) return check_value(p, first, true);
    const std::string value = p.is_array ? array_of(p) : typed(first, p.types);
    // "5" may be meant as a text where the schema takes both.
    const bool has_other =
        !p.is_array && (p.types & type_bit(Json::Type::String)) != 0 && !value.starts_with('"');
    if (has_other && accepts(p, json_quoted(first))) return;
    check_value(p, value, false);
  }

  std::string array_of(const Parameter& p) const {
    JsonWriter w;
    w.array();
    for (std::string_view rest : texts_) {
      if (p.explode) {
        w.raw(typed(decoded(p, rest), p.element_types));
        continue;
      }
      while (!rest.empty()) {
        const std::size_t end = rest.find(p.separator);
        w.raw(typed(decoded(p, rest.substr(0, end)), p.element_types));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + p.separator.size());
        if (rest.empty()) w.raw(typed("", p.element_types));
      }
    }
    return w.end().text();
  }

  bool accepts(const Parameter& p, const std::string& text) {
    const auto value = parser_.parse(text);
    return value && p.schema->accepts(**value);
  }

  void check_value(const Parameter& p, const std::string& text, bool is_json) {
    const auto value = parser_.parse(text);
    if (!value) {
      const std::string problem = is_json ? "is not JSON: " + value.error().message
                                          : "cannot be read: " + value.error().message;
      return add(Kind::Malformed, p, "", p.place, problem);
    }
    if (p.schema->accepts(**value)) return;
    for (Violation& v : p.schema->violations(**value, max_))
      add(Kind::Invalid, p, std::move(v.instance), std::move(v.schema), std::move(v.message));
  }

  void check_body() {
    if (request_.body.empty() && request_.json == nullptr) {
      if (parts_.body_required)
        add_body(Kind::Missing, "", parts_.body_place, "is required and missing");
      return;
    }
    // Without a Content-Type the body is taken for what most operations want.
    const auto type = request_.header ? request_.header("Content-Type") : std::nullopt;
    const std::string media = media_essence(type.value_or("application/json"));
    const BodyType* const body = find_body(media);
    if (body == nullptr) return add_body(Kind::MediaType, "", parts_.body_place, refused(media));
    if (!is_json_media(media)) return;
    const Json* value = request_.json;
    if (value == nullptr) {
      const auto parsed = parser_.parse(request_.body);
      if (!parsed)
        return add_body(Kind::Malformed, "", parts_.body_place,
                        "is not JSON: " + parsed.error().message);
      value = *parsed;
    }
    if (!body->schema || body->schema->accepts(*value)) return;
    for (Violation& v : body->schema->violations(*value, max_))
      add_body(Kind::Invalid, std::move(v.instance), std::move(v.schema), std::move(v.message));
  }

  const BodyType* find_body(std::string_view media) const {
    const std::string range = std::string(media.substr(0, media.find('/'))) + "/*";
    for (const std::string_view wanted : {media, std::string_view(range), std::string_view("*/*")})
      for (const BodyType& body : parts_.bodies)
        if (body.media == wanted) return &body;
    return nullptr;
  }

  std::string refused(std::string_view media) const {
    std::string known;
    for (const BodyType& body : parts_.bodies)
      known.append(known.empty() ? "" : ", ").append(body.media);
    return fmt::format("the media type {} is not taken here, only {}", media, known);
  }

  const RequestValidator::Parts& parts_;
  const RequestParts& request_;
  std::size_t max_;
  std::vector<std::string_view>& texts_ = scratch_of_thread().texts;
  JsonParser& parser_ = scratch_of_thread().parser;
  std::vector<RequestViolation> found_;
};

}  // namespace

std::string media_essence(std::string_view content_type) {
  return lower_case(trimmed(content_type.substr(0, content_type.find(';'))));
}

bool is_json_media(std::string_view essence) {
  return essence == "application/json" || essence == "text/json" || essence.ends_with("+json");
}

const std::string& RequestValidator::body_rules() const {
  return parts_->body_rules;
}

std::vector<RequestViolation> RequestValidator::violations(const RequestParts& request,
                                                           std::size_t max) const {
  return RequestCheck(*parts_, request, std::max<std::size_t>(max, 1)).run();
}

}  // namespace weft::contracts
