#include "contracts/business_keys.h"

#include <algorithm>

namespace weft::contracts {

namespace {

constexpr std::string_view kAnnotation = "x-weft-business-key";
constexpr std::size_t kDepthMax = 16;  // also ends a schema that refers to itself
constexpr std::size_t kNameSizeMax = 64;

std::string pointer_token(std::string_view name) {
  std::string token;
  for (char c : name) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}

bool is_key_name(std::string_view name) {
  auto is_fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kNameSizeMax && std::ranges::all_of(name, is_fit);
}

class KeyFinder {
 public:
  explicit KeyFinder(const Json& root) : root_(root) {}

  Result<> visit(const Json& schema, const std::string& pointer, std::size_t depth) {
    if (!schema.is_object() || depth > kDepthMax) return {};
    if (!pointer.empty()) CHECK(read(schema, pointer));
    if (const auto* referred = target_of(schema)) CHECK(visit(*referred, pointer, depth + 1));
    if (const auto* all = schema.find("allOf"); all != nullptr && all->is_array()) {
      for (const auto& part : all->elements()) CHECK(visit(part, pointer, depth + 1));
    }
    const auto* properties = schema.find("properties");
    if (properties == nullptr || !properties->is_object()) return {};
    for (const auto& member : properties->members()) {
      CHECK(visit(member.value, pointer + "/" + pointer_token(member.key()), depth + 1));
    }
    return {};
  }

  std::vector<BusinessKey> take() { return std::move(keys_); }

 private:
  const Json* target_of(const Json& schema) const {
    const auto* reference = schema.find("$ref");
    if (reference == nullptr || !reference->is_string()) return nullptr;
    auto text = reference->as_string();
    return text.starts_with("#/") ? root_.at_pointer(text.substr(1)) : nullptr;
  }

  Result<> read(const Json& schema, const std::string& pointer) {
    const auto* mark = schema.find(kAnnotation);
    if (mark == nullptr || (mark->is_bool() && !mark->as_bool())) return {};
    BusinessKey key{std::string(kBusinessKeyAttribute), pointer};
    if (mark->is_string() && is_key_name(mark->as_string())) {
      key.attribute.append(".").append(mark->as_string());
    } else if (!mark->is_bool()) {
      return fail(ErrorCode::InvalidArgument,
                  "{} of '{}' must be true or a name of letters, digits, '_' and '-'", kAnnotation,
                  pointer);
    }
    auto is_same = [&](const BusinessKey& other) {
      return other.attribute == key.attribute || other.pointer == pointer;
    };
    if (std::ranges::any_of(keys_, is_same)) {
      return fail(ErrorCode::InvalidArgument,
                  "{} of '{}': give each business key of a schema a name of its own", kAnnotation,
                  pointer);
    }
    if (keys_.size() == kBusinessKeysMax) {
      return fail(ErrorCode::InvalidArgument, "{} of '{}': a schema has at most {} business keys",
                  kAnnotation, pointer, kBusinessKeysMax);
    }
    keys_.push_back(std::move(key));
    return {};
  }

  const Json& root_;
  std::vector<BusinessKey> keys_;
};

}  // namespace

Result<std::vector<BusinessKey>> business_keys(const Json& schema) {
  KeyFinder finder(schema);
  CHECK(finder.visit(schema, "", 0));
  return finder.take();
}

std::vector<FoundBusinessKey> find_business_keys(const std::vector<BusinessKey>& keys,
                                                 const Json& payload) {
  std::vector<FoundBusinessKey> found;
  for (const auto& key : keys) {
    const auto* value = payload.at_pointer(key.pointer);
    if (value == nullptr || !(value->is_string() || value->is_number())) continue;
    auto text = value->is_string() ? value->as_string() : value->number();
    if (text.empty() || text.size() > kBusinessKeyBytesMax) continue;
    found.push_back({key.attribute, std::string(text)});
  }
  return found;
}

}  // namespace weft::contracts
