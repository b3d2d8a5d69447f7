#pragma once
// A restricted pickle machine: it builds plain values, imports nothing and calls nothing the file names.
// Globals are names. What "calling" one means is said by the machine for plain containers and by its Hooks for theirs;
// of any other class or function comes an inert value, which keeps its name and what it was given, and does nothing.
// Names that only an attack needs are refused. Everything is bounded by the length of the stream and by kMaxOperations.
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats::pickle {

/// Advice for files that ask for what no data needs.
inline constexpr const char* kNothingWasRun =
    "nothing of the file was run; get it from somewhere else, or look into it with 'python -m pickletools'";

/// Opcodes, and items copied by calls, of one Machine. A tensor of a state dict takes about 40.
inline constexpr std::int64_t kMaxOperations = 10'000'000;

enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,
  real,
  text,
  bytes,
  tuple,
  list,
  dict,
  set,
  global,  ///< the name of a class or function
  object,  ///< made by the hooks
  inert,   ///< of a class that means nothing here
};

/// Small values are inside; the others are an index into the Heap that made them.
struct Value {
  Kind kind = Kind::none;
  std::uint32_t tag = 0;    ///< object: the hooks' own kind. dict: 1 when it came from a class and may take a BUILD
  std::int64_t number = 0;  ///< boolean, integer; a real's bits; else the index

  bool is(Kind k) const { return kind == k; }
};

using Pair = std::pair<Value, Value>;

/// What the file gives an object that nobody here knows.
struct Inert {
  std::string_view name;  ///< "numpy.ndarray"
  std::vector<Value> arguments;
  std::vector<Value> state;  ///< its attributes: dicts as a rule
  std::vector<Value> items;  ///< of a class that is a list or set
  std::vector<Pair> pairs;   ///< of a class that is a dict
};

/// Owns what the values refer to. Texts are views of the stream where they can be.
class Heap {
 public:
  std::string_view text(Value v) const { return texts_[index(v)]; }  ///< text, bytes, global, big_integer (raw)
  const std::vector<Value>& items(Value v) const { return sequences_[index(v)]; }  ///< tuple, list, set
  /// As they were set: a key that is set again appears again.
  const std::vector<Pair>& pairs(Value v) const { return dicts_[index(v)]; }
  std::vector<Value>& items(Value v) { return sequences_[index(v)]; }
  std::vector<Pair>& pairs(Value v) { return dicts_[index(v)]; }

  Inert& inert(Value v) { return inerts_[index(v)]; }
  const Inert& inert(Value v) const { return inerts_[index(v)]; }

  Value add_view(Kind kind, std::string_view text);
  Value add_text(std::string text);  ///< owned
  Value add_sequence(Kind kind, std::vector<Value> items);
  Value add_dict(std::vector<Pair> pairs, bool from_class);
  Value add_inert(std::string_view name, std::vector<Value> arguments);

 private:
  static std::size_t index(Value v) { return static_cast<std::size_t>(v.number); }
  static Value made(Kind kind, std::size_t index, std::uint32_t tag = 0) {
    return {kind, tag, static_cast<std::int64_t>(index)};
  }
  std::vector<std::string_view> texts_;
  std::deque<std::string> owned_;
  std::vector<std::vector<Value>> sequences_;
  std::vector<std::vector<Pair>> dicts_;
  std::vector<Inert> inerts_;
};

/// For messages: "a list", "the global 'torch.Size'".
std::string describe(const Heap& heap, Value value);

/// What the file's own classes mean. Errors need no place: the machine adds it.
class Hooks {
 public:
  virtual ~Hooks() = default;
  /// The names that call() gives a meaning to.
  virtual bool knows(std::string_view global) const = 0;
  virtual Result<Value> persistent(Heap& heap, Value id) = 0;
  /// `arguments` is a tuple. Only names that knows() accepts arrive here.
  virtual Result<Value> call(Heap& heap, std::string_view global, Value arguments) = 0;
};

/// For streams that hold numbers, strings, lists and dicts only.
class NoHooks : public Hooks {
 public:
  bool knows(std::string_view) const override { return false; }
  Result<Value> persistent(Heap& heap, Value id) override;
  Result<Value> call(Heap& heap, std::string_view global, Value arguments) override;
};

/// Several pickles of one stream may be loaded one after the other; their values live in one heap.
class Machine {
 public:
  /// `bytes` must outlive the machine. Places are "FILE: byte N of 'PART'", or "FILE: byte N" without a part.
  Machine(std::span<const std::byte> bytes, std::string file, std::string part);

  /// Runs from `position` to the STOP opcode and moves `position` behind it. E0520 to E0529.
  Result<Value> load(std::size_t& position, Hooks& hooks);

  Heap& heap() { return heap_; }
  const Heap& heap() const { return heap_; }
  const std::set<std::string, std::less<>>& globals() const { return globals_; }  ///< all that were named
  std::string place(std::size_t position) const;

 private:
  Result<void> step(std::uint8_t opcode, Hooks& hooks);
  Result<void> push_text(std::uint64_t length);
  Result<void> push_latin1(std::uint64_t length);
  Result<void> push_long(std::uint64_t length);
  Result<void> push_tuple(std::size_t count);
  Result<void> push_global(std::string_view module, std::string_view name);
  Result<void> stack_global(const Hooks& hooks);
  Result<void> instance(bool class_on_stack, Hooks& hooks);
  Result<void> append(bool many);
  Result<void> set_items(Value dict, std::span<const Value> items);
  Result<void> set_many(bool on_new_dict);
  Result<void> add_to_set();
  Result<void> call(bool with_keywords, Hooks& hooks);
  Result<void> call(Value function, Value arguments, Hooks& hooks);
  Result<Value> call_plain(std::string_view global, Value arguments);
  Result<void> build();
  Result<void> put(std::uint64_t index);
  Result<void> get(std::uint64_t index);
  Result<std::span<const std::byte>> take(std::uint64_t count);
  Result<std::uint64_t> take_number(std::size_t width);
  Result<std::string_view> take_line();
  Result<Value> pop();
  Result<Value> top();
  Result<std::vector<Value>> pop_to_mark();
  Result<void> spend(std::size_t count);
  Diagnostic error(ErrorCode code, std::string message, std::string help = {}) const;
  void locate(Diagnostics& diagnostics) const;

  std::span<const std::byte> bytes_;
  std::string file_, part_;
  Heap heap_;
  std::set<std::string, std::less<>> globals_;
  std::int64_t operations_ = 0;
  // Of the pickle being loaded:
  std::size_t position_ = 0, opcode_at_ = 0;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::vector<std::pair<Value, bool>> memo_;  // the value, and whether there is one
};

}  // namespace anemone::formats::pickle
