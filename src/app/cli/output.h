// How the command line shows an answer: a table for people, JSON or YAML for programs (-o).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/cli/arguments.h"
#include "base/json.h"

namespace weft::app {

// A column: its title and the JSON Pointer into each row.
struct Column {
  std::string title;
  std::string pointer;
};

// Columns padded to their widest value; numbers to the right. Missing values are "-".
std::string table_text(const std::vector<Column>& columns, const std::vector<Json>& rows);

// A JSON tree as YAML.
std::string yaml_text(const Json& value);

// Shows `root` as asked by -o: the table of `rows` when it is "table". Returns the exit status; an
// unknown form is an error on standard error.
int show(const Arguments& arguments, const Json& root, const std::vector<Column>& columns,
         const std::vector<Json>& rows);

// The elements of `items` of a list answer.
std::vector<Json> items_of(const Json& root);

// Prints "weft: message" on standard error and returns 1.
int report(const Error& error);

}  // namespace weft::app
