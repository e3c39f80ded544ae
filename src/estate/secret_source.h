// Where the values of secret references come from. A secret field of a resource holds a reference,
// ${env:NAME} or ${secret:path}, and keeps it in everything that is stored or shown; the feature
// that needs the value asks for it when it compiles.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::estate {

// Whether the whole text is one ${env:…} or ${secret:…} reference.
bool is_secret_reference(std::string_view text);

// Any thread; may block.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // The value behind a reference; text that is no reference is its own value.
  virtual Result<std::string> reveal(std::string_view text) const = 0;
};

// Looks a name up in the environment; absent when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

// ${env:X} is the variable X or else the content of the file that X_FILE names, without its last
// line end; NotFound when there is neither. ${secret:…} is Unsupported: this source has no vault.
class EnvironmentSecrets final : public SecretSource {
 public:
  explicit EnvironmentSecrets(Environment environment) : environment_(std::move(environment)) {}
  Result<std::string> reveal(std::string_view text) const override;

 private:
  Environment environment_;
};

}  // namespace weft::estate
