#include "mapping/core/value.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/bytes.h"
#include "mapping/core/number.h"

namespace weft::mapping {
namespace {

constexpr std::uint32_t kUnindexedMax = 12;

std::size_t element_bytes(Value::Form form) {
  if (form == Value::Form::HeapArray) return sizeof(Value);
  return form == Value::Form::HeapObject ? sizeof(Member) : 1;
}

std::size_t header_bytes(Value::Form form) {
  return form == Value::Form::HeapObject ? sizeof(HeapObject) : sizeof(HeapBlock);
}

std::size_t block_bytes(Value::Form form, std::size_t capacity) {
  return header_bytes(form) + capacity * element_bytes(form);
}

HeapBlock* new_block(Value::Form form, std::size_t capacity) {
  void* const room = Heap::current().take(block_bytes(form, capacity));
  auto* const block = static_cast<HeapBlock*>(room);
  block->refs = 1;
  block->size = 0;
  block->capacity = static_cast<std::uint32_t>(capacity);
  block->form = form;
  block->depth = 1;
  block->next_dead = nullptr;
  if (form == Value::Form::HeapObject) {
    static_cast<HeapObject*>(block)->index = nullptr;
    static_cast<HeapObject*>(block)->index_size = 0;
  }
  return block;
}

std::uint32_t hash_of(std::string_view key) {
  return static_cast<std::uint32_t>(fnv1a(key));
}

void drop_index(HeapObject& object) {
  if (object.index != nullptr)
    Heap::current().give(object.index, object.index_size * sizeof(std::uint32_t));
  object.index = nullptr;
  object.index_size = 0;
}

void put_in_index(HeapObject& object, std::uint32_t place) {
  const std::uint32_t mask = object.index_size - 1;
  std::uint32_t at = hash_of(object.members()[place].key.text()) & mask;
  while (object.index[at] != 0) at = (at + 1) & mask;
  object.index[at] = place + 1;
}

void make_index(HeapObject& object) {
  drop_index(object);
  std::uint32_t size = 32;
  while (size < object.size * 2 + 2) size *= 2;
  object.index = static_cast<std::uint32_t*>(Heap::current().take(size * sizeof(std::uint32_t)));
  object.index_size = size;
  std::memset(object.index, 0, size * sizeof(std::uint32_t));
  for (std::uint32_t i = 0; i < object.size; ++i) put_in_index(object, i);
}

// Moves what the block holds into a larger one.
HeapBlock* grown(HeapBlock* block, std::size_t at_least) {
  const std::size_t capacity = std::max<std::size_t>(at_least, block->capacity * std::size_t{2});
  HeapBlock* const larger = new_block(block->form, capacity);
  const std::size_t header = header_bytes(block->form);
  std::memcpy(reinterpret_cast<char*>(larger) + header, reinterpret_cast<char*>(block) + header,
              block->size * element_bytes(block->form));
  larger->size = block->size;
  larger->depth = block->depth;
  if (block->form == Value::Form::HeapObject) drop_index(*static_cast<HeapObject*>(block));
  Heap::current().give(block, block_bytes(block->form, block->capacity));
  return larger;
}

int sign(std::size_t a, std::size_t b) {
  return a < b ? -1 : (a > b ? 1 : 0);
}

// What is compared is paid for here: parts may be shared, so that there are far more than were
// made.
bool may_compare(const Value& a) {
  return Heap::current().work(1 + std::size_t{a.size()});
}
bool is_same_block(const Value& a, const Value& b) {
  return a.form() == b.form() && a.form() >= Value::Form::HeapArray && a.block() == b.block();
}

int compare_arrays(const Value& a, const Value& b) {
  if (is_same_block(a, b) || !may_compare(a)) return 0;
  const std::uint32_t common = std::min(a.size(), b.size());
  for (std::uint32_t i = 0; i < common; ++i)
    if (const int order = compare(a.element(i), b.element(i)); order != 0) return order;
  return sign(a.size(), b.size());
}

int compare_texts(std::string_view a, std::string_view b) {
  const int order = a.compare(b);
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

int compare_objects(const Value& a, const Value& b) {
  if (is_same_block(a, b) || !may_compare(a)) return 0;
  const auto left = sorted_members(a);
  const auto right = sorted_members(b);
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const int order = compare_texts(left[i].key.text(), right[i].key.text());
    if (order != 0) return order;
  }
  if (const int order = sign(left.size(), right.size()); order != 0) return order;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (const int order = compare(left[i].value, right[i].value); order != 0) return order;
  return 0;
}

bool equal_objects(const Value& a, const Value& b) {
  for (MemberCursor at(a); at.next();) {
    const auto other = b.member(at.key().text());
    if (!other || !equal(at.value(), *other)) return false;
  }
  return true;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  constexpr std::string_view kNames[] = {"null",   "boolean", "boolean", "number",
                                         "string", "array",   "object"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value Value::new_text(std::string_view text) {
  Value made(Form::HeapText);
  made.is_.block = new_block(Form::HeapText, text.size());
  std::memcpy(made.is_.text->chars(), text.data(), text.size());
  made.is_.block->size = static_cast<std::uint32_t>(text.size());
  return made;
}

Value Value::new_lexeme(std::string_view number) {
  Value made = new_text(number);
  made.form_ = Form::HeapLexeme;
  made.is_.block->form = Form::HeapLexeme;
  return made;
}

Value Value::new_array(std::size_t capacity) {
  Value made(Form::HeapArray);
  made.is_.block = new_block(Form::HeapArray, capacity);
  return made;
}

Value Value::new_object(std::size_t capacity) {
  Value made(Form::HeapObject);
  made.is_.block = new_block(Form::HeapObject, capacity);
  return made;
}

// Frees without recursion, however deep the value is.
void Value::drop() {
  if (--is_.block->refs != 0) return;
  HeapBlock* dead = is_.block;
  dead->next_dead = nullptr;
  auto release = [&dead](Value& child) {
    if (child.is_counted() && --child.is_.block->refs == 0) {
      child.is_.block->next_dead = dead;
      dead = child.is_.block;
    }
  };
  while (dead != nullptr) {
    HeapBlock* const block = dead;
    dead = block->next_dead;
    if (block->form == Form::HeapArray) {
      for (std::uint32_t i = 0; i < block->size; ++i)
        release(static_cast<HeapArray*>(block)->elements()[i]);
    } else if (block->form == Form::HeapObject) {
      auto& object = *static_cast<HeapObject*>(block);
      for (std::uint32_t i = 0; i < block->size; ++i) {
        release(object.members()[i].key);
        release(object.members()[i].value);
      }
      drop_index(object);
    }
    Heap::current().give(block, block_bytes(block->form, block->capacity));
  }
}

std::uint32_t Value::size() const {
  return form_ == Form::JsonArray || form_ == Form::JsonObject ? is_.json->size() : is_.block->size;
}

Value Value::element(std::uint32_t index) const {
  if (form_ == Form::JsonArray) return of(is_.json->elements()[index]);
  return is_.array->elements()[index];
}

Value* Value::own_elements() {
  if (form_ == Form::HeapArray && is_.array->refs == 1) return is_.array->elements();
  const std::uint32_t count = size();
  Value copy = new_array(count);
  for (std::uint32_t i = 0; i < count; ++i) new (copy.is_.array->elements() + i) Value(element(i));
  copy.is_.array->size = count;
  if (is_counted()) copy.is_.block->depth = is_.block->depth;
  swap(copy);
  return is_.array->elements();
}

void Value::note_depth(const Value& child) {
  if (child.form_ < Form::HeapArray || child.is_.block->depth < is_.block->depth) return;
  is_.block->depth = static_cast<std::uint16_t>(std::min(child.is_.block->depth + 1, 0xffff));
  Heap::current().note_depth(is_.block->depth);
}

void Value::append_deep(Value element) {
  own_elements();
  note_depth(element);
  if (is_.array->size == is_.array->capacity)
    is_.block = grown(is_.block, std::max(4u, is_.array->size + 1));
  push(std::move(element));
}

void Value::resize(std::uint32_t size) {
  own_elements();
  HeapArray* array = is_.array;
  if (size > array->capacity) is_.block = grown(is_.block, size);
  array = is_.array;
  while (array->size > size) array->elements()[--array->size].~Value();
  while (array->size < size) new (array->elements() + array->size++) Value();
}

std::uint32_t HeapObject::find(std::string_view key) const {
  const Member* const all = const_cast<HeapObject*>(this)->members();
  if (index == nullptr) {
    for (std::uint32_t i = 0; i < size; ++i)
      if (all[i].key.text() == key) return i;
    return size;
  }
  const std::uint32_t mask = index_size - 1;
  for (std::uint32_t at = hash_of(key) & mask; index[at] != 0; at = (at + 1) & mask)
    if (all[index[at] - 1].key.text() == key) return index[at] - 1;
  return size;
}

std::optional<Value> Value::member(std::string_view key) const {
  if (form_ == Form::JsonObject) {
    const Json* const found = is_.json->find(key);
    if (found == nullptr) return std::nullopt;
    return of(*found);
  }
  const std::uint32_t place = is_.object->find(key);
  if (place == is_.object->size) return std::nullopt;
  return is_.object->members()[place].value;
}

bool Value::has_member(std::string_view key) const {
  if (form_ == Form::JsonObject) return is_.json->find(key) != nullptr;
  return is_.object->find(key) != is_.object->size;
}

void Value::own_object() {
  if (form_ == Form::HeapObject && is_.object->refs == 1) return;
  Value copy = new_object(size() + 1);
  HeapObject& object = *copy.is_.object;
  for (MemberCursor at(*this); at.next();)
    new (object.members() + object.size++) Member{at.key(), at.value()};
  if (object.size > kUnindexedMax) make_index(object);
  if (is_counted()) object.depth = is_.block->depth;
  swap(copy);
}

void Value::set_member(Value key, Value value) {
  own_object();
  note_depth(value);
  const std::uint32_t place = is_.object->find(key.text());
  if (place < is_.object->size) {
    is_.object->members()[place].value = std::move(value);
    return;
  }
  if (is_.object->size == is_.object->capacity)
    is_.block = grown(is_.block, std::max(4u, is_.object->size + 1));
  HeapObject& object = *is_.object;
  new (object.members() + object.size++) Member{std::move(key), std::move(value)};
  if (object.size <= kUnindexedMax) return;
  if (object.index_size < object.size * 2)
    make_index(object);
  else
    put_in_index(object, object.size - 1);
}

Value* Value::own_member(std::string_view key) {
  own_object();
  const std::uint32_t place = is_.object->find(key);
  return place == is_.object->size ? nullptr : &is_.object->members()[place].value;
}

void Value::append_text(std::string_view more) {
  if (form_ != Form::HeapText || is_.text->refs != 1) {
    const std::string_view before = text();
    Value made(Form::HeapText);
    made.is_.block = new_block(Form::HeapText, before.size() + more.size());
    std::memcpy(made.is_.text->chars(), before.data(), before.size());
    std::memcpy(made.is_.text->chars() + before.size(), more.data(), more.size());
    made.is_.block->size = static_cast<std::uint32_t>(before.size() + more.size());
    swap(made);
    return;
  }
  const std::size_t size = is_.text->size + more.size();
  if (size > is_.text->capacity) {
    const std::string kept(more);  // may lie in the block that moves
    is_.block = grown(is_.block, size);
    std::memcpy(is_.text->chars() + is_.text->size, kept.data(), kept.size());
  } else {
    std::memmove(is_.text->chars() + is_.text->size, more.data(), more.size());
  }
  is_.text->size = static_cast<std::uint32_t>(size);
}

MemberCursor::MemberCursor(const Value& object) : left_(object.size()) {
  if (object.form() == Value::Form::JsonObject)
    json_ = object.json().members().data();
  else
    heap_ = object.object().members();
}

bool MemberCursor::next() {
  if (left_ == 0) return false;
  --left_;
  if (json_ != nullptr) {
    key_ = Value::text(json_->key());
    value_ = Value::of(json_->value);
    ++json_;
  } else {
    key_ = heap_->key;
    value_ = heap_->value;
    ++heap_;
  }
  return true;
}

std::vector<Member> sorted_members(const Value& object) {
  std::vector<Member> all;
  all.reserve(object.size());
  for (MemberCursor at(object); at.next();) all.push_back({at.key(), at.value()});
  std::sort(all.begin(), all.end(),
            [](const Member& a, const Member& b) { return a.key.text() < b.key.text(); });
  return all;
}

int compare(const Value& a, const Value& b) {
  const Kind kind = a.kind();
  if (kind != b.kind()) return kind < b.kind() ? -1 : 1;
  switch (kind) {
    case Kind::Null:
    case Kind::False:
    case Kind::True:
      return 0;
    case Kind::Number:
      return compare_values_of_numbers(a, b);
    case Kind::String:
      return compare_texts(a.text(), b.text());
    case Kind::Array:
      return compare_arrays(a, b);
    case Kind::Object:
      return compare_objects(a, b);
  }
  return 0;
}

bool equal(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::Array: {
      if (a.size() != b.size() || !may_compare(a)) return false;
      for (std::uint32_t i = 0; i < a.size(); ++i)
        if (!equal(a.element(i), b.element(i))) return false;
      return true;
    }
    case Kind::Object:
      return a.size() == b.size() && may_compare(a) && equal_objects(a, b);
    case Kind::String:
      return a.text() == b.text();
    default:
      return compare(a, b) == 0;
  }
}

}  // namespace weft::mapping
