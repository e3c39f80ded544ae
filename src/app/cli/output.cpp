#include "app/cli/output.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace weft::app {
namespace {

// "a, b"; absent when it is no list of texts.
std::optional<std::string> list_cell(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  std::string text;
  for (const auto& element : value.elements()) {
    if (!element.is_string()) return std::nullopt;
    if (!text.empty()) text += ", ";
    text += element.as_string();
  }
  return text;
}

std::string cell(const Json& row, const std::string& pointer) {
  const auto* value = row.at_pointer(pointer);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return std::string(value->as_string());
  if (value->is_number()) return std::string(value->number());
  if (value->is_bool()) return value->as_bool() ? "yes" : "no";
  if (auto list = list_cell(*value)) return *std::move(list);
  JsonWriter writer;
  writer.value(*value);
  return std::move(writer).text();
}

// Terminal columns of UTF-8 text: one per code point.
std::size_t width(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

bool is_number_column(const Column& column, const std::vector<Json>& rows) {
  bool any = false;
  for (const auto& row : rows) {
    const auto* value = row.at_pointer(column.pointer);
    if (value == nullptr || value->is_null()) continue;
    if (!value->is_number()) return false;
    any = true;
  }
  return any;
}

void append_yaml(std::string& out, const Json& value, std::size_t indent) {
  auto newline = [&] { out += '\n' + std::string(indent, ' '); };
  if (value.is_object() && value.size() > 0) {
    for (const auto& member : value.members()) {
      newline();
      out += json_quoted(member.key()) + ":";
      append_yaml(out, member.value, indent + 2);
    }
  } else if (value.is_array() && value.size() > 0) {
    for (const auto& element : value.elements()) {
      newline();
      out += "-";
      append_yaml(out, element, indent + 2);
    }
  } else {
    JsonWriter writer;
    writer.value(value);
    out += " " + std::move(writer).text();
  }
}

}  // namespace

std::string table_text(const std::vector<Column>& columns, const std::vector<Json>& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : columns) lines[0].push_back(column.title);
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (const auto& column : columns) line.push_back(cell(row, column.pointer));
  }
  std::string out;
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::string pad(widths[i] - width(line[i]), ' ');
      auto to_the_right = is_number_column(columns[i], rows);
      text += to_the_right ? pad + line[i] : line[i] + pad;
      text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string yaml_text(const Json& value) {
  std::string out;
  append_yaml(out, value, 0);
  auto first = out.find_first_not_of(" \n");
  return first == std::string::npos ? "\n" : out.substr(first) + "\n";
}

int show(const Arguments& arguments, const Json& root, const std::vector<Column>& columns,
         const std::vector<Json>& rows) {
  auto form = arguments.get("output");
  if (form == "json") {
    JsonWriter writer;
    writer.value(root);
    fmt::print("{}\n", writer.text());
  } else if (form == "yaml") {
    fmt::print("{}", yaml_text(root));
  } else if (form == "table") {
    fmt::print("{}", table_text(columns, rows));
  } else {
    fmt::print(stderr, "weft: --output must be table, json or yaml, not '{}'\n", form);
    return 1;
  }
  return 0;
}

std::vector<Json> items_of(const Json& root) {
  const auto* items = root.find("items");
  if (items == nullptr || !items->is_array()) return {};
  return {items->elements().begin(), items->elements().end()};
}

int report(const Error& error) {
  fmt::print(stderr, "weft: {}\n", error.message);
  return 1;
}

}  // namespace weft::app
