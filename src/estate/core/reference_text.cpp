#include "estate/core/reference_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace weft::estate {

namespace {

constexpr std::string_view kEnv = "env:";
constexpr std::string_view kSecret = "secret:";
constexpr std::string_view kFile = "file:";
constexpr std::array kSchemes = {kEnv, kSecret, kFile};

bool is_ours(std::string_view inside) {
  return std::ranges::any_of(kSchemes,
                             [&](std::string_view scheme) { return inside.starts_with(scheme); });
}

bool is_variable_name(std::string_view name) {
  auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  auto is_part = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_part);
}

}  // namespace

Result<std::string> environment_value(std::string_view reference, const Environment& environment) {
  auto end = reference.find(":-");
  auto variable = reference.substr(0, end);
  if (!is_variable_name(variable)) {
    return fail(ErrorCode::InvalidArgument, "\"{}\" is not the name of an environment variable",
                variable);
  }
  if (!environment) {
    return fail(ErrorCode::InvalidArgument,
                "${{env:{}}}: environment variables may not be used here", variable);
  }
  if (auto value = environment(variable)) return *std::move(value);
  if (end != std::string_view::npos) return std::string(reference.substr(end + 2));
  return fail(ErrorCode::NotFound, "the environment variable {} is not set", variable);
}

std::optional<std::string_view> whole_reference(std::string_view text) {
  if (!text.starts_with("${") || text.find('}') != text.size() - 1) return {};
  auto inside = text.substr(2, text.size() - 3);
  if (!is_ours(inside)) return {};
  return inside;
}

std::optional<std::string> file_reference(std::string_view text) {
  auto inside = whole_reference(text);
  if (!inside || !inside->starts_with(kFile)) return {};
  return std::string(inside->substr(kFile.size()));
}

bool is_secret_reference(std::string_view text) {
  auto inside = whole_reference(text);
  return inside && !inside->starts_with(kFile);
}

Result<std::string> expand_references(std::string_view text, const Environment& environment) {
  std::string out;
  for (;;) {
    auto start = text.find("${");
    if (start == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, start));
    auto inside = text.substr(start + 2);
    if (!is_ours(inside)) {
      out.append("${");
      text = inside;
      continue;
    }
    if (out.ends_with('$')) {
      out.append("{");
      text = inside;
      continue;
    }
    auto end = inside.find('}');
    if (end == std::string_view::npos) {
      return fail(ErrorCode::InvalidArgument, "the reference ${{{} has no closing brace", inside);
    }
    text = inside.substr(end + 1);
    inside = inside.substr(0, end);
    if (inside.starts_with(kFile)) {
      return fail(ErrorCode::InvalidArgument, "${{{}}} must be the whole value", inside);
    }
    if (inside.starts_with(kSecret)) {
      out.append("${").append(inside).append("}");
      continue;
    }
    TRY(auto value, environment_value(inside.substr(kEnv.size()), environment));
    out.append(value);
  }
}

std::string escape_references(std::string_view text) {
  std::string out;
  for (;;) {
    auto start = text.find("${");
    if (start == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, start));
    auto inside = text.substr(start + 2);
    // A secret reference stays what it is where expand_references() leaves it alone.
    const bool is_kept_secret =
        inside.starts_with(kSecret) && inside.contains('}') && !out.ends_with('$');
    if (is_ours(inside) && !is_kept_secret) out.append("$");
    out.append("${");
    text = inside;
  }
}

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return {};
    return std::string(value);
  };
}

namespace {

constexpr std::size_t kSecretBytesMax = 64 * 1024;

Result<std::string> read_secret_file(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string content(kSecretBytesMax + 1, '\0');
  auto size = descriptor < 0 ? -1 : ::read(descriptor, content.data(), content.size());
  if (descriptor >= 0) ::close(descriptor);
  if (size < 0) return fail(ErrorCode::NotFound, "the secret file {} cannot be read", path);
  if (static_cast<std::size_t>(size) > kSecretBytesMax) {
    return fail(ErrorCode::InvalidArgument, "the secret file {} is larger than {} bytes", path,
                kSecretBytesMax);
  }
  content.resize(static_cast<std::size_t>(size));
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  return content;
}

}  // namespace

Result<std::string> EnvironmentSecrets::reveal(std::string_view text) const {
  auto inside = whole_reference(text);
  if (!inside) return std::string(text);
  if (inside->starts_with(kEnv)) {
    auto reference = inside->substr(kEnv.size());
    auto variable = reference.substr(0, reference.find(":-"));
    if (environment_(variable)) return environment_value(reference, environment_);
    if (auto file = environment_(std::string(variable) + "_FILE")) return read_secret_file(*file);
    return environment_value(reference, environment_);
  }
  return fail(ErrorCode::Unsupported, "{}: this version has no vault; use ${{env:NAME}}", text);
}

}  // namespace weft::estate
