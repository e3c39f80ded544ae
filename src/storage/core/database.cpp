#include "storage/database.h"

namespace weft {

namespace {

template <class T>
const T& typed(const SqlValue& value) {
  const auto* held = std::get_if<T>(&value);
  ENSURE(held != nullptr, "a column is read as the type that the query selects");
  return *held;
}

bool is_null_value(const SqlValue& value) {
  return std::holds_alternative<std::monostate>(value);
}

}  // namespace

Query::Query(std::string query_sql, SqlParameters query_parameters)
    : sql(std::move(query_sql)), parameters(std::move(query_parameters)) {}

bool Row::is_null(std::size_t column) const {
  return is_null_value(values_.at(column));
}

std::int64_t Row::integer(std::size_t column) const {
  return typed<std::int64_t>(values_.at(column));
}

const std::string& Row::text(std::size_t column) const {
  return typed<std::string>(values_.at(column));
}

const std::string& Row::blob(std::size_t column) const {
  return typed<SqlBlob>(values_.at(column)).bytes;
}

std::optional<std::int64_t> Row::optional_integer(std::size_t column) const {
  if (is_null(column)) return {};
  return integer(column);
}

std::optional<std::string> Row::optional_text(std::size_t column) const {
  if (is_null(column)) return {};
  return text(column);
}

Task<Result<Rows>> Database::query(Query query) {
  std::vector<Query> queries;
  queries.push_back(std::move(query));
  CO_TRY(auto results, co_await snapshot(std::move(queries)));
  co_return std::move(results.front());
}

Unit& Unit::add(std::string sql, SqlParameters parameters) {
  statements_.push_back({std::move(sql), std::move(parameters), {}, {}});
  return *this;
}

Unit& Unit::add_guarded(std::int64_t rows, std::string otherwise, std::string sql,
                        SqlParameters parameters) {
  statements_.push_back({std::move(sql), std::move(parameters), rows, std::move(otherwise)});
  return *this;
}

Unit& Unit::append(Unit other) {
  for (auto& statement : other.statements_) statements_.push_back(std::move(statement));
  return *this;
}

}  // namespace weft
