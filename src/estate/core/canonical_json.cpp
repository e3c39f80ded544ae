#include "estate/core/canonical_json.h"

#include <algorithm>
#include <vector>

#include "base/json_writer.h"

namespace weft::estate {

namespace {

class Canonical {
 public:
  Canonical(const JsonSubstitute& substitute, std::string pointer)
      : substitute_(substitute), pointer_(std::move(pointer)) {}

  void write(const Json& value) {
    if (substitute_) {
      if (auto other = substitute_(pointer_, value)) {
        out_.raw(*other);
        return;
      }
    }
    switch (value.type()) {
      case Json::Type::Null:
        out_.null();
        return;
      case Json::Type::False:
      case Json::Type::True:
        out_.value(value.as_bool());
        return;
      case Json::Type::Number:
        out_.raw(value.number());
        return;
      case Json::Type::String:
        out_.value(value.as_string());
        return;
      case Json::Type::Array:
        write_array(value);
        return;
      case Json::Type::Object:
        write_object(value);
        return;
    }
  }

  std::string text() && { return std::move(out_).text(); }

 private:
  void write_array(const Json& value) {
    out_.array();
    std::size_t index = 0;
    for (const auto& element : value.elements()) below(std::to_string(index++), element);
    out_.end();
  }

  void write_object(const Json& value) {
    std::vector<const JsonMember*> members;
    for (const auto& member : value.members()) members.push_back(&member);
    std::ranges::sort(members, {}, [](const JsonMember* member) { return member->key(); });
    out_.object();
    for (const auto* member : members) {
      out_.key(member->key());
      below(escape_pointer_token(member->key()), member->value);
    }
    out_.end();
  }

  void below(const std::string& token, const Json& value) {
    auto length = pointer_.size();
    pointer_ += '/';
    pointer_ += token;
    write(value);
    pointer_.resize(length);
  }

  const JsonSubstitute& substitute_;
  std::string pointer_;
  JsonWriter out_;
};

}  // namespace

std::string canonical_json(const Json& value, const JsonSubstitute& substitute,
                           std::string pointer) {
  Canonical canonical(substitute, std::move(pointer));
  canonical.write(value);
  return std::move(canonical).text();
}

}  // namespace weft::estate
