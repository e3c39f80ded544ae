// The values of an evaluation: 16 bytes, counted references within one Heap. Private to mapping.
//
// What comes from the input or the program is borrowed and never copied: texts, number lexemes and
// whole containers. What an evaluation makes lives in the entered Heap; a container that only one
// value refers to is changed in place.
#pragma once

#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "mapping/core/heap.h"

namespace weft::mapping {

// In the order in which jq sorts values.
enum class Kind : std::uint8_t { Null, False, True, Number, String, Array, Object };

// "boolean" for both.
std::string_view kind_name(Kind kind);

struct HeapBlock;
struct HeapText;
struct HeapArray;
struct HeapObject;

class Value {
 public:
  enum class Form : std::uint8_t {
    Null,
    False,
    True,
    Decimal,     // mantissa * 10^exponent
    Double,      // what was rounded, and infinite and nan
    Lexeme,      // borrowed text of a number
    Text,        // borrowed characters
    JsonArray,   // borrowed tree
    JsonObject,  // borrowed tree
    HeapLexeme,  // from here on: a block with a count of references
    HeapText,
    HeapArray,
    HeapObject,
  };

  Value() = default;
  Value(const Value& other) : form_(other.form_), extra_(other.extra_), is_(other.is_) { hold(); }
  Value(Value&& other) noexcept : form_(other.form_), extra_(other.extra_), is_(other.is_) {
    other.form_ = Form::Null;
  }
  Value& operator=(const Value& other) {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Value() {
    if (is_counted()) drop();
  }
  void swap(Value& other) noexcept {
    std::swap(form_, other.form_);
    std::swap(extra_, other.extra_);
    std::swap(is_, other.is_);
  }

  static Value boolean(bool value) { return Value(value ? Form::True : Form::False); }
  static Value integer(std::int64_t number) {
    Value made(Form::Decimal);
    made.is_.integer = number;
    return made;
  }
  static Value decimal(std::int64_t mantissa, std::int32_t exponent) {
    Value made = integer(mantissa);
    made.extra_ = static_cast<std::uint32_t>(exponent);
    return made;
  }
  // Stays a double also where it is an integer; see number.h.
  static Value real(double number) {
    Value made(Form::Double);
    made.is_.real = number;
    return made;
  }
  // Borrow; the characters must outlive the evaluation.
  static Value lexeme(std::string_view number) { return borrowed(Form::Lexeme, number); }
  static Value text(std::string_view text) { return borrowed(Form::Text, text); }
  static Value of(const Json& json) {
    constexpr Form kForms[] = {Form::Null, Form::False,     Form::True,      Form::Lexeme,
                               Form::Text, Form::JsonArray, Form::JsonObject};
    const Form form = kForms[static_cast<std::size_t>(json.type())];
    if (form == Form::Lexeme || form == Form::Text) return borrowed(form, json.as_string());
    Value made(form);
    made.is_.json = &json;
    return made;
  }

  // In the entered heap.
  static Value new_lexeme(std::string_view number);
  static Value new_text(std::string_view text);
  static Value new_array(std::size_t capacity = 0);
  static Value new_object(std::size_t capacity = 0);

  Form form() const { return form_; }
  Kind kind() const {
    constexpr Kind kKinds[] = {Kind::Null,   Kind::False,  Kind::True,  Kind::Number, Kind::Number,
                               Kind::Number, Kind::String, Kind::Array, Kind::Object, Kind::Number,
                               Kind::String, Kind::Array,  Kind::Object};
    return kKinds[static_cast<std::size_t>(form_)];
  }
  bool is_null() const { return form_ == Form::Null; }
  bool is_true_like() const { return form_ >= Form::True; }
  bool is_number() const { return kind() == Kind::Number; }
  bool is_string() const { return form_ == Form::Text || form_ == Form::HeapText; }
  bool is_array() const { return form_ == Form::JsonArray || form_ == Form::HeapArray; }
  bool is_object() const { return form_ == Form::JsonObject || form_ == Form::HeapObject; }

  // By form.
  std::int64_t mantissa() const { return is_.integer; }
  std::int32_t exponent() const { return static_cast<std::int32_t>(extra_); }
  bool is_small_integer() const { return form_ == Form::Decimal && extra_ == 0; }
  double real() const { return is_.real; }
  std::string_view lexeme() const;  // of Lexeme and HeapLexeme
  std::string_view text() const {
    return form_ == Form::Text ? std::string_view(is_.chars, extra_) : heap_text();
  }
  const Json& json() const { return *is_.json; }
  const HeapBlock* block() const { return is_.block; }
  HeapArray& array() const { return *is_.array; }
  HeapObject& object() const { return *is_.object; }

  // Elements or members.
  std::uint32_t size() const;

  // Requires an array and index < size().
  Value element(std::uint32_t index) const;
  // Makes it a heap array of its own; the elements may then be changed until it is copied.
  Value* own_elements();
  void append(Value element);
  void resize(std::uint32_t size);  // with null

  // Absent when there is none. Requires an object.
  std::optional<Value> member(std::string_view key) const;
  bool has_member(std::string_view key) const;
  void set_member(Value key, Value value);
  Value* own_member(std::string_view key);  // null when there is none

  // Said after a child was put in through own_elements() or own_member().
  void note_depth(const Value& child);

  // Adds to a text; in place when nobody else has it.
  void append_text(std::string_view more);

 private:
  explicit Value(Form form) : form_(form) {}
  static Value borrowed(Form form, std::string_view chars) {
    Value made(form);
    made.is_.chars = chars.data();
    made.extra_ = static_cast<std::uint32_t>(chars.size());
    return made;
  }
  bool is_counted() const { return form_ >= Form::HeapLexeme; }
  void push(Value element);  // where there is room
  void append_deep(Value element);
  void hold() const;
  void drop();
  std::string_view heap_text() const;
  void own_object();

  Form form_ = Form::Null;
  std::uint32_t extra_ = 0;
  union Is {
    std::int64_t integer = 0;
    double real;
    const char* chars;
    const Json* json;
    HeapBlock* block;
    HeapText* text;
    HeapArray* array;
    HeapObject* object;
  } is_;
};
static_assert(sizeof(Value) == 16);

struct Member {
  Value key;
  Value value;
};

struct HeapBlock {
  std::uint32_t refs;
  std::uint32_t size;
  std::uint32_t capacity;
  Value::Form form;
  std::uint16_t depth;  // of heap containers, itself included
  HeapBlock* next_dead;
};
struct HeapText : HeapBlock {
  char* chars() { return reinterpret_cast<char*>(this + 1); }
  const char* chars() const { return reinterpret_cast<const char*>(this + 1); }
};
struct HeapArray : HeapBlock {
  Value* elements() { return reinterpret_cast<Value*>(this + 1); }
};
struct HeapObject : HeapBlock {
  std::uint32_t* index;  // open addressing over members, each place + 1; absent when there are few
  std::uint32_t index_size;
  Member* members() { return reinterpret_cast<Member*>(this + 1); }
  std::uint32_t find(std::string_view key) const;  // size when there is none
};

inline void Value::hold() const {
  if (is_counted()) ++is_.block->refs;
}
inline void Value::push(Value element) {
  new (is_.array->elements() + is_.array->size++) Value(std::move(element));
}
inline void Value::append(Value element) {
  const bool shallow = element.form_ < Form::HeapArray;
  if (shallow && form_ == Form::HeapArray && is_.array->refs == 1 &&
      is_.array->size < is_.array->capacity)
    push(std::move(element));
  else
    append_deep(std::move(element));
}
inline std::string_view Value::heap_text() const {
  return {is_.text->chars(), is_.text->size};
}
inline std::string_view Value::lexeme() const {
  return form_ == Form::Lexeme ? std::string_view(is_.chars, extra_) : heap_text();
}

// Goes over the members of an object, in their order.
class MemberCursor {
 public:
  explicit MemberCursor(const Value& object);
  bool next();
  const Value& key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  const JsonMember* json_ = nullptr;
  const Member* heap_ = nullptr;
  std::uint32_t left_;
  Value key_;
  Value value_;
};

// -1, 0, 1 in jq's order: null, false, true, numbers, strings, arrays, objects. Both are paid for
// as work of the heap; when it has none left their answer means nothing.
int compare(const Value& a, const Value& b);
bool equal(const Value& a, const Value& b);

// Keys sorted by code points.
std::vector<Member> sorted_members(const Value& object);

}  // namespace weft::mapping
