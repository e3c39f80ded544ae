#include "estate/core/field_changes.h"

#include <algorithm>

#include "estate/core/canonical_json.h"
#include "estate/core/pointer_pattern.h"
#include "estate/secret_source.h"

namespace weft::estate {

namespace {

JsonSubstitute redaction(const std::vector<std::string>& secret_fields) {
  if (secret_fields.empty()) return nullptr;
  return [&secret_fields](const std::string& pointer,
                          const Json& value) -> std::optional<std::string> {
    if (value.is_object() || value.is_array() || value.is_null()) return {};
    if (!is_at_or_below_any(pointer, secret_fields)) return {};
    if (value.is_string() && is_secret_reference(value.as_string())) return {};
    return std::string(kRedacted);
  };
}

// Walks both values at once and calls `differ(pointer, before, after)` at the top of each
// difference.
template <class Differ>
class Comparison {
 public:
  explicit Comparison(Differ differ) : differ_(std::move(differ)) {}

  void compare(const Json& before, const Json& after) {
    if (before.is_object() && after.is_object()) {
      compare_members(before, after);
    } else if (before.is_array() && after.is_array()) {
      compare_elements(before, after);
    } else if (!(before == after)) {
      differ_(pointer_, &before, &after);
    }
  }

 private:
  void compare_members(const Json& before, const Json& after) {
    for (const auto& member : before.members()) {
      visit(escape_pointer_token(member.key()), &member.value, after.find(member.key()));
    }
    for (const auto& member : after.members()) {
      if (before.find(member.key()) != nullptr) continue;
      visit(escape_pointer_token(member.key()), nullptr, &member.value);
    }
  }

  void compare_elements(const Json& before, const Json& after) {
    auto old_ones = before.elements();
    auto new_ones = after.elements();
    for (std::size_t i = 0; i < std::max(old_ones.size(), new_ones.size()); ++i) {
      visit(std::to_string(i), i < old_ones.size() ? &old_ones[i] : nullptr,
            i < new_ones.size() ? &new_ones[i] : nullptr);
    }
  }

  void visit(const std::string& token, const Json* before, const Json* after) {
    auto length = pointer_.size();
    pointer_ += '/';
    pointer_ += token;
    if (before != nullptr && after != nullptr) {
      compare(*before, *after);
    } else {
      differ_(pointer_, before, after);
    }
    pointer_.resize(length);
  }

  Differ differ_;
  std::string pointer_;
};

void collect_places(const Json& value, const std::string& pointer,
                    std::vector<std::string>& places) {
  bool is_leaf = true;
  if (value.is_object()) {
    for (const auto& member : value.members()) {
      collect_places(member.value, pointer + "/" + escape_pointer_token(member.key()), places);
      is_leaf = false;
    }
  } else if (value.is_array()) {
    std::size_t index = 0;
    for (const auto& element : value.elements()) {
      collect_places(element, pointer + "/" + std::to_string(index++), places);
      is_leaf = false;
    }
  }
  if (is_leaf) places.push_back(pointer);
}

}  // namespace

std::vector<FieldChange> field_changes(const Json& before, const Json& after,
                                       const std::vector<std::string>& secret_fields) {
  std::vector<FieldChange> changes;
  auto redact = redaction(secret_fields);
  auto shown = [&](const std::string& pointer, const Json* value) -> std::optional<std::string> {
    if (value == nullptr) return {};
    return canonical_json(*value, redact, pointer);
  };
  Comparison comparison([&](const std::string& pointer, const Json* old_one, const Json* new_one) {
    changes.push_back({pointer, shown(pointer, old_one), shown(pointer, new_one)});
  });
  comparison.compare(before, after);
  return changes;
}

std::vector<std::string> changed_places(const Json& before, const Json& after) {
  std::vector<std::string> places;
  Comparison comparison([&](const std::string& pointer, const Json* old_one, const Json* new_one) {
    if (old_one != nullptr) collect_places(*old_one, pointer, places);
    if (new_one != nullptr) collect_places(*new_one, pointer, places);
  });
  comparison.compare(before, after);
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  return places;
}

std::string redacted_text(const Json& root, const std::vector<std::string>& secret_fields) {
  return canonical_json(root, redaction(secret_fields));
}

}  // namespace weft::estate
