// The heap of pickled values, their description in messages, and hooks that allow nothing.
#include <fmt/format.h>

#include "anemone/formats/torch/pickle.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::pickle {

Value Heap::add_view(Kind kind, std::string_view text) {
  texts_.push_back(text);
  return made(kind, texts_.size() - 1);
}

Value Heap::add_text(std::string text) {
  owned_.push_back(std::move(text));
  return add_view(Kind::text, owned_.back());
}

Value Heap::add_sequence(Kind kind, std::vector<Value> items) {
  sequences_.push_back(std::move(items));
  return made(kind, sequences_.size() - 1);
}

Value Heap::add_dict(std::vector<Pair> pairs, bool from_class) {
  dicts_.push_back(std::move(pairs));
  return made(Kind::dict, dicts_.size() - 1, from_class ? 1 : 0);
}

Value Heap::add_inert(std::string_view name, std::vector<Value> arguments) {
  inerts_.push_back({name, std::move(arguments), {}, {}, {}});
  return made(Kind::inert, inerts_.size() - 1);
}

std::string describe(const Heap& heap, Value value) {
  switch (value.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return value.number ? "True" : "False";
    case Kind::integer:
      return fmt::format("the number {}", value.number);
    case Kind::big_integer:
      return "a number of more than 64 bits";
    case Kind::real:
      return "a floating-point number";
    case Kind::text:
      return fmt::format("the string '{}'", printable(heap.text(value), 60));
    case Kind::bytes:
      return "a byte string";
    case Kind::tuple:
      return fmt::format("a tuple of {}", heap.items(value).size());
    case Kind::list:
      return fmt::format("a list of {}", heap.items(value).size());
    case Kind::dict:
      return fmt::format("a dict of {}", heap.pairs(value).size());
    case Kind::set:
      return "a set";
    case Kind::global:
      return fmt::format("the global '{}'", printable(heap.text(value)));
    case Kind::object:
      return "a tensor or storage";
    case Kind::inert:
      return fmt::format("an object of '{}'", printable(heap.inert(value).name));
  }
  return "a value";
}

Result<Value> NoHooks::persistent(Heap&, Value) {
  return bad_input(ErrorCode::storage_reference, "a reference to a storage stands outside the saved object");
}

Result<Value> NoHooks::call(Heap&, std::string_view global, Value) {
  return own_bug(fmt::format("'{}' is known to nobody", printable(global)));
}

}  // namespace anemone::formats::pickle
